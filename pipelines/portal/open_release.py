"""A published release open for reading: its tables are in DuckDB, their rows stay in the files until they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.release import history
from pipelines.release.refusals import DamagedReleaseError, PublicationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Self

MEMORY = "150MB"  # of DuckDB for results: the widest sort, one network of 15 000 offices, spills beyond
BESIDE = "250MB"  # for the releases of barometers and of signals
Line = dict[str, Any]


class UnreadableReleaseError(PublicationError):
    """The folder is no release that pages can be made of; the message, in French, says what is missing."""


def synthetic_statement(descriptor: Mapping[str, Any]) -> str | None:
    """Return the sentence of a release that says that its data are invented, None when they aren't."""
    if not descriptor.get("synthetic"):
        return None
    return str(descriptor.get("inputs", {}).get("synthetic") or "Ces données sont inventées.")


class OpenRelease:
    """The release of a folder named by its version; close it, or use it in a ``with``."""

    def __init__(self, folder: Path, needed: Iterable[str], memory: str = BESIDE) -> None:
        """Open a release; raises UnreadableReleaseError, where a table that is ``needed`` isn't there too."""
        try:
            self.descriptor: Mapping[str, Any] = history.descriptor(folder)
            self._tables = {name: history.columnar_files(folder, name) for name in history.table_names(folder)}
        except DamagedReleaseError as error:
            raise UnreadableReleaseError(f"{folder} : {error}") from error
        if missing := [name for name in needed if not self.has(name)]:
            tables = ", ".join(f"{name}.parquet" for name in missing)
            raise UnreadableReleaseError(
                f"{folder} : pas de {tables}, ce dossier n'est pas une version publiée entière ; "
                "donner le dossier d'une version, tel que la publication l'a écrit"
            )
        self.folder, self.version, self.dataset = folder, folder.name, str(self.descriptor["name"])
        self.title = str(self.descriptor.get("title", self.dataset))
        self.synthetic = synthetic_statement(self.descriptor)
        self._connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": memory})
        for name, files in self._tables.items():
            if files:
                self._connection.read_parquet([str(path) for path in files]).create_view(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what reading takes."""
        self._connection.close()

    def has(self, table: str) -> bool:
        """Say whether the release has a table."""
        return bool(self._tables.get(table))

    def lines(self, query: str, parameters: Sequence[str] | Mapping[str, str] = ()) -> list[Line]:
        """Return what a query gives, as plain values by column, None where a cell is empty."""
        lines: list[Line] = self._connection.sql(query, params=parameters or None).to_arrow_table().to_pylist()
        return lines

    def paths(self) -> list[Path]:
        """Return the files of the release."""
        return sorted(path for path in self.folder.iterdir() if path.is_file())

    def files_at(self, home: str) -> list[tuple[str, str, int]]:
        """Return the files of the release, as shown below ``home``: address, name, bytes."""
        return [(f"{home}/{path.name}", path.name, path.stat().st_size) for path in self.paths()]
