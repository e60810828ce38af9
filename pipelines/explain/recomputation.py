"""An indicator of a network and year computed again, by the pipeline's own estimators, from the rows read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.compute.network_year import compute_network_year
from pipelines.validate import observation_schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.declarations import Catalogue, Export
    from pipelines.explain.agreement import Row

Key = tuple[str, str, str, str]  # period, level, code of the territory and of the office (empty where there is none)


class NotComputedError(Exception):
    """The indicator can't be computed from these rows; the message says why."""


def key_of(row: Row) -> Key:
    """Return the unit of a result."""
    return row["periode"], row["maille"], row["territoire_code"] or "", row["structure_code"] or ""


def by_unit(results: pd.DataFrame) -> dict[Key, Row]:
    """Return the rows of a table of results by their unit, None where a column has no value."""
    rows = results.astype("object").where(results.notna(), None).to_dict("records")
    return {key_of(row): row for row in rows}


def write_observations(rows: pd.DataFrame, export: Export, path: Path) -> None:
    """Write rows read again as control writes observations; raises ValueError if they are not of the declared types."""
    schema = pa.schema([item for item in observation_schema(export) if item.name in rows or item.name == _NAMES])
    table = pa.Table.from_pandas(rows.assign(**{_NAMES: None}), schema, preserve_index=False)
    pq.write_table(table, path)


_NAMES = "_structure_nom"  # what offices are called bears on no figure


def recomputed_lines(
    catalogue: Catalogue, network: str, year: int, identifier: str, observations: Mapping[str, Path]
) -> dict[Key, Row]:
    """Return every unit of an indicator (columns of RESULT_COLUMNS, secret figures included); raises NotComputedError.

    ``observations``: the Parquet of each export that feeds it.
    """
    made = compute_network_year(catalogue, network, year, observations, identifier)
    if identifier in made.failures:
        raise NotComputedError(made.failures[identifier])
    return by_unit(made.results)
