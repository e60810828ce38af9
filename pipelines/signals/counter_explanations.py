"""What could explain a signal other than the service: more voices, a campaign, late moderation, another form.

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

    import duckdb
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CHECKS = [*TEST, "check", "raised", "number", "note"]
MORE_VOLUME = 1.5  # times the volume of a usual month, or as many times less
LATER = 14.0  # days more between writing and publication than usual
NEW_FORM = 0.05  # share of the month's voices whose form was unknown a year before
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
_CAMPAIGNS = """
WITH told AS (
    SELECT network, service, unnest(list_distinct([coalesce(feeling, ''), ''])) AS feeling, themes, terms
    FROM voices WHERE campaign AND datediff('month', day, $end) = 0
), cells AS (
    SELECT network, service, feeling, unnest(list_append(list_distinct(coalesce(themes, [])), '')) AS theme, '' AS term
    FROM told UNION ALL
    SELECT network, service, feeling, '' AS theme, unnest(list_distinct(coalesce(terms, []))) AS term FROM told
)
SELECT *, count(*)::DOUBLE AS campaign FROM cells GROUP BY ALL
"""
_CELL = [*KEY, "term"]


def campaign_voices(connection: duckdb.DuckDBPyConnection, month: datetime.date, tests: pd.DataFrame) -> Floats:
    """Return how many voices of campaigns of the month are of the service, theme, feeling and word of each test."""
    told = connection.execute(_CAMPAIGNS, {"end": month_end(month)}).df()
    if told.empty:
        return np.zeros(len(tests))
    return tests[_CELL].merge(told, on=_CELL, how="left")["campaign"].fillna(0.0).to_numpy(np.float64)


def checks(connection: duckdb.DuckDBPyConnection, month: datetime.date, signals: pd.DataFrame) -> pd.DataFrame:
    """Return four rows a signal (columns CHECKS): ``raised`` when it could explain it, ``number`` the figure behind."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE recent AS SELECT *, datediff('month', day, $end) AS month_lag FROM voices "
        f"WHERE day <= $end AND datediff('month', day, $end) <= {_YEAR}",
        {"end": month_end(month)},
    )
    held = signals[TEST].merge(connection.execute(_MONTHS.format(year=_YEAR)).df(), on=SERVICE, how="left")
    held = held.merge(connection.execute(_FORMS).df(), on=SERVICE, how="left")
    held = held.assign(campaign=campaign_voices(connection, month, held))
    found = [_volume(held), _campaign(held), _delay(held), _form(held)]
    return pd.concat(found, ignore_index=True)[CHECKS].sort_values([*TEST, "check"], ignore_index=True)


def _volume(held: pd.DataFrame) -> pd.DataFrame:
    ratio = held["volume"] / held["usual"]
    raised = (ratio >= MORE_VOLUME) | (ratio <= 1 / MORE_VOLUME)
    return _check(held, "volume", raised, ratio, "volume du mois, par rapport à un mois habituel : × {:.1f}")


def _campaign(held: pd.DataFrame) -> pd.DataFrame:
    told = held["campaign"].map(lambda count: french.about(count) if count else "0")
    notes = "témoignages de campagne, comptés à part : " + told.astype(str)
    return _check(held, "campaign", held["campaign"] > 0, held["campaign"], "").assign(note=notes.to_numpy())


def _delay(held: pd.DataFrame) -> pd.DataFrame:
    note = "délai de publication, en jours, par rapport à l'année d'avant : {:+.0f}"
    return _check(held, "delay", held["later"] >= LATER, held["later"], note)


def _form(held: pd.DataFrame) -> pd.DataFrame:
    raised = held["new_form"] >= NEW_FORM
    told = "des témoignages viennent d'un nouveau formulaire"
    notes = np.where(raised, f"{NEW_FORM:.0%} ou plus {told}", f"moins de {NEW_FORM:.0%} {told}")
    notes = np.where(held["new_form"].isna(), "inconnu", notes)
    return _check(held, "form", raised, held["new_form"], "").assign(note=notes)


def _check(held: pd.DataFrame, name: str, raised: pd.Series[bool], number: pd.Series[float], note: str) -> pd.DataFrame:
    notes = ["inconnu" if pd.isna(value) else note.format(value).replace(".", ",") for value in number]
    return held[TEST].assign(check=name, raised=raised.fillna(False).astype(bool), number=number, note=notes)
