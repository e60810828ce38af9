"""Releases looked at before they leave this folder: what was altered since it was made goes to no target.

Proving more (journals, a release made again) is what ``resultats verify`` does.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from pipelines.release import history
from pipelines.release.chain import chain_findings
from pipelines.release.errors import PublicationError
from pipelines.release.renditions import put
from pipelines.release.verify import checksum_findings

if TYPE_CHECKING:
    from pathlib import Path


def check_intact(releases: Path, dataset: str, memory: Path) -> None:
    """Raise PublicationError when a file of a release of the dataset, or their chain, is not as it was made.

    A release whose files the disk says untouched since they were last read whole, as ``memory`` remembers, isn't read
    again: nights don't cost more as releases add up.
    """
    findings: list[str] = []
    before = _remembered(memory)
    known = dict(before)
    for version in history.versions(releases, dataset):
        folder, name = releases / dataset / version, f"{dataset}/{version}"
        signs = _signs(folder)
        if known.get(name) == signs:
            continue
        wrong = checksum_findings(folder)
        findings += [f"{dataset} {version}, {finding}" for finding in wrong]
        known[name] = "" if wrong else signs
    if known != before:
        put(memory, json.dumps(known, indent=0, sort_keys=True).encode())
    findings = findings or chain_findings(releases, dataset)
    if findings:
        told = "\n".join(f"- {finding}" for finding in findings)
        raise PublicationError(
            "Rien n'est publié : des versions ont été modifiées depuis qu'elles ont été faites ; les reprendre d'une "
            f"sauvegarde (deploy/backup/backup.sh restore).\n{told}"
        )


def _remembered(memory: Path) -> dict[str, str]:
    """Return what is remembered; a damaged file says nothing."""
    try:
        found = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _signs(folder: Path) -> str:
    """Return what the disk changes whenever a file of a release is written, replaced or renamed."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        told = path.lstat()
        digest.update(f"{path.name} {told.st_size} {told.st_mtime_ns} {told.st_ctime_ns} {told.st_ino}\n".encode())
    return digest.hexdigest()
