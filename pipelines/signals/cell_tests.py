"""The tests of where and of which words, on the twelve months that end with the one judged.

Offices among their peers (funnel), départements within a service (shrinkage), groups of départements (scan), words.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.signals import emerging_terms
from pipelines.signals.funnel import funnel
from pipelines.signals.laws import normal_beyond
from pipelines.signals.shrinkage import fitted_law
from pipelines.signals.spatial_scan import Cluster, Scan, france
from pipelines.signals.voice_series import ALL, FEELINGS, KEY, SERVICE, YEAR

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    import duckdb
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PEERS = 10  # offices of a service below which there is no funnel
EXPECTED = 0.5  # voices expected in a cell, below which nothing could be told of it
CELLS = 50  # below which no law of ratios is fitted
SCANNED = 20  # voices in a year below which no cluster is looked for
SAID = 10  # voices in thirteen months that say a word, below which it is not followed
DOUBLED = 2.0  # what EB05 must exceed (DuMouchel)
_FEELINGS = "unnest(list_distinct([feeling, '']))"
_OFFICES = """
SELECT network, service, office, count(*)::DOUBLE AS size, count(DISTINCT day) AS days,
       sum((feeling = 'negatif')::INT)::DOUBLE AS negatif, sum((feeling = 'positif')::INT)::DOUBLE AS positif,
       count(DISTINCT CASE WHEN feeling = 'negatif' THEN day END) AS negatif_days,
       count(DISTINCT CASE WHEN feeling = 'positif' THEN day END) AS positif_days
FROM known WHERE month_lag < {year} AND coalesce(office, '') <> '' GROUP BY ALL HAVING count(*) >= {fewest} ORDER BY ALL
"""
_TERRITORIES = """
WITH recent AS (
    SELECT network, service, theme, department AS territory, {feelings} AS felt, month_lag // 3 AS quarter, feeling,
           day, voices
    FROM cells WHERE department <> ''
), strata AS (
    SELECT network, service, felt, feeling, quarter, theme, sum(voices) AS voices FROM recent GROUP BY ALL
), rates AS (
    SELECT t.network, t.service, t.felt, t.feeling, t.quarter, t.theme, t.voices / a.voices AS rate
    FROM strata t JOIN strata a USING (network, service, felt, feeling, quarter) WHERE t.theme <> '' AND a.theme = ''
), places AS (
    SELECT network, service, felt, feeling, quarter, territory, sum(voices) AS volume
    FROM recent WHERE theme = '' GROUP BY ALL
), expected AS (
    SELECT network, service, felt, theme, territory, sum(volume * rate) AS expected, sum(volume) AS volume
    FROM places JOIN rates USING (network, service, felt, feeling, quarter) GROUP BY ALL
), seen AS (
    SELECT network, service, felt, theme, territory, sum(voices) AS voices, count(DISTINCT day) AS days
    FROM recent GROUP BY ALL
)
SELECT network, service, theme, felt AS feeling, territory, expected, volume::DOUBLE AS volume,
       coalesce(voices, 0)::DOUBLE AS observed, coalesce(days, 0) AS days
FROM expected LEFT JOIN seen USING (network, service, felt, theme, territory)
WHERE expected >= {least} AND volume >= {fewest} ORDER BY ALL
"""
_PLACES = """
SELECT network, service, theme, {feelings} AS feeling, department AS territory, month_lag, day, voices
FROM cells WHERE network = $network AND service = $service AND department <> ''
"""
_SAYING = """
CREATE OR REPLACE TEMP TABLE saying AS
SELECT network, service, coalesce(nullif(feeling, ''), 'inconnu') AS feeling, day,
       list_distinct(coalesce(terms, [])) AS terms, datediff('month', day, DATE '{end}') = 0 AS now
