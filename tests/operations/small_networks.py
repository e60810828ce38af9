"""Small networks taken through their stages without Dagster, for the tests of the night and of closed years."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from dagster_service import small_project

from assets.workspace import Workspace
from pipelines.declarations import Catalogue, load
from pipelines.flow.changes import Look, look
from pipelines.flow.compute import compute_and_write
from pipelines.flow.judge import judge_network_year
from pipelines.flow.kept_verdicts import keep_verdict
from pipelines.flow.receive import receive_exports
from pipelines.flow.revisions import writing_store
from pipelines.flow.store import Store

NOW = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)


@dataclass
class Small:
    """A project of small networks: its folders, and its declarations as they were read last."""

    schemas: Path
    exports: Path
    output: Path
    catalogue: Catalogue

    @property
    def workspace(self) -> Workspace:
        return Workspace(exports=str(self.exports), output=str(self.output), schemas=str(self.schemas))

    @property
    def store(self) -> Store:
        return self.workspace.store

    def reload(self) -> None:
        self.catalogue = load(self.schemas)

    def declare(self, network: str, before: str, after: str) -> None:
        path = self.schemas / "networks" / f"{network}.yml"
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")
        self.reload()

    def look(self) -> Look:
        return look(self.catalogue, self.store, self.workspace.root)

    def seen(self) -> dict[tuple[str, int], str]:
        return {(cell.network, cell.year): cell.why for cell in self.look().cells}

    def receive(self, network: str, year: int) -> None:
        receive_exports(self.catalogue.networks[network], network, year, self.store, self.workspace.root, NOW)

    def judge(self, network: str, year: int) -> bool:
        store = writing_store(self.store, self.catalogue, network, year)
        reception = store.read(network, year).reception
        verdicts = judge_network_year(self.catalogue, network, year, store, reception)
        keep_verdict(store, self.catalogue, network, year, verdicts, reception.fingerprint)
        return any(verdict.state == "accepté" for verdict in verdicts)

    def compute(self, network: str, year: int) -> None:
        compute_and_write(writing_store(self.store, self.catalogue, network, year), self.catalogue, network, year)

    def process(self, network: str, year: int) -> None:
        self.receive(network, year)
        if self.judge(network, year):
            self.compute(network, year)


def small(folder: Path, names: tuple[str, ...] = ("alpha",), years: range = range(2023, 2025)) -> Small:
    """Write a project of small networks below ``folder``."""
    schemas, exports = small_project(folder, names, years)
    return Small(schemas, exports, folder / "output", load(schemas))
