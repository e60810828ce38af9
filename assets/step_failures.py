"""Why the steps of a run failed, decided once for the command line, the record of the night and the alerts."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from fsspec.exceptions import FSTimeoutError

from pipelines.mechanics.machine_faults import fault_in

ATTEMPTS = 3
WAIT = 20  # seconds between two attempts: a storage that restarts, a name server that stumbles
_SERVER_ERRORS = range(500, 600)
_TOO_MANY = 429


@dataclass(frozen=True)
class StepFailure:
    """A step that failed and why. ``refusal``: it said no itself (``dg.Failure``), as of a file or a publication."""

    step: str
    cause: str
    refusal: bool

    @property
    def network(self) -> str:
        """The network of the step, as steps name them (see ``step_name``)."""
        return stage_of_step(self.step)[0]

    @property
    def stage(self) -> str:
        """The stage of the network that failed, empty for steps of no network."""
        return stage_of_step(self.step)[1]


def step_name(network: str) -> str:
    """Return what the steps of a network begin with."""
    return network.replace("-", "_")


def stage_of_step(step: str) -> tuple[str, str]:
    """Return the network (as steps name them) and the stage of a step; see ``jobs.stage_key``."""
    network, _, asset = step.partition("__")
    return network, asset.removeprefix(f"{network}_")


def failures_among(events: Iterable[dg.DagsterEvent]) -> Iterator[StepFailure]:
    """Yield the failures that events of a run tell."""
    for event in events:
        if not event.is_step_failure:
            continue
        refusal, error = event.step_failure_data.user_failure_data, event.step_failure_data.error
        if refusal and refusal.description:
            yield StepFailure(str(event.step_key), refusal.description, True)
        elif error:
            message = (error.cause or error).message.strip()
            yield StepFailure(str(event.step_key), fault_in(message) or message, bool(refusal))


def failures_of_run(instance: dg.DagsterInstance, run_id: str) -> list[StepFailure]:
    """Return the failures of a run that the instance keeps."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return list(failures_among(entry.dagster_event for entry in entries if entry.dagster_event))


def end_of_run(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return what Dagster says of a run that ended without any step at fault: its process died, or never started."""
    entries = reversed(instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE))
    events = (entry.dagster_event for entry in entries)
    return next((event.message for event in events if event and event.message), "arrêt sans explication")


@contextmanager
def retrying_transient_failures() -> Iterator[None]:
    """Ask Dagster for another attempt at the step when what fails below is transient."""
    try:
        yield
    except Exception as error:
        if not transient(error):
            raise
        raise dg.RetryRequested(max_retries=ATTEMPTS - 1, seconds_to_wait=WAIT) from error


def transient(error: BaseException | None) -> bool:
    """Whether ``error``, or what caused it, is of the network: no connection, no answer in time, a server in trouble.

    A file that isn't there, a refused access or a broken content don't pass by waiting.
    """
    while error is not None:
        if isinstance(error, (ConnectionError, TimeoutError, FSTimeoutError)) or _of_a_client(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _of_a_client(error: BaseException) -> bool:
    """Whether a client library says so: they are optional, hence known by their names and HTTP codes."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"ClientConnectionError", "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"}:
        return True
    code = getattr(error, "status", None) or getattr(getattr(error, "response", None), "status_code", None)
    return isinstance(code, int) and (code in _SERVER_ERRORS or code == _TOO_MANY)
