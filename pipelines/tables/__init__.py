"""The national tables: every network-year put together, with the rows that are absent and why."""
