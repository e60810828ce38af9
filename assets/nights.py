"""The night in Dagster: its look at all networks, when that is made, and the end of its record once its runs are over.

``[nuit, veille]`` is made by a run of its own, ``[nuit, bilan]`` told without one. A night ends once: when all it asked
for is over, or, incomplete, when the next one begins. What its record says is in ``pipelines.report.night``.
"""

import datetime
import time
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.execution.stats import StepEventStatus

from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, STAGES, WATCH_JOB, ZONE
from assets.metadata import lines_shown, rows_shown
from assets.step_failures import failures_of_run, retrying_transient_failures, stage_of_step, step_name
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.changes import look
from pipelines.flow.exports_folder import folder_lines, note_folder
from pipelines.flow.store import Store
from pipelines.report.night import begin_night, cells_of, end_night, keep_night, night_brief, night_record

NIGHT_TAG = "resultats/nuit"
SUMMARY = dg.AssetKey(["nuit", "bilan"])
_WATCH = dg.AssetKey(["nuit", "veille"])
_S = dg.DagsterRunStatus
_OVER = frozenset({_S.SUCCESS, _S.FAILURE, _S.CANCELED})
_UNDONE = {
    _S.QUEUED: "PAS FAIT : le traitement attend son tour",
    _S.NOT_STARTED: "PAS FAIT : le traitement attend son tour",
    _S.STARTING: "PAS FINI : le traitement est en cours",
    _S.STARTED: "PAS FINI : le traitement est en cours",
    _S.CANCELING: "PAS FAIT : le traitement a été annulé",
    _S.CANCELED: "PAS FAIT : le traitement a été annulé",
    _S.FAILURE: "PERDU : le traitement s'est arrêté sans finir",
}
Runs = dict[int, list[dg.DagsterRun]]  # year → the runs that a night made for it, the latest first


