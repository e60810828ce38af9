"""What an output keeps for the team (files received, answers, letters…) may be read by nobody else.

Leftovers of writers that were killed are removed here too: their names say which process wrote them.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from pipelines.read import ObjectStore

PRIVATE = ("archive", "work", "targets", "acceptances", "renditions")  # rooms of an output
PUBLIC = ("releases", "catalogue", "site")
_DRAFT = re.compile(r"\..+\.(?P<pid>\d+)")
_SCRATCH = re.compile(r"resultats-(?P<pid>\d+)-.+")


def make_output(folder: Path) -> None:
    """Make the folder of an output unless it is there, open to whoever serves what is public below it."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # its private rooms are closed


def tidy(place: str) -> None:
    """Close the private rooms of an output that an earlier version left open, and remove the drafts of dead writers.

    ``place``: a folder, or an fsspec URL, whose rights are the storage's own. Whoever calls holds the output: no other
    run writes there.
    """
    if "://" in place:
        ObjectStore(place).sweep()
        return
    output = Path(place)
    for room in (output / name for name in PRIVATE):
        if room.is_dir() and room.stat().st_mode & 0o027:
            room.chmod(room.stat().st_mode & ~0o027)
    for path in _drafts(output):
        path.unlink(missing_ok=True)


def strangers(output: Path) -> list[str]:
    """Name what an output holds that no run of ours put there."""
    paths = output.iterdir() if output.is_dir() else ()
    ours = {*PRIVATE, *PUBLIC}
    return sorted(path.name for path in paths if path.name not in ours and not path.name.startswith("."))


def scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder to work in, named by this process, once those of processes that are no more are gone."""
    for path in Path(tempfile.gettempdir()).glob("resultats-*"):
        named = _SCRATCH.fullmatch(path.name)
        if named and _dead(int(named["pid"])) and path.stat().st_uid == os.getuid():
            shutil.rmtree(path, ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix=f"resultats-{os.getpid()}-", ignore_cleanup_errors=True)


def _drafts(output: Path) -> Iterator[Path]:
    archive = output / "archive"
    rooms = [archive.glob(".*"), (archive / "vus").glob(".*")]
    rooms += [(output / name).rglob(".*") for name in ("work", "targets", "acceptances", "renditions")]
    for path in (path for room in rooms for path in room):
        named = _DRAFT.fullmatch(path.name)
        if (named and path.is_file() and _dead(int(named["pid"]))) or path.name.endswith(".texte"):
            yield path


def _dead(pid: int) -> bool:
    return not psutil.pid_exists(pid)
