"""Every declaration of a folder, in one frozen Catalogue: what of it bears on what, and its fingerprints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel

from pipelines.declarations.barometer import Barometer
from pipelines.declarations.datasets import Dataset, Table
from pipelines.declarations.experiences import Experiences, ThemeFamily, Typology
from pipelines.declarations.indicator import Feed, Indicator
from pipelines.declarations.network import Network
from pipelines.declarations.problems import Problem
from pipelines.declarations.references import (
    AbsenceReason,
    Correction,
    Engagement,
    QualityComponent,
    QualityCriterion,
    SignalNote,
    Territories,
)

SIGNALS = "signaux"  # main table of the data set of signals
TYPOLOGIES = "references/typologies.yml"
T = TypeVar("T")


@dataclass(frozen=True)
class Catalogue:
    """All that is declared. Frozen: built once, passed everywhere, never changed.

    ``networks`` holds, beside those that are declared as such, what the files of ``barometers`` and ``experiences`` are
    to reception. ``left_out``: what is wrong in the files of users' voices that were left out, none of which bears on a
    result.
    """

    networks: Mapping[str, Network]
    indicators: Mapping[str, Indicator]
    tables: Mapping[str, Table]
    datasets: Mapping[str, Dataset]
    corrections: Mapping[str, tuple[Correction, ...]]
    territories: Territories
    reasons: Mapping[str, AbsenceReason]
    engagements: Mapping[str, Engagement]
    quality: Mapping[QualityComponent, QualityCriterion]
    barometers: Mapping[str, Barometer] = field(default_factory=dict)
    experiences: Mapping[str, Experiences] = field(default_factory=dict)
    typologies: Mapping[str, Typology] = field(default_factory=dict)
    themes: Mapping[str, ThemeFamily] = field(default_factory=dict)
    signal_notes: Mapping[str, tuple[SignalNote, ...]] = field(default_factory=dict)
    left_out: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, dict):
                object.__setattr__(self, each.name, MappingProxyType(value))

    @property
    def of_results(self) -> Catalogue:
        """The same without barometers nor experiences: what the yearly results of networks are made under."""
        apart = {*self.barometers, *self.experiences}
        networks = {name: network for name, network in self.networks.items() if name not in apart}
        return replace(self, networks=networks, barometers={}, experiences={})

    def leaving_out(self, problems: Sequence[Problem]) -> Catalogue:
        """Return the same without the files of users' voices that have ``problems``.

        Texts whose columns or corrections can't be read are received no more: what was read of them wouldn't hold.
        """
        faulty = {problem.file for problem in problems}

        def without(folder: str, declared: Mapping[str, T]) -> dict[str, T]:
            return {name: value for name, value in declared.items() if f"{folder}/{name}.yml" not in faulty}

        experiences = without("corrections", without("experiences", self.experiences))
        networks = {
            name: network
            for name, network in self.networks.items()
            if name in experiences or network.exports[0].kind != "experiences"
        }
        return replace(
            self,
            networks=networks,
            corrections={name: listed for name, listed in self.corrections.items() if name in networks},
            experiences=experiences,
            typologies={} if TYPOLOGIES in faulty else self.typologies,
            themes=without("themes", self.themes),
            signal_notes=without("signals", self.signal_notes),
            left_out=tuple(sorted(problems)),
        )

    @property
    def years(self) -> list[int]:
        """Every reference year that some network owes, in order: the partitions."""
        return sorted({year for network in self.networks.values() for year in network.years})

    @property
    def on_site(self) -> str | None:
        """The data set that the public site shows, that of the table ``resultats``; None when none is declared."""
        return next((name for name, dataset in self.datasets.items() if dataset.main_table == "resultats"), None)

    @property
    def signals(self) -> str | None:
        """The data set of signals, that of the table ``signaux``; None when none is declared."""
        return next((name for name, dataset in self.datasets.items() if dataset.main_table == SIGNALS), None)

    @property
    def without_signals(self) -> Catalogue:
        """The same without the data set of signals: what results and barometers are made and published under."""
        return self if self.signals is None else self._with_datasets(set(self.datasets) - {self.signals})

    @property
    def of_signals(self) -> Catalogue:
        """The same with the data set of signals alone, or none."""
        return self._with_datasets({self.signals} if self.signals else set())

    def _with_datasets(self, kept: set[str]) -> Catalogue:
        """Return the same with these data sets, and without the tables that only others hold."""
        datasets = {name: dataset for name, dataset in self.datasets.items() if name in kept}
        of_kept = {table for dataset in datasets.values() for table in dataset.tables}
        of_others = {table for name in self.datasets.keys() - kept for table in self.datasets[name].tables}
        tables = {name: table for name, table in self.tables.items() if name in of_kept or name not in of_others}
        return replace(self, datasets=datasets, tables=tables)

    def indicators_of(self, network: str) -> dict[str, Indicator]:
        """Return the indicators that ``network`` feeds, in the order of their ids."""
        return {key: indicator for key, indicator in self.indicators.items() if network in indicator.networks}

    def titles_of(self, network: str) -> dict[str, str]:
        """Return the titles of what is made of what ``network`` sends, by id: indicators, or themes of its texts."""
        if network in self.experiences:
            return {key: theme.label for family in self.themes.values() for key, theme in family.themes.items()}
        own = self.barometers[network].indicators if network in self.barometers else ()
        fed = self.indicators_of(network)
        return {one.id: one.title for one in own} | {key: indicator.title for key, indicator in fed.items()}

    def expected(self, network: str, year: int) -> dict[str, Feed]:
        """Return the feeds of the indicators that ``network`` owes for ``year``."""
        if year not in self.networks[network].years:
            return {}
        feeds = {key: indicator.networks[network] for key, indicator in self.indicators_of(network).items()}
        return {key: feed for key, feed in feeds.items() if feed.years is None or year in feed.years}

    def fingerprint(self, network: str) -> str:
        """Hash (sha256) of all declarations that bear on the results of ``network``: not what feeds other networks."""
        parts = {
            "network": self.networks[network].model_dump(mode="json", exclude={"closed_until", "poster"}),
            "indicators": {
                key: [_but_feeds(indicator), indicator.networks[network].model_dump(mode="json")]
                for key, indicator in self.indicators_of(network).items()
            },
            "corrections": [correction.model_dump(mode="json") for correction in self.corrections.get(network, ())],
            "territories": self.territories.model_dump(mode="json"),
            "reasons": _dumped(self.reasons),
        }
        return _fingerprint(parts)

    def fingerprints(self) -> dict[str, str]:
        """Hash (sha256) each thing declared, by place, to tell two releases what changed between them.

        The places are ``networks/caf``, ``corrections/caf``, ``indicators/nps`` (all but what feeds it),
        ``indicators/nps/caf`` (what feeds it there), ``barometers/confiance``, ``signals/caf`` and ``references``.
        """
        lists = [_dumped(self.reasons), _dumped(self.engagements), _dumped(self.quality)]
        parts: dict[str, object] = {"references": [self.territories.model_dump(mode="json"), *lists]}
        for name, network in self.networks.items():
            parts[f"networks/{name}"] = network.model_dump(mode="json", exclude={"poster"})
        for name, barometer in self.barometers.items():
            parts[f"barometers/{name}"] = barometer.model_dump(mode="json")
        for name, notes in self.signal_notes.items():
            parts[f"signals/{name}"] = [note.model_dump(mode="json") for note in notes]
        for name, corrections in self.corrections.items():
            parts[f"corrections/{name}"] = [correction.model_dump(mode="json") for correction in corrections]
        for name, indicator in self.indicators.items():
            parts[f"indicators/{name}"] = _but_feeds(indicator)
            parts |= {f"indicators/{name}/{fed}": feed for fed, feed in _dumped(indicator.networks).items()}
        return {place: _fingerprint(part) for place, part in parts.items()}


def _but_feeds(indicator: Indicator) -> dict[str, object]:
    return indicator.model_dump(mode="json", exclude={"networks"})


def _dumped(declared: Mapping[Any, BaseModel]) -> dict[str, object]:
    return {key: value.model_dump(mode="json") for key, value in declared.items()}


def _fingerprint(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
