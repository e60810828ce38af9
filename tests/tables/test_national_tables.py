"""The national tables: absences and their reasons, the year before, targets, coverage, anomalies, discrepancies."""

from __future__ import annotations

import datetime
from typing import Any

import pandas as pd
import pytest
from fixtures.all_tables import national_tables

from pipelines.compile.table_schema import TYPES
from pipelines.compute.network_year import RESULT_COLUMNS
from pipelines.declarations import Catalogue
from pipelines.flow.barometer_waves import BAROMETER_TABLES
from pipelines.flow.gather import declared_table
from pipelines.signal_tables.tables_of_signals import SIGNAL_TABLES
from pipelines.tables.national_inputs import NationalInputs

RECEIPT = {"etat": "accepté", "motif": None, "lignes_lues": 10, "lignes_acceptees": 9, "lignes_refusees": 1}
FINDINGS = ["reseau", "annee", "export", "fichier", "empreinte", "regle", "colonne", "severite", "nombre",
            "premiere_ligne", "derniere_ligne", "message"]  # fmt: skip
INDICATOR = {
    "estimator": {"name": "declared"},
    "year": "last",
    "levels": {level: {"obtained": "declared"} for level in ("departement", "region", "national")},
    "feed": {
        "inputs": {"value": "valeur"},
        "targets": [
            {"year": 2025, "value": 90},
            {"year": 2023, "value": 70},
            {"year": 2024, "value": 50, "level": "departement"},
        ],
    },
}


@pytest.fixture
def small(labo) -> Catalogue:
    return labo.catalogue({**INDICATOR, "breaks": [{"year": 2025, "why": "nouvelle question"}]}, labo.typed_export())


def _result(year: int, value: float | None, **other: Any) -> dict[str, Any]:
    return {
        "reseau": "labo", "indicateur": "essai", "annee": year, "periode": str(year), "frequence": "annuelle",
        "maille": "national", "territoire_code": "FR", "valeur": value, "statut_observation": "A",
        "statut_confidentialite": "F", "mode_obtention": "comme ça", "date_reference": datetime.date(year, 12, 31),
        "source": "labo/essai", **other,
    }  # fmt: skip


def _tables(
    catalogue: Catalogue,
    results: list[dict[str, Any]],
    receipts: dict[int, dict[str, Any]] | None = None,
    *,
    failed: tuple[int, ...] = (),
    findings: list[dict[str, Any]] | None = None,
    discrepancies: pd.DataFrame | None = None,
    structures: pd.DataFrame | None = None,
    synthetic: bool = False,
) -> dict[str, pd.DataFrame]:
    every = dict.fromkeys((2023, 2024, 2025), RECEIPT) if receipts is None else receipts
    frame = pd.DataFrame(results, columns=["reseau", *RESULT_COLUMNS])
    kinds = {name: "object" if kind == "str" else kind for name, kind in RESULT_COLUMNS.items()}
    lines = [{"reseau": "labo", "annee": year, "export": "essai", **receipt} for year, receipt in every.items()]
    return national_tables(catalogue, NationalInputs(
        receipts=pd.DataFrame(lines, columns=["reseau", "annee", "export", *RECEIPT]),
        results=frame.astype(kinds) if len(frame) else frame,
        discrepancies=pd.DataFrame() if discrepancies is None else discrepancies,
        structures=pd.DataFrame() if structures is None else structures,
        findings=pd.DataFrame(findings or [], columns=FINDINGS, dtype="object"),
        failed=frozenset(("labo", year, indicator) for year in failed for indicator in catalogue.indicators),
        synthetic=frozenset(("labo", year) for year in (2023, 2024, 2025) if synthetic),
    ))  # fmt: skip


# Absences


