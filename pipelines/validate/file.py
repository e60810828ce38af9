"""The door of validation: a file as its reader opened it → typed observations, refused rows and findings.

frictionless decides on every cell; how fast is ``tabular``'s affair, what rows become ``observations_writer``'s.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.compile.exports import export_schema, field_descriptor
from pipelines.mechanics.french import counted
from pipelines.mechanics.opened_files import Cells, DelimitedText
from pipelines.mechanics.plain_text import one_line
from pipelines.mechanics.spelling import one_writing
from pipelines.tabular import AbsurdRecordError, Judgement, UnjudgeableCellError, judge_cells, judge_delimited
from pipelines.tabular.encoding import encoding_errors
from pipelines.tabular.record_pieces import open_bytes
from pipelines.validate.excel_writing import as_written, unglued
from pipelines.validate.findings import EXPIRED, MASKED, FileContext, Finding, Tally
from pipelines.validate.header import MatchedHeader, cause_in_cells, cause_in_text, match_header
from pipelines.validate.messages import title
from pipelines.validate.observations_writer import KEPT_FINDINGS, ObservationsWriter, Validated, observation_schema
from pipelines.validate.row_faults import OverlongCellError
from pipelines.validate.typed_rows import TypedRows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipelines.declarations import Correction, Export
    from pipelines.tabular import EncodingError

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
    notes = [
        Finding(note.rule, one_line(note.message), "avertissement", note.row, one_line(one_writing(note.column)))
        for note in opened.notes
    ]
    sheet = opened.sheet if isinstance(opened, Cells) else ""
    return replace(validated, findings=[*notes, *validated.findings], sheet=one_line(sheet))


def unusable(export: Export, findings: list[Finding], header: Sequence[str] = ()) -> Validated:
    """Return the judgement on a file none of whose rows can be judged."""
    return Validated(TypedRows(observation_schema(export)), findings, usable=False, header=list(header))


def _unreadable_bytes(errors: Sequence[EncodingError]) -> list[Finding]:
    """Return one finding on the whole file, then one per place that can't be read (the row is the line of the file)."""
    tally = Tally(KEPT_FINDINGS)
    count = counted(len(errors), "passage illisible") if len(errors) > 1 else "Un passage illisible"
    message = f"{count} dans le fichier, à partir de la ligne {errors[0].line}. Enregistrez-le au format « CSV UTF-8 »."
    tally.add([Finding("encodage", message)])
    for error in errors:
        seen = f"octets {error.found[:16].hex(' ')}"
        likely = f", sans doute « {error.likely[:16]} »" if error.likely.isprintable() and error.likely else ""
        message = f"Caractère illisible, position {error.column} de la ligne ({seen}{likely})."
        tally.add([Finding("encodage", message, row=error.line)])
    return tally.close()


def _judged_cells(cells: Cells, matched: MatchedHeader, context: FileContext) -> Validated:
    expired = _apply_corrections(cells.rows, matched.places, context)
    schema = _schema(matched, context)
    names = [field["name"] for field in schema["fields"]]
    judge = partial(judge_cells, names, cells.rows, schema, first_row=cells.first_row)
    writer = ObservationsWriter(context, matched, cells.marks, cells.first_row)
    writer.tally.add([*matched.findings, *expired])
    return _written(judge, writer, cells.header, matched.findings, context)


def _judged_text(text: DelimitedText, matched: MatchedHeader, context: FileContext) -> Validated:
    above = list(range(1, text.first_row))
    dialect = {"header": False, "commentRows": above, "csv": {"delimiter": text.delimiter}}
    schema = _schema(matched, context)
    judge = partial(judge_delimited, text.source, schema, dialect, encoding=text.encoding, progress=context.progress)
    writer = ObservationsWriter(context, matched)
    writer.tally.add(matched.findings)
    return _written(judge, writer, text.header, matched.findings, context)


def _written(
    judge: Callable[[], Judgement],
    writer: ObservationsWriter,
    header: list[str],
    in_header: list[Finding],
    context: FileContext,
) -> Validated:
    """Judge the rows and write the observations; ``in_header`` is what was found there."""
    try:
        judgement = judge()
        if judgement.encoding_errors:
            readable = [] if _is_cut(header) else in_header
            return unusable(context.export, [*readable, *_unreadable_bytes(judgement.encoding_errors)], header)
        for block in judgement:
            writer.take(block)
        errors = [item for item in (*judgement.source_errors, *judgement.end_errors) if item.note != _NO_ROWS]
        faults = [Finding(error.type, title(error.type, error.note)) for error in errors]
    except (AbsurdRecordError, OverlongCellError) as error:
        faults = [Finding("fichier-illisible", error.sentence())]
    except UnjudgeableCellError as error:
        label = context.label(error.field)
        error.field = ""  # it is the column's label that producers know
        faults = [Finding("fichier-illisible", error.sentence(), row=error.row, column=label)]
    if faults:
        return unusable(context.export, [*in_header, *faults], header)
    return writer.finish(judgement.fetch, header=header, path=judgement.path, why=judgement.why)


def _why_unusable(opened: Cells | DelimitedText, matched: MatchedHeader, context: FileContext) -> list[Finding]:
    """Return the cause where it is known: bytes that can't be read, or a header elsewhere; else each wrong label."""
    if isinstance(opened, Cells):
        return cause_in_cells(opened, context.export, context.layout) or matched.findings
    encodings = [opened.encoding] if _is_cut(matched.labels) else []
    encodings += ["utf-8"] if matched.garbled else []  # UTF-8 at first, then something else: the places help
    for encoding in encodings:
        if unread := list(encoding_errors(open_bytes(opened.source), encoding)):
            return _unreadable_bytes(unread)
    return cause_in_text(opened, context.export, context.layout) or matched.findings


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


def _apply_corrections(rows: list[list[str]], places: Mapping[str, int], context: FileContext) -> list[Finding]:
    """Correct the cells in place, each guarded by the value expected there; tell those that no longer find it."""
    expired = []
    for correction in context.corrections:
        concerned = [row for row in rows if _is_corrected(row, correction, places)]
        for row in concerned:
            row[places[correction.field]] = correction.value
        if not concerned:
            expired.append(_expired(correction, context))
    return expired


def _is_corrected(row: list[str], correction: Correction, places: Mapping[str, int]) -> bool:
    def holds(name: str, value: object) -> bool:
        place = places.get(name, len(row))
        return place < len(row) and row[place].strip() == str(value)

    wanted = correction.where.items()
    return holds(correction.field, correction.expected) and all(holds(name, value) for name, value in wanted)


def _expired(correction: Correction, context: FileContext) -> Finding:
    """Say which correction expired, in the labels of the file; its place in the declarations is the value."""
    personal = {field.name for field in context.export.fields if field.personal}
    where = ", ".join(
        f"{context.label(name)} = {MASKED if name in personal else value}" for name, value in correction.where.items()
    )
    column = context.label(correction.field)
    change = MASKED if correction.field in personal else f"« {correction.expected} » → « {correction.value} »"
    message = (
        f"La correction déclarée ({where} ; {column} : {change}) ne trouve plus la valeur attendue dans {context.file}."
    )
    return Finding(EXPIRED, message, column=column, value=correction.place, year=correction.year)
