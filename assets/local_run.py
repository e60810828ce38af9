"""Runs the jobs in this process, for the command line: every year asked for, then what all networks give together."""

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import dagster as dg
from dagster._core.events import RunFailureReason

from assets.definitions import national_assets, national_in_process, networks_in_process, signals_in_process
from assets.jobs import STAGES, stage_key, year_tag
from assets.national_assets import release_key
from assets.publication_assets import KEY as PUBLICATION
from assets.publication_assets import SITE
from assets.step_failures import failures_among
from assets.voice_assets import all_months
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.changes import look
from pipelines.flow.exports_folder import note_folder
from pipelines.flow.gather import tables_are_current
from pipelines.flow.release import nothing_yet, release_inputs, release_is_current
from pipelines.flow.signals_made import why_not_made
from pipelines.flow.voice import signals_due
from pipelines.flow.waiting_plans import waiting_plans
from pipelines.mechanics.french import counted
from pipelines.operations.instance import opened, prepare_instance
from pipelines.operations.instance_runs import HOST_TAG
from pipelines.operations.settings import home_from_environment
from pipelines.report.run_summary import RunOutcome

SITE_STEP = "__".join(SITE.path)
# Dagster prints every event to the terminal; the summary says what matters, and the UI keeps the rest.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_jobs(
    catalogue: Catalogue,
    workspace: Workspace,
    networks: Iterable[str] = (),
    years: Iterable[int] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> RunOutcome:
    """Execute what is new of the chosen networks and years (all by default), then of what they give together.

    Where nothing is, releases are only brought to their targets, which leaves no trace in the instance.
    ``progress`` is told, in French, what is about to run. Raises KeyboardInterrupt when a signal ends one of them:
    nothing that comes after is made of what is half done.
    """
    home = home_from_environment()
    if home:
        prepare_instance(home, alone=False)  # two first runs at once, each making the storage, would leave it unusable
    wanted_networks, wanted_years = set(networks) or set(catalogue.networks), set(years) or set(catalogue.years)
    places = [
        (key, year)
        for year in sorted(wanted_years)
        for key, item in catalogue.networks.items()
        if key in wanted_networks and year in item.years
    ]
    due = due_network_years(catalogue, workspace, places, home)
    site_last = False
    failures = run_networks(catalogue, workspace, due, progress) if due else []
    if due or national_due(catalogue, workspace, catalogue.without_signals.datasets):
        progress("tables nationales, version, catalogue")
        site_last = _signals_follow(catalogue, workspace)
        outcome = run_national(catalogue, workspace, _all_but_site(catalogue) if site_last else None)
    else:
        progress("rien de nouveau, catalogue")
        outcome = run_national(catalogue, workspace, [PUBLICATION, SITE], trace=bool(waiting_plans(workspace.store)))
    failures += outcome.failures
    failures += run_signals(catalogue, workspace, progress)
    if site_last and outcome.succeeded:
        failures += run_national(catalogue, workspace, [SITE]).failures
    return replace(outcome, network_years=places, failures=tuple(failures))


def run_networks(
    catalogue: Catalogue,
    workspace: Workspace,
    places: Iterable[tuple[str, int]],
    progress: Callable[[str], None] = lambda _: None,
    *,
    trace: bool = True,
) -> list[str]:
    """Execute the assets of those networks and years; return the steps that failed and why.

    Without ``trace`` the runs are not those of the team: nothing of them is kept in its Dagster instance.
    """
    owing: dict[int, list[str]] = {}
    for network, year in places:
        owing.setdefault(year, []).append(network)
    here = _here()
    failures: list[str] = []
    job = networks_in_process(catalogue, workspace)
    with _instance(trace=trace) as instance:
        for year, networks in sorted(owing.items()):
            progress(f"{year} : {counted(len(networks), 'réseau', 'réseaux')}")
            ran = job.execute_in_process(
                asset_selection=[stage_key(key, stage) for key in networks for stage in STAGES],
                instance=instance,
                raise_on_error=False,
                run_config=_QUIET,
                tags=here | year_tag(year),
            )
            _stop_if_interrupted(ran)
            failures += [
                f"{failure.step}, {year} : {failure.cause}"
                for failure in failures_among(ran.all_events)
                if not failure.refusal  # of an export: told with its network
            ]
    return failures


