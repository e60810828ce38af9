"""An export judged whole: the rows of all its files of a year together, each of which was judged alone before.

Keys that come twice, versions side by side, totals and example rows are found here; cells are not judged again.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import frictionless
import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.compile.exports import field_descriptor, label_of
from pipelines.compile.samples import example_rows
from pipelines.mechanics.french import counted, rows_text
from pipelines.tabular.linear_patterns import judged_in_linear_time
from pipelines.validate.findings import Finding
from pipelines.validate.header import normalise
from pipelines.validate.office_codes import OfficeCodes
from pipelines.validate.samples_left import examples_left
from pipelines.validate.totals import totals_left
from pipelines.validate.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipelines.declarations import Catalogue, Export, ExportField, Layout
    from pipelines.declarations.base import Scalar
    from pipelines.validate.typed_rows import TypedRows

Where = tuple[tuple[str, tuple["Scalar", ...]], ...]
MOST_ROWS = 300_000  # looked at for totals and examples: no table of places is larger
_PLACE = ["_periode", "_maille", "_territoire", "_structure"]
_SHARED = 0.5  # of the keys of the smaller file: beyond, two files are two versions rather than parts
_POSITION = re.compile(r"comme à la ligne (\d+)")


@dataclass(frozen=True)
class Expected:
    """What is known of an export's rows beside its cells.

    ``alone``: the conditions of the indicators that take one value a place and period. ``examples``: the rows that the
    template shows, as text by field.
    """

    layout: Layout
    alone: tuple[Where, ...] = ()
    examples: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class _Key:
    """The declared key: the columns that it is compared by, the fields that it is made of, and their labels."""

    columns: list[str]
    names: list[str]
    label: str


@dataclass(frozen=True)
class Part:
    """A file of the export: its path, its accepted rows of the year, and what was refused of it before."""

    name: str
    table: TypedRows
    header: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    refused: Mapping[int, Sequence[str]] = field(default_factory=dict)


@dataclass
class Whole:
    """What was found in each file: rows to set aside and why, what is told, and a question that stops the export.

    ``companions``: the rows set aside only because another has their key: one fault, not two.
    """

    refused: list[dict[int, Finding]]
    told: list[list[Finding]]
    question: str = ""
    companions: int = 0

    def refuse(self, file: int, row: int, finding: Finding) -> None:
        """Set a row aside, for the first reason found."""
        self.refused[file].setdefault(row, finding)


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
    names, tables = [part.name for part in parts], [part.table for part in parts]
    whole = Whole([{} for _ in parts], [[] for _ in parts])
    if len(parts) > 1:
        _judge_files(whole, export, names, tables, expected.layout)
        _one_writing(whole, export, tables, expected.layout)
    if is_alone(export):
        for index, part in enumerate(parts):
            _refuse_companions(whole, index, part, export, expected.layout)
    if expected.alone and parts:
        _one_value(whole, export, names, tables, expected)
    if 0 < sum(table.num_rows for table in tables) <= MOST_ROWS:
        _left_rows(whole, export, tables, expected)
    return whole


def is_alone(export: Export) -> bool:
    """Whether the declared key says that a place has one row a period: it is made of places and periods alone."""
    structure, territory = export.structure, export.territory
    places = {structure.code if structure else None, territory.field if territory else None} - {None}
    return bool(places & set(export.key)) and set(export.key) <= {*places, export.period.field, export.level.field}


def _judge_files(
    whole: Whole, export: Export, names: Sequence[str], tables: Sequence[TypedRows], layout: Layout
) -> None:
    key = [_coordinate(export, name) for name in export.key]
    held = {name for part in key for name in part} <= set(tables[0].schema.names)
    if key and held:
        label = ", ".join(_label(export, layout, name) for name in export.key)
        compared = _Key([name for part in key for name in part], list(export.key), label)
        rows = _keyed(tables, compared.columns, compared.names)
        whole.question = _question(names, rows, compared.columns)
        if not whole.question:
            _refuse_across(whole, names, rows, compared)
    elif export.kind != "values":
        fields = [item for item in tables[0].schema.names if not item.startswith("_")]
        whole.question = versions(names, [_frame(table, ["_ligne", *fields]) for table in tables])


def _one_writing(whole: Whole, export: Export, tables: Sequence[TypedRows], layout: Layout) -> None:
    """Refuse the rows whose office is written otherwise in most rows of the other files."""
    offices = OfficeCodes(export, {item.name: label_of(item, layout) for item in export.fields})
    for table in tables:
        for batch in table.batches(["_structure"]):
            offices.note(pa.Table.from_batches([batch]))
    for index, table in enumerate(tables):
        for row, finding, year in offices.found(table):
            whole.refuse(index, row, replace(finding, row=row, year=year))


def _coordinate(export: Export, name: str) -> list[str]:
    """Return what a part of the key is compared by: a place by its coordinates, however it is written."""
    if export.territory and name == export.territory.field:
        return ["_maille", "_territoire"]
    return [name]


def _keyed(tables: Sequence[TypedRows], columns: Sequence[str], shown: Sequence[str]) -> pd.DataFrame:
    wanted = list(dict.fromkeys(["_ligne", "_annee", *columns, *shown]))
    return pd.concat([_frame(table, wanted).assign(_fichier=index) for index, table in enumerate(tables)])


def _refuse_across(whole: Whole, names: Sequence[str], rows: pd.DataFrame, key: _Key) -> None:
    """Refuse the rows whose key is in several files."""
    twice = rows[rows.duplicated(key.columns, keep=False)]
    for _, group in twice.groupby(key.columns, dropna=False, sort=False):
        if group["_fichier"].nunique() < 2:
            continue
        places = list(zip(group["_fichier"], group["_ligne"], strict=True))
        value = ", ".join(_text(item) for item in group.iloc[0][key.names])
        for place, year in zip(places, group["_annee"], strict=True):
            others = _listed(names, [other for other in places if other != place])
            told = f"Cette clé figure aussi dans {others} ; aucune de ces lignes n'est retenue."
            finding = Finding(
                "cle-dans-deux-fichiers", told, row=place[1], column=key.label, value=value, year=year
            )  # fmt: skip
            whole.refuse(*place, finding)
        whole.companions += len(places) - 1


def _listed(names: Sequence[str], places: Iterable[tuple[int, int]]) -> str:
    return " ; ".join(f"« {names[file]} », ligne {row}" for file, row in places)


def _question(names: Sequence[str], rows: pd.DataFrame, columns: list[str]) -> str:
    """Ask which of two files is right when most keys of the smaller are in the other too."""
    for first in range(len(names)):
        for second in range(first + 1, len(names)):
            one, other = rows[rows["_fichier"] == first], rows[rows["_fichier"] == second]
            shared = one.merge(other, on=columns, suffixes=("", "_autre"))
            if len(shared) and len(shared) >= _SHARED * min(len(one), len(other)):
                lines = rows_text(tuple(sorted(shared["_ligne"])), len(shared))
                others = rows_text(tuple(sorted(shared["_ligne_autre"])), len(shared))
                return (
                    f"« {names[first]} » et « {names[second]} » semblent être deux versions du même export : "
                    f"{counted(len(shared), 'clé')} y figurent deux fois ({lines} du premier ; {others} du second). "
                    "Retirez du dossier le fichier qui n'est plus le bon."
                )
    return ""


def _refuse_companions(whole: Whole, file: int, part: Part, export: Export, layout: Layout) -> None:
    """Refuse the row that another one was refused for, where a place has one row a period, unless both say the same."""
    twins: dict[int, Finding] = {}
    for item in part.findings:
        if item.rule == "primary-key" and item.row and (match := _POSITION.search(item.message)):
            twins.setdefault(int(match[1]), item)
    if not twins:
        return
    for row, year, cells in written(part.table, list(twins), part.header, export, layout):
        item = twins[row]
        if item.row is None or cells == _rewritten(part.refused.get(item.row, ()), part, export, layout):
            continue
        told = f"Cette clé figure aussi à la ligne {item.row}, avec d'autres valeurs ; aucune des deux n'est retenue."
        again = Finding("primary-key", told, row=row, column=item.column, value=item.value, year=year)
        whole.refuse(file, row, again)
        whole.companions += 1


def _rewritten(cells: Sequence[str], part: Part, export: Export, layout: Layout) -> list[str]:
    """Return the cells of a refused row as ``written`` would write them: 3 824 and 3824 are one value."""
    columns = _columns(part.table, part.header, export, layout)
    return [_reread(cell, item, layout) if item else "" for cell, item in zip(cells, columns, strict=False)]


def _reread(cell: str, item: ExportField, layout: Layout) -> str:
    descriptor = field_descriptor(item, layout)
    with judged_in_linear_time():
        value, notes = frictionless.Field.from_descriptor(descriptor).read_cell(cell)
    if notes and item.type == "date":  # a native date of a spreadsheet, whatever the declared form
        with contextlib.suppress(ValueError):
            value, notes = datetime.date.fromisoformat(cell), {}
    if notes:
        return cell
    return _cell(float(value) if isinstance(value, Decimal) else value, descriptor)


def _one_value(
    whole: Whole, export: Export, names: Sequence[str], tables: Sequence[TypedRows], expected: Expected
) -> None:
    """Refuse the rows that give an indicator two values for one place and period."""
    conditions = [name for where in expected.alone for name, _ in where]
    rows = _keyed(tables, [*_PLACE, "_structure_nom"], conditions)
    column = _place_label(export, expected.layout)
    for where in expected.alone:
        kept = rows
        for name, values in where:
            kept = kept.loc[np.array([_is_one_of(held, values) for held in kept[name]], np.bool_)]
        for place, group in kept.loc[kept.duplicated(_PLACE, keep=False)].groupby(_PLACE, dropna=False, sort=False):
            places = zip(group["_fichier"], group["_ligne"], strict=True)
            new = [(file, row) for file, row in places if row not in whole.refused[file]]
            told, value = _two_values(names, group, place)
            for file, row in new:
                whole.refuse(file, row, Finding(
                    "valeur-en-double", told, row=row, column=column, value=value, year=int(group["_annee"].iloc[0])
                ))  # fmt: skip
            whole.companions += max(0, len(new) - 1)


def _two_values(names: Sequence[str], group: pd.DataFrame, place: tuple[Any, ...]) -> tuple[str, str]:
    period, _, territory, structure = (None if pd.isna(item) else str(item) for item in place)
    code, name = structure or territory or "", group["_structure_nom"].dropna()
    shown = f"« {code} »" + (f" ({name.iloc[0]})" if structure and len(name) else "")
    if group["_fichier"].nunique() == 1:
        lines = rows_text(tuple(sorted(group["_ligne"])), len(group))
    else:
        lines = _listed(names, zip(group["_fichier"], group["_ligne"], strict=True))
    return f"{shown} a {counted(len(group), 'valeur')} pour {period} ({lines}) ; aucune n'est retenue.", code


def _left_rows(whole: Whole, export: Export, tables: Sequence[TypedRows], expected: Expected) -> None:
    """Find totals and examples among the rows that stand."""
    names = tables[0].schema.names
    rows = pd.concat([
        _frame(table, names).assign(_fichier=index) for index, table in enumerate(tables)
    ], ignore_index=True)  # fmt: skip
    stands = [row not in whole.refused[file] for file, row in zip(rows["_fichier"], rows["_ligne"], strict=True)]
    rows = rows.loc[np.array(stands, np.bool_)].reset_index(drop=True)
    found = list(totals_left(rows, export, expected.layout))
    found += examples_left(rows, export, expected.layout, expected.examples)
    for place, item in found:
        file, row = int(rows["_fichier"].iloc[place]), int(rows["_ligne"].iloc[place])
        told = Finding(
            item.rule, item.message, item.severity, row, item.column, item.value, int(rows["_annee"].iloc[place])
        )
        if item.severity == "erreur":
            whole.refuse(file, row, told)
        elif row not in whole.refused[file]:
            whole.told[file].append(told)


def written(
    table: TypedRows, numbers: Sequence[int], header: Sequence[str], export: Export, layout: Layout
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield number, year and cells of accepted rows that are set aside, in the columns of their file.

    Personal columns were dropped when the rows were accepted: their cells are empty.
    """
    columns = _columns(table, header, export, layout)
    rows = _frame(table, ["_ligne", "_annee", *(item.name for item in columns if item)])
    for row in rows[rows["_ligne"].isin(list(numbers))].to_dict("records"):
        cells = [_cell(row[item.name], field_descriptor(item, layout)) if item else "" for item in columns]
        yield int(row["_ligne"]), int(row["_annee"]), cells