@pytest.mark.parametrize(
    ("receipt", "failed", "label", "status", "counts"),
    [
        ({"etat": "non transmis", "motif": "non-transmis"}, False, "non transmis", "L", False),
        ({**RECEIPT, "etat": "rejeté", "motif": "rejete"}, False, "rejeté", "O", True),
        (
            {**RECEIPT, "etat": "non transmis", "motif": "non-transmis", "lignes_lues": 0},
            False,
            "non transmis",
            "L",
            False,
        ),
        ({"etat": "erreur", "motif": "erreur-traitement"}, False, "erreur de traitement", "O", False),
        ({"etat": "non traité", "motif": "non-traite"}, False, "non traité", "L", False),
        (RECEIPT, True, "erreur de traitement", "O", True),
        (RECEIPT, False, "non renseigné", "O", True),
        (None, False, "non transmis", "L", False),
    ],
)
def test_an_expected_result_that_is_absent_is_a_row_with_its_reason(
    receipt: dict[str, Any] | None, failed: bool, label: str, status: str, counts: bool, small: Catalogue, pick
) -> None:
    receipts = {2023: RECEIPT, 2025: RECEIPT} | ({2024: receipt} if receipt else {})
    results = [_result(2023, 1.0), _result(2025, 3.0)]
    tables = _tables(small, results, receipts, failed=(2024,) if failed else ())
    line = pick(tables["resultats"], annee=2024)
    assert pd.isna(line["valeur"])
    assert line["motif_absence"] == label
    assert (line["statut_observation"], line["statut_confidentialite"]) == (status, "F")
    assert (line["maille"], line["territoire_code"], line["territoire"]) == ("national", "FR", "France")
    assert (line["periode"], line["frequence"], line["source"]) == ("2024", "annuelle", "labo/essai")
    covered = pick(tables["couverture"], annee=2024)
    assert (covered["etat"], covered["motif_absence"]) == ("absent", label)
    assert (covered["valeurs_publiees"], covered["valeurs_absentes"]) == (0, 1)
    made_of = 0 if receipt and receipt["etat"] == "rejeté" else 9
    for table in (covered, pick(tables["receptions"], annee=2024)):
        rows = table[["lignes_lues", "lignes_acceptees", "lignes_refusees"]]
        assert rows.isna().all() if not counts else rows.tolist() == [10, made_of, 1]
    quality = pick(tables["qualite"], annee=2024)[["lignes_lues", "lignes_acceptees", "validite"]]
    assert quality.isna().all() if not counts else quality.tolist() == [10, made_of, 10 * made_of]


def test_nothing_at_all_is_still_three_absences(small: Catalogue) -> None:
    tables = _tables(small, [], {})
    assert tables["resultats"]["motif_absence"].tolist() == ["non transmis"] * 3
    assert tables["couverture"]["etat"].tolist() == ["absent"] * 3


def test_what_is_known_finer_than_the_year_does_not_hide_the_missing_year(small: Catalogue, pick) -> None:
    monthly = _result(2024, 5.0, periode="2024-03", frequence="mensuelle")
    tables = _tables(small, [_result(2023, 1.0), monthly, _result(2025, 1.0)])
    assert pick(tables["resultats"], periode="2024")["motif_absence"] == "non renseigné"
    assert pick(tables["couverture"], annee=2024)["etat"] == "partiel"


@pytest.mark.parametrize(
    ("motif", "statuses"),
    [
        ("secret-statistique", ("Q", "C")),
        ("base-insuffisante", ("O", "F")),
        ("donnees-incompletes", ("O", "F")),
        ("sans-objet", ("M", "F")),
        ("non-significatif", ("O", "F")),
        ("non-disponible", ("O", "F")),
    ],
)
def test_an_absent_value_has_the_statuses_of_its_reason(
    motif: str, statuses: tuple[str, str], small: Catalogue, pick
) -> None:
    line = pick(_tables(small, [_result(2024, None, motif=motif, statut_observation="P")])["resultats"], annee=2024)
    assert (line["statut_observation"], line["statut_confidentialite"]) == statuses
    assert line["motif_absence"] == small.reasons[motif].label


def test_a_value_keeps_its_statuses_and_has_no_reason(small: Catalogue, pick) -> None:
    line = pick(_tables(small, [_result(2024, 0.0, statut_observation="P")])["resultats"], annee=2024)
    assert (line["valeur"], line["statut_observation"], line["statut_confidentialite"]) == (0, "P", "F")
    assert pd.isna(line["motif_absence"])
    assert (line["type_indicateur"], line["unite"], line["nature_donnees"]) == ("performance", "points", "réelles")


def test_what_is_made_from_samples_says_so(small: Catalogue) -> None:
    assert set(_tables(small, [], synthetic=True)["resultats"]["nature_donnees"]) == {"synthétiques"}


# A year before


def _compared(small: Catalogue, pick, before: dict[str, Any], after: dict[str, Any]) -> pd.Series:
    return pick(_tables(small, [_result(2023, **before), _result(2024, **after)])["resultats"], annee=2024)


