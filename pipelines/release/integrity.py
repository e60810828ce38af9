"""Whether releases are as they were made: their files, by the checksums that each holds, and the chain of releases.

A release being made is read once by what knows nothing of how it was written: ``tabular``, then its Parquet. Proving
more (content, journals, a release made again) is what ``verification`` does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
from frictionless import FrictionlessException, Package
from pyarrow import parquet

from pipelines.mechanics.files import disk_signs, saved_facts, sha256
from pipelines.release import history
from pipelines.release.column_texts import BATCH, plain, plain_schema
from pipelines.release.refusals import DamagedReleaseError, PublicationError
from pipelines.release.written_files import CHECKSUMS, expected_digests, put
from pipelines.tabular import judge_file

SHOWN = 20


def check_intact(releases: Path, dataset: str, memory: Path) -> None:
    """Raise PublicationError when a file of a release of the dataset, or their chain, is not as it was made.

    A release whose files the disk says untouched since they were last read whole, as ``memory`` remembers, isn't read
    again, nor the chain of releases that all are: nights don't cost more as releases add up.
    """
    findings: list[str] = []
    versions, before = history.versions(releases, dataset), saved_facts(memory)
    signs = {f"{dataset}/{version}": _signs(releases / dataset / version) for version in versions}
    now = {name: known for name, known in before.items() if name.partition("/")[0] != dataset} | signs
    for version in versions:
        if before.get(f"{dataset}/{version}") != signs[f"{dataset}/{version}"]:
            wrong = checksum_findings(releases / dataset / version)
            findings += [f"{dataset} {version}, {finding}" for finding in wrong]
    if now != before:
        findings = findings or chain_findings(releases, dataset)
    if findings:
        told = "\n".join(f"- {finding}" for finding in findings)
        raise PublicationError(
            "Rien n'est publié : des versions ont été modifiées depuis qu'elles ont été faites ; les reprendre d'une "
            f"sauvegarde (deploy/backup/backup.sh restore).\n{told}"
        )
    if now != before:
        put(memory, json.dumps(now, indent=0, sort_keys=True).encode())


def checksum_findings(folder: Path) -> list[str]:
    """Return which files are not those that the checksums of the release name, or why these say nothing."""
    try:
        expected = expected_digests(folder)
    except DamagedReleaseError as error:
        return [str(error)]
    names = {path.name for path in folder.iterdir()} - {CHECKSUMS} | expected.keys()
    findings = [_checked(folder / name, expected.get(name)) for name in sorted(names)]
    return [f"{CHECKSUMS} : {finding}" for finding in findings if finding]


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
            if (link := descriptor.get("previous")) != expected:
                linked = f"la version précédente est {_told(link)}, non {_told(expected)}"
                findings.append(f"{dataset} {version} : {linked}")
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


def release_findings(folder: Path, columnar: Iterable[tuple[str, pa.Table]]) -> list[str]:
    """Return what a reader that knows nothing of how a release was written finds wrong in it.

    ``columnar``: its Parquet files, each with the rows that it must hold.
    """
    differ = [name for name, table in columnar if not _holds(folder / f"{name}.parquet", table)]
    unlike = [f"{name}.parquet : relu, il diffère de la table" for name in differ]
    return [*_package_findings(folder), *checksum_findings(folder), *unlike]


def _package_findings(folder: Path) -> list[str]:
    """Return frictionless's verdicts on the descriptor, and on every table as it describes it."""
    try:
        package = Package.from_descriptor(str(folder / history.DESCRIPTOR))
    except FrictionlessException as exception:
        return [f"{history.DESCRIPTOR} : {error.message}" for error in exception.reasons or [exception.error]][:SHOWN]
    findings = []
    for resource in package.resources:
        described = resource.to_descriptor()
        keys = {key["reference"]["resource"] for key in described["schema"].get("foreignKeys", ())}
        path, references = folder / described["path"], {name: package.get_resource(name) for name in keys}
        verdict = judge_file(
            path,
            described["schema"],
            described["dialect"],
            encoding=described["encoding"],
            references=references,
            limit_errors=SHOWN,
        )
        errors = [*verdict.report["errors"], *(error for task in verdict.report["tasks"] for error in task["errors"])]
        findings += [f"{path.name} : {error['message']}" for error in errors]
    return findings[:SHOWN]


def _holds(path: Path, table: pa.Table) -> bool:
    """Whether a Parquet holds a table and nothing else."""
    with parquet.ParquetFile(path) as file:
        start = 0
        same: bool = file.schema_arrow.equals(plain_schema(table.schema)) and file.metadata.num_rows == table.num_rows
        for batch in file.iter_batches(BATCH) if same else ():
            same = same and pa.Table.from_batches([batch]).equals(plain(table.slice(start, batch.num_rows)))
            start += batch.num_rows
    return same
