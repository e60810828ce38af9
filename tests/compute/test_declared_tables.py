"""The tables that only repeat the declarations: nothing declared is lost, in the words that the public reads."""

from __future__ import annotations

import pandas as pd

from pipelines.declarations import Catalogue
from pipelines.tables.declaration_tables import indicators_table, networks_table, structures_table, territories_table


def test_every_indicator_has_its_line(catalogue: Catalogue) -> None:
    table = indicators_table(catalogue).set_index("indicateur")
    assert list(table.index) == list(catalogue.indicators)
    line = table.loc["taux-decroche"]
    assert (line["estimateur"], line["sens"], line["decimales"]) == ("ratio", "hausse", 1)
    assert (line["effectif_minimal"], line["motif_effectif_minimal"]) == (11, "secret statistique")
    assert line["mailles"].startswith("site : rapport de sommes ; departement : ")
    assert line["reseaux"].split(", ") == sorted(catalogue.indicators["taux-decroche"].networks)
    assert table.loc["delai-moyen", "sens"] == "baisse"
    assert table.loc["actes-france-services", "codes_externes"] == "pilote:IND-323"
    assert table["mode_annuel"].ne("").all()


def test_every_network_has_its_line_and_its_root(catalogue: Catalogue) -> None:
    networks = networks_table(catalogue)
    assert networks["reseau"].tolist() == list(catalogue.networks)
    roots = structures_table(catalogue, pd.DataFrame())
    assert roots["structure_code"].tolist() == [f"reseau:{name}" for name in catalogue.networks]


def test_territories_are_the_reference_list(catalogue: Catalogue) -> None:
    table = territories_table(catalogue)
    today = table[table["derniere_annee"].isna()]
    assert today["maille"].value_counts().to_dict()["region"] == 18
    assert not today.duplicated(["maille", "territoire_code"]).any()
    assert not table.duplicated(["maille", "territoire_code", "premiere_annee"]).any()
    assert set(table["millesime"]) == {catalogue.territories.vintage}
    regions = set(table[table["maille"] == "region"]["territoire_code"])
    assert set(table["region_code"].dropna()) == regions
