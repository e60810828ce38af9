"""Text cells to typed observations and a verdict, with frictionless as the judge of every cell.

Reads and writes no file.
"""

from pipelines.validate.engine import RefusedRow, Validated, observation_schema, validate_cells
from pipelines.validate.findings import Finding
from pipelines.validate.verdict import JudgedFile, Verdict, count_findings, judge, not_handed_over

__all__ = [
    "Finding",
    "JudgedFile",
    "RefusedRow",
    "Validated",
    "Verdict",
    "count_findings",
    "judge",
    "not_handed_over",
    "observation_schema",
    "validate_cells",
]
