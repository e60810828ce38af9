"""Rows of an export that give twice what is expected once: one key in two files, two values for one place.

None of them is kept, since nothing says which is right; files that share most keys are a question to their producer.
"""

from __future__ import annotations

import math
import re
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.mechanics.french import counted, rows_text
from pipelines.mechanics.spelling import unaccented
from pipelines.validate.distinct_rows import distinct, hash_rows, numbered, repeated
from pipelines.validate.export_parts import RANK, rewritten, written, written_rows
from pipelines.validate.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipelines.declarations import Export
    from pipelines.declarations.strict_model import Scalar
    from pipelines.validate.export_parts import Where, Whole

    Hashes = NDArray[np.uint64]

_PLACE = ["_periode", "_maille", "_territoire", "_structure"]
_SHARED = 0.5  # of the keys of the smaller file: beyond, two files are two versions rather than parts
_POSITION = re.compile(r"comme à la ligne (\d+)")


def compare_files(whole: Whole) -> None:
    """Refuse the rows whose key is in several files, or ask which of two versions is the right one."""
    export, held = whole.export, whole.parts[0].table.schema.names
    columns = [column for name in export.key for column in _compared_by(export, name)]
    if columns and set(columns) <= set(held):
        rows = whole.table([RANK, "_ligne", "_annee", *columns, *export.key])
        keys = numbered([rows.column(name) for name in columns], rows.num_rows)
        whole.question = _question(whole.names, rows, keys)
        if not whole.question:
            _refuse_across(whole, rows, keys)
    elif export.kind != "values":
        fields = ["_ligne", *(name for name in held if not name.startswith("_"))]
        whole.question = versions(whole.names, [part.rows(fields) for part in whole.parts])


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
        whole.refuse(file, Finding("primary-key", told, row=row, column=item.column, value=item.value, year=year))
        whole.companions += 1


def refuse_double_values(whole: Whole) -> None:
    """Refuse the rows that give an indicator two values for one place and period."""
    conditions = [name for where in whole.expected.alone for name, _ in where]
    rows = whole.table([RANK, "_ligne", "_annee", *_PLACE, "_structure_nom", *conditions])
    export = whole.export
    place_field = export.structure.code if export.structure else export.territory.field if export.territory else ""
    column = whole.label(place_field)
    for where in whole.expected.alone:
        kept = rows.filter(pa.array(_kept(rows, where)))
        for places in repeated(numbered([kept.column(name) for name in _PLACE], kept.num_rows)):
            group = kept.take(places).to_pylist()
            new = [row for row in group if row["_ligne"] not in whole.refused[row[RANK]]]
            told, value = _two_values(whole, group)
            for row in new:
                finding = Finding("valeur-en-double", told, row=row["_ligne"], column=column, value=value,
                                  year=group[0]["_annee"])  # fmt: skip
                whole.refuse(row[RANK], finding)
            whole.companions += max(0, len(new) - 1)


def _compared_by(export: Export, name: str) -> list[str]:
    """Return what a part of the key is compared by: a place by its coordinates, however it is written."""
    if export.territory and name == export.territory.field:
        return ["_maille", "_territoire"]
    return [name]


def _question(names: list[str], rows: pa.Table, keys: NDArray[np.int64]) -> str:
    """Ask which of two files is right when most keys of the smaller are in the other too."""
    files, lines = rows.column(RANK).to_numpy(), rows.column("_ligne").to_numpy()
    for first, second in combinations(range(len(names)), 2):
        one, other = files == first, files == second
        shared = np.intersect1d(keys[one], keys[other])
        if len(shared) and len(shared) >= _SHARED * min(one.sum(), other.sum()):
            told, again = (
                rows_text(np.sort(lines[of & np.isin(keys, shared)]).tolist(), len(shared)) for of in (one, other)
            )
            return (
                f"« {names[first]} » et « {names[second]} » semblent être deux versions du même export : "
                f"{counted(len(shared), 'clé')} y figurent deux fois ({told} du premier ; {again} du second). "
                "Retirez du dossier le fichier qui n'est plus le bon."
            )
    return ""


def _refuse_across(whole: Whole, rows: pa.Table, keys: NDArray[np.int64]) -> None:
    export = whole.export
    label = ", ".join(map(whole.label, export.key))
    for places in repeated(keys):
        group = rows.take(places).to_pylist()
        if len({row[RANK] for row in group}) < 2:
            continue
        value = ", ".join(written(group[0][name], {}) for name in export.key)
        for row in group:
            others = whole.places(other for other in group if other is not row)
            told = f"Cette clé figure aussi dans {others} ; aucune de ces lignes n'est retenue."
            finding = Finding(
                "cle-dans-deux-fichiers", told, row=row["_ligne"], column=label, value=value, year=row["_annee"]
            )  # fmt: skip
            whole.refuse(row[RANK], finding)
        whole.companions += len(group) - 1


