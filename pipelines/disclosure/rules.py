"""The rule of each indicator: its minimum base and why, what it counts, and which indicators rest on the same base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.declarations import Catalogue, Indicator
from pipelines.declarations import estimators as declared
from pipelines.disclosure.series import Numbers

DEFAULT_MINIMUM_BASE = 11  # persons; INSEE's rule for data on persons, applied to surveys that declare nothing else
SECRET = "secret-statistique"  # one reason for all that is hidden: two told which bases were under the threshold
_ADDITIVE = ("sum", "ratio_of_sums", "weighted_mean", "pooled")  # ways to make a year that add its periods up


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
    feed = indicator.networks[network]
    rows = f"{sorted(feed.export)} {sorted((key, sorted(map(str, item))) for key, item in feed.where.items())}"
    return f"{rows} {indicator.estimator.counted(feed.inputs)}"


def survey_names(
    kinds: Iterable[tuple[str, str]], catalogue: Catalogue, ruled: dict[tuple[str, str], Rule]
) -> dict[tuple[str, str], str]:
    """Return the name of the survey of each (network, indicator) under secrecy; ``ruled``: what ``rules`` gives."""
    kinds = list(kinds)
    secret = {pair for pair in kinds if ruled[pair].minimum or ruled[pair].margin}
    told = {(pair[0], base_of(catalogue.indicators[pair[1]], pair[0])) for pair in secret}
    wanted = [pair for pair in kinds if (pair[0], base_of(catalogue.indicators[pair[1]], pair[0])) in told]
    first: dict[tuple[str, str], str] = {}
    for network, key in wanted:
        exports = catalogue.indicators[key].networks[network].export
        joined = {first.get((network, export), exports[0]) for export in exports}
        name = min(joined)
        first |= {place: name for place, old in first.items() if place[0] == network and old in joined}
        first |= {(network, export): name for export in exports}
    return {pair: first[pair[0], catalogue.indicators[pair[1]].networks[pair[0]].export[0]] for pair in wanted}


def shared_rules(ruled: dict[tuple[str, str], Rule], catalogue: Catalogue) -> dict[tuple[str, str], Rule]:
    """Give an indicator without a rule of its own that of an indicator with the same base, which it would tell."""
    bases = {(network, key): (network, base_of(catalogue.indicators[key], network)) for network, key in ruled}
    strictest = {
        bases[pair]: rule for pair, rule in sorted(ruled.items(), key=lambda item: (item[1].minimum, item[1].margin))
    }
    return {pair: rule if rule.minimum or rule.margin else strictest[bases[pair]] for pair, rule in ruled.items()}


def additive(indicator: Indicator) -> bool:
    """Whether the periods of a year add up to it."""
    return indicator.year in _ADDITIVE


def counted(figures: Mapping[str, NDArray[Any]] | pd.DataFrame, indicator: Indicator) -> Numbers:
    """Return what the rows of an indicator count: people who answered, events, or an amount; NaN for none."""
    summed = isinstance(indicator.estimator, declared.Sum | declared.Count)
    base = np.asarray(figures["valeur" if summed else "effectif"], dtype=float)
    if isinstance(indicator.estimator, declared.Ratio) and np.isnan(base).all():
        base = np.asarray(figures["denominateur"], dtype=float)
    if indicator.estimator.family == "typed":  # what the source itself withholds (« ns ») is no figure of ours to hide
        base = np.where(np.isnan(np.asarray(figures["valeur"], dtype=float)), 0.0, base)
    return base
