"""The door of the command line: whatever stops a command is one French sentence and an exit code, never a traceback.

What commands do, and the errors that they tell themselves, aren't here.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import traceback
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

from pipelines.cli.terminal_output import Exit, StoppedError, print_json, tell
from pipelines.mechanics.files import private_files
from pipelines.mechanics.plain_text import lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERRUPTED = 130  # as shells say of a command that Ctrl-C ended
_OWN_MOVES = re.compile(r"\x1b\[[?0-9;]*[mKAhlJG]|\r")  # those that rich writes
_NO_MOVE = re.compile(r"\r(?=\n)")


class _Listened:
    """A stream whose reader may leave (``… | head``): what comes after goes nowhere; the work and its code stand.

    Signs that act on a terminal don't pass, whoever wrote them: names of files come from anywhere.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, as long as somebody reads."""
        try:
            return self._stream.write(_harmless(text, on_terminal=self._stream.isatty()))
        except BrokenPipeError:
            self._leave()
            return len(text)

    def flush(self) -> None:
        """Flush, as long as somebody reads."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._leave()

    def _leave(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())  # what is still in the stream's memory goes there too
        os.close(nowhere)


def _harmless(text: str, *, on_terminal: bool) -> str:
    """Return what may be written: on a terminal, the colours and moves of our own bars too."""
    if text.isprintable():
        return text
    own = _OWN_MOVES if on_terminal else _NO_MOVE
    parts = own.split(text)
    moves = own.findall(text)
    return "".join(lines(part) + move for part, move in zip(parts, [*moves, ""], strict=True))


@contextmanager
def listened() -> Iterator[None]:
    """Let readers of both streams leave, and let any name of a file be printed, while the body runs."""
    with ExitStack() as heard:
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            if stream is None:  # closed from the start: ``print`` says nothing then
                continue
            if reconfigure := getattr(stream, "reconfigure", None):
                reconfigure(errors="backslashreplace")
            listened_to = _Listened(stream)
            heard.enter_context(redirect(cast("TextIO", listened_to)))
            heard.callback(listened_to.flush)
        yield


@contextmanager
def _stopped_as_interrupted() -> Iterator[None]:
    """Hear a request to stop (SIGTERM, as services send it) as Ctrl-C, while the body runs."""
    ours = threading.current_thread() is threading.main_thread()  # elsewhere no signal can be chosen
    if not ours or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def guarded(command: Callable[[], int | None], *, public: bool, detail: bool, json: bool) -> int:
    """Run a command; return its exit code, or that of what stopped it.

    ``public``: what it writes is for everybody; ``detail``: tell the traceback too; ``json``: answer programs.
    """
    try:
        with _stopped_as_interrupted(), nullcontext() if public else private_files():
            return command() or Exit.DONE
    except StoppedError as stop:
        if str(stop):
            tell(stop)
        return stop.code
    except KeyboardInterrupt:
        tell("interrompu")
        return INTERRUPTED
    except Exception as error:  # anything: this is the door
        if detail:
            traceback.print_exc()
        message, code = sentence_of(error)
        if json:
            with suppress(OSError):  # the place where the answer goes may be what is full
                print_json({"erreur": message})
        tell(message)
        return code


def sentence_of(error: Exception) -> tuple[str, int]:
    """Return what to say of an error, and the exit code."""
    from pipelines.mechanics.machine_faults import machine_fault
    from pipelines.operations.output_lock import OutputBusyError
    from pipelines.operations.settings import SettingError
    from pipelines.read import RootError
    from pipelines.release.refusals import PublicationError

    if isinstance(error, SettingError | RootError | OutputBusyError):
        return str(error), Exit.USAGE
    if isinstance(error, PublicationError):
        return str(error), Exit.REFUSED
    if (fault := machine_fault(error)) is not None:
        return fault, Exit.USAGE
    if isinstance(error, ModuleNotFoundError):
        return (
            f"« {error.name} » n'est pas installé, et cette commande en a besoin : pip install 'resultats[run]'",
            Exit.USAGE,
        )
    told = str(error).strip().splitlines()
    named = f"{type(error).__name__} : {told[0]}" if told else type(error).__name__
    return f"erreur inattendue ({named}). Pour le détail à transmettre : resultats --detail …", Exit.USAGE
