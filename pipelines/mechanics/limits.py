"""What a file may weigh and work on it may take, each limit with its reason: generous to exports, closed to bombs.

How each limit is checked is not here. Sizes are in bytes unless the name says otherwise.
"""

from __future__ import annotations

# A survey of ten million answers is about 1 GB of CSV: twice that is no export of a year any more.
LARGEST_FILE = 2_000_000_000
LARGEST_UNPACKED = 2_000_000_000
# Measured with gzip: constant columns beside a counter pack 11 times, places and marks that vary 20 times. Only
# one same row, five million times, passes the limit (412 times), and it is no export.
LARGEST_RATIO = 200
# Below this, what is unpacked harms nothing: a small file of blanks may pack a thousand times.
RATIO_FROM = 100_000_000
# Files looked at below one root: more is no folder of exports.
MOST_LOOKED_AT = 200_000
# An archive holds one export and its notes; a workbook, one part per sheet, image and comment.
MOST_MEMBERS = 10_000
# A record of the directory of a zip: 46 bytes, a path and what tools add. Read whole by zipfile: bounded before.
LARGEST_DIRECTORY = MOST_MEMBERS * 1_000
# Excel's own widths: nobody hands over a wider table, and one that is wider was written with the wrong separator.
MOST_COLUMNS = 16_384
# Excel's own height, the header included.
MOST_SHEET_ROWS = 1_048_576
# In characters. Excel's own limit too; a longer cell in a CSV is nearly always a quote that was never closed.
LONGEST_CELL = 32_767
# In bytes, of the journal of a release, whose cells are ours: Python stops at 128 kB, and a whole row may be longer.
LONGEST_OWN_CELL = 2**31 - 1
# In characters (bytes, before the encoding is known): three hundred cells of the longest; a line without end is no CSV.
LONGEST_LINE = 10_000_000
# Ten million rows of 25 columns.
MOST_CELLS = 250_000_000
# A full sheet (1 048 576 rows) of 23 columns; measured: 25 million numbers take 1.8 GB to the reader, and a minute.
MOST_SHEET_CELLS = 25_000_000
# Characters of a sheet or of a Parquet file once written out: a text stored once may be repeated a million times.
MOST_CHARACTERS = 2_000_000_000
# The largest tag that offices write is a few hundred bytes; the parser of XML holds a tag whole.
LARGEST_TAG = 1_000_000
# Errors (#N/A…) kept by their place; a sheet with more of them is no table.
MOST_ERRORS = 1_000_000
# Of `provenance.yml`, which may come from anybody: bytes (a statement of a few sentences takes some hundreds), blocks
# within blocks, and characters of the statement, which goes into every page.
LARGEST_OUTSIDE_YAML = 64 * 1024
DEEPEST_OUTSIDE_YAML = 5
LONGEST_STATEMENT = 1000
# Blocks within blocks of a declaration: an alias that holds itself would go down for ever.
DEEPEST_DECLARATION = 30
# Characters of the name of a sheet, eight times Excel's limit: names are handed to the process that reads.
LONGEST_SHEET_NAME = 255
# What judging one file may take, beyond which it is given up, told to the data team and tried again by the next run,
# while the other files go on. Processor seconds: the largest files take minutes, and one of 800 000 rows that are all
# wrong took two; an hour is a loop. Bytes of memory: a full sheet (see above) takes some 4 GB as text and as columns,
# beside what its reader holds.
JUDGING_SECONDS = 3600
JUDGING_MEMORY = 8_000_000_000
# Formats of cells in a workbook: Excel's own limit is 65 490.
MOST_STYLES = 65_490
# Visible sheets whose header is looked at to find the one that has the columns.
MOST_SHEETS = 50
# What checking any file of a person may take (`validate --schema`): enough for the slowest way, by frictionless alone,
# and small for a small file, whatever it holds.
_CHECKING_SECONDS, _BYTES_A_SECOND = 20, 20_000
CHECKING_MEMORY, _MEMORY_A_BYTE = 3_000_000_000, 60
# Of the page where a person checks a file: larger ones are judged by the night.
LARGEST_CHECKED_ONLINE = 30_000_000


def checking_seconds(size: int) -> int:
    """Return the processor seconds that a file of ``size`` bytes may take to be checked."""
    return min(JUDGING_SECONDS, _CHECKING_SECONDS + size // _BYTES_A_SECOND)


def checking_memory(size: int) -> int:
    """Return the bytes of memory that a file of ``size`` bytes may take to be checked, its unpacked text included."""
    return min(JUDGING_MEMORY, CHECKING_MEMORY + _MEMORY_A_BYTE * size)
