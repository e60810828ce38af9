"""What a run makes of the exports folder as it is left: links, strangers, files that arrive, a damaged archive."""

from __future__ import annotations

import dataclasses
import datetime
import os

import pytest
from fixtures.small_networks import Small, small

from assets.local_run import NationalRuns, run_networks
from pipelines.cli import main
from pipelines.flow.exports_folder import note_folder, noted_folder
from pipelines.report.network_lines import network_lines
from pipelines.report.run_summary import summarise
from pipelines.report.status import status

PLACE = ("alpha", 2024)


@pytest.fixture
def project(tmp_path) -> Small:
    return small(tmp_path, ("alpha", "beta"), range(2023, 2025))


def told(project: Small, network: str = "alpha", year: int = 2024) -> str:
    return "\n".join(network_lines(project.store, [project.store.read(network, year)])[0])


def receive_now(project: Small) -> None:
    from pipelines.flow.receive import receive_exports

    now = datetime.datetime.now(datetime.UTC)
    receive_exports(project.catalogue.networks["alpha"], *PLACE, project.store, project.workspace.root, now)


def received(project: Small) -> list[str]:
    return [file.sha256 for file in project.store.read(*PLACE).reception.exports["guichet"]]


def test_a_file_whose_end_is_missing_is_left_then_read(project):
    path = project.exports / "alpha" / "guichet-2024.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])  # its last answer lost its end: « content » became « con », « mécontent » « méco »
    receive_now(project)
    assert received(project) == []
    assert "« alpha/guichet-2024.csv » est encore en cours de copie" in told(project)
    assert "NON TRANSMIS" not in told(project)
    assert PLACE in project.seen()  # the next look asks for it again
    assert not project.judge(*PLACE)
    verdict = project.store.read(*PLACE).verdict
    assert "encore en cours de copie" in verdict.exports["guichet"].explanation
    path.write_bytes(whole)
    receive_now(project)
    assert len(received(project)) == 1
    before = received(project)
    path.write_bytes(whole[:-5])
    receive_now(project)
    assert received(project) == before  # what was received stands meanwhile
    old = datetime.datetime.now().timestamp() - 3600
    os.utime(path, (old, old))  # it stayed so: it is judged as it is, and its last line is named
    receive_now(project)
    assert received(project) != before
    project.judge(*PLACE)
    assert "coupé" in project.store.read(*PLACE).verdict.model_dump_json()


def test_a_link_shows_no_other_network(project, capsys):
    path = project.exports / "alpha" / "guichet-2024.csv"
    path.unlink()
    path.symlink_to(project.exports / "beta" / "guichet-2024.csv")
    (project.exports / "alpha" / "photo.png").write_bytes(b"")
    project.process(*PLACE)
    assert "NON TRANSMIS" in told(project)
    note_folder(project.catalogue, project.store, project.workspace.root)
    found = status(project.catalogue, project.output, datetime.date(2025, 1, 1))["dossier_d_exports"]
    assert found["liens"] == ["alpha/guichet-2024.csv"]
    assert [item["fichier"] for item in found["inattendus"]] == ["alpha/photo.png"]
    assert main(["status", "--output", str(project.output), "--schemas", str(project.schemas)]) == 0
    shown = capsys.readouterr().out
    assert "alpha/guichet-2024.csv : un lien" in shown
    assert "alpha/photo.png" in shown


@pytest.mark.parametrize("content", [b"synthetic: [1", b"a: &a [1]\nb: *a", b"\xff\xfe", b"[" * 5000])
def test_a_wrong_provenance_stops_nobody_and_is_told(project, content):
    (project.exports / "provenance.yml").write_bytes(content)
    places = [("alpha", 2024), ("beta", 2024)]
    assert run_networks(project.catalogue, project.workspace, places) == []
    outcome = NationalRuns(project.catalogue, project.workspace).run()
    assert outcome.succeeded, outcome.error
    summary = summarise(project.catalogue, project.store, dataclasses.replace(outcome, network_years=places))
    assert "« provenance.yml » ne peut pas être lu" in summary.text
    assert "lignes acceptées" in summary.text
    assert "à tenir pour synthétiques" in summary.text
    assert noted_folder(project.store)["provenance"]


def damage(project: Small) -> None:
    """Alter the archived file of a network-year at the same size, and forget what was judged of it."""
    (sha256,) = received(project)
    path = project.store.archive.path(sha256)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-2] + b"x\n")
    for judged in project.store.judged.glob("*"):
        judged.unlink()
    (project.store.network_year(*PLACE) / "report.json").unlink()


def run(project: Small, *places: tuple[str, int]):
    failures = run_networks(project.catalogue, project.workspace, places)
    return failures, NationalRuns(project.catalogue, project.workspace).run()


def test_a_damaged_archive_heals_from_the_source_within_the_run(project):
    run(project, PLACE, ("alpha", 2023))
    damage(project)
    failures, outcome = run(project, PLACE)
    assert failures == []
    assert outcome.succeeded, outcome.error
    assert "lignes acceptées" in told(project)


def test_no_release_loses_a_network_year_by_our_own_damage(project, monkeypatch):
    run(project, PLACE, ("alpha", 2023))
    before = sorted(project.store.releases.glob("*/*/datapackage.json"))
    damage(project)
    with monkeypatch.context() as elsewhere:  # the source doesn't give the content back
        elsewhere.setattr("pipelines.read.archive.Archive.take_again", lambda *_: False)
        failures, outcome = run(project, PLACE)
    assert "archive abîmée" in failures[0]
    assert "« alpha/guichet-2024.csv »" in failures[0]
    assert not outcome.succeeded
    assert "version non faite" in outcome.error
    assert "alpha 2024" in outcome.error
    assert sorted(project.store.releases.glob("*/*/datapackage.json")) == before
    assert "ERREUR DE TRAITEMENT" in told(project)
    assert "NON TRANSMIS" not in told(project)
    assert PLACE in project.seen()
    failures, outcome = run(project, PLACE)
    assert failures == []
    assert outcome.succeeded, outcome.error


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_read_concerns_its_network_alone(project):
    (project.exports / "beta").chmod(0)
    try:
        assert "dossier illisible" in project.seen()["beta", 2024] or "jamais traité" in project.seen()["beta", 2024]
        assert note_folder(project.catalogue, project.store, project.workspace.root)["illisibles"] == ["beta"]
        project.process(*PLACE)
        assert "lignes acceptées" in told(project)
    finally:
        (project.exports / "beta").chmod(0o755)
