"""One network whose figures don't hold together never stops the others: it is set aside, and named."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest
from fixtures.all_tables import national_tables

from pipelines.declarations import Catalogue
from pipelines.disclosure.audit import audit, refusals, secret_figures
from pipelines.disclosure.results_table import protected
from pipelines.tables import national
from pipelines.tables.national import network_tables, safe_tables
from pipelines.tables.national_inputs import NationalInputs

NPS = {"estimator": {"name": "nps"}, "year": "pooled", "decimals": 1, "feed": {"inputs": {"rating": "note"}}}
ACCEPTED = {"etat": "accepté", "motif": None, "lignes_lues": 40, "lignes_acceptees": 40, "lignes_refusees": 0}
NETWORKS = ("autre", "labo")


@pytest.fixture(scope="module")
def world(labo: Any, levels: Any) -> tuple[Catalogue, pd.DataFrame]:
    """Two networks of the same declarations, and the results of four offices, one of which has six answers."""
    export = labo.export({"note": "integer"}, kind="survey")
    declared = {**NPS, "levels": levels("pooled", "site", "departement", "national")}
    catalogue = labo.catalogue(declared, export)
    offices = (("B1", "30", 6), ("B2", "30", 40), ("B3", "30", 25), ("B4", "34", 60))
    rows = [
        {"structure": office, "territoire": place, "note": number % 11}
        for office, place, count in offices
        for number in range(count)
    ]
    return _both(catalogue), labo.run(declared, export, rows).results


def _both(catalogue: Catalogue) -> Catalogue:
    """The declarations of the laboratory, for two networks."""
    indicator, network = catalogue.indicators["essai"], catalogue.networks["labo"]
    both = indicator.model_copy(update={"networks": dict.fromkeys(NETWORKS, indicator.networks["labo"])})
    return dataclasses.replace(
        catalogue, networks=MappingProxyType(dict.fromkeys(NETWORKS, network)),
        indicators=MappingProxyType({"essai": both}),
    )  # fmt: skip


def _inputs(catalogue: Catalogue, results: pd.DataFrame) -> NationalInputs:
    receipts = [{"reseau": name, "annee": year, "export": "essai", **ACCEPTED} for name in NETWORKS for year in (2024,)]
    return NationalInputs(
        receipts=pd.DataFrame(receipts), discrepancies=pd.DataFrame(), structures=pd.DataFrame(),
        results=pd.concat([results.assign(reseau=network) for network in NETWORKS], ignore_index=True),
        findings=pd.DataFrame(), failed=frozenset(), synthetic=frozenset(),
    )  # fmt: skip


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern with a fault in it, of network « labo » alone: what is hidden beside a small base is shown."""

    def shown_beside(results: pd.DataFrame, catalogue: Catalogue, earlier: Any = ()) -> pd.DataFrame:
        found = protected(results, catalogue, earlier)
        told = found["reseau"].eq("labo") & results["statut_confidentialite"].eq("F").reindex(
            found.index, fill_value=False
        )
        found.loc[told] = results.loc[told[told].index]
        return found

    monkeypatch.setattr(national, "protected", shown_beside)


def test_networks_that_hold_together_are_all_published(world) -> None:
    catalogue, results = world
    inputs = _inputs(catalogue, results)
    tables, aside = safe_tables(catalogue, inputs)
    assert aside == []
    expected = network_tables(catalogue, inputs)
    assert list(tables) == list(expected)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, expected[name])


def test_a_network_that_does_not_is_set_aside_and_named(world, faulty) -> None:
    catalogue, results = world
    inputs = _inputs(catalogue, results)
    before = national_tables(catalogue, inputs)
    told = audit(before["resultats"], catalogue, secret_figures(inputs.results, before["resultats"]), (), before)
    assert set(refusals(told)["reseau"]) == {"labo"}
    tables, (aside,) = safe_tables(catalogue, inputs)
    assert (aside.network, aside.year, aside.indicators) == ("labo", 2024, ("essai",))
    for word in ("un secret se déduirait", "labo 2024", "mis de côté", "essai/2024.csv"):
        assert word in aside.why
    published = tables["resultats"]
    mine = published[published["reseau"].eq("labo") & published["annee"].eq(2024)]
    assert mine["valeur"].isna().all()
    assert set(mine["motif_absence"]) == {"erreur de traitement"}
    other = published["reseau"].eq("autre").to_numpy()
    assert published.loc[other, "valeur"].notna().any()
    receipts = tables["receptions"].set_index(["reseau", "annee"])
    assert pd.isna(receipts.loc[("labo", 2024), "lignes_acceptees"]), "rien n'est dit de ce qui est mis de côté"
    assert receipts.loc[("autre", 2024), "lignes_acceptees"] == 40
    secrets = secret_figures(inputs.results, published)
    assert refusals(audit(published, catalogue, secrets, (), tables)).empty
