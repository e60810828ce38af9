"""Environments for programs that tests run apart from the project: installed once, kept, shared by pytest's workers.

Each is made from its lock alone, in `$RESULTATS_TEST_CACHE` or `.cache/` of the checkout, in a folder named after the
lock: another lock, another environment. Nothing here starts a program.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

from filelock import FileLock
from uv import find_uv_bin

HERE = Path(__file__).parent
UDATA, OFFICIAL_CLIENT, PREVIEW = (HERE / f"{name}.lock" for name in ("udata", "official-client", "preview"))
INSTALLATION_SECONDS = 900
_UNREACHABLE = re.compile(
    r"dns error|failed to lookup address|Could not connect|error sending request|Connection (refused|reset|aborted)|"
    r"Network is unreachable|Temporary failure in name resolution|timed out|NewConnectionError|Failed to fetch",
    re.IGNORECASE,
)


class RegistryUnreachable(Exception):  # noqa: N818 (the reason why tests are skipped, not a fault of theirs)
    """The package registry doesn't answer; the message is the last line of the installer."""


def python_of(lock: Path) -> Path:
    """Return the Python of an environment, made now if it isn't yet (udata's: half a minute, 370 MB).

    Raises RegistryUnreachable, or CalledProcessError when the installation fails for another reason.
    """
    cache = Path(os.environ.get("RESULTATS_TEST_CACHE") or HERE.parents[1] / ".cache")
    fingerprint = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    name = f"{lock.stem}-{sys.version_info[0]}.{sys.version_info[1]}-{fingerprint}"
    folder = cache.resolve() / name
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{name}.lock"):
            if not complete.exists():  # another worker may have made it meanwhile
                _install(lock, folder, python)
                complete.touch()
    return python


def _install(lock: Path, folder: Path, python: Path) -> None:
    """Install with uv; when it can't reach its registry with pip, which may know a mirror from its own settings."""
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
    target = ["--quiet", "--require-hashes", "-r", lock]
    try:
        _run([uv, "pip", "install", "--python", python, *target])
    except RegistryUnreachable:
        _run([sys.executable, "-m", "pip", "--python", python, "install", "--retries", "1", "--no-deps", *target])


def _run(command: list[str | Path]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALLATION_SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise RegistryUnreachable(f"{INSTALLATION_SECONDS} s n'ont pas suffi") from late
    if done.returncode:
        said = done.stderr.strip()
        if _UNREACHABLE.search(said):
            raise RegistryUnreachable(said.splitlines()[-1])
        raise subprocess.CalledProcessError(done.returncode, command[:4], done.stdout, said)
