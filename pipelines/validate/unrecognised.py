"""Why the header of a file was not recognised, looked for in its first rows as they were written.

Labels that are read are compared by ``header``; this is asked only when they are not those declared.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.compile.exports import is_optional, label_of
from pipelines.mechanics.spelling import one_writing
from pipelines.validate.findings import Finding
from pipelines.validate.header import match_header

if TYPE_CHECKING:
    from mmap import mmap

    from pipelines.declarations import Export, Layout

SEPARATORS = (";", ",", "\t", "|")
LOOKED_ROWS = 40  # titles, notes and blanks above a table are fewer
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


def first_rows(header: Sequence[str], rows: Sequence[Sequence[str]], above: Sequence[Sequence[str]]) -> FirstRows:
    """Return the first rows of a table that was read: those up to its header (``above``), and those that follow."""
    start = [list(row) for row in above] or [list(header)]
    return list(enumerate([*start, *map(list, rows[:LOOKED_ROWS])], start=1))


def first_lines(content: bytes | mmap, encoding: str) -> list[str]:
    """Return the first lines of a text, line ends kept."""
    return content[:_LOOKED_BYTES].decode(encoding, "replace").splitlines(keepends=True)[:LOOKED_ROWS]


def cause_in_text(lines: Sequence[str], export: Export, layout: Layout, delimiter: str, start: int) -> list[Finding]:
    """Return what explains that the header, expected at line ``start``, is not that of the export; else nothing."""
    expected = _labels(export, layout)
    found: list[_Reading] = []
    for sign in dict.fromkeys((delimiter, *SEPARATORS)):
        for row, cells in _records(lines, sign):
            found.append(_reading(row, sign, cells, expected))
            if sign == delimiter and (inner := _single(cells)) is not None:
                found += _cut(row, inner, expected)
    return _told(found, export, layout, delimiter, start)


def cause_in_cells(rows: FirstRows, export: Export, layout: Layout, start: int) -> list[Finding]:
    """Return the same for a table of cells, where each row may be a text that was never cut."""
    expected = _labels(export, layout)
    sign = layout.delimiter if layout.format == "csv" else ""
    found: list[_Reading] = []
    for row, cells in rows:
        found.append(_reading(row, sign, cells, expected))
        if (inner := _single(cells)) is not None:
            found += _cut(row, inner, expected)
    return _told(found, export, layout, sign, start)


def _labels(export: Export, layout: Layout) -> frozenset[str]:
    """Return the labels, each by its last line where a header has several."""
    return frozenset(_last_line(label_of(field, layout), layout) for field in export.fields)


def _last_line(label: str, layout: Layout) -> str:
    return one_writing(label.rsplit(" / ", 1)[-1] if layout.header_rows > 1 else label)


def _records(lines: Sequence[str], sign: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=sign)
    number = 1
    try:
        for cells in reader:
            yield number, cells
            number = reader.line_num + 1
    except csv.Error:
        return  # a cell without end: the rows before it have said what they could


def _single(cells: Sequence[str]) -> str | None:
    """Return the only cell of a row that holds anything, if it is the first."""
    return cells[0] if cells and cells[0].strip() and not any(cell.strip() for cell in cells[1:]) else None


def _cut(row: int, text: str, expected: frozenset[str]) -> Iterator[_Reading]:
    for sign in SEPARATORS:
        if sign in text:
            for _, cells in _records([text], sign):
                yield _reading(row, sign, cells, expected, whole=True)


def _reading(row: int, sign: str, cells: Sequence[str], expected: frozenset[str], *, whole: bool = False) -> _Reading:
    labels = [one_writing(cell.strip("\"' ")) for cell in cells]
    return _Reading(row, sign, whole, labels, len(expected & set(labels)))


def _told(found: list[_Reading], export: Export, layout: Layout, sign: str, start: int) -> list[Finding]:
    """Choose the reading that knows most labels, the expected one first, and say how it differs from it."""
    last = start + layout.header_rows - 1
    needed = sum(not is_optional(field, layout) for field in export.fields)
    ordered = sorted(found, key=lambda item: (-item.known, item.row != last, item.whole, item.sign != sign, item.row))
    if not ordered or ordered[0].known < min(2, len(export.fields)):
        return []
    best = ordered[0]
    if best.row == last and best.sign == sign and not best.whole:
        return []  # the right place, read as it should be: some labels are wrong, which are told one by one
    if best.row != last and 2 * best.known < needed:
        return []
    return [
        *_separation(best, layout, sign),
        *_place(best.row - layout.header_rows + 1, start),
        *_others(best, export, layout),
    ]


def _separation(best: _Reading, layout: Layout, sign: str) -> list[Finding]:
    if layout.format != "csv":
        told = f"Chaque ligne est dans une seule colonne, ses cellules séparées par {_sign(best.sign)}."
        return [Finding("non-decoupe", told)] if best.whole else []
    if best.whole and best.sign == sign:
        told = "Chaque ligne est entre guillemets : le fichier a été ouvert sans être découpé, puis réenregistré."
        return [Finding("lignes-entre-guillemets", told)]
    if best.sign == sign:
        return []
    expected = f", alors que {_sign(layout.delimiter)} est attendu"
    message = f"Le fichier n'a qu'une colonne : ses cellules semblent séparées par {_sign(best.sign)}{expected}."
    return [Finding("separateur", message)]


def _place(row: int, start: int) -> list[Finding]:
    if row == start:
        return []
    message = f"L'en-tête attendu est à la ligne {row}, et non à la ligne {start}."
    return [Finding("en-tete-plus-bas" if row > start else "en-tete-plus-haut", message)]


def _others(best: _Reading, export: Export, layout: Layout) -> list[Finding]:
    """Return what else is wrong with the header that was found, so that all is told at once."""
    if layout.header_rows > 1:
        return []
    return [item for item in match_header(best.labels, export, layout).findings if item.severity == "erreur"]


def _sign(separator: str) -> str:
    return "une tabulation" if separator == "\t" else f"« {separator} »"
