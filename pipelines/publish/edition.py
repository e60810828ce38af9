"""The files of one release, written into a folder from canonical tables. Where it stands is not decided here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.compile.dictionary import DICTIONARY, dictionary_frame
from pipelines.publish import files
from pipelines.publish.canonical import canonical_table
from pipelines.publish.history import DESCRIPTOR
from pipelines.publish.package import datapackage, release_title, to_bytes
from pipelines.publish.readme import introduction, readme
from pipelines.publish.spreadsheet import Sheet, write_workbook
from pipelines.publish.tabular import write_csv, write_parquet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from pipelines.declarations import Catalogue, Dataset, Table
    from pipelines.publish.files import WrittenFile


@dataclass(frozen=True)
class Edition:
    """What a release is made of: canonical tables, a version, and the warning that invented data must carry."""

    dataset_id: str
    catalogue: Catalogue
    version: str
    tables: Mapping[str, pa.Table]
    synthetic: str | None

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
        written = [*self._tables(folder), self._readme(folder)]
        by_name = {file.name: file for file in written}
        descriptor = datapackage(
            self.dataset_id,
            self.catalogue,
            version=self.version,
            files=by_name,
            networks=self._networks(),
            synthetic=self.synthetic,
        )
        written.append(files.write(folder / DESCRIPTOR, to_bytes(descriptor)))
        files.write(folder / files.CHECKSUMS, files.checksums(written))

    def _tables(self, folder: Path) -> list[WrittenFile]:
        dictionary = canonical_table("dictionnaire", DICTIONARY, dictionary_frame(self.declared))
        sheets = [*(Sheet(name, table) for name, table in self.tables.items()), Sheet("Dictionnaire", dictionary)]
        title = release_title(self.dataset, self.synthetic)
        notes = introduction(self.dataset, self.version, self.synthetic)
        return [
            *(write_csv(table, folder / f"{name}.csv") for name, table in self.tables.items()),
            *(write_parquet(table, folder / f"{name}.parquet") for name, table in self.tables.items()),
            write_csv(dictionary, folder / "dictionnaire.csv"),
            write_workbook(folder / "resultats.xlsx", title, notes, sheets),
        ]

    def _readme(self, folder: Path) -> WrittenFile:
        counts = {name: table.num_rows for name, table in self.tables.items()}
        text = readme(self.dataset, self.version, self.declared, counts, self.synthetic)
        return files.write(folder / "LISEZMOI.md", text.encode("utf-8"))

    def _networks(self) -> set[str]:
        """Return the networks that the tables speak of."""
        columns = [table.column("reseau") for table in self.tables.values() if "reseau" in table.column_names]
        return {name for column in columns for name in column.unique().to_pylist() if name}
