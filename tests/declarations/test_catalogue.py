"""The Catalogue: one frozen object, and a fingerprint per network that moves with what bears on its results."""

from __future__ import annotations

import dataclasses

import pytest
from changed_schemas import change
from pydantic import ValidationError

from pipelines.declarations import load


def prints(schemas):
    catalogue = load(schemas)
    return {name: catalogue.fingerprint(name) for name in catalogue.networks}


def moved(schemas, file, old, new):
    before = prints(schemas)
    change(schemas, file, old, new)
    after = prints(schemas)
    return {name for name in after if before.get(name) != after[name]}


def test_nothing_changes_in_a_catalogue(catalogue):
    with pytest.raises(dataclasses.FrozenInstanceError):
        catalogue.networks = {}
    with pytest.raises(TypeError):
        catalogue.networks["neuf"] = None
    with pytest.raises(TypeError):
        catalogue.corrections["neuf"] = ()
    with pytest.raises(ValidationError):
        catalogue.networks["caf"].title = "x"
    assert isinstance(catalogue.networks["caf"].exports, tuple)


def test_what_the_networks_owe(catalogue):
    years = {year for network in catalogue.networks.values() for year in network.years}
    assert catalogue.years == sorted(years)
    assert "taux-decroche" in catalogue.indicators_of("caf")
    assert "actes-france-services" not in catalogue.indicators_of("caf")
    assert set(catalogue.expected("caf", 2023)) == set(catalogue.indicators_of("caf"))
    assert catalogue.expected("caf", 2019) == {}


def test_a_feed_may_owe_fewer_years(schemas):
    change(
        schemas,
        "indicators/taux-decroche.yml",
        "    targets: [{year: 2022",
        "    years: 2023\n    targets: [{year: 2022",
    )
    catalogue = load(schemas)
    assert "taux-decroche" not in catalogue.expected("caf", 2022)
    assert "taux-decroche" in catalogue.expected("caf", 2023)


def test_declared_things_are_found_by_name(catalogue):
    caf = catalogue.networks["caf"]
    enquete = caf.export("enquete")
    assert caf.export("absent") is None
    assert enquete.field("poids").type == "number"
    assert enquete.field("absent") is None
    assert enquete.layout(2024).encoding == "utf-8"
    assert enquete.layout(1990) is None
    assert caf.acceptance_of(enquete) is caf.acceptance
    table = catalogue.tables["resultats"]
    assert table.column("valeur").type == "number"
    assert table.column("absente") is None
    assert table.names[0] == table.columns[0].name
    rate = catalogue.indicators["taux-decroche"]
    assert "site" in rate.levels_in("dgfip")
    assert "site" not in rate.levels_in("caf")
    assert catalogue.datasets["resultats-services-publics"].licence == "lov2"


def test_an_export_may_have_its_own_limit(schemas):
    change(
        schemas,
        "networks/caf.yml",
        "    weight: poids\n",
        "    weight: poids\n    acceptance: {max_refused_share: 0, why: x}\n",
    )
    caf = load(schemas).networks["caf"]
    assert caf.acceptance_of(caf.export("enquete")).max_refused_share == 0


def test_the_fingerprint_is_stable(schemas):
    assert prints(schemas) == prints(schemas)


@pytest.mark.parametrize(
    ("file", "old", "new", "concerned"),
    [
        ("networks/caf.yml", "max_refused_share: 0.05", "max_refused_share: 0.06", {"caf"}),
        ("networks/caf.yml", "# Les présentations", "# Ces présentations", set()),
        ("indicators/actes-france-services.yml", "decimals: 0", "decimals: 1", {"france-services"}),
        ("indicators/taux-decroche.yml", "decimals: 1", "decimals: 2",
         {"caf", "dgfip", "france-travail", "assurance-maladie", "gendarmerie", "prefectures"}),
        ("indicators/csat.yml", "  dgfip:\n", "  dgfip:\n    years: 2023-2024\n", {"dgfip"}),
        ("tables/reseaux.yml", "title: ", "title: Les ", set()),
        ("references/engagements.yml", "label: ", "label: Le ", set()),
    ],
)  # fmt: skip
def test_it_moves_for_the_networks_concerned(schemas, file, old, new, concerned):
    assert moved(schemas, file, old, new) == concerned


@pytest.mark.parametrize("file", ["references/motifs.yml", "references/territoires.yml"])
def test_references_concern_every_network(schemas, file):
    old, new = ("label: rejeté", "label: refusé") if "motifs" in file else ("Guadeloupe", "La Guadeloupe")
    assert moved(schemas, file, old, new) == set(prints(schemas))


def test_a_correction_concerns_its_network(schemas):
    before = prints(schemas)
    (schemas / "corrections").mkdir(exist_ok=True)
    (schemas / "corrections" / "dgfip.yml").write_text(
        "corrections:\n  - {export: telephone, year: 2022, where: {mois: x}, field: mois, expected: a, value: b,\n"
        "     reason: essai, date: 2024-01-01}\n"
    )
    after = prints(schemas)
    assert {name for name in after if before[name] != after[name]} == {"dgfip"}
