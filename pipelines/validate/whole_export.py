"""An export judged whole: the rows of all its files of a year together, each of which was judged alone before.

What comes twice and is expected once is found here (a key in two files, two values for one place: none is kept, since
nothing says which is right), and versions side by side, which are a question to their producer; totals and example rows
are ``rows_not_data``'s. Cells are not judged again.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.compile.expected_cells import example_rows
from pipelines.mechanics.french import counted, rows_text
from pipelines.mechanics.spelling import unaccented
from pipelines.validate.coordinates import place_fields
from pipelines.validate.equivalent_keys import OfficeCodes
from pipelines.validate.export_parts import RANK, Expected, Part, Whole, written
from pipelines.validate.findings import Finding
from pipelines.validate.rows_not_data import examples_left, totals_left
from pipelines.validate.typed_rows import hash_rows, mask_of, numbered, repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipelines.declarations import Catalogue, Export, Layout
    from pipelines.declarations.strict_model import Scalar
    from pipelines.tabular.hashes import Hashes

MOST_ROWS = 300_000  # looked at for totals and examples: no table of places is larger
_PLACE = ["_periode", "_maille", "_territoire", "_structure"]
_SHARED = 0.5  # of the keys of the smaller file: beyond, two files are two versions rather than parts
_POSITION = re.compile(r"comme à la ligne (\d+)")


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
    whole = Whole(export, parts, expected)
    if len(parts) > 1:
        _compare_files(whole)
        _refuse_other_writings(whole)
    if _is_alone(export):
        for rank in range(len(parts)):
            _refuse_companions(whole, rank)
    if expected.alone and parts:
        _refuse_double_values(whole)
    if 0 < sum(part.table.num_rows for part in parts) <= MOST_ROWS:
        _left_rows(whole)
    return whole


def _is_alone(export: Export) -> bool:
    """Whether the declared key says that a place has one row a period: it is made of places and periods alone."""
    structure, territory = export.structure, export.territory
    places = {structure.code if structure else None, territory.field if territory else None} - {None}
    return bool(places & set(export.key)) and set(export.key) <= {*places, export.period.field, export.level.field}


def _compare_files(whole: Whole) -> None:
    """Refuse the rows whose key is in several files, or ask which of two versions is the right one."""
    export, names = whole.export, whole.parts[0].table.schema.names
    columns: list[str] = []
    for name in export.key:  # a place is compared by its coordinates, however it is written
        is_place = export.territory is not None and name == export.territory.field
        columns += ["_maille", "_territoire"] if is_place else [name]
    if columns and set(columns) <= set(names):
        rows = whole.table([RANK, "_ligne", "_annee", *columns, *export.key])
        keys = numbered([rows.column(name) for name in columns], rows.num_rows)
        whole.question = _question(whole.names, rows, keys)
        if not whole.question:
            _refuse_across(whole, rows, keys)
    elif export.kind != "values":
        fields = ["_ligne", *(name for name in names if not name.startswith("_"))]
        whole.question = _versions(whole.names, [part.rows(fields) for part in whole.parts])


def _question(names: list[str], rows: pa.Table, keys: NDArray[np.int64]) -> str:
    """Ask which of two files is right when most keys of the smaller are in the other too."""
    files, lines = rows.column(RANK).to_numpy(), rows.column("_ligne").to_numpy()
    for first, second in combinations(range(len(names)), 2):
        one, other = files == first, files == second
        shared = np.intersect1d(keys[one], keys[other])
        if len(shared) and len(shared) >= _SHARED * min(one.sum(), other.sum()):
            one_rows, other_rows = (
                rows_text(np.sort(lines[of & np.isin(keys, shared)]).tolist(), len(shared)) for of in (one, other)
            )
            return (
                f"« {names[first]} » et « {names[second]} » semblent être deux versions du même export : "
                f"{counted(len(shared), 'clé')} y figurent deux fois ({one_rows} du premier ; {other_rows} du second). "
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
            message = f"Cette clé figure aussi dans {others} ; aucune de ces lignes n'est retenue."
            finding = Finding(
                "cle-dans-deux-fichiers", message, row=row["_ligne"], column=label, value=value, year=row["_annee"]
            )
            whole.refuse(row[RANK], finding)
        whole.companions += len(group) - 1


def _refuse_other_writings(whole: Whole) -> None:
    """Refuse the rows whose office is written otherwise in most rows of the other files."""
    structure = whole.export.structure
    offices = OfficeCodes(whole.label(structure.code) if structure else "")
    for part in whole.parts:
        for batch in part.table.batches(["_structure"]):
            offices.note(pa.Table.from_batches([batch]))
    for index, part in enumerate(whole.parts):
        for row, finding, year in offices.found(part.table):
            whole.refuse(index, replace(finding, row=row, year=year))


def _refuse_companions(whole: Whole, file: int) -> None:
    """Refuse the row that another one was refused for, where a place has one row a period, unless both say the same."""
    part = whole.parts[file]
    again: dict[int, Finding] = {}
    for item in part.findings:
        if item.rule == "primary-key" and item.row and (match := _POSITION.search(item.message)):
            again.setdefault(int(match[1]), item)
    refused = {row.number: row.cells for row in part.refused_rows}
    for row, year, cells in part.written_rows(again) if again else ():
        item = again[row]
        if item.row is None or cells == part.rewritten(refused.get(item.row, ())):
            continue
        message = (
            f"Cette clé figure aussi à la ligne {item.row}, avec d'autres valeurs ; aucune des deux n'est retenue."
        )
        whole.refuse(file, Finding("primary-key", message, row=row, column=item.column, value=item.value, year=year))
        whole.companions += 1


def _refuse_double_values(whole: Whole) -> None:
    """Refuse the rows that give an indicator two values for one place and period."""
    conditions = [name for where in whole.expected.alone for name, _ in where]
    rows = whole.table([RANK, "_ligne", "_annee", *_PLACE, "_structure_nom", *conditions])
    column = whole.label(next(iter(place_fields(whole.export)), ""))
    for where in whole.expected.alone:
        meets = np.ones(rows.num_rows, np.bool_)
        for name, wanted in where:
            meets &= mask_of(rows.column(name), partial(_is_one_of, wanted))
        concerned = rows.filter(pa.array(meets))
        for places in repeated(numbered([concerned.column(name) for name in _PLACE], concerned.num_rows)):
            group = concerned.take(places).to_pylist()
            new = [row for row in group if row["_ligne"] not in whole.refused[row[RANK]]]
            message, code = _two_values(whole, group)
            for row in new:
                finding = Finding(
                    "valeur-en-double", message, row=row["_ligne"], column=column, value=code, year=group[0]["_annee"]
                )
                whole.refuse(row[RANK], finding)
            whole.companions += max(0, len(new) - 1)


def _is_one_of(wanted: Sequence[Scalar], value: Any) -> bool:
    return value in wanted or written(value, {}) in map(str, wanted)


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


def _left_rows(whole: Whole) -> None:
    """Find totals and examples among the rows that stand."""
    export, layout = whole.export, whole.expected.layout
    rows = _standing(whole)
    totals = totals_left(rows, export, layout)
    for place, item in [*totals, *examples_left(rows, export, layout, whole.expected.examples)]:
        file, row, year = (rows.column(name)[place].as_py() for name in (RANK, "_ligne", "_annee"))
        finding = replace(item, row=row, year=year)
        if item.severity == "erreur":
            whole.refuse(file, finding)
        elif row not in whole.refused[file]:
            whole.told[file].append(finding)


def _standing(whole: Whole) -> pa.Table:
    """Return the accepted rows that nothing set aside."""
    rows = whole.table(whole.parts[0].table.schema.names)
    if not any(whole.refused):
        return rows
    places = zip(rows.column(RANK).to_pylist(), rows.column("_ligne").to_pylist(), strict=True)
    return rows.filter(pa.array([row not in whole.refused[file] for file, row in places], pa.bool_()))


# Whether two files of an export without a key are parts of it, or an earlier and a corrected version.

MOST_FILES = 40  # compared two by two: more are parts
_ALIKE = 0.5  # of the rows of the smaller file
_SURE = math.log(1e7)  # one chance out of ten million that two parts look like versions
_SINGLE_BY_CHANCE = 0.37  # of the rows that are the only ones of their kind, at most (Poisson: x·exp(-x))
_VERSION = re.compile(
    r"[\s_.-]*\(?\b(corrig\w*|correction\w*|rectif\w*|version|definiti\w*|final\w*|nouve\w*|new|old|ancien\w*|copie|copy"
    r"|modifi\w*|maj|mis a jour|v\d+)\b\)?"
)


def _versions(names: Sequence[str], tables: Sequence[pa.Table]) -> str:
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
        where = ""
        if same is not None and len(same[0]):
            one, other = (_span(tables[file], places) for file, places in zip((first, second), same, strict=True))
            where = f" : {len(same[0])} lignes y sont les mêmes (lignes {one} du premier, {other} du second)"
        return (
            f"« {names[first]} » et « {names[second]} » semblent être deux versions du même export{where}. Retirez du "
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
    stems = [re.sub(r"[\s_-]+", " ", unaccented(PurePosixPath(name).stem)) for name in (one, other)]
    return stems[0] != stems[1] and _VERSION.sub("", stems[0]) == _VERSION.sub("", stems[1])
