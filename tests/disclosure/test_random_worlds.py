"""Random surveys, up to three releases of each: a reader with linear programmes finds nothing closer than declared.

He has all the tables ever published, knows which of yesterday's figures still hold, and puts the questions together.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
import pytest
from attacker import Attacker, key_of
from worlds import MINIMUM, QUESTIONS, REGIONS, catalogue_of, random_world, revised

from pipelines.declarations import Catalogue
from pipelines.disclosure.audit import audit, known_of_year, refusals, secret_figures
from pipelines.disclosure.results_table import protected

LONG = bool(os.environ.get("RESULTATS_LONG"))
CHUNKS = range(300 if LONG else 8)  # of WORLDS each
WORLDS, CELLS, WIDTH, NOTHING = 10, 5, 5.0, 1e-6
Key = tuple[str, ...]
BLANK = {"statut_confidentialite": "C", **dict.fromkeys(("valeur", "effectif", "numerateur", "denominateur"), np.nan)}


@pytest.fixture(scope="module")
def survey(labo: Any, levels: Any) -> Catalogue:
    return catalogue_of(labo, levels)


def figures(table: pd.DataFrame) -> dict[Key, tuple[float, float]]:
    return {
        key_of(row): (float(np.nan_to_num(row["effectif"])), float(np.nan_to_num(row["numerateur"])))
        for row in table.to_dict("records")
    }


def holding(tables: list[pd.DataFrame], truth: dict[Key, tuple[float, float]]) -> dict[Key, tuple[float, float]]:
    """The figures that earlier releases showed and that are still true, whether they still are shown or not."""
    told: dict[Key, tuple[float, float]] = {}
    for table in tables:
        told |= figures(table[table["statut_confidentialite"].eq("F")])
    return {key: figure for key, figure in told.items() if truth.get(key, (0.0, 0.0)) == figure}


def unseen(nowhere: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """People whom no row names, as a reader has to think of them: in any period."""
    periods = table.loc[table["maille"].eq("national"), ["indicateur", "periode", "frequence"]].drop_duplicates()
    places = nowhere.drop(columns=["indicateur", "periode", "frequence"]).drop_duplicates("structure_code")
    return periods.merge(places, how="cross").assign(**BLANK)


def check(seed: int, catalogue: Catalogue) -> int:
    """Attack each release of a world; return how many hidden cells were attacked."""
    random = np.random.default_rng(seed)
    world, tables, attacked = random_world(random), [], 0
    for number in range(3 if seed % 2 else 1):
        world = revised(random, world) if number else world
        results = world.results()
        table = protected(results, catalogue, tables)
        secrets = secret_figures(results, table)
        assert refusals(audit(table, catalogue, secrets, tables)).empty, seed
        known = known_of_year(table, secrets, catalogue, tables)
        told = {key_of(row) for row in known[known["montree"]].to_dict("records")}
        bounds = {key_of(row): (row["borne_basse"], row["borne_haute"]) for row in known.to_dict("records")}
        hidden = [key_of(row) for row in table[table["statut_confidentialite"].ne("F")].to_dict("records")]
        cells = [hidden[at] for at in random.permutation(len(hidden))[:CELLS] if hidden[at] not in told]
        if cells:
            truth = figures(results)
            nowhere = world.unnamed()
            seen = pd.concat([table, unseen(nowhere, table)], ignore_index=True) if len(nowhere) else table
            truth |= figures(nowhere)
            cells += [key for key in map(key_of, nowhere.to_dict("records")) if 0 < truth[key][0] < MINIMUM][:CELLS]
            attack(seen, holding(tables, truth), truth, cells, bounds, (seed, number))
        attacked += len(cells)
        tables.append(table)
    return attacked


def within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] - NOTHING <= value <= limits[1] + NOTHING


def attack(table, old, truth, cells: list[Key], bounds, place: tuple[int, int]) -> None:
    first = "" if place[1] else QUESTIONS[0]  # a place kept from an earlier release may have nobody
    joint = Attacker(table, REGIONS, old, first)
    alone = {
        name: Attacker(rows, REGIONS, {key: figure for key, figure in old.items() if key[0] == name}, first)
        for name, rows in table[table["indicateur"].isin({key[0] for key in cells})].groupby("indicateur")
    }
    careful = Attacker(table, REGIONS, old, first, truth)
    assert careful.possible and all(attacker.possible for attacker in alone.values()), place
    for key in cells:
        base, _ = truth.get(key, (0.0, 0.0))
        best = joint if joint.possible and within(base, joint.base(key)) else careful  # misled by two questions
        low, high = best.base(key)
        assert within(base, (low, high)), (place, key, low, high)
        if base == 0 and high < NOTHING:
            continue  # nobody was there whom anything could be known of
        assert high - low >= WIDTH - NOTHING, (place, key, low, high)
        least, greatest = alone[key[0]].base(key)
        claimed = bounds.get(key, (0.0, np.inf))
        if np.isfinite(claimed[1]):
            assert least - NOTHING <= claimed[0] <= base <= claimed[1] <= greatest + NOTHING, (place, key, claimed)
        if base:
            assert best.favourable(key)[1] > NOTHING, (place, key, "0 %")
            assert best.unfavourable(key) > NOTHING, (place, key, "100 %")


@pytest.mark.parametrize("chunk", CHUNKS)
def test_nothing_hidden_is_known_more_closely_than_declared(survey: Catalogue, chunk: int) -> None:
    attacked = sum(check(seed, survey) for seed in range(chunk * WORLDS, (chunk + 1) * WORLDS))
    assert attacked, "no cell was hidden: the worlds are too rich"


@pytest.mark.parametrize("seed", [877, 2833])  # people in no place, all alike; a reader misled by two questions
def test_what_the_long_tier_found_once_holds(survey: Catalogue, seed: int) -> None:
    assert check(seed, survey)


def test_the_attacker_finds_what_is_not_protected(survey: Catalogue) -> None:
    """With only the small cells hidden, he finds many: the attack that finds nothing above isn't blind."""
    exposed = 0
    for seed in range(20):
        results = random_world(np.random.default_rng(seed)).results()
        table = results.copy()
        small = table["statut_confidentialite"].eq("C")
        table.loc[small, ["effectif", "numerateur", "denominateur", "valeur"]] = np.nan
        attacker = Attacker(table, REGIONS, {}, QUESTIONS[0])
        for row in table[small].head(CELLS).to_dict("records"):
            low, high = attacker.base(key_of(row))
            exposed += high - low < WIDTH
        refused = refusals(audit(table, survey, secret_figures(results, table)))
        exposed += len(refused)
    assert exposed > 50
