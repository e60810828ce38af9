"""Two releases of a tiny dataset, made once: what the campaigns publish, again and again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from campaign import Subject
from fixtures.made_results import DATASET, result

from pipelines.declarations import Catalogue
from pipelines.mechanics.files import sha256
from pipelines.release.data_package import to_bytes
from pipelines.release.release_folder import make_release
from pipelines.release.written_files import CHECKSUMS, checksums

TABLES = ("resultats", "reseaux")
# Of the many files of a release, those whose publication differs in kind: a campaign publishes them a thousand times.
FILES = {"resultats-annuels.csv", "resultats.schema.json", "reseaux.csv", "datapackage.json", "SHA256SUMS"}
NETWORK = {
    "reseau": "caf",
    "titre": "Caisses",
    "producteur": "Caisse nationale",
    "description": "Essai",
    "typologie": "caisse",
    "maille_fine": "departement",
    "premiere_annee": 2023,
    "derniere_annee": 2024,
    "licence": "etalab-2.0",
}


@pytest.fixture(scope="session")
def small_catalogue(catalogue: Catalogue) -> Catalogue:
    """Two tables without links to others."""
    dataset = catalogue.datasets[DATASET].model_copy(update={"tables": TABLES, "historical": None})
    tables = {name: catalogue.tables[name].model_copy(update={"foreign_keys": ()}) for name in TABLES}
    return replace(catalogue, datasets={DATASET: dataset}, tables=tables)


@pytest.fixture(scope="session")
def subject(small_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """One release, then another that changes a table, leaves the other alone and adds a year."""
    home = tmp_path_factory.mktemp("campaigns")
    rows = [result("30", 87.4), result("01", None)]
    releases = []
    for stage, added in enumerate(([], [result("30", 90.0, annee=2023, periode="2023")])):
        rows += added
        make_release(DATASET, small_catalogue, _tables(small_catalogue, rows), home / "whole", synthetic=None)
        releases.append(home / str(stage))
        shutil.copytree(home / "whole", releases[-1], ignore=_needless)
        _seal_again(releases[-1] / DATASET)
    return Subject(small_catalogue, DATASET, (releases[0], releases[1]), home)


def _seal_again(home: Path) -> None:
    """Make of what is left of the releases whole releases: checksums of these files, chained."""
    before = None
    for folder in sorted(home.iterdir()):
        place, sums = folder / "datapackage.json", folder / CHECKSUMS
        place.chmod(0o644)
        sums.chmod(0o644)
        described = json.loads(place.read_text(encoding="utf-8"))
        if before:
            described["previous"]["sha256"] = before
        place.write_bytes(to_bytes(described))
        sums.write_bytes(checksums({path.name: sha256(path) for path in folder.iterdir() if path != sums}))
        before = sha256(sums)


def _tables(catalogue: Catalogue, results: list[dict[str, object]]) -> dict[str, pd.DataFrame]:
    tables = {}
    for name, rows in {"resultats": results, "reseaux": [NETWORK]}.items():
        columns = [column for column in catalogue.tables[name].names if column != "version_publication"]
        tables[name] = pd.DataFrame(rows, columns=columns)
    return tables


def _needless(_: str, names: list[str]) -> set[str]:
    return {name for name in names if Path(name).suffix.strip(".0123456789") and name not in FILES}
