"""What tests of targets share: a small catalogue, and tables that fit it."""

from fixtures.small_release import catalogue, shared_tables, small, small_tables, tables  # noqa: F401  (fixtures)
