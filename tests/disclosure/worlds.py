"""Surveys of invented places for the tests: who answered what, where and when, release after release."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from pipelines.declarations import Catalogue

REGIONS = {"30": "76", "31": "76", "34": "76", "75": "11", "92": "11", "93": "11", "2A": "94", "2B": "94", "67": "44"}
PERIODS = {
    "year": ["2024"], "semester": ["2024-S1", "2024-S2"], "quarter": [f"2024-T{n}" for n in range(1, 5)],
    "month": [f"2024-{n:02d}" for n in range(1, 13)],
}  # fmt: skip
FRENCH = {"year": "annuelle", "semester": "semestrielle", "quarter": "trimestrielle", "month": "mensuelle"}
LEVELS = ["site", "departement", "region", "national"]
QUESTIONS = ("essai", "autre", "tiers")
ESTIMATOR = {"name": "share", "favourable": ["oui"], "among": ["oui", "non"]}
MINIMUM = 11


@dataclass
class World:
    """``answers``: sites × periods × questions × (base, favourable); ``sites``: their départements, "" for none."""

    sites: list[str]
    frequency: str
    levels: list[str]
    answers: np.ndarray

    def results(self) -> pd.DataFrame:
        """The rows of results, as computed: marked C where the base is too small."""
        return self._rows(self.levels, range(len(self.sites)))

    def unnamed(self) -> pd.DataFrame:
        """Rows, that nobody publishes, of those who are in no place but the country."""
        nowhere = [number for number, code in enumerate(self.sites) if not code]
        return self._rows(["site"], nowhere) if nowhere and "site" not in self.levels else self.results().iloc[:0]

    def _rows(self, levels: list[str], sites: Iterable[int]) -> pd.DataFrame:
        lines = []
        for site in sites:
            code = self.sites[site]
            for at, period in enumerate(PERIODS[self.frequency]):
                if self.answers[site, at, 0, 0] == 0:
                    continue  # nobody: no row at all
                for level in levels:
                    if not code and level in ("departement", "region"):
                        continue
                    territory = {"region": REGIONS.get(code), "national": "FR"}.get(level, code or None)
                    structure = f"S{site:02d}" if level == "site" else None
                    for unit in {period, "2024"}:
                        for number, question in enumerate(QUESTIONS[: self.answers.shape[2]]):
                            base, favourable = self.answers[site, at, number]
                            lines.append((question, unit, level, territory, structure, base, favourable))
        names = ["indicateur", "periode", "maille", "territoire_code", "structure_code", "effectif", "numerateur"]
        rows = pd.DataFrame(lines, columns=names)
        found = rows.groupby(names[:5], dropna=False, sort=True)[["effectif", "numerateur"]].sum().reset_index()
        return _finished(found, self.frequency)


def _finished(found: pd.DataFrame, frequency: str) -> pd.DataFrame:
    some = found["effectif"] > 0
    small = some & (found["effectif"] < MINIMUM)
    return found.assign(
        reseau="labo", annee=2024, frequence=np.where(found["periode"].str.len() == 4, "annuelle", FRENCH[frequency]),
        structure=found["structure_code"], valeur=(100 * found["numerateur"] / found["effectif"]).where(some),
        denominateur=found["effectif"].where(some).astype(float),
        numerateur=found["numerateur"].where(some).astype(float),
        effectif=found["effectif"].astype(float), borne_basse=np.nan, borne_haute=np.nan, effectif_pondere=np.nan,
        statut_observation="A", statut_confidentialite=np.where(small, "C", "F"),
        motif=np.where(small, "secret-statistique", None), mode_obtention="essai", source="labo/essai",
        date_reference=None,
    )  # fmt: skip


def random_world(random: np.random.Generator, size: int = 9) -> World:
    """A survey of up to ``size`` sites: levels, frequency, numbers of answers, satisfaction at random."""
    sites = sorted(random.choice(list(REGIONS), random.integers(2, size + 1)).tolist())
    if random.random() < 0.2:
        sites[0] = ""
    frequency = str(random.choice(["year", "semester", "quarter", "quarter", "month"]))
    levels = [level for level in LEVELS[:3] if random.random() < 0.7] or ["site"]
    mean = random.choice([3, 8, 15, 30]) * random.gamma(2.0, 0.5, len(sites))
    periods, questions = len(PERIODS[frequency]), int(random.integers(1, 4))
    people = random.poisson(mean[:, None], (len(sites), periods))
    return World(sites, frequency, [*levels, "national"], _answers(random, people, questions))


def _answers(random: np.random.Generator, people: np.ndarray, questions: int) -> np.ndarray:
    """The first question is asked of all, the second of nearly all, the third of a part."""
    found = np.zeros((*people.shape, questions, 2))
    happy = random.choice([0.5, 0.8, 0.95])
    kept = [1.0, random.choice([1.0, 0.97, 0.9]), random.choice([0.15, 0.4, 0.8])]
    for number in range(questions):
        base = random.binomial(people, kept[number])
        found[..., number, 0], found[..., number, 1] = base, random.binomial(base, happy)
    return found


def revised(random: np.random.Generator, world: World) -> World:
    """The next release: some places get late answers, are revised, or withdraw their file."""
    answers = world.answers.copy()
    for site in range(len(world.sites)):
        fate = random.choice(
            ["same", "same", "same", "late", "revised", "withdrawn"], p=[0.2, 0.2, 0.2, 0.2, 0.15, 0.05]
        )
        shape = answers[site, :, 0, 0].shape
        if fate == "late":
            answers[site] += _answers(random, random.poisson(1.0, shape), answers.shape[2])
        elif fate == "revised":
            answers[site] = _answers(random, random.poisson(answers[site, :, 0, 0] + 1), answers.shape[2])
        elif fate == "withdrawn" and len(world.sites) > 2:
            answers[site] = 0.0
    if answers[:, :, 0, 0].sum() == 0:
        return world
    return dataclasses.replace(world, answers=answers)


def with_late_answers(random: np.random.Generator, world: World) -> World:
    """The next release: answers came late, few or many, to some places and periods, or some were put right."""
    answers = world.answers.copy()
    many = random.random() < 0.6
    for site in random.permutation(len(world.sites))[: int(random.integers(1, 4))]:
        for period in range(answers.shape[1]):
            if random.random() < 0.5:
                came = int(random.integers(20, 60)) if many else int(random.integers(1, 8))
                answers[site, period] += _answers(random, np.array([[came]]), answers.shape[2])[0, 0]
            elif random.random() < 0.1 and not many:
                answers[site, period, :, 1] = random.binomial(answers[site, period, :, 0].astype(int), 0.5)
    return dataclasses.replace(world, answers=answers)


def catalogue_of(labo: Any, levels: Any, kind: str = "survey") -> Catalogue:
    """Three shares of one survey, on the shipped references."""
    export = labo.export({"reponse": "string", "seconde": "string", "troisieme": "string"}, kind=kind)
    fields = ("reponse", "seconde", "troisieme")
    made = {
        name: labo.catalogue(
            {"estimator": ESTIMATOR, "year": "pooled", "decimals": 1, "levels": levels("pooled"), "range": [0, 100],
             "feed": {"inputs": {"answer": field}}}, export,
        )
        for name, field in zip(QUESTIONS, fields, strict=True)
    }  # fmt: skip
    indicators = {name: one.indicators["essai"] for name, one in made.items()}
    return dataclasses.replace(made["essai"], indicators=MappingProxyType(indicators))
