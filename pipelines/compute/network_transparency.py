"""Transparency of networks: the share of them that publish, or the mean of what each publishes in a place.

Domain rules of the barometer of public action; their words are on the estimator's card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.compute.export_rows import CELL, Source, kept
from pipelines.compute.row_codes import column
from pipelines.declarations.periods import last_day, period_of
from pipelines.declarations.references import Geography

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from pipelines.declarations import Feed, Frequency, Indicator, Level, LevelRule


def transparency(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    feed: Feed,
    sources: Sequence[Source],
    levels: Mapping[Level, LevelRule],
    geography: Geography,
    frequencies: Sequence[Frequency],
) -> pd.DataFrame:
    """Return one line per period × place; a period is described by the last finest period that it holds."""
    rows = _counts(connection, feed, sources)
    frames = []
    for level, rule in levels.items():
        for frequency in frequencies:
            placed = rows.assign(
                periode=[period_of(last_day(period), frequency) for period in rows["_periode"]], frequence=frequency
            )
            placed = placed[placed["_periode"] == placed.groupby("periode")["_periode"].transform("max")]
            share = rule.obtained == "network_share"
            made = _share(placed, indicator) if share else _mean(placed, level, geography)
            frames.append(made.assign(maille=level, frequence=frequency))
    found = pd.concat(frames, ignore_index=True)
    blank = dict.fromkeys(["borne_basse", "borne_haute", "effectif_pondere"], np.nan)
    found = found.assign(
        **blank,
        structure_code=None,
        structure=None,
        valeur=100 * found["numerateur"] / found["effectif"],
        denominateur=found["effectif"],
    )
    return found.assign(
        motif=np.where(found["valeur"].isna(), "non-renseigne", np.array(None, dtype="object")),
        date_reference=found.pop("_periode").map(last_day),
    )


def _counts(connection: duckdb.DuckDBPyConnection, feed: Feed, sources: Sequence[Source]) -> pd.DataFrame:
    """Return the sites that publish, and the sites, of each network in each cell; blank rows are left out."""
    parts = []
    for source in sources:
        published = f"CAST({column(feed.inputs['published'])} AS DOUBLE)"
        sites = f"CAST({column(feed.inputs['sites'])} AS DOUBLE)" if "sites" in feed.inputs else "1.0"
        conditions = [f"{published} IS NOT NULL", f"{sites} > 0", *filter(None, [kept(feed)])]
        parts.append(f"""
            SELECT {", ".join(CELL)}, CAST({column(feed.inputs["network"])} AS VARCHAR) AS reseau_observe,
                   {published} AS publiant, {sites} AS sites
            FROM {source.file} WHERE {" AND ".join(conditions)}
        """)
    return connection.execute(f"""
        SELECT _periode, _maille, _territoire, reseau_observe, sum(publiant) AS publiant, sum(sites) AS sites
        FROM ({" UNION ALL ".join(parts)}) GROUP BY ALL ORDER BY ALL
    """).df()  # fmt: skip


def _share(placed: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """Count the networks of which more than the threshold of the sites publish."""
    threshold = float(getattr(indicator.estimator, "threshold"))  # noqa: B009  (this estimator alone comes here)
    networks = placed.groupby(["_periode", "periode", "reseau_observe"])[["publiant", "sites"]].sum()
    networks["compte"] = networks["publiant"] > threshold * networks["sites"] * (1 + 1e-12)
    found = networks.groupby(["_periode", "periode"])["compte"].agg(numerateur="sum", effectif="size").reset_index()
    return found.assign(territoire_code="FR")


def _mean(placed: pd.DataFrame, level: Level, geography: Geography) -> pd.DataFrame:
    """Average, in each place, the rates of the networks present there; a national network is present everywhere."""
    national = placed["_maille"] == "national"
    parents = [geography.parent(level, code if isinstance(code, str) else None, below)
               for code, below in zip(placed["_territoire"], placed["_maille"], strict=True)]  # fmt: skip
    local = placed.assign(territoire_code=pd.Series(parents, index=placed.index, dtype="object"))[~national]
    local = local[local["territoire_code"].notna()]
    places = local[["_periode", "periode", "territoire_code"]].drop_duplicates()
    everywhere = places.merge(placed[national].drop(columns=["_territoire"]), on=["_periode", "periode"])
    keys = ["_periode", "periode", "territoire_code", "reseau_observe"]
    rates = pd.concat([local, everywhere]).groupby(keys)[["publiant", "sites"]].sum()
    rates["taux"] = rates["publiant"] / rates["sites"]
    return rates.groupby(keys[:3])["taux"].agg(numerateur="sum", effectif="size").reset_index()
