"""The YAML files of a declarations folder as one archive, so that a release keeps what it was made under.

Same files, same bytes on any machine: sorted, dated 1980, not compressed. What they declare is not looked at.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from pipelines.mechanics.files import stable_zip

if TYPE_CHECKING:
    from pathlib import Path


def bundle(root: Path) -> bytes:
    """Return a zip of every ``.yml`` file below ``root``."""
    members = ((path.relative_to(root).as_posix(), path.read_bytes()) for path in sorted(root.rglob("*.yml")))
    return stable_zip(members, zipfile.ZIP_STORED)


def unbundle(content: bytes, folder: Path) -> None:
    """Write the files of a bundle below ``folder``; zipfile keeps them from leaving it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
