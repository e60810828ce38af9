"""Tables → an immutable release folder, whole or not at all. What the tables hold is computed elsewhere.

A release is compared with the one before by its canonical content; where nothing changed, nothing is written. All is
checked in a temporary folder beside the final one, which a single rename makes public.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandera.pandas as pandera
import pyarrow as pa
from pyarrow import compute as pc

from pipelines.compile.contracts import contract, frame
from pipelines.compile.table_schema import table_schema
from pipelines.declarations import Catalogue, Table
from pipelines.release import history, written_files
from pipelines.release.canonical import Columns, canonical_table
from pipelines.release.changelog import row_counts
from pipelines.release.column_texts import plain, slices
from pipelines.release.difference import (
    FIRST,
    VERSION_COLUMN,
    ReleaseDifference,
    TableDifference,
    TableState,
    content_hash,
    next_version,
    release_difference,
)
from pipelines.release.inputs import Inputs
from pipelines.release.integrity import SHOWN, checksum_findings, release_findings
from pipelines.release.refusals import ReleaseError, TableError
from pipelines.release.release_files import Origin, ReleaseFiles, record
from pipelines.release.table_parts import TableParts

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
    home, versions = releases / dataset_id, history.versions(releases, dataset_id)
    latest = home / versions[-1] if versions else None
    new = {name: TableState(table_schema(catalogue.tables[name]), table) for name, table in data.items()}
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
    relabelled = latest is not None and bool(history.descriptor(latest).get("synthetic")) != bool(origin.synthetic)
    difference = release_difference(old, new, relabelled=relabelled, moved=layout.moved(told) if latest else ())
    version = next_version(latest.name if latest else None, difference)
    assert version is not None  # contents differ
    told_of = record(catalogue, dataset_id, version, latest, difference, (old, new), origin, content)
    for name, state in new.items():
        data[name] = _dated(data[name], version, state, old.get(name), difference.tables.get(name))
    folder = _publish(ReleaseFiles(dataset_id, catalogue, version, data, layout, origin.synthetic, told_of), home)
    return Release(dataset_id, version, latest.name if latest else None, folder, True, rows, difference)


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


def contract_findings(name: str, table: Table, data: pa.Table) -> list[str]:
    """Return what pandera finds against the declared constraints of a table, piece by piece."""
    judge, findings = contract(table), dict[str, None]()
    for piece in slices(data) if data.num_rows else [plain(data)]:
        try:
            judge.validate(frame(piece), lazy=True)
        except pandera.errors.SchemaErrors as error:
            cases = error.failure_cases.drop_duplicates(["column", "check", "failure_case"])
            for case in cases.head(SHOWN).to_dict("records"):
                place = f"{name}.{case['column']}" if case.get("column") else name
                findings[f"{place} : « {case['failure_case']} » refusé ({case['check']})"] = None
    return list(findings)[:SHOWN]
