"""What the reader marked in cells (``compile.seen.Mark``), as findings: errors by row, warnings once a column.

A mark tells what the producer saw; here it is said whether the row can be accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.compile.seen import Mark
from pipelines.validate.damaged_text import DAMAGED
from pipelines.validate.findings import Finding
from pipelines.validate.identities import code_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pipelines.declarations import Export, ExportField

# Rule, sentence, and the cause that the cell alone shows.
_ERRORS = {
    Mark.NO_VALUE: ("formule-sans-valeur",
        "La cellule contient une formule dont le résultat n'est pas enregistré : ouvrez le classeur dans un tableur et "
        "enregistrez-le.", ""),
    Mark.MERGED: ("cellule-fusionnee",
        "Cellules fusionnées : défusionnez-les et répétez la valeur sur chaque ligne.", ""),
    Mark.NOT_PERCENT: ("pourcentage-melange",
        "Cette valeur n'est pas au format pourcentage, alors que d'autres de la colonne le sont : on ne peut savoir si "
        "0,85 veut dire 85 % ou 0,85 %.", ""),
    Mark.SCALED: ("format-en-milliers",
        "La cellule montre autre chose que sa valeur, qui est affichée en milliers, en millions, ou pas du tout.", ""),
    Mark.DIGITS: ("code-abime", DAMAGED, "nombre de plus de 15 chiffres, dont les derniers sont devenus des zéros"),
    Mark.DATED: ("code-abime", DAMAGED, "date"),
    Mark.DECIMAL: ("code-abime", DAMAGED, "nombre à virgule"),
    Mark.WORDED: ("code-abime", DAMAGED, "nombre auquel le format de la cellule ajoute des signes"),
    Mark.TRUTH: ("code-abime", DAMAGED, "vrai ou faux"),
    Mark.CLOCK: ("duree-tronquee",
        "La durée affichée n'est pas celle qui est enregistrée : le format de la cellule cache les heures ou les "
        "secondes.", ""),
}  # fmt: skip
_OF_CODES = (Mark.DATED, Mark.DECIMAL, Mark.WORDED, Mark.TRUTH)  # right in other texts
# Accepted rows of which the producer is told in a letter: they are read otherwise than they are seen.
UNSEEN = ("feuilles-non-lues", "lignes-masquees", "caractere-invisible", "date-en-texte")
_WARNINGS = {
    Mark.PERCENT: ("pourcentage",
        "Des cellules au format pourcentage sont lues comme elles sont affichées : 85,3 % vaut 85,3."),
    Mark.DATED: ("date-en-texte", "Des dates se trouvent dans une colonne de texte : elles sont lues AAAA-MM-JJ."),
}  # fmt: skip


class MarkedCells:
    """The marked cells of a file, whose first row has the number ``first_row``; most files have none."""

    def __init__(
        self,
        marks: Mapping[int, bytearray],
        first_row: int,
        columns: Sequence[tuple[str, ExportField | None]],
        labels: Mapping[str, str],
        export: Export,
    ) -> None:
        codes = code_fields(export)
        self._first = first_row
        self._columns = [
            (labels[declared.name], np.frombuffer(marks[place], np.uint8), declared.name in codes)
            for place, (_, declared) in enumerate(columns)
            if place in marks and declared is not None
        ]

    def errors(self, numbers: NDArray[np.int64]) -> dict[int, list[Finding]]:
        """Return the errors of rows, by their place in ``numbers``."""
        found: dict[int, list[Finding]] = {}
        for label, marked, is_code in self._columns:
            rules = {mark: rule for mark, rule in _ERRORS.items() if is_code or mark not in _OF_CODES}
            here = numbers - self._first
            codes = np.where(here < len(marked), marked[np.minimum(here, len(marked) - 1)], 0)
            for place in np.flatnonzero(np.isin(codes, list(rules))).tolist():
                rule, message, cause = rules[Mark(int(codes[place]))]
                found.setdefault(place, []).append(Finding(rule, message, column=label, cause=cause))
        return found

    def at(self, number: int) -> list[Finding]:
        """Return the errors of one row."""
        return self.errors(np.array([number])).get(0, []) if self._columns else []

    def warnings(self) -> list[Finding]:
        """Return what is accepted and must be known, once a column."""
        found = []
        for label, marked, is_code in self._columns:
            for mark, (rule, message) in _WARNINGS.items():
                rows = np.flatnonzero(marked == mark)
                if len(rows) and not (is_code and mark in _ERRORS):
                    first, last = int(rows[0]) + self._first, int(rows[-1]) + self._first
                    found.append(Finding(rule, message, "avertissement", first, label, count=len(rows), last=last))
        return found
