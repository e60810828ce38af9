"""Proof that releases are what they were: files, content, chain, and the journal that leads from one to the next.

Whether they can be made again from the archive is proved by whoever can run the pipeline, and compared here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import chain, history
from pipelines.publish.changelog import CHANGELOG, VERSIONS_FILE
from pipelines.publish.difference import VERSION_COLUMN
from pipelines.publish.journal import common_rows, read_journal, replay
from pipelines.publish.verify import checksum_findings

if TYPE_CHECKING:
    from pathlib import Path

# A library may write these otherwise; what they hold is in the CSV files.
RENDERED = (".parquet", ".xlsx")


def release_proof(releases: Path, dataset: str, version: str) -> list[str]:
    """Return what is wrong in a release by itself: checksums, hash of content, replay of its journal."""
    release = releases / dataset / version
    try:
        wrong = checksum_findings(release)
        if wrong:
            return [f"{dataset} {version}, {finding}" for finding in wrong]
        return [f"{dataset} {version} : {finding}" for finding in [*_content(release), *_journal(release)]]
    except (OSError, ValueError, KeyError) as error:
        return [f"{dataset} {version} : illisible ({error})"]


def rebuilt_findings(release: Path, rebuilt: Path) -> list[str]:
    """Return where a release made again differs from what was published, and nothing when it proves it.

    Tables, journal, versions, changelog, dictionary and schemas must have the same bytes; Parquet and XLSX, which a
    library may write otherwise, are proved by the tables.
    """
    if chain.content_of(release) != chain.content_of(rebuilt):
        return [*_tables_that_differ(release, rebuilt), "le contenu recalculé n'est pas celui qui a été publié"]
    kept = {path.name for path in release.iterdir() if not path.name.endswith((*RENDERED, ".json", "SHA256SUMS"))}
    names = sorted(kept | {VERSIONS_FILE, CHANGELOG, history.JOURNAL_FILE})
    return [f"{name} : refait, il diffère" for name in names if not _same(release / name, rebuilt / name)]


def rendered_otherwise(release: Path, rebuilt: Path) -> list[str]:
    """Return the files whose bytes alone differ: the same tables, written by other versions of libraries."""
    names = sorted(path.name for path in release.iterdir() if path.name.endswith(RENDERED))
    return [name for name in names if not _same(release / name, rebuilt / name)]


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def _tables_that_differ(release: Path, rebuilt: Path) -> list[str]:
    old, new = history.states(release), history.states(rebuilt)
    return [f"{name}.csv : refait, il diffère" for name in old if name not in new or old[name].rows != new[name].rows]


def _content(release: Path) -> list[str]:
    descriptor = history.descriptor(release)
    written = descriptor.get("contentHash")
    found = chain.content_hash(history.states(release), synthetic=bool(descriptor.get("synthetic")))
    return [] if written in (None, found) else ["l'empreinte du contenu (contentHash) n'est pas celle des tables"]


def _journal(release: Path) -> list[str]:
    """Replay the journal from the release before: it must give the tables of this one."""
    link = history.descriptor(release).get("previous")
    if link is None or not (release.parent / link["version"]).is_dir():
        return []
    old, new = history.states(release.parent / link["version"]), history.states(release)
    try:
        replayed = replay(old, read_journal(history.journal_rows(release)))
    except ValueError as error:
        return [str(error)]
    wrong = []
    for name, rows in replayed.items():
        columns = [column for column in old[name].types if column in new[name].types and column != VERSION_COLUMN]
        if rows != common_rows(new[name], columns):
            wrong.append(f"journal : appliqué à la version {link['version']}, il ne donne pas la table {name}")
    return wrong
