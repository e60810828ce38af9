"""The table ``resultats``: computed values, absent ones with their reasons, and the year before beside each.

Only published values are compared: a hidden one is blank here already, and no test is made of it. Why whole
network-years don't compare is told in ``comparability``.
"""

from __future__ import annotations

from itertools import compress
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc

from pipelines.compute.comparable_years import declared_breaks
from pipelines.compute.intervals import Floats
from pipelines.compute.network_year import LEVEL_WORDS, YEAR_WORDS
from pipelines.compute.significance import LEVEL, SMALLEST, benjamini_hochberg, changes, shared_freedom
from pipelines.declarations import Catalogue
from pipelines.declarations.indicator import Target
from pipelines.declarations.references import Geography
from pipelines.declarations.strict_model import LEVELS
from pipelines.disclosure.results_table import UNPUBLISHED
from pipelines.disclosure.row_keys import each_once, of_each, positions, row_numbers
from pipelines.tables.national_inputs import NationalInputs, Receipts

Integers = NDArray[np.int64]


def results_table(catalogue: Catalogue, inputs: NationalInputs) -> pd.DataFrame:
    """Return every result and every expected absence, in the columns of the published table (but the version)."""
    absent = _absent_rows(catalogue, inputs)
    frames = [frame for frame in (inputs.results, absent) if len(frame)]
    table = pd.concat(frames, ignore_index=True)
    table["date_reference"] = table["date_reference"].astype("object").where(table["date_reference"].notna(), None)
    table = _with_statuses(table, catalogue)
    table = _with_names(table, catalogue)
    table = with_changes(table, catalogue)
    nature = of_each(
        table, ["reseau", "annee"], lambda *place: "synthétiques" if place in inputs.synthetic else "réelles"
    )
    return table.assign(nature_donnees=nature, version_publication="").drop(columns=["motif"])


def _absent_rows(catalogue: Catalogue, inputs: NationalInputs) -> pd.DataFrame:
    """Return a yearly row, at the widest level of the indicator, for each expected result that nothing gave."""
    receipts = Receipts(inputs)
    yearly = inputs.results[inputs.results["frequence"] == "annuelle"] if len(inputs.results) else inputs.results
    present = set(zip(yearly["reseau"], yearly["annee"], yearly["indicateur"], strict=True)) if len(yearly) else set()
    lines = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            for identifier, feed in catalogue.expected(network, year).items():
                if (network, year, identifier) in present:
                    continue
                levels = catalogue.indicators[identifier].levels_in(network)
                level = max(levels, key=LEVELS.index)
                lines.append(
                    {
                        "reseau": network,
                        "annee": year,
                        "periode": str(year),
                        "frequence": "annuelle",
                        "indicateur": identifier,
                        "maille": level,
                        "territoire_code": "FR" if level == "national" else None,
                        "motif": receipts.reason(network, year, identifier, feed) or "non-renseigne",
                        "mode_obtention": LEVEL_WORDS[levels[level].obtained],
                        "source": ", ".join(f"{network}/{export}" for export in feed.export),
                    }
                )
    return pd.DataFrame(lines).reindex(columns=inputs.results.columns) if lines else inputs.results.iloc[:0]


