"""A small house of networks invented for the tests: declared in YAML, run by the real stages, then explained."""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import yaml

from assets.workspace import Workspace
from pipelines.cli.explain_command import open_explainer
from pipelines.declarations import Catalogue, load
from pipelines.explain import Explainer
from pipelines.flow.compute import compute_and_write
from pipelines.flow.gather import declared_table, gather
from pipelines.flow.judge import judge_network_year
from pipelines.flow.kept_verdicts import keep_verdict
from pipelines.flow.receive import receive_exports
from pipelines.flow.release import release_inputs
from pipelines.flow.store import Store
from pipelines.release.release_folder import make_release
from pipelines.tables import national_tables

PROJECT = Path(__file__).resolve().parents[1]
YEAR = 2024
DATASET = "resultats-services-publics"
NOW = datetime.datetime(2025, 3, 1, tzinfo=datetime.UTC)
SHARED_KEYS = {
    "definition": "Essai.", "type": "satisfaction", "unit": "points", "unit_family": "nombre", "direction": "neutral",
    "decimals": 3,
}  # fmt: skip


class House:
    """Declarations, exports and an output folder below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.schemas, self.exports, self.output = folder / "schemas", folder / "exports", folder / "output"
        for name in ("references", "tables", "datasets"):
            shutil.copytree(PROJECT / "schemas" / name, self.schemas / name)
        self.store = Store(self.output)

    def network(self, name: str, *exports: Mapping[str, Any]) -> None:
        """Declare a network of sites for the year."""
        self._write(f"networks/{name}.yml", {
            "title": name, "producer": "Essai", "description": "Essai.", "structure_type": "Bureau",
            "finest_level": "site", "years": YEAR, "acceptance": {"max_refused_share": 0.5, "why": "essai"},
            "exports": [dict(export) for export in exports],
        })  # fmt: skip

    def indicator(self, name: str, **declared: Any) -> None:
        """Declare an indicator."""
        self._write(f"indicators/{name}.yml", {"title": name, **SHARED_KEYS, **declared})

    def corrections(self, network: str, *corrections: Mapping[str, Any]) -> None:
        """Declare corrections."""
        self._write(f"corrections/{network}.yml", {"corrections": [dict(item) for item in corrections]})

    def hand_over(self, path: str, header: str, *lines: str) -> None:
        """Put a CSV among the exports."""
        place = self.exports / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")

    def catalogue(self) -> Catalogue:
        """The declarations as they are now."""
        return load(self.schemas)

    def run(self) -> Explainer:
        """Pass every stage, release, and return what explains it."""
        catalogue = self.catalogue()
        workspace = Workspace(exports=str(self.exports), output=str(self.output), schemas=str(self.schemas))
        for network, declared in catalogue.networks.items():
            reception = receive_exports(declared, network, YEAR, self.store, workspace.root, NOW)
            verdicts = judge_network_year(catalogue, network, YEAR, self.store, reception)
            keep_verdict(self.store, catalogue, network, YEAR, verdicts, reception.fingerprint)
            if any(verdict.state == "accepté" for verdict in verdicts):
                compute_and_write(self.store, catalogue, network, YEAR)
        inputs, _ = gather(catalogue, self.store, None)
        made = national_tables(catalogue, inputs)
        wanted = catalogue.datasets[DATASET].tables
        frames = {name: declared_table(name, catalogue.tables[name], made[name]) for name in wanted}
        origin = release_inputs(catalogue, self.store, workspace.root, self.schemas)
        make_release(DATASET, catalogue, frames, self.store.releases, synthetic=None, inputs=origin)
        return self.explainer()

    def explainer(self, version: str | None = None) -> Explainer:
        """Explain a release anew (the latest by default): nothing is remembered."""
        folder = Path(tempfile.mkdtemp(dir=self.output.parent))
        return open_explainer(self.catalogue(), self.output, folder, version)

    def archived(self, network: str, export: str) -> Path:
        """Where the archive keeps the first file of an export."""
        sha256 = self.store.read(network, YEAR).reception.exports[export][0].sha256
        return self.store.archive.folder / sha256[:2] / sha256

    def observations(self, network: str, export: str) -> Path:
        """Where the observations of an export are."""
        return self.store.network_year(network, YEAR) / "observations" / f"{export}.parquet"

    def _write(self, file: str, content: Mapping[str, Any]) -> None:
        place = self.schemas / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False), encoding="utf-8")


def levels(obtained: str, *names: str) -> dict[str, dict[str, str]]:
    """The same way to obtain each level (all of them by default)."""
    return {name: {"obtained": obtained} for name in names or ("site", "departement", "region", "national")}


def export(name: str, fields: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """An export of sites in one CSV per year, every quarter by default."""
    places = [{"name": "jour", "type": "date", "format": "%d/%m/%Y"}, {"name": "lieu"}, {"name": "bureau"}]
    declared = [{"name": key, **(item if isinstance(item, dict) else {"type": item})} for key, item in fields.items()]
    return {
        "id": name, "kind": "survey", "title": name, "fields": [*places, *declared], "level": "site",
        "period": {"field": "jour", "frequency": "quarter"}, "territory": {"field": "lieu", "codes": "departement"},
        "structure": {"code": "bureau"},
        "layouts": [{"years": YEAR, "path": f"{name}-{{year}}.csv", "delimiter": ";", "decimalChar": ","}],
        **settings,
    }  # fmt: skip


class Judge(Protocol):
    """What compares a published row with the figures that it finds: the product, or the second path."""

    def disagreements(self, row: Mapping[Any, Any]) -> list[str] | None:
        """Say how they differ; None for a hidden row."""


def judged(judge: Judge, rows: pd.DataFrame) -> pd.DataFrame:
    """Compare many published rows; return them with ``accord`` (None: hidden) and ``desaccords``."""
    found = [judge.disagreements(row) for row in rows.to_dict("records")]
    return rows.assign(
        accord=pd.Series([None if item is None else not item for item in found], rows.index, dtype="object"),
        desaccords=[" ; ".join(item or ()) for item in found],
    )
