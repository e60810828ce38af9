"""frictionless's verdicts on tables, at the speed of columns: what is surely valid is told by vectorised tests.

frictionless judges all the rest; nothing of its semantics is written here. In short::

    judgement = judge_cells(header, rows, schema, first_row=2)  # or judge_delimited, judge_parquet
    for block in judgement:                # in order, to be iterated once; the judgement's counts grow meanwhile
        block.accepted, block.numbers      # typed Arrow table of the valid rows, and their numbers in the file
        block.texts, block.unheld          # their cells as read; valid values that Arrow's type can't hold (null)
        for row in block.refused:          # each has at least one error
            row.number, row.cells, row.values, row.errors  # errors are frictionless's: type, note, field_name...

The header's errors and the reasons why a table can't be opened are in the judgement, as is the path that was taken.
``frictionless_report`` makes frictionless's report of a judgement, and ``judge_file`` does it all for a file. Invalid
schemas raise frictionless's FrictionlessException; a cell on which it fails itself raises UnjudgeableCellError.
"""

from pipelines.tabular.blocks import JudgedBlock, Judgement, Unheld
from pipelines.tabular.doubts import AbsurdRecordError, JudgedRow, UnjudgeableCellError
from pipelines.tabular.encoding import EncodingError
from pipelines.tabular.file_reports import FileVerdict, frictionless_report, judge_file
from pipelines.tabular.judgement import judge_cells, judge_delimited, judge_native, judge_parquet

__all__ = [
    "AbsurdRecordError",
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
    "judge_native",
    "judge_parquet",
]
