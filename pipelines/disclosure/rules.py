"""The rule of each indicator: its minimum base and why, and which indicators rest on the same base. No figures here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipelines.declarations import estimators as declared

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue, Indicator

DEFAULT_MINIMUM_BASE = 11  # persons; INSEE's rule for data on persons, applied to surveys that declare nothing else
SECRET = "secret-statistique"  # one reason for all that is hidden: two told which bases were under the threshold

_PERCENT = (declared.Share, declared.TopBox)
_BALANCE = (declared.Nps, declared.NetSatisfaction)


@dataclass(frozen=True)
class Rule:
    """Under ``minimum`` answers or events a value is secret; under ``reliable`` it is only not published.

    ``margin``: for data on enterprises, how wide the attacker's interval for a hidden value must stay, as a share of
    it (what the declared dominance leaves to the others: 15 %).
    """

    minimum: int
    reliable: int = 0
    margin: float = 0.0


def rule_of(indicator: Indicator, kinds: set[str]) -> Rule:
    """Return the rule of an indicator fed by exports of these kinds; a minimum of 0 hides nothing."""
    if indicator.enterprises:
        return Rule(0, margin=1 - indicator.enterprises.dominance)
    default = DEFAULT_MINIMUM_BASE if "survey" in kinds else 0
    declared_base = indicator.minimum_base
    if declared_base is None:
        return Rule(default)
    if declared_base.reason == SECRET:
        return Rule(declared_base.answers)
    return Rule(default, declared_base.answers)  # a threshold of reliability lifts no secret: persons stay persons


def rules(catalogue: Catalogue) -> dict[tuple[str, str], Rule]:
    """Return the rule of every network and indicator."""
    found = {}
    for identifier, indicator in catalogue.indicators.items():
        for network, feed in indicator.networks.items():
            exports = [catalogue.networks[network].export(name) for name in feed.export]
            found[network, identifier] = rule_of(indicator, {export.kind for export in exports if export})
    return found


def base_of(indicator: Indicator, network: str) -> str:
    """Name what the base of the indicator counts: indicators of a network with the same name share their bases.

    What is hidden of one must be hidden of all, since each would publish the base of the others.
    """
    feed, estimator = indicator.networks[network], indicator.estimator
    rows = rows_of(indicator, network)
    answers = sorted(map(str, estimator.answers()))
    if isinstance(estimator, declared.Ratio):
        counted = f"sum {feed.inputs['denominator']}"
    elif isinstance(estimator, declared.Sum):
        counted = f"sum {feed.inputs['value']}"
    elif isinstance(estimator, declared.Declared):
        counted = f"typed {feed.inputs.get('base', feed.inputs['value'])}"
    else:
        counted = f"answers {next(iter(feed.inputs.values()), '')} {answers}"
    return f"{rows} {counted}"


def rows_of(indicator: Indicator, network: str) -> str:
    """Name the rows that feed the indicator: bases of the same rows may be nearly equal (see ``kin``)."""
    feed = indicator.networks[network]
    return f"{sorted(feed.export)} {sorted((key, sorted(map(str, item))) for key, item in feed.where.items())}"


def attributes(indicator: Indicator) -> tuple[float, float | None] | Literal[False]:
    """Return the least and greatest that one unit of base may add to ``numerateur`` (None: no limit), else False.

    With them the attacker knows that a numerator is at least (at most) so many times its denominator: two hidden cells
    whose numerators sum to nothing have nothing each.
    """
    estimator = indicator.estimator
    if isinstance(estimator, _PERCENT):
        return 0.0, 1.0
    if isinstance(estimator, _BALANCE):
        return -1.0, 1.0
    if isinstance(estimator, declared.Ces):
        return float(estimator.scale[0]), float(estimator.scale[1])
    if isinstance(estimator, declared.Score):
        points = [item.points for item in estimator.points]
        return min(points), max(points)
    if isinstance(estimator, declared.Ratio | declared.Mean) and indicator.range:
        factor = estimator.factor if isinstance(estimator, declared.Ratio) else 1.0
        return indicator.range[0] / factor, indicator.range[1] / factor
    return False