def _columns(table: TypedRows, header: Sequence[str], export: Export, layout: Layout) -> list[ExportField | None]:
    """Return the field of each column of a file, but of those that were dropped or that nothing declares."""
    fields = {normalise(label_of(item, layout)): item for item in export.fields if item.name in table.schema.names}
    return [fields.get(normalise(label)) for label in header]


def _cell(value: Any, descriptor: Mapping[str, Any]) -> str:
    """Write a typed value as the layout does."""
    if pd.isna(value):
        return ""
    if isinstance(value, bool):
        words = descriptor.get("trueValues" if value else "falseValues") or [str(value).lower()]
        return str(words[0])
    if isinstance(value, datetime.date):
        form = descriptor.get("format", "default")
        return value.isoformat() if form == "default" else value.strftime(form)
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() else repr(value)
        return text.replace(".", descriptor.get("decimalChar", "."))
    return str(value)


def _text(value: Any) -> str:
    return _cell(value, {})


def _frame(table: TypedRows, columns: Sequence[str]) -> pd.DataFrame:
    wanted = list(dict.fromkeys(columns))
    frames = [batch.to_pandas(integer_object_nulls=True, date_as_object=True) for batch in table.batches(wanted)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=wanted)


def _is_one_of(held: Any, values: tuple[Scalar, ...]) -> bool:
    return any(held == value or _text(held) == str(value) for value in values)


def _label(export: Export, layout: Layout, name: str) -> str:
    declared = export.field(name)
    return label_of(declared, layout) if declared else name


def _place_label(export: Export, layout: Layout) -> str:
    name = export.structure.code if export.structure else export.territory.field if export.territory else ""
    return _label(export, layout, name)
