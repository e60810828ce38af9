"""What a file is judged by: the same for all that looks at its header, cells and rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pipelines.compile.exports import label_named, label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pipelines.declarations import Correction, Export, Layout, Territories
    from pipelines.declarations.roles import RowRule


@dataclass(frozen=True)
class FileContext:
    """A file of an export, read in one layout.

    ``file`` is its path, ``file_year`` the year that the path gives, None when one file holds several years. ``rules``:
    what the roles of the columns imply. ``corrections`` are applied to cells: a file that has some is opened whole.
    ``spill`` is the Parquet file where the observations go; without it they stay in memory. ``progress`` is told the
    number of rows of a delimited text judged so far.
    """

    export: Export
    layout: Layout
    territories: Territories
    file: str
    file_year: int | None
    corrections: Sequence[Correction] = ()
    rules: Sequence[RowRule] = ()
    spill: Path | None = None
    progress: Callable[[int], None] | None = None

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The label of each field's column."""
        return {field.name: label_of(field, self.layout) for field in self.export.fields}

    def label(self, name: str | None) -> str:
        """Return the label of a field's column; the name itself where none is declared."""
        return label_named(self.export, self.layout, name)
