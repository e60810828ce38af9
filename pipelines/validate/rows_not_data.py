"""Rows that are no data: totals, and the examples of the template.

A total is told by its label, by its figures, which are the sum of the others, or by both. Both: the row is refused,
since it would count twice what the others give. One alone: it is told, and read as data, as an example is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import frictionless
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.compile.exports import field_descriptor, label_named
from pipelines.declarations.strict_model import LEVELS
from pipelines.mechanics.spelling import unaccented
from pipelines.validate.coordinates import place_fields
from pipelines.validate.findings import Finding
from pipelines.validate.typed_rows import mask_of, numbered, places_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
_CODES = ("_structure", "_territoire")
_LEAST = 2  # rows that a total is of
_EXACT, _ROUNDING = 1e-6, 0.0501  # relative, of sums; absolute, of means written with one decimal
_FEWEST = 3  # others with a figure, for their sum to say anything
_LARGE = 100  # one figure under it may be the sum of the others by chance
_NEAR = 0.2  # a total that lacks a late office is a total
_REFUSED = "« {} » : cette ligne est le total des autres ; elle n'est pas retenue."
_NAMED = "« {} » : cette ligne porte le nom d'un total ; supprimez-la si c'en est un."
_WRONG = "« {} » : cette ligne porte le nom d'un total, et ses cellules ne sont pas celles d'une ligne."
_SUMMED = "« {} » : les chiffres de cette ligne sont la somme de ceux des autres lignes."
_FEWEST_ALIKE = 3  # cells that have to be the example's: fewer are an answer like another
_FEW = 0.1  # share of the rows: a label that more of them have is a value like another


def totals_left(rows: pa.Table, export: Export, layout: Layout) -> Iterator[tuple[int, Finding]]:
    """Yield the place and the finding (an error or a warning) of each row that is, or looks like, a total.

    Only rows of the finest level there are looked at: those of other levels are declared totals. Answers to a survey
    don't add up: only the labels of their places are looked at.
    """
    named = place_fields(export)
    if export.kind == "survey":
        places_told = [pc.unique(rows.column(name)).to_pylist() for name in named if name in rows.column_names]
        place_labels = (str(value) for values in places_told for value in values if value is not None)
        if not any(_says_total(label, is_place=True) for label in place_labels):
            return
    present = pc.unique(rows.column("_maille")).to_pylist()
    levels = [level for level in LEVELS if level in present]
    if not levels or levels == ["national"]:
        return
    places = places_of(pc.equal(rows.column("_maille"), levels[0]))
    finest = rows.take(places)
    labels = _labels(finest, export)
    figures = _figures(finest, export)
    is_sum = _sums_alone(finest, figures, labels, export)
    for row in sorted({*labels, *is_sum}):
        label, name = labels.get(row, ("", export.structure.code if export.structure else ""))
        shown = label or finest.column("_structure")[row].as_py() or finest.column("_territoire")[row].as_py() or ""
        if label and _adds_up(finest, figures, row, labels):
            finding = Finding("ligne-de-total", _REFUSED.format(shown))
        elif label and name in named:
            finding = Finding("total-possible", _NAMED.format(shown), "avertissement")
        elif row in is_sum:
            finding = Finding("total-possible", _SUMMED.format(shown), "avertissement")
        else:
            continue
        yield places[row], replace(finding, column=label_named(export, layout, name), value=shown)


def total_in(cells: Mapping[str, str], export: Export) -> Finding | None:
    """Return what is told of a row that is refused, when its key or its place is the name of a total."""
    for name in dict.fromkeys([*export.key, *place_fields(export)]):
        text = (cells.get(name) or "").strip()
        if _says_total(text, is_place=False):  # « France » may be a place written in the wrong row
            return Finding("total-refuse", _WRONG.format(text), column=name, value=text)
    return None


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
        same = places_of(np.logical_and.reduce([_is(rows.column(name), value) for name, value in values.items()]))
        if len(same) == 1:
            message = "Toutes les cellules de cette ligne sont celles de l'exemple du modèle."
            yield same[0], Finding("ligne-d-exemple", message, "avertissement")


def _is(column: pa.ChunkedArray, value: object) -> NDArray[np.bool_]:
    """Tell which cells hold a value; none where the column can't hold it."""
    try:
        same = pc.equal(column, pa.scalar(value, column.type))
    except (pa.ArrowException, TypeError, OverflowError):
        return np.zeros(len(column), np.bool_)
    return np.asarray(same.fill_null(False).to_numpy())


def _labels(rows: pa.Table, export: Export) -> dict[int, tuple[str, str]]:
    """Return the label of a total that a row has, and its field: that of its place first, else any text's."""
    labels: dict[int, tuple[str, str]] = {}
    named = place_fields(export)
    is_survey = export.kind == "survey"  # many answers for « Ensemble » are those of an office of that name
    texts = [field for field in export.fields if field.type == "string" and field.name in rows.column_names]
    texts = [field for field in texts if field.constraints.enum is None and field.name != export.level.field]
    texts = [field for field in texts if not is_survey or field.name in named]
    for field in sorted(texts, key=lambda field: field.name not in named):
        is_place = field.name in named
        column = rows.column(field.name)
        marked = places_of(mask_of(column, partial(_says_total, is_place=is_place)))
        if (is_place and not is_survey) or len(marked) <= max(1, _FEW * rows.num_rows):
            for row in marked:
                labels.setdefault(row, (column[row].as_py(), field.name))
    return labels


