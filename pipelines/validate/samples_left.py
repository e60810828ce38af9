"""A row of the template's examples that was left in the file: told, and read as data, since it may be right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import frictionless
import numpy as np
import pandas as pd

from pipelines.compile.exports import field_descriptor
from pipelines.validate.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.declarations import Export, Layout

_FEWEST = 3  # cells that have to be the example's: fewer are an answer like another


def examples_left(
    rows: pd.DataFrame, export: Export, layout: Layout, examples: Sequence[Mapping[str, str]]
) -> Iterator[tuple[int, Finding]]:
    """Yield the place and the warning of the row that is, in all its cells, an example of the template.

    Rows alike that come several times are answers, not examples.
    """
    for example in examples:
        values = _typed(export, layout, example, list(rows.columns))
        if len(values) < _FEWEST or not len(rows):
            continue
        same = pd.Series(True, index=rows.index)
        for name, value in values.items():
            same &= rows[name] == value
        if same.sum() == 1:
            told = "Toutes les cellules de cette ligne sont celles de l'exemple du modèle."
            yield int(np.flatnonzero(same.to_numpy())[0]), Finding("ligne-d-exemple", told, "avertissement")


def _typed(export: Export, layout: Layout, example: Mapping[str, str], held: list[str]) -> dict[str, Any]:
    """Read the cells of an example as those of a file are; fields without one are not compared."""
    values = {}
    for item in export.fields:
        if item.name not in held or not example.get(item.name):
            continue
        value, notes = frictionless.Field.from_descriptor(field_descriptor(item, layout)).read_cell(example[item.name])
        if not notes and value is not None:
            values[item.name] = float(value) if item.type == "number" else value
    return values
