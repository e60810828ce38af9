"""The voice of users from texts to pages: published apart, after the results, which nothing of it delays or stops."""

from __future__ import annotations

import csv
import datetime
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.definitions import build_definitions
from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, SIGNALS_JOB
from assets.local_run import run_jobs
from assets.voice_assets import GROUP, TESTS, all_months
from assets.workspace import Workspace
from pipelines.declarations import load
from pipelines.flow.store import Store
from pipelines.report.alerts import Places, signals, signals_stopped
from pipelines.report.run_summary import RunOutcome

pytestmark = pytest.mark.e2e
DATASET, RESULTS, SOURCE = "signaux-services-publics", "resultats-services-publics", "services-publics-plus"
TABLES = ("signaux", "courbes_signaux", "tests_signaux", "puissance_signaux", "themes_voix")


@pytest.fixture(scope="module")
def release(whole_run) -> Path:
    return Path(whole_run[0]) / "releases" / DATASET / "1.0.0"


def rows(release: Path, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader((release / f"{table}.csv").open(encoding="utf-8")))


def test_the_samples_give_signals_of_their_own_dataset(release):
    assert all((release / f"{table}.parquet").is_file() for table in TABLES)
    assert all(int(row["voix"]) >= 5 for row in rows(release, "signaux") if row["voix"])
    assert all(int(row["voix"]) >= 5 for row in rows(release, "themes_voix") if row["voix"])


def test_the_rises_that_the_samples_hold_are_found_in_bad_and_in_good(release):
    found = {(row["service"], row["theme"]) for row in rows(release, "signaux")}
    assert {("Allocations familiales (CAF)", "joignabilite"), ("France Travail", "amabilite")} <= found


def test_everything_tested_is_counted_with_the_alarms_expected(release):
    counted = rows(release, "tests_signaux")
    assert sum(int(row["tests"]) for row in counted) > 1000
    assert all(float(row["fausses_attendues"]) <= max(1.0, int(row["signaux"])) for row in counted)


def test_the_yearly_results_know_nothing_of_voices(whole_run):
    home = Path(whole_run[0]) / "releases" / RESULTS / "1.0.0"
    for table in ("reseaux", "receptions", "couverture", "resultats-annuels", "resultats-infra-annuels"):
        assert SOURCE not in {row["reseau"] for row in rows(home, table)}
    assert not any((home / f"{table}.csv").exists() for table in TABLES)


def test_no_text_of_a_user_is_in_what_is_published(whole_run, samples):
    """Not even a run of its words: sentences of the samples are looked for in every file that people may read."""
    texts = (samples / "experiences" / "experiences-2024.csv").read_text(encoding="utf-8").splitlines()[1:40]
    sentences = [part for line in texts for cell in line.split(";") if len(part := cell.strip('"')[:60]) == 60]
    assert len(sentences) > 20
    output = Path(whole_run[0])
    public = [
        path for room in ("releases", "catalogue", "site") for path in (output / room).rglob("*") if path.is_file()
    ]
    held = b"\n".join(path.read_bytes() for path in public if path.suffix in (".csv", ".html", ".md", ".json"))
    assert [sentence for sentence in sentences if sentence.encode() in held] == []


@pytest.fixture(scope="module")
def small(tmp_path_factory, samples, few_networks) -> tuple[Path, Path]:
    """One network and the texts of users: exports, schemas."""
    root = tmp_path_factory.mktemp("voices")
    shutil.copytree(few_networks("gendarmerie", SOURCE), root / "schemas")
    for name in ("gendarmerie", "experiences"):
        shutil.copytree(samples / name, root / "exports" / name)
    return root / "exports", root / "schemas"


@pytest.fixture
def run(small) -> Callable[[Path], RunOutcome]:
    exports, schemas = small

    def made(output: Path) -> RunOutcome:
        workspace = Workspace(exports=str(exports), output=str(output), schemas=str(schemas))
        return run_jobs(load(schemas), workspace)

    return made


def published(output: Path, dataset: str) -> str | None:
    manifest = output / "catalogue" / dataset / "dataset.json"
    return json.loads(manifest.read_text(encoding="utf-8"))["version"] if manifest.exists() else None


def test_what_goes_wrong_with_voices_is_told_and_stops_nothing_else(run, tmp_path):
    """An error, then, once it is mended, a release of signals that is refused: in one output, not treated twice."""
    _an_error_is_told_then_mended(run, tmp_path / "output")
    _a_refused_release_holds_back_no_result(run, tmp_path / "output")


