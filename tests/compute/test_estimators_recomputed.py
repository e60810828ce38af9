"""Every estimator against a recomputation that shares nothing with it: plain Python on the rows of each unit."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

REGIONS = {"30": "76", "31": "76", "75": "11", "2A": "94", "971": "01", "988": None, None: None}
OFFICES = [
    ("B1", "30"),
    ("B2", "30"),
    ("B3", "31"),
    ("B4", "75"),
    ("B5", "2A"),
    ("B6", "971"),
    ("B7", "988"),
    ("B8", None),
]
QUARTERS = ["2024-T1", "2024-T2", "2024-T3", "2024-T4"]
Rows = list[dict[str, Any]]


def _weighted(rows: Rows, name: str, coded: Callable[[Any], float | None]) -> tuple[float | None, int]:
    """The weighted mean of the coded answers, and how many people who weigh something gave one."""
    pairs = [(coded(row[name]), row["poids"]) for row in rows if row[name] is not None and row["poids"]]
    pairs = [(value, weight) for value, weight in pairs if value is not None]
    total = math.fsum(weight for _, weight in pairs)
    if not total:
        return None, 0
    return math.fsum(value * weight for value, weight in pairs) / total, len(pairs)


def _share(rows: Rows) -> tuple[float | None, int]:
    return _weighted(rows, "reponse", {"oui": 100, "non": 0}.get)


def _net(rows: Rows) -> tuple[float | None, int]:
    return _weighted(rows, "reponse", {"oui": 100, "non": -100}.get)


def _net_with_neutral(rows: Rows) -> tuple[float | None, int]:
    return _weighted(rows, "reponse", {"oui": 100, "non": -100, "bof": 0}.get)


def _score(rows: Rows) -> tuple[float | None, int]:
    return _weighted(rows, "reponse", {"oui": 10, "bof": 7.5, "non": 0}.get)


def _top_box(rows: Rows) -> tuple[float | None, int]:
    return _weighted(rows, "note", lambda note: None if not 1 <= note <= 5 else 100 * (note in (4, 5)))


def _nps(rows: Rows) -> tuple[float | None, int]:
    return _weighted(rows, "note", lambda note: 100 * ((note > 8) - (note < 7)))


def _ces(rows: Rows) -> tuple[float | None, int]:
    return _weighted(rows, "note", lambda note: note if note in range(1, 8) else None)


def _mean(rows: Rows) -> tuple[float | None, int]:
    return _weighted(rows, "mesure", lambda value: value)


def _median(rows: Rows) -> tuple[float | None, int]:
    """Weights are quarters: each value is repeated as many times as its weight has quarters."""
    kept = [row for row in rows if row["mesure"] is not None and row["poids"]]
    repeated = [row["mesure"] for row in kept for _ in range(round(4 * row["poids"]))]
    return (statistics.median(repeated), len(kept)) if repeated else (None, len(kept))


def _quantile(rows: Rows) -> tuple[float | None, int]:
    """Type 2 of Hyndman and Fan, each value repeated as many times as its weight has quarters."""
    kept = [row for row in rows if row["mesure"] is not None and row["poids"]]
    repeated = sorted(row["mesure"] for row in kept for _ in range(round(4 * row["poids"])))
    if not repeated:
        return None, len(kept)
    place = 0.75 * len(repeated)
    at = repeated[math.ceil(place) - 1]
    return ((at + repeated[int(place)]) / 2 if place == int(place) else at), len(kept)


def _within(rows: Rows) -> tuple[float | None, int]:
    return _weighted(rows, "mesure", lambda delay: None if delay < 0 else 100.0 * (delay <= 40))


def _between_dates(rows: Rows) -> tuple[float | None, int]:
    def days(row: dict[str, Any]) -> float | None:
        return None if row["debut"] is None or row["fin"] is None else (row["fin"] - row["debut"]).days

    return _weighted([{**row, "jours": days(row)} for row in rows], "jours",
                     lambda delay: None if delay < 0 else 100.0 * (delay <= 10))  # fmt: skip


def _ratio(rows: Rows) -> tuple[float | None, int]:
    kept = [row for row in rows if row["num"] is not None and row["den"] and row["poids"]]
    above, below = (math.fsum(row[name] * row["poids"] for row in kept) for name in ("num", "den"))
    return (100 * above / below if below else None), sum(row["den"] for row in kept)


@dataclass(frozen=True)
class Case:
    """An estimator as declared, its recomputation, its inputs, and how levels are made."""

    declared: dict[str, Any]
    recomputed: Callable[[Rows], tuple[float | None, int]]
    inputs: dict[str, str]
    obtained: str = "pooled"


ANSWER, RATING, VALUE = {"answer": "reponse"}, {"rating": "note"}, {"value": "mesure"}
POINTS = [{"answer": "oui", "points": 10}, {"answer": "bof", "points": 7.5}, {"answer": "non", "points": 0}]
SATISFIED = {"satisfied": ["oui"], "dissatisfied": ["non"]}
CASES = [
    Case({"name": "share", "favourable": ["oui"], "among": ["oui", "non"]}, _share, ANSWER),
    Case({"name": "top_box", "scale": [1, 5], "top": 2}, _top_box, RATING),
    Case({"name": "nps"}, _nps, RATING),
    Case({"name": "net_satisfaction", **SATISFIED}, _net, ANSWER),
    Case({"name": "net_satisfaction", **SATISFIED, "neutral": ["bof"]}, _net_with_neutral, ANSWER),
    Case({"name": "score", "points": POINTS}, _score, ANSWER),
    Case({"name": "ces", "scale": [1, 7], "best": "low"}, _ces, RATING),
    Case({"name": "mean"}, _mean, VALUE),
    Case({"name": "median"}, _median, VALUE),
    Case({"name": "quantile", "order": 0.75}, _quantile, VALUE),
    Case({"name": "within_deadline", "within": 40}, _within, {"delay": "mesure"}),
    Case({"name": "within_deadline", "within": 10}, _between_dates, {"start": "debut", "end": "fin"}),
    Case({"name": "ratio"}, _ratio, {"numerator": "num", "denominator": "den"}, "ratio_of_sums"),
]  # fmt: skip
FIELDS = {
    "reponse": "string", "note": "integer", "mesure": "number", "num": "integer", "den": "integer", "poids": "number",
    "debut": "date", "fin": "date",
}  # fmt: skip

row_strategy = st.fixed_dictionaries({
    "place": st.sampled_from(OFFICES),
    "periode": st.sampled_from(QUARTERS),
    "reponse": st.sampled_from(["oui", "non", "bof", "nsp", None]),
    "note": st.one_of(st.none(), st.integers(0, 10)),
    "mesure": st.one_of(st.none(), st.integers(-4000, 4000).map(lambda value: value / 8)),
    "num": st.one_of(st.none(), st.integers(0, 40)),
    "den": st.one_of(st.none(), st.integers(0, 60)),
    "debut": st.one_of(st.none(), st.dates(date(2024, 2, 20), date(2024, 3, 5))),
    "fin": st.one_of(st.none(), st.dates(date(2024, 2, 20), date(2024, 3, 25))),
    "poids": st.sampled_from([None, 0.0, 0.25, 0.5, 1.0, 1.75, 3.0]),
})  # fmt: skip


def unit_of(row: dict[str, Any], level: str, frequency: str) -> tuple[str, str | None, str | None, str] | None:
    """The published unit of a row at a level, or None: written from the rules, not from the code."""
    period = row["periode"] if frequency == "trimestrielle" else "2024"
    territory = {"national": "FR", "region": REGIONS[row["territoire"]]}.get(level, row["territoire"])
    if level != "site" and territory is None:
        return None
    return level, territory, row["structure"] if level == "site" else None, period


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.declared["name"])
@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rows=st.lists(row_strategy, min_size=1, max_size=50), weighted=st.booleans())
def test_all_units_are_as_recomputed(case: Case, weighted: bool, rows: Rows, labo, levels) -> None:
    rows = [{**row, "structure": row["place"][0], "territoire": row["place"][1]} for row in rows]
    if not weighted:
        rows = [{**row, "poids": 1.0} for row in rows]
    export = labo.export(FIELDS, frequency="quarter", weight="poids" if weighted else None)
    declared = {
        "estimator": case.declared,
        "year": case.obtained,
        "levels": levels(case.obtained),
        "feed": {"inputs": case.inputs},
    }
    results = labo.run(declared, export, rows).results
    units: dict[Any, Rows] = {}
    for row in rows:
        for level in ("site", "departement", "region", "national"):
            for frequency in ("trimestrielle", "annuelle"):
                unit = unit_of(row, level, frequency)
                if unit:
                    units.setdefault((frequency, *unit), []).append(row)
    found = {
        (line.frequence, line.maille, _text(line.territoire_code), _text(line.structure_code), line.periode): line
        for line in results.itertuples()
    }
    assert set(found) == set(units)
    assert len(results) == len(units)
    for unit, members in units.items():
        value, base = case.recomputed(members)
        line = found[unit]
        if value is None:
            assert pd.isna(line.valeur), f"{unit} : une base nulle ne donne aucune valeur, jamais 0"
            assert line.motif == "non-renseigne"
        else:
            assert line.valeur == pytest.approx(value, abs=1e-6)
            assert line.effectif == base


@settings(max_examples=5)
@given(values=st.lists(st.integers(-50, 50), min_size=1, max_size=12), weight=st.sampled_from([0.5, 2.0]))
def test_a_sum_adds_values_as_they_are_never_weighted(values: list[int], weight: float, labo, levels) -> None:
    rows = [{"n": value, "poids": weight, "structure": "B1", "territoire": "30"} for value in values]
    declared = {
        "estimator": {"name": "sum"},
        "year": "sum",
        "levels": levels("sum"),
        "feed": {"inputs": {"value": "n"}},
    }
    results = labo.run(declared, labo.export({"n": "integer", "poids": "number"}, weight="poids"), rows).results
    assert results["valeur"].tolist() == [float(sum(values))] * 4


@settings(max_examples=5)
@given(rows=st.lists(row_strategy, min_size=1, max_size=30), blank=st.booleans())
def test_a_count_counts_rows_or_filled_cells(rows: Rows, blank: bool, labo, levels, pick) -> None:
    rows = [{**row, "structure": row["place"][0], "territoire": row["place"][1]} for row in rows]
    declared = {
        "estimator": {"name": "count"},
        "year": "sum",
        "levels": levels("sum", "national"),
        "feed": {"inputs": {"value": "mesure"} if blank else {}, "where": {"reponse": ["oui", "non"]}},
    }
    kept = [row for row in rows if row["reponse"] in ("oui", "non")]
    results = labo.run(declared, labo.export(FIELDS), rows).results
    if not kept:
        assert results.empty
    else:
        expected = sum(row["mesure"] is not None for row in kept) if blank else len(kept)
        assert pick(results, maille="national")["valeur"] == expected


def test_zero_is_a_value_and_blank_is_none(labo, levels, pick) -> None:
    declared = {
        "estimator": {"name": "sum"},
        "year": "sum",
        "levels": levels("sum"),
        "feed": {"inputs": {"value": "n"}},
    }
    rows = [
        {"n": 0, "structure": "B1", "territoire": "30"},
        {"n": None, "structure": "B2", "territoire": "75"},
    ]
    results = labo.run(declared, labo.export({"n": "integer"}), rows).results
    assert pick(results, structure_code="B1")["valeur"] == 0
    assert pd.isna(pick(results, structure_code="B2")["valeur"])
    assert pd.isna(pick(results, maille="national")["valeur"])


def test_numerators_and_denominators_make_the_value(labo, levels, pick) -> None:
    rows = [{"note": note, "structure": "B1", "territoire": "30"} for note in [10, 9, 9, 8, 3, None]]
    declared = {"estimator": {"name": "nps"}, "year": "pooled", "levels": levels("pooled"), "feed": {"inputs": RATING}}
    line = pick(labo.run(declared, labo.export({"note": "integer"}), rows).results, maille="national")
    assert (line["numerateur"], line["denominateur"], line["effectif"], line["valeur"]) == (2, 5, 5, 40)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