def test_the_value_of_the_year_before_and_the_change(small: Catalogue, pick) -> None:
    line = _compared(small, pick, {"value": 80.1}, {"value": 82.3})
    assert (line["valeur_precedente"], line["evolution"], line["comparable"]) == (80.1, 2.2, True)


LAST = "valeur déclarée par le réseau ; dernière valeur observée de l'année"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"mode_obtention": "autrement"}),
        ({"mode_obtention": LAST}, {"mode_obtention": LAST, "date_reference": datetime.date(2024, 9, 30)}),
    ],
    ids=["method", "month of the last value"],
)
def test_values_obtained_otherwise_do_not_compare(
    before: dict[str, Any], after: dict[str, Any], small: Catalogue, pick
) -> None:
    line = _compared(small, pick, {"value": 80.0, **before}, {"value": 82.0, **after})
    assert line["valeur_precedente"] == 80
    assert line["comparable"] is False
    assert pd.isna(line["evolution"])


def test_a_pooled_year_compares_whatever_its_last_month(small: Catalogue, pick) -> None:
    line = _compared(small, pick, {"value": 80.0}, {"value": 82.0, "date_reference": datetime.date(2024, 9, 30)})
    assert line["comparable"] is True


def test_values_across_a_break_do_not_compare(small: Catalogue, pick) -> None:
    results = _tables(small, [_result(2023, 1.0), _result(2024, 2.0), _result(2025, 4.0)])["resultats"]
    assert pick(results, annee=2024)["comparable"] is True
    broken = pick(results, annee=2025)
    assert (broken["valeur_precedente"], broken["comparable"]) == (2, False)
    assert pd.isna(broken["evolution"])


@pytest.mark.parametrize(("before", "after"), [(None, 2.0), (2.0, None)])
def test_an_absent_value_compares_with_nothing(
    before: float | None, after: float | None, small: Catalogue, pick
) -> None:
    motifs = (
        {"value": before, "motif": None if before else "rejete"},
        {"value": after, "motif": None if after else "rejete"},
    )
    line = _compared(small, pick, *motifs)
    assert pd.isna(line["comparable"])
    assert pd.isna(line["evolution"])


def test_series_are_not_mixed(small: Catalogue, pick) -> None:
    places = [{"maille": "departement", "territoire_code": code} for code in ("30", "34")]
    months = [{"periode": f"{year}-0{m}", "frequence": "mensuelle"} for year in (2023, 2024) for m in (1, 2)]
    results = [_result(2023, 10.0 * n, **place) for n, place in enumerate(places, start=1)]
    results += [_result(2024, 10.0 * n + 1, **place) for n, place in enumerate(places, start=1)]
    results += [_result(int(month["periode"][:4]), float(n), **month) for n, month in enumerate(months)]
    for line in results:
        line["date_reference"] = line["date_reference"].replace(day=1)
    found = _tables(small, results)["resultats"]
    assert pick(found, annee=2024, territoire_code="30")["valeur_precedente"] == 10
    assert pick(found, annee=2024, territoire_code="34")["valeur_precedente"] == 20
    assert pick(found, periode="2024-02")["valeur_precedente"] == 1


# Targets


def test_a_target_stands_at_its_level_only(small: Catalogue, pick) -> None:
    results = [
        _result(year, 1.0, maille=level, territoire_code=code)
        for year in (2023, 2024, 2025)
        for level, code in (("national", "FR"), ("region", "76"), ("departement", "30"))
    ]
    found = _tables(small, results)["resultats"]
    targets = {year: pick(found, annee=year, maille="national")["valeur_cible"] for year in (2023, 2024, 2025)}
    assert (targets[2023], targets[2025]) == (70, 90)
    assert pd.isna(targets[2024])  # a target is that of its very year
    assert found[found["maille"] == "region"]["valeur_cible"].isna().all()
    assert pick(found, annee=2024, maille="departement")["valeur_cible"] == 50
    assert pd.isna(pick(found, annee=2025, maille="departement")["valeur_cible"])


# Coverage, anomalies, discrepancies, structures


