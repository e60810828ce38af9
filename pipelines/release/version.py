"""The version of a release, computed from what differs, never chosen by hand. Differences are not found here.

The rule of Data Package: a table or column removed or retyped, or a table in other files, breaks reuse (MAJOR);
rows, columns or tables added, or rows removed, change what is there (MINOR); values or texts put right keep the
shape (PATCH).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.release.difference import ReleaseDifference, TableDifference

FIRST = "1.0.0"
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def parse(text: str) -> tuple[int, int, int] | None:
    """Return the three numbers of a version, or None when the text is no version."""
    match = _VERSION.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def next_version(previous: str | None, difference: ReleaseDifference) -> str | None:
    """Return the version that the difference makes, ``1.0.0`` for a first release, or None when nothing changed."""
    if previous is None:
        return FIRST
    if not difference:
        return None
    numbers = parse(previous)
    if numbers is None:
        raise ValueError(f"version inconnue : {previous}")
    major, minor, patch = numbers
    if _breaks(difference):
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if _extends(difference) else f"{major}.{minor}.{patch + 1}"


def _breaks(difference: ReleaseDifference) -> bool:
    gone = bool(difference.tables_removed or difference.moved)
    return gone or any(_table_breaks(table) for table in difference.tables.values())


def _table_breaks(table: TableDifference) -> bool:
    return table.key_changed or bool(table.columns_removed or table.columns_retyped)


def _extends(difference: ReleaseDifference) -> bool:
    return bool(difference.tables_added) or any(
        table.columns_added or len(table.added) or len(table.removed) for table in difference.tables.values()
    )
