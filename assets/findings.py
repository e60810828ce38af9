"""The facts worth telling, found in what runs left: the output folder, and the failed runs of the instance.

How they are worded is in ``pipelines.report``; how they are sent, in ``channels``.
"""

import datetime
from collections.abc import Collection, Iterator

import dagster as dg

from assets.jobs import NATIONAL_JOB
from pipelines.declarations import Catalogue
from pipelines.flow.compute import failures_of
from pipelines.flow.receive import last_reception, left_behind
from pipelines.flow.store import Store, read_json
from pipelines.operations.lost_runs import RETRIED
from pipelines.report import (
    Fact,
    LateFiles,
    Places,
    broken_step,
    failed_indicator,
    late_files,
    late_network,
    nothing_published,
    refused,
)

_PARTITION = ("dagster/partition", "dagster/asset_partition_range_start")


def lateness(catalogue: Catalogue, store: Store, today: datetime.date) -> list[LateFiles]:
    """Return the files that are late by the declared calendar; network-years never looked at are left out."""

    def missing(network: str, year: int) -> Collection[str] | None:
        reception = last_reception(store, network, year)
        if not reception or reception.get("failed"):  # nobody could look: what was missing may be there
            return None
        return [
            export for export, files in reception["exports"].items() if not files and not left_behind(reception, export)
        ]

    return late_files(catalogue, missing, today)


def facts_of_store(catalogue: Catalogue, store: Store, places: Places, today: datetime.date) -> list[Fact]:
    """Return what is late, refused or not computed, from what the last run of each network-year left."""
    facts = [late_network(catalogue, late, places) for late in lateness(catalogue, store, today)]
    for network, declared in catalogue.networks.items():
        facts += _refusals(catalogue, store, network, places)
        for year in declared.years:
            for indicator, error in failures_of(store, network, year).items():
                facts.append(failed_indicator(catalogue, network, year, indicator, error, places))
    return facts


def _refusals(catalogue: Catalogue, store: Store, network: str, places: Places) -> Iterator[Fact]:
    """Yield one fact for each refused content, whatever the number of years that it holds."""
    found: dict[tuple[str, tuple[tuple[str, str], ...], str], list[int]] = {}
    for year in catalogue.networks[network].years:
        folder = store.network_year(network, year)
        report, reception = read_json(folder / "report.json"), read_json(folder / "reception.json")
        if not report or not reception or report["reception"] != reception["fingerprint"]:
            continue
        for export, receipt in report["exports"].items():
            if receipt["etat"] == "rejeté":
                files = tuple((item["path"], item["sha256"]) for item in reception["exports"].get(export, ()))
                found.setdefault((export, files, receipt["explication"]), []).append(year)
    for (export, files, explanation), years in found.items():
        letter = store.network_year(network, years[-1]) / f"{export}-lettre.html"
        yield refused(
            catalogue, network, years, export, files=files, explanation=explanation,
            letter=store.letter(letter) if letter.exists() else None, places=places,
        )  # fmt: skip


def facts_of_runs(
    catalogue: Catalogue, instance: dg.DagsterInstance, since: datetime.datetime, places: Places
) -> list[Fact]:
    """Return what stopped the runs that failed since then; refused files are found in the store instead."""
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
    facts: list[Fact] = []
    for record in instance.get_run_records(failed, ascending=True):
        if RETRIED not in record.dagster_run.tags:  # a run started in its place tells its own outcome
            facts += _facts_of_run(catalogue, instance, record.dagster_run, places)
    return list({fact.key: fact for fact in facts}.values())


def _facts_of_run(
    catalogue: Catalogue, instance: dg.DagsterInstance, run: dg.DagsterRun, places: Places
) -> Iterator[Fact]:
    causes = list(_causes(instance, run.run_id))
    if run.job_name == NATIONAL_JOB:
        told = " ; ".join(text for _, text, _ in causes) or _end(instance, run.run_id)
        yield nothing_published(told, run.run_id, places)
        return
    year = next((int(run.tags[tag]) for tag in _PARTITION if run.tags.get(tag, "").isdecimal()), None)
    networks = {network.replace("-", "_"): network for network in catalogue.networks}  # as step keys write them
    for step, text, is_refusal in causes:
        name, _, stage = step.partition("__")
        network = networks.get(name)
        if network is None:
            yield broken_step(step, None, year, text, run.run_id, places)
        elif not (is_refusal and stage == "observations"):
            what = f"{catalogue.networks[network].title}, étape « {stage} »"
            yield broken_step(what, network, year, text, run.run_id, places)
    if not causes:
        what = f"Traitement « {run.job_name} »"
        yield broken_step(what, None, year, _end(instance, run.run_id), run.run_id, places)


def _causes(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the steps that failed, why, and whether that was a refusal (``dagster.Failure``)."""
    for record in instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        refusal, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
        if refusal and refusal.description:
            yield str(event.step_key), refusal.description, True
        elif error:
            yield str(event.step_key), (error.cause or error).message.strip(), False


def _end(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return what Dagster says of a run that ended without any step at fault: its process died, or never started."""
    events = [
        record.event_log_entry.dagster_event
        for record in instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
    ]
    return next((event.message for event in reversed(events) if event and event.message), "arrêt sans explication")
