"""The journal of a release: every cell, row and column that differs from the release before, with its reason.

What is new as a whole (a table, a column, a table whose key changed) is one line, its values are in the table itself;
all the rest can be replayed: the journal applied to the old rows gives the new ones. Reasons are found in ``reasons``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from pipelines.release.companions import DATASET_ITSELF, HIDDEN, JOURNAL, KEY_ITSELF
from pipelines.release.difference import VERSION_COLUMN, Key, ReleaseDifference, TableDifference, TableState
from pipelines.release.errors import DamagedReleaseError
from pipelines.release.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.release.reasons import Reasons


FREE = "F"  # SDMX CONF_STATUS


@dataclass(frozen=True)
class Line:
    """One line of the journal; an empty text is nothing."""

    table: str
    key: str
    column: str
    before: str
    after: str
    reason: Reason


def journal(
    difference: ReleaseDifference, old: Mapping[str, TableState], new: Mapping[str, TableState], reasons: Reasons
) -> list[Line]:
    """Return the lines of everything that differs, in the order of the journal's key."""
    lines = [Line(name, "", "", "", "", Reason("ajout", "Table ajoutée.")) for name in difference.tables_added]
    lines += [Line(name, "", "", "", "", Reason("retrait", "Table retirée.")) for name in difference.tables_removed]
    if difference.relabelled:
        lines.append(Line(DATASET_ITSELF, "", "synthetic", "", "", Reason("révision", RELABELLED)))
    for name, table in difference.tables.items():
        lines += _table_lines(table, old[name], new[name])
        if not table.key_changed:
            lines += _row_lines(table, old[name], new[name], reasons)
    return sorted(lines, key=lambda line: (line.table, line.key, line.column))


RELABELLED = "La mention « données synthétiques » a été mise ou retirée."


def journal_frame(lines: Iterable[Line]) -> pd.DataFrame:
    """Return the journal with the columns of ``JOURNAL``."""
    rows = [
        (line.table, line.key, line.column, line.before, line.after, line.reason.nature, line.reason.text)
        for line in lines
    ]
    return pd.DataFrame(rows, columns=JOURNAL.names, dtype="object")


def read_journal(rows: Iterable[tuple[str, ...]]) -> list[Line]:
    """Return the lines of a journal from the canonical texts of its rows."""
    return [
        Line(table, key, column, before, after, Reason(nature, text))
        for table, key, column, before, after, nature, text in rows
    ]


def replay(old: Mapping[str, TableState], lines: Iterable[Line]) -> dict[str, dict[Key, dict[str, str]]]:
    """Return the rows that the journal makes of the old tables, by key, without the column of versions.

    Added columns and tables, whose values the journal doesn't hold, are left out, and so are removed ones and tables
    whose key changed. Raises DamagedReleaseError when a line doesn't speak of what is
    there.
    """
    lines = list(lines)
    gone = {(line.table, line.column) for line in lines if not line.key and line.reason.nature == "retrait"}
    gone |= {(line.table, "") for line in lines if line.column == KEY_ITSELF}
    kept = {
        name: [column for column in state.types if column != VERSION_COLUMN and (name, column) not in gone]
        for name, state in old.items()
        if (name, "") not in gone
    }
    tables = {name: common_rows(old[name], columns) for name, columns in kept.items()}
    for line in lines:
        if not line.key or line.table not in tables:
            continue
        rows, key = tables[line.table], tuple(_object(line.key, line).values())
        if line.column:
            _expect(key in rows and line.before in (rows[key].get(line.column), HIDDEN), line)
            rows[key][line.column] = line.after
        elif line.after:
            _expect(key not in rows, line)
            rows[key] = _filled(_object(line.after, line), kept[line.table])
        else:
            _expect(rows.pop(key, None) == _filled(_object(line.before, line), kept[line.table]), line)
    return tables


