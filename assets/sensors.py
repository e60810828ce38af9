"""What follows a run by itself: the runs that a night asks for, the national tables after networks, the summary.

Each evaluation starts from facts (records, runs, files) and remembers next to nothing: whatever was killed meanwhile,
the next one goes on from there.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG, RUN_KEY_TAG

from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, SIGNALS_JOB, STAGES, UPKEEP_JOB, WATCH_JOB, now, stage_key, year_tag
from assets.nights import NIGHT_TAG, OVER, conclude, conclude_overtaken, night_of, runs_of
from assets.step_failures import causes_of_run
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.changes import Look
from pipelines.flow.fingerprints import tables_declared
from pipelines.flow.gather import gathered, national_state
from pipelines.flow.store import Store
from pipelines.operations.instance_runs import busy, fail_lost_runs
from pipelines.report.night import begin_night, cells_of, latest_night, night_record

EVERY = 15  # seconds between two evaluations
_ASIDE = frozenset({WATCH_JOB, UPKEEP_JOB, SIGNALS_JOB})  # what nothing waits for


def following_sensor(catalogue: Catalogue, workspace: Workspace, jobs: list[Any]) -> dg.SensorDefinition:
    """Return the sensor ``suite``, which asks for runs of ``jobs``: those of networks and the national one."""
    declared = tables_declared(catalogue)

    @dg.sensor(
        name="suite",
        jobs=jobs,
        minimum_interval_seconds=EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Lance ce que la veille demande, puis les tables nationales, puis écrit le bilan.",
    )
    def following(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        store = workspace.store  # anew: what a store has seen doesn't change
        night = _current_night(context.instance, store)
        if night:
            conclude_overtaken(context.instance, catalogue, store, night)
        asked = list(_missing_runs(context.instance, catalogue, night)) if night else []
        if asked:
            yield from asked
            return
        if busy(context.instance, besides=_ASIDE):
            yield dg.SkipReason("des traitements sont en cours ou attendent")
            return
        due = _national_due(context, catalogue, store, declared, night)
        if due is not None:
            context.update_cursor(declared)
            yield due
            return
        if context.cursor is None:
            context.update_cursor(declared)
        if night and not night["terminee_le"]:
            conclude(context.instance, catalogue, store, night)
        yield dg.SkipReason("rien ne reste à faire")

    return following


def _current_night(instance: dg.DagsterInstance, store: Store) -> dict[str, Any] | None:
    """Return the record of the latest look; one that failed is given a record, which says so."""
    for last in instance.get_runs(dg.RunsFilter(job_name=WATCH_JOB), limit=1):
        if last.status == dg.DagsterRunStatus.FAILURE and night_record(store, night_of(last)) is None:
            return begin_night(store, night_of(last), Look(), now(), causes_of_run(instance, last.run_id))
    return latest_night(store)


def _missing_runs(instance: dg.DagsterInstance, catalogue: Catalogue, night: dict[str, Any]) -> Iterator[dg.RunRequest]:
    """Yield a run per year that the night asks for and that isn't there yet: the latest years first."""
    if night["terminee_le"]:
        return
    years: dict[int, list[str]] = defaultdict(list)
    for cell in cells_of(night):
        if cell.network in catalogue.networks and cell.year in catalogue.networks[cell.network].years:
            years[cell.year].append(cell.network)
    there = {run.tags.get(PARTITION_NAME_TAG) for run in runs_of(instance, night["nuit"], NETWORKS_JOB)}
    for year in sorted(years, reverse=True):
        if str(year) not in there:
            yield dg.RunRequest(
                run_key=f"{night['nuit']}-{year}",
                job_name=NETWORKS_JOB,
                partition_key=str(year),  # beside its tag: Dagster looks for it in the years of a whole job
                asset_selection=[stage_key(network, stage) for network in years[year] for stage in STAGES],
                tags={NIGHT_TAG: night["nuit"]} | year_tag(year),
            )


def _national_due(
    context: dg.SensorEvaluationContext,
    catalogue: Catalogue,
    store: Store,
    declared: str,
    night: dict[str, Any] | None,
) -> dg.RunRequest | None:
    """Return the national run when a network-year, a declaration or the code changed since the last that went well.

    One that fails isn't asked for again until something changes or another night comes.
    """
    state = national_state(catalogue, store)["etat"]
    last = context.instance.get_runs(dg.RunsFilter(job_name=NATIONAL_JOB, statuses=OVER), limit=1)
    went_well = bool(last) and last[0].status == dg.DagsterRunStatus.SUCCESS
    if not state or (went_well and gathered(store).get("etat") == state and context.cursor in (None, declared)):
        return None
    name = night["nuit"] if night else ""
    key = f"{state[:12]}-{declared[:12]}-{name}"
    if context.instance.get_runs(dg.RunsFilter(job_name=NATIONAL_JOB, tags={RUN_KEY_TAG: key}), limit=1):
        return None
    return dg.RunRequest(run_key=key, job_name=NATIONAL_JOB, tags={NIGHT_TAG: name} if name else {})


def lost_sensor() -> dg.SensorDefinition:
    """Return the sensor ``executions_perdues``."""

    @dg.sensor(
        name="executions_perdues",
        minimum_interval_seconds=EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marque en échec les traitements dont le processus a disparu, pour que rien ne les attende.",
    )
    def lost(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        lost_runs = fail_lost_runs(context.instance)
        return dg.SkipReason(f"perdus : {', '.join(lost_runs)}" if lost_runs else "aucun traitement perdu")

    return lost