def _says_total(value: str | None, *, is_place: bool) -> bool:
    plain = _plain(value or "")
    return bool(_TOTAL.fullmatch(plain) or (is_place and _OTHERS.fullmatch(plain)))


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", unaccented(text)).strip()


@dataclass(frozen=True)
class _Figures:
    """The figures of rows (a column for each name; NaN: none), and a number for the rows whose figures add up.

    These are of one period and, in long tables, of one kind.
    """

    names: list[str]
    values: NDArray[np.float64]
    groups: NDArray[np.int64]


def _figures(rows: pa.Table, export: Export) -> _Figures:
    places, period = place_fields(export), export.period.field
    aside = {export.weight, period, *export.key, *places}
    numbers = [field.name for field in export.fields if field.type in ("integer", "number") and field.name not in aside]
    names = [name for name in numbers if name in rows.column_names] if export.kind != "survey" else []
    values = [rows.column(name).cast(pa.float64(), safe=False).to_numpy() for name in names]
    kinds = [name for name in export.key if name not in {*places, period, export.level.field}]
    same = ["_periode", *(name for name in kinds if name in rows.column_names)]
    groups = numbered([rows.column(name) for name in same], rows.num_rows)
    return _Figures(names, np.array(values, np.float64).reshape(len(names), rows.num_rows).T, groups)


def _adds_up(rows: pa.Table, figures: _Figures, row: int, labels: _Labels) -> bool:
    """Tell whether a figure of a labelled row is the sum (or mean) of rows that have no such label.

    All those of its group, of its territory, or between the total before and this one (a subtotal).
    """
    around = np.flatnonzero(figures.groups == figures.groups[row])
    others = around[~np.isin(around, list(labels))]
    codes = rows.column("_territoire").fill_null("").to_numpy()
    before = max((other for other in labels if other < row and other in around), default=-1)
    sets = (others, others[codes[others] == codes[row]], others[(others > before) & (others < row)])
    plain = _plain(labels[row][0])
    parts = [column[places] for column in figures.values.T for places in sets]
    totals = np.repeat(figures.values[row], len(sets))
    filled = [(total, part[~np.isnan(part)]) for total, part in zip(totals, parts, strict=True)]
    return any(len(part) >= _LEAST and _is_made_of(float(total), part, plain) for total, part in filled)


def _is_made_of(value: float, parts: NDArray[np.float64], label: str) -> bool:
    if np.isnan(value) or value == 0:
        return False
    if label.startswith("moyenne"):
        return abs(value - float(parts.mean())) <= _ROUNDING
    total = float(parts.sum())
    return abs(value - total) <= (_NEAR if _TOTAL.fullmatch(label) else _EXACT) * abs(total)


def _sums_alone(rows: pa.Table, figures: _Figures, labels: _Labels, export: Export) -> set[int]:
    """Return the rows without a label whose every count is the sum of the others', in every period of their place.

    One small figure may be so by chance: it takes a large one, or several.
    """
    free = np.setdiff1d(np.arange(rows.num_rows), list(labels))
    if not figures.names or not len(free):
        return set()
    values, groups = np.nan_to_num(figures.values[free]), figures.groups[free]
    filled = values != 0
    others = _summed(filled, groups) - filled
    judged = filled & (others >= _FEWEST)
    alike = judged & np.isclose(2 * values, _summed(values, groups), rtol=1e-9)
    whole = [name for name in figures.names if (field := export.field(name)) and field.type == "integer"]
    counts = np.isin(figures.names, whole or figures.names)  # others may be rates
    hits = alike[:, counts].sum(axis=1)
    large = np.where(alike, np.abs(values), 0)[:, counts].max(axis=1) >= _LARGE
    sure = (hits > 0) & (hits == judged[:, counts].sum(axis=1)) & ((hits > 1) | large)
    places = numbered([rows.column(name).take(free) for name in _CODES], len(free))
    return set(free[sure & (np.bincount(places, ~sure) == 0)[places]].tolist())


def _summed(values: NDArray[Any], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return, for each figure, the sum of its column over the rows of its group."""
    sums = np.array([np.bincount(groups, column) for column in values.T])
    return sums[:, groups].T


def _typed(export: Export, layout: Layout, example: Mapping[str, str], names: list[str]) -> dict[str, Any]:
    """Read the cells of an example as those of a file are; fields without one are not compared."""
    values = {}
    for field in export.fields:
        if field.name not in names or not example.get(field.name):
            continue
        value, notes = frictionless.Field.from_descriptor(field_descriptor(field, layout)).read_cell(
            example[field.name]
        )
        if not notes and value is not None:
            values[field.name] = float(value) if field.type == "number" else value
    return values
