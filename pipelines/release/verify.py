"""Every table and every release judged before it counts: pandera on tables, frictionless on the written folder.

Nothing is repaired here: findings are told in French, and whoever asked decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandera.pandas as pandera
from frictionless import Package, system
from pyarrow import parquet

from pipelines.compile.contracts import contract, frame
from pipelines.mechanics.files import sha256
from pipelines.release.errors import DamagedReleaseError
from pipelines.release.files import CHECKSUMS
from pipelines.release.history import DESCRIPTOR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from pipelines.declarations import Table

SHOWN = 20
SHA256_LETTERS = 64


def contract_findings(name: str, table: Table, data: pa.Table) -> list[str]:
    """Return what pandera finds against the declared constraints of a table."""
    try:
        contract(table).validate(frame(data), lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases.drop_duplicates(["column", "check", "failure_case"])
        return [_contract_finding(name, case) for case in cases.head(SHOWN).to_dict("records")]
    return []


def release_findings(folder: Path, tables: Mapping[str, pa.Table]) -> list[str]:
    """Return what frictionless, the checksums and Parquet read back find wrong in a written release."""
    return [*_package_findings(folder), *checksum_findings(folder), *_parquet_findings(folder, tables)]


def _contract_finding(name: str, case: Mapping[Any, Any]) -> str:
    place = f"{name}.{case['column']}" if case.get("column") else name
    return f"{place} : « {case['failure_case']} » refusé ({case['check']})"


def _package_findings(folder: Path) -> list[str]:
    with system.use_context(onerror="ignore"):
        report = Package(str(folder / DESCRIPTOR)).validate()
    findings = [f"{DESCRIPTOR} : {error.message}" for error in report.errors]
    for task in report.tasks:
        findings += [f"{task.place} : {error.message}" for error in task.errors]
    if not report.valid and not findings:
        findings.append(f"{DESCRIPTOR} : refusé par frictionless")
    return findings[:SHOWN]


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


def _parquet_findings(folder: Path, tables: Mapping[str, pa.Table]) -> list[str]:
    differ = [
        name for name, table in tables.items() if not parquet.read_table(folder / f"{name}.parquet").equals(table)
    ]
    return [f"{name}.parquet : relu, il diffère de la table" for name in differ]
