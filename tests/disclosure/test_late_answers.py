"""Releases subtracted from one another: what came in between is never the answers of a few people."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from attacker import KEY, PLACE, Attacker, key_of
from worlds import MINIMUM, REGIONS, World, catalogue_of, random_world, with_late_answers

from pipelines.declarations import Catalogue
from pipelines.disclosure.audit import audit, refusals, secret_figures
from pipelines.disclosure.results_table import protected
from pipelines.disclosure.revised import unless_few

LONG = bool(os.environ.get("RESULTATS_LONG"))
CHUNKS, WORLDS = range(100 if LONG else 4), 10
FIGURES = ["effectif", "numerateur"]


@pytest.fixture(scope="module")
def survey(labo: Any, levels: Any) -> Catalogue:
    return catalogue_of(labo, levels)


def releases_of(seed: int, catalogue: Catalogue) -> list[pd.DataFrame]:
    """Three releases of a world to which answers come late; each passes the audit."""
    random = np.random.default_rng(seed)
    world: World = random_world(random, 5)
    tables: list[pd.DataFrame] = []
    for number in range(3):
        world = with_late_answers(random, world) if number else world
        results = world.results()
        table = unless_few(protected(results, catalogue, tables), catalogue, tables)
        assert refusals(audit(table, catalogue, secret_figures(results, table), tables)).empty, (seed, number)
        tables.append(table)
    return tables


def difference(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """A row per cell: how much it moved, C where either release hides it; a row that isn't there has nobody."""
    sides = [
        table.astype(dict.fromkeys(PLACE, "object"))
        .fillna(dict.fromkeys(PLACE, ""))
        .set_index(KEY)[[*FIGURES, "statut_confidentialite"]]
        for table in (old, new)
    ]
    both = sides[0].add_suffix("_avant").join(sides[1], how="outer")
    hidden = both["statut_confidentialite"].eq("C") | both["statut_confidentialite_avant"].eq("C")
    moved = {name: (both[name].fillna(0.0) - both[f"{name}_avant"].fillna(0.0)).mask(hidden) for name in FIGURES}
    return pd.DataFrame({**moved, "statut_confidentialite": np.where(hidden, "C", "F")}).reset_index()


def told_sums(moved: pd.DataFrame) -> list[tuple[str, float, float]]:
    """Each figure that moved, and what those below it leave of it: places, and periods of a year."""
    shown = {key_of(row): (row["effectif"], row["numerateur"]) for row in moved.to_dict("records")
             if row["statut_confidentialite"] == "F"}  # fmt: skip
    attacker = Attacker(moved, REGIONS, {}, "")
    found = [(" ".join(key), *figure) for key, figure in shown.items()]
    for key, figure in shown.items():
        places = [child for child in attacker.at if attacker._parent(child) == key]
        periods = [
            (key[0], period, *key[2:]) for period in {cell[1] for cell in attacker.at} if len(period) > len(key[1])
        ]
        for children in (places, [cell for cell in periods if cell in attacker.at]):
            if children:
                rest = [total - sum(shown.get(child, (0.0, 0.0))[part] for child in children)
                        for part, total in enumerate(figure)]  # fmt: skip
                found.append((f"reste de {key}", *rest))
    return found


@pytest.mark.parametrize("chunk", CHUNKS)
def test_what_moves_moves_by_the_threshold_or_more(survey: Catalogue, chunk: int) -> None:
    moved_at_all = stayed = 0
    for seed in range(chunk * WORLDS, (chunk + 1) * WORLDS):
        for old, new in pairwise(releases_of(seed, survey)):
            moved = difference(old, new)
            for what, base, favourable in told_sums(moved):
                assert base == 0 or abs(base) >= MINIMUM, (seed, what, base)
                assert base or favourable == 0 or abs(favourable) >= MINIMUM, (seed, what, favourable)
            shown = moved[moved["statut_confidentialite"].eq("F")]
            moved_at_all += bool(shown["effectif"].ne(0).any())
            stayed += bool(new["statut_observation"].eq("P").any())
            none_told_by_programme(moved, seed)
    assert moved_at_all
    assert stayed


def none_told_by_programme(moved: pd.DataFrame, seed: int) -> None:
    """A reader who knows that answers were only added finds the exact number of none that are few."""
    attacker = Attacker(moved, REGIONS, {}, "")
    if not attacker.possible:
        return  # some were put right: he was misled
    for row in moved[moved["statut_confidentialite"].eq("C")].head(4).to_dict("records"):
        low, high = attacker.base(key_of(row))
        assert high - low > 1e-6 or low < 1e-6 or low >= MINIMUM, (seed, key_of(row), low)


def test_the_attack_sees_what_is_published_without_the_rule(survey: Catalogue) -> None:
    random, few = np.random.default_rng(5), 0
    for _ in range(10):
        world = random_world(random, 5)
        old, new = (protected(one.results(), survey) for one in (world, with_late_answers(random, world)))
        few += any(0 < abs(base) < MINIMUM for _, base, _ in told_sums(difference(old, new)))
    assert few > 2