def _two_values(whole: Whole, group: list[dict[str, Any]]) -> tuple[str, str]:
    period, _, territory, structure = (group[0][name] for name in _PLACE)
    code = structure or territory or ""
    name = next((row["_structure_nom"] for row in group if row["_structure_nom"] is not None), None)
    shown = f"« {code} »" + (f" ({name})" if structure and name is not None else "")
    if len({row[RANK] for row in group}) == 1:
        lines = rows_text(sorted(row["_ligne"] for row in group), len(group))
    else:
        lines = whole.places(group)
    return f"{shown} a {counted(len(group), 'valeur')} pour {period} ({lines}) ; aucune n'est retenue.", code


def _kept(rows: pa.Table, where: Where) -> NDArray[np.bool_]:
    """Tell which rows meet all the conditions of a feed."""
    kept = np.ones(rows.num_rows, np.bool_)
    for name, wanted in where:
        values, places = distinct(rows.column(name))
        kept &= np.array([_is_one_of(value, wanted) for value in values], np.bool_)[places]
    return kept


def _is_one_of(value: Any, wanted: Iterable[Scalar]) -> bool:
    return any(value == item or written(value, {}) == str(item) for item in wanted)


# Whether two files of an export without a key are parts of it, or an earlier and a corrected version.

MOST_FILES = 40  # compared two by two: more are parts
_ALIKE = 0.5  # of the rows of the smaller file
_SURE = math.log(1e7)  # one chance out of ten million that two parts look like versions
_SINGLE_BY_CHANCE = 0.37  # of the rows that are the only ones of their kind, at most (Poisson: x·exp(-x))
_VERSION = re.compile(
    r"[\s_.-]*\(?\b(corrig\w*|correction\w*|rectif\w*|version|definiti\w*|final\w*|nouve\w*|new|old|ancien\w*|copie|copy"
    r"|modifi\w*|maj|mis a jour|v\d+)\b\)?"
)


def versions(names: Sequence[str], tables: Sequence[pa.Table]) -> str:
    """Return the question that two versions side by side raise, in French, or nothing.

    ``tables`` have the row number in the file (``_ligne``) and the fields.
    """
    if len(names) > MOST_FILES:
        return ""
    hashes = [hash_rows(table.drop_columns("_ligne").columns) for table in tables]
    for first, second in combinations(range(len(names)), 2):
        same = _alike(hashes[first], hashes[second])
        if same is None and not _are_versions(names[first], names[second]):
            continue
        told = ""
        if same is not None and len(same[0]):
            one, other = (_span(tables[file], places) for file, places in zip((first, second), same, strict=True))
            told = f" : {len(same[0])} lignes y sont les mêmes (lignes {one} du premier, {other} du second)"
        return (
            f"« {names[first]} » et « {names[second]} » semblent être deux versions du même export{told}. Retirez du "
            "dossier le fichier qui n'est plus le bon, ou donnez à l'un un nom qui dit que c'en est une partie."
        )
    return ""


def _span(table: pa.Table, places: NDArray[np.int64]) -> str:
    ends = pc.min_max(table.column("_ligne").take(places)).as_py()
    return f"{ends['min']} à {ends['max']}"


def _alike(one: Hashes, other: Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the places of the rows that two files share when they share too many for parts, else None.

    Rows at the same place, or rows that are the only ones of their kind in both files; each beyond what chance gives
    where the answers to choose from are few.
    """
    size = min(len(one), len(other))
    at_same = np.flatnonzero(one[:size] == other[:size])
    if len(at_same) >= _ALIKE * size and _is_no_chance(len(at_same), size, _chance(one, other)):
        return at_same, at_same
    kinds, firsts = _single(one)
    others, seconds = _single(other)
    shared, left, right = np.intersect1d(kinds, others, assume_unique=True, return_indices=True)
    if len(shared) >= _ALIKE * size and _is_no_chance(len(shared), min(len(kinds), len(others)), _SINGLE_BY_CHANCE):
        return firsts[left], seconds[right]
    return None


def _is_no_chance(found: int, size: int, chance: float) -> bool:
    """Tell whether so many of ``size`` are more than chance gives (Chernoff's bound of the binomial tail)."""
    if not size or found <= chance * size:
        return False
    share = found / size
    rest = (1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return size * (share * math.log(share / max(chance, 1e-12)) + rest) >= _SURE


def _chance(one: Hashes, other: Hashes) -> float:
    """Return the probability that two rows taken by chance, one of each file, are the same."""
    if not len(one) or not len(other):
        return 0.0
    (kinds, counts), (others, more) = np.unique(one, return_counts=True), np.unique(other, return_counts=True)
    _, left, right = np.intersect1d(kinds, others, assume_unique=True, return_indices=True)
    return float((counts[left] / len(one) * (more[right] / len(other))).sum())


def _single(hashes: Hashes) -> tuple[Hashes, NDArray[np.int64]]:
    kinds, places, counts = np.unique(hashes, return_index=True, return_counts=True)
    return kinds[counts == 1], places[counts == 1]


def _are_versions(one: str, other: str) -> bool:
    """Tell whether two names say so: the same one, but for « corrigé », « v2 », « ancien »… in one of them."""
    plain = [_plain(PurePosixPath(name).stem) for name in (one, other)]
    return plain[0] != plain[1] and _VERSION.sub("", plain[0]) == _VERSION.sub("", plain[1])


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", unaccented(text))
