"""The national tables: every network-year put together, with the rows that are absent and why.

Writing them is publication's.
"""

from pipelines.compute.tables.national import SECRETS, NationalInputs, national_tables
from pipelines.compute.tables.set_aside import SetAside, safe_tables

__all__ = ["SECRETS", "NationalInputs", "SetAside", "national_tables", "safe_tables"]
