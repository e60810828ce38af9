"""Transparency of networks: the share of them that publish, or the mean of what each publishes in a place.

Domain rules of the barometer of public action; their words are on the estimator's card.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import numpy as np
import pandas as pd

from pipelines.compute.export_rows import CELL, Fed, column, kept
from pipelines.compute.units import parents, reason_where
from pipelines.declarations import Indicator, Level, LevelRule
from pipelines.declarations.periods import last_day, period_of
from pipelines.declarations.references import Geography


def transparency(
    connection: duckdb.DuckDBPyConnection, fed: Fed, levels: Mapping[Level, LevelRule], geography: Geography
) -> pd.DataFrame:
    """Return one line per period × place; a period is described by the last finest period that it holds."""
    rows = _counts(connection, fed)
    frames = []
    for level, rule in levels.items():
        for frequency in fed.published:
            placed = rows.assign(
                periode=[period_of(last_day(period), frequency) for period in rows["_periode"]], frequence=frequency
            )
            placed = placed[placed["_periode"] == placed.groupby("periode")["_periode"].transform("max")]
            share = rule.obtained == "network_share"
            made = _share(placed, fed.indicator) if share else _mean(placed, level, geography)
            frames.append(made.assign(maille=level, frequence=frequency))
    found = pd.concat(frames, ignore_index=True)
    found = found.assign(
        **dict.fromkeys(["borne_basse", "borne_haute", "effectif_pondere"], np.nan),
        **dict.fromkeys(["structure_code", "structure"]),
        valeur=100 * found["numerateur"] / found["effectif"],
        denominateur=found["effectif"],
    )
    return found.assign(
        motif=reason_where(found["valeur"].isna(), "non-renseigne"), date_reference=found.pop("_periode").map(last_day)
    )


def _counts(connection: duckdb.DuckDBPyConnection, fed: Fed) -> pd.DataFrame:
    inputs = fed.feed.inputs
    published = f"CAST({column(inputs['published'])} AS DOUBLE)"
    sites = f"CAST({column(inputs['sites'])} AS DOUBLE)" if "sites" in inputs else "1.0"
    conditions = [f"{published} IS NOT NULL", f"{sites} > 0", *filter(None, [kept(fed.feed)])]
    parts = [
        f"""
            SELECT {", ".join(CELL)}, CAST({column(inputs["network"])} AS VARCHAR) AS reseau_observe,
                   {published} AS publiant, {sites} AS sites
            FROM {source.file} WHERE {" AND ".join(conditions)}
        """
        for source in fed.sources
    ]
    return connection.execute(f"""
        SELECT _periode, _maille, _territoire, reseau_observe, sum(publiant) AS publiant, sum(sites) AS sites
        FROM ({" UNION ALL ".join(parts)}) GROUP BY ALL ORDER BY ALL
    """).df()


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
    codes = parents(placed["_territoire"], placed["_maille"], level, geography)
    local = placed.assign(territoire_code=codes)[~national]
    local = local[local["territoire_code"].notna()]
    places = local[["_periode", "periode", "territoire_code"]].drop_duplicates()
    everywhere = places.merge(placed[national].drop(columns=["_territoire"]), on=["_periode", "periode"])
    keys = ["_periode", "periode", "territoire_code", "reseau_observe"]
    rates = pd.concat([local, everywhere]).groupby(keys)[["publiant", "sites"]].sum()
    rates["taux"] = rates["publiant"] / rates["sites"]
    return rates.groupby(keys[:3])["taux"].agg(numerateur="sum", effectif="size").reset_index()
