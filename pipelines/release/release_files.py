"""The files of one release, written into a folder from canonical tables; what it tells of its place among the others.

Where the folder stands is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from pipelines.compile.dictionary import DICTIONARY, dictionary_frame
from pipelines.compile.expected_cells import shown
from pipelines.declarations import Catalogue, Dataset, Table
from pipelines.mechanics.files import sha256
from pipelines.release import changelog, history
from pipelines.release.canonical import canonical_table
from pipelines.release.changelog import CHANGELOG, VERSIONS_FILE, Version
from pipelines.release.column_texts import canonical
from pipelines.release.data_package import datapackage, release_title, schema_file, standard_schema, to_bytes
from pipelines.release.difference import ReleaseDifference, TableState
from pipelines.release.historical import historical_schema, historical_table
from pipelines.release.inputs import Inputs, inputs_of
from pipelines.release.journal import journal
from pipelines.release.reasons import Reason, Reasons
from pipelines.release.reuse import introduction, readme
from pipelines.release.table_parts import CSV, MEGABYTE, PARQUET, TableParts
from pipelines.release.table_writers import write_csv, write_parquet
from pipelines.release.written_files import CHECKSUMS, JOURNAL, VERSIONS, checksums
from pipelines.release.xlsx_rendition import NEEDED, Sheet, write_people_workbook, write_workbook

EXAMPLES = 10_000  # rows among which the declared example of a column is looked for


@dataclass(frozen=True)
class Origin:
    """Where the tables of a release come from; ``because`` and ``rollback`` when a person went back to a version."""

    synthetic: str | None
    inputs: Inputs | None = None
    because: Reason | None = None
    rollback: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Record:
    """What a release tells of its place among the others.

    ``versions`` ends with this one; ``properties`` are our own of the descriptor; ``earlier`` the folder of the release
    before.
    """

    journal: pa.Table
    versions: Sequence[Version]
    changelog: str
    properties: Mapping[str, Any]
    earlier: Path | None


def record(
    catalogue: Catalogue,
    dataset_id: str,
    version: str,
    earlier: Path | None,
    difference: ReleaseDifference,
    states: tuple[Mapping[str, TableState], Mapping[str, TableState]],
    origin: Origin,
    content: str,
) -> Record:
    """Return the record of a version after ``earlier``, of tables before and after, which hash to ``content``."""
    old, new = states
    reasons = Reasons(
        catalogue,
        dataset_id,
        after=earlier.name if earlier else None,
        inputs=(inputs_of(history.descriptor(earlier)) if earlier else None, origin.inputs),
        corrections=(old.get("corrections"), new.get("corrections")),
        results=new.get("resultats"),
        because=origin.because,
    )
    lines, first = journal(difference, old, new, reasons), earlier is None
    known = changelog.known_versions(earlier.parent.parent, dataset_id) if earlier else []
    counts = changelog.row_counts(difference, {name: state.count for name, state in new.items()})
    this = Version(
        len(known) + 1,
        version,
        earlier.name if earlier else None,
        changelog.kind(version, first=first),
        changelog.summary(lines, first=first),
        counts["added"],
        counts["removed"],
        counts["changed"],
        changelog.data_date(new.values()),
        content,
    )
    title = release_title(catalogue.datasets[dataset_id], origin.synthetic)
    text = changelog.changelog(title, changelog.section(this, difference, lines), earlier)
    return Record(lines, [*known, this], text, _properties(earlier, origin, content), earlier)


def _properties(earlier: Path | None, origin: Origin, content: str) -> dict[str, Any]:
    """Return what the descriptor tells beside what Data Package knows."""
    ours: dict[str, Any] = {"contentHash": content}
    if earlier:
        ours["previous"] = history.previous_of(earlier)
    if origin.rollback:
        ours["rollback"] = dict(origin.rollback)
    if origin.inputs:
        ours["inputs"] = origin.inputs.descriptor()
    return ours


@dataclass(frozen=True)
class ReleaseFiles:
    """What a release is made of: canonical tables, a version, its record, and the warning that invented data carry."""

    dataset_id: str
    catalogue: Catalogue
    version: str
    tables: Mapping[str, pa.Table]
    layout: TableParts
    synthetic: str | None
    record: Record

    @property
    def dataset(self) -> Dataset:
        """The declared dataset."""
        return self.catalogue.datasets[self.dataset_id]

    @property
    def declared(self) -> dict[str, Table]:
        """The declared tables, in the order of the dataset."""
        return {name: self.catalogue.tables[name] for name in self.tables}

    def write(self, folder: Path) -> None:
        """Write every file of the release."""
        sent = self._write_tables(folder)
        self._write_texts(folder)
        digests = {path.name: sent.get(path.name) or sha256(path) for path in sorted(folder.iterdir())}
        networks = [table.column("reseau") for table in self.tables.values() if "reseau" in table.column_names]
        descriptor = datapackage(
            self.dataset_id,
            self.catalogue,
            version=self.version,
            folder=folder,
            digests=digests,
            layout=self.layout,
            networks={name for column in networks for name in column.unique().to_pylist() if name},
            synthetic=self.synthetic,
            origin=self.record.properties,
        )
        path = folder / history.DESCRIPTOR
        path.write_bytes(to_bytes(descriptor))
        (folder / CHECKSUMS).write_bytes(checksums(digests | {path.name: sha256(path)}))

    def _write_tables(self, folder: Path) -> dict[str, str]:
        """Write the tables; return the SHA-256 of what was sent of each CSV."""
        sent = {f"{name}.csv": write_csv(rows, folder / f"{name}.csv") for name, rows in self._files(CSV)}
        for name, rows in self.columnar():
            write_parquet(rows, folder / f"{name}.parquet")
        described = dictionary_frame(self.declared)
        examples = [self._example(*place) for place in zip(described["table"], described["colonne"], strict=True)]
        described = described.assign(exemple=pd.Series(examples, dtype="object"))
        dictionary = canonical_table("dictionnaire", DICTIONARY, described)
        lines = [astuple(version) for version in self.record.versions]
        versions = canonical_table("versions", VERSIONS, pd.DataFrame(lines, columns=VERSIONS.names, dtype="object"))
        journal = canonical_table("journal", JOURNAL, self.record.journal)
        others = {"dictionnaire.csv": dictionary, VERSIONS_FILE: versions, history.JOURNAL_FILE: journal}
        more = [Sheet("Dictionnaire", dictionary), Sheet("Versions", versions)]
        self._write_workbook(folder / "resultats.xlsx", more)
        if declared := self.dataset.historical:
            table = historical_table(declared, self.tables[self.dataset.main_table], self.tables)
            others[f"{declared.name}.csv"] = table
        return sent | {name: write_csv(table, folder / name) for name, table in others.items()}

    def _example(self, name: str, column: str) -> str | None:
        """Return an example that the data hold: the declared one, else the first value; none of an empty column."""
        values, declared = self.tables[name][column], self.catalogue.tables[name].column(column)
        first = pc.index(values.is_valid(), True).as_py()
        if first < 0:
            return None
        texts = canonical(values.slice(first, EXAMPLES)).unique().to_pylist()
        wanted = None if declared is None or declared.example is None else shown(declared.example)
        return wanted if wanted in texts else str(texts[0])

    def _write_workbook(self, path: Path, more: list[Sheet]) -> None:
        """Write the workbook for people when it is declared, else one with every table."""
        title = release_title(self.dataset, self.synthetic)
        notes = introduction(self.dataset, self.version, self.synthetic)
        if (declared := self.dataset.workbook) and all(name in self.tables for name in NEEDED):
            most = self.dataset.budgets.xlsx * MEGABYTE
            write_people_workbook(
                path, self.tables, self.declared, (title, notes), more, years=declared.years, most_bytes=most
            )
            return
        write_workbook(path, title, notes, [*(Sheet(name, table) for name, table in self.tables.items()), *more])

    def columnar(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield every Parquet: its name without ending, its rows."""
        yield from self._files(PARQUET)

    def _files(self, file_format: str) -> Iterator[tuple[str, pa.Table]]:
        for table in self.tables:
            yield from ((file.name, self.layout.rows(file)) for file in self.layout.files(table, file_format))

    def _write_texts(self, folder: Path) -> None:
        parts = [part for name in self.tables for part in self.layout.parts(name)]
        text = readme(self.dataset, self.version, self.declared, parts, self.synthetic)
        (folder / "LISEZMOI.md").write_bytes(text.encode("utf-8"))
        (folder / CHANGELOG).write_bytes(self.record.changelog.encode("utf-8"))
        schema = standard_schema(self.catalogue, self.dataset_id, self.version, self.record.earlier)
        (folder / schema_file(self.catalogue, self.dataset_id)).write_bytes(to_bytes(schema))
        if declared := self.dataset.historical:
            (folder / f"{declared.name}.schema.json").write_bytes(to_bytes(historical_schema(declared)))