def watch_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    """Return the asset that looks at every network and writes what the night has to run."""

    @dg.asset(
        key=_WATCH,
        group_name="nuit",
        description="Ce qui a changé depuis le dernier traitement : fichiers, déclarations, programme.",
        kinds={"file"},
    )
    def veille(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
        began = time.monotonic()
        with retrying_transient_failures():
            found = look(catalogue, workspace.store, workspace.root)
            folder = note_folder(catalogue, workspace.store, workspace.root)
        begin_night(workspace.store, night_of(context.run), found, now())
        context.log.info(f"{found.network_years} années de réseau regardées, {len(found.cells)} à traiter")
        why = [{"réseau": cell.network, "année": cell.year, "pourquoi": cell.why} for cell in found.cells]
        return dg.MaterializeResult(
            metadata={
                "reseaux": found.networks,
                "annees_de_reseau": found.network_years,
                "a_traiter": len(found.cells),
                "secondes": round(time.monotonic() - began, 2),
                "pourquoi": rows_shown(why, len(why)),
                "dossier_d_exports": lines_shown(folder_lines(folder)),
            }
        )

    return veille


def summary_asset() -> dg.AssetSpec:
    """Return the asset whose materializations are the summaries of the nights."""
    return dg.AssetSpec(
        SUMMARY,
        deps=[_WATCH],
        group_name="nuit",
        description="Ce que la nuit a donné, réseau par réseau (aussi dans work/nuits/).",
    )


def watch_job() -> Any:
    """Return the job of the look alone."""
    return dg.define_asset_job(
        WATCH_JOB,
        selection=dg.AssetSelection.assets(_WATCH),
        description="Regarde tous les réseaux ; ce qui a changé est ensuite traité, année par année.",
    )


def nightly_schedule(hour: str) -> dg.ScheduleDefinition:
    """Return the schedule of the night, at ``hour`` (HH:MM, Paris)."""
    hours, minutes = (int(part) for part in hour.split(":"))

    @dg.schedule(
        name="nuit",
        job_name=WATCH_JOB,
        cron_schedule=f"{minutes} {hours} * * *",
        execution_timezone=ZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Chaque nuit : regarder tous les réseaux et toutes leurs années, traiter ce qui a changé.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        night = f"{context.scheduled_execution_time.astimezone(ZoneInfo(ZONE)):%Y-%m-%d}"
        return dg.RunRequest(run_key=night, tags={NIGHT_TAG: night})

    return nightly


def night_of(run: dg.DagsterRun) -> str:
    """Name the night of a look: its date, or the run's own id when somebody started it by hand."""
    return run.tags.get(NIGHT_TAG, run.run_id[:8])


def now() -> datetime.datetime:
    """Return the time in Paris."""
    return datetime.datetime.now(ZoneInfo(ZONE))


def runs_of(instance: dg.DagsterInstance, night: str, job: str) -> list[dg.DagsterRun]:
    """Return the runs of a night, the latest first."""
    return list(instance.get_runs(dg.RunsFilter(job_name=job, tags={NIGHT_TAG: night})))


def conclude_overtaken(instance: dg.DagsterInstance, catalogue: Catalogue, store: Store, night: dict[str, Any]) -> None:
    """End, as incomplete, the records of the nights that were not over when ``night`` began."""
    for name in night.get("inachevees", ()):
        earlier = night_record(store, name)
        if earlier is not None and not earlier["terminee_le"]:
            conclude(instance, catalogue, store, earlier, following=night)


def conclude(
    instance: dg.DagsterInstance,
    catalogue: Catalogue,
    store: Store,
    night: dict[str, Any],
    following: dict[str, Any] | None = None,
) -> None:
    """End the record of ``night`` and show it: its runs are over, or the ``following`` night has begun."""
    runs: Runs = {}
    for run in runs_of(instance, night["nuit"], NETWORKS_JOB):
        runs.setdefault(int(run.tags["dagster/partition"]), []).append(run)
    text = end_night(
        store,
        catalogue,
        night,
        _errors(instance, catalogue, runs),
        _national(instance, night["nuit"], following),
        now(),
        undone=dict(_undone(instance, catalogue, night, runs, following)),
        overtaken_by=following["nuit"] if following else None,
    )
    cells = night["a_traiter"]
    metadata = {
        "en_bref": dg.MetadataValue.md(night_brief(night)),
        "bilan": dg.MetadataValue.md(text),
        "a_traiter": dg.MetadataValue.int(len(cells)),
        "pas_faits": dg.MetadataValue.int(sum(not cell["fait"] for cell in cells)),
        "erreurs": dg.MetadataValue.int(sum(cell["resultat"].startswith("ERREUR") for cell in cells)),
    }
    instance.report_runless_asset_event(dg.AssetMaterialization(SUMMARY, metadata=metadata))
    keep_night(store, night)  # last: a summary shown twice after a kill beats one never shown


def _errors(instance: dg.DagsterInstance, catalogue: Catalogue, runs: Runs) -> dict[tuple[str, int], str]:
    """Return the network-years whose steps stopped, in the latest run of their year, on anything but a refusal."""
    networks = {step_name(network): network for network in catalogue.networks}
    return {
        (networks.get(failure.network, ""), year): failure.cause
        for year, (latest, *_) in runs.items()
        if latest.status == _S.FAILURE
        for failure in failures_of_run(instance, latest.run_id)
        if not failure.refusal  # its verdict tells it
    }


def _undone(
    instance: dg.DagsterInstance,
    catalogue: Catalogue,
    night: dict[str, Any],
    runs: Runs,
    following: dict[str, Any] | None,
) -> Iterator[tuple[tuple[str, int], str]]:
    """Yield the network-years that no run took to their end: what became of them, and what comes next (French)."""
    ended = {year: _ended_networks(instance, made) for year, made in runs.items()}
    taken_up = {(cell.network, cell.year) for cell in cells_of(following)} if following else set()
    for cell in cells_of(night):
        place = cell.network, cell.year
        latest = next(iter(runs.get(cell.year, ())), None)
        if latest and (latest.status == _S.SUCCESS or step_name(cell.network) in ended[cell.year]):
            continue
        if cell.network not in catalogue.networks:
            continue  # of declarations that this service hasn't loaded: its outcome says so
        became = _UNDONE[latest.status] if latest else "PAS FAIT : le traitement n'a pas été lancé"
        if latest and latest.status not in _OVER:
            comes_next = "il va à son terme"
        elif following and place in taken_up:
            comes_next = f"repris par la nuit {following['nuit']}"
        else:
            comes_next = "la prochaine veille le reprendra"
        yield place, f"{became} ; {comes_next}"


def _ended_networks(instance: dg.DagsterInstance, runs: list[dg.DagsterRun]) -> set[str]:
    """Return the networks (as steps name them) whose last stage was reached, or one of whose stages failed.

    Those of a year whose latest run went well aren't asked for: all of them ended.
    """
    if runs[0].status == _S.SUCCESS:
        return set()
    ended = set()
    for run in runs:
        for step in instance.get_run_step_stats(run.run_id):
            network, stage = stage_of_step(step.step_key)
            reached = stage == STAGES[-1] and step.status in (StepEventStatus.SUCCESS, StepEventStatus.SKIPPED)
            if reached or step.status == StepEventStatus.FAILURE:
                ended.add(network)
    return ended


def _national(instance: dg.DagsterInstance, night: str, following: dict[str, Any] | None) -> str:
    """Say what became of the national tables (French)."""
    runs = runs_of(instance, night, NATIONAL_JOB)
    if not runs:
        return f"pas faites ; la nuit {following['nuit']} s'en charge." if following else "rien n'a changé."
    if runs[0].status == _S.FAILURE:
        causes = " ; ".join(failure.cause for failure in failures_of_run(instance, runs[0].run_id))
        lost = "Le traitement s'est arrêté sans finir ; la prochaine nuit le reprendra."
        return f"ÉCHEC. {causes or lost}"
    if runs[0].status == _S.CANCELED:
        return "annulées ; la prochaine nuit les refera."
    return "refaites." if runs[0].status == _S.SUCCESS else "en cours."
