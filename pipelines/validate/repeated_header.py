"""Rows that are the header again, where files were put end to end: no data, even where all columns are texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from pipelines.validate.findings import Finding
from pipelines.validate.header import normalise
from pipelines.validate.messages import title

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

RULE = "entete-repete"
_LEAST = 2  # labels in their columns: a single one may be a value


class RepeatedHeader:
    """Looks for the labels of a file among its rows."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._wanted = max(_LEAST, (len(labels) + 1) // 2)

    def is_again(self, cells: Sequence[str | None]) -> bool:
        """Tell whether a row holds most labels, each in its column."""
        pairs = zip(cells, self._labels, strict=False)
        alike = sum(bool(label) and normalise(cell or "") == label for cell, label in pairs)
        return alike >= self._wanted

    def places(self, texts: pa.Table) -> list[int]:
        """Return the places of such rows in a block."""
        alike = np.zeros(texts.num_rows, np.int64)
        for label, column in zip(self._labels, texts.columns, strict=False):
            if label:
                alike += pc.equal(column, label).fill_null(False).to_numpy()
        found: list[int] = np.flatnonzero(alike >= self._wanted).tolist()
        return found

    @staticmethod
    def finding() -> Finding:
        """Return what is told of such a row."""
        return Finding(RULE, title(RULE))
