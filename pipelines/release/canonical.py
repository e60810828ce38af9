"""A table brought to the one canonical form of its declaration: types, order of columns and rows, unique key.

Everything written to disk starts from here. Columns are converted whole; a column with a cell that doesn't fit is read
again cell by cell, to name it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from pipelines.compile.table_schema import TYPES, arrow_schema
from pipelines.declarations import Column, Table
from pipelines.mechanics.french import counted
from pipelines.mechanics.plain_text import table_lines
from pipelines.release.column_texts import canonical, compact_schema, each_value, key_order, plain
from pipelines.release.refusals import TableError

Rows = np.ndarray[tuple[int], np.dtype[np.int64]]
SHOWN = 5  # findings told per column; the rest is counted
_SURE_TEXT = r"^[ -~À-ÿ«»°’œŒ€…–]*$"  # prints, whatever the screen
_FORMULA = r"^[=+\-@]"
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"
_OF_ONE_KIND = (
    "string", "integer", "floating", "mixed-integer-float", "boolean", "date", "datetime", "decimal", "empty",
)  # fmt: skip
_EXPECTED = {
    "string": "texte attendu", "integer": "nombre entier attendu", "number": "nombre attendu",
    "boolean": "booléen attendu", "date": "date attendue (AAAA-MM-JJ)",
}  # fmt: skip
_ABSENT = "valeur obligatoire absente"
_FORBIDDEN, _WITH_HOUR = "caractère interdit en UTF-8 ou en CSV", "date sans heure attendue"
DEFAULT_DECIMALS = 6
NOTHING: Mapping[str, str] = MappingProxyType({})
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
_SURELY_ROUNDED = 2.0**40  # units of the last decimal: beyond, a product is too coarse to tell which way to round


class _WrongError(Exception):
    """A column has a cell that doesn't fit; why, in French, when it isn't only of another type."""


class Columns(Protocol):
    """A table whose columns are read by name: a frame, an Arrow table, or a file read column by column."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a column: a series of pandas or an Arrow array."""

    @property
    def columns(self) -> Any:
        """Columns in order; their names, when they have no other way to tell them."""


def canonical_table(
    name: str, table: Table, frame: Columns, filled: Mapping[str, str] = NOTHING, *, compact: bool = False
) -> pa.Table:
    """Return ``frame`` as an Arrow table of the declared schema, sorted by key; TableError names what doesn't fit.

    ``filled``: columns that hold one text in every row where they are declared, whatever the frame has there.
    ``compact``: keep texts as places in a list of the different ones (``column_texts.plain``).
    """
    filled = {column: text for column, text in filled.items() if column in table.names}
    names = frame.column_names if isinstance(frame, pa.Table) else [str(column) for column in frame.columns]
    expected = [column for column in table.columns if column.name not in filled]
    refused = f"La table {name} ne peut pas être publiée :"
    if findings := _columns_that_differ(name, expected, [column for column in names if column not in filled]):
        raise TableError(refused, findings)
    converted = {}
    for column in expected:
        converted[column.name], wrong = _converted(name, column, frame[column.name])
        findings += wrong
    if findings:
        raise TableError(refused, findings)
    count = len(converted[table.key[0]])
    converted |= {column: pa.chunked_array([pa.repeat(text, count)]) for column, text in filled.items()}
    columns = [converted.pop(column) for column in table.names]
    order = _order(name, plain(pa.table({key: columns[table.names.index(key)] for key in table.key})))
    if not (np.diff(order) > 0).all():
        for at, values in enumerate(columns):  # one at a time: both orders of one column are held, not of all
            columns[at] = values.take(pa.array(order))
    schema = compact_schema(arrow_schema(table)) if compact else arrow_schema(table)
    for at, field in enumerate(schema):
        columns[at] = columns[at] if columns[at].type.equals(field.type) else columns[at].cast(field.type)
    return pa.Table.from_arrays(columns, schema=schema)


def _columns_that_differ(name: str, columns: Sequence[Column], given: Sequence[str]) -> list[str]:
    wanted = [column.name for column in columns]
    missing = [f"{name}.{column} : colonne déclarée, absente des données" for column in wanted if column not in given]
    extra = [f"{name}.{column} : colonne non déclarée" for column in given if column not in wanted]
    twins = [f"{name}.{column} : colonne présente plusieurs fois" for column in wanted if given.count(column) > 1]
    return [*missing, *extra, *twins]


