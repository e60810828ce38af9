"""Every accepted row is in the base of each indicator that it feeds, or counted under exactly one reason.

Random exports × every estimator of the registry, against a plain reading of each row; and the base is the published
national one, before secrecy.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd
import pytest
from fixtures.all_tables import national_tables
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipelines.compute.accounts import accounts_of
from pipelines.compute.network_year import compute_network_year
from pipelines.declarations.statuses import REASONS, Account
from pipelines.tables.national_inputs import NationalInputs
from pipelines.tables.quality import COUNTS

Row = dict[str, Any]
PLACES = [("site", "30", "B1"), ("site", "31", "B2"), ("site", None, "B3"), ("departement", "30", None)]
ANSWERS = {"favourable": ["oui"], "among": ["oui", "non", "bof"], "excluded": ["nsp"]}


def _answer(row: Row) -> str | None:
    if row["reponse"] is None:
        return "sans_reponse"
    return "reponse_exclue" if row["reponse"] == "nsp" else "hors_liste" if row["reponse"] == "zut" else None


def _note(low: int, high: int) -> Callable[[Row], str | None]:
    def reason(row: Row) -> str | None:
        note = row["note"]
        return "sans_reponse" if note is None else None if note == int(note) and low <= note <= high else "hors_echelle"

    return reason


def _note_between(low: int, high: int) -> Callable[[Row], str | None]:
    """A note that is not whole is refused by validation: without it, it is counted where it falls on the scale."""

    def reason(row: Row) -> str | None:
        return "sans_reponse" if row["note"] is None else None if low <= row["note"] <= high else "hors_echelle"

    return reason


def _value(row: Row) -> str | None:
    return "sans_reponse" if row["mesure"] is None else None


def _delay(row: Row) -> str | None:
    return _value(row) or ("delai_negatif" if row["mesure"] < 0 else None)


def _dates(row: Row) -> str | None:
    if row["debut"] is None or row["fin"] is None:
        return "sans_reponse"
    return "delai_negatif" if row["fin"] < row["debut"] else None


def _ratio(row: Row) -> str | None:
    halves = [row["num"], row["den"]]
    if None in halves:
        return "couple_incomplet" if halves != [None, None] else "sans_reponse"
    return "non_calculable" if row["den"] == 0 else None


@dataclass(frozen=True)
class Case:
    """An estimator as declared, its inputs, and the reason that its inputs give to a row."""

    declared: dict[str, Any]
    inputs: dict[str, str]
    reason: Callable[[Row], str | None]
    obtained: str = "pooled"
    weighted: bool = True
    feed: dict[str, Any] = field(default_factory=dict)


REPLY, NOTE, MEASURE = {"answer": "reponse"}, {"rating": "note"}, {"value": "mesure"}
CASES = {
    "share": Case({"name": "share", **ANSWERS}, REPLY, _answer),
    "net_satisfaction": Case({"name": "net_satisfaction", "satisfied": ["oui"], "dissatisfied": ["non"],
                              "neutral": ["bof"], "excluded": ["nsp"]}, REPLY, _answer),
    "score": Case({"name": "score", "excluded": ["nsp"], "points": [
        {"answer": "oui", "points": 10}, {"answer": "bof", "points": 5}, {"answer": "non", "points": 0}]},
                  REPLY, _answer),
    "top_box": Case({"name": "top_box", "scale": [1, 5], "top": 2}, NOTE, _note_between(1, 5)),
    "nps": Case({"name": "nps"}, NOTE, _note(0, 10)),
    "ces": Case({"name": "ces", "scale": [1, 7], "best": "high"}, NOTE, _note_between(1, 7)),
    "mean": Case({"name": "mean"}, MEASURE, _value),
    "median": Case({"name": "median"}, MEASURE, _value),
    "quantile": Case({"name": "quantile", "order": 0.9}, MEASURE, _value),
    "sum": Case({"name": "sum"}, MEASURE, _value, "sum", weighted=False),
    "count": Case({"name": "count"}, MEASURE, _value, "sum", weighted=False),
    "count of rows": Case({"name": "count"}, {}, lambda _: None, "sum", weighted=False),
    "ratio": Case({"name": "ratio"}, {"numerator": "num", "denominator": "den"}, _ratio, "ratio_of_sums"),
    "within_deadline": Case({"name": "within_deadline", "within": 10}, {"delay": "mesure"}, _delay),
    "within dates": Case({"name": "within_deadline", "within": 10}, {"start": "debut", "end": "fin"}, _dates),
}  # fmt: skip
FIELDS = {"reponse": "string", "note": "number", "mesure": "number", "debut": "date", "fin": "date", "num": "integer",
          "den": "integer", "poids": "number", "canal": "string"}  # fmt: skip
KEPT = TypeAdapter(Account)  # as the state keeps it
DAYS = st.none() | st.dates(date(2024, 1, 1), date(2024, 2, 1))
ROWS = st.lists(
    st.fixed_dictionaries({
        "place": st.sampled_from(PLACES),
        "periode": st.sampled_from(["2024-T1", "2024-T2"]),
        "reponse": st.sampled_from(["oui", "non", "bof", "nsp", "zut", None]),
        "note": st.sampled_from([0, 1, 4, 5, 6, 7, 8, 8.5, 9, 10, 99, -1, None]),
        "mesure": st.sampled_from([-3, 0, 2.5, 10, 40, None]),
        "debut": DAYS, "fin": DAYS,
        "num": st.sampled_from([None, 0, 3, 7]), "den": st.sampled_from([None, 0, 4, 9]),
        "poids": st.sampled_from([None, 0, 0.25, 1, 3]), "canal": st.sampled_from(["tel", "guichet", "Tel", None]),
    }),
    min_size=1, max_size=30,
)  # fmt: skip


def _expected(case: Case, row: Row, *, weighted: bool, chosen: bool) -> str | None:
    """The reason that a plain reading gives to a row; None when it is in the base."""
    if row["place"][0] != "site":
        return "autre_maille"
    if chosen and row["canal"] != "tel":
        return "condition_non_remplie"
    if told := case.reason(row):
        return told
    if weighted and case.weighted and not row["poids"]:
        return "poids_absent" if row["poids"] is None else "poids_nul"
    return None


def _agrees(account: Account, rows: int) -> None:
    """What holds of any account: nothing is lost, nothing is counted twice."""
    assert account.accepted == rows
    assert account.base + sum(account.outside.values()) == account.accepted
    assert set(account.outside) <= set(REASONS)
    assert all(count > 0 for count in account.outside.values())
    for reason, seen in account.seen.items():
        assert sum(count for _, count in seen) <= account.outside[reason]
    assert KEPT.validate_json(KEPT.dump_json(account)) == account


@pytest.mark.parametrize("name", CASES)
@given(rows=ROWS, weighted=st.booleans(), chosen=st.booleans())
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_in_the_base_or_under_one_reason(labo, levels, name, rows, weighted, chosen):
    case = CASES[name]
    niveau = {"field": "niveau", "values": {"site": "site", "departement": "departement"}}
    export = labo.export(FIELDS, level=niveau, frequency="quarter", **({"weight": "poids"} if weighted else {}))
    feed = {"inputs": case.inputs, **({"where": {"canal": ["tel"]}} if chosen else {})}
    catalogue = labo.catalogue(
        {"estimator": case.declared, "year": case.obtained, "levels": levels(case.obtained, "national"), "feed": feed},
        export,
    )  # fmt: skip
    lines = [{**row, "maille": row["place"][0], "territoire": row["place"][1], "structure": row["place"][2]}
             for row in rows]  # fmt: skip
    path = labo.write(export, lines)
    (account,) = accounts_of(catalogue, "labo", export, [2024], path)
    _agrees(account, len(rows))
    reasons = [_expected(case, row, weighted=weighted, chosen=chosen) for row in rows]
    assert account.outside == Counter(reason for reason in reasons if reason)
    inside = [row for row, reason in zip(rows, reasons, strict=True) if reason is None]
    results = compute_network_year(catalogue, "labo", 2024, {"essai": path}).results
    national = results[(results["maille"] == "national") & (results["periode"] == "2024")]
    _national_base(name, national, inside)


def _national_base(name: str, national: Any, inside: list[Row]) -> None:
    """The published national base, before secrecy, is made of the rows of the account's base."""
    published = national["effectif"].iloc[0] if len(national) else math.nan
    if name == "sum":
        return
    if name.startswith("count"):
        assert (national["valeur"].iloc[0] if len(national) else 0) == len(inside)
    elif name == "ratio":
        assert (0 if math.isnan(published) else published) == sum(row["den"] for row in inside)
    else:
        assert (0 if math.isnan(published) else published) == len(inside)


