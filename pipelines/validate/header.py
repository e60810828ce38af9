"""The header of a file against the declared columns: matched by label, whatever the order; else, why it isn't.

The cause is looked for in the first rows as they were written, only when the labels are not those declared. Cells are
judged elsewhere.
"""

from __future__ import annotations

import csv
import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pipelines.compile.exports import field_descriptor, is_optional, label_of
from pipelines.mechanics.plain_text import one_line, spelled
from pipelines.mechanics.spelling import one_writing
from pipelines.tabular.record_pieces import open_bytes
from pipelines.validate.findings import Finding
from pipelines.validate.garbled import damage
from pipelines.validate.messages import title
from pipelines.validate.near_misses import differences, spoiled
from pipelines.validate.typed_rows import places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from pipelines.declarations import Export, ExportField, Layout
    from pipelines.mechanics.opened_files import Cells, DelimitedText

_GARBLED = (
    "Les accents de l'en-tête ne sont pas dans l'encodage du reste du fichier, ou ils ont été mal convertis. "
    "Enregistrez le fichier au format « CSV UTF-8 »."
)


@dataclass(frozen=True)
class MatchedHeader:
    """For each column of the file, its label and the declared field (None: unknown); what is wrong with the header."""

    columns: list[tuple[str, ExportField | None]]
    findings: list[Finding]

    @cached_property
    def labels(self) -> list[str]:
        """The label of each column."""
        return [label for label, _ in self.columns]

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each declared field's column."""
        return {field.name: place for place, (_, field) in enumerate(self.columns) if field is not None}

    @property
    def usable(self) -> bool:
        """Whether every column that is needed was found, once."""
        return not any(finding.severity == "erreur" for finding in self.findings)

    @property
    def garbled(self) -> bool:
        """Whether its accents were turned into other signs."""
        return any(finding.rule == "encodage" for finding in self.findings)


def match_header(header: Sequence[str], export: Export, layout: Layout) -> MatchedHeader:
    """Match labels to fields. Unknown columns are warnings; missing or duplicate ones are errors that name the mend."""
    labels = [one_writing(label) for label in header]
    fields = fields_by_label(export, layout)
    columns = [(label, fields.get(label)) for label in labels]
    unknown = [label for label, field in columns if field is None and label]
    for label in unknown:
        if meant := spoiled(label, fields):
            cause = f"« {spelled(label, 60)} » se lit sans doute « {meant} »"
            return MatchedHeader(columns, [Finding("encodage", _GARBLED, cause=cause)])
    missing = [field for label, field in fields.items() if label not in labels and not is_optional(field, layout)]
    findings = [_missing(field, layout, unknown, alone=len(missing) == 1) for field in missing]
    for label in map(one_line, unknown):
        message = f"La colonne « {label} » n'est pas déclarée : elle est ignorée."
        findings.append(Finding("extra-label", message, "avertissement", column=label))
    for label, count in Counter(labels).items():
        if count > 1 and label in fields:
            findings.append(Finding("duplicate-label", title("duplicate-label"), column=label))
    if "" in labels:
        findings.append(Finding("blank-label", title("blank-label"), "avertissement"))
    return MatchedHeader(columns, findings)


def fields_by_label(export: Export, layout: Layout) -> dict[str, ExportField]:
    """Return the fields by their labels, each in one writing."""
    return {one_writing(label_of(field, layout)): field for field in export.fields}


def recognised(export: Export, layout: Layout) -> Callable[[list[str]], list[Mapping[str, Any] | None]]:
    """Return what gives, for the labels of a header, the Table Schema field of each column (None: unknown)."""

    def fields(header: list[str]) -> list[Mapping[str, Any] | None]:
        columns = match_header(header, export, layout).columns
        return [field_descriptor(field, layout) if field else None for _, field in columns]

    return fields


def _missing(field: ExportField, layout: Layout, unknown: list[str], *, alone: bool) -> Finding:
    """Tell of a missing column, and of the unknown one that it may be: one that resembles it, or the only one."""
    label = label_of(field, layout)
    readable = [other for other in unknown if not damage(other)]
    alike = next((other for other in readable if differences(other, one_writing(label))), "")
    close = [alike] if alike else difflib.get_close_matches(label, readable, n=1, cutoff=0.5)
    hint, new = "", "le nouvel en-tête"
    if close:
        hint, new = f" Une colonne « {spelled(close[0], 60)} » y ressemble.", close[0]
    elif alone and len(unknown) == 1 and readable:
        new = readable[0]
        hint = f" La colonne « {spelled(new, 60)} », qui n'est pas attendue, est peut-être la même."
    how = ", ".join(differences(alike, one_writing(label)))
    return Finding(
        "missing-label",
        f"La colonne « {label} » est absente du fichier.{hint}",
        column=label,
        declare=f"{field.name}: {{label: {json.dumps(one_line(new), ensure_ascii=False)}}}",
        cause=f"« {spelled(alike, 60)} » : {how} ; écrivez « {label} »" if alike else "",
    )


HEADER_AGAIN = "entete-repete"
_LEAST_LABELS = 2  # labels in their columns: a single one may be a value


