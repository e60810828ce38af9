"""What could explain a signal other than the service: more voices, a campaign, late moderation, other form or labels.

Each is a fact with its figure, or about it where it could be of few voices: whoever reads the signal judges. Only a
campaign that says more than all other voices of the month takes a signal away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.mechanics import french
from pipelines.signals.ledger import TEST
from pipelines.signals.voice_series import KEY, SERVICE, month_end

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    import duckdb

CHECKS = [*TEST, "check", "raised", "number", "note"]
MORE_VOLUME = 1.5  # times the volume of a usual month, or as many times less
LATER = 14.0  # days more between writing and publication than usual
NEW_FORM = 0.05  # share of the month's voices whose form was unknown in the year before
NEW_LABEL = 0.05  # likewise of the labels that name the service, and of the year's voices whose label is gone
_SURE = 5  # voices that a label would have in the month if it were still in use: without any, it is gone
_YEAR = 12
_MONTHS = """
SELECT network, service,
       count(*) FILTER (month_lag = 0 AND NOT campaign) AS volume,
       count(*) FILTER (month_lag > 0 AND NOT campaign) / least({year}, max(month_lag)) AS usual,
       median(delay_days) FILTER (month_lag = 0) - median(delay_days) FILTER (month_lag > 0) AS later
FROM recent GROUP BY ALL
"""
_FORMS = """
WITH old AS (SELECT DISTINCT network, service, form FROM recent WHERE month_lag > 0)
SELECT network, service, avg(CASE WHEN old.form IS NULL THEN 1.0 ELSE 0.0 END) AS new_form
FROM recent LEFT JOIN old USING (network, service, form) WHERE month_lag = 0 AND NOT campaign GROUP BY ALL
"""
_LABELS = """
WITH counts AS (
    SELECT network, service, coalesce(label, '') AS label, count(*) FILTER (month_lag = 0) AS now,
           count(*) FILTER (month_lag > 0) AS before
    FROM recent WHERE NOT campaign GROUP BY ALL
), shares AS (
    SELECT network, service, now / nullif(sum(now) OVER service_all, 0) AS now, sum(now) OVER service_all AS volume,
           before / nullif(sum(before) OVER service_all, 0) AS before
    FROM counts WINDOW service_all AS (PARTITION BY network, service)
)
SELECT network, service, sum(CASE WHEN before > 0 THEN 0 ELSE now END)
       + sum(CASE WHEN now = 0 AND before * volume >= {sure} THEN before ELSE 0 END) AS new_label
FROM shares GROUP BY ALL
"""
_CAMPAIGNS = """
WITH told AS (
    SELECT network, service, unnest(list_distinct([coalesce(feeling, ''), ''])) AS feeling, themes, terms, campaign,
           coalesce(repeats, 1) AS texts
    FROM voices WHERE day BETWEEN date_trunc('month', $end::DATE) AND $end
), told_of AS (SELECT * FROM told SEMI JOIN (SELECT * FROM told WHERE campaign) USING (network, service)), cells AS (
    SELECT network, service, feeling, unnest(list_append(list_distinct(coalesce(themes, [])), '')) AS theme, '' AS term,
           campaign, texts
    FROM told_of UNION ALL
    SELECT network, service, feeling, '' AS theme, unnest(list_distinct(coalesce(terms, []))) AS term, campaign, texts
    FROM told_of
)
SELECT network, service, feeling, theme, term, sum(texts) FILTER (campaign)::DOUBLE AS campaign,
       sum(texts) FILTER (NOT campaign)::DOUBLE AS others
