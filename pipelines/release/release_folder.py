"""Tables → an immutable release folder, whole or not at all. What the tables hold is computed elsewhere.

A release is compared with the one before by its canonical content; where nothing changed, nothing is written. All is
checked in a temporary folder beside the final one, which a single rename makes public.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandera.pandas as pandera
import pyarrow as pa
from frictionless import FrictionlessException, Package
from pyarrow import compute as pc
from pyarrow import parquet

from pipelines.compile.contracts import contract, frame
from pipelines.compile.table_schema import table_schema
from pipelines.release import history, written_files
from pipelines.release.canonical import canonical_table
from pipelines.release.changelog import row_counts
from pipelines.release.column_texts import BATCH, plain, plain_schema, slices
from pipelines.release.difference import (
    VERSION_COLUMN,
    ReleaseDifference,
    TableDifference,
    TableState,
    content_hash,
    release_difference,
)
from pipelines.release.history import DESCRIPTOR
from pipelines.release.integrity import checksum_findings
from pipelines.release.record import Following, Origin
from pipelines.release.refusals import ReleaseError, TableError
from pipelines.release.release_files import ReleaseFiles
from pipelines.release.table_parts import TableParts
from pipelines.release.version import FIRST, next_version
from pipelines.tabular import judge_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipelines.declarations import Catalogue, Table
    from pipelines.release.canonical import Columns
    from pipelines.release.inputs import Inputs

_FILLED = {VERSION_COLUMN: FIRST}  # until the version is known


@dataclass(frozen=True)
class Release:
    """A release that is there: ``created`` by this call or found unchanged. ``rows`` counts each table.

    ``held``: the tables are those of a release that a person rolled back, so that no new one is made of them.
    """

    dataset: str
    version: str
    previous: str | None
    folder: Path
    created: bool
    rows: Mapping[str, int]
    difference: ReleaseDifference
    held: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Rows added, removed and changed since the previous release, all tables together."""
        return row_counts(self.difference, self.rows)


def make_release(
    dataset_id: str,
    catalogue: Catalogue,
    tables: Mapping[str, Columns],
    releases: Path,
    *,
    synthetic: str | None,
    inputs: Inputs | None = None,
) -> Release:
    """Make the next release of a dataset below ``releases``, or return the latest when nothing changed.

    ``synthetic`` is the warning that the release must carry when its data are invented; ``inputs`` what the tables were
    made from. Raises ReleaseError, with every finding and nothing published, when a table, the written release or the
    one that it would follow is refused.
    """
    history.sweep(releases / dataset_id)
    data = _checked(dataset_id, catalogue, tables)
    return issue(dataset_id, catalogue, data, releases, Origin(synthetic, inputs))


def issue(dataset_id: str, catalogue: Catalogue, data: dict[str, pa.Table], releases: Path, origin: Origin) -> Release:
    """Make a release of canonical tables, unless their content is that of the latest one, or of one rolled back."""
    home, known = releases / dataset_id, history.versions(releases, dataset_id)
    latest = home / known[-1] if known else None
    new = {name: _state(catalogue, name, table) for name, table in data.items()}
    rows = {name: table.num_rows for name, table in data.items()}
    told = history.layout_of(latest) if latest else {}
    layout = TableParts(catalogue.datasets[dataset_id], {name: catalogue.tables[name] for name in data}, data, told)
    content = content_hash(new, synthetic=bool(origin.synthetic), layout=layout.told)
    if latest and (content == history.content_of(latest) or content in withdrawn(latest)):
        held = content in withdrawn(latest)
        return Release(dataset_id, latest.name, latest.name, latest, False, rows, ReleaseDifference(), held)
    if latest and (altered := checksum_findings(latest)):
        raise ReleaseError(f"{dataset_id} {latest.name} a été modifiée depuis sa publication :", altered)
    old = history.states(latest) if latest else {}
    relabelled = latest is not None and _is_synthetic(latest) != bool(origin.synthetic)
    moved = layout.moved(told) if latest else ()
    difference = release_difference(old, new, relabelled=relabelled, moved=moved)
    previous = latest.name if latest else None
    version = next_version(previous, difference)
    assert version is not None  # contents differ
    follows = Following(catalogue, dataset_id, releases, version, latest)
    record = follows.record(difference, (old, new), origin, content)
    for name, state in new.items():
        data[name] = _dated(data[name], version, state, old.get(name), difference.tables.get(name))
    folder = _publish(ReleaseFiles(dataset_id, catalogue, version, data, layout, origin.synthetic, record), home)
    return Release(dataset_id, version, previous, folder, True, rows, difference)


def withdrawn(release: Path) -> frozenset[str]:
    """Return the hashes of the contents that a rollback went back on, none when the release is no rollback."""
    return frozenset((history.descriptor(release).get("rollback") or {}).get("withdrawn", ()))


def _checked(dataset_id: str, catalogue: Catalogue, tables: Mapping[str, Columns]) -> dict[str, pa.Table]:
    """Return the canonical tables in declared order, or raise with what is wrong in all of them."""
    wanted = catalogue.datasets[dataset_id].tables
    findings = [f"{name} : table déclarée, absente" for name in wanted if name not in tables]
    findings += [f"{name} : table non déclarée dans le jeu de données" for name in tables if name not in wanted]
    data = {}
    for name in wanted:
        if name not in tables:
            continue
        declared = catalogue.tables[name]
        try:
            data[name] = canonical_table(name, declared, tables[name], filled=_FILLED, compact=True)
        except TableError as error:
            findings += error.findings
            continue
        findings += contract_findings(name, declared, data[name])
    if findings:
        raise ReleaseError(f"Publication de {dataset_id} refusée, rien n'est publié :", findings)
    return data


def _state(catalogue: Catalogue, name: str, table: pa.Table) -> TableState:
    return TableState(table_schema(catalogue.tables[name]), table)


def _is_synthetic(release: Path) -> bool:
    return bool(history.descriptor(release).get("synthetic", False))


def _dated(
    table: pa.Table, version: str, new: TableState, old: TableState | None, difference: TableDifference | None
) -> pa.Table:
    """Fill the version of each row: the one it was first published in as it stands."""
    if VERSION_COLUMN not in table.column_names:
        return table
    versions = pa.chunked_array([pa.repeat(version, new.count)])
    if old and difference and VERSION_COLUMN in old.types:
        kept = difference.before >= 0
        kept[difference.changed] = False
        inherited = old.texts(VERSION_COLUMN, np.where(kept, difference.before, 0)) if old.count else versions
        versions = pc.if_else(pa.array(kept), inherited, versions)
    index = table.column_names.index(VERSION_COLUMN)
    return table.set_column(index, table.schema.field(index), versions.cast(table.schema.field(index).type))


def _publish(files: ReleaseFiles, home: Path) -> Path:
    """Write, check and seal the release in a temporary folder, then rename it into place."""
    draft, final = home / f"{history.IN_PROGRESS}{files.version}", home / files.version
    written_files.public_folder(home, home.parent)
    draft.mkdir()
    try:
        files.write(draft)
        if findings := release_findings(draft, files.columnar()):
            raise ReleaseError(f"Publication de {files.dataset_id} refusée, rien n'est publié :", findings)
        written_files.seal(draft)
        draft.rename(final)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    written_files.sync_folder(home)
    return final


# The two verdicts on a release being made: pandera on its tables, then ``tabular`` on the written folder.

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
