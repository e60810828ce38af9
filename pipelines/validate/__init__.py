"""Text cells to typed observations and a verdict, with frictionless as the judge of every cell.

Reads and writes no file.
"""

from pipelines.validate.annotated import annotated_copy
from pipelines.validate.corrections import correction_states
from pipelines.validate.engine import RefusedRow, Validated, observation_schema, validate_cells
from pipelines.validate.findings import Finding
from pipelines.validate.letter import Letter, write_letter
from pipelines.validate.privacy import protect
from pipelines.validate.verdict import JudgedFile, Verdict, count_findings, judge, not_handed_over

__all__ = [
    "Finding",
    "JudgedFile",
    "Letter",
    "RefusedRow",
    "Validated",
    "Verdict",
    "annotated_copy",
    "correction_states",
    "count_findings",
    "judge",
    "not_handed_over",
    "observation_schema",
    "protect",
    "validate_cells",
    "write_letter",
]
