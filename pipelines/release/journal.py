"""The journal of a release: every cell, row and column that differs from the release before, with its reason.

What is new as a whole (a table, a column, a table whose key changed) is one line, its values are in the table itself;
all the rest can be replayed: the journal applied to the old rows gives the new ones. Reasons are found in ``reasons``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from pipelines.release.canonical import printed
from pipelines.release.column_texts import escaped, joined
from pipelines.release.difference import (
    BETWEEN,
    VERSION_COLUMN,
    ReleaseDifference,
    Rows,
    TableDifference,
    TableState,
    places,
)
from pipelines.release.reasons import SCOPE, TELLING, Reason, Reasons
from pipelines.release.written_files import DATASET_ITSELF, FILES_THEMSELVES, HIDDEN, JOURNAL, KEY_ITSELF

FREE = "F"  # SDMX CONF_STATUS
RELABELLED = "La mention « données synthétiques » a été mise ou retirée."
_SECRECY = "statut_confidentialite"
JOURNAL_SCHEMA = pa.schema([(name, pa.string()) for name in JOURNAL.names])
_CHANGES = JOURNAL.names[:5]  # what changed; the others say why


def journal(
    difference: ReleaseDifference, old: Mapping[str, TableState], new: Mapping[str, TableState], reasons: Reasons
) -> pa.Table:
    """Return the lines of everything that differs, as texts in the columns of ``JOURNAL`` and in their order."""
    lines = list(_whole_lines(difference))
    blocks: list[pa.Table] = []
    for name, table in difference.tables.items():
        lines += _table_lines(table, old[name], new[name])
        blocks += _row_blocks(table, old[name], new[name], reasons)
    whole = pa.Table.from_pylist([dict(zip(JOURNAL.names, line, strict=True)) for line in lines], JOURNAL_SCHEMA)
    return pa.concat_tables([whole, *blocks]).sort_by([(name, "ascending") for name in JOURNAL.key])


def misled(
    difference: ReleaseDifference, old: Mapping[str, TableState], new: Mapping[str, TableState], written: pa.Table
) -> list[str]:
    """Return the tables that a journal, applied to the old rows, doesn't lead to; ``written``: as it was read."""
    wrong = []
    for name, table in difference.tables.items():
        blocks = list(_row_blocks(table, old[name], new[name], None))
        expected = pa.concat_tables([JOURNAL_SCHEMA.empty_table(), *blocks]).select(_CHANGES)
        expected = pa.table([printed(column) for column in expected.columns], names=_CHANGES)
        lines = written.filter(pc.and_(pc.equal(written["table"], name), pc.not_equal(written["cle"], "")))
        if not _ordered(expected).equals(_ordered(lines.select(_CHANGES))):
            wrong.append(name)
    return wrong


def _ordered(lines: pa.Table) -> pa.Table:
    return lines.sort_by([(name, "ascending") for name in JOURNAL.key]).combine_chunks()


def _whole_lines(difference: ReleaseDifference) -> Iterator[tuple[str, ...]]:
    for name in difference.tables_added:
        yield name, "", "", "", "", "ajout", "Table ajoutée."
    for name in difference.tables_removed:
        yield name, "", "", "", "", "retrait", "Table retirée."
    for one in difference.moved:
        yield one.table, "", FILES_THEMSELVES, one.before, one.after, "définition", one.why
    if difference.relabelled:
        yield DATASET_ITSELF, "", "synthetic", "", "", "révision", RELABELLED


def _table_lines(table: TableDifference, old: TableState, new: TableState) -> Iterator[tuple[str, ...]]:
    name = table.table
    for column in table.columns_added:
        yield name, "", column, "", new.types[column], "ajout", "Colonne ajoutée."
    for column in table.columns_removed:
        yield name, "", column, old.types[column], "", "retrait", "Colonne retirée."
    for column in table.columns_retyped:
        yield name, "", column, old.types[column], new.types[column], "définition", "Type de la colonne changé."
    if table.key_changed:
        keys = ", ".join(old.key), ", ".join(new.key)
        yield name, "", KEY_ITSELF, *keys, "définition", "Clé de la table changée."
    if table.redefined:
        yield name, "", "", "", "", "définition", _redefined(old, new)


def _redefined(old: TableState, new: TableState) -> str:
    """Name the columns whose texts or constraints changed, when that is what changed."""
    before = {column["name"]: column for column in old.schema["fields"]}
    after = {column["name"]: column for column in new.schema["fields"] if column["name"] in before}
    if changed := [name for name, column in after.items() if column != before[name]]:
        return f"Textes ou règles de colonnes changés : {', '.join(changed)}."
    return "Colonnes, ordre ou règles de la table changés."


def _row_blocks(
    table: TableDifference, old: TableState, new: TableState, reasons: Reasons | None
) -> Iterator[pa.Table]:
    """Yield the lines of rows added, of rows removed, and of the cells of each column that changed."""
    if table.key_changed:
        return
    for state, rows, nature, told in ((new, table.added, "ajout", "apres"), (old, table.removed, "retrait", "avant")):
        if len(rows):
            why = _why(reasons, table.table, state, rows, nature)
            yield _block(table.table, _keys(state, rows), why, {told: _rows_as_json(state, rows)})
    if len(changed := table.changed):
        keys, why = _keys(new, changed), _why_changed(reasons, table, old, new, changed)
        for column, rows in table.cells.items():
            at = pa.array(np.searchsorted(changed, rows))
            cells = {"avant": _before(table, old, new, column), "apres": new.texts(column, rows)}
            yield _block(table.table, keys.take(at), [texts.take(at) for texts in why], cells, column)


