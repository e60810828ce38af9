"""Rows out of the bounded process, as they come: whatever the bytes make of that process, this one goes on.

What the process does is in ``bounded_process``; the meaning of the rows belongs to the reader that asks.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from pipelines.read import bounded_process

_PROGRAM = str(Path(bounded_process.__file__))


class ReaderDiedError(Exception):
    """The bounded process ended before it had said everything: unreadable bytes, memory or time exhausted."""


@contextmanager
def rows_of(content: bytes, form: str, sheet: str = "") -> Iterator[tuple[Any, Iterator[list[Any]]]]:
    """Open what the process says of a file first, and its rows; raises ReaderDiedError if it dies."""
    command = [sys.executable, "-I", _PROGRAM, form, sheet]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            with suppress(BrokenPipeError):
                _send(process.stdin, content)
            yield _load(process.stdout), _rows(process.stdout)
        finally:
            process.kill()  # a refusal may leave it at work


def _send(pipe: IO[bytes] | None, content: bytes) -> None:
    if pipe:
        with pipe:
            pipe.write(content)


def _rows(pipe: IO[bytes] | None) -> Iterator[list[Any]]:
    while (batch := _load(pipe)) is not None:
        yield from batch


def _load(pipe: IO[bytes] | None) -> Any:
    try:
        return pickle.load(pipe) if pipe else None  # written by our own process
    except (EOFError, pickle.UnpicklingError) as error:
        raise ReaderDiedError from error
