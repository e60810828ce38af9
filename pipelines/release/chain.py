"""Hashes of a release: of what it says (which decides whether anything changed) and of its files (which chains it).

The hash of content leaves out how tables are written (Parquet, XLSX), which a library may change, and
the column of versions, which says when a row was published and not what it says.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.files import sha256
from pipelines.release import history
from pipelines.release.column_texts import canonical, content, escaped, joined, slices
from pipelines.release.difference import VERSION_COLUMN
from pipelines.release.files import CHECKSUMS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.release.difference import TableState


def content_hash(states: Mapping[str, TableState], *, synthetic: bool) -> str:
    """Hash (sha256) the tables of a release by name, Table Schemas and canonical texts, and the synthetic mark."""
    digest = hashlib.sha256(_json({"synthetic": synthetic}))
    for name, state in sorted(states.items()):
        digest.update(_json({"table": name, "schema": state.schema}))
        kept = state.data.select([column for column in state.types if column != VERSION_COLUMN])
        for piece in slices(kept):
            rows = joined([escaped(canonical(column)) for column in piece.columns], '","', '["', '"]\n')
            for part in content(rows):
                digest.update(part)
    return f"sha256:{digest.hexdigest()}"


def content_of(release: Path) -> str:
    """Return the hash of content of a release: the one it wrote, or computed for one made before it was written."""
    descriptor = history.descriptor(release)
    written: str | None = descriptor.get("contentHash")
    return written or content_hash(history.states(release), synthetic=bool(descriptor.get("synthetic")))


def release_hash(release: Path) -> str:
    """Return the sha256 of a release: that of its SHA256SUMS, which holds those of all its files."""
    return sha256(release / CHECKSUMS)


def previous_of(release: Path) -> dict[str, str]:
    """Return the link that the next release writes to this one."""
    return {"version": release.name, "sha256": release_hash(release)}


def chain_findings(releases: Path, dataset: str) -> list[str]:
    """Return where the chain of a dataset is broken: each release names the one before it and its sha256.

    Releases made before the chain (they have no ``contentHash``) name none; nothing may come before the first link.
    """
    findings: list[str] = []
    chained, before = False, None
    for version in history.versions(releases, dataset):
        folder = releases / dataset / version
        descriptor = history.descriptor(folder)
        expected = previous_of(before) if before else None
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


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
