"""Every row of every estimator is found again by the product and by a second path: weighted, calibrated, typed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from fixtures.explained_run import House, Judge, export, judged, levels
from oracle.second_path.judge import SecondPath

from pipelines.declarations.estimators import ESTIMATORS, name_of
from pipelines.explain import Explainer

pytestmark = pytest.mark.e2e  # two whole runs of many networks

OFFICES = [("B1", "30"), ("B2", "30"), ("B3", "34"), ("B4", "1"), ("B5", "2A"), ("B6", "975"), ("B7", "75")]
COLUMNS = {
    "numero": {"constraints": {"required": True}},
    "avis": {"missingValues": ["", "nsp"]},
    "note": {"type": "integer", "missingValues": ["", "ns"],
             "absences": {"": "non-renseigne", "ns": "non-significatif"}},
    "montant": "number", "pris": "integer", "appels": "integer", "debut": "date", "fin": "date",
    "poids": "number", "sexe": {"constraints": {"enum": ["F", "H"]}}, "age": "integer",
}  # fmt: skip
AVIS = {"answer": "avis"}
FROM_ROWS: dict[str, tuple[Mapping[str, Any], str, Mapping[str, str]]] = {
    "share": ({"favourable": ["oui"], "among": ["oui", "non"], "excluded": ["bof"]}, "pooled", AVIS),
    "net_satisfaction": ({"satisfied": ["oui"], "dissatisfied": ["non"], "neutral": ["bof"]}, "pooled", AVIS),
    "score": (
        {"points": [{"answer": "oui", "points": 10}, {"answer": "bof", "points": 2.5}, {"answer": "non", "points": 0}]},
        "pooled", AVIS,
    ),
    "top_box": ({"scale": [0, 10], "top": 3}, "pooled", {"rating": "note"}),
    "nps": ({}, "pooled", {"rating": "note"}),
    "ces": ({"scale": [1, 7], "best": "high"}, "pooled", {"rating": "note"}),
    "mean": ({}, "pooled", {"value": "montant"}),
    "median": ({}, "pooled", {"value": "montant"}),
    "quantile": ({"order": 0.9}, "pooled", {"value": "montant"}),
    "within_deadline": ({"within": 3}, "pooled", {"start": "debut", "end": "fin"}),
    "sum": ({}, "sum", {"value": "pris"}),
    "count": ({}, "sum", {"value": "pris"}),
    "ratio": ({"factor": 100}, "ratio_of_sums", {"numerator": "pris", "denominator": "appels"}),
}  # fmt: skip
SEX = {"field": "sexe", "shares": {"F": 52, "H": 48}, "source": "essai", "date": "2024-01-01"}
AGE = {"field": "age", "totals": {"1": 300, "2": 500, "3": 200}, "source": "essai", "date": "2024-01-01"}
WEIGHTINGS: dict[str, dict[str, Any]] = {
    "simple": {},
    "pese": {"weight": "poids"},
    "cale": {"calibration": [{"years": 2024, "margins": [SEX, AGE]}]},
    "borne": {"weight": "poids", "calibration": [{"years": 2024, "margins": [SEX], "bounds": [0.5, 2]}]},
    "recense": {"kind": "operations"},
}


def rows(seed: int, count: int = 260) -> list[str]:
    draw = random.Random(seed)
    lines = []
    for number in range(count):
        bureau, lieu = draw.choice(OFFICES)
        day, month = draw.randint(1, 28), draw.choice([1, 2, 3, 5, 8, 11])
        cells = [
            f"{day:02d}/{month:02d}/2024", lieu, bureau, f"R{number}", draw.choice(["oui", "non", "bof", "nsp", ""]),
            draw.choice([*map(str, range(11)), "", "ns"]), f"{draw.gauss(10, 6):.2f}".replace(".", ","),
            str(draw.randint(0, 9)) if draw.random() < 0.95 else "", str(draw.randint(9, 12)),
            f"2024-02-{draw.randint(1, 10):02d}", draw.choice(["", f"2024-02-{draw.randint(1, 20):02d}"]),
            f"{draw.uniform(0.2, 4):.3f}".replace(".", ","), draw.choice("FH"), draw.choice("123"),
        ]  # fmt: skip
        lines.append(";".join(cells))
    for number in range(0, count, 9):  # weighs nothing, or has no denominator
        cells = lines[number].split(";")
        cells[8 if number % 2 else 11] = "0"
        lines[number] = ";".join(cells)
    lines += [f"03/02/2024;34;B8;V{number};oui;9;1,00;3;0;2024-02-01;;0,000;F;1" for number in range(12)]  # all of B8
    lines[100] = lines[100].replace("2024-02", "2024-13")  # refused: not a date
    lines[150] = ";".join([lines[150].split(";")[0], "99", *lines[150].split(";")[2:]])  # refused: no such place
    return lines


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Explainer:
    house = House(tmp_path_factory.mktemp("observed"))
    for seed, (name, settings) in enumerate(WEIGHTINGS.items()):
        layouts = [{"years": 2024, "path": f"{name}-{{year}}.csv", "delimiter": ";", "decimalChar": ","}]
        house.network(name, export("avis", COLUMNS, layouts=layouts, **settings))
        header = ";".join(["jour", "lieu", "bureau", *COLUMNS])
        house.hand_over(f"{name}-2024.csv", header, *rows(seed))
    for estimator, (parameters, method, inputs) in FROM_ROWS.items():
        feed = {"export": "avis", "inputs": dict(inputs)}
        filtered = {**feed, "where": {"sexe": ["F"]}}
        networks = {name: filtered if name == "pese" else feed for name in WEIGHTINGS}
        declared = {"name": estimator, **parameters}
        house.indicator(
            estimator.replace("_", "-"), estimator=declared, year=method, levels=levels(method), networks=networks,
            **({"direction": "higher"} if estimator == "ces" else {}),
        )  # fmt: skip
    return house.run()


@pytest.fixture(scope="module")
def second(observed) -> SecondPath:
    """The second path, which remembers what it computed."""
    return SecondPath(observed)


@pytest.fixture(scope="module", params=["product", "second path"])
def judge(request, observed, second) -> Judge:
    return observed if request.param == "product" else second


def test_every_row_of_every_estimator_is_found_again(observed, judge):
    checked = judged(judge, observed.release.results)
    wrong = checked[checked["accord"].eq(False)]
    assert wrong.empty, wrong[["reseau", "indicateur", "periode", "maille", "valeur", "desaccords"]].to_string()
    agreed = checked[checked["accord"].eq(True) & checked["valeur"].notna()]
    assert {
        (name.replace("-", "_"), network) for name, network in zip(agreed["indicateur"], agreed["reseau"], strict=True)
    } == {(name, network) for name in FROM_ROWS for network in WEIGHTINGS}
    assert set(agreed["maille"]) == {"site", "departement", "region", "national"}
    assert {4, 7} == set(agreed["periode"].str.len())
    assert set(checked["motif_absence"].dropna()) >= {"secret statistique", "données incomplètes"}


def test_no_recomputed_row_is_left_unpublished(observed, second):
    published = observed.release.results
    for (network, indicator), mine in published.groupby(["reseau", "indicateur"]):
        keys = mine[["periode", "maille", "territoire_code", "structure_code"]].fillna("")
        recomputed = set(second.recomputed(network, 2024, indicator).lines)
        assert recomputed == set(observed.trace(network, 2024, indicator).results)
        assert recomputed <= set(keys.itertuples(index=False, name=None))
        # Beside what is secret, a period in which nobody answered is a hidden row too: its absence would tell it.
        nobody = [key not in recomputed for key in keys.itertuples(index=False, name=None)]
        assert set(mine.loc[nobody, "statut_confidentialite"]) <= {"C"}


@pytest.mark.parametrize(("column", "change"), [
    ("valeur", 0.002), ("effectif", 1), ("effectif_pondere", 2), ("numerateur", 0.01), ("denominateur", 0.01),
    ("borne_basse", 0.01), ("borne_haute", -0.01),
])  # fmt: skip
def test_a_figure_changed_in_the_release_is_noticed(observed, judge, column, change):
    published = observed.release.results
    mine = published[published[column].notna() & published["valeur"].notna()].copy()
    if column.startswith("borne") and judge is not observed:  # the second path computes none of these again
        mine = mine[~mine["indicateur"].isin(["median", "quantile"]) & ~mine["reseau"].isin(["cale", "borne"])]
    assert len(mine) > 100
    mine[column] = mine[column].astype("float64") + change
    assert not judged(judge, mine)["accord"].any()


def test_the_rows_behind_each_value_are_those_of_the_second_path(observed, second, typed):
    for explainer, path in ((observed, second), (typed, SecondPath(typed))):
        rows = explainer.release.results.sample(150, random_state=2024)
        assert [found for row in rows.to_dict("records") if (found := path.other_rows(row))] == []


def test_every_estimator_is_tested_here():
    names = {name_of(estimator) for estimator in ESTIMATORS}
    assert names == {*FROM_ROWS, "declared", "progress_rate", "transparency_rate"}


TYPED = {
    "maille": {}, "valeur": {"type": "number", "missingValues": ["", "ns", "so"],
               "absences": {"": "non-renseigne", "ns": "non-significatif", "so": "sans-objet"}},
    "base": "integer", "depart": "number", "but": "number", "reseau": {}, "publiants": "integer", "sites": "integer",
}  # fmt: skip


def typed_rows(seed: int) -> list[str]:
    draw = random.Random(seed)
    lines = []
    for month in range(1, 13):
        for lieu in ("30", "34", "01", "69", "75"):
            if draw.random() < 0.04:
                continue
            value = draw.choice(["ns", "so", ""]) if draw.random() < 0.06 else f"{draw.uniform(0, 100):.2f}"
            cells = [f"01/{month:02d}/2024", lieu, "", "departement", value.replace(".", ","),
                     str(draw.randint(1, 60)), "5", "95"]  # fmt: skip
            lines.append(";".join([*cells, draw.choice("abcd"), str(draw.randint(0, 5)), str(draw.randint(0, 5))]))
        lines.append(f"01/{month:02d}/2024;;;national;51;90;5;{draw.choice(['95', '5'])};n;1;1")
    return lines


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Explainer:
    house = House(tmp_path_factory.mktemp("typed"))
    level = {"field": "maille", "values": {name: name for name in ("departement", "national")}}
    networks = [f"type{seed}" for seed in range(6)]
    for seed, name in enumerate(networks):
        layouts = [{"years": 2024, "path": f"{name}.csv", "delimiter": ";", "decimalChar": ","}]
        settings = {"layouts": layouts, "level": level, "kind": "values"}
        house.network(name, export("valeurs", TYPED, period={"field": "jour", "frequency": "month"}, **settings))
        house.hand_over(f"{name}.csv", ";".join(["jour", "lieu", "bureau", *TYPED]), *typed_rows(seed))
    feed = {"export": "valeurs", "inputs": {"value": "valeur", "base": "base"}}
    feeds = dict.fromkeys(networks, feed)
    declared, parts = levels("declared", "departement", "national"), levels("declared", "departement")
    for year, made in (("last", "sum"), ("sum", "sum"), ("weighted_mean", "weighted_mean")):
        house.indicator(f"typee-{year.replace('_', '-')}", estimator={"name": "declared"}, year=year,
                        levels={**parts, **levels(made, "region", "national")}, networks=feeds)  # fmt: skip
    progress = {"export": "valeurs", "inputs": {"current": "valeur", "initial": "depart", "target": "but"}}
    house.indicator("progres", estimator={"name": "progress_rate"}, year="last", levels=declared,
                    networks=dict.fromkeys(networks, progress))  # fmt: skip
    counts = {"export": "valeurs", "inputs": {"network": "reseau", "published": "publiants", "sites": "sites"}}
    house.indicator("transparence", estimator={"name": "transparency_rate"}, year="last",
                    levels={**levels("network_mean", "departement", "region"), **levels("network_share", "national")},
                    networks=dict.fromkeys(networks, counts))  # fmt: skip
    return house.run()


@pytest.fixture(scope="module", params=["product", "second path"])
def typed_judge(request, typed) -> Judge:
    return typed if request.param == "product" else SecondPath(typed)


def test_every_typed_row_is_found_again(typed, typed_judge):
    checked = judged(typed_judge, typed.release.results)
    wrong = checked[~checked["accord"].eq(True)]
    assert wrong.empty, wrong[["reseau", "indicateur", "periode", "maille", "valeur", "desaccords"]].to_string()
    known = checked[checked["valeur"].notna()]
    assert set(known["indicateur"]) == {
        "typee-last", "typee-sum", "typee-weighted-mean", "progres", "transparence"
    }  # fmt: skip
    assert set(checked["motif_absence"].dropna()) >= {
        "données incomplètes", "non significatif", "non renseigné", "sans objet"
    }  # fmt: skip


def test_a_typed_figure_changed_in_the_release_is_noticed(typed, typed_judge):
    mine = typed.release.results.dropna(subset=["valeur"]).copy()
    mine["valeur"] = mine["valeur"].astype("float64") + 0.002
    assert not judged(typed_judge, mine)["accord"].any()
