"""The year before, beside each value of ``resultats``: change, comparability, significance, unusual jumps, progress.

Only published values are compared: a hidden one is blank here already, and no test is made of it. Why whole
network-years don't compare is told in ``comparability``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipelines.compute.comparability import declared_breaks
from pipelines.compute.network_year import YEAR_WORDS
from pipelines.compute.significance import (
    LEVEL,
    SMALLEST,
    benjamini_hochberg,
    shared_freedom,
    two_means,
    two_net_scores,
    two_proportions,
)
from pipelines.disclosure.results_table import UNPUBLISHED

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.declarations import Catalogue, Indicator
    from pipelines.declarations.indicator import Target

_SERIES = ["reseau", "indicateur", "maille", "territoire_code", "structure_code", "frequence"]
FAMILY = ["reseau", "indicateur", "periode", "maille"]
_FROM_BEFORE = ["valeur", "mode_obtention", "source", "effectif", "mois", *UNPUBLISHED]


def with_changes(found: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Return ``found`` (the rows of ``resultats``, of every year) with the columns that look back at the year before.

    valeur_precedente, evolution, comparable, motif_incomparabilite, valeur_p, valeur_p_corrigee,
    evolution_significative, evolution_inhabituelle, valeur_cible, valeur_initiale, progression. Values compare when
    they were obtained in the same way, from the same exports, of the same month when the year takes its last value,
    with no declared break.
    """
    found = found.reset_index(drop=True)
    found = found.reindex(columns=found.columns.union(UNPUBLISHED, sort=False))  # a closed year may lack a late one
    hidden = found["valeur"].isna()
    unpublished = {name: found[name].astype("float64").mask(hidden) for name in UNPUBLISHED}
    found = found.assign(**unpublished)
    before = _year_before(found)
    previous = before["valeur"]
    both = previous.notna() & ~hidden
    comparable = pd.Series(None, index=found.index, dtype="object")
    reasons = _incomparable(found, before, catalogue)
    comparable[both] = reasons.eq("")[both].astype("object")
    change = (found["valeur"] - previous).round(6).where(comparable.eq(True))
    told = reasons.where(comparable.eq(False), None)
    found = found.assign(
        valeur_precedente=previous, evolution=change, comparable=comparable, motif_incomparabilite=told
    )
    found = _with_tests(found, before, catalogue)
    found["evolution_inhabituelle"] = _unusual(found, before, catalogue)
    return _with_targets(found, catalogue).drop(columns=list(UNPUBLISHED))


