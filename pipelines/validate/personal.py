"""What is kept out of findings: values of columns declared personal, and those that look personal wherever they are.

These are known by their form: e-mail addresses, French telephone numbers, NIR and IBAN with their check digits. It is
said that a text holds some, never which. Only the copy of the refused rows (``letters.annotated_copy``), which goes
back to the producer who sent them, holds the cells. Of users' experiences, nothing shows a cell, of whatever column,
that isn't a value of a closed list, a date or an identifier written as declared: texts may be anywhere in a bad file.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from pipelines.compile.exports import field_descriptor, is_optional, label_of
from pipelines.mechanics.french import counted
from pipelines.mechanics.spelling import one_writing
from pipelines.validate.findings import EXPIRED, MASKED, Finding
from pipelines.validate.header import fields_by_label
from pipelines.validate.messages import title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Export, Layout
    from pipelines.validate.observations_writer import Validated
    from pipelines.validate.typed_rows import TypedRows

RULE = "donnee-personnelle-possible"
_SHIFTED = ("missing-cell", "extra-cell")
_IDENTIFIER = re.compile(r"(?:[A-Za-z]{1,4}[-_]?)?\d{1,8}")
_LIKELY = re.compile(r", sans doute « .* »", re.DOTALL)  # some signs of the text around
MOST_ROWS = 10_000  # rows told by column: beyond, the column is what matters

_GAP = "[ .\\-\u00a0\u202f]?"
_EMAIL = re.compile(r"(?<![\w.+-])[\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
_ABROAD = rf"(?:\+|00)(?:33|262|508|590|594|596|687|689){_GAP}(?:\(0\){_GAP})?"
_PHONE = re.compile(  # pairs of digits, all told apart in the same way; overseas, a first group of three
    rf"(?<![\w+])(?:(?:{_ABROAD}|0)[1-9]({_GAP})\d{{2}}(?:\1\d{{2}}){{3}}"
    rf"|{_ABROAD}[1-9]\d{{2}}({_GAP})\d{{2}}(?:\2\d{{2}}){{2}})"
    r"(?!\w)"
)
_NIR = re.compile(r"(?<!\w)([1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3}) ?(\d{2})(?!\w)")
_IBAN = re.compile("(?<!\\w)[A-Z]{2}\\d{2}(?:[ \u00a0\u202f]?[A-Z0-9]){11,32}")
_IBAN_LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27,
}  # fmt: skip
# A looser form of all of the above, that Arrow looks for in whole columns (RE2: no look-around).
_BEFORE = "(?:^|[^0-9A-Za-z_])"
_CALLED = f"(?:0|(?:\\+|00)[0-9]{{2,3}}{_GAP}(?:\\(0\\){_GAP})?)"
_SHAPE = "|".join((
    "@[^@ ]+\\.[A-Za-z]{2}",
    f"{_BEFORE}{_CALLED}[1-9](?:{_GAP}[0-9]{{2}}){{4}}",
    f"{_BEFORE}{_CALLED}[1-9][0-9]{{2}}(?:{_GAP}[0-9]{{2}}){{3}}",
    f"{_BEFORE}[A-Z]{{2}}[0-9]{{2}}(?:[ \u00a0\u202f]?[A-Z0-9]){{11}}",
    f"{_BEFORE}[1-478] ?[0-9]{{2}} ?[0-9]{{2}} ?(?:[0-9]{{2}}|2[AB]) ?[0-9]{{3}} ?[0-9]{{3}} ?[0-9]{{2}}",
))  # fmt: skip


def protect(validated: Validated, export: Export, layout: Layout) -> Validated:
    """Return the judgement with its findings masked, and with a warning where personal data seem to be."""
    suspected = _in_observations(validated.observations, export, layout) + _in_refused_rows(validated, export, layout)
    suspected.sort(key=lambda finding: (finding.column, finding.row or 0))
    validated = replace(validated, findings=[*masked(validated.findings, export, layout), *suspected])
    return _ShownCells(export, layout).of(validated) if export.kind == "experiences" else validated


class _ShownCells:
    """What may be shown of a file of users' experiences."""

    def __init__(self, export: Export, layout: Layout) -> None:
        self._fields = fields_by_label(export, layout)
        self._formats = {
            field.name: str(field_descriptor(field, layout)["format"])
            for field in export.fields
            if field.type == "date"
        }
        self._key = export.key

    def of(self, validated: Validated) -> Validated:
        """Return the judgement with its refused rows masked, and the labels that aren't declared.

        In a row whose cells are shifted, all of them are masked.
        """
        labels = [one_writing(label) for label in validated.header]
        shifted = {finding.row for finding in validated.findings if finding.rule in _SHIFTED}
        rows = []
        for row in validated.refused_rows:
            pairs = zip_longest(labels[: len(row.cells)], row.cells, fillvalue="")
            shown = [row.number not in shifted and self.shows(label, cell) for label, cell in pairs]
            cells = [cell if shows else hidden(cell) for cell, shows in zip(row.cells, shown, strict=True)]
            rows.append(replace(row, cells=cells))
        header = [label if one_writing(label) in self._fields else hidden(label) for label in validated.header]
        return replace(validated, refused_rows=rows, header=header)

    def finding(self, item: Finding) -> Finding:
        """Return a finding without the cell that it tells, nor the label if it isn't declared."""
        if item.rule == "extra-label" and item.column:  # one that was hidden already has no label left
            message = f"Une colonne n'est pas déclarée, d'intitulé {hidden(item.column)} : elle est ignorée."
            return replace(item, message=message, column="", value="", cause="", declare="")
        if item.rule == "missing-label" and not item.cause:  # what it says besides is a label that isn't declared
            return replace(item, message=f"{item.message.partition('.')[0]}.", declare="")
        if item.rule == "encodage":
            item = replace(item, message=_LIKELY.sub("", item.message))
        if not item.value or item.rule == EXPIRED or self.shows(item.column, item.value):
            return item
        return replace(item, value=hidden(item.value), cause="")

    def shows(self, label: str, cell: str) -> bool:
        """Whether a cell says no more than its column declares: a value of its list, a date, an identifier."""
        field = self._fields.get(one_writing(label))
        if field is None or field.personal:
            return False
        if field.name in self._key:
            return bool(_IDENTIFIER.fullmatch(cell))
        return cell in (field.constraints.enum or ()) or self._is_date(field.name, cell)

    def _is_date(self, name: str, cell: str) -> bool:
        try:
            return name in self._formats and bool(datetime.strptime(cell, self._formats[name]))
        except ValueError:
            return False


