"""The YAML files of a declarations folder as one archive, so that a release keeps what it was made under.

Same files, same bytes on any machine: sorted, dated 1980, not compressed. What they declare is not looked at.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)


def bundle(root: Path) -> bytes:
    """Return a zip of every ``.yml`` file below ``root``."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(root.rglob("*.yml")):
            archive.writestr(zipfile.ZipInfo(path.relative_to(root).as_posix(), _EPOCH), path.read_bytes())
    return content.getvalue()


def unbundle(content: bytes, folder: Path) -> None:
    """Write the files of a bundle below ``folder``; zipfile keeps them from leaving it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
