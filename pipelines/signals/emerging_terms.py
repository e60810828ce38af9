"""Which words are said by more voices of a service than in its twelve months before.

Monroe, Colaresi and Quinn (2008), "Fightin' words", Political Analysis 16(4): log-odds with an informative Dirichlet
prior, on how many voices say a word (words inside a text depend on one another). The ratio ranks; the test permutes the
dates within the service, all permutations at once: the count of the window is then hypergeometric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.signals.laws import drawn_beyond
from pipelines.signals.ledger import NO_TEST
from pipelines.signals.voice_series import ALL, FELT, SERVICE, YEAR, of_each_service

if TYPE_CHECKING:
    import datetime

    import duckdb
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SAID = 10  # voices in thirteen months that say a word, below which it is not followed
PRIOR_VOICES = 100.0  # voices of all services together that the prior weighs as much as
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


def term_tests(connection: duckdb.DuckDBPyConnection, end: datetime.date) -> pd.DataFrame:
    """Return one test a service, feeling and word said by ten voices in thirteen months."""
    connection.execute(_SAYING.format(year=YEAR, end=end))
    connection.execute(_USUAL)
    services = list(of_each_service(connection, "saying", _WORDS.format(said=SAID, feelings=FELT)))
    connection.execute("DROP TABLE saying")
    if not services:
        return NO_TEST
    words = pd.concat(services, ignore_index=True)
    now, before, voices_now, voices_before = (
        words[name].to_numpy(np.float64) for name in ("now", "before", "voices_now", "voices_before")
    )
    odds = log_odds(now, voices_now, before, voices_before, words["usual"].to_numpy(np.float64))
    return words[[*SERVICE, "feeling", "term", "days"]].assign(
        theme=ALL,
        observed=now,
        expected=(now + before) * voices_now / (voices_now + voices_before),
        ratio=np.exp(odds.difference),
        ratio_low=np.exp(odds.difference - 1.96 * odds.error),
        ratio_high=np.exp(odds.difference + 1.96 * odds.error),
        voices=now,
        share=now / voices_now,
        p_value=p_values(now, voices_now, before, voices_before),
        since=end.strftime("%Y-%m"),
    )


@dataclass(frozen=True, slots=True)
class LogOdds:
    """The logarithm of the odds ratio of each word, now to before, and its standard error."""

    difference: Floats
    error: Floats


def log_odds(now: Floats, voices_now: Floats, before: Floats, voices_before: Floats, usual: Floats) -> LogOdds:
    """Return the log-odds of words said by ``now`` of ``voices_now`` and ``before`` of ``voices_before``.

    ``usual``: the share of all voices, of all services, that say each word (more than 0). A word of every voice is said
    neither more nor less than before.
    """
    prior, other = PRIOR_VOICES * usual, PRIOR_VOICES * (1 - usual)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds_now = np.log(now + prior) - np.log(voices_now - now + other)
        odds_before = np.log(before + prior) - np.log(voices_before - before + other)
        difference = np.where(usual < 1, odds_now - odds_before, 0.0)
    return LogOdds(difference, np.sqrt(1 / (now + prior) + 1 / (before + prior)))


def p_values(now: Floats, voices_now: Floats, before: Floats, voices_before: Floats) -> Floats:
    """Return the share of all permutations of dates in which as many voices of the window say the word; 1 if few."""
    more = now * voices_before > before * voices_now  # a word said no more than usual has no p-value below a half
    told = np.ones(len(now))
    told[more] = drawn_beyond(now[more], (now + before)[more], voices_now[more], (voices_now + voices_before)[more])
    return told
