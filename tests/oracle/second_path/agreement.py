"""Whether a published row is what the second path gives. What is published is compared, and nothing else.

Hidden cells are not compared: whether they agree could tell on them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.explain.published_row import present, same_reason

if TYPE_CHECKING:
    from oracle.second_path.recomputed import Line

    from pipelines.declarations import Catalogue, Export, Indicator
    from pipelines.explain.published_row import Row

DEFAULT_MINIMUM = 11  # persons, in surveys that declare nothing else: INSEE's rule, as the indicators' manual says
_DECIMALS = {"effectif": 0, "effectif_pondere": 0, "numerateur": 6, "denominateur": 6}  # as published
_RELATIVE = 1e-9  # floating sums in another order
_UNSTABLE = 1e-6  # of a bound: the square root of a variance near zero
_NAMES = {
    "valeur": "la valeur", "effectif": "l'effectif", "effectif_pondere": "l'effectif pondéré",
    "numerateur": "le numérateur", "denominateur": "le dénominateur", "borne_basse": "la borne basse",
    "borne_haute": "la borne haute",
}  # fmt: skip


@dataclass(frozen=True)
class Minimum:
    """The base under which a value is not published, the id of the reason, and why that base."""

    answers: int
    reason: str
    why: str


def minimum_of(indicator: Indicator, export: Export) -> Minimum | None:
    """Return the minimum base that holds for an indicator fed by ``export``."""
    rule = indicator.minimum_base
    if indicator.enterprises:
        return None
    if rule:
        return Minimum(rule.answers, rule.reason, rule.why)
    if export.kind == "survey":
        return Minimum(DEFAULT_MINIMUM, "secret-statistique", "règle générale des enquêtes auprès de personnes")
    return None


def differences(
    row: Row, line: Line, indicator: Indicator, minimum: Minimum | None, catalogue: Catalogue, loose: float = 0.0
) -> list[str]:
    """Say in French how a row that is not hidden differs from its recomputed line; nothing when it doesn't.

    ``loose``: the relative error that declared tolerances leave in its weights.
    """
    if not present(row["valeur"]):
        reason = line.reason
        if reason is None and minimum and line.base < minimum.answers:
            reason = minimum.reason
        if reason is None:
            return ["une valeur est recalculée là où aucune n'est publiée"]
        return same_reason(row, reason, catalogue)
    scale = np.nanmax([1.0, abs(line.value), line.denominator])
    rounding = {**_DECIMALS, "valeur": indicator.decimals}
    return _bounds_differ(row, line, indicator, loose) + [
        f"{_NAMES[name]} n'est pas ce que l'on recalcule"
        for name, value in line.figures().items()
        if present(row[name])
        and not abs(float(row[name]) - value) <= 0.5 / 10.0 ** rounding[name] + (_RELATIVE + loose) * scale
    ]


def _bounds_differ(row: Row, line: Line, indicator: Indicator, loose: float) -> list[str]:
    """Say which bounds are not the recomputed ones, cut to the declared range as the published ones are."""
    found = []
    for name, bound in _bounds(line, indicator).items():
        if present(row[name]) == math.isnan(bound):
            found.append(f"{_NAMES[name]} est publiée là où l'on n'en trouve pas, ou l'inverse")
        elif present(row[name]):
            slack = 0.5 / 10.0**indicator.decimals + (_UNSTABLE + 10 * loose) * max(1.0, abs(bound))
            found += (
                [] if abs(float(row[name]) - bound) <= slack else [f"{_NAMES[name]} n'est pas ce que l'on recalcule"]
            )
    return found


def _bounds(line: Line, indicator: Indicator) -> dict[str, float]:
    if line.bounds is None:
        return {}
    low, high = indicator.range or (-math.inf, math.inf)
    cut = [bound if math.isnan(bound) else min(max(bound, low), high) for bound in line.bounds]
    return dict(zip(("borne_basse", "borne_haute"), cut, strict=True))
