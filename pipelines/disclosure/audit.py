"""The audit of a release: how closely the formula of ``bounds`` lets a reader know what its table hides.

It refuses nothing itself: ``refusals`` says which findings must stop a release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from pipelines.declarations import Catalogue
from pipelines.disclosure.bounds import intervals
from pipelines.disclosure.earlier_marks import Earlier, beside, told_before
from pipelines.disclosure.results_table import NUMBERS, secret_totals, told_counts
from pipelines.disclosure.revised import PROVISIONAL, latest_rows, same_figures
from pipelines.disclosure.row_keys import blocks, network_year, positions, row_numbers
from pipelines.disclosure.series import Flags
from pipelines.disclosure.shade import Shades
from pipelines.disclosure.surveys import FREE, KEY, YEAR, Pattern, Rows, Survey, surveys

# Finds what the rows of a network and year tell, given what they hide.
Judge = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
UNMASKED = "ligne secrète non vidée"
PREVIOUS = "valeur secrète donnée comme valeur précédente"
TIGHT = "borné de trop près"
ALREADY = "déjà publié"
COUNTED = "nombre de lignes d'un export dont le total est secret"
_REFUSED = (UNMASKED, PREVIOUS, TIGHT, COUNTED)
_FINDINGS = {"trop_pres": TIGHT, "montree": ALREADY}
_COLUMNS = ["constat", *KEY]
SECRET_FIGURES = [*KEY, *NUMBERS]
_STATES = ["statut_observation", "statut_confidentialite", "mode_obtention", "structure", "source"]
AUDITED = [*KEY, "annee", "frequence", *_STATES, *NUMBERS]  # columns of ``resultats``
_BOUNDS = ["borne_basse", "borne_haute", "trop_pres", "montree"]
_SHIFTED = ["reseau", "indicateur", "frequence", "maille", "territoire_code", "structure_code"]


def secret_figures(results: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Return SECRET_FIGURES of the rows that ``shown`` hides of ``results``: what the audit must know, alone.

    ``results``: as computed; ``shown``: what ``protected`` made of them.
    """
    rows, hidden = row_numbers(KEY, results, shown[shown["statut_confidentialite"].ne(FREE)])
    return results.loc[np.isin(rows, hidden), SECRET_FIGURES].reset_index(drop=True)


def audit(
    results: pd.DataFrame,
    catalogue: Catalogue,
    secrets: pd.DataFrame,
    earlier: Earlier = (),
    others: Mapping[str, pd.DataFrame] | None = None,
    judge: Judge | None = None,
) -> pd.DataFrame:
    """Return what the figures tell of hidden rows, one line per finding, in the order of the key; none is best.

    ``results``: the table ``resultats`` about to be released; ``secrets``: what it hides (``secret_figures``);
    ``earlier``: the tables of earlier releases; ``others``: those released with it, by name, which count the rows of
    exports (``COUNTS``); ``judge``: what finds what a network and year tells, ``findings_of_year`` unless it is
    remembered. A reader is taken to know the rule, what is hidden, and all that was ever published.
    A row hidden now that an earlier release published can't be taken back: it is told, as already published.
    """
    results = results.reset_index(drop=True)
    frames = [_unmasked(results), _previous(results), _counted(results, catalogue, others or {})]
    for rows, own in _years(results, secrets):
        frames.append(judge(rows, own) if judge else findings_of_year(rows, own, catalogue, earlier))
    findings = pd.concat(frames, ignore_index=True)[_COLUMNS]
    return findings.sort_values(["constat", *KEY], kind="stable", na_position="first").reset_index(drop=True)


def findings_of_year(
    rows: pd.DataFrame, secrets: pd.DataFrame, catalogue: Catalogue, earlier: Earlier = ()
) -> pd.DataFrame:
    """Return the findings on the figures of one network and year: bounded too closely, already published.

    ``rows``: those of ``resultats``, of which the columns AUDITED are read; the rest is as for ``audit``.
    """
    bounds = known_of_year(rows, secrets, catalogue, earlier)
    return pd.concat(
        [bounds.loc[bounds[flag], KEY].assign(constat=finding) for flag, finding in _FINDINGS.items()],
        ignore_index=True,
    )


