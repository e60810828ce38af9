"""Text cells → typed observations, refused rows and findings. The verdict on every cell is frictionless's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import frictionless
import pyarrow as pa
from frictionless.resources import TableResource

from pipelines.compile.exports import export_schema, field_descriptor, label_of
from pipelines.validate.corrections import apply_corrections
from pipelines.validate.findings import Finding
from pipelines.validate.header import match_header
from pipelines.validate.messages import sentence
from pipelines.validate.observations import Observation, RowPlacer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.declarations import Correction, Export, ExportField, Layout, Territories

# Columns that every observation has, beside its export's fields (whose names can't start with _).
COORDINATES = pa.schema([
    ("_ligne", pa.int64()),
    ("_annee", pa.int64()),
    ("_periode", pa.string()),
    ("_maille", pa.string()),
    ("_territoire", pa.string()),
    ("_structure", pa.string()),
    ("_structure_nom", pa.string()),
])  # fmt: skip
_ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "year": pa.int64(),
}
EMPTY_KEY = "Les cellules de la clé sont toutes vides : la ligne ne peut être reconnue."
KEPT_ROWS = 10_000  # refused rows kept with their cells: more would not be corrected by hand
_LARGEST = 1e15  # beyond, whole numbers are not exact any more, and sums could pass 64 bits: no real figure is so large


@dataclass(frozen=True)
class RefusedRow:
    """A row set aside: its number in the file, its year when readable, and its cells as they were read."""

    number: int
    year: int | None
    cells: list[str]


@dataclass
class Validated:
    """A file judged: typed observations, findings, and what was set aside.

    ``refused`` counts rows by year (``None``: year unreadable); ``refused_rows`` keeps the first of them, at most
    KEPT_ROWS, for the copy that the producer corrects; ``header`` has the labels of the file's columns.
    """

    observations: pa.Table
    findings: list[Finding] = field(default_factory=list)
    refused: dict[int | None, int] = field(default_factory=dict)
    ignored: int = 0
    usable: bool = True
    header: list[str] = field(default_factory=list)
    refused_rows: list[RefusedRow] = field(default_factory=list)


def observation_schema(export: Export) -> pa.Schema:
    """Return the Arrow schema of the export's observations: coordinates, fields, and reasons of declared absences."""
    fields = [pa.field(item.name, _ARROW[item.type]) for item in export.fields]
    absences = [pa.field(f"_absence_{item.name}", pa.string()) for item in export.fields if item.absences]
    return pa.schema([*COORDINATES, *fields, *absences])


def validate_cells(
    header: list[str],
    rows: list[list[str]],
    first_row: int,
    export: Export,
    layout: Layout,
    territories: Territories,
    *,
    file: str,
    file_year: int | None,
    corrections: Sequence[Correction] = (),
) -> Validated:
    """Judge every row. Row numbers are those of the file (``first_row`` is the number of ``rows[0]``).

    ``file_year`` is the year that the file's path gives, or None when one file holds several years.
    """
    schema = observation_schema(export)
    matched = match_header(header, export, layout)
    if not matched.usable:
        return Validated(schema.empty_table(), matched.findings, usable=False, header=header)
    expired = apply_corrections(rows, matched.columns, corrections, file)
    result = _Judgement(export, layout, RowPlacer(export, layout, territories, file_year), matched.columns)
    result.findings += [*matched.findings, *expired]
    for row in _judged(rows, matched.columns, export, layout):
        result.take(row, first_row + row.row_number - 2)  # frictionless counts the header as 1
    return result.finish(schema, header)


def _judged(
    rows: list[list[str]], columns: list[tuple[str, ExportField | None]], export: Export, layout: Layout
) -> Iterator[frictionless.Row]:
    """Stream the rows through frictionless, with a schema in the file's own column order."""
    names, fields = [], []
    for index, (_, declared) in enumerate(columns):
        name = declared.name if declared else f"_inconnue_{index}"
        names.append(name)
        fields.append(field_descriptor(declared, layout) if declared else {"name": name, "type": "any"})
    descriptor: dict[str, Any] = {"fields": fields}
    key = export_schema(export, layout).get("primaryKey", [])
    if key and set(key) <= set(names):
        descriptor["primaryKey"] = key
    resource = TableResource(
        data=[names, *rows],
        schema=frictionless.Schema.from_descriptor(descriptor),
        dialect=frictionless.Dialect(header_rows=[1]),  # else it is guessed from the width of the rows
    )
    with resource:
        yield from resource.row_stream


