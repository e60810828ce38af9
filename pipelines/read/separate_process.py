"""Work on one file done in a process apart, whose memory and time are bounded: whatever it does, this one goes on.

Forked, so that nothing is imported again (the cost is some milliseconds). What the work does is its caller's affair; it
must neither start threads that outlive it nor use what the parent opened to the network.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import psutil

from pipelines.read.cells import TreatmentError

T = TypeVar("T")
Tell = Callable[[Any], None]

_TOLD, _DONE, _RAISED = "told", "done", "raised"
_STILL_SECONDS = 300.0  # without any processor time: a lock held by another thread at the fork is never released
_DEATH_OF_PARENT = 1  # PR_SET_PDEATHSIG (prctl(2)): an orphan would work on for nothing, and hold the locks


class WorkLimitError(TreatmentError):
    """The work needed more memory or time than it may have, or its process was killed."""


def apart(
    work: Callable[[Tell], T], *, memory: int, seconds: int, tell: Tell | None = None, still: float = _STILL_SECONDS
) -> T:
    """Return what ``work`` returns in a process apart; it may tell this one things on the way, by its argument.

    ``memory``: bytes of addresses beyond those of this process. ``seconds``: of processor; ``still``: those after which
    a process that uses none is ended. What the work raises is raised here; WorkLimitError if it is beyond its limits or
    dies. Only plain data comes back (it is pickled).
    """
    reading, writing = Pipe(duplex=False)
    child, code = 0, 0
    with reading:
        try:
            with _signals_later():
                child = os.fork()
                if not child:
                    reading.close()
                    _work(work, writing, memory, seconds)
                writing.close()
            outcome = _heard(reading, tell, child, still)
        except BaseException:  # this process is asked to stop
            if child:
                os.kill(child, signal.SIGKILL)
            raise
        finally:
            code = _ended(child) if child else 0
    if outcome is None:
        raise WorkLimitError(_death(code, seconds))
    if outcome[0] == _RAISED:
        raise _as_raised(outcome[1], outcome[2])
    return outcome[1]  # type: ignore[no-any-return]


@contextmanager
def _signals_later() -> Iterator[None]:
    """Keep for the end what asks this process to stop: raised in the hooks that run after a fork, it would be lost."""
    received: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # elsewhere no signal is heard
        for number in (signal.SIGINT, signal.SIGTERM):
            if callable(signal.getsignal(number)):
                handlers[number] = signal.signal(number, lambda heard, _: received.append(heard))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for heard in received:
            signal.raise_signal(heard)


def _heard(pipe: Connection, tell: Tell | None, child: int, still: float) -> tuple[Any, ...] | None:
    """Listen until the work ends; return its last word, None when it dies without one."""
    while True:
        _wait(pipe, child, still)
        try:
            message: tuple[Any, ...] = pickle.loads(pipe.recv_bytes())  # written by our own process
        except (EOFError, OSError, pickle.UnpicklingError):
            return None
        if message[0] != _TOLD:
            return message
        if tell is not None:
            tell(message[1])


def _wait(pipe: Connection, child: int, still: float) -> None:
    """Wait until the process says something or ends; WorkLimitError when it stands still."""
    used = -1.0
    while not pipe.poll(still):
        before, used = used, _processor_time(child)
        if used == before:
            raise WorkLimitError(f"le traitement du fichier n'avance plus depuis {still:g} secondes")


def _processor_time(child: int) -> float:
    """Return the seconds of processor of a process and of those that it started, ended or not."""
    seconds = 0.0
    process = psutil.Process(child)
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(one.cpu_times()[:4])
    return seconds


def _ended(child: int) -> int:
    """Wait for the end of the process; return its code (negative: the signal that ended it)."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except ChildProcessError:  # whoever runs us lets the system forget them
        return 0


def _death(code: int, seconds: int) -> str:
    if -code == signal.SIGXCPU:
        return f"le traitement du fichier a dépassé {seconds} secondes de calcul"
    known = {item.value: item.name for item in signal.Signals}
    how = f"signal {known.get(-code, -code)}" if code < 0 else f"code {code}"
    return f"le traitement du fichier s'est interrompu ({how}) : mémoire ou limites de cette machine"


def _as_raised(error: BaseException, story: str) -> BaseException:
    if isinstance(error, MemoryError):
        limit = WorkLimitError("le traitement du fichier demande plus de mémoire que permis")
        limit.__cause__ = error
        return limit
    error.__cause__ = RuntimeError(story)
    return error


# In the process apart


def _work(work: Callable[[Tell], Any], writing: Connection, memory: int, seconds: int) -> None:
    """Do the work and end this process, whatever happens."""
    code = 1
    try:
        _prepare(memory, seconds)
        writing.send_bytes(_outcome(work, lambda message: writing.send_bytes(pickle.dumps((_TOLD, message)))))
        code = 0
    finally:
        os._exit(code)  # neither the parent's buffers nor its handlers are ours


def _prepare(memory: int, seconds: int) -> None:
    gc.freeze()  # what the parent made is not searched for cycles: each page of it would be copied
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stderr__.fileno() if sys.__stderr__ else 2)  # panics of readers
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_OF_PARENT, signal.SIGKILL)
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _bound(resource.RLIMIT_AS, pages * resource.getpagesize() + memory)
        with suppress(OSError):  # short of memory, the system ends this process, not the one that goes on
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    _bound(resource.RLIMIT_CPU, seconds, margin=1)
    _bound(resource.RLIMIT_CORE, 0)


def _bound(kind: int, wanted: int, *, margin: int = 0) -> None:
    """Bound what this process may use, by the machine's own limit where that one is lower (it can't be raised).

    Of processor time, one second of ``margin`` lets the signal say that it is the time that ended the process.
    """
    _, hard = resource.getrlimit(kind)
    most = wanted + margin if hard == resource.RLIM_INFINITY else min(wanted + margin, hard)
    resource.setrlimit(kind, (min(wanted, most), most))


def _outcome(work: Callable[[Tell], Any], tell: Tell) -> bytes:
    try:
        return pickle.dumps((_DONE, work(tell)))
    except BaseException as error:
        story = traceback.format_exc()
        try:
            message = pickle.dumps((_RAISED, error, story))
            pickle.loads(message)  # some errors can be written and not read again
        except Exception:
            return pickle.dumps((_RAISED, RuntimeError(f"{type(error).__name__}: {error}"), story))
        return message