def _converted(name: str, column: Column, cells: pd.Series[Any] | pa.ChunkedArray) -> tuple[pa.ChunkedArray, list[str]]:
    """Return the cells in the declared type, and what is wrong with some."""
    try:
        values = _CONVERTED[column.type](_as_arrow(cells), column)
    except (_WrongError, pa.ArrowException, TypeError, ValueError, OverflowError):
        return _cell_by_cell(name, column, cells.tolist() if isinstance(cells, pd.Series) else cells.to_pylist())
    if values.null_count and column.constraints.required:
        empty = np.flatnonzero(values.is_null().to_numpy()) + 1
        wrong = [f"{name}.{column.name}, ligne {number} : {_ABSENT}" for number in empty.tolist()]
        return values, _shown(name, column, wrong)
    return values, []


def _as_arrow(cells: pd.Series[Any] | pa.ChunkedArray) -> pa.ChunkedArray:
    if isinstance(cells, pd.Series) and cells.dtype == object and pd.api.types.infer_dtype(cells) not in _OF_ONE_KIND:
        raise _WrongError
    values = pa.array(cells, from_pandas=True) if isinstance(cells, pd.Series) else cells
    values = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    if values.null_count == len(values):  # whatever type an empty column was kept in
        return pa.chunked_array([pa.nulls(len(values))])
    return values


def _text(cells: pa.ChunkedArray, _: Column) -> pa.ChunkedArray:
    if pa.types.is_dictionary(cells.type):
        cells = pc.cast(cells, cells.type.value_type)
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type) or pa.types.is_null(cells.type)):
        raise _WrongError
    encoded = pc.dictionary_encode(pc.cast(cells, pa.string())).unify_dictionaries()
    chunks = [chunk for chunk in encoded.chunks if len(chunk)]
    if not chunks:
        return pa.chunked_array([], pa.string())
    texts = pa.chunked_array([chunks[0].dictionary])
    values = printed(pc.if_else(pc.equal(texts, ""), None, texts)).combine_chunks()
    if values.null_count:  # a list has no empty places
        return pc.dictionary_encode(pa.chunked_array([values.take(chunk.indices) for chunk in chunks]))
    return pa.chunked_array([pa.DictionaryArray.from_arrays(chunk.indices, values) for chunk in chunks])


