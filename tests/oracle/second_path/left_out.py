"""Second path of the rows that are in no base: the reason of each, read again from its values, in plain pandas.

Only for indicators computed from rows (surveys, operations). The reasons are those of ``declarations.bases``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from oracle.second_path.coded import coded
from oracle.second_path.numbers_of_rows import kept_by, numbers
from oracle.second_path.places import KEY, Key, Regions, finest_level, unit_keys

from pipelines.declarations import estimators as declared

if TYPE_CHECKING:
    from pipelines.declarations import Export, Feed, Frequency, Indicator


def reasons_of_rows(rows: pd.DataFrame, export: Export, indicator: Indicator, feed: Feed) -> pd.Series[Any]:
    """Return why each accepted row of an export is out of the base of an indicator; None where it is in it."""
    found = pd.Series(None, index=rows.index, dtype="object")

    def say(reason: str, mask: pd.Series[bool]) -> None:
        found[mask & found.isna()] = reason

    say("autre_maille", rows["_maille"] != finest_level(export))
    say("condition_non_remplie", ~kept_by(rows, feed.where))
    for reason, mask in _inputs(rows, indicator.estimator, feed):
        say(reason, mask)
    worth = coded(indicator.estimator, feed.inputs, rows)
    say(_uncounted(export, indicator.estimator, feed), worth["x"].isna() | worth["y"].isna())
    if export.weight and indicator.estimator.family != "total":
        weights = numbers(rows[export.weight])
        say("poids_absent", weights.isna())
        say("poids_nul", ~(weights > 0))
    return found


def _inputs(
    rows: pd.DataFrame, estimator: declared.Estimator, feed: Feed
) -> list[tuple[str, pd.Series[bool]]]:  # fmt: skip
    blank = pd.DataFrame({name: rows[column].isna() for name, column in feed.inputs.items()}, index=rows.index)
    if isinstance(estimator, declared.Ratio):
        below = numbers(rows[feed.inputs["denominator"]])
        return [("sans_reponse", blank.all(axis=1)), ("couple_incomplet", blank.any(axis=1)),
                ("non_calculable", below == 0)]  # fmt: skip
    told = [("sans_reponse", blank.any(axis=1))] if len(blank.columns) else []
    if excluded := estimator.set_aside():
        told.append(("reponse_exclue", rows[feed.inputs["answer"]].isin(excluded)))
    return told


def _uncounted(export: Export, estimator: declared.Estimator, feed: Feed) -> str:
    if isinstance(estimator, declared.WithinDeadline):
        return "delai_negatif"
    field = export.field(feed.inputs["answer"]) if "answer" in feed.inputs else None
    return "hors_liste" if field and field.type in ("string", "boolean", "date") else "hors_echelle"


def left_out(
    rows: pd.DataFrame, reasons: pd.Series[Any], key: Key, frequency: Frequency, regions: Regions
) -> dict[str, int]:  # fmt: skip
    """Count, by reason, the rows of a published unit that are in no base."""
    keys = unit_keys(rows, key[1], frequency, regions)  # type: ignore[arg-type]
    inside = (keys == pd.Series(dict(zip(KEY, key, strict=True)))).all(axis=1)
    found = reasons[keys.index[inside]].dropna()
    return {str(reason): int(count) for reason, count in found.value_counts(sort=False).items()}
