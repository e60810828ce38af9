"""Rows that are no data: totals, and the examples of the template.

A total is told by its label, by its figures, which are the sum of the others, or by both. Both: the row is refused,
since it would count twice what the others give. One alone: it is told, and read as data, as an example is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import frictionless
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.compile.exports import field_descriptor, label_named
from pipelines.declarations.base import LEVELS
from pipelines.mechanics.spelling import unaccented
from pipelines.validate.export_parts import is_missing
from pipelines.validate.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pipelines.declarations import Export, Layout

    _Labels = Mapping[int, tuple[str, str]]  # of rows by place: the text, and its field

_TOTAL = re.compile(
    r"(sous |grand )?(total|totaux)( (generale?|generaux|national|departemental|regional|reseau|france|annuel|annee"
    r"|des? .*|du .*|[0-9]+))?|sous (total|totaux) .*"
)
_OTHERS = re.compile(
    r"(ensemble|moyenne|somme|cumul)( (generale?|nationale?|departementale?|regionale?|france|des? .*|du .*))?"
    r"|national|france( entiere| metropolitaine)?|tous|toutes|total .*"
)
_LEAST = 2  # rows that a total is of
_EXACT, _ROUNDING = 1e-6, 0.0501  # relative, of sums; absolute, of means written with one decimal
_FEWEST = 3  # others with a figure, for their sum to say anything
_LARGE = 100  # one figure under it may be the sum of the others by chance
_NEAR = 0.2  # a total that lacks a late office is a total
_REFUSED = "« {} » : cette ligne est le total des autres ; elle n'est pas retenue."
_NAMED = "« {} » : cette ligne porte le nom d'un total ; supprimez-la si c'en est un."
_SUMMED = "« {} » : les chiffres de cette ligne sont la somme de ceux des autres lignes."
_FEWEST_ALIKE = 3  # cells that have to be the example's: fewer are an answer like another
_FEW = 0.1  # share of the rows: a label that more of them have is a value like another


def may_hold_totals(rows: pa.Table, export: Export) -> bool:
    """Say whether ``totals_left`` may find anything: in a survey, only where the name of a place says so."""
    if export.kind != "survey":
        return True
    held = [pc.unique(rows.column(name)).to_pylist() for name in _places(export) if name in rows.column_names]
    return any(_says_total(str(value), True) for values in held for value in values if value is not None)


def totals_left(rows: pd.DataFrame, export: Export, layout: Layout) -> Iterator[tuple[int, Finding]]:
    """Yield the place and the finding (an error or a warning) of each row that is, or looks like, a total.

    Only rows of the finest level there are looked at: those of other levels are declared totals. Answers to a survey
    don't add up: only the labels of their places are looked at.
    """
    levels = [level for level in LEVELS if (rows["_maille"] == level).any()]
    if not levels or (len(levels) == 1 and levels[0] == "national"):
        return
    places = np.flatnonzero((rows["_maille"] == levels[0]).to_numpy())
    finest = rows.iloc[places].reset_index(drop=True)
    labels = _labels(finest, export)
    figures = _figures(finest, export)
    groups = _groups(finest, export)
    whole_numbers = [item.name for item in export.fields if item.type == "integer"]
    is_sum = _sums_alone(finest, figures, groups, labels, whole_numbers)
    for row in sorted({*labels, *is_sum}):
        label, name = labels.get(row, ("", export.structure.code if export.structure else ""))
        shown = label or _place_of(finest, row)
        found = None
        if label and _adds_up(finest, figures, groups, row, labels):
            found = Finding("ligne-de-total", _REFUSED.format(shown))
        elif label and name in _places(export):
            found = Finding("total-possible", _NAMED.format(shown), "avertissement")
        elif row in is_sum:
            found = Finding("total-possible", _SUMMED.format(shown), "avertissement")
        if found is not None:
            yield int(places[row]), replace(found, column=label_named(export, layout, name), value=shown)


def examples_left(
    rows: pa.Table, export: Export, layout: Layout, examples: Sequence[Mapping[str, str]]
) -> Iterator[tuple[int, Finding]]:
    """Yield the place and the warning of the row that is, in all its cells, an example of the template.

    Rows alike that come several times are answers, not examples.
    """
    for example in examples:
        values = _typed(export, layout, example, rows.column_names)
        if len(values) < _FEWEST_ALIKE:
            continue
        same = np.logical_and.reduce([_is(rows.column(name), value) for name, value in values.items()])
        if same.sum() == 1:
            told = "Toutes les cellules de cette ligne sont celles de l'exemple du modèle."
            yield int(np.flatnonzero(same)[0]), Finding("ligne-d-exemple", told, "avertissement")


def _is(column: pa.ChunkedArray, value: object) -> NDArray[np.bool_]:
    """Tell which cells hold a value; none where the column can't hold it."""
    try:
        same = pc.equal(column, pa.scalar(value, column.type))
    except (pa.ArrowException, TypeError, OverflowError):
        return np.zeros(len(column), np.bool_)
    return np.asarray(same.fill_null(False).to_numpy())


def _places(export: Export) -> list[str]:
    structure, territory = export.structure, export.territory
    names = [structure.code, structure.name] if structure else []
    return [name for name in (*names, territory.field if territory else None) if name]


def _place_of(rows: pd.DataFrame, row: int) -> str:
    codes = [rows["_structure"].iloc[row], rows["_territoire"].iloc[row]]
    return next((str(code) for code in codes if not is_missing(code)), "")


