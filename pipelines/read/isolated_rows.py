"""Rows out of the bounded process, as they come: whatever the bytes make of that process, this one goes on.

What the process does is in ``bounded_process``; the meaning of the rows belongs to the reader that asks.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from pipelines.mechanics import limits
from pipelines.read import bounded_process
from pipelines.read.bounded_process import ROWS, UNREADABLE

_PROGRAM = str(Path(bounded_process.__file__))


class UnreadableBytesError(Exception):
    """The reader said in order that it can't read these bytes: a fact about the file."""


class TreatmentError(Exception):
    """A file could not be treated by no fault of its own that is known: a process that died, memory, time, disk.

    It is no verdict: never remembered, never told to the producer; another run tries again. The message, in French, is
    for the data team.
    """


class ReaderDiedError(TreatmentError):
    """The bounded process ended before it had said everything: a signal, its memory, its time, the machine's limits."""


@contextmanager
def rows_of(content: bytes, form: str, sheet: str = "") -> Iterator[tuple[Any, Iterator[list[Any]]]]:
    """Open what the process says of a file first, and its rows.

    Raises, here or while the rows come, UnreadableBytesError when it can't read them, ReaderDiedError when it dies.
    """
    command = [sys.executable, "-I", _PROGRAM, form, sheet, str(limits.READER_MEMORY), str(limits.READER_SECONDS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            with suppress(BrokenPipeError):
                _send(process.stdin, content)
            _, head = _next(process)
            yield head, _rows(process)
        finally:
            process.kill()  # a refusal may leave it at work


def _send(pipe: IO[bytes] | None, content: bytes) -> None:
    if pipe:
        with pipe:
            pipe.write(content)


def _rows(process: subprocess.Popen[bytes]) -> Iterator[list[Any]]:
    while (message := _next(process))[0] == ROWS:
        yield from message[1]


def _next(process: subprocess.Popen[bytes]) -> tuple[str, Any]:
    """Return what the process says next."""
    assert process.stdout is not None
    try:
        kind, content = pickle.load(process.stdout)  # written by our own process
    except (EOFError, pickle.UnpicklingError) as error:
        process.stdout.close()
        raise ReaderDiedError(_death(process.wait())) from error
    if kind == UNREADABLE:
        raise UnreadableBytesError(content)
    return kind, content


def _death(code: int) -> str:
    """Say in French how the process ended."""
    known = {item.value: item.name for item in signal.Signals}
    how = f"signal {known.get(-code, -code)}" if code < 0 else f"code {code}"
    return (
        f"la lecture s'est interrompue ({how} : mémoire, temps ou limites de cette machine). Le fichier n'est pas en "
        "cause ; il sera relu au prochain traitement"
    )