def test_coverage_counts_values_and_rows(small: Catalogue, pick) -> None:
    results = [
        _result(2023, 1.0), _result(2023, 2.0, maille="region", territoire_code="76"),
        _result(2024, 1.0), _result(2024, None, maille="region", territoire_code="76", motif="secret-statistique"),
        _result(2024, None, maille="region", territoire_code="75", motif="secret-statistique"),
        _result(2024, None, maille="region", territoire_code="11", motif="non-renseigne"),
        _result(2025, None, motif="secret-statistique"),
    ]  # fmt: skip
    covered = _tables(small, results)["couverture"]
    expected = {
        2023: ("publié", None, 2, 0),
        2024: ("partiel", "secret statistique", 1, 3),
        2025: ("absent", "secret statistique", 0, 1),
    }
    for year, (state, reason, published, absent) in expected.items():
        line = pick(covered, annee=year)
        assert line["etat"] == state
        assert line["motif_absence"] == reason or (reason is None and pd.isna(line["motif_absence"]))
        assert (line["valeurs_publiees"], line["valeurs_absentes"]) == (published, absent)
        assert (line["lignes_lues"], line["lignes_acceptees"], line["lignes_refusees"]) == (10, 9, 1)
        assert line["exports"] == "essai"


def test_rows_of_several_exports_are_added(labo, pick) -> None:
    exports = labo.typed_export(), labo.typed_export(id="autre")
    catalogue = labo.catalogue(INDICATOR, *exports)
    lines = [{"reseau": "labo", "annee": 2024, "export": name, **RECEIPT} for name in ("essai", "autre")]
    lines[1] |= {"etat": "rejeté", "motif": "rejete", "lignes_lues": 5}
    tables = national_tables(catalogue, NationalInputs(
        receipts=pd.DataFrame(lines), results=pd.DataFrame(columns=["reseau", *RESULT_COLUMNS]),
        discrepancies=pd.DataFrame(), structures=pd.DataFrame(), findings=pd.DataFrame(columns=FINDINGS),
        failed=frozenset(), synthetic=frozenset(),
    ))  # fmt: skip
    line = pick(tables["couverture"], annee=2024)
    assert (line["exports"], line["lignes_lues"], line["motif_absence"]) == ("essai, autre", 15, "rejeté")
    assert (line["lignes_acceptees"], line["lignes_refusees"]) == (9, 2), "no row of a refused file is accepted"
    assert pick(tables["resultats"], annee=2024)["source"] == "labo/essai, labo/autre"


@pytest.mark.parametrize(("state", "motif"), [("accepté", None), ("rejeté", "rejete")])
def test_a_count_that_is_withheld_is_no_zero(state: str, motif: str | None, labo, pick) -> None:
    """A 0 would be false, and the audit of the release would refuse it: nothing could be published any more."""
    catalogue = labo.catalogue(INDICATOR, labo.typed_export(), labo.typed_export(id="autre"))
    lines = [{"reseau": "labo", "annee": 2024, "export": name, **RECEIPT} for name in ("essai", "autre")]
    lines[1] |= {"etat": state, "motif": motif, "lignes_lues": None, "lignes_acceptees": None}
    tables = national_tables(catalogue, NationalInputs(
        receipts=pd.DataFrame(lines), results=pd.DataFrame(columns=["reseau", *RESULT_COLUMNS]),
        discrepancies=pd.DataFrame(), structures=pd.DataFrame(), findings=pd.DataFrame(columns=FINDINGS),
        failed=frozenset(), synthetic=frozenset(),
    ))  # fmt: skip
    withheld = [pick(tables["couverture"], annee=2024), pick(tables["receptions"], annee=2024, export="autre")]
    for line in withheld:
        assert line[["lignes_lues", "lignes_acceptees"]].isna().all()
    assert pick(tables["receptions"], annee=2024, export="essai")["lignes_lues"] == 10


@pytest.mark.parametrize(
    ("state", "severity", "consequence"),
    [
        ("accepté", "erreur", "lignes refusées"),
        ("accepté", "avertissement", "aucune"),
        ("rejeté", "erreur", "export refusé pour l'année"),
        ("non transmis", "erreur", "aucun résultat pour l'année"),
    ],
)
def test_an_anomaly_says_what_came_of_it(state: str, severity: str, consequence: str, small: Catalogue) -> None:
    finding = dict.fromkeys(FINDINGS) | {
        "reseau": "labo",
        "annee": 2024,
        "export": "essai",
        "severite": severity,
        "nombre": 2,
    }
    receipt = {**RECEIPT, "etat": state, "motif": None if state == "accepté" else "rejete"}
    table = _tables(small, [], {2024: receipt}, findings=[finding])["anomalies"]
    assert table["consequence"].tolist() == [consequence]
    assert "valeur" not in table.columns, "aucun contenu de cellule n'est publié"


