"""Text cells to typed observations and a verdict, with frictionless as the judge of every cell.

It writes no file but the observations, where it is told to.
"""

from pipelines.validate.excel_writing import as_separated
from pipelines.validate.export_parts import JudgedFile
from pipelines.validate.file import unusable, validate_file
from pipelines.validate.findings import FileContext, Finding
from pipelines.validate.header import recognised
from pipelines.validate.letters.annotated_copy import annotated_copy
from pipelines.validate.letters.letter import Letter, write_letter
from pipelines.validate.observations_writer import RefusedRow, Validated, observation_schema
from pipelines.validate.personal import protect
from pipelines.validate.plausibility import Seen, doubts_of, rows_digest
from pipelines.validate.typed_rows import TypedRows
from pipelines.validate.verdict import Verdict, correction_states, count_findings, doubt, judge, not_handed_over
from pipelines.validate.whole_export import expected_of

__all__ = [
    "FileContext",
    "Finding",
    "JudgedFile",
    "Letter",
    "RefusedRow",
    "Seen",
    "TypedRows",
    "Validated",
    "Verdict",
    "annotated_copy",
    "as_separated",
    "correction_states",
    "count_findings",
    "doubt",
    "doubts_of",
    "expected_of",
    "judge",
    "not_handed_over",
    "observation_schema",
    "protect",
    "recognised",
    "rows_digest",
    "unusable",
    "validate_file",
    "write_letter",
]
