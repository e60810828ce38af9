"""Published figures found again from the real files that stand beside the checkout: as declared, never remade."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipelines.compute.network_year import NetworkYear, compute_network_year
from pipelines.declarations import Catalogue
from pipelines.disclosure.results_table import without_secrets
from pipelines.read import read_cells
from pipelines.validate import FileContext, JudgedFile, judge, validate_file

SERVICES = "barometre-2023/services-publics/barometre-resultats-services-publics-et-territoires-detail-{}.csv"
MASTERS = "insertion-master/fr-esr-insertion_professionnelle-master.csv"
REASONS = {"ns": "non-significatif", "nd": "non-disponible", "": "non-renseigne"}


def _computed(catalogue: Catalogue, root: Path, folder: Path, network: str) -> NetworkYear:
    """All the years of a network whose files hold several years: each file judged once."""
    declared = catalogue.networks[network]
    judged = []
    for export in declared.exports:
        layout = export.layouts[0]
        cells = read_cells((root / layout.path).read_bytes(), layout.path, layout)
        validated = validate_file(cells, FileContext(export, layout, catalogue.territories, layout.path, None))
        judged.append((export, JudgedFile(layout.path, "0" * 64, validated)))
    made = []
    for year in declared.years:
        accepted = {}
        for export, file in judged:
            verdict = judge(export, year, declared.acceptance_of(export), [file])
            if verdict.state == "accepté":
                accepted[export.id] = folder / f"{network}-{export.id}-{year}.parquet"
                pq.write_table(verdict.observations.table(), accepted[export.id])
        made.append(compute_network_year(catalogue, network, year, accepted))
    return NetworkYear(*(
        pd.concat([frame for item in made if len(frame := getattr(item, name))] or [pd.DataFrame()], ignore_index=True)
        for name in ("results", "discrepancies", "structures")
    ), failures={})  # fmt: skip


@pytest.fixture(scope="module")
def france_services(catalogue: Catalogue, real: Path, tmp_path_factory: pytest.TempPathFactory) -> NetworkYear:
    return _computed(catalogue, real, tmp_path_factory.mktemp("real"), "france-services")


@pytest.fixture(scope="module")
def barometre(catalogue: Catalogue, real: Path, tmp_path_factory: pytest.TempPathFactory) -> NetworkYear:
    return _computed(catalogue, real, tmp_path_factory.mktemp("real"), "barometre")


@pytest.fixture(scope="module")
def universites(catalogue: Catalogue, real: Path, tmp_path_factory: pytest.TempPathFactory) -> NetworkYear:
    return _computed(catalogue, real, tmp_path_factory.mktemp("real"), "universites")


def _of(made: NetworkYear, indicator: str, level: str, frequency: str = "mensuelle") -> pd.DataFrame:
    found = made.results
    return found[(found["indicateur"] == indicator) & (found["maille"] == level) & (found["frequence"] == frequency)]


def _rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def test_acts_add_up_to_the_declared_national_total(france_services: NetworkYear) -> None:
    national = _of(france_services, "actes-france-services", "national").set_index("periode")["valeur"]
    departements = _of(france_services, "actes-france-services", "departement").groupby("periode")["valeur"].sum()
    assert national["2024-04"] == 971082
    assert departements["2024-04"] == 971082
    found = france_services.discrepancies
    assert (
        found.empty or found[(found["indicateur"] == "actes-france-services") & (found["maille"] == "national")].empty
    )


def test_satisfaction_is_the_declared_one_never_the_mean_of_departements(france_services: NetworkYear) -> None:
    indicator = "satisfaction-france-services"
    national = _of(france_services, indicator, "national").set_index("periode")["valeur"]
    departements = _of(france_services, indicator, "departement")
    july = departements[departements["periode"] == "2023-07"]["valeur"]
    assert round(july.mean(), 2) == 93.52
    assert national["2023-07"] == 95.17
    assert 93.52 not in national.to_numpy()


def test_transparency_of_networks(barometre: NetworkYear) -> None:
    found = _of(barometre, "taux-transparence", "national", "annuelle").set_index("annee")["valeur"]
    assert found.dropna().to_dict() == {2019: 27, 2020: 36, 2021: 45, 2022: 79}


def test_satisfaction_with_public_services(barometre: NetworkYear) -> None:
    found = _of(barometre, "satisfaction-services-publics", "national", "annuelle").set_index("annee")["valeur"]
    assert found.to_dict() == {2017: 72, 2018: 71, 2019: 74, 2020: 76, 2021: 73, 2022: 71}


def test_labels_and_their_discrepancies(barometre: NetworkYear) -> None:
    monthly = _of(barometre, "labels-france-services", "national").set_index("periode")["valeur"]
    yearly = _of(barometre, "labels-france-services", "national", "annuelle").set_index("annee")["valeur"]
    assert monthly["2022-12"] == yearly[2022] == 2538
    assert len(monthly) == 36
    found = barometre.discrepancies
    found = found[(found["indicateur"] == "labels-france-services") & (found["maille"] == "national")]
    found = found[found["maille_des_parties"] == "departement"]
    assert len(found) == found["periode"].nunique() == 17
    assert found["ecart"].abs().max() == 267
    assert (found["ecart"] == found["valeur_declaree"] - found["valeur_calculee"]).all()


def test_every_number_of_france_services_is_published_as_it_is(france_services: NetworkYear, real: Path) -> None:
    levels = {"NAT": "national", "REG": "region", "DEPT": "departement"}
    files = {"satisfaction-france-services": "ind-246", "actes-france-services": "ind-323"}
    for indicator, file in files.items():
        expected = {
            (levels[row["maille"]], "FR" if row["maille"] == "NAT" else row["enforce_zone_id"][1:],
             row["metric_enforce_date"][:7]): float(row["indic_va"])
            for row in _rows(real / "barometre-2024" / f"{file}.csv")
            if row["indic_va"] and row["metric_enforce_date"][:4] in ("2023", "2024")
        }  # fmt: skip
        found = france_services.results
        found = found[
            (found["indicateur"] == indicator) & (found["frequence"] == "mensuelle") & found["valeur"].notna()
        ]
        decimals = 2 if file == "ind-246" else 0
        published = dict(
            zip(
                zip(found["maille"], found["territoire_code"], found["periode"], strict=True),
                found["valeur"],
                strict=True,
            )
        )
        assert published == {key: round(value, decimals) for key, value in expected.items()}
        assert len(found) == len(expected) > 100


def test_every_label_count_is_published_as_it_is(barometre: NetworkYear, real: Path) -> None:
    codes = {"national": None, "regional": "code_region", "departemental": "code_departement"}
    levels = {"national": "national", "regional": "region", "departemental": "departement"}
    expected = {}
    for file, code in codes.items():
        for row in _rows(real / SERVICES.format(file)):
            if row["id_indicateur"] == "nb-labellisations-france-services" and row["valeur"]:
                place = row[code].zfill(2) if code else "FR"
                expected[levels[file], place, row["date"][:7]] = float(row["valeur"])
    found = barometre.results
    found = found[(found["indicateur"] == "labels-france-services") & (found["frequence"] == "mensuelle")]
    found = found[found["valeur"].notna()]
    published = dict(
        zip(zip(found["maille"], found["territoire_code"], found["periode"], strict=True), found["valeur"], strict=True)
    )
    assert published == expected


def test_a_graduates_figure_is_published_only_where_the_source_has_one(
    universites: NetworkYear, catalogue: Catalogue, real: Path
) -> None:
    source = _rows(real / MASTERS, ";")
    found = without_secrets(universites.results)
    counted = dict.fromkeys(REASONS.values(), 0)
    for name, indicator in catalogue.indicators_of("universites").items():
        feed = indicator.networks["universites"]
        column = feed.inputs["value"]
        expected = {
            (int(row["annee"]), row["numero_de_l_etablissement"]): row
            for row in source
            if all(row[field] in values for field, values in feed.where.items()) and int(row["annee"]) in feed.years
        }
        lines = found[found["indicateur"] == name]
        places = lines["structure_code"].where(lines["maille"] == "site", "UNIV")
        published = dict(zip(zip(lines["annee"], places, strict=True), lines.itertuples(), strict=True))
        assert set(published) == set(expected)
        assert len(lines) == len(expected) > 0
        for key, row in expected.items():
            line, cell = published[key], row[column].strip()
            if cell in REASONS:
                counted[REASONS[cell]] += 1
                assert pd.isna(line.valeur), f"{name} {key} : la source dit « {cell} »"
                assert line.motif == REASONS[cell]
            elif row["nombre_de_reponses"] and int(row["nombre_de_reponses"]) < 11:
                assert (pd.isna(line.valeur), line.motif) == (True, "secret-statistique")
            else:
                assert line.valeur == float(cell)
                assert pd.isna(line.motif)
    told = found["motif"].value_counts().to_dict()
    assert {reason: told.get(reason, 0) for reason in counted} == counted
    assert counted["non-significatif"] > 0
    assert counted["non-disponible"] > 0
