"""What the assets do with closed years and with failures of the network, in Dagster and from the command line."""

from __future__ import annotations

import datetime
from pathlib import Path

import dagster as dg
import fsspec
import pytest
from fixtures.dagster_service import write_export
from fixtures.small_networks import Small, small
from fsspec.implementations.local import LocalFileSystem

import assets.step_failures
from assets.definitions import build_definitions
from assets.jobs import NETWORKS_JOB, STAGES, year_tag
from assets.sensors import places_of
from assets.step_failures import stage_key
from assets.workspace import Workspace
from pipelines.cli import main
from pipelines.flow.revisions import ACCEPT_JOB, waiting_revisions
from pipelines.flow.stored_files import read_frame
from pipelines.mechanics.machine_faults import transient
from pipelines.report.alerts import alerts_of
from pipelines.report.facts import known_years
from pipelines.report.network_lines import network_lines
from pipelines.report.status import status

pytestmark = pytest.mark.e2e


def run(project: Small, workspace: Workspace, year: int) -> dg.ExecuteInProcessResult:
    job = build_definitions(project.catalogue, workspace).resolve_job_def(NETWORKS_JOB)
    keys = [stage_key("alpha", stage) for stage in STAGES]
    return job.execute_in_process(tags=year_tag(year), asset_selection=keys, raise_on_error=False)


def favourable(project: Small) -> float:
    frame = read_frame(project.store.network_year("alpha", 2023) / "results.parquet")
    return float(frame[(frame["maille"] == "national") & (frame["frequence"] == "annuelle")]["valeur"].iloc[0])


def test_a_backfill_of_a_closed_year_proposes_and_the_job_accepts(tmp_path, capsys):
    project = small(tmp_path)
    assert run(project, project.workspace, 2023).success
    project.declare("alpha", "acceptance:", "closed_until: 2023\nacceptance:")
    indicator = project.schemas / "indicators" / "contents.yml"
    text = indicator.read_text(encoding="utf-8")
    indicator.write_text(text.replace("favourable: [content]", "favourable: [mécontent]"), encoding="utf-8")
    project.reload()
    (project.exports / "alpha" / "guichet-2023.csv").unlink()  # the source is no longer needed
    made = run(project, project.workspace, 2023)
    assert made.success
    told = made.asset_materializations_for_node("alpha__alpha_resultats")[0].metadata
    (proposal,) = waiting_revisions(project.store)
    assert told["revision"].value == proposal.fingerprint[:12]
    assert told["differences"].value["results"] > 0
    assert favourable(project) == 75
    assert main(["revisions", "--output", str(project.output)]) == 0
    assert capsys.readouterr().out.startswith(f"alpha 2023 {proposal.fingerprint[:12]} proposée")
    assert main(["revisions", "--output", str(project.output), "--accept", "alpha", "2023", "0" * 12]) == 1
    assert main(["revisions", "--output", str(project.output), "--accept", "alpha", "hier", "0" * 12]) == 2
    accept = build_definitions(project.catalogue, project.workspace).resolve_job_def(ACCEPT_JOB)
    config = {"network": "alpha", "year": 2023, "revision": proposal.fingerprint[:12]}
    assert accept.execute_in_process(run_config={"ops": {"accepter": {"config": config}}}).success
    assert favourable(project) == 25
    refused = accept.execute_in_process(run_config={"ops": {"accepter": {"config": config}}}, raise_on_error=False)
    assert not refused.success


class Stumbling(LocalFileSystem):
    """Local files behind a network that fails as many times as told."""

    protocol = "stumbling"
    failures: list[Exception] = []  # noqa: RUF012
    cachable = False

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return LocalFileSystem._strip_protocol(path.removeprefix("stumbling://"))

    def isdir(self, path: str) -> bool:
        if self.failures:
            raise self.failures.pop()
        return super().isdir(path)


@pytest.mark.parametrize(
    ("failures", "succeeds", "tries"),
    [
        ([ConnectionResetError("coupé"), TimeoutError("trop long")], True, 3),
        ([ConnectionResetError("coupé")] * 3, False, 3),
        ([PermissionError("refusé")], False, 1),
    ],
)
def test_only_what_passes_by_itself_is_tried_again(tmp_path, monkeypatch, failures, succeeds, tries):
    fsspec.register_implementation("stumbling", Stumbling, clobber=True)
    monkeypatch.setattr(assets.step_failures, "WAIT", 0)
    monkeypatch.setattr(Stumbling, "failures", list(failures))
    project = small(tmp_path)
    workspace = Workspace(
        exports=f"stumbling://{project.exports}", output=str(project.output), schemas=str(project.schemas)
    )
    made = run(project, workspace, 2023)
    assert made.success is succeeds
    starts = [event for event in made.all_events if event.step_key == "alpha__alpha_recu"]
    assert sum(event.event_type_value in ("STEP_START", "STEP_RESTARTED") for event in starts) == tries


class AnswerError(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


@pytest.mark.parametrize(("error", "passes"), [
    (AnswerError(503), True), (AnswerError(429), True), (AnswerError(404), False), (AnswerError(403), False),
    (FileNotFoundError(), False), (ValueError(), False), (ConnectionRefusedError(), True), (None, False),
])  # fmt: skip
def test_what_is_transient(error, passes):
    assert transient(error) is passes


def test_a_late_file_of_an_open_year_is_taken(tmp_path):
    project = small(tmp_path)
    path = project.exports / "alpha" / "guichet-2023.csv"
    path.unlink()
    assert run(project, project.workspace, 2023).success
    assert ("alpha", 2023) not in project.seen()
    write_export(project.exports, "alpha", 2023)
    assert run(project, project.workspace, 2023).success
    assert favourable(project) == 75


def test_one_address_of_a_letter_for_the_ui_the_summaries_and_the_alerts(tmp_path):
    project = small(tmp_path)
    (project.exports / "alpha" / "guichet-2023.csv").write_bytes(b"rien de tel\n")
    page = "https://lettres.example.fr/sous"
    workspace = Workspace(
        exports=str(project.exports), output=str(project.output), schemas=str(project.schemas), letters=f"{page}/"
    )
    letter = f"{page}/alpha/2023/guichet-lettre.html"
    made = run(project, workspace, 2023).get_asset_check_evaluations()
    (told,) = [item.metadata for item in made if item.check_name == "conformite"]
    assert told["guichet_lettre_html"].url == letter
    lines, _ = network_lines(workspace.store, [workspace.store.read("alpha", 2023)])
    assert f"          lettre au réseau : {letter}" in lines
    today = datetime.date(2024, 1, 1)
    (refused,) = status(project.catalogue, project.output, today, workspace.letters)["refuses"]
    assert refused["lettre"] == letter
    years = known_years(workspace.store, project.catalogue)
    (alert,) = alerts_of(project.catalogue, workspace.store, years, places_of(workspace), today)
    assert alert.todo[0].endswith(letter)
    on_disk = str((project.output / "work/networks/alpha/2023/guichet-lettre.html").resolve())
    assert project.store.letter(Path(on_disk)) == on_disk  # no web server: its place