FROM voices
WHERE day <= DATE '{end}' AND day >= date_trunc('month', DATE '{end}') - INTERVAL {year} MONTH AND NOT campaign
"""
_USUAL = """
CREATE OR REPLACE TEMP TABLE usual AS
SELECT term, count(*) / (SELECT count(*) FROM saying) AS usual
FROM (SELECT unnest(terms) AS term FROM saying) GROUP BY ALL
"""
_WORDS = """
WITH recent AS (SELECT * FROM saying WHERE network = $network AND service = $service), voices_of AS (
    SELECT network, service, {feelings} AS felt, now FROM recent
), sizes AS (
    SELECT network, service, felt, count(*) FILTER (now) AS voices_now, count(*) FILTER (NOT now) AS voices_before
    FROM voices_of GROUP BY ALL
), said AS (SELECT network, service, feeling, day, now, unnest(terms) AS term FROM recent), by_day AS (
    SELECT network, service, feeling, term, day, now, count(*) AS voices FROM said GROUP BY ALL
), felt AS (SELECT *, {feelings} AS felt FROM by_day), counts AS (
    SELECT network, service, felt, term, coalesce(sum(voices) FILTER (now), 0) AS now, sum(voices) AS said,
           count(DISTINCT CASE WHEN now THEN day END) AS days
    FROM felt GROUP BY ALL HAVING sum(voices) >= {said}
)
SELECT network, service, felt AS feeling, term, now::DOUBLE AS now, (said - now)::DOUBLE AS before, days,
       voices_now::DOUBLE AS voices_now, voices_before::DOUBLE AS voices_before, usual::DOUBLE AS usual
