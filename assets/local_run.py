"""Runs the jobs in this process, for the command line: every year asked for, then what all networks give together."""

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.events import RunFailureReason

from assets.definitions import national_assets
from assets.jobs import STAGES, national_job, networks_job, year_tag
from assets.national_assets import release_key
from assets.network_assets import network_assets
from assets.publication_assets import KEY as PUBLICATION
from assets.publication_assets import SITE
from assets.step_failures import failures_among, stage_key
from assets.voice_assets import all_months, signals_assets, signals_job
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.changes import changed_network_years
from pipelines.flow.release import releases_are_current
from pipelines.flow.voice import signals_due
from pipelines.flow.voice_facts import why_not_made
from pipelines.flow.waiting_plans import waiting_plans
from pipelines.mechanics.french import counted
from pipelines.operations.instance import opened, prepare_instance
from pipelines.operations.instance_runs import HOST_TAG
from pipelines.operations.settings import home_from_environment
from pipelines.report.run_summary import RunOutcome

Progress = Callable[[str], None]
SITE_STEP = "__".join(SITE.path)
# Dagster prints every event to the terminal; the summary says what matters, and the UI keeps the rest.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_jobs(
    catalogue: Catalogue,
    workspace: Workspace,
    networks: Iterable[str] = (),
    years: Iterable[int] = (),
    progress: Progress = lambda _: None,
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
        for key, declared in catalogue.networks.items()
        if key in wanted_networks and year in declared.years
    ]
    due = places
    if not home or _traced(home, catalogue):
        due = changed_network_years(catalogue, workspace.store, workspace.root, places)
    failures = run_networks(catalogue, workspace, due, progress) if due else []
    national, site_last = NationalRuns(catalogue, workspace), False
    if due or not releases_are_current(catalogue, workspace.store, workspace.root, Path(workspace.schemas)):
        progress("tables nationales, version, catalogue")
        site_last = _signals_follow(catalogue, workspace)
        outcome = national.run([key for key in national.keys if key != SITE] if site_last else None)
    else:
        progress("rien de nouveau, catalogue")
        outcome = national.run([PUBLICATION, SITE], trace=bool(waiting_plans(workspace.store)))
    failures += outcome.failures
    failures += run_signals(catalogue, workspace, progress)
    if site_last and outcome.succeeded:
        failures += national.run([SITE]).failures
    return replace(outcome, network_years=places, failures=tuple(failures))


def run_networks(
    catalogue: Catalogue, workspace: Workspace, places: Iterable[tuple[str, int]], progress: Progress = lambda _: None
) -> list[str]:
    """Execute the assets of those networks and years; return the steps that failed and why."""
    owing: dict[int, list[str]] = {}
    for network, year in places:
        owing.setdefault(year, []).append(network)
    failures: list[str] = []
    job = _job(network_assets(catalogue, Path(workspace.schemas)), networks_job(catalogue), workspace)
    with _instance() as instance:
        for year, networks in sorted(owing.items()):
            progress(f"{year} : {counted(len(networks), 'réseau', 'réseaux')}")
            keys = [stage_key(key, stage) for key in networks for stage in STAGES]
            for failure in failures_among(_execute(job, instance, keys, year_tag(year)).all_events):
                if not failure.refusal:  # of an export: told with its network
                    failures.append(f"{failure.step}, {year} : {failure.cause}")
    return failures


class NationalRuns:
    """The national job, defined once for every time that it runs."""

    def __init__(self, catalogue: Catalogue, workspace: Workspace) -> None:
        assets = national_assets(catalogue)
        self.keys = [key for asset in assets for key in asset.keys]
        self._job = _job(assets, national_job, workspace)

    def run(self, chosen: Sequence[dg.AssetKey] | None = None, *, trace: bool = True) -> RunOutcome:
        """Execute what all networks give together, or the ``chosen`` assets of it, with or without a ``trace``.

        Without one, nothing of it is kept in the team's Dagster instance.
        """
        with _instance(trace=trace) as instance:
            ran = _execute(self._job, instance, chosen)
        failures = list(failures_among(ran.all_events))
        of_site = [f"site public : {failure.cause}" for failure in failures if failure.step == SITE_STEP]
        stopped = [failure.cause for failure in failures if failure.step != SITE_STEP]
        published = ran.success or bool(of_site and not stopped)  # the site comes after what is published
        return RunOutcome([], published, "\n".join(stopped), tuple(of_site))


def run_signals(catalogue: Catalogue, workspace: Workspace, progress: Progress) -> list[str]:
    """Execute the job of signals where anything is new of them; return what stopped it, which stops nothing else."""
    if why := why_not_made(catalogue):
        return [f"voix des usagers : {why}"]
    try:
        if not signals_due(catalogue, workspace.store):
            return []
        progress("voix des usagers, signaux")
        job = _job(signals_assets(catalogue), signals_job, workspace)
        with _instance() as instance:
            ran = _execute(job, instance, None, all_months(catalogue))
    except Exception as error:  # whatever it is: the results are made and published, and must be told
        return [f"voix des usagers : {error}"]
    return [f"voix des usagers : {failure.cause}" for failure in failures_among(ran.all_events)]


def _signals_follow(catalogue: Catalogue, workspace: Workspace) -> bool:
    """Say whether signals will be made too: the site, which shows both, is then written once, after them."""
    with suppress(Exception):  # whatever it is: told when they are made, and it stops nothing else
        return signals_due(catalogue, workspace.store)
    return False


def _job(assets: Sequence[dg.AssetsDefinition], job: Any, workspace: Workspace) -> dg.JobDefinition:
    """Return a job alone: what a command runs needs no schedule, sensor or other job."""
    return dg.Definitions(assets, jobs=[job], resources={"workspace": workspace}).resolve_job_def(job.name)


def _execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    chosen: Sequence[dg.AssetKey] | None,
    tags: Mapping[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    """Execute a job here.

    Raises again what Dagster takes for a failure of the run: Ctrl-C, or the signal by which a service is stopped.
    """
    here = {HOST_TAG: socket.gethostname()}  # by which a run whose process was killed is found
    ran = job.execute_in_process(
        asset_selection=chosen, instance=instance, raise_on_error=False, run_config=_QUIET, tags=here | dict(tags or {})
    )
    ends = (event.job_failure_data for event in ran.all_events if event.is_job_failure)
    if any(end.failure_reason == RunFailureReason.UNEXPECTED_TERMINATION for end in ends):
        raise KeyboardInterrupt
    return ran


@contextmanager
def _instance(*, trace: bool = True) -> Iterator[dg.DagsterInstance]:
    """Open the instance of DAGSTER_HOME, so that the UI shows these runs; without it, one that leaves no trace."""
    if trace and (home := home_from_environment()):
        with opened(home) as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance


def _traced(home: Path, catalogue: Catalogue) -> bool:
    """Say whether the instance knows of releases that were made: else its UI would have nothing to show."""
    with opened(home) as instance:
        datasets = catalogue.without_signals.datasets
        return all(instance.get_latest_materialization_event(release_key(dataset)) for dataset in datasets)
