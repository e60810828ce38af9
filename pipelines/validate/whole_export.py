"""An export judged whole: the rows of all its files of a year together, each of which was judged alone before.

Keys that come twice, versions side by side, totals and example rows are found here; cells are not judged again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.compile.expected_cells import example_rows
from pipelines.validate.double_keys import compare_files, refuse_companions, refuse_double_values
from pipelines.validate.equivalent_keys import OfficeCodes
from pipelines.validate.export_parts import RANK, Expected, Part, Whole
from pipelines.validate.rows_not_data import examples_left, may_hold_totals, totals_left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Catalogue, Export, Layout

MOST_ROWS = 300_000  # looked at for totals and examples: no table of places is larger


def expected_of(catalogue: Catalogue, network: str, export: Export, layout: Layout, year: int | None) -> Expected:
    """Return what the declarations say of the rows of an export; without a year, of the last of the layout."""
    last = year if year is not None else layout.years.last
    feeds = [
        (catalogue.indicators[key], feed)
        for each in ([year] if year is not None else layout.years)
        for key, feed in catalogue.expected(network, each).items()
        if export.id in feed.export
    ]
    alone = [
        tuple((name, tuple(values)) for name, values in feed.where.items())
        for indicator, feed in feeds
        if export.kind == "values" or indicator.estimator.family == "typed"
    ]
    examples = example_rows(export, layout, catalogue.territories, last)
    return Expected(layout, tuple(dict.fromkeys(alone)), tuple(examples))


def judge_whole(export: Export, parts: Sequence[Part], expected: Expected) -> Whole:
    """Judge the accepted rows of all the files of one year together."""
    whole = Whole(export, parts, expected)
    if len(parts) > 1:
        compare_files(whole)
        _one_writing(whole)
    if is_alone(export):
        for index in range(len(parts)):
            refuse_companions(whole, index)
    if expected.alone and parts:
        refuse_double_values(whole)
    if 0 < sum(part.table.num_rows for part in parts) <= MOST_ROWS:
        _left_rows(whole)
    return whole


def is_alone(export: Export) -> bool:
    """Whether the declared key says that a place has one row a period: it is made of places and periods alone."""
    structure, territory = export.structure, export.territory
    places = {structure.code if structure else None, territory.field if territory else None} - {None}
    return bool(places & set(export.key)) and set(export.key) <= {*places, export.period.field, export.level.field}


def _one_writing(whole: Whole) -> None:
    """Refuse the rows whose office is written otherwise in most rows of the other files."""
    structure = whole.export.structure
    offices = OfficeCodes(whole.label(structure.code) if structure else "")
    for part in whole.parts:
        for batch in part.table.batches(["_structure"]):
            offices.note(pa.Table.from_batches([batch]))
    for index, part in enumerate(whole.parts):
        for row, finding, year in offices.found(part.table):
            whole.refuse(index, replace(finding, row=row, year=year))


def _left_rows(whole: Whole) -> None:
    """Find totals and examples among the rows that stand."""
    export, layout = whole.export, whole.expected.layout
    rows = _standing(whole)
    totals = totals_left(rows, export, layout) if may_hold_totals(rows, export) else ()
    for place, item in [*totals, *examples_left(rows, export, layout, whole.expected.examples)]:
        file, row, year = (rows.column(name)[place].as_py() for name in (RANK, "_ligne", "_annee"))
        told = replace(item, row=row, year=year)
        if item.severity == "erreur":
            whole.refuse(file, told)
        elif row not in whole.refused[file]:
            whole.told[file].append(told)


def _standing(whole: Whole) -> pa.Table:
    """Return the accepted rows that nothing set aside."""
    rows = whole.table(whole.parts[0].table.schema.names)
    if not any(whole.refused):
        return rows
    places = zip(rows.column(RANK).to_pylist(), rows.column("_ligne").to_pylist(), strict=True)
    return rows.filter(pa.array([row not in whole.refused[file] for file, row in places], pa.bool_()))
