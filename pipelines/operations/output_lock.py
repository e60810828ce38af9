"""One run at a time on an output: who works on it says so, and whoever comes meanwhile is told, or waits.

On a folder it is a lock of the system (``filelock``; ``deploy/backup`` takes the same one by flock(1)), which ends with
its process however that ends. A storage has none: whoever works writes a sign there and renews it; one that is no
longer renewed, or whose process is gone, counts for nothing.
"""

import datetime
import json
import os
import platform
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from pipelines.flow.output_folder import make_output
from pipelines.mechanics.french import day_text
from pipelines.read import ObjectStore

LOCK_FILE = ".traitement"
ROOM = "en-cours"  # of the signs, on a storage
RENEWED, LIFE = 60.0, 300.0  # seconds: between two renewals of a sign, and without any before it counts for nothing
_TRIES = 5  # two that come at the same instant both see the other: each tries again, a moment later


class OutputBusyError(Exception):
    """Another run works on the output; the French text says since when, and which."""


@contextmanager
def alone_on(output: str, who: str, *, among: str = "") -> Iterator[None]:
    """Hold an output, a folder or an fsspec URL, while the body runs; raises OutputBusyError at once when it is held.

    ``who``: what runs, for whoever comes meanwhile (French). ``among``: a name that runs share which may work together
    on a storage (those that one Dagster instance spreads over machines, and keeps apart itself).
    """
    sign = {
        "depuis": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "par": who,
        "parmi": among,
        "machine": platform.node(),
        "processus": os.getpid(),
    }
    with _storage_held(ObjectStore(output), sign) if "://" in output else _folder_held(Path(output), sign):
        yield


@contextmanager
def _folder_held(folder: Path, sign: dict[str, Any]) -> Iterator[None]:
    make_output(folder)
    place = folder / LOCK_FILE
    lock = FileLock(place, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        text = ""  # of whoever has just left
        with suppress(FileNotFoundError):
            text = place.read_text(encoding="utf-8", errors="replace")
        raise OutputBusyError(_told(_parsed(text))) from None
    try:
        place.write_text(json.dumps(sign, ensure_ascii=False), encoding="utf-8")
        yield
    finally:
        place.unlink(missing_ok=True)  # while it is still held: whoever opened it meanwhile sees that it is gone
        lock.release()


def _parsed(text: str) -> dict[str, Any]:
    """Return a sign; one that is being written says nothing yet."""
    try:
        sign = json.loads(text)
    except ValueError:
        return {}
    return sign if isinstance(sign, dict) else {}


@contextmanager
def _storage_held(storage: ObjectStore, sign: dict[str, Any]) -> Iterator[None]:
    name = f"{ROOM}/{uuid.uuid4().hex}.json"
    content = json.dumps(sign, ensure_ascii=False).encode()
    for attempt in range(_TRIES):
        storage.write(name, content)
        other = _other_at_work(storage, name, sign)
        if other is None:
            break
        storage.remove(name)
        if attempt + 1 == _TRIES:
            raise OutputBusyError(_told(other))
        time.sleep(random.uniform(0.1, 0.6))
    over = threading.Event()
    renewal = threading.Thread(target=_renew, args=(storage, name, content, over), daemon=True)
    renewal.start()
    try:
        yield
    finally:
        over.set()
        renewal.join()
        storage.remove(name)


def _renew(storage: ObjectStore, name: str, content: bytes, over: threading.Event) -> None:
    while not over.wait(RENEWED):
        try:
            storage.write(name, content)
        except Exception:  # each storage has errors of its own: the next renewal may pass, and the run tells its own
            continue


def _other_at_work(storage: ObjectStore, mine: str, sign: dict[str, Any]) -> dict[str, Any] | None:
    """Return the sign of another that works there, and remove those of the dead. The time is the storage's own."""
    moments = storage.moments(ROOM)
    now = moments[mine]
    contents = storage.read_many(name for name in moments if name != mine)
    for name, content in sorted(contents.items()):
        other = _parsed(content.decode("utf-8", "replace"))
        here = other.get("machine") == platform.node()
        if now - moments[name] > LIFE or (here and not psutil.pid_exists(int(other.get("processus", 0)))):
            storage.remove(name)
        elif not (sign["parmi"] and other.get("parmi") == sign["parmi"]):
            return other
    return None


def _told(sign: dict[str, Any]) -> str:
    since = datetime.datetime.fromisoformat(sign["depuis"]) if sign.get("depuis") else None
    moment = f" depuis le {day_text(since)} à {since:%H:%M:%S}" if since else ""
    which = f" ({sign['par']}, machine {sign['machine']}, processus {sign['processus']})" if sign.get("par") else ""
    return f"un traitement est en cours{moment} sur cette sortie{which} : attendre sa fin, puis relancer"
