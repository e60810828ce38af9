"""What Dagster sees and records: graph, partitions, checks, a bad network that stops nothing, schedule, UI."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import requests

from assets.definitions import build_definitions
from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, STAGES, year_tag
from assets.national_assets import release_key
from assets.step_failures import stage_key
from assets.voice_assets import signals_assets
from assets.workspace import Workspace
from pipelines.declarations import load

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def definitions(catalogue, samples, tmp_path_factory) -> dg.Definitions:
    output = tmp_path_factory.mktemp("dagster")
    workspace = Workspace(exports=str(samples), output=str(output), schemas=str(PROJECT / "schemas"))
    return build_definitions(catalogue, workspace)


def test_the_graph_is_what_the_declarations_make_it(definitions, catalogue):
    graph = definitions.resolve_asset_graph()
    networks = {stage_key(network, stage) for network in catalogue.networks for stage in STAGES}
    national = {dg.AssetKey(["national", name]) for name in ("tables", "publication", "site")}
    releases = {release_key(dataset) for dataset in catalogue.without_signals.datasets}
    voices = {asset.key for asset in signals_assets(catalogue)}  # which nothing waits for: see ``test_voice``
    night = {dg.AssetKey(["nuit", "veille"]), dg.AssetKey(["nuit", "bilan"])}
    assert graph.get_all_asset_keys() == networks | national | releases | night | voices
    assert graph.get(stage_key("caf", "resultats")).parent_keys == {stage_key("caf", "observations")}
    partitions = graph.get(stage_key("caf", "recu")).partitions_def
    assert partitions is not None
    assert partitions.get_partition_keys() == ["2022", "2023", "2024"]  # those of the network: not of all
    definitions.get_repository_def().load_all_definitions()  # as the code server does: names of ops must not clash


def test_a_refused_network_year_fails_alone_and_records_nothing(few_networks, samples, tmp_path):
    chosen = ["gendarmerie", "securite", "caf"]
    schemas, exports = few_networks(*chosen), tmp_path / "exports"
    shutil.copytree(samples / "gendarmerie", exports / "gendarmerie")
    shutil.copytree(samples / "barometre-2024", exports / "barometre-2024")
    (exports / "gendarmerie" / "resultats-2024.zip").write_bytes(b"not a zip")
    workspace = Workspace(exports=str(exports), output=str(tmp_path / "output"), schemas=str(schemas))
    definitions = build_definitions(load(schemas), workspace)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(NETWORKS_JOB).execute_in_process(
            tags=year_tag(2024),
            asset_selection=[stage_key(network, stage) for network in chosen for stage in STAGES],
            instance=instance,
            raise_on_error=False,
        )
        assert not result.success
        made = {event.asset_key for event in result.get_asset_materialization_events() if event.asset_key}
        received = {stage_key(network, "recu") for network in ("gendarmerie", "caf")}
        assert {stage_key("securite", stage) for stage in STAGES} | received == made
        checks = {(item.asset_key.path[0], item.check_name): item for item in result.get_asset_check_evaluations()}
        assert not checks["gendarmerie", "conformite"].passed
        assert checks["gendarmerie", "conformite"].severity == dg.AssetCheckSeverity.ERROR
        assert checks["gendarmerie", "conformite"].metadata["a_retenir"].text.startswith("resultats : rejeté. ")
        assert (
            checks["gendarmerie", "conformite"].metadata["resultats_lettre_html"].path.endswith("resultats-lettre.html")
        )
        assert checks["securite", "conformite"].passed
        late = checks["caf", "reception"]  # nothing handed over, and the day has passed: no step fails, the check does
        assert (late.passed, late.severity) == (False, dg.AssetCheckSeverity.ERROR)
        assert "Rien n'est reçu : attendu le 31/03/2025" in late.metadata["a_retenir"].value
        assert "À demander à : Caisse nationale des allocations familiales" in late.metadata["a_retenir"].value
        assert late.metadata["jours_de_retard"].value > 0
        national = definitions.resolve_job_def(NATIONAL_JOB).execute_in_process(instance=instance, raise_on_error=False)
        assert national.success


def test_metadata_for_the_data_team(definitions, catalogue):
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(NETWORKS_JOB).execute_in_process(
            tags=year_tag(2024),
            asset_selection=[stage_key("caf", stage) for stage in STAGES],
            instance=instance,
        )
    made = {
        event.asset_key.path[1].removeprefix("caf_"): event.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    assert made["observations"]["lignes_lues"].value == (
        made["observations"]["lignes_acceptees"].value + made["observations"]["lignes_refusees"].value
    )
    assert "| enquete | accepté |" in made["observations"]["verdict"].value
    assert "apercu_enquete" in made["observations"]
    assert made["resultats"]["dagster/row_count"].value > 1000
    # The values over the years, and how those of the year spread: a line of figures for each indicator.
    header, _, *lines = made["resultats"]["serie"].value.splitlines()
    assert header.split("|")[1].strip() == "indicateur"
    assert "2024" in header
    indicators = [line.split("|")[1].strip() for line in lines]
    assert indicators == sorted(set(indicators))
    assert "nps" in indicators  # a national value: no median of places
    spread = made["resultats"]["etendue"].value.splitlines()
    assert "| nps |" in "\n".join(spread)
    assert spread[0] == "| indicateur | valeurs | minimum | médiane | maximum | national |"
    assert made["observations"]["a_retenir"].text.startswith("enquete : accepté, ")
    assert made["resultats"]["apercu"].value.splitlines()[0].count("|") == 7, "six columns: what a page has room for"


def test_each_stage_says_what_the_declarations_say(definitions, catalogue):
    graph, declared = definitions.resolve_asset_graph(), catalogue.networks["caf"]
    received, observed, results = (graph.get(stage_key("caf", stage)) for stage in STAGES)
    assert f"{declared.producer} avant le 31/03 de l'année suivante" in received.description
    assert all(export.title in received.description for export in declared.exports)
    columns = {item.name for item in observed.metadata["dagster/column_schema"].columns}
    personal = {f"{item.id}.{field.name}" for item in declared.exports for field in item.fields if field.personal}
    assert columns
    assert not columns & personal
    schema = {item.name: item for item in results.metadata["dagster/column_schema"].columns}
    assert schema["valeur"].description
    lineage = results.metadata["dagster/column_lineage"].deps_by_column
    assert {item.column_name for items in lineage.values() for item in items} <= columns | personal
    assert "enquete.recommandation" in {item.column_name for item in lineage["valeur"]}
    (place,) = results.metadata["dagster/code_references"].code_references
    assert place.file_path == str(PROJECT / "schemas" / "networks" / "caf.yml")
    assert all(graph.get(key).owners for key in graph.get_all_asset_keys())
    opinion = graph.get(stage_key("confiance", "resultats"))  # a barometer is declared elsewhere, with its indicators
    assert "Solde de confiance" in opinion.description
    assert Path(opinion.metadata["dagster/code_references"].code_references[0].file_path).is_file()


def test_every_job_schedule_and_setting_is_described(definitions):
    repository = definitions.get_repository_def()
    assert all(job.description for job in repository.get_all_jobs() if not job.name.startswith("__"))
    assert all(item.description for item in (*repository.schedule_defs, *repository.sensor_defs))
    for name, operation in (("accepter_plan", "plan"), ("accepter_revision", "accepter")):
        fields = repository.get_job(name).get_node_named(operation).definition.config_field.config_type.fields
        assert all(field.description for field in fields.values()), name


def test_the_night_begins_with_a_look_at_the_hour_of_paris(definitions, catalogue, samples, tmp_path):
    repository = definitions.get_repository_def()
    schedule = repository.get_schedule_def("nuit")
    assert schedule.cron_schedule == "0 2 * * *"
    assert schedule.execution_timezone == "Europe/Paris"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    when = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=when, repository_def=repository)
        asked = schedule.evaluate_tick(context).run_requests
    assert [(request.run_key, request.tags["resultats/nuit"]) for request in asked] == [("2026-01-02", "2026-01-02")]
    assert {sensor.name for sensor in repository.sensor_defs} == {"suite", "executions_perdues", "apercus", "alertes"}
    assert all(item.default_status == dg.DefaultSensorStatus.RUNNING for item in repository.sensor_defs)
    workspace = Workspace(exports=str(samples), output=str(tmp_path), schemas="")
    later = build_definitions(catalogue, workspace, "23:05").get_repository_def().get_schedule_def("nuit")
    assert later.cron_schedule == "5 23 * * *"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ask(port: int, query: str) -> dict:
    answer = requests.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}, timeout=20)
    answer.raise_for_status()
    return json.loads(answer.text)["data"]


def test_the_ui_shows_the_runs_just_made(few_networks, samples, tmp_path):
    """`resultats run`, then the web server on the same instance: what `make run` and `make ui` do."""
    (tmp_path / "home").mkdir()
    config = (PROJECT / "dagster.yaml").read_text(encoding="utf-8").replace("data/state", str(tmp_path / "state"))
    (tmp_path / "home" / "dagster.yaml").write_text(config, encoding="utf-8")
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(tmp_path / "home"),
        "RESULTATS_EXPORTS": str(samples),
        "RESULTATS_OUTPUT": str(tmp_path / "output"),
        "RESULTATS_SCHEMAS": str(few_networks("securite", "gendarmerie")),
    }
    command = [BIN / "resultats", "run", "--exports", samples, "--output", tmp_path / "output"]
    subprocess.run([*command, "--network", "securite", "--year", "2024"], env=environment, check=True, cwd=PROJECT)
    port = _free_port()
    server = subprocess.Popen(
        [BIN / "dagster-webserver", "-h", "127.0.0.1", "-p", str(port)],
        env=environment, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                found = _ask(port, "{runsOrError{... on Runs{results{jobName status}}} assetNodes{assetKey{path}}}")
                break
            except requests.RequestException:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.5)
        runs = {(run["jobName"], run["status"]) for run in found["runsOrError"]["results"]}
        assert runs == {("reseaux", "SUCCESS"), ("national", "SUCCESS")}
        assert ["securite", "securite_resultats"] in [node["assetKey"]["path"] for node in found["assetNodes"]]
    finally:
        server.terminate()
        server.wait(20)
