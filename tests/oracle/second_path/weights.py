"""The weight of each row: declared, then brought to the declared margins by a plain fit, row by row.

Deming and Stephan (1940) for the raking ratio, Deville and Särndal (1992) for the bounded case; numpy alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from oracle.second_path.numbers_of_rows import numbers

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from pipelines.declarations import Export
    from pipelines.declarations.sampling import Calibration

    Floats = NDArray[np.float64]

ROUNDS = 10_000
_MET = 1e-12  # as a share of the population: far closer than the tolerance
_TOLERANCE = 1e-9  # largest discrepancy that a calibration may leave, as a share of the population


def weights_of(rows: pd.DataFrame, export: Export, year: int) -> pd.Series[float] | None:
    """Return the weight of each row (of the finest level), or None when every row counts for one.

    NaN where a row has none; rows of weight 0 are never calibrated. Raises ValueError when the margins can't be met.
    """
    declared = numbers(rows[export.weight]) if export.weight else None
    margins = export.calibration_of(year)
    if margins is None:
        return declared
    start = declared if declared is not None else pd.Series(1.0, index=rows.index)
    known = start > 0
    found = pd.Series(np.nan, index=rows.index)
    found[known] = _calibrated(rows[known], np.asarray(start[known], dtype=np.float64), margins)
    return found


def looseness(export: Export, year: int) -> float:
    """Return how far (relatively) a calibrated weight may be from the exact one, by the tolerance of calibrations."""
    margins = export.calibration_of(year)
    if margins is None:
        return 0.0
    shares = [share for margin in margins.margins for share in margin.fractions.values() if share > 0]
    return len(margins.margins) * _TOLERANCE / min(shares)


def _calibrated(rows: pd.DataFrame, weights: Floats, margins: Calibration) -> Floats:
    total = margins.total or weights.sum()
    if margins.total:
        weights = weights * (total / weights.sum())
    codes, targets = [], []
    for margin in margins.margins:
        categories = [name for name, share in margin.fractions.items() if share > 0]
        places = pd.Index(categories).get_indexer(pd.Index([_text(value) for value in rows[margin.field]]))
        if (places < 0).any():
            raise ValueError(f"calage sur {margin.field} : une réponse n'a pas de marge")
        codes.append(places)
        targets.append(np.array([margin.fractions[name] * total for name in categories]))
    return _fitted(weights, codes, targets) if margins.bounds is None else _bounded(weights, codes, targets, margins)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fitted(weights: Floats, codes: list[NDArray[np.intp]], targets: list[Floats]) -> Floats:
    """Scale the weights to each margin in turn until none moves any more."""
    for _ in range(ROUNDS):
        moved = 0.0
        for places, target in zip(codes, targets, strict=True):
            sums = np.bincount(places, weights, len(target))
            moved = max(moved, float(np.abs(sums - target).max()) / float(target.sum()))
            weights = weights * (target / sums)[places]
        if moved <= _MET:
            return weights
    raise ValueError("calage : pas de convergence")


def _bounded(
    weights: Floats, codes: list[NDArray[np.intp]], targets: list[Floats], margins: Calibration
) -> Floats:  # fmt: skip
    """Find the multipliers of the margins one block at a time, by bisection of each category's factor."""
    assert margins.bounds is not None
    low, high = margins.bounds
    slope = (high - low) / ((1 - low) * (high - 1))
    pressure = np.zeros(len(weights))

    def ratio(at: Floats) -> Floats:
        rise = np.exp(np.clip(slope * at, -500, 500))
        found: Floats = (low * (high - 1) + high * (1 - low) * rise) / (high - 1 + (1 - low) * rise)
        return found

    for _ in range(ROUNDS):
        moved = 0.0
        for places, target in zip(codes, targets, strict=True):
            sums = np.bincount(places, weights * ratio(pressure), len(target))
            moved = max(moved, float(np.abs(sums - target).max()) / float(target.sum()))
            below, above = np.full(len(target), -100.0), np.full(len(target), 100.0)
            for _ in range(80):
                middle = (below + above) / 2
                reached = np.bincount(places, weights * ratio(pressure + middle[places]), len(target)) >= target
                below, above = np.where(reached, below, middle), np.where(reached, middle, above)
            pressure = pressure + ((below + above) / 2)[places]
        if moved <= _TOLERANCE / 10:
            return weights * ratio(pressure)
    raise ValueError("calage : pas de convergence entre les bornes")