def printed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as tables publish them: signs that print, no formula for a spreadsheet."""
    sure = pc.and_(pc.match_substring_regex(texts, _SURE_TEXT), pc.invert(pc.match_substring_regex(texts, _FORMULA)))
    return texts if pc.all(sure).as_py() is not False else each_value(texts, _plain)


def _plain(text: str) -> str:
    if "\0" in text:
        raise _WrongError(_FORBIDDEN)
    return table_lines(text)


def _integer(cells: pa.ChunkedArray, _: Column) -> pa.ChunkedArray:
    if not (pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type) or pa.types.is_null(cells.type)):
        raise _WrongError
    return pc.cast(cells, pa.int64())  # safe: a fraction or what is too large is refused


def _number(cells: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """Return numbers rounded as Python does, to the nearest decimal of the exact value, whatever numpy makes of it."""
    if not any(kind(cells.type) for kind in _NUMBERS):
        raise _WrongError
    decimals = DEFAULT_DECIMALS if column.decimals is None else column.decimals
    filled = cells.is_valid().to_numpy()
    exact = pc.fill_null(pc.cast(cells, pa.float64()), 0.0).to_numpy()
    if not np.isfinite(exact).all():
        raise _WrongError("nombre fini attendu")
    with np.errstate(over="ignore", invalid="ignore"):  # what is that large is whole, and not rounded
        units = exact * 10.0**decimals
        rounded = np.rint(units) / 10.0**decimals
        tied = np.abs(units - np.floor(units) - 0.5) < 2.0**-12
    unsure = (exact != np.rint(exact)) & (tied | (np.abs(units) >= _SURELY_ROUNDED))
    rounded = np.where(exact == np.rint(exact), exact, rounded)
    rounded[unsure] = [round(value, decimals) for value in exact[unsure].tolist()]
    return pa.chunked_array([pa.array(rounded + 0.0, pa.float64(), mask=~filled)])


def _boolean(cells: pa.ChunkedArray, _: Column) -> pa.ChunkedArray:
    if not (pa.types.is_boolean(cells.type) or pa.types.is_null(cells.type)):
        raise _WrongError
    return pc.cast(cells, pa.bool_())


def _date(cells: pa.ChunkedArray, _: Column) -> pa.ChunkedArray:
    if pa.types.is_timestamp(cells.type) and cells.type.tz is not None:
        raise _WrongError(_WITH_HOUR)
    if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        cells = pc.if_else(pc.equal(cells, ""), None, cells)
        if pc.all(pc.match_substring_regex(cells, _ISO_DATE)).as_py() is False:
            raise _WrongError
    elif not (pa.types.is_temporal(cells.type) or pa.types.is_null(cells.type)):
        raise _WrongError
    days = pc.cast(cells, pa.date32())
    if pa.types.is_timestamp(cells.type) and pc.all(pc.equal(pc.cast(days, cells.type), cells)).as_py() is False:
        raise _WrongError(_WITH_HOUR)
    return days


_CONVERTED = {"string": _text, "integer": _integer, "number": _number, "boolean": _boolean, "date": _date}


def _cell_by_cell(name: str, column: Column, cells: Sequence[Any]) -> tuple[pa.ChunkedArray, list[str]]:
    """Return the same, slowly, for cells of several types, or with one that is wrong."""
    values, wrong = [], []
    for number, cell in enumerate(cells, start=1):
        place = f"{name}.{column.name}, ligne {number}"
        try:
            value = _CONVERTED[column.type](_as_arrow(pd.Series([cell], dtype=object)), column)[0].as_py()
        except (_WrongError, pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            why = str(error) if isinstance(error, _WrongError) else ""
            why = _FORBIDDEN if isinstance(error, UnicodeEncodeError) else why or _EXPECTED[column.type]
            wrong.append(f"{place} : {why}, trouvé « {cell} »")
            continue
        values.append(value)
        if value is None and column.constraints.required:
            wrong.append(f"{place} : {_ABSENT}")
    return pa.chunked_array([pa.array(values, TYPES[column.type])]), _shown(name, column, wrong)


def _shown(name: str, column: Column, wrong: list[str]) -> list[str]:
    if len(wrong) <= SHOWN:
        return wrong
    return [*wrong[:SHOWN], f"{name}.{column.name} : et {counted(len(wrong) - SHOWN, 'autre cellule fausse')}"]


def _order(name: str, keys: pa.Table) -> Rows:
    """Return the rows in the total order of the key, empty cells first; a key found twice is refused."""
    order = key_order(keys)
    keys = keys.take(order).combine_chunks()
    if len(twins := _twins(keys)):
        raise TableError(f"La table {name} ne peut pas être publiée :", _twins_told(name, keys, twins))
    return np.asarray(order.to_numpy(), dtype=np.int64)


def _twins(keys: pa.Table) -> Rows:
    """Return the rows of sorted keys that have the key of the row before them."""
    same = np.ones(max(keys.num_rows - 1, 0), dtype=bool)
    for column in keys.columns:
        before, after = column.slice(0, len(same)), column.slice(1)
        empty = pc.and_(before.is_null(), after.is_null())
        same &= pc.or_(pc.fill_null(pc.equal(before, after), False), empty).to_numpy()
    return np.flatnonzero(same) + 1


def _twins_told(name: str, keys: pa.Table, twins: Rows) -> list[str]:
    findings = []
    shown = keys.take(twins[:SHOWN])
    texts: dict[str, list[str]] = {column: canonical(shown[column]).to_pylist() for column in shown.column_names}
    for cells in zip(*texts.values(), strict=True):
        key = ", ".join(f"{column}={cell}" for column, cell in zip(texts, cells, strict=True))
        findings.append(f"{name} : clé présente plusieurs fois ({key})")
    if len(twins) > SHOWN:
        findings.append(f"{name} : et {counted(len(twins) - SHOWN, 'autre ligne')} de clé déjà vue")
    return findings
