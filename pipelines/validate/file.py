"""The door of validation: a file as its reader opened it → typed observations, refused rows and findings.

frictionless decides on every cell; how fast is ``tabular``'s affair, what rows become ``observations_writer``'s.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.compile.exports import export_schema, field_descriptor
from pipelines.mechanics.opened_files import Cells, DelimitedText, Note
from pipelines.mechanics.plain_text import one_line
from pipelines.mechanics.spelling import one_writing
from pipelines.tabular import AbsurdRecordError, Judgement, UnjudgeableCellError, judge_cells, judge_delimited
from pipelines.tabular.encoding import encoding_errors
from pipelines.tabular.record_pieces import open_bytes
from pipelines.validate.corrections import apply_corrections
from pipelines.validate.excel_writing import as_written
from pipelines.validate.findings import Finding, Tally
from pipelines.validate.header import MatchedHeader, fields_by_label, match_header
from pipelines.validate.messages import title
from pipelines.validate.observations_writer import KEPT_FINDINGS, ObservationsWriter, Validated, observation_schema
from pipelines.validate.row_faults import OverlongCellError
from pipelines.validate.typed_rows import TypedRows
from pipelines.validate.unrecognised import cause_in_cells, cause_in_text, first_lines, first_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pipelines.declarations import Export, Layout
    from pipelines.tabular import EncodingError
    from pipelines.validate.file_context import FileContext

_NO_ROWS = "the source is empty"  # as frictionless notes a header alone


def validate_file(opened: Cells | DelimitedText, context: FileContext) -> Validated:
    """Judge every row of a file, delimited text as a stream: memory doesn't grow with it.

    Bytes of a text that its encoding can't read are all told, and nothing is judged.
    """
    opened, context = as_written(opened, context)
    opened = unglued(opened, context.export, context.layout)
    matched = match_header(opened.header, context.export, context.layout)
    if not matched.usable:
        validated = unusable(context.export, _why_unusable(opened, matched, context), opened.header)
    elif isinstance(opened, DelimitedText):
        validated = _judged_text(opened, matched, context)
    else:
        validated = _judged_cells(opened, matched, context)
    told = [
        Finding(note.rule, one_line(note.message), "avertissement", note.row, one_line(one_writing(note.column)))
        for note in opened.notes
    ]
    sheet = opened.sheet if isinstance(opened, Cells) else ""
    return replace(validated, findings=[*told, *validated.findings], sheet=one_line(sheet))


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


def _judged_cells(cells: Cells, matched: MatchedHeader, context: FileContext) -> Validated:
    expired = apply_corrections(cells.rows, matched.places, context)
    schema = _schema(matched, context)
    names = [field["name"] for field in schema["fields"]]
    judge = partial(judge_cells, names, cells.rows, schema, first_row=cells.first_row)
    writer = ObservationsWriter(context, matched, cells.marks, cells.first_row)
    writer.tally.add([*matched.findings, *expired])
    return _written(judge, writer, cells.header, matched.findings, context)


def _judged_text(text: DelimitedText, matched: MatchedHeader, context: FileContext) -> Validated:
    csv = {"delimiter": text.delimiter}
    dialect = {"header": False, "commentRows": list(range(1, text.first_row)), "csv": csv}
    schema = _schema(matched, context)
    judge = partial(judge_delimited, text.source, schema, dialect, encoding=text.encoding, progress=context.progress)
    writer = ObservationsWriter(context, matched)
    writer.tally.add(matched.findings)
    return _written(judge, writer, text.header, matched.findings, context)


def _written(
    judge: Callable[[], Judgement],
    writer: ObservationsWriter,
    header: list[str],
    known: list[Finding],
    context: FileContext,
) -> Validated:
    """Judge the rows and write the observations; ``known`` is what was found in the header."""
    try:
        judgement = judge()
        if judgement.encoding_errors:
            readable = [] if _is_cut(header) else known
            return unusable(context.export, [*readable, *unreadable_bytes(judgement.encoding_errors)], header)
        for block in judgement:
            writer.take(block)
        faults = _faults_of_source(judgement)
    except (AbsurdRecordError, OverlongCellError) as error:
        faults = [Finding("fichier-illisible", error.sentence())]
    except UnjudgeableCellError as error:
        label = context.label(error.field)
        error.field = ""  # it is the column's label that producers know
        faults = [Finding("fichier-illisible", error.sentence(), row=error.row, column=label)]
    if faults:
        return unusable(context.export, [*known, *faults], header)
    return writer.finish(judgement.fetch, header=header, path=judgement.path, why=judgement.why)


def _faults_of_source(judgement: Judgement) -> list[Finding]:
    errors = [item for item in (*judgement.source_errors, *judgement.end_errors) if item.note != _NO_ROWS]
    return [Finding(error.type, f"{title(error.type).rstrip('.')} ({error.note}).") for error in errors]


def _why_unusable(opened: Cells | DelimitedText, matched: MatchedHeader, context: FileContext) -> list[Finding]:
    """Return the cause where it is known: bytes that can't be read, or a header elsewhere; else each wrong label."""
    export, layout = context.export, context.layout
    if isinstance(opened, Cells):
        start = max(len(opened.above), 1) - layout.header_rows + 1
        first = first_rows(opened.header, opened.rows if opened.above else (), opened.above)
        return cause_in_cells(first, export, layout, start) or matched.findings
    held = open_bytes(opened.source)
    if _is_cut(matched.labels) and (unread := list(encoding_errors(held, opened.encoding))):
        return unreadable_bytes(unread)
    if matched.garbled and (unread := list(encoding_errors(held, "utf-8"))):
        return unreadable_bytes(unread)  # UTF-8 at first, then something else: the places are what helps
    lines, start = first_lines(held, opened.encoding), opened.first_row - layout.header_rows
    return cause_in_text(lines, export, layout, opened.delimiter, start) or matched.findings