def _series(found: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return what names each row's series: place, indicator, and the month or quarter in the year."""
    coordinates = (found[name].astype("object").fillna("") for name in _SERIES)
    return list(zip(*coordinates, found["periode"].str[4:], strict=True))


def _year_before(found: pd.DataFrame) -> pd.DataFrame:
    """Return, row by row, what ``_FROM_BEFORE`` was in the same series one year before."""
    series = _series(found)
    rows = {place: row for row, place in enumerate(zip(series, found["annee"], strict=True))}
    at = [rows.get((one, year - 1), -1) for one, year in zip(series, found["annee"], strict=True)]
    before = found.assign(mois=_months(found))[_FROM_BEFORE].reset_index(drop=True).reindex(at)
    return before.set_index(found.index).astype({"valeur": "float64", "effectif": "float64"})


def _incomparable(found: pd.DataFrame, before: pd.DataFrame, catalogue: Catalogue) -> pd.Series[str]:
    """Return, in French, why each value doesn't compare with the one before; empty text where it does."""
    last = found["mode_obtention"].str.endswith(YEAR_WORDS["last"])
    places = list(zip(found["reseau"], found["indicateur"], found["annee"], strict=True))
    broken = {place: " ; ".join(declared_breaks(catalogue, *place)) for place in set(places)}
    reasons = [
        pd.Series([broken[place] for place in places], index=found.index),
        _said(found["mode_obtention"] != before["mode_obtention"], "obtenues autrement"),
        _said(found["source"] != before["source"], "d'exports différents"),
        _said(last & (_months(found) != before["mois"]), "dernières valeurs de mois différents"),
    ]
    return pd.Series([" ; ".join(filter(None, told)) for told in zip(*reasons, strict=True)], index=found.index)


def _said(where: pd.Series[bool], words: str) -> pd.Series[str]:
    return where.map({True: words, False: ""})


def _months(found: pd.DataFrame) -> pd.Series[str]:
    return pd.Series([f"{day.month}" if day else "" for day in found["date_reference"]], index=found.index)


def _with_tests(found: pd.DataFrame, before: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Test the changes of samples, and correct the tests of each family: network, indicator, period and level.

    Values of one level rest on different answers, so the tests of a family are independent; a département and its
    région are not, and are in two families. The answers of two years are taken for two samples.
    """
    raw = _p_values(found, before, catalogue).where(found["evolution"].notna())
    corrected = pd.Series(np.nan, index=found.index)
    for _, family in found[raw.notna()].groupby(FAMILY):
        corrected[family.index] = benjamini_hochberg(_floats(raw[family.index]))
    significant = (corrected <= LEVEL).astype("object").where(corrected.notna(), None)
    return found.assign(
        valeur_p=raw.clip(lower=SMALLEST), valeur_p_corrigee=corrected.clip(lower=SMALLEST),
        evolution_significative=significant,
    )  # fmt: skip


def _p_values(found: pd.DataFrame, before: pd.DataFrame, catalogue: Catalogue) -> pd.Series[float]:
    """Return the p-value of each change, by the test that goes with the interval of its estimator."""
    estimators = {name: item.estimator for name, item in catalogue.indicators.items()}
    share, net = (
        found["indicateur"].map({name: getattr(item, kind) for name, item in estimators.items()}).to_numpy(bool)
        for kind in ("proportion", "net")
    )
    raw = pd.Series(np.nan, index=found.index)
    tests: tuple[tuple[Any, Callable[..., Any], list[str]], ...] = (
        (share, two_proportions, ["estimation", "effectif_efficace"]),
        (net, two_net_scores, ["estimation", "erreur_type", "effectif_efficace"]),
        (~share & ~net, two_means, ["estimation", "erreur_type"]),
    )
    for kind, test, names in tests:
        columns = [
            _floats(frame.loc[kind, name]) / (1 if name == "effectif_efficace" else 100)
            for frame in (found, before) for name in names
        ]  # fmt: skip
        freedom = shared_freedom(*(_floats(frame.loc[kind, "degres_liberte"]) for frame in (found, before)))
        raw[kind] = test(*columns, freedom)
    return raw


def _floats(values: pd.Series[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(values, dtype=np.float64)


def _unusual(found: pd.DataFrame, before: pd.DataFrame, catalogue: Catalogue) -> pd.Series[bool]:
    """Tell the yearly changes beyond what is declared plausible; None where nothing is declared or compared."""
    unusual = pd.Series(None, index=found.index, dtype="object")
    for identifier, indicator in catalogue.indicators.items():
        rule = indicator.plausible_change
        if rule is None:
            continue
        judged = (found["indicateur"] == identifier) & (found["frequence"] == "annuelle") & found["evolution"].notna()
        judged &= found["maille"].isin(rule.levels or list(indicator.levels))
        if rule.base:
            judged &= (found["effectif"] >= rule.base) & (before["effectif"] >= rule.base)
        change = found["evolution"].abs()
        if rule.relative:
            change = 100 * change / found["valeur_precedente"].abs().where(found["valeur_precedente"] != 0)
        judged &= change.notna()
        unusual[judged] = (change > rule.max)[judged].astype("object")
    return unusual


def _with_targets(found: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Add the target of each row's year and level, where its series started, and how much of the way is done.

    (value - initial) / (target - initial), in %, brought to 0-100, as for the estimator ``progress_rate``. A start
    that doesn't compare with the value, because the series broke in between, gives no progress.
    """
    indicators = catalogue.indicators
    targets = [
        _target(indicators[indicator], network, year, level)
        for indicator, network, year, level in zip(
            found["indicateur"], found["reseau"], found["annee"], found["maille"], strict=True
        )
    ]
    value = pd.Series([item.value if item else None for item in targets], index=found.index, dtype="float64")
    initial = _initial_values(found, targets)
    way = (value - initial).where(value != initial)
    done = (100 * (found["valeur"] - initial) / way).clip(0, 100).round(1)
    return found.assign(valeur_cible=value, valeur_initiale=initial, progression=done)


def _initial_values(found: pd.DataFrame, targets: list[Target | None]) -> pd.Series[float]:
    """Return, for yearly rows, the declared start of each target or the published value of the year that it names."""
    rows = zip(_series(found), found["annee"], found["frequence"], found["valeur"], found["comparable"], strict=True)
    known = {(series, year): (value, comparable is True) for series, year, frequency, value, comparable in rows
             if frequency == "annuelle"}  # fmt: skip
    starts: list[float | None] = []
    for target, place in zip(targets, zip(_series(found), found["annee"], strict=True), strict=True):
        start = target.initial if target and place in known else None
        if target and target.since is not None:
            years = range(target.since + 1, place[1] + 1)
            unbroken = all(known.get((place[0], year), (None, False))[1] for year in years)
            start = known.get((place[0], target.since), (None,))[0] if unbroken else None
        starts.append(start)
    return pd.Series(starts, index=found.index, dtype="float64")


def _target(indicator: Indicator, network: str, year: int, level: str) -> Target | None:
    """Return the target declared for that very year and level."""
    declared = indicator.networks[network].targets
    return next((target for target in declared if (target.year, target.level) == (year, level)), None)
