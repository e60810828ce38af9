"""What passes by itself: failures of the network, which are tried again. Anything else fails at once."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from fsspec.exceptions import FSTimeoutError

ATTEMPTS = 3
WAIT = 20  # seconds between two attempts: a storage that restarts, a name server that stumbles
_SERVER_ERRORS = range(500, 600)
_TOO_MANY = 429


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
