"""The installation held against what was declared: the libraries that are needed, at the versions of the lock."""

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

LOCK = "requirements-runtime.lock"
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+))?")


def absent_libraries() -> list[str]:
    """Return the libraries that runs need and that aren't installed."""
    needed = [Requirement(line) for line in importlib.metadata.requires("resultats") or ()]
    wanted = [item.name for item in needed if item.marker is None or item.marker.evaluate({"extra": "run"})]
    return [name for name in wanted if _version(name) is None]


def differing_libraries(lock: Path) -> list[str]:
    """Return the installed libraries whose version isn't the lock's, as ``name 1.0 (verrou : 2.0)``."""
    return [
        f"{name} {found} (verrou : {version})"
        for name, version in locked(lock)
        if (found := _version(name)) is not None and found != version
    ]


def locked(lock: Path) -> Iterator[tuple[str, str]]:
    """Yield the names and versions of the lock that hold for this machine."""
    for line in lock.read_text(encoding="utf-8").splitlines():
        match = _PINNED.match(line)
        if match is None:
            continue
        marker = match["marker"]
        if marker is None or (found := Requirement(f"x ; {marker.strip()}").marker) is None or found.evaluate():
            yield match["name"], match["version"]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
