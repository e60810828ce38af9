"""Text cells to typed observations and a verdict, with frictionless as the judge of every cell.

It writes no file but the observations, where it is told to.
"""

from pipelines.validate.annotated import annotated_copy
from pipelines.validate.corrections import correction_states
from pipelines.validate.engine import unusable, validate_cells, validate_text
from pipelines.validate.findings import Finding
from pipelines.validate.gathering import RefusedRow, Validated, observation_schema
from pipelines.validate.header import recognised
from pipelines.validate.letter import Letter, write_letter
from pipelines.validate.opened import validate_opened
from pipelines.validate.plausibility import Seen, doubts_of, rows_digest
from pipelines.validate.privacy import protect
from pipelines.validate.typed_rows import TypedRows, write_rows
from pipelines.validate.verdict import JudgedFile, Verdict, count_findings, doubt, judge, not_handed_over
from pipelines.validate.whole import expected_of

__all__ = [
    "Finding",
    "JudgedFile",
    "Letter",
    "RefusedRow",
    "Seen",
    "TypedRows",
    "Validated",
    "Verdict",
    "annotated_copy",
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
    "validate_cells",
    "validate_opened",
    "validate_text",
    "write_letter",
    "write_rows",
]
