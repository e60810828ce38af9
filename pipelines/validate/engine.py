"""The door of validation: cells or delimited text → typed observations, refused rows and findings.

frictionless decides on every cell; how fast is ``tabular``'s affair, what rows become ``gathering``'s.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.compile.exports import export_schema, field_descriptor
from pipelines.tabular import AbsurdRecordError, Judgement, UnjudgeableCellError, judge_cells, judge_delimited
from pipelines.tabular.encoding import encoding_errors
from pipelines.tabular.text import open_bytes
from pipelines.validate.corrections import apply_corrections
from pipelines.validate.findings import Finding, Tally
from pipelines.validate.gathering import KEPT_FINDINGS, Gathering, OverlongCellError, Validated, observation_schema
from pipelines.validate.header import MatchedHeader, match_header
from pipelines.validate.messages import title
from pipelines.validate.observations import RowPlacer
from pipelines.validate.typed_rows import TypedRows
from pipelines.validate.unrecognised import cause_in_cells, cause_in_text, first_lines, first_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipelines.declarations import Correction, Export, ExportField, Layout, Territories
    from pipelines.declarations.roles import RowRule
    from pipelines.tabular import EncodingError


_NO_ROWS = "the source is empty"  # as frictionless notes a header alone
Columns = list[tuple[str, "ExportField | None"]]


def validate_cells(
    header: list[str],
    rows: list[list[str]],
    first_row: int,
    export: Export,
    layout: Layout,
    territories: Territories,
    *,
    file: str,
    file_year: int | None,
    corrections: Sequence[Correction] = (),
    rules: Sequence[RowRule] = (),
    spill: Path | None = None,
    marks: Mapping[int, bytearray] | None = None,
    above: Sequence[Sequence[str]] = (),
) -> Validated:
    """Judge every row. Row numbers are those of the file (``first_row`` is the number of ``rows[0]``).

    ``file_year`` is the year that the file's path gives, or None when one file holds several years. ``rules``: what the
    roles of the columns imply. ``spill`` is the Parquet file where the observations go; without it they stay in memory.
    ``marks`` are those of the reader: for each column that has some, a ``compile.seen.Mark`` (or 0) per row. ``above``
    are the rows up to the header's last, as they were written: they tell why a header is not recognised.
    """
    matched = match_header(header, export, layout)
    if not matched.usable:
        start = max(len(above), 1) - layout.header_rows + 1
        cause = cause_in_cells(first_rows(header, rows if above else (), above), export, layout, start)
        return unusable(export, cause or matched.findings, header)
    expired = apply_corrections(rows, matched.columns, corrections, export, layout, file)
    schema = _schema(matched.columns, export, layout)
    names = [field["name"] for field in schema["fields"]]
    judge = partial(judge_cells, names, rows, schema, first_row=first_row)
    placer = RowPlacer(export, layout, territories, file_year)
    gathering = Gathering(export, layout, placer, matched.columns, spill, rules, marks, first_row)
    return _gathered(judge, header, matched, expired, gathering)


def validate_text(
    header: list[str],
    content: bytes | Path,
    encoding: str,
    first_row: int,
    export: Export,
    layout: Layout,
    territories: Territories,
    *,
    delimiter: str,
    file_year: int | None,
    rules: Sequence[RowRule] = (),
    spill: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Validated:
    """Judge every record of delimited text, the first ``first_row`` - 1 of which are the header and what precedes it.

    The text is read in pieces: memory doesn't grow with it. ``progress`` is told the number of rows judged so far.
    Bytes that the encoding can't read are all told, and nothing is judged.
    """
    matched = match_header(header, export, layout)
    if not matched.usable:
        start = first_row - layout.header_rows
        found = _why_unusable(content, encoding, matched, export, layout, delimiter, start)
        return unusable(export, found, header)
    csv = {"delimiter": delimiter, "quoteChar": layout.quote_char}
    dialect = {"header": False, "commentRows": list(range(1, first_row)), "csv": csv}
    judge = partial(judge_delimited, content, _schema(matched.columns, export, layout), dialect, encoding=encoding)
    placer = RowPlacer(export, layout, territories, file_year)
    gathering = Gathering(export, layout, placer, matched.columns, spill, rules)
    return _gathered(partial(judge, progress=progress), header, matched, [], gathering)


def unusable(export: Export, findings: list[Finding], header: Sequence[str] = ()) -> Validated:
    """Return the judgement on a file none of whose rows can be judged."""
    return Validated(TypedRows(observation_schema(export)), findings, usable=False, header=list(header))


def unreadable_bytes(errors: Sequence[EncodingError]) -> list[Finding]:
    """Return one finding on the whole file, then one per place that can't be read (the row is the line of the file)."""
    tally = Tally(KEPT_FINDINGS)
    count = f"{len(errors)} passages illisibles" if len(errors) > 1 else "Un passage illisible"
    message = f"{count} dans le fichier, à partir de la ligne {errors[0].line}. Enregistrez-le au format « CSV UTF-8 »."
    tally.add([Finding("encodage", message)])
    for error in errors:
        seen = f"octets {error.found[:16].hex(' ')}"
        likely = f", sans doute « {error.likely[:16]} »" if error.likely.isprintable() and error.likely else ""
        told = f"Caractère illisible, position {error.column} de la ligne ({seen}{likely})."
        tally.add([Finding("encodage", told, row=error.line)])
    return tally.close()


