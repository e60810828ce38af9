"""What must hold between a dataset's explanations or historical rendition and the rest: names that exist. No models."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.declarations.catalogue import Catalogue
    from pipelines.declarations.datasets import Dataset
    from pipelines.declarations.release_settings import HistoricalColumn
    from pipelines.declarations.yaml_source import Path

Named = tuple["Path", str, "Iterable[str]", str]


def names_used(catalogue: Catalogue, dataset: Dataset) -> Iterator[Named]:
    """Yield every name that the dataset takes from elsewhere: its place, itself, those that exist, and what it is."""
    for index, item in enumerate(dataset.explanations):
        lists: tuple[tuple[str, Iterable[str], Iterable[str], str], ...] = (
            ("networks", item.networks, catalogue.networks, "réseau"),
            ("indicators", item.indicators, catalogue.indicators, "indicateur"),
            ("tables", item.tables, dataset.tables, "table"),
        )
        for key, names, allowed, what in lists:
            yield from ((("explanations", index, key, rank), name, allowed, what) for rank, name in enumerate(names))
    for name in ("resultats", "indicateurs", "reseaux") if dataset.workbook else ():
        yield ("workbook",), name, dataset.tables, "table"
    for name, layout in dataset.layout.items():
        yield ("layout", name), name, dataset.tables, "table"
        columns = catalogue.tables[name].names if name in catalogue.tables else []
        for index, part in enumerate(layout.parts if columns else ()):
            yield from (
                (("layout", name, "parts", index, "where"), column, columns, "colonne") for column in part.where
            )
    if dataset.historical and dataset.main_table in catalogue.tables:
        main = catalogue.tables[dataset.main_table].names
        for index, column in enumerate(dataset.historical.columns):
            yield from _sources(catalogue, dataset, ("historical", "columns", index), column, main)


def _sources(
    catalogue: Catalogue, dataset: Dataset, place: Path, column: HistoricalColumn, main: list[str]
) -> Iterator[Named]:
    for key in ("first", "join"):
        yield from (((*place, key, rank), name, main, "colonne") for rank, name in enumerate(getattr(column, key)))
    if column.first_day_of:
        yield (*place, "first_day_of"), column.first_day_of, main, "colonne"
    if lookup := column.lookup:
        yield (*place, "lookup", "table"), lookup.table, dataset.tables, "table"
        companion = catalogue.tables.get(lookup.table)
        if companion:  # a table that isn't there, or is broken, is told by itself
            names = companion.names
            both = [name for name in names if name in main]
            yield from (((*place, "lookup", "on", rank), name, both, "colonne") for rank, name in enumerate(lookup.on))
            yield (*place, "lookup", "column"), lookup.column, names, "colonne"