class RepeatedHeader:
    """Looks for the labels of a file among its rows: files were put end to end, even where all columns are texts."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._wanted = max(_LEAST_LABELS, (len(labels) + 1) // 2)
        self.finding = Finding(HEADER_AGAIN, title(HEADER_AGAIN))

    def is_again(self, cells: Sequence[str | None]) -> bool:
        """Tell whether a row holds most labels, each in its column."""
        pairs = zip(cells, self._labels, strict=False)
        alike = sum(bool(label) and one_writing(cell or "") == label for cell, label in pairs)
        return alike >= self._wanted

    def places(self, texts: pa.Table) -> list[int]:
        """Return the places of such rows in a block."""
        alike = np.zeros(texts.num_rows, np.int64)
        for label, column in zip(self._labels, texts.columns, strict=False):
            if label:
                alike += pc.equal(column, label).fill_null(False).to_numpy()
        return places_of(alike >= self._wanted)


# Why a header is not the declared one, as the first rows of the file tell it.

_SEPARATORS = (";", ",", "\t", "|")
_LOOKED_ROWS = 40  # titles, notes and blanks above a table are fewer
_LOOKED_BYTES = 1 << 16
FirstRows = list[tuple[int, list[str]]]  # numbers in the file, from 1, and raw cells


@dataclass(frozen=True)
class _Reading:
    """A row read with a separator: how many declared labels it has, and where it is."""

    row: int
    sign: str
    whole: bool  # the row was a single cell, cut afterwards: its separators were not seen as such
    labels: list[str]
    known: int


def first_records(text: DelimitedText, sign: str) -> FirstRows:
    """Return the first records of a text cut at ``sign``, each with the number of its first line."""
    content = open_bytes(text.source)[:_LOOKED_BYTES].decode(text.encoding, "replace")
    return list(_records(content.splitlines(keepends=True)[:_LOOKED_ROWS], sign))


def cause_in_text(text: DelimitedText, export: Export, layout: Layout) -> list[Finding]:
    """Return what explains that the header of a text is not that of the export; else nothing."""
    signs = dict.fromkeys((text.delimiter, *_SEPARATORS))
    tables = {sign: first_records(text, sign) for sign in signs}
    return _cause(tables, export, layout, text.delimiter, text.first_row - layout.header_rows)


def cause_in_cells(cells: Cells, export: Export, layout: Layout) -> list[Finding]:
    """Return the same for a table of cells, where each row may be a text that was never cut."""
    above = [list(row) for row in cells.above] or [cells.header]
    below = cells.rows[:_LOOKED_ROWS] if cells.above else []
    sign = layout.delimiter if layout.format == "csv" else ""
    start = len(above) - layout.header_rows + 1
    return _cause({sign: list(enumerate([*above, *below], start=1))}, export, layout, sign, start)


def _records(lines: Sequence[str], sign: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=sign)
    number = 1
    try:
        for cells in reader:
            yield number, cells
            number = reader.line_num + 1
    except csv.Error:
        return  # a cell without end: the rows before it have said what they could


def _cause(tables: Mapping[str, FirstRows], export: Export, layout: Layout, sign: str, start: int) -> list[Finding]:
    """Choose the reading that knows most labels, and say how it differs from the expected one: ``sign``, ``start``.

    Of readings that know as many, the expected one is the first.
    """
    last = start + layout.header_rows - 1
    needed = sum(not is_optional(field, layout) for field in export.fields)
    readings = sorted(
        _readings(tables, export, layout, sign),
        key=lambda item: (-item.known, item.row != last, item.whole, item.sign != sign, item.row),
    )
    if not readings or readings[0].known < min(2, len(export.fields)):
        return []
    best = readings[0]
    if best.row == last and best.sign == sign and not best.whole:
        return []  # the right place, read as it should be: some labels are wrong, which are told one by one
    if best.row != last and 2 * best.known < needed:
        return []
    findings = _separation(best, layout, sign)
    row = best.row - layout.header_rows + 1
    if row != start:
        message = f"L'en-tête attendu est à la ligne {row}, et non à la ligne {start}."
        findings.append(Finding("en-tete-plus-bas" if row > start else "en-tete-plus-haut", message))
    if layout.header_rows == 1:  # so that all is told at once
        others = match_header(best.labels, export, layout).findings
        findings += [item for item in others if item.severity == "erreur"]
    return findings


def _readings(tables: Mapping[str, FirstRows], export: Export, layout: Layout, sign: str) -> Iterator[_Reading]:
    """Yield the rows as each separator cuts them, and as each would cut a row that is a single cell."""
    declared = [label_of(field, layout) for field in export.fields]
    if layout.header_rows > 1:
        declared = [label.rsplit(" / ", 1)[-1] for label in declared]  # the last line of each
    expected = set(map(one_writing, declared))

    def reading(row: int, cut_at: str, cells: Sequence[str], *, whole: bool = False) -> _Reading:
        labels = [one_writing(cell.strip("\"' ")) for cell in cells]
        return _Reading(row, cut_at, whole, labels, len(expected & set(labels)))

    for cut_at, rows in tables.items():
        for row, cells in rows:
            yield reading(row, cut_at, cells)
            is_single = bool(cells) and cells[0].strip() and not any(cell.strip() for cell in cells[1:])
            for inner in _SEPARATORS if is_single and cut_at == sign else ():
                for _, parts in _records([cells[0]], inner) if inner in cells[0] else ():
                    yield reading(row, inner, parts, whole=True)


def _separation(best: _Reading, layout: Layout, sign: str) -> list[Finding]:
    if layout.format != "csv":
        message = f"Chaque ligne est dans une seule colonne, ses cellules séparées par {_sign(best.sign)}."
        return [Finding("non-decoupe", message)] if best.whole else []
    if best.whole and best.sign == sign:
        message = "Chaque ligne est entre guillemets : le fichier a été ouvert sans être découpé, puis réenregistré."
        return [Finding("lignes-entre-guillemets", message)]
    if best.sign == sign:
        return []
    expected = f", alors que {_sign(layout.delimiter)} est attendu"
    message = f"Le fichier n'a qu'une colonne : ses cellules semblent séparées par {_sign(best.sign)}{expected}."
    return [Finding("separateur", message)]


def _sign(separator: str) -> str:
    return "une tabulation" if separator == "\t" else f"« {separator} »"
