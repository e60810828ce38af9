"""A release that tells a secret is refused by Dagster: the real asset, on real tables, and nothing is written."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from assets.national_assets import release_asset
from assets.workspace import Workspace
from pipelines.cli import main
from pipelines.declarations import Catalogue, load

DATASET = "resultats-services-publics"
FIGURES = ["valeur", "effectif", "numerateur", "denominateur"]

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def few(few_networks) -> Path:
    return few_networks("assurance-maladie")


@pytest.fixture(scope="module")
def catalogue(few) -> Catalogue:
    return load(few)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, samples: Path, few: Path) -> Path:
    """The output of a run on one network and year that has secrets of both kinds."""
    output = tmp_path_factory.mktemp("gate")
    with contextlib.redirect_stdout(io.StringIO()):
        places = ["--exports", str(samples), "--output", str(output), "--schemas", str(few)]
        assert main(["run", *places, "--year", "2024"]) == 0
    return output


def materialised(catalogue, few: Path, output: Path) -> tuple[dg.ExecuteInProcessResult, dg.AssetCheckEvaluation]:
    workspace = Workspace(exports=str(output), output=str(output), schemas=str(few))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [release_asset(catalogue, DATASET)],
            resources={"workspace": workspace},
            instance=instance,
            raise_on_error=False,
        )
        (check,) = [item for item in result.get_asset_check_evaluations() if item.check_name == "secret"]
    return result, check


def test_tables_that_keep_their_secrets_pass(catalogue, few, made):
    result, check = materialised(catalogue, few, made)
    assert result.success
    assert check.passed
    assert check.metadata["secret"].value > 0


def test_a_release_that_tells_a_secret_is_refused_and_not_written(catalogue, few, made):
    path = made / "work" / "national" / "resultats.parquet"
    intact = path.read_bytes()
    releases = sorted(made.glob(f"releases/{DATASET}/*"))
    computed = pd.read_parquet(made / "work" / "networks" / "assurance-maladie" / "2024" / "results.parquet")
    table = pd.read_parquet(path)
    keys = ["indicateur", "periode", "maille", "territoire_code"]
    true = computed.set_index(keys)[FIGURES].reindex(pd.MultiIndex.from_frame(table[keys])).set_index(table.index)
    beside = table["reseau"].eq("assurance-maladie") & table["annee"].eq(2024) & table["indicateur"].eq("csat")
    beside &= table["statut_confidentialite"].eq("C") & true["effectif"].ge(11)  # hidden for others, not for itself
    assert beside.any()
    for name in FIGURES:
        table.loc[beside, name] = true.loc[beside, name].astype(table[name].dtype)
    table.loc[beside, ["statut_confidentialite", "motif_absence"]] = ["F", None]
    table.to_parquet(path)
    try:
        result, check = materialised(catalogue, few, made)
    finally:
        path.write_bytes(intact)
    assert not result.success
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert "borné de trop près" in str(check.metadata["constats"].value)
    assert "borne_basse" not in str(check.metadata["constats"].value), "les bornes sont secrètes"
    assert sorted(made.glob(f"releases/{DATASET}/*")) == releases
    (failure,) = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    assert "un secret se déduit" in str(failure.event_specific_data)
    assert "assurance-maladie csat : borné de trop près" in str(failure.event_specific_data), "it says of what"
