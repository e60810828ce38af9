"""How many voices said what, month by month: about how many, and which of these numbers are hidden.

A number of few voices or days is hidden, and all others are told to the nearest five: whatever is added or subtracted,
between feelings, themes, cards or versions, no number of few voices follows from what is told. This holds because three
things are told of a month and no more: the positive voices, the negative ones, and all with those that are neither; and
of a theme, all together only where both of its feelings are told, or where nobody in the month told any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.declarations.statuses import FigureStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

VOICES, DAYS = 5, 3  # the least that is published
STEP = 5  # numbers told are multiples of it
ALL = "tous"
FEELINGS = {"positif": "positif", "negatif": "négatif"}  # others are counted in ALL alone
GROUP = ["reseau", "service", "mois", "theme"]


def counted_voices(voices: pa.Table) -> pd.DataFrame:
    """Count the voices of each service, month, theme and feeling, campaigns left out; say which counts are hidden.

    A service of few voices or days in its whole history is not told of at all.

    Columns: those of GROUP, ``ressenti``, ``voix``, ``jours``, ``cache``.
    """
    names = ["network", "service", "day", "feeling", "themes", "campaign"]
    frame = voices.select(names).to_pandas()
    frame = frame[~frame["campaign"].astype(bool)]
    exploded = pd.DataFrame(
        {
            "reseau": frame["network"],
            "service": frame["service"],
            "jour": frame["day"].astype(str),
            "ressenti": frame["feeling"].map(FEELINGS),
            "theme": [[ALL, *themes] for themes in frame["themes"]],
        }
    ).explode("theme")
    exploded["mois"] = exploded["jour"].str[:7]
    counts = pd.concat([_counts(exploded.dropna()), _counts(exploded.assign(ressenti=ALL))], ignore_index=True)
    counts = counts[_of_services_told(counts)].sort_values([*GROUP, "ressenti"], ignore_index=True)
    return counts.assign(cache=_hidden(counts))


def _counts(exploded: pd.DataFrame) -> pd.DataFrame:
    groups = exploded.groupby([*GROUP, "ressenti"], sort=False)["jour"]
    return groups.agg(voix="size", jours="nunique").reset_index()


def _of_services_told(counts: pd.DataFrame) -> pd.Series[bool]:
    whole = counts[counts["theme"].eq(ALL) & counts["ressenti"].eq(ALL)].groupby(GROUP[:2])[["voix", "jours"]].sum()
    enough = whole[(whole["voix"] >= VOICES) & (whole["jours"] >= DAYS)]
    enough_voices = pd.MultiIndex.from_frame(counts[GROUP[:2]]).isin(list(enough.index))
    return pd.Series(enough_voices, index=counts.index, dtype=bool)


def _hidden(counts: pd.DataFrame) -> pd.Series[bool]:
    """Return which counts are hidden: of few voices or days, and a theme's total where one of its feelings isn't told.

    The voices that are neither positive nor negative would follow from it, unless all voices of the month are so.
    """
    few, of_all = (counts["voix"] < VOICES) | (counts["jours"] < DAYS), counts["ressenti"].eq(ALL)
    shown = (~few & ~of_all).groupby([counts[name] for name in GROUP], sort=False).transform("sum")
    felt = (~of_all).groupby([counts[name] for name in GROUP[:3]], sort=False).transform("any")
    return few | (of_all & counts["theme"].ne(ALL) & felt & shown.lt(len(FEELINGS)))


def about(count: float) -> int:
    """Return a number of voices as it is told: the nearest multiple of STEP, never 0 when there are some."""
    return max(STEP, STEP * int((count + STEP / 2) // STEP)) if count else 0


def fewest(voices: int) -> int:
    """Return the least that there may be where ``voices`` voices are."""
    return max(VOICES, voices - STEP // 2)


def voices_table(counts: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of the table ``themes_voix``; ``labels``: of the themes.

    A theme's total that is hidden has no row: that there is one would tell voices that are neither of its feelings.
    """
    counts = counts[~(counts["cache"] & counts["theme"].ne(ALL) & counts["ressenti"].eq(ALL))].reset_index(drop=True)
    hidden = counts["cache"]
    return counts.assign(
        theme_libelle=counts["theme"].map(lambda theme: theme_label(theme, labels)),
        voix=counts["voix"].map(about).astype("Int64").mask(hidden),
        statut=np.where(hidden, FigureStatus.SECRET.value, FigureStatus.PUBLISHED.value),
    ).drop(columns=["jours", "cache"])


def share_with_a_theme(voices: pa.Table) -> dict[tuple[str, str], float]:
    """Return, by network and service, the share (%) of the voices in which a theme is found, campaigns left out.

    A service of few voices, or of few without or with a theme, has none.
    """
    frame = voices.select(["network", "service", "themes", "campaign"]).to_pandas()
    frame = frame[~frame["campaign"].astype(bool)]
    themed = frame["themes"].map(len).gt(0).groupby([frame["network"], frame["service"]])
    count, with_theme = themed.size(), themed.sum()
    enough = (with_theme >= VOICES) & (count - with_theme >= VOICES)
    return {(str(one), str(other)): float(share) for (one, other), share in (100 * with_theme / count)[enough].items()}


def theme_label(theme: str, labels: Mapping[str, str]) -> str:
    """Return a theme in words; one that is no longer declared keeps its name."""
    return "Toutes les voix" if theme == ALL else labels.get(theme, theme)


class Counts:
    """The counts, asked by place: network, service, month, theme, feeling."""

    def __init__(self, counts: pd.DataFrame) -> None:
        keys = counts[[*GROUP, "ressenti"]].itertuples(index=False, name=None)
        figures = zip(counts["voix"].tolist(), counts["cache"].tolist(), strict=True)
        self._figures = dict(zip(keys, figures, strict=True))

    def total(self, place: tuple[str, str, str, str, str]) -> int | None:
        """Return the number of voices of a place, None when it is hidden; 0 of a place that no voice is of.

        That a theme has no voice of any feeling is hidden too.
        """
        total, hidden = self._figures.get(place, (0, place[-1] == ALL != place[-2]))
        return None if hidden else int(total)