def _labels(rows: pd.DataFrame, export: Export) -> dict[int, tuple[str, str]]:
    """Return the label of a total that a row has, and its field: that of its place first, else any text's."""
    found: dict[int, tuple[str, str]] = {}
    is_survey = export.kind == "survey"  # many answers for « Ensemble » are those of an office of that name
    texts = [item for item in export.fields if item.type == "string" and item.name in rows.columns]
    texts = [item for item in texts if item.constraints.enum is None and item.name != export.level.field]
    texts = [item for item in texts if not is_survey or item.name in _places(export)]
    for item in sorted(texts, key=lambda item: item.name not in _places(export)):
        is_place = item.name in _places(export)
        written = [value for value in rows[item.name].dropna().unique() if _says_total(str(value), is_place)]
        marked = np.flatnonzero(rows[item.name].isin(written).to_numpy())
        if (is_place and not is_survey) or len(marked) <= max(1, _FEW * len(rows)):
            for row in marked.tolist():
                found.setdefault(row, (str(rows[item.name].iloc[row]), item.name))
    return found


def _says_total(value: str, is_place: bool) -> bool:
    plain = _plain(value)
    return bool(_TOTAL.fullmatch(plain) or (is_place and _OTHERS.fullmatch(plain)))


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", unaccented(text)).strip()


def _figures(rows: pd.DataFrame, export: Export) -> pd.DataFrame:
    if export.kind == "survey":
        return rows[[]]
    aside = {export.weight, export.period.field, *export.key, *_places(export)}
    names = [item.name for item in export.fields if item.type in ("integer", "number") and item.name not in aside]
    return rows[[name for name in names if name in rows.columns]].astype("float64")


def _groups(rows: pd.DataFrame, export: Export) -> NDArray[np.int64]:
    """Return a number for the rows whose figures add up: those of one period and, in long tables, of one kind."""
    kinds = [name for name in export.key if name not in {*_places(export), export.period.field, export.level.field}]
    names = ["_periode", *(name for name in kinds if name in rows.columns)]
    return np.asarray(rows.groupby(names, dropna=False, sort=False).ngroup(), np.int64)


def _adds_up(
    rows: pd.DataFrame,
    figures: pd.DataFrame,
    groups: NDArray[np.int64],
    row: int,
    labels: _Labels,
) -> bool:
    """Tell whether a figure of a labelled row is the sum (or mean) of rows that have no such label.

    All those of its group, of its territory, or between the total before and this one (a subtotal).
    """
    around = np.flatnonzero(groups == groups[row])
    others = [int(other) for other in around if int(other) not in labels]
    codes = rows["_territoire"].fillna("").to_numpy()
    same = [other for other in others if codes[other] == codes[row]]
    before = max((other for other in labels if other < row and groups[other] == groups[row]), default=-1)
    above = [other for other in others if before < other < row]
    plain = _plain(labels[row][0])
    for name in figures.columns:
        column = figures[name].to_numpy()
        parts = [held[~np.isnan(held)] for held in (column[others], column[same], column[above])]
        if any(len(held) >= _LEAST and _is_made_of(float(column[row]), held, plain) for held in parts):
            return True
    return False


def _is_made_of(value: float, held: NDArray[np.float64], label: str) -> bool:
    if np.isnan(value) or value == 0:
        return False
    if label.startswith("moyenne"):
        return abs(value - float(held.mean())) <= _ROUNDING
    total = float(held.sum())
    return abs(value - total) <= (_NEAR if _TOTAL.fullmatch(label) else _EXACT) * abs(total)


def _sums_alone(
    rows: pd.DataFrame,
    figures: pd.DataFrame,
    groups: NDArray[np.int64],
    labels: _Labels,
    whole_numbers: Collection[str],
) -> set[int]:
    """Return the rows without a label whose every count is the sum of the others', in every period of their place.

    One small figure may be so by chance: it takes a large one, or several.
    """
    free = figures.drop(index=list(labels))
    if free.empty:
        return set()
    within = groups[figures.index.isin(free.index)]
    totals = free.groupby(within).transform("sum")
    filled = free.fillna(0) != 0
    others = filled.groupby(within).transform("sum") - filled
    judged = filled & (others >= _FEWEST)
    alike = judged & np.isclose(2 * free, totals, rtol=1e-9)
    counts = [name for name in free.columns if name in whole_numbers] or list(free.columns)  # others may be rates
    hits = alike[counts].sum(axis=1)
    large = free[counts].abs().where(alike[counts]).max(axis=1) >= _LARGE
    sure = (hits > 0) & (hits == judged[counts].sum(axis=1)) & ((hits > 1) | large)
    place = [rows.loc[free.index, name].fillna("") for name in ("_territoire", "_structure")]
    always = sure.groupby(place).transform("all")
    return {int(row) for row in np.flatnonzero((sure & always).reindex(figures.index, fill_value=False).to_numpy())}


def _typed(export: Export, layout: Layout, example: Mapping[str, str], held: list[str]) -> dict[str, Any]:
    """Read the cells of an example as those of a file are; fields without one are not compared."""
    values = {}
    for item in export.fields:
        if item.name not in held or not example.get(item.name):
            continue
        value, notes = frictionless.Field.from_descriptor(field_descriptor(item, layout)).read_cell(example[item.name])
        if not notes and value is not None:
            values[item.name] = float(value) if item.type == "number" else value
    return values