def run_national(
    catalogue: Catalogue, workspace: Workspace, chosen: Sequence[dg.AssetKey] | None = None, *, trace: bool = True
) -> RunOutcome:
    """Execute what all networks give together, or the ``chosen`` assets of it, with or without a ``trace`` as above."""
    national = national_in_process(catalogue, workspace)
    with _instance(trace=trace) as instance:
        result = national.execute_in_process(
            asset_selection=chosen, instance=instance, raise_on_error=False, run_config=_QUIET, tags=_here()
        )
    _stop_if_interrupted(result)
    failures = list(failures_among(result.all_events))
    of_site = [f"site public : {failure.cause}" for failure in failures if failure.step == SITE_STEP]
    stopped = [failure.cause for failure in failures if failure.step != SITE_STEP]
    published = result.success or bool(of_site and not stopped)  # the site comes after what is published
    return RunOutcome([], published, "\n".join(stopped), tuple(of_site))


def run_signals(catalogue: Catalogue, workspace: Workspace, progress: Callable[[str], None]) -> list[str]:
    """Execute the job of signals where anything is new of them; return what stopped it, which stops nothing else."""
    if why := why_not_made(catalogue):
        return [f"voix des usagers : {why}"]
    try:
        if not signals_due(catalogue, workspace.store):
            return []
        progress("voix des usagers, signaux")
        job = signals_in_process(catalogue, workspace)
        with _instance(trace=True) as instance:
            ran = job.execute_in_process(
                instance=instance, raise_on_error=False, run_config=_QUIET, tags=_here() | all_months(catalogue)
            )
    except Exception as error:  # whatever it is: the results are made and published, and must be told
        return [f"voix des usagers : {error}"]
    _stop_if_interrupted(ran)
    return [f"voix des usagers : {failure.cause}" for failure in failures_among(ran.all_events)]


def _signals_follow(catalogue: Catalogue, workspace: Workspace) -> bool:
    """Say whether signals will be made too: the site, which shows both, is then written once, after them."""
    with suppress(Exception):  # whatever it is: told when they are made, and it stops nothing else
        return signals_due(catalogue, workspace.store)
    return False


def _all_but_site(catalogue: Catalogue) -> list[dg.AssetKey]:
    return [key for asset in national_assets(catalogue) for key in asset.keys if key != SITE]


def _here() -> dict[str, str]:
    """Return the tag by which a run whose process was killed is found."""
    return {HOST_TAG: socket.gethostname()}


def _stop_if_interrupted(ran: dg.ExecuteInProcessResult) -> None:
    """Raise again what Dagster takes for a failure of the run: Ctrl-C, or the signal by which a service is stopped."""
    ends = (event.job_failure_data for event in ran.all_events if event.is_job_failure)
    if any(end.failure_reason == RunFailureReason.UNEXPECTED_TERMINATION for end in ends):
        raise KeyboardInterrupt


@contextmanager
def _instance(*, trace: bool) -> Iterator[dg.DagsterInstance]:
    """Open the instance of DAGSTER_HOME, so that the UI shows these runs; without it, one that leaves no trace."""
    if trace and (home := home_from_environment()):
        with opened(home) as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance


# What a run of the command line has to do: only what would come out otherwise than the last time, as a night.


def due_network_years(
    catalogue: Catalogue, workspace: Workspace, places: list[tuple[str, int]], home: Path | None
) -> list[tuple[str, int]]:
    """Return those of the network-years that must run; all of them where the instance of ``home`` knows of none.

    What the exports folder holds is noted on the way.
    """
    if home and not _traced(home, catalogue.without_signals.datasets):
        return places
    try:
        found = look(catalogue, workspace.store, workspace.root)
        note_folder(catalogue, workspace.store, workspace.root)
    except Exception:  # whatever the storage of the exports raises: the run meets it too, and tells it
        return places
    cells = {(cell.network, cell.year) for cell in found.cells}
    return [place for place in places if place in cells]


def national_due(catalogue: Catalogue, workspace: Workspace, datasets: Iterable[str]) -> bool:
    """Say whether the national tables, or the release of one of the datasets, would be made of anything new."""
    store = workspace.store
    if not tables_are_current(catalogue, store):
        return True
    inputs = release_inputs(catalogue, store, workspace.root, Path(workspace.schemas))
    return not all(
        nothing_yet(catalogue, store, dataset) or release_is_current(store, dataset, inputs) for dataset in datasets
    )


def _traced(home: Path, datasets: Iterable[str]) -> bool:
    """Say whether the instance knows of releases that were made: else its UI would have nothing to show."""
    with opened(home) as instance:
        return all(instance.get_latest_materialization_event(release_key(dataset)) for dataset in datasets)