def _gathered(
    judge: Callable[[], Judgement],
    header: list[str],
    matched: MatchedHeader,
    expired: list[Finding],
    gathering: Gathering,
) -> Validated:
    gathering.tally.add([*matched.findings, *expired])
    try:
        judgement = judge()
        if judgement.encoding_errors:
            known = [] if _is_cut(header) else matched.findings
            found = [*known, *unreadable_bytes(judgement.encoding_errors)]
            return unusable(gathering.export, found, header)
        for block in judgement:
            gathering.take(block)
        broken = [item for item in (*judgement.source_errors, *judgement.end_errors) if item.note != _NO_ROWS]
        if broken:
            found = [Finding(error.type, f"{title(error.type).rstrip('.')} ({error.note}).") for error in broken]
            return unusable(gathering.export, [*matched.findings, *found], header)
    except (AbsurdRecordError, OverlongCellError) as error:
        unread = Finding("fichier-illisible", error.sentence())
        return unusable(gathering.export, [*matched.findings, unread], header)
    except UnjudgeableCellError as error:
        label = gathering.label(error.field)
        error.field = ""  # it is the column's label that producers know
        unread = Finding("fichier-illisible", error.sentence(), row=error.row, column=label)
        return unusable(gathering.export, [*matched.findings, unread], header)
    return gathering.finish(judgement.fetch, header=header, path=judgement.path, why=judgement.why)


def _why_unusable(
    content: bytes | Path,
    encoding: str,
    matched: MatchedHeader,
    export: Export,
    layout: Layout,
    delimiter: str,
    start: int,
) -> list[Finding]:
    """Return the cause where it is known: bytes that can't be read, or a header elsewhere; else each wrong label."""
    held = open_bytes(content)
    labels = [label for label, _ in matched.columns]
    if _is_cut(labels) and (unread := list(encoding_errors(held, encoding))):
        return unreadable_bytes(unread)
    if matched.garbled and (unread := list(encoding_errors(held, "utf-8"))):
        return unreadable_bytes(unread)  # UTF-8 at first, then something else: the places are what helps
    return cause_in_text(first_lines(held, encoding), export, layout, delimiter, start) or matched.findings


def _is_cut(header: Sequence[str]) -> bool:
    """Tell whether labels have bytes that could not be read: what is said of such labels would mislead."""
    return any("\ufffd" in label for label in header)


def _schema(columns: Columns, export: Export, layout: Layout) -> dict[str, Any]:
    """Return the Table Schema of the export in the file's own column order."""
    fields = [
        field_descriptor(declared, layout) if declared else {"name": f"_inconnue_{index}", "type": "any"}
        for index, (_, declared) in enumerate(columns)
    ]
    descriptor: dict[str, Any] = {"fields": fields}
    key = export_schema(export, layout).get("primaryKey", [])
    if key and set(key) <= {field["name"] for field in fields}:
        descriptor["primaryKey"] = key
    return descriptor