def _with_statuses(table: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Give absent values the statuses of their reason, and its French label."""
    absent = table["motif"].notna()

    def of_reason(name: str) -> pd.Series[Any]:
        values = {key: getattr(reason, name) for key, reason in catalogue.reasons.items()}
        return table["motif"].where(absent, None).map(values)

    return table.assign(
        statut_observation=table["statut_observation"].where(~absent, of_reason("observation_status")),
        statut_confidentialite=table["statut_confidentialite"].where(~absent, of_reason("confidentiality_status")),
        motif_absence=of_reason("label"),
    )


def _with_names(table: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    geography, indicators = Geography(catalogue.territories), catalogue.indicators
    return table.assign(
        territoire=of_each(table, ["maille", "territoire_code"], geography.name),
        type_indicateur=table["indicateur"].map({key: indicator.type for key, indicator in indicators.items()}),
        unite=table["indicateur"].map({key: indicator.unit for key, indicator in indicators.items()}),
    )


_SERIES = ["reseau", "indicateur", "maille", "territoire_code", "structure_code", "frequence"]
FAMILY = ["reseau", "indicateur", "periode", "maille"]
_FROM_BEFORE = ["valeur", "mode_obtention", "source", "effectif", "mois", *UNPUBLISHED]


def with_changes(results: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Return ``results`` (the rows of ``resultats``, of every year) with the columns that look back at the year before.

    valeur_precedente, evolution, comparable, motif_incomparabilite, valeur_p, valeur_p_corrigee,
    evolution_significative, evolution_inhabituelle, valeur_cible, valeur_initiale, progression. Values compare when
    they were obtained in the same way, from the same exports, of the same month when the year takes its last value,
    with no declared break.
    """
    results = results.reset_index(drop=True)
    results = results.reindex(
        columns=results.columns.union(UNPUBLISHED, sort=False)
    )  # a closed year may lack a late one
    hidden = results["valeur"].isna()
    unpublished = {name: results[name].astype("float64").mask(hidden) for name in UNPUBLISHED}
    results = results.assign(**unpublished)
    moments = Moments(results)
    before = _before(results, moments)
    previous = before["valeur"]
    both = previous.notna() & ~hidden
    comparable = pd.Series(None, index=results.index, dtype="object")
    reasons = _incomparable(results, before, catalogue)
    comparable[both] = reasons.eq("")[both].astype("object")
    change = (results["valeur"] - previous).round(6).where(comparable.eq(True))
    shown_reasons = reasons.where(comparable.eq(False), None)
    results = results.assign(
        valeur_precedente=previous, evolution=change, comparable=comparable, motif_incomparabilite=shown_reasons
    )
    results = _with_tests(results, before, catalogue)
    results["evolution_inhabituelle"] = _unusual(results, before, catalogue)
    return _with_targets(results, moments, catalogue).drop(columns=list(UNPUBLISHED))


class Moments:
    """The rows of ``resultats`` by series (place, indicator, month or quarter in the year) and year."""

    def __init__(self, results: pd.DataFrame) -> None:
        (self._series,) = row_numbers([*_SERIES, "rang"], results[_SERIES].assign(rang=results["periode"].str[4:]))
        self._years = results["annee"].to_numpy(dtype=np.int64)

    def at(self, years: Integers, rows: Integers, among: Integers) -> Integers:
        """Return which of the rows ``among`` has the series of each of ``rows`` in that year; -1: none has."""
        years_among = self._years[among]
        first, last = (int(years_among.min()), int(years_among.max())) if len(among) else (0, 0)
        span = last - first + 1
        wanted = self._series[rows] * span + years - first
        places = positions(wanted, self._series[among] * span + years_among - first)
        there = (places >= 0) & (first <= years) & (years <= last)
        return np.where(there, among[places] if len(among) else -1, -1)

    def year_before(self) -> Integers:
        """Return the row of the same series one year before each row; -1: there is none."""
        every = np.arange(len(self._years))
        return self.at(self._years - 1, every, every)


def _before(results: pd.DataFrame, moments: Moments) -> pd.DataFrame:
    """Return, row by row, what ``_FROM_BEFORE`` was in the same series one year before."""
    before = results.assign(mois=_months(results))[_FROM_BEFORE].reindex(moments.year_before())
    return before.set_index(results.index).astype({"valeur": "float64", "effectif": "float64"})


def _incomparable(results: pd.DataFrame, before: pd.DataFrame, catalogue: Catalogue) -> pd.Series[str]:
    """Return, in French, why each value doesn't compare with the one before; empty text where it does."""
    last = results["mode_obtention"].str.endswith(YEAR_WORDS["last"]).eq(True)
    broken, at = each_once(
        results, ["reseau", "indicateur", "annee"], lambda *place: " ; ".join(declared_breaks(catalogue, *place))
    )
    differ = {
        "obtenues autrement": results["mode_obtention"] != before["mode_obtention"],
        "d'exports différents": results["source"] != before["source"],
        "dernières valeurs de mois différents": last & (_months(results) != before["mois"]),
    }
    reasons = pd.DataFrame({"rupture": at, **differ})  # few are different: a text is made once of each
    each = reasons.drop_duplicates().itertuples(index=False, name=None)
    texts = [" ; ".join(filter(None, [broken[number], *compress(differ, flags)])) for number, *flags in each]
    which = reasons.groupby(list(reasons), sort=False).ngroup()
    return pd.Series(texts, dtype="str").take(which.to_numpy()).set_axis(results.index)


def _months(results: pd.DataFrame) -> pd.Series[int]:
    months = pc.month(pa.array(results["date_reference"], pa.date32(), from_pandas=True))
    return pd.Series(months.fill_null(0).to_numpy(zero_copy_only=False), index=results.index)


def _with_tests(results: pd.DataFrame, before: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Test the changes of samples, and correct the tests of each family: network, indicator, period and level.

    Values of one level rest on different answers, so the tests of a family are independent; a département and its
    région are not, and are in two families. The answers of two years are taken for two samples.
    """
    raw = _p_values(results, before, catalogue)
    (families,) = row_numbers(FAMILY, results)
    corrected = pd.Series(benjamini_hochberg(np.asarray(raw, np.float64), families), index=results.index)
    significant = (corrected <= LEVEL).astype("object").where(corrected.notna(), None)
    return results.assign(
        valeur_p=raw.clip(lower=SMALLEST),
        valeur_p_corrigee=corrected.clip(lower=SMALLEST),
        evolution_significative=significant,
    )


def _p_values(results: pd.DataFrame, before: pd.DataFrame, catalogue: Catalogue) -> pd.Series[float]:
    """Return the p-value of each change, by the test that goes with the interval of its estimator."""
    estimators = {name: indicator.estimator for name, indicator in catalogue.indicators.items()}
    kinds = {name: "share" if one.proportion else "net" if one.net else "mean" for name, one in estimators.items()}
    compared = results["evolution"].notna().to_numpy()
    sides = [frame.loc[compared].astype(dict.fromkeys(UNPUBLISHED, "float64")) for frame in (results, before)]
    now, then = (
        [
            side["estimation"].to_numpy() / 100,
            side["erreur_type"].to_numpy() / 100,
            side["effectif_efficace"].to_numpy(),
        ]
        for side in sides
    )
    freedom = shared_freedom(*(side["degres_liberte"].to_numpy() for side in sides))
    raw = pd.Series(np.nan, index=results.index)
    raw[compared] = changes(sides[0]["indicateur"].map(kinds).to_numpy(object), now, then, freedom)
    return raw


def _unusual(results: pd.DataFrame, before: pd.DataFrame, catalogue: Catalogue) -> pd.Series[bool]:
    """Tell the yearly changes beyond what is declared plausible; None where nothing is declared or compared."""
    unusual = pd.Series(None, index=results.index, dtype="object")
    for identifier in results["indicateur"].unique():
        indicator = catalogue.indicators[identifier]
        rule = indicator.plausible_change
        if rule is None:
            continue
        judged = (
            (results["indicateur"] == identifier) & (results["frequence"] == "annuelle") & results["evolution"].notna()
        )
        judged &= results["maille"].isin(rule.levels or list(indicator.levels))
        if rule.base:
            judged &= (results["effectif"] >= rule.base) & (before["effectif"] >= rule.base)
        change = results["evolution"].abs()
        if rule.relative:
            change = 100 * change / results["valeur_precedente"].abs().where(results["valeur_precedente"] != 0)
        judged &= change.notna()
        unusual[judged] = (change > rule.max)[judged].astype("object")
    return unusual


def _with_targets(results: pd.DataFrame, moments: Moments, catalogue: Catalogue) -> pd.DataFrame:
    """Add the target of each row's year and level, where its series started, and how much of the way is done.

    (value - initial) / (target - initial), in %, brought to 0-100, as for the estimator ``progress_rate``. A start
    that doesn't compare with the value, because the series broke in between, gives no progress.
    """
    targets, at = each_once(
        results, ["indicateur", "reseau", "annee", "maille"], lambda *place: _target(catalogue, *place)
    )
    value, start, since = (
        np.array([getattr(target, name, None) for target in targets], dtype=np.float64)[at]
        for name in ("value", "initial", "since")
    )
    initial = _initial_values(results, moments, start, since)
    way = np.where(value != initial, value - initial, np.nan)
    done: pd.Series[float] = (100 * (results["valeur"] - initial) / way).clip(0, 100).round(1)
    return results.assign(valeur_cible=value, valeur_initiale=initial, progression=done)


def _initial_values(results: pd.DataFrame, moments: Moments, declared: Floats, since: Floats) -> Floats:
    """Return, for yearly rows, the declared start of each target or the published value of the year ``since``."""
    yearly = np.flatnonzero(results["frequence"].eq("annuelle"))
    initial = np.full(len(results), np.nan)
    initial[yearly] = declared[yearly]
    rows = yearly[~np.isnan(since[yearly])]
    start, year = since[rows].astype(np.int64), results["annee"].to_numpy(dtype=np.int64)[rows]
    first = moments.at(start, rows, yearly)
    value = np.where(first >= 0, results["valeur"].to_numpy(dtype=np.float64)[first], np.nan)
    comparable = results["comparable"].eq(True).to_numpy()
    for back in range(int((year - start).max(initial=0))):
        passed = moments.at(year - back, rows, yearly)
        broken = (year - back > start) & ~((passed >= 0) & comparable[passed])
        value[broken] = np.nan
    initial[rows] = value
    return initial


def _target(catalogue: Catalogue, indicator: str, network: str, year: int, level: str) -> Target | None:
    declared = catalogue.indicators[indicator].networks[network].targets
    return next((target for target in declared if (target.year, target.level) == (year, level)), None)
