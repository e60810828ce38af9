"""One network whose figures don't hold together never stops the others: it is set aside, and named."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest

from pipelines.compute.disclosure import audit, refusals
from pipelines.compute.tables import NationalInputs, national_tables, safe_tables
from pipelines.declarations import Catalogue

NPS = {"estimator": {"name": "nps"}, "year": "pooled", "decimals": 1, "feed": {"inputs": {"rating": "note"}}}
ACCEPTED = {"etat": "accepté", "motif": None, "lignes_lues": 40, "lignes_acceptees": 40, "lignes_refusees": 0}
NETWORKS = ("autre", "labo")


@pytest.fixture(scope="module")
def world(labo: Any, levels: Any) -> tuple[Catalogue, pd.DataFrame]:
    """Two networks of the same declarations, and the results of one office of 24 answers and one of nobody."""
    export = labo.export({"note": "integer", "poids": "number"}, kind="survey", weight="poids", frequency="quarter")
    declared = {**NPS, "levels": levels("pooled", "site", "departement", "national")}
    catalogue = labo.catalogue(declared, export)
    rows = [
        {"structure": office, "territoire": "30", "note": number % 11, "poids": weight,
         "periode": f"2024-T{(1, 2, 3, 4, 1, 2, 3)[number % 7]}"}
        for office, weight in (("B1", 0.0), ("B2", 1.0)) for number in range(20)
    ]  # fmt: skip
    return _both(catalogue), labo.run(declared, export, rows).results


def _both(catalogue: Catalogue) -> Catalogue:
    """The declarations of the laboratory, for two networks."""
    indicator, network = catalogue.indicators["essai"], catalogue.networks["labo"]
    both = indicator.model_copy(update={"networks": dict.fromkeys(NETWORKS, indicator.networks["labo"])})
    return dataclasses.replace(
        catalogue, networks=MappingProxyType(dict.fromkeys(NETWORKS, network)),
        indicators=MappingProxyType({"essai": both}),
    )  # fmt: skip


def _inputs(catalogue: Catalogue, results: pd.DataFrame, odd: str | None) -> NationalInputs:
    """Both networks; of ``odd``, places count the answers of an office that counts none: its neighbour is told."""
    frames = [results.assign(reseau=network) for network in NETWORKS]
    for frame in frames:
        wrong = frame["reseau"].eq(odd) & frame["maille"].ne("site")
        frame.loc[wrong, "effectif"] *= 2
        frame.loc[wrong & frame["effectif"].ge(11), ["statut_confidentialite", "motif"]] = ["F", None]
    receipts = [{"reseau": name, "annee": year, "export": "essai", **ACCEPTED} for name in NETWORKS for year in (2024,)]
    return NationalInputs(
        receipts=pd.DataFrame(receipts), results=pd.concat(frames, ignore_index=True), discrepancies=pd.DataFrame(),
        structures=pd.DataFrame(), findings=pd.DataFrame(), failed=frozenset(), synthetic=frozenset(),
    )  # fmt: skip


def test_networks_that_hold_together_are_all_published(world) -> None:
    catalogue, results = world
    inputs = _inputs(catalogue, results, None)
    tables, aside = safe_tables(catalogue, inputs)
    assert aside == []
    expected = national_tables(catalogue, inputs)
    assert list(tables) == list(expected)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, expected[name])


def test_a_network_that_does_not_is_set_aside_and_named(world) -> None:
    catalogue, results = world
    inputs = _inputs(catalogue, results, "labo")
    before = national_tables(catalogue, inputs)
    assert set(refusals(audit(before["resultats"], catalogue, (), before))["reseau"]) == {"labo"}
    tables, (aside,) = safe_tables(catalogue, inputs)
    assert (aside.network, aside.year, aside.indicators) == ("labo", 2024, ("essai",))
    for word in ("un secret se déduirait", "labo 2024", "mis de côté", "essai/2024.csv"):
        assert word in aside.why
    published = tables["resultats"]
    mine = published[published["reseau"].eq("labo") & published["annee"].eq(2024)]
    assert mine["valeur"].isna().all()
    assert set(mine["motif_absence"]) == {"erreur de traitement"}
    alone = safe_tables(catalogue, _inputs(catalogue, results, None))[0]["resultats"]
    other = published["reseau"].eq("autre").to_numpy()
    same = alone["reseau"].eq("autre").to_numpy()
    pd.testing.assert_frame_equal(
        published[other].reset_index(drop=True), alone[same].reset_index(drop=True), check_dtype=False
    )
    receipts = tables["receptions"].set_index(["reseau", "annee"])
    assert pd.isna(receipts.loc[("labo", 2024), "lignes_acceptees"]), "rien n'est dit de ce qui est mis de côté"
    assert receipts.loc[("autre", 2024), "lignes_acceptees"] == 40
    assert refusals(audit(published, catalogue, (), tables)).empty


def test_a_network_that_no_audit_can_judge_is_set_aside_too(labo, levels) -> None:
    """Amounts of 1e22 leave the linear programmes without a solution."""
    export = labo.export({"montant": "number", "siren": "string"})
    declared = {"estimator": {"name": "sum"}, "year": "sum", "enterprises": {"why": "essai"},
                "levels": levels("sum", "site", "departement", "national"),
                "feed": {"inputs": {"value": "montant"}, "contributor": "siren"}}  # fmt: skip
    offices = (("B1", "30", 1), ("B2", "30", 2), ("B3", "34", 9), ("B4", "34", 2), ("B5", "75", 9))
    rows = [
        {"structure": office, "territoire": place, "montant": 1.0 + number % 3, "siren": str(number)}
        for office, place, count in offices for number in range(count)
    ]  # fmt: skip
    odd = [{**row, "montant": 1e22 if row["siren"] == "1" or row["structure"] == "B5" else 3.0} for row in rows]
    catalogue = _both(labo.catalogue(declared, export))
    frames = [
        labo.run(declared, export, part).results.assign(reseau=name)
        for name, part in zip(NETWORKS, (rows, odd), strict=True)
    ]
    inputs = dataclasses.replace(_inputs(catalogue, frames[0], None), results=pd.concat(frames, ignore_index=True))
    with pytest.raises(ArithmeticError):
        made = national_tables(catalogue, inputs)
        audit(made["resultats"], catalogue, (), made)
    tables, (aside,) = safe_tables(catalogue, inputs)
    assert (aside.network, aside.year, aside.indicators) == ("labo", 2024, ("essai",))
    assert "l'audit du secret ne peut pas être fait" in aside.why
    published = tables["resultats"]
    assert published.loc[published["reseau"].eq("autre"), "valeur"].notna().any()
    assert published.loc[published["reseau"].eq("labo"), "valeur"].isna().all()