FROM cells GROUP BY ALL
"""
_CELL = [*KEY, "term"]


def campaign_texts(connection: duckdb.DuckDBPyConnection, month: datetime.date, tests: pd.DataFrame) -> pd.DataFrame:
    """Return how many texts of the month are of the service, theme, feeling and word of each test.

    Columns: ``campaign``, of campaigns, and ``others``; near-duplicates are one voice, and as many texts as they are. A
    service without any campaign has 0 of both.
    """
    texts = connection.execute(_CAMPAIGNS, {"end": month_end(month)}).df()
    of_tests = tests[_CELL].astype("str").merge(texts.astype(dict.fromkeys(_CELL, "str")), on=_CELL, how="left")
    return of_tests[["campaign", "others"]].fillna(0.0).set_index(tests.index)


def checks(connection: duckdb.DuckDBPyConnection, month: datetime.date, signals: pd.DataFrame) -> pd.DataFrame:
    """Return five rows a signal (columns CHECKS): ``raised`` when it could explain it, ``number`` the figure behind."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE recent AS SELECT network, service, campaign, delay_days, form, label, "
        "datediff('month', day, $end) AS month_lag FROM voices "
        f"WHERE day <= $end AND datediff('month', day, $end) <= {_YEAR}",
        {"end": month_end(month)},
    )
    facts = signals[TEST].merge(connection.execute(_MONTHS.format(year=_YEAR)).df(), on=SERVICE, how="left")
    facts = facts.merge(connection.execute(_FORMS).df(), on=SERVICE, how="left")
    facts = facts.merge(connection.execute(_LABELS.format(sure=_SURE)).df(), on=SERVICE, how="left")
    facts = facts.assign(campaign=campaign_texts(connection, month, facts)["campaign"])
    of_labels = "des témoignages nomment le service par un intitulé nouveau, ou par un qui ne sert plus"
    frames = [
        _volume(facts),
        _campaign(facts),
        _delay(facts),
        _share(facts, "form", NEW_FORM, "des témoignages viennent d'un nouveau formulaire"),
        _share(facts, "label", NEW_LABEL, of_labels),
    ]
    return pd.concat(frames, ignore_index=True)[CHECKS].sort_values([*TEST, "check"], ignore_index=True)


def _volume(facts: pd.DataFrame) -> pd.DataFrame:
    ratio = facts["volume"] / facts["usual"]
    more, less = ratio >= MORE_VOLUME, ratio <= 1 / MORE_VOLUME
    words = np.select([more, less], ["une fois et demie ou plus", "les deux tiers ou moins"], "à peu près autant")
    notes = [
        f"voix du service, par rapport à un mois habituel : {word}" for word in words
    ]  # a number would tell others
    return _check(facts, "volume", more | less, ratio, notes)


def _campaign(facts: pd.DataFrame) -> pd.DataFrame:
    counts = facts["campaign"]
    notes = [f"témoignages de campagne, comptés à part : {french.about(count) if count else 0}" for count in counts]
    return _check(facts, "campaign", counts > 0, counts, notes)


def _delay(facts: pd.DataFrame) -> pd.DataFrame:
    phrase = "délai de publication, en jours, par rapport à l'année d'avant : {:+.0f}"
    notes = ["inconnu" if pd.isna(days) else phrase.format(days) for days in facts["later"]]
    return _check(facts, "delay", facts["later"] >= LATER, facts["later"], notes)


def _share(facts: pd.DataFrame, name: str, limit: float, phrase: str) -> pd.DataFrame:
    """Return the check of a share, which is told only as more or less than its limit: it could be of few voices."""
    share = facts[f"new_{name}"]
    bound = french.percent(100 * limit, 0)
    notes = np.select(
        [share >= limit, share < limit], [f"{bound} ou plus {phrase}", f"moins de {bound} {phrase}"], "inconnu"
    )
    return _check(facts, name, share >= limit, share, notes.tolist())


def _check(
    facts: pd.DataFrame, name: str, raised: pd.Series[bool], number: pd.Series[float], notes: Sequence[str]
) -> pd.DataFrame:
    raised = raised.fillna(False).astype(bool)
    return facts[TEST].assign(check=name, raised=raised, number=number, note=notes)