def hidden(cell: str) -> str:
    """Return what stands for a cell of users' experiences; hiding twice changes nothing."""
    if not cell or cell.startswith(MASKED[:-1]):
        return cell
    return f"{MASKED[:-1]} : {counted(len(cell), 'signe')})"


def masked(findings: Sequence[Finding], export: Export, layout: Layout) -> list[Finding]:
    """Return the findings without any personal value. Masking twice changes nothing.

    In a row whose cells are shifted, any cell may be that of a personal column: all of them are masked. In a file
    where no label is known, the labels are the cells of a first row: none is told.
    """
    personal = {one_writing(label_of(field, layout)) for field in export.fields if field.personal}
    shifted = {finding.row for finding in findings if finding.rule in _SHIFTED} if personal else set()
    key = [label_of(field, layout) for name in export.key if (field := export.field(name))]
    if any(one_writing(label) in personal for label in key):
        personal.add(one_writing(", ".join(key)))  # the column that findings on the key name
    findings = _without_cells_as_labels(findings, export, layout)
    if export.kind == "experiences":
        shown = _ShownCells(export, layout)
        return [shown.finding(finding) for finding in findings]
    protected = []
    for finding in findings:
        hides = one_writing(finding.column) in personal or finding.row in shifted
        if finding.value and finding.rule != EXPIRED and (hides or kinds(finding.value)):
            protected.append(replace(finding, value=MASKED, cause=""))
        else:
            protected.append(finding)
    return protected


