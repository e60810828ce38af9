"""The night in Dagster: its look at all networks, when that is made, and the end of its record once its runs are over.

``[nuit, veille]`` is made by a run of its own, ``[nuit, bilan]`` told without one. A night ends once: when all it asked
for is over, or, incomplete, when the next one begins. What its record says is in ``pipelines.report.night``.
"""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster._core.execution.stats import StepEventStatus
from dagster._core.storage.tags import PARTITION_NAME_TAG

from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, STAGES, WATCH_JOB, ZONE, day_asked, now
from assets.metadata import declaring, lines_shown, rows_shown
from assets.step_failures import causes_of_run, failures_of_run, retrying_transient_failures, stage_of_step, step_name
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.changes import look
from pipelines.flow.exports_folder import folder_lines, note_folder
from pipelines.flow.store import Store
from pipelines.operations.instance_runs import OVER
from pipelines.report.night import Undone, begin_night, cells_of, end_night, keep_night, night_brief, night_record

NIGHT_TAG = "resultats/nuit"
SUMMARY = dg.AssetKey(["nuit", "bilan"])
_WATCH = dg.AssetKey(["nuit", "veille"])
_S = dg.DagsterRunStatus
summary_asset = dg.AssetSpec(  # whose materializations are the summaries of the nights
    SUMMARY,
    deps=[_WATCH],
    group_name="nuit",
    description="Ce que la nuit a donné, réseau par réseau (aussi dans work/nuits/).",
)
watch_job = dg.define_asset_job(
    WATCH_JOB,
    selection=dg.AssetSelection.assets(_WATCH),
    description="Regarde tous les réseaux ; ce qui a changé est ensuite traité, année par année.",
)
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

    @declaring(
        _WATCH, "Ce qui a changé depuis le dernier traitement : fichiers, déclarations, programme.", kinds={"file"}
    )
    def veille(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Any]:
        began = time.monotonic()
        with retrying_transient_failures():
            seen = look(catalogue, workspace.store, workspace.root)
            folder = note_folder(catalogue, workspace.store, workspace.root)
        begin_night(workspace.store, night_of(context.run), seen, now())
        context.log.info(f"{seen.network_years} années de réseau regardées, {len(seen.cells)} à traiter")
        why = [{"réseau": cell.network, "année": cell.year, "pourquoi": cell.why} for cell in seen.cells]
        return dg.MaterializeResult(
            metadata={
                "reseaux": seen.networks,
                "annees_de_reseau": seen.network_years,
                "a_traiter": len(seen.cells),
                "secondes": round(time.monotonic() - began, 2),
                "pourquoi": rows_shown(why, len(why)),
                "dossier_d_exports": lines_shown(folder_lines(folder)),
            }
        )

    return veille


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
        night = day_asked(context)
        return dg.RunRequest(run_key=night, tags={NIGHT_TAG: night})

    return nightly


def night_of(run: dg.DagsterRun) -> str:
    """Name the night of a look: its date, or the run's own id when somebody started it by hand."""
    return run.tags.get(NIGHT_TAG, run.run_id[:8])


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
        runs.setdefault(int(run.tags[PARTITION_NAME_TAG]), []).append(run)
    text = end_night(
        store,
        catalogue,
        night,
        _errors(instance, catalogue, runs),
        _national(instance, night["nuit"], following),
        now(),
        undone=dict(_undone(instance, catalogue, night, runs)),
        following=following,
    )
    cells = night["a_traiter"]
    metadata = {
        "en_bref": dg.MetadataValue.md(night_brief(night)),
        "bilan": dg.MetadataValue.md(text),
        "a_traiter": len(cells),
        "pas_faits": sum(not cell["fait"] for cell in cells),
        "erreurs": sum(cell["resultat"].startswith("ERREUR") for cell in cells),
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
    instance: dg.DagsterInstance, catalogue: Catalogue, night: dict[str, Any], runs: Runs
) -> Iterator[tuple[tuple[str, int], Undone]]:
    """Yield the network-years that no run took to their end, and what became of them.

    Not those of declarations that this service hasn't loaded: their outcome says so.
    """
    ended = {year: _ended_networks(instance, made) for year, made in runs.items()}
    for cell in cells_of(night):
        if cell.network not in catalogue.networks:
            continue
        latest = next(iter(runs.get(cell.year, ())), None)
        if latest is None:
            yield (cell.network, cell.year), Undone("PAS FAIT : le traitement n'a pas été lancé")
        elif latest.status != _S.SUCCESS and step_name(cell.network) not in ended[cell.year]:
            yield (cell.network, cell.year), Undone(_UNDONE[latest.status], goes_on=latest.status not in OVER)


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
        lost = "Le traitement s'est arrêté sans finir ; la prochaine nuit le reprendra."
        return f"ÉCHEC. {causes_of_run(instance, runs[0].run_id) or lost}"
    if runs[0].status == _S.CANCELED:
        return "annulées ; la prochaine nuit les refera."
    return "refaites." if runs[0].status == _S.SUCCESS else "en cours."