TYPED_ROWS = st.lists(
    st.tuples(
        st.sampled_from([("site", "30", "B1"), ("departement", "30", None), ("region", "76", None),
                         ("national", "FR", None)]),
        st.sampled_from(["2024-01", "2024-02", "2024-03"]), st.sampled_from([None, 0, 12.5, 80]),
        st.sampled_from(["a", "b"]),
    ),
    min_size=1, max_size=10, unique_by=lambda row: (row[0], row[1]),
)  # fmt: skip


@given(TYPED_ROWS, st.booleans(), st.booleans())
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_typed_values_are_used_or_said_not_to_be(labo, rows, yearly, chosen):
    niveau = {"field": "niveau", "values": {level: level for level in ("site", "departement", "region", "national")}}
    export = labo.export({"valeur": "number", "serie": "string"}, kind="values", level=niveau, frequency="month")
    feed = {"inputs": {"value": "valeur"}, **({"frequency": "year"} if yearly else {}),
            **({"where": {"serie": ["a"]}} if chosen else {})}  # fmt: skip
    catalogue = labo.catalogue(
        {"estimator": {"name": "declared"}, "year": "last",
         "levels": {"departement": {"obtained": "declared"}, "national": {"obtained": "declared"}}, "feed": feed},
        export,
    )  # fmt: skip
    lines = [{"maille": place[0], "territoire": place[1], "structure": place[2], "periode": period, "valeur": value,
              "serie": series} for place, period, value, series in rows]  # fmt: skip
    (account,) = accounts_of(catalogue, "labo", export, [2024], labo.write(export, lines))
    _agrees(account, len(rows))
    kept = [row for row in rows if row[0][0] in ("departement", "national") and (row[3] == "a" or not chosen)]
    known = [row for row in kept if row[2] is not None]
    last = {place: max(period for at, period, *_ in known if at == place) for place, *_ in known}
    used = [row for row in known if not yearly or row[1] == last[row[0]]]
    assert account.base == len(used)
    assert account.outside.get("autre_periode", 0) == len(known) - len(used)