def _an_error_is_told_then_mended(run: Callable[[Path], RunOutcome], output: Path) -> None:
    (output / "work").mkdir(parents=True)
    (output / "work" / "textes").write_text("a file where a folder should be", encoding="utf-8")
    outcome = run(output)
    assert outcome.succeeded
    assert published(output, RESULTS) == "1.0.0"
    assert (output / "site" / "index.html").is_file()
    assert published(output, DATASET) is None
    assert [line.startswith("voix des usagers : ") for line in outcome.failures] == [True]
    (output / "work" / "textes").unlink()  # mended: the next run goes on from there, and remakes nothing else
    before = {path: path.stat().st_mtime_ns for path in (output / "releases" / RESULTS).rglob("*")}
    again = run(output)
    assert again.failures == ()
    assert published(output, DATASET) == "1.0.0"
    assert {path: path.stat().st_mtime_ns for path in (output / "releases" / RESULTS).rglob("*")} == before


def test_a_faulty_declaration_of_voices_is_told_and_stops_nothing_else(small, tmp_path):
    exports, schemas = small
    shutil.copytree(schemas, tmp_path / "schemas")
    themes = tmp_path / "schemas" / "themes" / "relation.yml"
    themes.write_text(themes.read_text(encoding="utf-8").replace("label:", "labl:", 1), encoding="utf-8")
    catalogue, output = load(tmp_path / "schemas"), tmp_path / "output"
    workspace = Workspace(exports=str(exports), output=str(output), schemas=str(tmp_path / "schemas"))
    outcome = run_jobs(catalogue, workspace, ["gendarmerie"], [2024])
    assert outcome.succeeded
    assert published(output, RESULTS) == "1.0.0"
    assert published(output, DATASET) is None
    assert len(outcome.failures) == 1
    assert "themes/relation.yml:" in outcome.failures[0]
    schedule = build_definitions(catalogue, workspace).get_repository_def().get_schedule_def(SIGNALS_JOB)
    moment = datetime.datetime(2024, 9, 1, 4, 30, tzinfo=datetime.UTC)
    tick = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=moment))
    assert "themes/relation.yml:" in (tick.skip_message or "")


def _a_refused_release_holds_back_no_result(run: Callable[[Path], RunOutcome], output: Path) -> None:
    released = output / "releases" / DATASET / "1.0.0" / "signaux.csv"
    released.chmod(0o600)
    released.write_bytes(released.read_bytes() + b"x")  # altered since: nothing may follow it
    (output / "work" / "voix-fait.json").unlink()
    outcome = run(output)
    assert outcome.succeeded
    assert any("voix des usagers" in line for line in outcome.failures)
    assert published(output, RESULTS) == "1.0.0"


@pytest.fixture(scope="module")
def definitions(small, tmp_path_factory) -> dg.Definitions:
    exports, schemas = small
    output = tmp_path_factory.mktemp("dagster")
    return build_definitions(load(schemas), Workspace(exports=str(exports), output=str(output), schemas=str(schemas)))


def test_no_asset_of_results_waits_for_one_of_voices(definitions):
    graph = definitions.resolve_asset_graph()
    voices = {key for key in graph.get_all_asset_keys() if key.path[0] == GROUP}
    assert len(voices) == 5
    for key in graph.get_all_asset_keys() - voices:
        assert not graph.get(key).parent_keys & voices
    for job in (NETWORKS_JOB, NATIONAL_JOB):
        assert not set(definitions.resolve_job_def(job).asset_layer.executable_asset_keys) & voices
    assert set(definitions.resolve_job_def(SIGNALS_JOB).asset_layer.executable_asset_keys) == voices


def test_partitions_are_the_months_of_the_texts(definitions):
    partitions = definitions.resolve_asset_graph().get(TESTS).partitions_def
    assert partitions is not None
    keys = partitions.get_partition_keys()
    assert (keys[0], keys[-1], len(keys)) == ("2021-01", "2024-12", 48)


def test_a_morning_asks_for_every_month_after_the_night(definitions, small):
    schedule = definitions.get_repository_def().get_schedule_def(SIGNALS_JOB)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 4 * * *", "Europe/Paris")
    assert list(all_months(load(small[1])).values()) == ["2021-01", "2024-12"]


def test_what_a_message_says_when_signals_stop_or_appear(whole_run):
    stopped = signals_stopped("disque plein", "ab12", Places("/exports", "/sortie"))
    assert "Les résultats et leur publication n'en dépendent pas" in stopped.details[1]
    told = list(signals(Store(str(whole_run[0]))))
    made = duckdb.sql(
        f"SELECT signal FROM '{whole_run[0]}/work/voix/signaux.parquet' WHERE etat IN ('à confirmer', 'confirmé')"
    )
    assert len(told) == len(made.fetchall())
    assert {alert.kind for alert in told} <= {"signal"}
