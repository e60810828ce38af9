"""Nights that don't come to their end, overtaken by the next or with a run lost for good: each gets its summary."""

from __future__ import annotations

import dagster as dg
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG
from fixtures.small_networks import NOW, Small, small

from assets.definitions import build_definitions
from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, SIGNALS_JOB, STAGES, year_tag
from assets.nights import NIGHT_TAG
from assets.step_failures import stage_key
from pipelines.flow.changes import look
from pipelines.operations.instance_runs import busy
from pipelines.report.night import begin_night, latest_night, night_record

S = dg.DagsterRunStatus
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
BILAN = dg.AssetKey(["nuit", "bilan"])


@pytest.fixture
def project(tmp_path) -> Small:
    return small(tmp_path, ("alpha", "beta-2"), range(2022, 2025))


def begin(project: Small, night: str) -> None:
    found = look(project.catalogue, project.store, project.workspace.root)
    begin_night(project.store, night, found, NOW)


def tick(project: Small, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """Evaluate the sensor once; return what it asks for."""
    repository = build_definitions(project.catalogue, project.workspace).get_repository_def()
    sensor = repository.get_sensor_def("suite")
    context = dg.build_sensor_context(instance=instance, repository_def=repository)
    return list(sensor.evaluate_tick(context).run_requests or ())


def add(instance: dg.DagsterInstance, night: str, status: S, year: int | None = None, **tags: str) -> str:
    """Add a run as the instance keeps it: of the networks for a year, or else of the national tables."""
    own = {"dagster/partition": str(year)} if year else {}
    job = NETWORKS_JOB if year else NATIONAL_JOB
    run = dg.DagsterRun(job_name=job, status=status, tags={NIGHT_TAG: night, **own, **tags})
    return instance.add_run(run).run_id


def take(project: Small, instance: dg.DagsterInstance, night: str, year: int, *networks: str) -> dg.DagsterRun:
    """Run networks of a year to their end, as the night does."""
    made = (
        build_definitions(project.catalogue, project.workspace)
        .resolve_job_def(NETWORKS_JOB)
        .execute_in_process(
            instance=instance, tags={NIGHT_TAG: night} | year_tag(year), run_config=_QUIET,
            asset_selection=[stage_key(network, stage) for network in networks for stage in STAGES],
        )
    )  # fmt: skip
    return made.dagster_run


def outcomes(project: Small, night: str) -> dict[tuple[str, int], str]:
    record = night_record(project.store, night)
    return {(item["network"], item["year"]): item["resultat"] for item in record["a_traiter"]}


def test_the_night_waits_for_no_run_of_signals(project):
    """Whether it goes on or has failed: the results and their publication are asked for all the same."""
    with dg.DagsterInstance.ephemeral() as instance:
        begin(project, "2026-01-02")
        for year in (2022, 2023, 2024):
            take(project, instance, "2026-01-02", year, "alpha", "beta-2")
        for status in (S.STARTED, S.FAILURE):
            instance.add_run(dg.DagsterRun(job_name=SIGNALS_JOB, status=status))
        assert [request.job_name for request in tick(project, instance)] == [NATIONAL_JOB]


def test_a_night_overtaken_by_the_next_is_told_network_by_network(project):
    with dg.DagsterInstance.ephemeral() as instance:
        begin(project, "2026-01-02")
        assert [request.partition_key for request in tick(project, instance)] == ["2024", "2023", "2022"]
        take(project, instance, "2026-01-02", 2024, "alpha", "beta-2")
        add(instance, "2026-01-02", S.STARTED, 2023)
        add(instance, "2026-01-02", S.NOT_STARTED, 2022)
        assert tick(project, instance) == []
        assert instance.get_latest_materialization_event(BILAN) is None  # it goes on
        begin(project, "2026-01-03")
        begin(project, "2026-01-04")  # before the sensor looked: none is forgotten
        tick(project, instance)
        shown = instance.fetch_materializations(BILAN, limit=9).records
    assert len(shown) == 2
    going, waiting = "PAS FINI : le traitement est en cours", "PAS FAIT : le traitement attend son tour"
    assert outcomes(project, "2026-01-02") == {
        ("alpha", 2024): "nouveaux résultats", ("beta-2", 2024): "nouveaux résultats",
        ("alpha", 2023): f"{going} ; il va à son terme", ("beta-2", 2023): f"{going} ; il va à son terme",
        ("alpha", 2022): f"{waiting} ; il va à son terme", ("beta-2", 2022): f"{waiting} ; il va à son terme",
    }  # fmt: skip
    never = "PAS FAIT : le traitement n'a pas été lancé ; repris par la nuit 2026-01-04"
    assert set(outcomes(project, "2026-01-03").values()) == {never}
    record = night_record(project.store, "2026-01-02")
    assert record["depassee_par"] == "2026-01-04"
    assert record["national"] == "pas faites ; la nuit 2026-01-04 s'en charge."
    told = project.store.file("work/nuits/2026-01-02.md").read_text(encoding="utf-8")
    assert "inachevée : la nuit 2026-01-04 a commencé avant sa fin ; 4 traitements sur 6 sans résultat." in told
    assert f"| alpha | 2022 | jamais traité | {waiting} ; il va à son terme |" in told
    latest = latest_night(project.store)  # although the ends of the others were written after it began
    assert (latest["nuit"], latest["terminee_le"]) == ("2026-01-04", None)
    begin(project, "2026-01-03")  # looked at again by hand: it doesn't end itself
    assert night_record(project.store, "2026-01-03")["inachevees"] == ["2026-01-02", "2026-01-04"]


def test_a_run_lost_for_good_is_told_and_not_taken_for_unchanged_results(project):
    places = [(network, year) for year in (2022, 2023, 2024) for network in ("alpha", "beta-2")]
    for network, year in places:
        project.process(network, year)
        path = project.exports / network / f"guichet-{year}.csv"  # something new: every cell is asked for again
        path.write_text(path.read_text(encoding="utf-8").replace(";content", ";mécontent", 1), encoding="utf-8")
    begin(project, "2026-01-02")
    with dg.DagsterInstance.ephemeral() as instance:
        lost = take(project, instance, "2026-01-02", 2024, "alpha")
        instance.report_run_failed(lost)  # its process was killed before the other network
        add(instance, "2026-01-02", S.FAILURE, 2024)  # taken up, and killed again
        add(instance, "2026-01-02", S.CANCELED, 2023)
        retried = add(instance, "2026-01-02", S.FAILURE, 2022, **{"dagster/will_retry": "true"})
        assert busy(instance)  # Dagster is about to start it again
        assert tick(project, instance) == []
        instance.add_run_tags(retried, {"dagster/auto_retry_run_id": "celui-ci"})
        assert not busy(instance)
        (asked,) = tick(project, instance)
        add(instance, "2026-01-02", S.FAILURE, None, **{RUN_KEY_TAG: asked.run_key})
        assert tick(project, instance) == []
        (shown,) = instance.fetch_materializations(BILAN, limit=9).records
    gone, cancelled = "PERDU : le traitement s'est arrêté sans finir", "PAS FAIT : le traitement a été annulé"
    again = "la prochaine veille le reprendra"
    assert outcomes(project, "2026-01-02") == {
        ("alpha", 2024): "nouveaux résultats", ("beta-2", 2024): f"{gone} ; {again}",
        ("alpha", 2023): f"{cancelled} ; {again}", ("beta-2", 2023): f"{cancelled} ; {again}",
        ("alpha", 2022): f"{gone} ; {again}", ("beta-2", 2022): f"{gone} ; {again}",
    }  # fmt: skip
    told = shown.asset_materialization.metadata
    assert told["pas_faits"].value == 5
    assert "- 6 à traiter : 1 × nouveaux résultats, 5 × à regarder" in told["en_bref"].value
    assert len(told["en_bref"].value) < 1000  # the UI hides what is longer behind a link
    assert "5 traitements sur 6 sans résultat" in told["bilan"].value
    assert "ÉCHEC. Le traitement s'est arrêté sans finir" in told["bilan"].value
    assert set(project.seen()) == set(places) - {("alpha", 2024)}  # the next look does take them up
