"""What validation finds in a file, and the words it is told in.

French, for producers: one sentence per rule, and how to mend it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Severity = Literal["erreur", "avertissement"]


@dataclass(frozen=True)
class Finding:
    """One thing found: the rule, where (row in the file, column), the value seen, and a sentence for the producer.

    ``year`` is the reference year of the row when it could be read: a row without a readable year counts in all of
    them.
    """

    rule: str
    message: str
    severity: Severity = "erreur"
    row: int | None = None
    column: str = ""
    value: str = ""
    year: int | None = None


# One sentence per frictionless error type (5.21); {note} is frictionless's own, precise and in English.
SENTENCES = {
    "type-error": "La valeur n'a pas le type attendu ({note}).",
    "constraint-error": "La valeur ne respecte pas la règle de la colonne ({note}).",
    "missing-cell": "La ligne a moins de cellules que l'en-tête : il manque un séparateur ou la fin de la ligne.",
    "extra-cell": (
        "La ligne a plus de cellules que l'en-tête : un séparateur en trop, ou un texte à mettre entre guillemets."
    ),
    "blank-row": "La ligne est vide : supprimez-la.",
    "primary-key": "Cette clé figure déjà plus haut dans le fichier : gardez une seule ligne ({note}).",
    "unique-error": "Cette valeur figure déjà plus haut dans la colonne, qui n'admet pas de doublon.",
    "blank-label": "Une colonne n'a pas d'en-tête.",
    "duplicate-label": "Deux colonnes portent le même en-tête.",
}


def sentence(rule: str, note: str, shift: int = 0) -> str:
    """Return the French sentence for an error type of frictionless; ``shift`` turns its row numbers into the file's."""
    note = _POSITION.sub(lambda match: f"comme la ligne {int(match[1]) + shift}", note)
    return SENTENCES.get(rule, "Règle « " + rule + " » non respectée ({note}).").format(note=_french(note))


_POSITION = re.compile(r"the same as in the row at position (\d+)")
_NOTES = (
    ("type is", "type attendu :"),
    ("constraint ", "contrainte "),
    (' is "', ' : "'),
    ("default", "par défaut"),
    ("is blank", "est vide"),
)


def _french(note: str) -> str:
    for english, french in _NOTES:
        note = note.replace(english, french)
    return note.strip().rstrip(".")
