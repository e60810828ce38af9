"""How steps are named, and why those of a run failed: once for the command line, the night's record and the alerts."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from pipelines.mechanics.machine_faults import fault_in, transient

ATTEMPTS = 3
WAIT = 20  # seconds between two attempts: a storage that restarts, a name server that stumbles


@dataclass(frozen=True)
class StepFailure:
    """A step that failed and why; ``network`` and ``stage`` as in its name (see ``stage_of_step``).

    ``refusal``: it said no itself (``dg.Failure``), as of a file or a publication.
    """

    step: str
    network: str
    stage: str
    cause: str
    refusal: bool


def step_name(network: str) -> str:
    """Return what the steps of a network begin with."""
    return network.replace("-", "_")


def stage_key(network: str, stage: str) -> dg.AssetKey:
    """Return the key of a stage of a network. The graph shows its last part only: it names the network too."""
    return dg.AssetKey([network, f"{step_name(network)}_{stage}"])


def stage_of_step(step: str) -> tuple[str, str]:
    """Return the network (as steps name them) and the stage of a step, empty for one of no network."""
    network, _, asset = step.partition("__")
    return network, asset.removeprefix(f"{network}_")


def failures_among(events: Iterable[dg.DagsterEvent]) -> Iterator[StepFailure]:
    """Yield the failures that events of a run tell."""
    for event in events:
        if not event.is_step_failure:
            continue
        step = str(event.step_key)
        refusal, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
        if refusal and refusal.description:
            yield StepFailure(step, *stage_of_step(step), refusal.description, True)
        elif error:
            message = (error.cause or error).message.strip()
            yield StepFailure(step, *stage_of_step(step), fault_in(message) or message, bool(refusal))


def failures_of_run(instance: dg.DagsterInstance, run_id: str) -> list[StepFailure]:
    """Return the failures of a run that the instance keeps."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return list(failures_among(entry.dagster_event for entry in entries if entry.dagster_event))


def causes_of_run(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return why the steps of a run failed, in one line; empty when none did."""
    return " ; ".join(failure.cause for failure in failures_of_run(instance, run_id))


def end_of_run(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return what Dagster says of a run that ended without any step at fault: its process died, or never started."""
    entries = reversed(instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE))
    events = (entry.dagster_event for entry in entries)
    return next((event.message for event in events if event and event.message), "arrêt sans explication")


@contextmanager
def refusing(*kinds: type[Exception]) -> Iterator[None]:
    """Make refusals of the step of these errors below, whose French sentence is all there is to know."""
    try:
        yield
    except kinds as error:
        raise dg.Failure(str(error)) from None


@contextmanager
def retrying_transient_failures() -> Iterator[None]:
    """Ask Dagster for another attempt at the step when what fails below is transient."""
    try:
        yield
    except Exception as error:
        if not transient(error):
            raise
        raise dg.RetryRequested(max_retries=ATTEMPTS - 1, seconds_to_wait=WAIT) from error
