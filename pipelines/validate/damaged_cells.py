"""Cells that a spreadsheet or a copy has damaged: as their text shows it, or as the reader saw and marked them.

What a field's own list or form allows is right, and frictionless judged it before. Texts that a conversion of their
encoding spoiled are ``garbled``'s affair.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from pipelines.mechanics.opened_files import Mark
from pipelines.mechanics.spelling import INVISIBLE, JOINER
from pipelines.tabular.columns import repeats
from pipelines.validate.findings import Finding
from pipelines.validate.typed_rows import one_piece, places_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipelines.declarations import Export
    from pipelines.validate.findings import FileContext
    from pipelines.validate.header import MatchedHeader

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
_DAMAGED = "Un code a été abîmé par un tableur, qui l'a pris pour un nombre ou une date."
_INVISIBLE_SIGN = "Le texte contient un caractère invisible."
_WRONG = "La cellule contient une erreur du tableur, pas une valeur."

# Rule, sentence, and the cause that the cell alone shows.
_MARK_ERRORS = {
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
    Mark.DIGITS: ("code-abime", _DAMAGED, "nombre de plus de 15 chiffres, dont les derniers sont devenus des zéros"),
    Mark.DATED: ("code-abime", _DAMAGED, "date"),
    Mark.DECIMAL: ("code-abime", _DAMAGED, "nombre à virgule"),
    Mark.WORDED: ("code-abime", _DAMAGED, "nombre auquel le format de la cellule ajoute des signes"),
    Mark.TRUTH: ("code-abime", _DAMAGED, "vrai ou faux"),
    Mark.CLOCK: ("duree-tronquee",
        "La durée affichée n'est pas celle qui est enregistrée : le format de la cellule cache les heures ou les "
        "secondes.", ""),
}  # fmt: skip
_OF_CODES = (Mark.DATED, Mark.DECIMAL, Mark.WORDED, Mark.TRUTH)  # right in other texts
_MARK_WARNINGS = {
    Mark.PERCENT: ("pourcentage",
        "Des cellules au format pourcentage sont lues comme elles sont affichées : 85,3 % vaut 85,3."),
    Mark.DATED: ("date-en-texte", "Des dates se trouvent dans une colonne de texte : elles sont lues AAAA-MM-JJ."),
}  # fmt: skip


def damage_of(text: str) -> str:
    """Return in French what a spreadsheet has made of a code, if its text shows it."""
    return next((words for form, words in _DAMAGES.items() if re.search(form, text.strip())), "")


class DamagedText:
    """Looks for damages in the text columns of accepted rows; personal ones are left, unless they are a key."""

    def __init__(self, context: FileContext, present: Collection[str]) -> None:
        export = context.export
        self._codes, self._identities = _code_fields(export), _identity_fields(export)
        self._published = {export.structure.name} if export.structure and export.structure.name else set()
        self._forms = {
            field.name: self._damages(
                field.name,
                context.label(field.name),
                declared=bool(field.constraints.pattern or field.constraints.enum),
            )
            for field in export.fields
            if field.type == "string"
            and field.name in present
            and (not field.personal or field.name in self._identities)
        }

    def _damages(self, name: str, label: str, *, declared: bool) -> dict[str, Finding]:
        """Return what is looked for in a column: the form of a damaged text, and how it is told."""
        strict = name in self._identities | self._published
        invisible = f"[{INVISIBLE}{JOINER}]" if strict else f"[{INVISIBLE}]"
        always = {
            invisible: Finding(
                "caractere-interdit" if strict else "caractere-invisible",
                _INVISIBLE_SIGN,
                "erreur" if strict else "avertissement",
                column=label,
            ),
            _SPREADSHEET_ERROR: Finding("erreur-tableur", _WRONG, column=label),
        }
        forms = [_SCIENTIFIC, *([_FLOAT] if strict else ()), *([_DATE] if name in self._codes else ())]
        if declared:
            return always
        return always | {form: Finding("code-abime", _DAMAGED, column=label, cause=_DAMAGES[form]) for form in forms}

    def found(self, table: pa.Table) -> Iterator[tuple[int, Finding]]:
        """Yield what is found, errors and warnings, with the place of the row in the table."""
        for name, forms in self._forms.items():
            cells = one_piece(table.column(name))
            for place in _matching(cells, "|".join(f"(?:{form})" for form in forms)):
                text = cells[place].as_py()
                yield place, next(finding for form, finding in forms.items() if re.search(form, text))


class MarkedCells:
    """The cells that the reader marked, of a file whose first row has the number ``first_row``; most have none.

    A mark tells what the producer saw; here it is said whether the row can be accepted.
    """

    def __init__(
        self, marks: Mapping[int, bytearray], first_row: int, matched: MatchedHeader, context: FileContext
    ) -> None:
        codes = _code_fields(context.export)
        self._first = first_row
        self._columns = [
            (context.label(name), np.frombuffer(marks[place], np.uint8), name in codes)
            for name, place in matched.places.items()
            if place in marks
        ]

    def errors(self, numbers: NDArray[np.int64]) -> Iterator[tuple[int, Finding]]:
        """Yield the errors of rows, with their place in ``numbers``."""
        for label, marked, is_code in self._columns:
            rules = {mark: rule for mark, rule in _MARK_ERRORS.items() if is_code or mark not in _OF_CODES}
            here = numbers - self._first
            codes = np.where(here < len(marked), marked[np.minimum(here, len(marked) - 1)], 0)
            for place in places_of(np.isin(codes, list(rules))):
                rule, message, cause = rules[Mark(int(codes[place]))]
                yield place, Finding(rule, message, column=label, cause=cause)

    def at(self, number: int) -> list[Finding]:
        """Return the errors of one row."""
        return [finding for _, finding in self.errors(np.array([number]))]

    def warnings(self) -> list[Finding]:
        """Return what is accepted and must be known, once a column."""
        findings = []
        for label, marked, is_code in self._columns:
            for mark, (rule, message) in _MARK_WARNINGS.items():
                rows = np.flatnonzero(marked == mark)
                if len(rows) and not (is_code and mark in _MARK_ERRORS):
                    first, last = int(rows[0]) + self._first, int(rows[-1]) + self._first
                    findings.append(Finding(rule, message, "avertissement", first, label, count=len(rows), last=last))
        return findings


def _code_fields(export: Export) -> set[str]:
    """Return the fields that hold the code of an office, a place, or a sampled cluster."""
    structure, territory, design = export.structure, export.territory, export.design
    names = (structure and structure.code, territory and territory.field, design and design.clusters)
    return {name for name in names if name}


def _identity_fields(export: Export) -> set[str]:
    """Return the fields by which rows are told apart or put together: codes, keys, levels, strata, margins."""
    design = export.design
    margins = {margin.field for calibration in export.calibration for margin in calibration.margins}
    names = (*export.key, *margins, export.level.field, design.strata if design else None)
    return _code_fields(export) | {name for name in names if name}


def _matching(column: pa.Array, form: str) -> list[int]:
    """Return the places of the texts that have the form; each distinct one is searched once, where they are few."""
    if not repeats(column):
        return places_of(pc.match_substring_regex(column, form))
    encoded = column.dictionary_encode()
    matches = pc.match_substring_regex(encoded.dictionary, form)
    return places_of(matches.take(encoded.indices)) if pc.any(matches).as_py() else []