def common_rows(state: TableState, columns: Iterable[str]) -> dict[Key, dict[str, str]]:
    """Return the rows of a table by key, with those columns alone: what ``replay`` is compared with."""
    wanted = set(columns)
    return {key: {name: cell for name, cell in row.items() if name in wanted} for key, row in _rows(state).items()}


def _rows(state: TableState) -> dict[Key, dict[str, str]]:
    names = list(state.types)
    return {
        key: {name: cell for name, cell in zip(names, row, strict=True) if name != VERSION_COLUMN}
        for key, row in state.by_key().items()
    }


def _expect(holds: bool, line: Line) -> None:
    if not holds:
        raise DamagedReleaseError(
            f"journal : {line.table} {line.key} {line.column} ne part pas de la version précédente"
        )


def _object(text: str, line: Line) -> dict[str, str]:
    """Return the cells that a JSON of the journal tells by column."""
    try:
        cells = json.loads(text)
    except (ValueError, RecursionError):
        cells = None
    if not isinstance(cells, dict) or not all(isinstance(cell, str) for cell in cells.values()):
        raise DamagedReleaseError(f"journal : une ligne de {line.table} ne dit plus sa clé ou ses cellules en JSON")
    return cells


def _filled(cells: Mapping[str, str], columns: Iterable[str]) -> dict[str, str]:
    """Return the whole row of which those cells are filled."""
    return {name: cells.get(name, "") for name in columns}


def _table_lines(table: TableDifference, old: TableState, new: TableState) -> Iterator[Line]:
    name = table.table
    for column in table.columns_added:
        yield Line(name, "", column, "", new.types[column], Reason("ajout", "Colonne ajoutée."))
    for column in table.columns_removed:
        yield Line(name, "", column, old.types[column], "", Reason("retrait", "Colonne retirée."))
    for column in table.columns_retyped:
        reason = Reason("définition", "Type de la colonne changé.")
        yield Line(name, "", column, old.types[column], new.types[column], reason)
    if table.key_changed:
        reason = Reason("définition", "Clé de la table changée.")
        yield Line(name, "", KEY_ITSELF, ", ".join(old.key), ", ".join(new.key), reason)
    if table.redefined:
        yield Line(name, "", "", "", "", Reason("définition", _redefined(old, new)))


def _redefined(old: TableState, new: TableState) -> str:
    """Name the columns whose texts or constraints changed, when that is what changed."""
    before = {item["name"]: item for item in old.schema["fields"]}
    changed = [item["name"] for item in new.schema["fields"] if item["name"] in before and item != before[item["name"]]]
    if changed:
        return f"Textes ou règles de colonnes changés : {', '.join(changed)}."
    return "Colonnes, ordre ou règles de la table changés."


def _row_lines(table: TableDifference, old: TableState, new: TableState, reasons: Reasons) -> Iterator[Line]:
    before, after = _rows(old), _rows(new)
    for key in table.rows_added:
        reason = reasons.of(table.table, after[key])
        yield Line(table.table, _key(table.key, key), "", "", _json(after[key]), reason.named("ajout"))
    for key in table.rows_removed:
        reason = reasons.of(table.table, before[key])
        yield Line(table.table, _key(table.key, key), "", _json(before[key]), "", reason.named("retrait"))
    for change in table.rows_changed:
        reason = reasons.of(table.table, after[change.key], {cell.column: cell for cell in change.cells})
        text = _key(table.key, change.key)
        secret = after[change.key].get("statut_confidentialite", FREE) != FREE
        for cell in change.cells:
            # What is withheld from now on is not said again here; the release that told it can be withdrawn.
            told = HIDDEN if secret and not cell.after else cell.before
            yield Line(table.table, text, cell.column, told, cell.after, reason)


def _key(names: Iterable[str], key: Key) -> str:
    return json.dumps(dict(zip(names, key, strict=True)), ensure_ascii=False, separators=(",", ":"))


def _json(row: Mapping[str, str]) -> str:
    filled = {name: cell for name, cell in row.items() if cell}
    return json.dumps(filled, ensure_ascii=False, separators=(",", ":"))
