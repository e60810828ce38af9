"""A release shown beside the yearly results (barometers, signals), open for reading; its rows stay in the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import duckdb

from pipelines.portal.release_data import synthetic_statement
from pipelines.release import history

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

Line = dict[str, Any]


class SideRelease:
    """A release of the tables of TABLES; close it, or use it in a ``with``."""

    TABLES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path) -> None:
        self.folder, self.version = folder, folder.name
        self.descriptor: Mapping[str, Any] = history.descriptor(folder)
        self._connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "250MB"})
        for table in self.TABLES:
            self._connection.read_parquet(str(folder / f"{table}.parquet")).create_view(table)

    def told(self, query: str, *values: str) -> list[Line]:
        """Return rows as plain values, None where a cell is empty."""
        found = self._connection.execute(query, list(values))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def paths(self) -> list[Path]:
        """Return the files of the release."""
        return sorted(path for path in self.folder.iterdir() if path.is_file())

    def files(self, home: str) -> list[tuple[str, str, int]]:
        """Return the files of the release, as shown below ``home``: address, name, bytes."""
        return [(f"{home}/{path.name}", path.name, path.stat().st_size) for path in self.paths()]

    @property
    def title(self) -> str:
        """The title of the data set."""
        return str(self.descriptor.get("title", ""))

    @property
    def synthetic(self) -> str | None:
        """The sentence that says that data are invented, None when they aren't."""
        return synthetic_statement(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what reading takes."""
        self._connection.close()