FROM counts JOIN sizes USING (network, service, felt) JOIN usual USING (term)
WHERE felt <> 'inconnu' AND felt <> 'neutre' AND voices_now > 0 AND voices_before > 0 ORDER BY ALL
"""


def funnel_tests(connection: duckdb.DuckDBPyConnection, since: str, fewest: int) -> pd.DataFrame:
    """Return one test an office and feeling, of services with ten offices of ``fewest`` voices in the year."""
    offices = connection.execute(_OFFICES.format(year=YEAR, fewest=fewest)).df()
    found = [
        _funnel_lines(held, feeling)
        for _, held in offices.groupby(SERVICE, sort=True)
        for feeling in FEELINGS
        if feeling != ALL and len(held) >= PEERS and 0 < held[feeling].sum() < held["size"].sum()
    ]
    return pd.concat(found, ignore_index=True).assign(since=since) if found else _nothing()


def _funnel_lines(offices: pd.DataFrame, feeling: str) -> pd.DataFrame:
    counts, sizes = offices[feeling].to_numpy(), offices["size"].to_numpy()
    drawn = funnel(counts, sizes)
    share = counts / sizes
    angle, reach = np.arcsin(np.sqrt(share)), 1.96 * drawn.errors
    low, high = (np.sin(np.clip(angle + side * reach, 0, np.pi / 2)) ** 2 / drawn.share for side in (-1, 1))
    return offices[[*SERVICE, "office"]].assign(
        theme=ALL, feeling=feeling, observed=counts, expected=sizes * drawn.share, ratio=share / drawn.share,
        ratio_low=low, ratio_high=high, upper=sizes * drawn.limit(3.09), p_value=normal_beyond(drawn.z),
        voices=counts, days=offices[f"{feeling}_days"], share=share,
    )  # fmt: skip


def ebgm_tests(connection: duckdb.DuckDBPyConnection, since: str, fewest: int) -> pd.DataFrame:
    """Return one test a service, theme, feeling and département of ``fewest`` voices in the year.

    Expected: the service's share of the theme in each quarter and feeling, on the voices of the département. The ratio
    is EBGM, its interval EB05 to EB95; the chance, that the true ratio is 1 or less.
    """
    query = _TERRITORIES.format(fewest=fewest, least=EXPECTED, feelings=_FEELINGS)
    cells = connection.execute(query).df()
    cells = cells[cells["feeling"].isin(FEELINGS)]
    if len(cells) < CELLS:
        return _nothing()
    counts, expected = cells["observed"].to_numpy(), cells["expected"].to_numpy(np.float64)
    known = fitted_law(counts, expected).posterior(counts, expected)
    low = known.quantile(0.05)
    return cells.assign(
        ratio=known.geometric_mean(), ratio_low=low, ratio_high=known.quantile(0.95), eligible=low > DOUBLED,
        p_value=known.below(np.ones(len(cells))), voices=counts, share=counts / cells["volume"], since=since,
    )  # fmt: skip


def scan_tests(connection: duckdb.DuckDBPyConnection, month: datetime.date) -> pd.DataFrame:
    """Return one test a service, theme and feeling: its likeliest cluster of départements, codes in ``territory``."""
    found = [
        line
        for cells in _of_each_service(connection, "cells", _PLACES.format(feelings=_FEELINGS))
        for line in _scan_lines(cells, month)
    ]
    return pd.DataFrame(found) if found else _nothing()


def _of_each_service(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> Iterator[pd.DataFrame]:
    """Yield what a query finds of every service of a table, one after another: all at once would not be held."""
    services = connection.execute(f"SELECT DISTINCT network, service FROM {table} ORDER BY ALL").fetchall()
    for network, service in services:
        found = connection.execute(query, {"network": network, "service": service}).df()
        if len(found):
            yield found


def _scan_lines(cells: pd.DataFrame, month: datetime.date) -> list[dict[str, object]]:
    """Return the tests of one service."""
    places = pd.Index(france().codes)
    cells = cells.assign(place=places.get_indexer(pd.Index(cells["territory"])))
    cells = cells[cells["place"] >= 0]
    scan = Scan(_month_map(cells[(cells["theme"] == ALL) & (cells["feeling"] == ALL)]), france())
    tested = cells[cells["feeling"].isin(FEELINGS) & ((cells["theme"] != ALL) | (cells["feeling"] != ALL))]
    return [
        _scanned(tuple(map(str, key)), held, scan, month)
        for key, held in tested.groupby(KEY, sort=True)
        if held["voices"].sum() >= SCANNED
    ]


def _scanned(key: tuple[str, ...], cells: pd.DataFrame, scan: Scan, month: datetime.date) -> dict[str, object]:
    seed = zlib.crc32("\n".join([*key, month.isoformat()[:7]]).encode())  # the same month draws the same maps
    return _cluster_line(key, cells, scan, scan.cluster(_month_map(cells), np.random.default_rng(seed)), month)


def _cluster_line(
    key: tuple[str, ...], cells: pd.DataFrame, scan: Scan, found: Cluster, month: datetime.date
) -> dict[str, object]:
    codes = france().inside(found.zone)
    inside = np.isin(cells["territory"].to_numpy(), codes) & (cells["month_lag"] < found.months).to_numpy()
    days = np.unique(cells["day"].to_numpy()[inside])
    spread = np.exp(1.96 / np.sqrt(max(found.observed, 1.0)))
    ratio = found.observed / found.expected if found.expected > 0 else np.nan
    since = pd.Period(month, "M") - (found.months - 1)
    return {
        **dict(zip(KEY, key, strict=True)), "territory": " ".join(codes), "observed": found.observed,
        "expected": found.expected, "ratio": ratio, "ratio_low": ratio / spread, "ratio_high": ratio * spread,
        "p_value": found.p_value, "voices": int(cells["voices"].to_numpy()[inside].sum()), "days": len(days),
        "share": found.observed / max(scan.volume(found), 1.0), "since": str(since),
    }  # fmt: skip


def _month_map(cells: pd.DataFrame) -> Floats:
    """Return the voices of the months of the year, the last at the end, in every département."""
    found = np.zeros((YEAR, len(france().codes)))
    np.add.at(found, (YEAR - 1 - cells["month_lag"].to_numpy(), cells["place"].to_numpy()), cells["voices"].to_numpy())
    return found


def term_tests(connection: duckdb.DuckDBPyConnection, end: datetime.date) -> pd.DataFrame:
    """Return one test a service, feeling and word said by ten voices in thirteen months."""
    connection.execute(_SAYING.format(year=YEAR, end=end))
    connection.execute(_USUAL)
    found = list(_of_each_service(connection, "saying", _WORDS.format(said=SAID, feelings=_FEELINGS)))
    connection.execute("DROP TABLE saying")
    if not found:
        return _nothing()
    words = pd.concat(found, ignore_index=True)
    now, before, voices_now, voices_before = (
        words[name].to_numpy(np.float64) for name in ("now", "before", "voices_now", "voices_before")
    )
    odds = emerging_terms.log_odds(now, voices_now, before, voices_before, words["usual"].to_numpy(np.float64))
    return words[[*SERVICE, "feeling", "term", "days"]].assign(
        theme=ALL, observed=now, expected=(now + before) * voices_now / (voices_now + voices_before),
        ratio=np.exp(odds.difference), ratio_low=np.exp(odds.difference - 1.96 * odds.error),
        ratio_high=np.exp(odds.difference + 1.96 * odds.error), voices=now, share=now / voices_now,
        p_value=emerging_terms.p_values(now, voices_now, before, voices_before), since=end.strftime("%Y-%m"),
    )  # fmt: skip


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="str") for name in KEY} | {"p_value": pd.Series(dtype=np.float64)})