def test_a_discrepancy_is_relative_to_the_declared_value_in_percent(small: Catalogue) -> None:
    line = {"reseau": "labo", "annee": 2024, "indicateur": "essai", "periode": "2024", "maille": "national",
            "territoire_code": "FR", "maille_des_parties": "departement", "parties_presentes": 101,
            "parties_attendues": 101, "comparaison": "complète"}  # fmt: skip
    values = [(2538.0, 2530.0), (0.0, 5.0)]
    found = pd.DataFrame([
        {**line, "valeur_declaree": declared, "valeur_calculee": parts, "ecart": declared - parts}
        for declared, parts in values
    ])  # fmt: skip
    table = _tables(small, [], discrepancies=found)["ecarts"]
    assert table["ecart_relatif"].iloc[0] == pytest.approx(100 * 8 / 2538, abs=1e-4)
    assert pd.isna(table["ecart_relatif"].iloc[1]), "vide quand la valeur déclarée est nulle"
    assert table["territoire"].tolist() == ["France", "France"]


def test_a_discrepancy_of_a_period_with_a_hidden_row_is_not_published(small: Catalogue) -> None:
    """It tells a typed total and the sum of its parts: one hidden part would be their difference."""
    found = pd.DataFrame([
        {"reseau": "labo", "annee": year, "indicateur": "essai", "periode": str(year), "maille": "national",
         "territoire_code": "FR", "maille_des_parties": "departement", "parties_presentes": 1, "parties_attendues": 101,
         "valeur_declaree": 10.0, "valeur_calculee": 9.0, "ecart": 1.0, "comparaison": "complète"}
        for year in (2023, 2024, 2025)
    ])  # fmt: skip
    hidden = {"maille": "departement", "territoire_code": "30", "motif": "secret-statistique"}
    results = [
        _result(2023, 4.0),
        _result(2024, 4.0, **hidden, statut_confidentialite="C"),
        _result(2025, 4.0, **hidden, statut_confidentialite="C"),
    ]
    assert _tables(small, results, discrepancies=found)["ecarts"]["periode"].tolist() == ["2023"]


def test_offices_stand_below_their_network(small: Catalogue, pick) -> None:
    seen = pd.DataFrame(
        [("labo", year, "B1", name, "30", "site") for year, name in [(2024, "Nouveau nom"), (2023, "Ancien nom")]],
        columns=["reseau", "annee", "structure_code", "structure", "territoire_code", "maille"],
    )
    table = _tables(small, [], structures=seen)["structures"]
    root = pick(table, structure_code="reseau:labo")
    assert pd.isna(root["structure_parente_code"])
    assert (root["structure"], root["maille"], root["territoire"]) == ("Laboratoire", "national", "France")
    office = pick(table, structure_code="B1")
    assert (office["structure_parente_code"], office["structure"]) == ("reseau:labo", "Nouveau nom")
    assert (office["premiere_annee"], office["derniere_annee"]) == (2023, 2024)
    assert (office["territoire"], office["typologie"]) == ("Gard", "Paillasse")
    assert len(table) == 2


def test_every_published_table_has_its_columns(catalogue: Catalogue, small: Catalogue) -> None:
    results = [_result(2024, 1.0)]
    tables = _tables(small, results)
    # Made apart: see ``flow.barometers`` and ``flow.voice``.
    assert set(tables) == set(catalogue.tables) - {*BAROMETER_TABLES, *SIGNAL_TABLES}
    for name, table in tables.items():
        needed = {column.name for column in catalogue.tables[name].columns if column.constraints.required}
        assert needed <= set(table.columns), name


def test_a_column_has_its_declared_type_even_when_nobody_filled_it(catalogue: Catalogue, small: Catalogue) -> None:
    made = _tables(small, [_result(2024, 1.0)])
    for name, frame in made.items():
        declared = catalogue.tables[name]
        empty = frame.assign(**{column: float("nan") for column in declared.names})
        for written in (declared_table(name, declared, frame), declared_table(name, declared, empty)):
            assert written.schema.names == list(declared.names)
            assert [field.type for field in written.schema] == [TYPES[column.type] for column in declared.columns]
            assert written.num_rows == len(frame)