class _Judgement:
    """Gathers rows one by one: accepted ones in columns, the others as findings."""

    def __init__(
        self, export: Export, layout: Layout, placer: RowPlacer, columns: list[tuple[str, ExportField | None]]
    ) -> None:
        self.export, self.layout, self.placer = export, layout, placer
        self.findings: list[Finding] = []
        self.refused: dict[int | None, int] = {}
        self.ignored = 0
        self._labels = {item.name: label_of(item, layout) for item in export.fields}
        self._places = {item.name: index for index, (_, item) in enumerate(columns) if item is not None}
        self._absences = {item.name: item.absences for item in export.fields if item.absences}
        self._accepted: list[dict[str, Any]] = []
        self._refused_rows: list[RefusedRow] = []
        self._keys: set[tuple[Any, ...]] = set()

    def take(self, row: frictionless.Row, number: int) -> None:
        """Accept, ignore or refuse one row."""
        values = {name: row[name] for name in self._places}
        impossible = [name for name, value in values.items() if _impossible(value)]
        if impossible:
            readable = {name: value for name, value in values.items() if name not in impossible}
            self._refuse([self._impossible(name, values[name]) for name in impossible], readable, row.cells, number)
        elif not row.valid:
            blank = [error for error in row.errors if error.type == "blank-row"]  # its key is empty too: told once
            found = [self._from_frictionless(error, number - row.row_number) for error in blank or row.errors]
            self._refuse(found, values, row.cells, number)
        elif self.placer.ignored(values):
            self.ignored += 1
        else:
            placed = self.placer.place(values)
            twin = self._twin(placed, values) if isinstance(placed, Observation) else None
            if twin is not None:
                self._refuse([twin], values, row.cells, number)
            elif isinstance(placed, Observation):
                self._accept(placed, values, row.cells, number)
            else:
                self._refuse(placed, values, row.cells, number)

    def _twin(self, placed: Observation, values: dict[str, Any]) -> Finding | None:
        """Return a finding when the key is known already once places are written in one way (1 and 01, d01 and D01)."""
        if not self.export.key or not set(self.export.key) <= set(self._places):
            return None
        canonical = {self.export.territory.field: (placed.level, placed.territory)} if self.export.territory else {}
        key = tuple(canonical.get(name, values.get(name)) for name in self.export.key)
        if key not in self._keys:
            self._keys.add(key)
            return None
        column = ", ".join(self._labels[name] for name in self.export.key)
        shown = ", ".join(str(values.get(name)) for name in self.export.key)
        return Finding("primary-key", "Cette clé figure déjà plus haut dans le fichier.", column=column, value=shown)

    def finish(self, schema: pa.Schema, header: list[str]) -> Validated:
        """Return what was gathered, the observations cast to their schema."""
        table = pa.Table.from_pylist(self._accepted, schema=schema)
        return Validated(
            table, self.findings, self.refused, self.ignored, header=header, refused_rows=self._refused_rows
        )

    def _accept(self, placed: Observation, values: dict[str, Any], cells: list[Any], number: int) -> None:
        self._accepted.append({
            **values,
            "_ligne": number,
            "_annee": placed.year,
            "_periode": placed.period,
            "_maille": placed.level,
            "_territoire": placed.territory,
            "_structure": placed.structure,
            "_structure_nom": placed.structure_name,
            **{f"_absence_{name}": self._reason(name, values, cells) for name in self._absences},
        })  # fmt: skip

    def _reason(self, name: str, values: dict[str, Any], cells: list[Any]) -> str | None:
        if values.get(name) is not None:
            return None
        index = self._places.get(name)
        return self._absences[name].get(str(cells[index])) if index is not None else None

    def _refuse(self, findings: list[Finding], values: dict[str, Any], cells: list[Any], number: int) -> None:
        year = self.placer.file_year or self.placer.year(values)
        self.refused[year] = self.refused.get(year, 0) + 1
        if len(self._refused_rows) < KEPT_ROWS:
            self._refused_rows.append(RefusedRow(number, year, ["" if cell is None else str(cell) for cell in cells]))
        self.findings += [
            Finding(item.rule, item.message, item.severity, number, item.column, item.value, year) for item in findings
        ]

    def _impossible(self, name: str, value: Any) -> Finding:
        message = "Ce n'est pas un nombre utilisable (nan, inf, ou plus de 15 chiffres) : laissez la cellule vide."
        return Finding("nombre-impossible", message, column=self._labels[name], value=str(value)[:40])

    def _from_frictionless(self, error: frictionless.errors.RowError, shift: int) -> Finding:
        name = str(getattr(error, "field_name", "") or "")
        cell = getattr(error, "cell", "")
        value = "" if cell is None else str(cell)
        empty_key = error.type == "primary-key" and "None" in error.note
        message = EMPTY_KEY if empty_key else sentence(error.type, error.note, shift)
        return Finding(error.type, message, column=self._labels.get(name, name), value=value)


def _impossible(value: Any) -> bool:
    """Tell numbers that frictionless accepts but that no result can be made of: nan, inf, and more than 10^15."""
    return isinstance(value, int | float) and not abs(value) <= _LARGEST  # nan fits nothing