def _years(results: pd.DataFrame, secrets: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    hidden = {}
    if len(secrets):
        named = secrets.assign(annee=secrets["periode"].str[:4])
        hidden = {network_year(rows): rows[SECRET_FIGURES] for rows in blocks(named, YEAR)}
    for rows in blocks(results, YEAR) if len(results) else ():
        yield rows, hidden.get(network_year(rows), secrets.iloc[:0])


def known_of_year(
    rows: pd.DataFrame, secrets: pd.DataFrame, catalogue: Catalogue, earlier: Earlier = ()
) -> pd.DataFrame:
    """Return a line per hidden row of one network and year: KEY, the least and greatest that its base may be.

    ``borne_basse``, ``borne_haute``: for a reader, by the formula (no smaller than what is true of the base; infinite
    where nothing above is published); ``trop_pres``: closer than declared; ``montree``: an earlier release told it (its
    bounds are void). Arguments are those of ``findings_of_year``. All of it is secret.
    """
    before = told_before(earlier, *network_year(rows))
    whole = beside(_with_secrets(rows.reset_index(drop=True), secrets), before)
    lines: list[pd.DataFrame] = []
    for survey in surveys(whole, catalogue):
        if not _kept(whole, survey, earlier):
            lines += _judged(survey, whole)
    if not lines:
        return pd.DataFrame(columns=[*KEY, *_BOUNDS]).astype({"trop_pres": bool, "montree": bool})
    bounds = pd.concat(lines, ignore_index=True)
    return pd.concat([whole[KEY].take(bounds["row"].to_numpy()).reset_index(drop=True), bounds[_BOUNDS]], axis=1)


def refusals(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that a release must not be made with; what is already public can only be reported."""
    refused: pd.DataFrame = findings[findings["constat"].isin(_REFUSED)]
    return refused


def _with_secrets(results: pd.DataFrame, secrets: pd.DataFrame) -> pd.DataFrame:
    """Return the results with the figures that they hide, and ``masquee`` where they do."""
    figures_read = results.reindex(columns=AUDITED).astype(dict.fromkeys(NUMBERS, "float64"))
    masked = figures_read["statut_confidentialite"].ne(FREE).to_numpy()
    rows = np.flatnonzero(masked)
    at = positions(*row_numbers(KEY, figures_read[KEY].take(rows), secrets))
    for name in NUMBERS:
        true, figures = secrets[name].to_numpy(dtype=float), figures_read[name].to_numpy(dtype=float, copy=True)
        figures[rows] = np.where(at >= 0, true[at], np.nan) if len(true) else np.nan
        figures_read[name] = figures
    return figures_read.assign(masquee=masked)


def _kept(whole: pd.DataFrame, survey: Survey, earlier: Earlier) -> bool:
    """Whether the rows of a survey are those of the latest release, kept: judged then, and nothing new is told."""
    if not len(earlier):
        return False
    rows = whole.iloc[survey.rows.row]
    provisional = rows["statut_observation"].eq(PROVISIONAL) | rows["masquee"].eq(True) | rows["valeur"].isna()
    if not provisional.all():
        return False
    shown = rows[rows["statut_observation"].eq(PROVISIONAL)]
    latest = latest_rows(earlier, survey.network, survey.year)
    if latest.empty:  # a network that no release knows
        return False
    names = set(rows["indicateur"])
    latest = latest[latest["indicateur"].isin(names) & latest["statut_confidentialite"].eq(FREE)]
    return len(latest) > 0 and same_figures(shown, latest[latest["valeur"].notna()])


def _judged(survey: Survey, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Give what is known of the hidden rows of a survey: ``row`` and _BOUNDS."""
    masked = rows["masquee"].eq(True).to_numpy()
    before: list[Flags] = []
    for bare in survey.patterns():
        asked = survey.rows.of(bare.questions)
        pattern, hidden = _as_published(survey, bare, asked, masked[asked.row])
        pattern = pattern.beside(before)
        before.append(hidden)
        asked = asked.at(masked[asked.row])
        layers = np.zeros(len(survey.questions), dtype=np.int64)
        layers[list(pattern.questions)] = pattern.layers
        shades = Shades(pattern.series)
        for index, slot in enumerate(pattern.series.slots):
            mine = asked.at(np.isin(asked.column, slot.columns))
            if not len(mine.row):
                continue
            ranges = intervals(shades, index, hidden)
            column = np.argsort(slot.columns)[np.searchsorted(np.sort(slot.columns), mine.column)]
            spot = mine.place, layers[mine.question], column
            base = ranges.base[spot]
            yield pd.DataFrame(
                {
                    "row": mine.row,
                    "montree": mine.montree | ranges.told[spot],
                    "borne_basse": np.maximum(base - ranges.less[spot], 0.0),
                    "borne_haute": base + ranges.more[spot],
                    "trop_pres": ranges.fails[mine.place],
                }
            )


def _as_published(survey: Survey, pattern: Pattern, asked: Rows, masked: Flags) -> tuple[Pattern, Flags]:
    """Return the pattern as a reader sees it: what is hidden, and as known what any question shows beside it."""
    series = pattern.series
    concealed, shown = np.zeros((2, series.places, len(survey.columns)), dtype=bool)
    concealed[asked.place[masked], asked.column[masked]] = True
    shown[asked.place[~masked], asked.column[~masked]] = True
    hidden = np.stack([concealed[:, slot.columns].any(axis=1) for slot in series.slots], axis=1)
    for index in range(len(series.slots)):
        beside_hidden = np.append(series.tree.any(hidden[:, index]), False)[series.tree.parent]
        hidden[:, index] |= series.unnamed & beside_hidden
    return replace(pattern, series=replace(series, known=series.known | shown)), hidden


def _unmasked(results: pd.DataFrame) -> pd.DataFrame:
    figures = [*NUMBERS, *(name for name in ("evolution",) if name in results)]
    leaking = results["statut_confidentialite"].ne(FREE) & results[figures].notna().any(axis=1)
    return _told(results, np.flatnonzero(leaking).tolist(), UNMASKED)


def _previous(results: pd.DataFrame) -> pd.DataFrame:
    """Find rows whose previous value is a hidden one: the next year's row would publish it."""
    if "valeur_precedente" not in results:
        return _told(results, [], PREVIOUS)
    places = results[_SHIFTED].assign(rang=results["periode"].str[4:])
    group = places.groupby(list(places.columns), dropna=False, sort=False).ngroup()
    concealed = results["statut_confidentialite"].ne(FREE)
    secret = pd.MultiIndex.from_arrays([group[concealed], results["annee"][concealed] + 1])
    telling = pd.MultiIndex.from_arrays([group, results["annee"]]).isin(secret)
    return _told(results, np.flatnonzero(results["valeur_precedente"].notna() & telling).tolist(), PREVIOUS)


def _counted(results: pd.DataFrame, catalogue: Catalogue, others: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Find, in other tables, the number of rows of an export of which a total is hidden."""
    if not others:
        return pd.DataFrame(columns=_COLUMNS)
    counts = told_counts(others, secret_totals(results, catalogue))
    lines = counts.assign(constat=COUNTED, periode=counts["annee"].astype(str))
    return lines.reindex(columns=_COLUMNS)


def _told(results: pd.DataFrame, rows: list[int], finding: str) -> pd.DataFrame:
    if not rows:
        return pd.DataFrame(columns=_COLUMNS)
    return results[KEY].take(rows).assign(constat=finding)[_COLUMNS]
