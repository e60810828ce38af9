"""The rule of each indicator: its minimum base and why, and which indicators rest on the same base. No figures here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue, Indicator
    from pipelines.declarations.estimators.estimator import UnitBounds

DEFAULT_MINIMUM_BASE = 11  # persons; INSEE's rule for data on persons, applied to surveys that declare nothing else
SECRET = "secret-statistique"  # one reason for all that is hidden: two told which bases were under the threshold


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


def rules(catalogue: Catalogue, network: str) -> dict[tuple[str, str], Rule]:
    """Return the rule of every indicator of a network."""
    found = {}
    for identifier, indicator in catalogue.indicators.items():
        if feed := indicator.networks.get(network):
            exports = [catalogue.networks[network].export(name) for name in feed.export]
            found[network, identifier] = rule_of(indicator, {export.kind for export in exports if export})
    return found


def base_of(indicator: Indicator, network: str) -> str:
    """Name what the base of the indicator counts: indicators of a network with the same name share their bases.

    What is hidden of one must be hidden of all, since each would publish the base of the others.
    """
    counted = indicator.estimator.counted(indicator.networks[network].inputs)
    return f"{rows_of(indicator, network)} {counted}"


def rows_of(indicator: Indicator, network: str) -> str:
    """Name the rows that feed the indicator: bases of the same rows may be nearly equal (see ``kin``)."""
    feed = indicator.networks[network]
    return f"{sorted(feed.export)} {sorted((key, sorted(map(str, item))) for key, item in feed.where.items())}"


def attributes(indicator: Indicator) -> UnitBounds:
    """Return the least and greatest that one unit of base may add to ``numerateur``: see ``unit_bounds``."""
    return indicator.estimator.unit_bounds(indicator.range)
