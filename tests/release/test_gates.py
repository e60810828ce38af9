"""Gates stop what a person should see, at the declared thresholds, and let the rest through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest
from fixtures.made_results import DATASET, result

from pipelines.declarations import Catalogue
from pipelines.release.gates import Gate, gates
from pipelines.release.inputs import Inputs, ReceivedFile, Reception
from pipelines.release.release_folder import make_release

Tables = dict[str, pd.DataFrame]
CODES = [f"{number:02d}" for number in range(1, 20)] + [f"{number}" for number in range(21, 96)]


def received(sha256: str) -> Inputs:
    return Inputs((Reception("caf", 2024, (ReceivedFile("enquete", "caf/2024.csv", sha256),)),), {}, "", "")


def wide(tables: Tables, count: int, **changed: Any) -> Tables:
    """The tables with one row per département; ``changed`` cells on the first ``count`` ones."""
    rows = [result(code, 50.0, **(changed if index < count else {})) for index, code in enumerate(CODES)]
    return tables | {"resultats": pd.DataFrame(rows, columns=tables["resultats"].columns)}


@pytest.fixture
def catalogue(small: Catalogue) -> Catalogue:
    return small


@pytest.fixture
def tables(small_tables: Tables) -> Tables:
    return small_tables


def judged(
    catalogue: Catalogue, folder: Path, *states: Tables, marks: tuple[str | None, ...] = (), explained: bool = True
) -> dict[str, Gate]:
    """Release the states one after the other, and judge the last one against the first."""
    made = [
        make_release(DATASET, catalogue, tables, folder, synthetic=(marks[index] if marks else None),
                     inputs=received(str(index)) if explained else None)
        for index, tables in enumerate(states)
    ]  # fmt: skip
    return {gate.name: gate for gate in gates(catalogue, DATASET, made[0].folder, made[-1].folder)}


def stopped(found: dict[str, Gate]) -> set[str]:
    return {name for name, gate in found.items() if not gate.passed}


def with_thresholds(catalogue: Catalogue, **limits: float) -> Catalogue:
    dataset = catalogue.datasets[DATASET]
    declared = dataset.gates.model_copy(
        update={name: getattr(dataset.gates, name).model_copy(update={"max": limit}) for name, limit in limits.items()}
    )
    return replace(catalogue, datasets=MappingProxyType({DATASET: dataset.model_copy(update={"gates": declared})}))


def test_a_first_publication_has_no_gate(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    made = make_release(DATASET, catalogue, tables, tmp_path, synthetic=None)
    assert gates(catalogue, DATASET, None, made.folder) == gates(catalogue, DATASET, made.folder, made.folder) == ()


@pytest.fixture(scope="module")
def widened(small: Catalogue, small_tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Releases in which more and more values change, by how many."""
    folder, made = tmp_path_factory.mktemp("widened"), {}
    for count in (0, 1, 10, 20, 30):
        tables = wide(small_tables, count, valeur=51.0)
        made[count] = make_release(DATASET, small, tables, folder, synthetic=None, inputs=received(str(count))).folder
    return made


@pytest.mark.parametrize(
    ("count", "limits", "names"),
    [
        (10, {}, set()),
        (20, {}, {"changement_jeu"}),
        (30, {}, {"changement_table", "changement_jeu"}),
        (30, {"table_change": 90, "dataset_change": 90}, set()),
        (1, {"table_change": 0, "dataset_change": 0}, {"changement_table", "changement_jeu"}),
    ],
)
def test_too_much_change_is_stopped_at_the_declared_shares(
    catalogue: Catalogue, widened: dict[int, Path], count: int, limits: dict[str, float], names: set[str]
) -> None:
    declared = with_thresholds(catalogue, **limits)
    found = {gate.name: gate for gate in gates(declared, DATASET, widened[0], widened[count])}
    assert stopped(found) == names
    if count == 30 and names:
        assert found["changement_table"].details == ("resultats : 31,9\u00a0% des lignes (au plus 25\u00a0%)",)
        assert catalogue.datasets[DATASET].gates.table_change.why in found["changement_table"].message_fr


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"statut_observation": "P", "version_conservee": "1.0.0"}, set()),
        ({"version_conservee": "1.0.0"}, set()),  # of a year that is provisional by declaration
        ({"statut_observation": "P"}, {"changement_table", "changement_jeu"}),
        ({"version_conservee": "1.0.0", "valeur": 51.0}, {"changement_table", "changement_jeu"}),
    ],
)
def test_figures_that_are_only_kept_are_no_change(
    catalogue: Catalogue, tables: Tables, tmp_path: Path, changed: dict[str, Any], names: set[str]
) -> None:
    states = wide(tables, 0), wide(tables, 40, **changed)
    assert stopped(judged(catalogue, tmp_path / "marked", *states)) == names
    assert stopped(judged(catalogue, tmp_path / "unmarked", *reversed(states))) == names


def test_removed_rows_and_vanished_structures_are_stopped(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    before = wide(tables, 0)
    office = tables["structures"].assign(structure_code="301", structure="CAF du Gard", maille="site")
    before["structures"] = pd.concat([tables["structures"], office])
    after = before | {"resultats": before["resultats"].iloc[6:], "structures": tables["structures"]}
    found = judged(catalogue, tmp_path, before, after)
    assert stopped(found) == {"lignes_retirees", "structures_disparues"}
    assert found["structures_disparues"].details == ("caf 301",)


def test_what_nothing_explains_is_stopped(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    found = judged(catalogue, tmp_path, wide(tables, 0), wide(tables, 1, valeur=51.0), explained=False)
    assert stopped(found) == {"inexpliques"}
    assert found["inexpliques"].message_fr.startswith("1 changement sans motif")
    assert "valeur" in found["inexpliques"].details[0]


def test_lost_columns_are_stopped(catalogue: Catalogue, tables: Tables, tmp_path: Path) -> None:
    first = make_release(DATASET, catalogue, tables, tmp_path, synthetic=None, inputs=received("0"))
    results = catalogue.tables["resultats"]
    kept = tuple(column for column in results.columns if column.name != "source")
    declared = dict(catalogue.tables) | {"resultats": results.model_copy(update={"columns": kept})}
    narrower = replace(catalogue, tables=MappingProxyType(declared))
    narrow = tables | {"resultats": tables["resultats"].drop(columns="source")}
    second = make_release(DATASET, narrower, narrow, tmp_path, synthetic=None, inputs=received("0"))
    assert second.version == "2.0.0"
    found = {gate.name: gate for gate in gates(narrower, DATASET, first.folder, second.folder)}
    assert stopped(found) == {"colonnes_perdues"}
    assert found["colonnes_perdues"].details == ("resultats.source : colonne retirée",)


@pytest.mark.parametrize("marks", [("Inventées.", None), (None, "Inventées.")])
def test_a_change_of_the_synthetic_mark_is_stopped(
    catalogue: Catalogue, tables: Tables, tmp_path: Path, marks: tuple[str | None, ...]
) -> None:
    assert stopped(judged(catalogue, tmp_path, tables, tables, marks=marks)) == {"nature_donnees"}
