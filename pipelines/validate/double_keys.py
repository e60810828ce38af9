"""Rows of an export that give twice what is expected once: one key in two files, two values for one place.

None of them is kept, since nothing says which is right; files that share most keys are a question to their producer.
Of two files without a key, rows and names say whether they are parts, or an earlier and a corrected version.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipelines.mechanics.french import counted, rows_text
from pipelines.mechanics.spelling import unaccented
from pipelines.validate.export_parts import frame, is_missing
from pipelines.validate.findings import Finding
from pipelines.validate.rows_as_cells import rewritten, written, written_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pipelines.declarations import Export
    from pipelines.declarations.base import Scalar
    from pipelines.validate.export_parts import Whole

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


MOST_FILES = 40  # compared two by two: more are parts
_ALIKE = 0.5  # of the rows of the smaller file
_SURE = math.log(1e7)  # one chance out of ten million that two parts look like versions
_SINGLE_BY_CHANCE = 0.37  # of the rows that are the only ones of their kind, at most (Poisson: x·exp(-x))
_VERSION = re.compile(
    r"[\s_.-]*\(?\b(corrig\w*|correction\w*|rectif\w*|version|definiti\w*|final\w*|nouve\w*|new|old|ancien\w*|copie|copy"
    r"|modifi\w*|maj|mis a jour|v\d+)\b\)?"
)


def versions(names: Sequence[str], frames: Sequence[pd.DataFrame]) -> str:
    """Return the question that two versions side by side raise, in French, or nothing.

    ``frames`` have the row number in the file (``_ligne``) and the fields.
    """
    if len(names) > MOST_FILES:
        return ""
    hashed = [_hashes(frame) for frame in frames]
    for first, second in combinations(range(len(names)), 2):
        same = _alike(hashed[first], hashed[second])
        if same is None and not _are_versions(names[first], names[second]):
            continue
        told = ""
        if same is not None and len(same):
            one, other = frames[first]["_ligne"].iloc[same[:, 0]], frames[second]["_ligne"].iloc[same[:, 1]]
            told = (
                f" : {len(same)} lignes y sont les mêmes (lignes {one.min()} à {one.max()} du premier, {other.min()} à "
                f"{other.max()} du second)"
            )
        return (
            f"« {names[first]} » et « {names[second]} » semblent être deux versions du même export{told}. Retirez du "
            "dossier le fichier qui n'est plus le bon, ou donnez à l'un un nom qui dit que c'en est une partie."
        )
    return ""


def _hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    fields = frame.drop(columns="_ligne").astype("string").fillna("\0")
    return np.asarray(pd.util.hash_pandas_object(fields, index=False), np.uint64)


def _alike(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64] | None:
    """Return the places of the rows that two files share when they share too many for parts, else None.

    Rows at the same place, or rows that are the only ones of their kind in both files; each beyond what chance gives
    where the answers to choose from are few.
    """
    size = min(len(one), len(other))
    at_same = np.flatnonzero(one[:size] == other[:size])
    if len(at_same) >= _ALIKE * size and _is_no_chance(len(at_same), size, _chance(one, other)):
        return np.stack([at_same, at_same], axis=1)
    kinds, firsts = _single(one)
    others, seconds = _single(other)
    shared, left, right = np.intersect1d(kinds, others, assume_unique=True, return_indices=True)
    if len(shared) >= _ALIKE * size and _is_no_chance(len(shared), min(len(kinds), len(others)), _SINGLE_BY_CHANCE):
        return np.stack([firsts[left], seconds[right]], axis=1)
    return None


def _is_no_chance(found: int, size: int, chance: float) -> bool:
    """Tell whether so many of ``size`` are more than chance gives (Chernoff's bound of the binomial tail)."""
    if not size or found <= chance * size:
        return False
    share = found / size
    rest = (1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return size * (share * math.log(share / max(chance, 1e-12)) + rest) >= _SURE


def _chance(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Return the probability that two rows taken by chance, one of each file, are the same."""
    if not len(one) or not len(other):
        return 0.0
    (kinds, counts), (others, more) = np.unique(one, return_counts=True), np.unique(other, return_counts=True)
    _, left, right = np.intersect1d(kinds, others, assume_unique=True, return_indices=True)
    return float((counts[left] / len(one) * (more[right] / len(other))).sum())


def _single(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    kinds, places, counts = np.unique(hashes, return_index=True, return_counts=True)
    return kinds[counts == 1], places[counts == 1]


def _are_versions(one: str, other: str) -> bool:
    """Tell whether two names say so: the same one, but for « corrigé », « v2 », « ancien »… in one of them."""
    plain = [_plain(PurePosixPath(name).stem) for name in (one, other)]
    return plain[0] != plain[1] and _VERSION.sub("", plain[0]) == _VERSION.sub("", plain[1])


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", unaccented(text))
