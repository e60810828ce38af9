"""Calibrates an export's rows to its declared margins: combinations counted by DuckDB, factors joined to the rows.

How the factors are found is in ``raking``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.compute.export_rows import Factors, Source
from pipelines.compute.raking import RakingError, rake
from pipelines.compute.row_codes import column

if TYPE_CHECKING:
    import duckdb

    from pipelines.compute.raking import Raked
    from pipelines.declarations.sampling import Calibration

DIAGNOSTICS = {
    "export": "str", "etat": "str", "motif": "str", "marges": "str", "sources": "str", "effectif": "int64",
    "effectif_efficace": "float64", "effet_de_plan": "float64", "iterations": "float64", "ecart_maximal": "float64",
    "rapport_minimal": "float64", "rapport_maximal": "float64", "poids_minimal": "float64", "poids_maximal": "float64",
}  # fmt: skip


@dataclass(frozen=True)
class Calibrated:
    """``source`` with its factors, or None with ``failure`` (in French); ``diagnostics`` is a line of DIAGNOSTICS."""

    source: Source | None
    diagnostics: dict[str, object]
    failure: str | None = None


def calibrate(connection: duckdb.DuckDBPyConnection, source: Source, year: int) -> Calibrated | None:
    """Bring the export's weights to the margins declared for ``year``; None when none are."""
    declared = source.export.calibration_of(year)
    if declared is None:
        return None
    fields = tuple(margin.field for margin in declared.margins)
    found = _combinations(connection, source, fields)
    line: dict[str, object] = {
        "export": source.export.id,
        "marges": ", ".join(fields),
        "sources": " ; ".join(f"{item.field} : {item.source} ({item.date})" for item in declared.margins),
        "effectif": int(found["n"].sum()),
    }
    try:
        raked = _raked(found, declared)
    except RakingError as error:
        return Calibrated(None, {**line, "etat": "impossible", "motif": str(error)}, str(error))
    table = f"calage_{source.export.id.replace('-', '_')}"
    names = [f"_marge_{rank}" for rank in range(len(fields))]
    connection.register("facteurs", found[names].assign(_facteur=raked.factors))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM facteurs")
    connection.unregister("facteurs")
    return Calibrated(replace(source, factors=Factors(table, fields)), {**line, **_diagnostics(found, raked)})


def _combinations(connection: duckdb.DuckDBPyConnection, source: Source, fields: tuple[str, ...]) -> pd.DataFrame:
    """Return the answers that weigh something, the sums and range of their weights, by combination of categories."""
    weight = source.weight or "CAST(1 AS DOUBLE)"
    names = ", ".join(f"CAST({column(name)} AS VARCHAR) AS _marge_{rank}" for rank, name in enumerate(fields))
    return connection.execute(f"""
        SELECT {names}, count(*) AS n, sum({weight}) AS w, sum({weight} * {weight}) AS w2,
               min({weight}) AS plus_petit, max({weight}) AS plus_grand
        FROM {source.relation} WHERE _maille = '{source.finest}' AND ({weight}) > 0
        GROUP BY ALL ORDER BY ALL
    """).df()  # fmt: skip


def _raked(found: pd.DataFrame, declared: Calibration) -> Raked:
    weights = found["w"].to_numpy(float)
    total = declared.total or float(weights.sum())
    targets = {
        f"_marge_{rank}": {category: share * total for category, share in margin.fractions.items()}
        for rank, margin in enumerate(declared.margins)
    }
    if declared.total:  # start from the population's size: bounds are about the shape of the sample, not its rate
        weights = weights * total / weights.sum()
    try:
        raked = rake(found, weights, targets, bounds=declared.bounds)
    except RakingError as error:
        named = str(error)
        for rank, margin in enumerate(declared.margins):
            named = named.replace(f"_marge_{rank}", margin.field)
        raise RakingError(named) from error
    return replace(raked, factors=raked.factors * (weights.sum() / found["w"].sum()))


def _diagnostics(found: pd.DataFrame, raked: Raked) -> dict[str, object]:
    """Describe the weights obtained: how far they moved, how unequal they are, and Kish's design effect."""
    weights = found["w"].to_numpy(float) * raked.factors
    size, squares = float(found["n"].sum()), float((found["w2"].to_numpy(float) * raked.factors**2).sum())
    mean = raked.factors @ found["w"].to_numpy(float) / found["w"].sum()
    effective = weights.sum() ** 2 / squares
    return {
        "etat": "convergé",
        "motif": None,
        "effectif_efficace": effective,
        "effet_de_plan": size / effective,
        "iterations": raked.iterations,
        "ecart_maximal": raked.discrepancy,
        "rapport_minimal": float(np.min(raked.factors) / mean),
        "rapport_maximal": float(np.max(raked.factors) / mean),
        "poids_minimal": float(np.min(found["plus_petit"] * raked.factors)),
        "poids_maximal": float(np.max(found["plus_grand"] * raked.factors)),
    }