def _without_cells_as_labels(findings: Sequence[Finding], export: Export, layout: Layout) -> Sequence[Finding]:
    """Tell once that no label is known, where none is: all columns are missing, and the labels seen are cells.

    A label that is nearly a declared one, but for its case or a sign that nobody sees, is no cell of a first row.
    """
    needed = {label_of(field, layout) for field in export.fields if not is_optional(field, layout)}
    missing = {finding.column: finding.cause for finding in findings if finding.rule == "missing-label"}
    if not needed or not needed <= missing.keys() or any(missing.values()):
        return findings
    message = (
        "Aucun en-tête attendu n'a été reconnu : la première ligne n'est sans doute pas l'en-tête. "
        f"Colonnes attendues : {', '.join(missing)}."
    )
    labels = ("missing-label", "extra-label", "blank-label")
    return [Finding("unmatched-header", message), *(finding for finding in findings if finding.rule not in labels)]


def _in_refused_rows(validated: Validated, export: Export, layout: Layout) -> list[Finding]:
    """Look in the text columns of refused rows too: they aren't among the observations."""
    fields = fields_by_label(export, layout)
    columns = [fields.get(one_writing(label)) for label in validated.header]
    findings = []
    for row in validated.refused_rows:
        for field, cell in zip(columns, row.cells, strict=False):
            searched = field is not None and field.type == "string" and not field.personal
            if field and searched and (kinds_found := kinds(cell)):
                findings.append(_warning(label_of(field, layout), kinds_found, row.number, row.year))
    return findings


def kinds(text: str) -> list[str]:
    """Return the kinds of personal data that a text seems to hold, in French."""
    kinds_met = []
    if _EMAIL.search(text):
        kinds_met.append("adresse électronique")
    if _PHONE.search(text):
        kinds_met.append("numéro de téléphone")
    if any(_nir_holds(match[1], match[2]) for match in _NIR.finditer(text)):
        kinds_met.append("numéro de sécurité sociale")
    if any(_iban_holds(match[0]) for match in _IBAN.finditer(text)):
        kinds_met.append("IBAN")
    return kinds_met


def _in_observations(observations: TypedRows, export: Export, layout: Layout) -> list[Finding]:
    """Return a warning per row and text column, not declared personal, that seems to hold personal data.

    After MOST_ROWS rows of a column, the rest of it is not searched.
    """
    texts = [field for field in export.fields if field.type == "string" and not field.personal]
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    kinds_of = lru_cache(MOST_ROWS)(kinds)
    for batch in observations.batches([*(field.name for field in texts), "_ligne", "_annee"]):
        for field in texts:
            if counts[field.name] >= MOST_ROWS:
                continue
            likely = pc.match_substring_regex(batch.column(field.name), _SHAPE)
            rows = batch.select([field.name, "_ligne", "_annee"]).filter(likely)
            for value, row, year in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                kinds_found = kinds_of(value)
                if kinds_found and counts[field.name] < MOST_ROWS:
                    counts[field.name] += 1
                    findings.append(_warning(label_of(field, layout), kinds_found, row, year))
    return findings


def _warning(column: str, kinds_found: list[str], row: int | None, year: int | None) -> Finding:
    """Return the finding that says so, without the value."""
    return Finding(RULE, title(RULE, ", ".join(kinds_found)), "avertissement", row, column, "", year)


def _nir_holds(number: str, key: str) -> bool:
    digits = number.replace(" ", "").replace("2A", "19").replace("2B", "18")
    month = int(digits[3:5])
    return int(key) == 97 - int(digits) % 97 and (1 <= month <= 12 or month >= 20)


def _iban_holds(text: str) -> bool:
    """Check an IBAN by ISO 7064 (mod 97), after cutting it at its country's length."""
    compact = re.sub(r"\s", "", text)
    length = _IBAN_LENGTHS.get(compact[:2], 0)
    if not length or len(compact) < length:
        return False
    compact = compact[:length]
    turned = "".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])
    return int(turned) % 97 == 1
