"""frictionless's verdicts on tables, at the speed of columns: what is surely valid is told by vectorised tests.

frictionless judges all the rest; nothing of its semantics is written here.
"""

from pipelines.validate.tabular.blocks import JudgedBlock, Judgement, Unheld
from pipelines.validate.tabular.encoding import EncodingError
from pipelines.validate.tabular.files import FileVerdict, judge_file
from pipelines.validate.tabular.judge import judge_cells, judge_delimited, judge_parquet
from pipelines.validate.tabular.oracle import UnjudgeableCellError
from pipelines.validate.tabular.parquet import write_typed
from pipelines.validate.tabular.report import frictionless_report
from pipelines.validate.tabular.rows import JudgedRow

__all__ = [
    "EncodingError",
    "FileVerdict",
    "JudgedBlock",
    "JudgedRow",
    "Judgement",
    "Unheld",
    "UnjudgeableCellError",
    "frictionless_report",
    "judge_cells",
    "judge_delimited",
    "judge_file",
    "judge_parquet",
    "write_typed",
]
