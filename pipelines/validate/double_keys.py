"""Rows of an export that give twice what is expected once: one key in two files, two values for one place.

None of them is kept, since nothing says which is right; files that share most keys are a question to their producer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.mechanics.french import counted, rows_text
from pipelines.validate.findings import Finding
from pipelines.validate.parts import frame, is_missing
from pipelines.validate.rows_as_cells import rewritten, written, written_rows
from pipelines.validate.versions import versions

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.declarations import Export
    from pipelines.declarations.base import Scalar
    from pipelines.validate.parts import Whole

_PLACE = ["_periode", "_maille", "_territoire", "_structure"]
_SHARED = 0.5  # of the keys of the smaller file: beyond, two files are two versions rather than parts
_POSITION = re.compile(r"comme à la ligne (\d+)")


@dataclass(frozen=True)
class _Key:
    """The declared key: the columns that it is compared by, the fields that it is made of, and their labels."""

    columns: list[str]
    names: list[str]
    label: str


def compare_files(whole: Whole) -> None:
    """Refuse the rows whose key is in several files, or ask which of two versions is the right one."""
    export, held = whole.export, whole.parts[0].table.schema.names
    columns = [column for name in export.key for column in _compared_by(export, name)]
    if columns and set(columns) <= set(held):
        key = _Key(columns, list(export.key), ", ".join(map(whole.label, export.key)))
        rows = whole.rows(["_ligne", "_annee", *key.columns, *key.names])
        whole.question = _question(whole.names, rows, key.columns)
        if not whole.question:
            _refuse_across(whole, rows, key)
    elif export.kind != "values":
        fields = ["_ligne", *(name for name in held if not name.startswith("_"))]
        whole.question = versions(whole.names, [frame(part.table, fields) for part in whole.parts])


def refuse_companions(whole: Whole, file: int) -> None:
    """Refuse the row that another one was refused for, where a place has one row a period, unless both say the same."""
    part, export, layout = whole.parts[file], whole.export, whole.expected.layout
    again: dict[int, Finding] = {}
    for item in part.findings:
        if item.rule == "primary-key" and item.row and (match := _POSITION.search(item.message)):
            again.setdefault(int(match[1]), item)
    refused = {row.number: row.cells for row in part.refused_rows}
    for row, year, cells in written_rows(part, again, export, layout) if again else ():
        item = again[row]
        if item.row is None or cells == rewritten(refused.get(item.row, ()), part, export, layout):
            continue
        told = f"Cette clé figure aussi à la ligne {item.row}, avec d'autres valeurs ; aucune des deux n'est retenue."
        whole.refuse(file, row, Finding("primary-key", told, row=row, column=item.column, value=item.value, year=year))
        whole.companions += 1


def refuse_double_values(whole: Whole) -> None:
    """Refuse the rows that give an indicator two values for one place and period."""
    conditions = [name for where in whole.expected.alone for name, _ in where]
    rows = whole.rows(["_ligne", "_annee", *_PLACE, "_structure_nom", *conditions])
    export = whole.export
    place_field = export.structure.code if export.structure else export.territory.field if export.territory else ""
    column = whole.label(place_field)
    for where in whole.expected.alone:
        kept = rows
        for name, values in where:
            kept = kept.loc[np.array([_is_one_of(value, values) for value in kept[name]], np.bool_)]
        for place, group in kept.loc[kept.duplicated(_PLACE, keep=False)].groupby(_PLACE, dropna=False, sort=False):
            places = zip(group["_fichier"], group["_ligne"], strict=True)
            new = [(file, row) for file, row in places if row not in whole.refused[file]]
            told, value = _two_values(whole, group, place)
            year = int(group["_annee"].iloc[0])
            for file, row in new:
                finding = Finding("valeur-en-double", told, row=row, column=column, value=value, year=year)
                whole.refuse(file, row, finding)
            whole.companions += max(0, len(new) - 1)


def _compared_by(export: Export, name: str) -> list[str]:
    """Return what a part of the key is compared by: a place by its coordinates, however it is written."""
    if export.territory and name == export.territory.field:
        return ["_maille", "_territoire"]
    return [name]


def _question(names: list[str], rows: pd.DataFrame, columns: list[str]) -> str:
    """Ask which of two files is right when most keys of the smaller are in the other too."""
    for first, second in combinations(range(len(names)), 2):
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


def _refuse_across(whole: Whole, rows: pd.DataFrame, key: _Key) -> None:
    twice = rows[rows.duplicated(key.columns, keep=False)]
    for _, group in twice.groupby(key.columns, dropna=False, sort=False):
        if group["_fichier"].nunique() < 2:
            continue
        places = list(zip(group["_fichier"], group["_ligne"], strict=True))
        value = ", ".join(written(item, {}) for item in group.iloc[0][key.names])
        for place, year in zip(places, group["_annee"], strict=True):
            others = whole.places(other for other in places if other != place)
            told = f"Cette clé figure aussi dans {others} ; aucune de ces lignes n'est retenue."
            finding = Finding(
                "cle-dans-deux-fichiers", told, row=place[1], column=key.label, value=value, year=year
            )  # fmt: skip
            whole.refuse(*place, finding)
        whole.companions += len(places) - 1


def _two_values(whole: Whole, group: pd.DataFrame, place: tuple[Any, ...]) -> tuple[str, str]:
    period, _, territory, structure = (None if is_missing(item) else str(item) for item in place)
    code, name = structure or territory or "", group["_structure_nom"].dropna()
    shown = f"« {code} »" + (f" ({name.iloc[0]})" if structure and len(name) else "")
    if group["_fichier"].nunique() == 1:
        lines = rows_text(tuple(sorted(group["_ligne"])), len(group))
    else:
        lines = whole.places(zip(group["_fichier"], group["_ligne"], strict=True))
    return f"{shown} a {counted(len(group), 'valeur')} pour {period} ({lines}) ; aucune n'est retenue.", code


def _is_one_of(value: Any, wanted: tuple[Scalar, ...]) -> bool:
    return any(value == item or written(value, {}) == str(item) for item in wanted)
