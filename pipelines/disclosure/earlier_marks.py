"""What earlier releases did with each row of ``resultats``: showed its figures, or hid them. Read from their files.

What was shown can't be taken back: a reader may put yesterday's figure beside today's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.disclosure.row_keys import positions, row_numbers
from pipelines.disclosure.surveys import KEY

Earlier = Sequence[Path | Sequence[Path]] | Sequence[pd.DataFrame]  # results of releases: Parquet files, or frames
COPIED = ["annee", "frequence", "structure", "mode_obtention", "source"]  # what a row is made of anew from
_SHOWN = "statut_confidentialite = 'F' AND (valeur IS NOT NULL OR effectif IS NOT NULL)"


def rows_of(
    release: Path | Sequence[Path] | pd.DataFrame, network: str, year: int, columns: list[str] | None = None
) -> pd.DataFrame:
    """Return the rows of a network and year in the results of a release: a frame, or its Parquet files."""
    if isinstance(release, pd.DataFrame):
        return release[release["reseau"].eq(network) & release["annee"].eq(year)]
    files = [release] if isinstance(release, Path) else list(release)
    wanted = [("reseau", "=", network), ("annee", "=", year)]
    rows: pd.DataFrame = pq.read_table(files, columns=columns, filters=wanted).to_pandas()
    return rows


def told_before(releases: Earlier, network: str, year: int) -> pd.DataFrame:
    """Return KEY, ``COPIED``, ``montree`` and ``cachee`` of every row of a network and year that a release published.

    ``releases``: the results of each, its Parquet files or a frame, in any order. Only these columns are read.
    """
    if not len(releases):
        return pd.DataFrame(columns=[*KEY, *COPIED, "montree", "cachee"])
    keys = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '') AS {name}" for name in KEY)
    copied = ", ".join(f"any_value({name}) AS {name}" for name in COPIED)
    columns = [*KEY, *COPIED, "statut_confidentialite", "valeur", "effectif"]
    with duckdb.connect() as connection:
        for number, release in enumerate(releases):
            rows = rows_of(release, network, year, columns)[columns]
            connection.register(f"version_{number}", pa.Table.from_pandas(rows, preserve_index=False))
        told = " UNION ALL ".join(
            f"SELECT {keys}, {', '.join(COPIED)}, {_SHOWN} AS shown, statut_confidentialite <> 'F' AS hidden "
            f"FROM version_{number}"
            for number in range(len(releases))
        )
        return connection.execute(
            f"SELECT {', '.join(KEY)}, {copied}, bool_or(shown) AS montree, bool_or(hidden) AS cachee "
            f"FROM ({told}) GROUP BY {', '.join(KEY)} ORDER BY {', '.join(KEY)}"
        ).df()


def beside(results: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Return the results with ``montree`` and ``cachee``, and a row for each hidden before that has none any more.

    Without the latter, a place whose file was withdrawn would be the whole difference between two totals.
    """
    if before.empty or results.empty:
        return results.assign(montree=False, cachee=False)
    rows, earlier = row_numbers(KEY, results, before)
    at = positions(rows, earlier)
    told = {name: before[name].to_numpy(dtype=bool)[at] & (at >= 0) for name in ("montree", "cachee")}
    place = ["reseau", "annee", "indicateur"]
    pairs, asked = row_numbers(place, results, before)
    gone = before[before["cachee"].to_numpy(dtype=bool) & ~np.isin(earlier, rows) & np.isin(asked, pairs)]
    if gone.empty:
        return results.assign(**told)
    added = gone.assign(statut_observation="A", statut_confidentialite="F")
    if "date_extraction" in results:  # of the others: without one, a row would say that its file is gone
        dates = results[[*place, "date_extraction"]].drop_duplicates(place)
        added = added.astype({"annee": results["annee"].dtype}).merge(dates, on=place, how="left")
    for name in KEY:
        added[name] = added[name].where(added[name].ne(""), None)
    added["annee"] = added["annee"].astype(results["annee"].dtype)
    return pd.concat([results.assign(**told), added.reindex(columns=[*results.columns, *told])], ignore_index=True)
