"""Every table and every release judged before it counts: pandera on tables, frictionless on the written folder.

Nothing is repaired here: findings are told in French, and whoever asked decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandera.pandas as pandera
from frictionless import Package, system
from pyarrow import parquet

from pipelines.compile.contracts import contract, frame
from pipelines.publish.files import CHECKSUMS, sha256
from pipelines.publish.history import DESCRIPTOR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from pipelines.declarations import Table

SHOWN = 20


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
    """Return which files are not those that the checksums of the release name."""
    lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    expected = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    found = {path.name: sha256(path) for path in folder.iterdir() if path.name != CHECKSUMS}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    return [f"{CHECKSUMS} : l'empreinte de {name} ne correspond pas" for name in wrong]


def _parquet_findings(folder: Path, tables: Mapping[str, pa.Table]) -> list[str]:
    differ = [
        name for name, table in tables.items() if not parquet.read_table(folder / f"{name}.parquet").equals(table)
    ]
    return [f"{name}.parquet : relu, il diffère de la table" for name in differ]
