"""Closed years: computed again from what was archived, never replaced unless somebody accepts, safe from crashes."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
from fixtures.dagster_service import write_export
from fixtures.small_networks import NOW, Small, small

from pipelines.flow.gather import stale_network_years
from pipelines.flow.receive import receive_again
from pipelines.flow.revisions import (
    RevisionError,
    accept_revision,
    begin_revision,
    settle,
    waiting,
    waiting_revisions,
    writing_store,
)
from pipelines.flow.stored_files import read_frame
from pipelines.read import DamagedArchiveError

CELL = ("alpha", 2023)


@pytest.fixture
def closed(tmp_path) -> Small:
    """A project whose first year was run, then closed, and whose file at the source changed since."""
    project = small(tmp_path)
    for year in (2023, 2024):
        project.process("alpha", year)
    project.declare("alpha", "acceptance:", "closed_until: 2023\nacceptance:")
    write_export(project.exports, "alpha", 2023, unhappy=2)
    return project


def revise(project: Small):
    """Do what a backfill of the closed year does."""
    store = writing_store(project.store, project.catalogue, *CELL)
    assert store.proposes
    receive_again(begin_revision(project.store, *CELL), *CELL, project.workspace.root)
    if project.judge(*CELL):
        project.compute(*CELL)
    return settle(project.store, project.catalogue, *CELL, NOW)


def redefine(project: Small) -> None:
    """Change what the indicator counts as favourable, which changes every result."""
    path = project.schemas / "indicators" / "contents.yml"
    text = path.read_text(encoding="utf-8").replace("favourable: [content]", "favourable: [mécontent]")
    path.write_text(text, encoding="utf-8")
    project.reload()


def national_value(project: Small) -> float:
    frame = read_frame(project.store.network_year(*CELL) / "results.parquet")
    return float(frame[(frame["maille"] == "national") & (frame["frequence"] == "annuelle")]["valeur"].iloc[0])


def digests(project: Small) -> dict[str, str]:
    folder = project.store.network_year(*CELL)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_only_years_that_stand_are_protected(tmp_path):
    project = small(tmp_path)
    project.declare("alpha", "acceptance:", "closed_until: 2023\nacceptance:")
    assert not project.store.read(*CELL).stands
    assert not writing_store(project.store, project.catalogue, *CELL).proposes  # received once, as any year
    project.process(*CELL)
    assert writing_store(project.store, project.catalogue, *CELL).proposes
    assert not writing_store(project.store, project.catalogue, "alpha", 2024).proposes


def test_the_changed_file_is_not_used_and_nothing_differs(closed):
    before = digests(closed)
    assert revise(closed) is None
    assert {name: value for name, value in digests(closed).items() if name != "revision.json"} == before
    assert list(waiting_revisions(closed.store)) == []


def test_new_definitions_wait_beside_what_stands_until_accepted(closed):
    before = digests(closed)
    redefine(closed)
    proposal = revise(closed)
    assert proposal is not None
    assert proposal.differences["results"] > 0
    assert digests(closed) == before
    assert national_value(closed) == 75
    assert list(waiting_revisions(closed.store)) == [proposal]
    assert "2023" not in stale_network_years(closed.catalogue, closed.store)  # what stands may be published meanwhile
    assert CELL not in closed.seen()  # it is proposed once, not every night
    accept_revision(closed.store, *CELL, proposal.fingerprint[:8], NOW)
    assert national_value(closed) == 25
    assert list(waiting_revisions(closed.store)) == []
    kept = closed.output / "work" / "revisions" / "remplacees" / "alpha" / "2023" / proposal.base[:12]
    assert hashlib.sha256((kept / "results.parquet").read_bytes()).hexdigest() == before["results.parquet"]
    assert revise(closed) is None  # what was accepted is what stands now


def test_what_is_accepted_is_what_was_looked_at(closed):
    with pytest.raises(RevisionError, match="aucune révision"):
        accept_revision(closed.store, *CELL, "0" * 12, NOW)
    redefine(closed)
    proposal = revise(closed)
    for named in ("0" * 12, "", proposal.fingerprint[:7]):
        with pytest.raises(RevisionError, match="la révision qui attend"):
            accept_revision(closed.store, *CELL, named, NOW)
    path = closed.store.network_year(*CELL) / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"failures": {}', '"failures": {"x": "y"}'))
    with pytest.raises(RevisionError, match="ont changé depuis"):
        accept_revision(closed.store, *CELL, proposal.fingerprint, NOW)
    assert waiting(closed.store, *CELL) == proposal


@pytest.mark.parametrize("moved", ["nothing", "what stood"])
def test_a_crash_while_accepting_is_ended_by_the_next_look(closed, monkeypatch, moved):
    redefine(closed)
    proposal = revise(closed)
    monkeypatch.setattr("pipelines.flow.revisions.finish_accepting", lambda *_: None)  # killed before anything moved
    accept_revision(closed.store, *CELL, proposal.fingerprint, NOW)
    monkeypatch.undo()
    if moved == "what stood":
        shutil.move(closed.store.network_year(*CELL), closed.output / "work" / "revisions" / "remplacees" / "x")
    closed.look()
    assert national_value(closed) == 25
    assert CELL not in closed.seen()
    assert not closed.store.proposals.network_year(*CELL).exists()


def test_a_stage_run_alone_writes_beside_too(closed):
    before = digests(closed)
    redefine(closed)
    closed.judge(*CELL)  # from the UI: observations alone, then results alone
    closed.compute(*CELL)
    assert digests(closed) == before
    assert settle(closed.store, closed.catalogue, *CELL, NOW) is not None


def test_a_damaged_archive_is_told(closed):
    sha256 = closed.store.read(*CELL).reception.exports["guichet"][0].sha256
    path = closed.store.archive.path(sha256)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedArchiveError, match=r"archive abîmée.*« alpha/"):
        revise(closed)
    write_export(closed.exports, "alpha", 2023)  # the content received, back at the source: it takes its place again
    revise(closed)
    assert hashlib.sha256(closed.store.archive.content(sha256)).hexdigest() == sha256


def test_an_indicator_no_longer_declared_leaves_the_tables(closed):
    """A closed year computed when two indicators were declared gives only those that still are."""
    from pipelines.flow.gather import gather

    path = closed.schemas / "indicators" / "contents.yml"
    path.rename(path.with_name("autres.yml"))
    closed.reload()
    closed.process("alpha", 2024)
    inputs, _ = gather(closed.catalogue, closed.store, None)
    assert set(inputs.results["indicateur"]) == {"autres"}
    assert set(inputs.results["annee"]) == {2024}


def test_a_closed_year_kept_by_an_earlier_version_stands(closed):
    """Its state was written under other names, with a count kept no longer: it stands, and nothing replaces it."""
    folder = closed.store.network_year(*CELL)
    before = closed.store.read(*CELL)
    names = {
        "status": "etat", "reason": "motif", "explanation": "explication", "read": "lignes_lues",
        "accepted": "lignes_acceptees", "refused": "lignes_refusees",
        "files": "fichiers", "accounts": "comptes",
    }  # fmt: skip
    report = before.verdict.model_dump(mode="json")
    report["exports"] = {
        export: {"lignes_sans_observation": 0, **{names.get(name, name): value for name, value in receipt.items()}}
        for export, receipt in report["exports"].items()
    }
    report["contenus"], report["doutes"] = report.pop("contents"), report.pop("doubts")
    report["anomalies"] = report.pop("findings")
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    results = before.results.model_dump(mode="json")
    results["report"] = results.pop("verdict")
    results["outside"] = [{"indicateur": name, "nombre": count} for name, count in results["outside"].items()]
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    assert closed.store.read(*CELL) == before
    assert before.stands
    assert closed.seen() == {}
