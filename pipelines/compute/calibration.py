"""Calibrates an export's rows to its declared margins: raking ratio, or the logit method when weights are bounded.

Combinations of categories are counted by DuckDB, factors joined to the rows. Deville and Särndal, « Calibration
Estimators in Survey Sampling », JASA, 1992 (cases 2 and 6), and Deming and Stephan (1940) for the iterations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pandas as pd

from pipelines.compute.export_rows import Factors, Source, column
from pipelines.compute.intervals import Floats
from pipelines.declarations.sampling import Calibration

DIAGNOSTICS = {
    "export": "str", "etat": "str", "motif": "str", "marges": "str", "sources": "str", "effectif": "int64",
    "effectif_efficace": "float64", "effet_de_plan": "float64", "iterations": "float64", "ecart_maximal": "float64",
    "rapport_minimal": "float64", "rapport_maximal": "float64", "poids_minimal": "float64", "poids_maximal": "float64",
}  # fmt: skip


@dataclass(frozen=True)
class Calibrated:
    """``source`` with its factors or, with a ``failure`` (in French), as it was; ``diagnostics``: see DIAGNOSTICS."""

    source: Source
    diagnostics: dict[str, object]
    failure: str = ""


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
        return Calibrated(source, {**line, "etat": "impossible", "motif": str(error)}, str(error))
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
    """).df()


def _raked(found: pd.DataFrame, declared: Calibration) -> Raked:
    weights = found["w"].to_numpy(float)
    total = declared.total or float(weights.sum())
    targets = {
        margin.field: {category: share * total for category, share in margin.fractions.items()}
        for margin in declared.margins
    }
    categories = found.filter(like="_marge_").set_axis(list(targets), axis=1)
    if declared.total:  # start from the population's size: bounds are about the shape of the sample, not its rate
        weights = weights * total / weights.sum()
    raked = rake(categories, weights, targets, bounds=declared.bounds)
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


class RakingError(ValueError):
    """The weights can't be brought to the margins; the message says why, in French."""


@dataclass(frozen=True)
class Raked:
    """``factors``: the ratio of the new weight to the old, for each combination.

    ``iterations``: how many were needed. ``discrepancy``: the largest difference left between a weighted total and its
    margin, as a share of the population.
    """

    factors: Floats
    iterations: int
    discrepancy: float


def rake(
    combinations: pd.DataFrame,
    weights: Floats,
    targets: Mapping[str, Mapping[str, float]],
    *,
    bounds: tuple[float, float] | None = None,
    iterations: int = 200,
    tolerance: float = 1e-9,
) -> Raked:
    """Return the factors that bring ``weights`` to ``targets`` (column → category → total).

    ``combinations``: one line per combination of categories, in columns named as in ``targets``; ``weights``: its
    summed weights before calibration. Raises RakingError when a category has no margin or no answer, when a margin is
    zero, or when the iterations end before every margin is met within ``tolerance`` of the population.
    """
    blocks, totals = [], []
    for name, margin in targets.items():
        _check(combinations[name], weights, name, margin)
        asked = {category: total for category, total in margin.items() if total > 0}  # zero: empty, asks for nothing
        categories = np.array(list(asked), dtype=object)
        blocks.append((combinations[name].to_numpy()[:, None] == categories[None, :]).astype(float))
        totals.append(np.array(list(asked.values()), dtype=float))
    indicators, wanted, left = np.hstack(blocks), np.concatenate(totals), np.inf
    steps = _logit(indicators, wanted, weights, *bounds) if bounds else _raking_ratio(blocks, totals, weights)
    for iteration, factors in zip(range(1, iterations + 1), steps, strict=False):
        left = float(np.abs(weights * factors @ indicators - wanted).max() / totals[0].sum())
        if left <= tolerance:
            return Raked(factors, iteration, left)
    why = f"pas de convergence après {iterations} itérations (écart restant : {left:.2g} de la population)"
    if bounds:
        why += f" ; les bornes {bounds[0]:g} et {bounds[1]:g} sont peut-être trop serrées"
    raise RakingError(f"calage : {why}")


def _check(categories: pd.Series[str], weights: Floats, column: str, margin: Mapping[str, float]) -> None:
    present = categories.astype("object").where(categories.notna(), "(vide)")
    counted = pd.Series(weights).groupby(present.to_numpy(), sort=False).sum()
    for name, weight in counted.items():
        if name not in margin:
            raise RakingError(f"calage sur {column} : la catégorie « {name} » des réponses n'a pas de marge")
        if weight > 0 and margin[str(name)] == 0:
            raise RakingError(f"calage sur {column} : la marge de « {name} » est nulle, mais il y a des réponses")
    for name, total in margin.items():
        if total > 0 and not counted.get(name, 0.0) > 0:
            raise RakingError(
                f"calage sur {column} : aucune réponse de la catégorie « {name} », dont la marge est {total:g}"
            )


def _raking_ratio(blocks: list[Floats], totals: list[Floats], weights: Floats) -> Iterator[Floats]:
    """Scale the weights to each margin in turn; give the factors of each turn."""
    factors = np.ones(len(weights))
    while True:
        for block, total in zip(blocks, totals, strict=True):
            factors = factors * (block @ (total / (weights * factors @ block)))
        yield factors


def _logit(indicators: Floats, wanted: Floats, weights: Floats, low: float, high: float) -> Iterator[Floats]:
    """Solve the calibration equations by Newton's method, the factors held between the bounds by a logit."""
    slope = (high - low) / ((1 - low) * (high - 1))
    unknowns = np.zeros(len(wanted))
    while True:
        rise = np.exp(np.clip(slope * (indicators @ unknowns), -500, 500))
        factors = (low * (high - 1) + high * (1 - low) * rise) / (high - 1 + (1 - low) * rise)
        yield factors
        derivative = slope * (factors - low) * (high - factors) / (high - low)
        gradient = indicators.T @ (indicators * (weights * derivative)[:, None])
        unknowns = unknowns + np.linalg.lstsq(gradient, wanted - indicators.T @ (weights * factors), rcond=None)[0]
