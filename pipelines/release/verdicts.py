"""The two verdicts on a release being made: pandera on its tables, then ``tabular`` on the written folder.

Nothing is repaired here: findings are told in French, and whoever asked decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandera.pandas as pandera
import pyarrow as pa
from frictionless import FrictionlessException, Package
from pyarrow import parquet

from pipelines.compile.contracts import contract, frame
from pipelines.release.column_texts import BATCH, plain, plain_schema, slices
from pipelines.release.history import DESCRIPTOR
from pipelines.release.integrity import checksum_findings
from pipelines.tabular import judge_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipelines.declarations import Table

SHOWN = 20


def contract_findings(name: str, table: Table, data: pa.Table) -> list[str]:
    """Return what pandera finds against the declared constraints of a table, piece by piece."""
    judge, findings = contract(table), dict[str, None]()
    for piece in slices(data) if data.num_rows else [plain(data)]:
        try:
            judge.validate(frame(piece), lazy=True)
        except pandera.errors.SchemaErrors as error:
            cases = error.failure_cases.drop_duplicates(["column", "check", "failure_case"])
            findings |= dict.fromkeys(_contract_finding(name, case) for case in cases.head(SHOWN).to_dict("records"))
    return list(findings)[:SHOWN]


def release_findings(folder: Path, columnar: Iterable[tuple[str, pa.Table]]) -> list[str]:
    """Return what a reader that knows nothing of how a release was written finds wrong in it.

    ``columnar``: its Parquet files, each with the rows that it must hold.
    """
    return [*_package_findings(folder), *checksum_findings(folder), *_parquet_findings(folder, columnar)]


def _contract_finding(name: str, case: Mapping[Any, Any]) -> str:
    place = f"{name}.{case['column']}" if case.get("column") else name
    return f"{place} : « {case['failure_case']} » refusé ({case['check']})"


def _package_findings(folder: Path) -> list[str]:
    """Return frictionless's verdicts on the descriptor, and on every table as it describes it."""
    try:
        package = Package.from_descriptor(str(folder / DESCRIPTOR))
    except FrictionlessException as exception:
        return [f"{DESCRIPTOR} : {error.message}" for error in exception.reasons or [exception.error]][:SHOWN]
    findings = []
    for resource in package.resources:
        described = resource.to_descriptor()
        keys = {key["reference"]["resource"] for key in described["schema"].get("foreignKeys", ())}
        path, references = folder / described["path"], {name: package.get_resource(name) for name in keys}
        verdict = judge_file(
            path, described["schema"], described["dialect"], encoding=described["encoding"], references=references,
            limit_errors=SHOWN,
        )  # fmt: skip
        errors = [*verdict.report["errors"], *(error for task in verdict.report["tasks"] for error in task["errors"])]
        findings += [f"{path.name} : {error['message']}" for error in errors]
    return findings[:SHOWN]


def _parquet_findings(folder: Path, columnar: Iterable[tuple[str, pa.Table]]) -> list[str]:
    differ = [name for name, table in columnar if not _holds(folder / f"{name}.parquet", table)]
    return [f"{name}.parquet : relu, il diffère de la table" for name in differ]


def _holds(path: Path, table: pa.Table) -> bool:
    """Whether a Parquet holds a table and nothing else."""
    with parquet.ParquetFile(path) as file:
        start = 0
        same: bool = file.schema_arrow.equals(plain_schema(table.schema)) and file.metadata.num_rows == table.num_rows
        for batch in file.iter_batches(BATCH) if same else ():
            same = same and pa.Table.from_batches([batch]).equals(plain(table.slice(start, batch.num_rows)))
            start += batch.num_rows
    return same