def _is_cut(header: Sequence[str]) -> bool:
    """Tell whether labels have bytes that could not be read: what is said of such labels would mislead."""
    return any("\ufffd" in label for label in header)


def _schema(matched: MatchedHeader, context: FileContext) -> dict[str, Any]:
    """Return the Table Schema of the export in the file's own column order."""
    fields = [
        field_descriptor(declared, context.layout) if declared else {"name": f"_inconnue_{index}", "type": "any"}
        for index, (_, declared) in enumerate(matched.columns)
    ]
    descriptor: dict[str, Any] = {"fields": fields}
    key = export_schema(context.export, context.layout).get("primaryKey", [])
    if key and set(key) <= {field["name"] for field in fields}:
        descriptor["primaryKey"] = key
    return descriptor


# Two names of columns in one cell of a header (a tabulation stands between them), where rows have a cell for each.

RULE = "en-tetes-colles"


def unglued(opened: Cells | DelimitedText, export: Export, layout: Layout) -> Cells | DelimitedText:
    """Return the file with these names apart, and a note that says so; the file as it is when there are none.

    Each part must be a declared label, and the first row as wide as the header would then be.
    """
    known = fields_by_label(export, layout)
    parts = [_parts(label, known) for label in opened.header]
    if all(len(names) == 1 for names in parts):
        return opened
    header = [name for names in parts for name in names]
    if _width(opened) != len(header):
        return opened
    return replace(opened, header=header, notes=(*opened.notes, Note(RULE, title(RULE), row=opened.first_row - 1)))


def _parts(label: str, known: Collection[str]) -> list[str]:
    """Return the two declared names that a label is made of, or the label."""
    words = one_writing(label).split(" ")
    pairs = ([" ".join(words[:cut]), " ".join(words[cut:])] for cut in range(1, len(words)))
    return next((pair for pair in pairs if pair[0] in known and pair[1] in known), [label])


def _width(opened: Cells | DelimitedText) -> int:
    """Count the cells of the first row after the header."""
    if isinstance(opened, Cells):
        return len(opened.rows[0]) if opened.rows else 0
    lines = first_lines(open_bytes(opened.source), opened.encoding)
    rows = list(csv.reader(lines, delimiter=opened.delimiter))
    return len(rows[opened.first_row - 1]) if len(rows) >= opened.first_row else 0
