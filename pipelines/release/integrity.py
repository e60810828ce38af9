"""Whether releases are as they were made: their files, by the checksums that each holds, and the chain of releases.

Proving more (content, journals, a release made again) is what ``verification`` does.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from pipelines.mechanics.files import disk_signs, saved_facts, sha256
from pipelines.release import history
from pipelines.release.refusals import DamagedReleaseError, PublicationError
from pipelines.release.renditions import put
from pipelines.release.written_files import CHECKSUMS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHA256_LETTERS = 64


def check_intact(releases: Path, dataset: str, memory: Path) -> None:
    """Raise PublicationError when a file of a release of the dataset, or their chain, is not as it was made.

    A release whose files the disk says untouched since they were last read whole, as ``memory`` remembers, isn't read
    again, nor the chain of releases that all are: nights don't cost more as releases add up.
    """
    findings: list[str] = []
    versions, before = history.versions(releases, dataset), saved_facts(memory)
    others = {name: signs for name, signs in before.items() if not name.startswith(f"{dataset}/")}
    known = others | {name: before[name] for version in versions if (name := f"{dataset}/{version}") in before}
    for version in versions:
        folder, name = releases / dataset / version, f"{dataset}/{version}"
        signs = _signs(folder)
        if known.get(name) == signs:
            continue
        wrong = checksum_findings(folder)
        findings += [f"{dataset} {version}, {finding}" for finding in wrong]
        known[name] = "" if wrong else signs
    if known != before:
        broken = [] if findings else chain_findings(releases, dataset)
        findings += broken
        if not broken:
            put(memory, json.dumps(known, indent=0, sort_keys=True).encode())
    if findings:
        told = "\n".join(f"- {finding}" for finding in findings)
        raise PublicationError(
            "Rien n'est publié : des versions ont été modifiées depuis qu'elles ont été faites ; les reprendre d'une "
            f"sauvegarde (deploy/backup/backup.sh restore).\n{told}"
        )


def checksum_findings(folder: Path) -> list[str]:
    """Return which files are not those that the checksums of the release name, or why these say nothing."""
    try:
        expected = _expected(folder)
    except DamagedReleaseError as error:
        return [str(error)]
    found = {path.name for path in folder.iterdir()} - {CHECKSUMS}
    told = [_checked(folder / name, expected.get(name)) for name in sorted(expected.keys() | found)]
    return [f"{CHECKSUMS} : {finding}" for finding in told if finding]


def _expected(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file by its name, as the release tells them."""
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise DamagedReleaseError(f"{CHECKSUMS} : absent, plus rien ne dit ce qu'étaient les fichiers") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedReleaseError(f"{CHECKSUMS} : illisible, ce n'est plus la liste des empreintes") from error
    found = {}
    for number, line in enumerate(lines, start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != SHA256_LETTERS or not name or "/" in name:
            raise DamagedReleaseError(f"{CHECKSUMS} : illisible, la ligne {number} n'est plus une empreinte et un nom")
        found[name] = digest
    return found


def _checked(path: Path, expected: str | None) -> str | None:
    """Say what is wrong with a file, nothing when it is the one expected."""
    if expected is None:
        return f"{path.name} n'est pas de cette version"
    if not path.exists():
        return f"{path.name} n'est plus là"
    try:
        digest = sha256(path)
    except OSError:
        return f"{path.name} ne peut pas être lu : est-ce encore un fichier, est-il permis de le lire ?"
    return None if digest == expected else f"l'empreinte de {path.name} ne correspond pas"


def chain_findings(releases: Path, dataset: str) -> list[str]:
    """Return where the chain of a dataset is broken: each release names the one before it and its sha256.

    Releases made before the chain (they have no ``contentHash``) name none; nothing may come before the first link.
    """
    findings: list[str] = []
    chained, before = False, None
    for version in history.versions(releases, dataset):
        folder = releases / dataset / version
        descriptor = history.descriptor(folder)
        expected = history.previous_of(before) if before else None
        if "contentHash" in descriptor:
            chained = True
            if (found := descriptor.get("previous")) != expected:
                findings.append(
                    f"{dataset} {version} : la version précédente est {_told(found)}, non {_told(expected)}"
                )
        elif chained:
            findings.append(f"{dataset} {version} : maillon absent de la chaîne des versions")
        before = folder
    return findings


def _told(link: Mapping[str, str] | None) -> str:
    return f"{link['version']} ({link['sha256'][:12]}…)" if link else "aucune"


def _signs(folder: Path) -> str:
    """Return what the disk changes whenever a file of a release is written, replaced or renamed."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(f"{path.name} {disk_signs(path)}\n".encode())
    return digest.hexdigest()
