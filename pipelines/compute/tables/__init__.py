"""The national tables: every network-year put together, with the rows that are absent and why.

Writing them is publication's.
"""

from pipelines.compute.tables.national import NationalInputs, national_tables

__all__ = ["NationalInputs", "national_tables"]
