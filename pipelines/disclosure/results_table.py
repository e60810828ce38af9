"""Disclosure control of the table of results: what is hidden is blank, under one status and one reason.

The computation of a network-year keeps what it computed, marked C where the rule hides a row by itself; only what went
through ``protected`` may be shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.declarations import Catalogue
from pipelines.disclosure.earlier_marks import Earlier, beside, told_before
from pipelines.disclosure.pattern import hidden_slots
from pipelines.disclosure.row_keys import blocks, network_year, row_numbers
from pipelines.disclosure.rules import SECRET
from pipelines.disclosure.series import Flags, Places
from pipelines.disclosure.surveys import FREE, HIDDEN, YEAR, Pattern, Rows, Survey, surveys

NUMBERS = ["valeur", "borne_basse", "borne_haute", "effectif", "effectif_pondere", "numerateur", "denominateur"]
# For tests of change, never published: raw value, effective size (shares, net), standard error (all but shares).
UNPUBLISHED = ["estimation", "effectif_efficace", "erreur_type", "degres_liberte"]
_MADE = ["frequence", "maille"]  # what says how a value was obtained


def protected(results: pd.DataFrame, catalogue: Catalogue, earlier: Earlier = ()) -> pd.DataFrame:
    """Return all results with the secret ones blank, marked C: those of the rule, and those that would tell them.

    ``results``: rows of any network-years, each whole (nothing links two of them), in any order. ``earlier``: the
    tables ``resultats`` of earlier releases, files or frames: what they hid stays hidden, what they showed protects
    nothing. Rows are added where the absence of a row would tell that a hidden place had nobody in a period.
    A survey that nothing can protect, after what earlier releases have told, is hidden whole.
    """
    if results.empty:
        return without_secrets(results)
    years = []
    for rows in blocks(results, YEAR):
        before = told_before(earlier, *network_year(rows))
        years.append(_hidden(rows.reset_index(drop=True), catalogue, before))
    return without_secrets(pd.concat(years, ignore_index=True))


def _hidden(results: pd.DataFrame, catalogue: Catalogue, before: pd.DataFrame) -> pd.DataFrame:
    """Return a network-year with its secrets marked; their figures are still there."""
    rows_beside = beside(results, before)
    added: list[pd.DataFrame] = []
    for survey in surveys(rows_beside, catalogue):
        rows, silent = _hidden_rows(survey, rows_beside)
        rows_beside.loc[rows, "statut_confidentialite"] = HIDDEN
        rows_beside.loc[rows, "motif"] = SECRET
        added += [one.assign(motif=SECRET) for one in silent]
    if added:
        rows_beside = pd.concat([rows_beside, *added], ignore_index=True)
    rows_beside.loc[rows_beside["statut_confidentialite"].ne(FREE), "date_reference"] = (
        None  # none, of a period without anybody
    )
    return rows_beside.drop(columns=["montree", "cachee"])


def _hidden_rows(survey: Survey, results: pd.DataFrame) -> tuple[Places, list[pd.DataFrame]]:
    """Return which rows of a survey are hidden, by position in ``results``, and the rows to add (``_silent``)."""
    rows, safe = [np.zeros(0, dtype=np.int64)], True
    added: list[pd.DataFrame] = []
    before: list[Flags] = []
    for bare in survey.patterns():
        pattern = bare.beside(before)
        hidden, enough = hidden_slots(pattern.series)
        before.append(hidden)
        safe &= enough
        if hidden.any():
            cells = _cells(pattern, hidden, survey)
            asked = survey.rows.of(pattern.questions)
            rows.append(asked.row[cells[asked.place, asked.column]])
            added += _silent(survey, asked, cells, results)
    return (np.concatenate(rows) if safe else survey.rows.row), added


def _cells(pattern: Pattern, hidden: Flags, survey: Survey) -> Flags:
    """Return what is hidden as places × columns, without the places that no row names."""
    cells: Flags = np.zeros((len(survey.parent), len(survey.columns)), dtype=bool)
    for index, slot in enumerate(pattern.series.slots):
        cells[:, slot.columns] = hidden[: len(cells), index][:, None]
    return cells


def _silent(survey: Survey, asked: Rows, cells: Flags, results: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Give rows for the periods in which a hidden place has none: no row would say that nobody answered."""
    for question in np.unique(asked.question):
        rows = asked.of([question])
        there: Flags = np.zeros(cells.shape, dtype=bool)
        there[rows.place, rows.column] = True
        places, periods = np.asarray(there.any(axis=1)), np.asarray(there.any(axis=0))
        missing = np.argwhere(cells & ~there & places[:, None] & periods[None, :])
        if not len(missing):
            continue
        known, first = np.unique(rows.place, return_index=True)
        copied = results.loc[rows.row[first[np.searchsorted(known, missing[:, 0])]]].reset_index(drop=True)
        when = survey.columns.iloc[missing[:, 1]].reset_index(drop=True)
        copied = copied.assign(frequence=when["frequence"], periode=when["periode"])
        modes = results.loc[rows.row, [*_MADE, "mode_obtention"]].drop_duplicates(_MADE)
        silent = copied.drop(columns="mode_obtention").merge(modes, on=_MADE, how="left")
        yield silent.assign(statut_confidentialite=HIDDEN)


def without_secrets(results: pd.DataFrame) -> pd.DataFrame:
    """Return the results with every figure of the rows marked C blank, in whichever state they are."""
    if results.empty:
        return results
    blanked = results.copy()
    concealed = blanked["statut_confidentialite"].ne(FREE)
    blanked.loc[concealed, [*NUMBERS, *(name for name in UNPUBLISHED if name in blanked)]] = np.nan
    return blanked


