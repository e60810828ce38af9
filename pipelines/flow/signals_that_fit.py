"""The lines of the tables of signals that a release takes: one that it would refuse holds back no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.release.canonical import canonical_table
from pipelines.release.refusals import TableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.declarations import Table

_CARDS = "signaux"


def lines_that_fit(
    tables: Mapping[str, pa.Table], declared: Mapping[str, Table]
) -> tuple[dict[str, pa.Table], list[str]]:
    """Return the tables without the lines that their declaration refuses, and the signals that are left out.

    A signal that is left out has no curve either. Where no line fits, the table is what is wrong: it stays as it is.
    """
    found = {name: _fitting(name, declared[name], table) or table for name, table in tables.items()}
    left = sorted(set(tables[_CARDS]["signal"].to_pylist()) - set(found[_CARDS]["signal"].to_pylist()))
    for name, table in found.items():
        if "signal" in table.column_names:
            found[name] = table.filter(pc.invert(pc.is_in(table["signal"], pa.array(left, pa.string()))))
    return found, left


def _fitting(name: str, declared: Table, table: pa.Table) -> pa.Table | None:
    """Return the lines that fit, in halves of halves; None when none does."""
    try:
        canonical_table(name, declared, table)
    except TableError:
        half = table.num_rows // 2
        parts = [_fitting(name, declared, part) for part in (table.slice(0, half), table.slice(half))] if half else []
        held = [part for part in parts if part is not None]
        return pa.concat_tables(held) if held else None
    return table
