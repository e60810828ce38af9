"""What operators do with an output on a shared storage: each command opens it anew, as another machine would."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fixtures.dagster_service import write_export
from fixtures.small_networks import NOW, Small, small

from pipelines.cli import main
from pipelines.declarations import load
from pipelines.flow.changes import Look, look
from pipelines.flow.revisions import waiting_revisions
from pipelines.flow.store import Store
from pipelines.flow.stored_files import read_frame
from pipelines.read import ObjectStore
from pipelines.report.night import begin_night, end_night, keep_night, latest_night, night_record

pytestmark = pytest.mark.e2e
DATASET = "resultats-services-publics"


@dataclass
class Machine:
    """A project whose output is a storage: commands on it, and what they print."""

    project: Small
    url: str
    capsys: pytest.CaptureFixture[str]

    def command(self, *words: str, code: int = 0, schemas: bool = True) -> str:
        more = ["--schemas", str(self.project.schemas)] if schemas else []
        self.capsys.readouterr()
        found = main([*words, "--output", self.url, *more])
        told = self.capsys.readouterr()
        assert found == code, told.out + told.err
        return told.out if code == 0 else told.out + told.err

    def run(self) -> str:
        return self.command("run", "--exports", str(self.project.exports))

    def status(self) -> dict:
        return json.loads(self.command("status", "--json"))

    def favourable(self) -> float:
        store = Store(self.url)
        frame = read_frame(store.network_year("alpha", 2023) / "results.parquet")
        return float(frame[(frame["maille"] == "national") & (frame["frequence"] == "annuelle")]["valeur"].iloc[0])


@pytest.fixture(scope="module")
def first_run(tmp_path_factory) -> Path:
    """A project and its storage after a first run, which takes seconds: to be copied."""
    folder = tmp_path_factory.mktemp("first")
    project = small(folder)
    places = ("--output", f"file://{folder}/partage", "--schemas", str(project.schemas))
    assert main(["run", "--exports", str(project.exports), *places]) == 0
    return folder


@pytest.fixture
def machine(first_run, tmp_path, capsys) -> Machine:
    for name in ("schemas", "exports", "partage"):
        shutil.copytree(first_run / name, tmp_path / name)
    schemas = tmp_path / "schemas"
    project = Small(schemas, tmp_path / "exports", tmp_path / "output", load(schemas))
    return Machine(project, f"file://{tmp_path}/partage", capsys)


def dataset_of(machine) -> dict[str, Any]:
    """What the status tells of the data set of results."""
    return next(one for one in machine.status()["jeux_de_donnees"] if one["id"] == DATASET)


def test_releases_are_proved_gone_back_on_and_shown(machine):
    write_export(machine.project.exports, "alpha", 2024, unhappy=2)
    machine.run()
    told = dataset_of(machine)
    assert (told["versions"], told["cibles"][0]["a_jour"]) == (2, True)
    assert told["cibles"][0]["page"].startswith(machine.url)
    latest = told["version"]
    assert "identique" in machine.command("verify")
    (plan,) = json.loads(machine.command("plan", "--json"))["plans"]
    assert plan["empty"], "the catalogue is what was published"
    assert machine.url in machine.command("rollback", "--to", "1.0.0", "--reason", "essai")
    told = dataset_of(machine)
    assert told["versions"] == 3
    assert told["cibles"][0] | {"version": told["version"], "a_jour": True} == told["cibles"][0]
    machine.command("verify", "--no-rebuild")
    storage = ObjectStore(machine.url)
    csv = [
        storage.read(f"releases/{DATASET}/{version}/resultats-annuels.csv") for version in ("1.0.0", told["version"])
    ]
    assert csv[0] is not None
    assert storage.read(f"catalogue/{DATASET}/latest/resultats-annuels.csv") == csv[1]
    assert storage.read(f"releases/{DATASET}/{latest}/SHA256SUMS") is not None


def test_a_blocked_plan_waits_for_an_agreement_that_all_know(machine):
    path = machine.project.schemas / "datasets" / f"{DATASET}.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("table_change: {max: 25,", "table_change: {max: 0,"))
    path.write_text(path.read_text(encoding="utf-8").replace("dataset_change: {max: 15,", "dataset_change: {max: 0,"))
    redefine(machine)
    assert "PUBLICATION EN ATTENTE" in machine.run()
    assert not dataset_of(machine)["cibles"][0]["a_jour"]
    (plan,) = json.loads(machine.command("plan", "--json", code=1))["plans"]
    assert plan["blocked"]
    machine.command("publish", "--accept", plan["hash"], "--reason", "définition corrigée")
    assert dataset_of(machine)["cibles"][0]["a_jour"]
    store = Store(machine.url)
    assert any(store.room("acceptances").iterdir())


def redefine(machine: Machine) -> None:
    """Change what the indicator counts as favourable, which changes every result."""
    path = machine.project.schemas / "indicators" / "contents.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("favourable: [content]", "favourable: [mécontent]"), encoding="utf-8")


def test_the_revision_of_a_closed_year_waits_and_is_accepted(machine, monkeypatch):
    before = machine.favourable()
    machine.project.declare("alpha", "acceptance:", "closed_until: 2023\nacceptance:")
    redefine(machine)
    machine.project.reload()
    machine.run()
    assert machine.favourable() == before
    (waiting,) = machine.status()["en_attente"]
    listed = machine.command("revisions", schemas=False)
    assert listed.startswith(f"alpha 2023 {waiting['empreinte'][:12]} proposée")

    saved = Store.save_network_year

    def killed(self, network, year):
        if self.proposes:  # the revision is in place, and still there to accept
            raise KeyboardInterrupt
        saved(self, network, year)

    accept = ("revisions", "--accept", "alpha", "2023", waiting["empreinte"])
    with monkeypatch.context() as patched:
        patched.setattr(Store, "save_network_year", killed)
        machine.command(*accept, schemas=False, code=130)  # as Ctrl-C ends a command
    store = Store(machine.url)
    look(machine.project.catalogue, store, machine.project.workspace.root)  # the next look ends it
    store = Store(machine.url)
    assert machine.favourable() == 100 - before
    assert store.read("alpha", 2023).stands
    assert not list(waiting_revisions(store))
    kept = store.room(f"work/revisions/remplacees/alpha/2023/{base(store)[:12]}")
    assert (kept / "observations" / "guichet.parquet").exists()
    assert read_frame(kept / "results.parquet")["valeur"].notna().any()
    assert "révision" in machine.command(*accept, schemas=False, code=1)


def base(store) -> str:
    folder = store.rooms("work/revisions", "results.json") / "remplacees" / "alpha" / "2023"
    (found,) = folder.iterdir()
    return found.name


def test_nights_are_seen_by_all_and_end_once(machine):
    machine.run()  # its exports were copied since the first run: files are known by more than their content
    catalogue, root = machine.project.catalogue, machine.project.workspace.root
    places = [(network, year) for network, declared in catalogue.networks.items() for year in declared.years]
    store = Store(machine.url)
    assert look(catalogue, store, root).cells == []
    assert latest_night(store) is None
    since = store.state(places)
    assert since
    write_export(machine.project.exports, "alpha", 2024, unhappy=2)
    begin_night(Store(machine.url), "2026-01-01", Look(), NOW, "panne")
    begin_night(store, "2026-01-02", look(catalogue, store, root), NOW)
    other = Store(machine.url)
    record = latest_night(other)
    assert (record["nuit"], [cell["year"] for cell in record["a_traiter"]]) == ("2026-01-02", [2024])
    assert other.state(places) == since
    machine.run()
    other = Store(machine.url)
    assert other.state(places) != since
    end_night(other, catalogue, record, {}, "refaites.", NOW)
    keep_night(other, record)
    found = night_record(Store(machine.url), "2026-01-02")
    result = found["a_traiter"][0]["resultat"]
    assert result.startswith("résultats provisoires : chiffres conservés de la version 1.0.0"), (
        "two answers alone moved"
    )
    assert found["terminee_le"]
    text = Store(machine.url)
    assert result in text.file("work/nuits/2026-01-02.md").read_text(encoding="utf-8")
