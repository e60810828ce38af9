"""Texts that a spreadsheet or a copy has damaged, in columns of text: codes, errors, signs that nobody sees.

What a field's own list or form allows is right, and frictionless judged it before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tabular.columns import repeats
from pipelines.validate.findings import Finding
from pipelines.validate.identities import code_fields, identity_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipelines.declarations import Export

# Unicode's default-ignorable and format signs (UAX 44), but for the joiners inside emoji, which are seen.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb"
)
_JOINER = "\u200d"
_SPREADSHEET_ERROR = (
    r"^(#(N/A|N/D|REF!|DIV/0!|VALUE!|VALEUR!|NAME\?|NOM\?|NUM!|NOMBRE!|NULL!|NUL!|SPILL!|CALC!|GETTING_DATA)"
    r"|Err:[0-9]{3})$"
)
_SCIENTIFIC = r"^-?[0-9]([.,][0-9]+)?[eE]\+[0-9]{2,3}$"
_FLOAT = r"^[0-9]+[.,]0+$"
# As spreadsheets write them, never all in capitals: 13-MAR may be the code of an office.
_MONTHS = (
    "[Jj]anv|[Ff]évr|[Ff]evr|[Mm]ars|[Aa]vr|[Mm]ai|[Jj]uin|[Jj]uil|[Aa]oût|[Aa]out|[Ss]ept|[Oo]ct|[Nn]ov|[Dd]éc|[Dd]ec"
    "|[Jj]an|[Ff]eb|[Mm]ar|[Aa]pr|[Mm]ay|[Jj]un|[Jj]ul|[Aa]ug|[Ss]ep"
)
_DATE = (
    rf"^([0-9]{{1,2}}-({_MONTHS})\.?(-[0-9]{{2,4}})?|({_MONTHS})\.?-[0-9]{{2,4}}"
    r"|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00)?)$"
)
_DAMAGES = {
    _SCIENTIFIC: "notation scientifique, qui a perdu les derniers chiffres",
    _FLOAT: "nombre à virgule",
    _DATE: "date",
}
DAMAGED = "Un code a été abîmé par un tableur, qui l'a pris pour un nombre ou une date."
_UNSEEN = "Le texte contient un caractère invisible."
_WRONG = "La cellule contient une erreur du tableur, pas une valeur."


def damage_of(text: str) -> str:
    """Return in French what a spreadsheet has made of a code, if its text shows it."""
    return next((words for form, words in _DAMAGES.items() if re.search(form, text.strip())), "")


class DamagedText:
    """Looks for damages in the text columns of accepted rows; personal ones are left, unless they are a key."""

    def __init__(self, export: Export, labels: Mapping[str, str], present: Collection[str]) -> None:
        self._labels = labels
        self._codes, self._identities = code_fields(export), identity_fields(export)
        if export.structure and export.structure.name:
            self._published = {export.structure.name}
        else:
            self._published = set()
        self._forms = {
            item.name: self._damages(item.name, declared=bool(item.constraints.pattern or item.constraints.enum))
            for item in export.fields
            if item.type == "string" and item.name in present and (not item.personal or item.name in self._identities)
        }

    def _damages(self, name: str, *, declared: bool) -> dict[str, Finding]:
        """Return what is looked for in a column: the form of a damaged text, and how it is told."""
        label = self._labels[name]
        strict = name in self._identities | self._published
        unseen = f"[{INVISIBLE}{_JOINER}]" if strict else f"[{INVISIBLE}]"
        found = {
            unseen: Finding("caractere-interdit" if strict else "caractere-invisible", _UNSEEN,
                            "erreur" if strict else "avertissement", column=label),
            _SPREADSHEET_ERROR: Finding("erreur-tableur", _WRONG, column=label),
        }  # fmt: skip
        forms = [_SCIENTIFIC, *([_FLOAT] if strict else ()), *([_DATE] if name in self._codes else ())]
        if declared:
            return found
        return found | {form: Finding("code-abime", DAMAGED, column=label, cause=_DAMAGES[form]) for form in forms}

    def found(self, table: pa.Table) -> dict[int, list[Finding]]:
        """Return what is found, errors and warnings, by the place of the row in the table."""
        told: dict[int, list[Finding]] = {}
        for name, forms in self._forms.items():
            column = table.column(name).combine_chunks()
            cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            for place in _matching(cells, "|".join(f"(?:{form})" for form in forms)):
                text = cells[place].as_py()
                item = next(item for form, item in forms.items() if re.search(form, text))
                told.setdefault(place, []).append(item)
        return told


def _matching(column: pa.Array, form: str) -> list[int]:
    """Return the places of the texts that have the form; each distinct one is searched once, where they are few."""
    if repeats(column):
        encoded = column.dictionary_encode()
        found = pc.match_substring_regex(encoded.dictionary, form)
        if not pc.any(found).as_py():
            return []
        matches = found.take(encoded.indices)
    else:
        matches = pc.match_substring_regex(column, form)
    return [int(place) for place in np.flatnonzero(matches.fill_null(False).to_numpy(zero_copy_only=False))]
