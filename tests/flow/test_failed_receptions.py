"""A reception that fails says nothing of the network: what was received before stays published, and it is told."""

from __future__ import annotations

import datetime
from pathlib import Path

import pandas as pd
import pytest
from fixtures.small_networks import NOW, Small, small

from pipelines.cli import main
from pipelines.flow.changes import look
from pipelines.flow.gather import gather
from pipelines.flow.release import release_inputs
from pipelines.release.inputs import Inputs
from pipelines.report.network_lines import network_lines
from pipelines.report.night import begin_night, end_night
from pipelines.report.status import status
from pipelines.tables.national_inputs import NationalInputs

DAY = datetime.date(2024, 1, 1)
FAILED = "ERREUR : les fichiers n'ont pas pu être reçus"


@pytest.fixture
def project(tmp_path) -> Small:
    """Alpha was received and computed; of beta nothing ever was."""
    found = small(tmp_path, ("alpha", "beta"), range(2023, 2024))
    found.process("alpha", 2023)
    return found


def fail(project: Small, network: str, monkeypatch) -> None:
    with monkeypatch.context() as down, pytest.raises(ConnectionResetError):
        down.setattr("pipelines.read.archive.Archive.receive", lambda *_: (_ for _ in ()).throw(ConnectionResetError()))
        project.receive(network, 2023)


def inputs(project: Small) -> NationalInputs:
    return gather(project.catalogue, project.store, None)[0]


def made_from(project: Small) -> Inputs:
    root, schemas = project.workspace.root, Path(project.workspace.schemas)
    return release_inputs(project.catalogue, project.store, root, schemas)


def test_results_stay_as_they_were_and_the_failure_is_told(project, monkeypatch, capsys):
    before, made_of = inputs(project), made_from(project)
    night = begin_night(project.store, "2026-01-02", look(project.catalogue, project.store,
                        project.workspace.root), NOW)  # fmt: skip
    for network in ("alpha", "alpha", "beta"):  # twice: a failure doesn't wear out what was there
        fail(project, network, monkeypatch)
    after = inputs(project)
    for name in ("results", "structures", "calibrations", "discrepancies", "receipts", "findings"):
        pd.testing.assert_frame_equal(getattr(after, name), getattr(before, name))
    assert made_from(project) == made_of  # hence no new release
    assert after.receipts[["reseau", "etat"]].to_numpy().tolist() == [["alpha", "accepté"], ["beta", "non traité"]]
    assert after.receipts["motif"].iloc[1] == "non-traite"  # no "erreur de traitement": no file of it was ever opened
    assert project.seen() == dict.fromkeys(
        [("alpha", 2023), ("beta", 2023)], "la réception précédente n'a pas abouti"
    )  # fmt: skip
    text = end_night(project.store, project.catalogue, night, {}, "refaites.", NOW)
    assert f"| beta | 2023 | jamais traité | {FAILED} |" in text
    lines, _ = network_lines(project.store, [project.store.read("alpha", 2023)])
    assert lines[0] == f"  2023  {FAILED} ; ce qui suit date de la réception précédente, et reste publié"
    assert "lignes acceptées" in lines[1]
    found = status(project.catalogue, project.output, DAY)["receptions_en_echec"]
    assert [(item["reseau"], item["resultats_gardes"]) for item in found] == [("alpha", True), ("beta", False)]
    assert main(["status", "--output", str(project.output), "--schemas", str(project.schemas)]) == 0
    assert "alpha, 2023 : ce qui avait été reçu reste publié" in capsys.readouterr().out


def test_a_night_says_that_what_was_received_before_stays(project, monkeypatch):
    path = project.exports / "alpha" / "guichet-2023.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(";content", ";mécontent", 1), encoding="utf-8")
    night = begin_night(project.store, "2026-01-02", look(project.catalogue, project.store,
                        project.workspace.root), NOW)  # fmt: skip
    fail(project, "alpha", monkeypatch)
    text = end_night(project.store, project.catalogue, night, {("alpha", 2023): "coupé"}, "rien n'a changé.", NOW)
    assert "| ERREUR : coupé ; ce qui avait été reçu auparavant reste publié |" in text
    project.process("alpha", 2023)
    assert not project.store.read("alpha", 2023).reception_failed
    assert ("alpha", 2023) not in project.seen()
    assert status(project.catalogue, project.output, DAY)["receptions_en_echec"] == []
