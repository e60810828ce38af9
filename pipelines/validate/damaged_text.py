"""Texts that a spreadsheet or a copy has damaged, in columns of text: codes, errors, signs that nobody sees.

What a field's own list or form allows is right, and frictionless judged it before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
_MONTHS = "janv|févr|fevr|mars|avr|mai|juin|juil|août|aout|sept|oct|nov|déc|dec|jan|feb|mar|apr|may|jun|jul|aug|sep"
_DATE = (
    rf"(?i)^([0-9]{{1,2}}-({_MONTHS})\.?(-[0-9]{{2,4}})?|({_MONTHS})\.?-[0-9]{{2,4}}"
    r"|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00)?)$"
)
_DAMAGES = {
    _SCIENTIFIC: "Le code est en notation scientifique : le tableur en a perdu les derniers chiffres.",
    _FLOAT: "Le code est devenu un nombre à virgule.",
    _DATE: "Le code est devenu une date.",
}
_UNSEEN = "Le texte contient un caractère invisible."
_WRONG = "La cellule contient une erreur du tableur, pas une valeur."


class DamagedText:
    """Looks for damages in the text columns of accepted rows; personal ones, free and never published, are left."""

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
            if item.type == "string" and not item.personal and item.name in present
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
        if not declared and name in self._identities:
            forms = _DAMAGES if name in self._codes else [_SCIENTIFIC, _FLOAT]
            found |= {form: Finding("code-abime", _DAMAGES[form], column=label) for form in forms}
        return found

    def found(self, table: pa.Table) -> dict[int, list[Finding]]:
        """Return what is found, errors and warnings, by the place of the row in the table."""
        told: dict[int, list[Finding]] = {}
        for name, forms in self._forms.items():
            cells = table.column(name).combine_chunks()
            for place in _matching(cells, "|".join(f"(?:{form})" for form in forms)):
                text = cells[place].as_py()
                item = next(item for form, item in forms.items() if re.search(form, text))
                told.setdefault(place, []).append(item)
        return told


def _matching(cells: pa.Array, form: str) -> list[int]:
    """Return the places of the texts that have the form, each distinct one being searched once."""
    column = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    encoded = column.dictionary_encode()
    matches = pc.match_substring_regex(encoded.dictionary, form)
    if not pc.any(matches).as_py():
        return []
    mask = matches.take(encoded.indices).fill_null(False)
    return [int(place) for place in np.flatnonzero(mask.to_numpy(zero_copy_only=False))]
