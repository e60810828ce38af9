"""The national tables: every network-year put together, with the rows that are absent and why.

Writing them is publication's.
"""

from pipelines.tables.national import COMMON, common_tables, national_tables, network_tables
from pipelines.tables.national_inputs import NationalInputs
from pipelines.tables.receptions import kept_figures
from pipelines.tables.set_aside import safe_tables

__all__ = [
    "COMMON",
    "NationalInputs",
    "common_tables",
    "kept_figures",
    "national_tables",
    "network_tables",
    "safe_tables",
]
