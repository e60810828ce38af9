"""Ends the record of a night from what its runs left, and shows it on ``nuit/bilan``. No run is started here.

A night ends once: when all it asked for is over, or, incomplete, when the next one begins.
"""

import datetime
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.execution.stats import StepEventStatus

from assets.faults import fault_in
from assets.jobs import NATIONAL_JOB, NETWORKS_JOB, STAGES
from assets.night_texts import in_brief
from assets.nights import NIGHT_TAG, cells_of, end_night, keep_night, night_record
from assets.watching import SUMMARY, ZONE
from pipelines.declarations import Catalogue
from pipelines.flow.store import Store

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


def conclude(instance: dg.DagsterInstance, catalogue: Catalogue, store: Store, night: dict[str, Any]) -> None:
    """End the record of ``night``, whose runs are over."""
    _end(instance, catalogue, store, night, None)


def conclude_overtaken(instance: dg.DagsterInstance, catalogue: Catalogue, store: Store, night: dict[str, Any]) -> None:
    """End, as incomplete, the records of the nights that were not over when ``night`` began."""
    for name in night.get("inachevees", ()):
        earlier = night_record(store, name)
        if earlier is not None and not earlier["terminee_le"]:
            _end(instance, catalogue, store, earlier, night)


def causes_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dict[str, str]:
    """Return the steps of a run that failed and why; refusals of exports are left out, their verdict tells them."""
    found: dict[str, str] = {}
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        event = entry.dagster_event
        if event is None:
            continue
        refusal, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
        if run.job_name == NETWORKS_JOB and refusal:
            continue
        if refusal and refusal.description:
            found[str(event.step_key)] = refusal.description
        elif error:
            message = (error.cause or error).message.strip()
            found[str(event.step_key)] = fault_in(message) or message
    return found


def runs_of(instance: dg.DagsterInstance, night: str, job: str) -> list[dg.DagsterRun]:
    """Return the runs of a night, the latest first."""
    return list(instance.get_runs(dg.RunsFilter(job_name=job, tags={NIGHT_TAG: night})))


def _end(
    instance: dg.DagsterInstance,
    catalogue: Catalogue,
    store: Store,
    night: dict[str, Any],
    following: dict[str, Any] | None,
) -> None:
    runs: dict[int, list[dg.DagsterRun]] = {}
    for run in runs_of(instance, night["nuit"], NETWORKS_JOB):
        runs.setdefault(int(run.tags["dagster/partition"]), []).append(run)
    text = end_night(
        store, catalogue, night, _errors(instance, catalogue, runs), _national(instance, night["nuit"], following),
        datetime.datetime.now(ZoneInfo(ZONE)), undone=dict(_undone(instance, catalogue, night, runs, following)),
        overtaken_by=following["nuit"] if following else None,
    )  # fmt: skip
    done = night["a_traiter"]
    metadata = {
        "en_bref": dg.MetadataValue.md(in_brief(night)),
        "bilan": dg.MetadataValue.md(text),
        "a_traiter": dg.MetadataValue.int(len(done)),
        "pas_faits": dg.MetadataValue.int(sum(not item["fait"] for item in done)),
        "erreurs": dg.MetadataValue.int(sum(item["resultat"].startswith("ERREUR") for item in done)),
    }
    instance.report_runless_asset_event(dg.AssetMaterialization(SUMMARY, metadata=metadata))
    keep_night(store, night)  # last: a summary shown twice after a kill beats one never shown


def _errors(
    instance: dg.DagsterInstance, catalogue: Catalogue, runs: dict[int, list[dg.DagsterRun]]
) -> dict[tuple[str, int], str]:
    """Return the network-years whose steps stopped, in the latest run of their year, on anything but a refusal."""
    networks = {_step_name(network): network for network in catalogue.networks}
    return {
        (networks.get(step.partition("__")[0], ""), year): cause
        for year, (latest, *_) in runs.items()
        if latest.status == _S.FAILURE
        for step, cause in causes_of(instance, latest).items()
    }


def _undone(
    instance: dg.DagsterInstance,
    catalogue: Catalogue,
    night: dict[str, Any],
    runs: dict[int, list[dg.DagsterRun]],
    following: dict[str, Any] | None,
) -> Iterator[tuple[tuple[str, int], str]]:
    """Yield the network-years that no run took to their end: what became of them, and what comes next (French)."""
    ended = {year: _ended_networks(instance, found) for year, found in runs.items() if found[0].status != _S.SUCCESS}
    taken_up = {(cell.network, cell.year) for cell in cells_of(following)} if following else set()
    for cell in cells_of(night):
        place = cell.network, cell.year
        found = runs.get(cell.year, [])
        if found and (found[0].status == _S.SUCCESS or _step_name(cell.network) in ended[cell.year]):
            continue
        if cell.network not in catalogue.networks:
            continue  # of declarations that this service hasn't loaded: its outcome says so
        told = _UNDONE[found[0].status] if found else "PAS FAIT : le traitement n'a pas été lancé"
        if found and found[0].status not in _OVER:
            comes_next = "il va à son terme"
        elif following and place in taken_up:
            comes_next = f"repris par la nuit {following['nuit']}"
        else:
            comes_next = "la prochaine veille le reprendra"
        yield place, f"{told} ; {comes_next}"


def _ended_networks(instance: dg.DagsterInstance, runs: list[dg.DagsterRun]) -> set[str]:
    """Return the networks (as steps name them) whose last stage was reached, or one of whose stages failed."""
    found = set()
    for run in runs:
        for step in instance.get_run_step_stats(run.run_id):
            network, _, stage = step.step_key.partition("__")
            reached = stage == STAGES[-1] and step.status in (StepEventStatus.SUCCESS, StepEventStatus.SKIPPED)
            if reached or step.status == StepEventStatus.FAILURE:
                found.add(network)
    return found


def _national(instance: dg.DagsterInstance, night: str, following: dict[str, Any] | None) -> str:
    """Say what became of the national tables (French)."""
    runs = runs_of(instance, night, NATIONAL_JOB)
    if not runs:
        return f"pas faites ; la nuit {following['nuit']} s'en charge." if following else "rien n'a changé."
    if runs[0].status == _S.FAILURE:
        causes = causes_of(instance, runs[0])
        told = " ; ".join(causes.values()) or "Le traitement s'est arrêté sans finir ; la prochaine nuit le reprendra."
        return f"ÉCHEC. {told}"
    if runs[0].status == _S.CANCELED:
        return "annulées ; la prochaine nuit les refera."
    return "refaites." if runs[0].status == _S.SUCCESS else "en cours."


def _step_name(network: str) -> str:
    return network.replace("-", "_")