def test_progress_and_transparency_say_what_makes_no_part(labo):
    three = {"current": "number", "initial": "number", "target": "number"}
    export = labo.export(three, kind="values")
    declared = {"site": {"obtained": "declared"}}
    feed = {"inputs": {name: name for name in three}}
    progress = {"estimator": {"name": "progress_rate"}, "year": "declared", "levels": declared, "feed": feed}
    rows = [(76, 6, 100), (5, 5, 5), (None, 1, 2), (8, 20, 10)]
    lines = [{**dict(zip(three, row, strict=True)), "structure": f"B{rank}"} for rank, row in enumerate(rows)]
    (account,) = accounts_of(labo.catalogue(progress, export), "labo", export, [2024], labo.write(export, lines))
    assert (account.base, account.outside) == (2, {"non_calculable": 1, "sans_reponse": 1})

    export = labo.export({"reseau": "string", "oui": "number", "sites": "number"}, frequency="quarter")
    feed = {"inputs": {"network": "reseau", "published": "oui", "sites": "sites"}, "frequency": "year"}
    share = {"national": {"obtained": "network_share"}}
    rate = {"estimator": {"name": "transparency_rate"}, "year": "last", "levels": share, "feed": feed}
    seen = [("a", 1, 2, "2024-T1"), ("a", 2, 2, "2024-T2"), ("b", 0, 0, "2024-T2"), (None, 1, 1, "2024-T2"),
            ("c", None, 3, "2024-T2")]  # fmt: skip
    lines = [{"reseau": name, "oui": yes, "sites": sites, "periode": period, "structure": "B1"}
             for name, yes, sites, period in seen]  # fmt: skip
    (account,) = accounts_of(labo.catalogue(rate, export), "labo", export, [2024], labo.write(export, lines))
    assert (account.base, account.outside) == (1, {"autre_periode": 1, "non_calculable": 1, "sans_reponse": 2})


