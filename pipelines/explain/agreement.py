"""Whether a published row is what the second path gives. What is published is compared, and nothing else.

Hidden cells are not compared: whether they agree could tell on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue, Export, Indicator
    from pipelines.explain.recomputed import Line

Row = Mapping[Any, Any]
DEFAULT_MINIMUM = 11  # persons, in surveys that declare nothing else: INSEE's rule, as the indicators' manual says
WEIGHTED_DECIMALS = 3  # of effectif_pondere, as its table declares it
_RELATIVE = 1e-6  # of bases, numerators and denominators: floating sums in another order
_NAMES = {
    "valeur": "la valeur", "effectif": "l'effectif", "effectif_pondere": "l'effectif pondéré",
    "numerateur": "le numérateur", "denominateur": "le dénominateur",
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
    if rule:
        return Minimum(rule.answers, rule.reason, rule.why)
    if export.kind == "survey":
        return Minimum(DEFAULT_MINIMUM, "secret-statistique", "règle générale des enquêtes auprès de personnes")
    return None


def is_hidden(row: Row) -> bool:
    """Tell whether statistical secrecy hides the row, at first or second hand."""
    return str(row["statut_confidentialite"]) != "F"


def present(value: Any) -> bool:
    """Tell whether a published cell holds something."""
    return value is not None and not (isinstance(value, float) and math.isnan(value)) and value is not pd.NA


def differences(row: Row, line: Line, indicator: Indicator, minimum: Minimum | None, catalogue: Catalogue) -> list[str]:
    """Say in French how a row that is not hidden differs from its recomputed line; nothing when it doesn't."""
    if not present(row["valeur"]):
        reason = line.reason
        if reason is None and minimum and line.base < minimum.answers:
            reason = minimum.reason
        if reason is None:
            return ["une valeur est recalculée là où aucune n'est publiée"]
        return same_reason(row, reason, catalogue)
    return [
        f"{_NAMES[name]} n'est pas ce que l'on recalcule" for name, value in line.figures().items()
        if present(row[name]) and not _same(name, float(row[name]), value, indicator.decimals)
    ]  # fmt: skip


def same_reason(row: Row, reason: str, catalogue: Catalogue) -> list[str]:
    """Say how the published reason of an absence differs from the one found."""
    label = catalogue.reasons[reason].label
    if present(row["valeur"]):
        return [f"une valeur est publiée là où l'on trouve : {label}"]
    return [] if row["motif_absence"] == label else [f"le motif publié n'est pas celui que l'on trouve : {label}"]


def _same(name: str, published: float, recomputed: float, decimals: int) -> bool:
    if math.isnan(recomputed):
        return False
    if name == "valeur":
        return abs(published - recomputed) <= 0.5 / 10**decimals + 1e-9 * max(1.0, abs(recomputed))
    slack = 0.5 / 10**WEIGHTED_DECIMALS if name == "effectif_pondere" else 0.0
    return abs(published - recomputed) <= slack + _RELATIVE * max(1.0, abs(recomputed))


def as_published(row: Row, line: Line, indicator: Indicator) -> dict[str, float]:
    """Return the recomputed figures under the names and with the decimals of those published, and no other."""
    decimals = {"valeur": indicator.decimals, "effectif": 0, "effectif_pondere": WEIGHTED_DECIMALS}
    return {
        name: round(value, decimals.get(name, 6)) for name, value in line.figures().items()
        if present(row[name]) and not math.isnan(value)
    }  # fmt: skip