# Extreme weights tell the sizes of their categories; with one decimal, no longer exactly.
EXTREMES = dict.fromkeys(("rapport_minimal", "rapport_maximal", "poids_minimal", "poids_maximal"), 1)


def coarsened(results: pd.DataFrame) -> pd.DataFrame:
    """Publish of weighted values their weighted base in whole units, and neither numerator nor denominator.

    Few different weights make a lattice: with six decimals, a numerator told how many of each category had answered
    what, down to one person.
    """
    weighted = results["effectif_pondere"].notna()
    rounded = results.assign(effectif_pondere=results["effectif_pondere"].astype("float64").round(0))
    rounded.loc[weighted, ["numerateur", "denominateur"]] = np.nan
    return rounded


def disclosure_summary(results: pd.DataFrame) -> pd.DataFrame:
    """Return, per network, indicator, frequency and level: rows shown, rows hidden, and the share of these (%).

    ``results``: the table ``resultats`` or the frame that ``protected`` returns. Only where something is hidden.
    """
    groups = ["reseau", "indicateur", "frequence", "maille"]
    counted = results.assign(valeurs=results["valeur"].notna(), secret=results["statut_confidentialite"].ne(FREE))
    sums = counted.groupby(groups, sort=True)[["valeurs", "secret"]].sum().reset_index()
    total = sums["valeurs"] + sums["secret"]
    sums["part_secret"] = (100 * sums["secret"] / total.where(total > 0)).round(1)
    return sums[sums["secret"] > 0].reset_index(drop=True)


def without_secret_parts(discrepancies: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Return the discrepancies but those of an indicator and period with a hidden row: they tell totals and sums."""
    if discrepancies.empty or results.empty:
        return discrepancies
    places = ["reseau", "indicateur", "periode"]
    secret = pd.MultiIndex.from_frame(results.loc[results["statut_confidentialite"].ne(FREE), places])
    return discrepancies[~pd.MultiIndex.from_frame(discrepancies[places]).isin(secret)].reset_index(drop=True)


# Columns that count rows, or say that there are as many, by table; ``qualite`` adds what ``receptions`` says.
COUNTS = {
    "anomalies": ["premiere_ligne", "derniere_ligne"],
    "receptions": ["lignes_lues", "lignes_acceptees"],
    "couverture": ["lignes_lues", "lignes_acceptees"],
    "calages": ["effectif", "effectif_efficace", "effet_de_plan"],
}
WARNING = "avertissement"  # severity of a finding that puts no row aside


def secret_totals(results: pd.DataFrame, catalogue: Catalogue) -> set[tuple[str, int, str]]:
    """Return the (network, year, export) whose number of rows is no public knowledge.

    These feed an indicator of which something is hidden, without any published base of the country and year.
    ``results``: after disclosure control. Where that base is published, the number of rows adds little to it.
    """
    if results.empty:
        return set()
    keys = ["reseau", "annee", "indicateur"]
    (numbers,) = row_numbers(keys, results)
    hidden = results["statut_confidentialite"].ne(FREE).to_numpy()
    public = results["maille"].eq("national").to_numpy() & results["effectif"].notna().to_numpy()
    public &= results["periode"].eq(results["annee"].astype("Int64").astype(str)).to_numpy() if public.any() else False
    concealed, first = np.unique(numbers[hidden], return_index=True)
    rows = np.flatnonzero(hidden)[first[~np.isin(concealed, numbers[public])]]
    return {
        (str(network), int(year), export)
        for network, year, indicator in results[keys].take(rows).itertuples(index=False, name=None)
        for export in catalogue.indicators[indicator].networks[network].export
    }


def without_counts(table: pd.DataFrame, name: str, secret: set[tuple[str, int, str]]) -> pd.DataFrame:
    """Return the table ``name`` (``reseau``, ``annee``, ``export``) with its counts blank for those exports."""
    at = _counting(table, secret)
    if not at.any():
        return table
    blanked = table.astype(dict.fromkeys(COUNTS[name], "object"))
    blanked.loc[at, COUNTS[name]] = None
    return blanked


def without_bounds(findings: pd.DataFrame, secret: set[tuple[str, int, str]]) -> pd.DataFrame:
    """Return what was found in files without what bounds the number of rows of those exports, from below.

    Neither line numbers nor warnings: these count rows that stay in the results, errors count rows that don't.
    """
    if findings.empty:
        return findings
    without_warnings = findings[~(_counting(findings, secret) & findings["severite"].eq(WARNING).to_numpy())]
    return without_counts(without_warnings, "anomalies", secret)


def told_counts(tables: Mapping[str, pd.DataFrame], secret: set[tuple[str, int, str]]) -> pd.DataFrame:
    """Return ``reseau``, ``annee`` and ``table`` of every published count of an export whose total is secret."""
    counts = []
    for name, columns in COUNTS.items():
        table = tables.get(name)
        if table is not None and len(table):
            shown = table[_counting(table, secret) & table[columns].notna().any(axis=1).to_numpy()]
            counts.append(shown[["reseau", "annee"]].assign(table=name))
    return pd.concat(counts, ignore_index=True) if counts else pd.DataFrame(columns=["reseau", "annee", "table"])


def _counting(table: pd.DataFrame, secret: set[tuple[str, int, str]]) -> NDArray[np.bool_]:
    if table.empty:
        return np.zeros(0, dtype=bool)
    exports = table["export"] if "export" in table else table["exports"]
    rows = zip(table["reseau"], table["annee"], exports, strict=True)
    return np.array([any((n, int(y), name) in secret for name in str(names).split(", ")) for n, y, names in rows])