def test_the_values_behind_a_reason_are_counted(labo, levels):
    export = labo.export(FIELDS)
    case = CASES["nps"]
    catalogue = labo.catalogue(
        {"estimator": case.declared, "year": "pooled", "levels": levels("pooled", "national"),
         "feed": {"inputs": case.inputs, "where": {"canal": ["tel"]}}},
        export,
    )  # fmt: skip
    lines = [{"canal": canal, "note": note, "structure": "B1"} for canal, note in
             [("tel", 9), ("tel", 99), ("tel", 99), ("tel", 98), ("Tel", 1), (None, 1), ("guichet", 3)]]  # fmt: skip
    (account,) = accounts_of(catalogue, "labo", export, [2024], labo.write(export, lines))
    assert account.seen["hors_echelle"] == (("99", 2), ("98", 1))
    assert dict(account.seen["condition_non_remplie"]) == {"": 1, "Tel": 1, "guichet": 1}


SURVEY = {"estimator": {"name": "nps"}, "year": "pooled", "levels": {"national": {"obtained": "pooled"}},
          "minimum_base": {"answers": 11, "why": "essai"}, "feed": {"inputs": {"rating": "note"}}}  # fmt: skip


def bases(labo: Any, answers: int) -> pd.DataFrame:
    """The published table, of a survey of so many answers and two blanks."""
    export = labo.export({"note": "number"}, kind="survey")
    catalogue = labo.catalogue(SURVEY, export)
    lines = [{"note": note, "structure": "B1"} for note in [9] * answers + [None, None]]
    path = labo.write(export, lines)
    (account,) = accounts_of(catalogue, "labo", export, [2024], path)
    made = compute_network_year(catalogue, "labo", 2024, {"essai": path}).results.assign(reseau="labo")
    line = {"reseau": "labo", "annee": 2024, "export": "essai", "indicateur": "essai",
            "lignes_acceptees": account.accepted, "lignes_base": account.base}  # fmt: skip
    receipt = {"reseau": "labo", "annee": 2024, "export": "essai", "etat": "accepté", "motif": None,
               "lignes_lues": len(lines), "lignes_acceptees": len(lines), "lignes_refusees": 0}  # fmt: skip
    findings = ["reseau", "annee", "export", "fichier", "empreinte", "regle", "colonne", "severite", "nombre",
                "premiere_ligne", "derniere_ligne", "message"]  # fmt: skip
    inputs = NationalInputs(
        receipts=pd.DataFrame([receipt]), results=made, discrepancies=pd.DataFrame(), structures=pd.DataFrame(),
        findings=pd.DataFrame(columns=findings), failed=frozenset(), synthetic=frozenset(),
        accounts=pd.DataFrame([{**dict.fromkeys(COUNTS, 0), **line, **account.outside}]),
    )  # fmt: skip
    return national_tables(catalogue, inputs)["bases"]


def test_the_published_counts_add_up(labo):
    (line,) = bases(labo, 12).to_dict("records")
    assert (line["lignes_acceptees"], line["lignes_base"], line["sans_reponse"]) == (14, 12, 2)
    assert sum(line[name] for name in COUNTS[1:]) == line["lignes_acceptees"]


def test_counts_that_would_tell_a_hidden_base_are_withheld(labo):
    (line,) = bases(labo, 5).to_dict("records")
    assert (line["reseau"], line["annee"], line["indicateur"]) == ("labo", 2024, "essai")
    assert all(line[name] is None for name in COUNTS)
