"""The version follows from the difference, and the difference from the rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.release.difference import TableState, next_version, parse, release_difference

Rows = dict[str, tuple[str, str]]


def state(rows: Rows, columns: dict[str, str] | None = None, key: str = "cle", title: str = "T") -> TableState:
    types = {"cle": "string", "valeur": "number", "version_publication": "string"} | (columns or {})
    fields = [{"name": name, "type": kind, "title": title} for name, kind in types.items()]
    extra = ("",) * (len(types) - 3)
    cells = list(zip(*((k, *cells, *extra) for k, cells in rows.items()), strict=True)) or [()] * len(types)
    columns = [pa.array(column, pa.string()) for column in cells]
    return TableState({"fields": fields, "primaryKey": [key]}, pa.table(columns, names=list(types)))


def keys(state: TableState, rows: Any) -> list[str]:
    return state.keys(rows).to_pylist()


BASE: Rows = {"a": ("1", "1.0.0"), "b": ("2", "1.0.0")}


@pytest.mark.parametrize(
    ("old", "new", "version"),
    [
        ({"t": state(BASE)}, {"t": state(BASE)}, None),
        ({"t": state(BASE)}, {"t": state({"a": ("1", "1.1.0"), "b": ("2", "1.2.0")})}, None),
        ({"t": state(BASE)}, {"t": state(BASE | {"a": ("9", "1.0.0")})}, "1.4.6"),
        ({"t": state(BASE)}, {"t": state(BASE, title="Autre titre")}, "1.4.6"),
        ({"t": state(BASE)}, {"t": state(BASE | {"c": ("", "")})}, "1.5.0"),
        ({"t": state(BASE)}, {"t": state({"a": BASE["a"]})}, "1.5.0"),
        ({"t": state(BASE)}, {"t": state(BASE, {"autre": "string"})}, "1.5.0"),
        ({"t": state(BASE)}, {"t": state(BASE), "u": state({})}, "1.5.0"),
        ({"t": state(BASE, {"autre": "string"})}, {"t": state(BASE)}, "2.0.0"),
        ({"t": state(BASE)}, {"t": state(BASE, {"valeur": "string"})}, "2.0.0"),
        ({"t": state(BASE)}, {"t": state(BASE, key="valeur")}, "2.0.0"),
        ({"t": state(BASE), "u": state({})}, {"t": state(BASE)}, "2.0.0"),
    ],
)
def test_the_rule(old: dict[str, TableState], new: dict[str, TableState], version: str | None) -> None:
    assert next_version("1.4.5", release_difference(old, new)) == version


def test_a_first_release_is_1_0_0() -> None:
    assert next_version(None, release_difference({}, {"t": state(BASE)})) == "1.0.0"


def test_the_synthetic_mark_is_a_change() -> None:
    same = {"t": state(BASE)}
    assert next_version("1.0.0", release_difference(same, same, relabelled=True)) == "1.0.1"


@pytest.mark.parametrize("text", ["1.0", "v1.0.0", "01.0.0", "1.0.0-rc1", ".en-cours-1.0.0", "latest"])
def test_what_is_no_version(text: str) -> None:
    assert parse(text) is None


def test_each_changed_cell_is_told() -> None:
    old, new = state(BASE), state({"a": ("", "1.0.1"), "c": ("3", "1.0.1")})
    table = release_difference({"t": old}, {"t": new}).tables["t"]
    assert (new.key, keys(new, table.added), keys(old, table.removed)) == (("cle",), ["c"], ["b"])
    assert keys(new, table.changed) == ["a"]
    ((column, rows),) = table.cells.items()
    told = column, old.texts(column, table.before[rows]).to_pylist(), new.texts(column, rows).to_pylist()
    assert told == ("valeur", ["1"], [""])


ROWS = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.sampled_from(["", "1", "2"]), st.just("1.0.0")))


@given(old=ROWS, new=ROWS)
def test_the_difference_rebuilds_the_new_table(old: Rows, new: Rows) -> None:
    before, after = state(old), state(new)
    table = release_difference({"t": before}, {"t": after}).tables["t"]
    rebuilt: dict[str, Any] = {key: cells[0] for key, cells in old.items()}
    for key in keys(before, table.removed):
        del rebuilt[key]
    for column, rows in table.cells.items():
        was, now = before.texts(column, table.before[rows]).to_pylist(), after.texts(column, rows).to_pylist()
        for key, left, right in zip(keys(after, rows), was, now, strict=True):
            assert rebuilt[key] == left
            rebuilt[key] = right
    assert rebuilt.keys() | set(keys(after, table.added)) == new.keys()
    assert all(rebuilt[key] == new[key][0] for key in rebuilt)


@given(old=ROWS, new=ROWS)
def test_versions_only_go_up_and_say_what_moved(old: Rows, new: Rows) -> None:
    version = next_version("3.2.1", release_difference({"t": state(old)}, {"t": state(new)}))
    if old == new:
        assert version is None
    elif old.keys() == new.keys():
        assert version == "3.2.2"
    else:
        assert version == "3.3.0"