def _block(
    table: str, keys: pa.ChunkedArray, why: Sequence[pa.Array], cells: Mapping[str, pa.ChunkedArray], column: str = ""
) -> pa.Table:
    count = len(keys)
    constant = {"table": table, "colonne": column, "avant": "", "apres": ""}
    columns = {name: pa.repeat(pa.scalar(text, pa.string()), count) for name, text in constant.items()}
    columns |= {"cle": keys, "nature": why[0], "motif": why[1], **cells}
    return pa.table({name: columns[name] for name in JOURNAL.names})


def _before(table: TableDifference, old: TableState, new: TableState, column: str) -> pa.ChunkedArray:
    """Return the old cells; what is withheld from now on isn't said again: who told it can be withdrawn."""
    rows = table.cells[column]
    told = old.texts(column, table.before[rows])
    if _SECRECY not in new.types:
        return told
    hidden = pc.and_(pc.not_equal(new.texts(_SECRECY, rows), FREE), pc.equal(new.texts(column, rows), ""))
    return pc.if_else(hidden, HIDDEN, told)


def _keys(state: TableState, rows: Rows) -> pa.ChunkedArray:
    parts = [joined([escaped(state.texts(name, rows))], "", f'{json.dumps(name)}:"', '"') for name in state.key]
    return joined(parts, ",", "{", "}")


def _rows_as_json(state: TableState, rows: Rows) -> pa.ChunkedArray:
    """Return each row as a JSON object of its filled cells."""
    parts = []
    for name in state.types:
        if name != VERSION_COLUMN:
            texts = state.texts(name, rows)
            part = joined([escaped(texts)], "", f',{json.dumps(name, ensure_ascii=False)}:"', '"')
            parts.append(pc.if_else(pc.equal(texts, ""), "", part))
    return joined([pc.utf8_slice_codeunits(joined(parts, ""), 1)], "", "{", "}")


def _why(
    reasons: Reasons | None, table: str, state: TableState, rows: Rows, nature: str = ""
) -> tuple[pa.Array, pa.Array]:
    names = [name for name in SCOPE if name in state.types]
    if reasons is None or not names:
        reason = reasons.of(table, {}).named(nature) if reasons else Reason("", "")
        return pa.repeat(pa.scalar(reason.nature), len(rows)), pa.repeat(pa.scalar(reason.text), len(rows))

    def reason_of(cells: Sequence[str]) -> Reason:
        return reasons.of(table, dict(zip(names, cells, strict=True))).named(nature)

    return _each(state.keys(rows, names), reason_of)


def _why_changed(
    reasons: Reasons | None, table: TableDifference, old: TableState, new: TableState, rows: Rows
) -> tuple[pa.Array, pa.Array]:
    """Return the nature and the reason of each row that changed, found once for those alike in all that it follows."""
    if reasons is None:
        return _why(None, table.table, new, rows)
    names = [name for name in SCOPE if name in new.types]
    scope = [new.texts(name, rows) for name in names]
    nothing = pa.chunked_array([pa.repeat(pa.scalar(""), len(rows))])
    telling = []
    for name in TELLING:
        for state, at in ((old, table.before[rows]), (new, rows)):
            told = name in table.cells and name in state.types
            telling.append(state.texts(name, at) if told else nothing)
    which, sets = _columns_changed(table, rows)

    def reason_of(cells: Sequence[str]) -> Reason:
        *values, at = cells
        place, told = values[: len(names)], values[len(names) :]
        changes = dict.fromkeys(sets[int(at)], ("", ""))
        for number, name in enumerate(TELLING):
            if name in changes:
                changes[name] = (told[2 * number], told[2 * number + 1])
        return reasons.of(table.table, dict(zip(names, place, strict=True)), changes)

    return _each(joined([*scope, *telling, pc.cast(which, pa.string())], BETWEEN), reason_of)


def _columns_changed(table: TableDifference, rows: Rows) -> tuple[pa.ChunkedArray, list[list[str]]]:
    """Return, for each row that changed, which set of columns did; and the sets."""
    columns = list(table.cells)
    touched = np.stack([np.isin(rows, table.cells[name], assume_unique=True) for name in columns], axis=1)
    sets, at = np.unique(touched, axis=0, return_inverse=True)
    named = [[name for name, moved in zip(columns, marks, strict=True) if moved] for marks in sets]
    return pa.chunked_array([at.reshape(-1)]), named


def _each(places_of_rows: pa.ChunkedArray, reason: Callable[[Sequence[str]], Reason]) -> tuple[pa.Array, pa.Array]:
    """Return the nature and the text of the reason of each row, asked once for each different text."""
    values = pc.unique(places_of_rows)
    reasons = [reason(text.split(BETWEEN)) for text in values.to_pylist()]
    at = pa.array(places(places_of_rows, values))
    natures, texts = ([getattr(why, name) for why in reasons] for name in ("nature", "text"))
    return pa.array(natures, pa.string()).take(at), pa.array(texts, pa.string()).take(at)
