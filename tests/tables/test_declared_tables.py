"""The tables that only repeat the declarations: nothing declared is lost, in the words that the public reads."""

from __future__ import annotations

import pandas as pd
from frictionless import errors

from pipelines.declarations import Catalogue
from pipelines.tables.declaration_tables import (
    indicators_table,
    networks_table,
    present_territories,
    structures_table,
    territories_table,
)
from pipelines.tables.quality import FRENCH_RULES


def test_every_indicator_has_its_line(catalogue: Catalogue) -> None:
    table = indicators_table(catalogue).set_index("indicateur")
    assert list(table.index) == list(catalogue.indicators)
    line = table.loc["taux-decroche"]
    assert (line["estimateur"], line["sens"], line["decimales"]) == ("rapport de sommes", "hausse", 1)
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


def test_a_join_on_present_territories_doubles_no_row(catalogue: Catalogue) -> None:
    """Past states have the same level and code as those of today: only one of them is to be joined."""
    every = territories_table(catalogue)
    present = present_territories(every)
    assert every.duplicated(["maille", "territoire_code"]).any()
    assert not present.duplicated(["maille", "territoire_code"]).any()
    today = {(place.level, place.code) for place in catalogue.territories.territories if place.until is None}
    assert set(zip(present["maille"], present["territoire_code"], strict=True)) == today
    assert list(present.columns) == [column.name for column in catalogue.tables["territoires_actuels"].columns]


def test_no_rule_of_frictionless_is_published_under_its_english_name() -> None:
    kinds = {
        kind.type for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DataError)
    }
    assert len(kinds) > 30 and kinds - FRENCH_RULES.keys() == set()
    assert len(set(FRENCH_RULES.values())) == len(FRENCH_RULES)
    assert not set(FRENCH_RULES.values()) & kinds
