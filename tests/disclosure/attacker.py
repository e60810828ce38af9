"""A reader who attacks published tables of results with linear programmes. Shares nothing with the product.

He reads ``resultats`` as anybody can: what is shown is what it is; places add up to the nearest wider place published,
periods to their year; favourable answers are no more than answers; two questions that have the same base wherever both
are shown have it everywhere, and one that never has more never has; a place of a year has
somebody who answered the question asked of all. Of the figures
that earlier releases showed, he knows which still hold. What he takes for granted of two questions may be wrong: told
the truth (``truth``), he takes for granted only what holds of it.
"""

from __future__ import annotations

import highspy
import numpy as np
import pandas as pd

LEVELS = ["site", "departement", "region", "national"]
PLACE = ["maille", "territoire_code", "structure_code"]
KEY = ["indicateur", "periode", *PLACE]


def key_of(row) -> tuple[str, ...]:
    return tuple("" if pd.isna(row[name]) else str(row[name]) for name in KEY)


class Attacker:
    """The programme of one table: two unknowns (base, favourable) per row; ``known``: figures of earlier releases."""

    def __init__(
        self, table: pd.DataFrame, regions: dict[str, str], known: dict[tuple[str, ...], tuple[float, float]],
        asked_of_all: str = "essai", truth: dict[tuple[str, ...], tuple[float, float]] | None = None,
    ) -> None:  # fmt: skip
        rows = table[table["indicateur"].notna()].to_dict("records")
        self.at = {key_of(row): 2 * number for number, row in enumerate(rows)}
        self._regions = regions
        self._asked_of_all, self._truth = asked_of_all, truth
        self._low, self._high = np.zeros(2 * len(rows)), np.full(2 * len(rows), 1e5)
        self._links: list[tuple[dict[int, float], float, float]] = []
        for row in rows:
            self._row(row, known)
        self._places()
        self._years()
        self._questions()
        self._start()

    def _row(self, row, known) -> None:
        at, key = self.at[key_of(row)], key_of(row)
        shown = row["statut_confidentialite"] == "F"
        if shown or key in known:
            base, favourable = (row["effectif"], row["numerateur"]) if shown else known[key]
            base = 0.0 if pd.isna(base) else base
            self._low[at] = self._high[at] = base
            self._low[at + 1] = self._high[at + 1] = 0.0 if pd.isna(favourable) else favourable
        elif self._asked_of_all and len(row["periode"]) == 4 and row["indicateur"] == self._asked_of_all:
            self._low[at] = 1.0
        self._links.append(({at: 1.0, at + 1: -1.0}, 0.0, 1e6))

    def _parent(self, key: tuple[str, ...]) -> tuple[str, ...] | None:
        indicator, period, level, territory, _ = key
        for wider in LEVELS[LEVELS.index(level) + 1 :]:
            code = {"departement": territory, "national": "FR"}.get(wider)
            if wider == "region":
                code = territory if level == "region" else self._regions.get(territory)
            above = (indicator, period, wider, code or "", "")
            if above in self.at:
                return above
        return None

    def _places(self) -> None:
        below: dict[tuple[str, ...], list[int]] = {}
        for key, at in self.at.items():
            if parent := self._parent(key):
                below.setdefault(parent, []).append(at)
        for parent, children in below.items():
            for part in (0, 1):
                self._links.append(({self.at[parent] + part: -1.0, **{at + part: 1.0 for at in children}}, 0.0, 0.0))

    def _years(self) -> None:
        finer: dict[tuple[str, ...], list[int]] = {}
        for key, at in self.at.items():
            if len(key[1]) > 4:
                finer.setdefault((key[0], key[1][:4], *key[2:]), []).append(at)
        for year, parts in finer.items():
            if year in self.at:
                for part in (0, 1):
                    self._links.append(({self.at[year] + part: -1.0, **{at + part: 1.0 for at in parts}}, 0.0, 0.0))

    def _questions(self) -> None:
        names = sorted({key[0] for key in self.at})
        for one in names:
            for other in names:
                pairs = [(key, (other, *key[1:])) for key in self.at
                         if key[0] == one != other and (other, *key[1:]) in self.at]  # fmt: skip
                most = self._most_between(pairs)
                if most is not None:
                    self._links += [({self.at[a]: -1.0, self.at[b]: 1.0}, 0.0, most) for a, b in pairs]

    def _most_between(self, pairs: list[tuple[tuple[str, ...], tuple[str, ...]]]) -> float | None:
        """How much larger the second base of a pair may be: none, anything, or (None) nothing is said of them."""
        known = [(self._low[a], self._low[b]) for a, b in ((self.at[a], self.at[b]) for a, b in pairs)
                 if self._low[a] == self._high[a] and self._low[b] == self._high[b]]  # fmt: skip
        if not known:
            return None
        if self._truth is not None:
            nobody = 0.0, 0.0
            known = [(self._truth.get(a, nobody)[0], self._truth.get(b, nobody)[0]) for a, b in pairs]
        if all(a == b for a, b in known):
            return 0.0
        return 1e6 if all(a <= b for a, b in known) else None

    def _start(self) -> None:
        self._solver = highspy.Highs()
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)
        infinity = highspy.kHighsInf
        for low, high in zip(self._low, self._high, strict=True):
            self._solver.addVar(low, high)
        for factors, low, high in self._links:
            columns = np.array(list(factors), dtype=np.int32)
            self._solver.addRow(low, high if high < 1e6 else infinity, len(columns), columns,
                                np.array(list(factors.values())))  # fmt: skip
        self.possible = self._optimum(0, 0.0) is not None

    def _optimum(self, column: int, sign: float) -> float | None:
        self._solver.changeColCost(column, sign)
        self._solver.run()
        found = self._solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        value = self._solver.getSolution().col_value[column] if found else None
        self._solver.changeColCost(column, 0.0)
        return value

    def base(self, key: tuple[str, ...]) -> tuple[float, float]:
        """The least and greatest that the base of a row may be."""
        return self._range(self.at[key])

    def favourable(self, key: tuple[str, ...]) -> tuple[float, float]:
        """The same of its favourable answers."""
        return self._range(self.at[key] + 1)

    def unfavourable(self, key: tuple[str, ...]) -> float:
        """The greatest number of unfavourable answers."""
        at = self.at[key]
        self._solver.changeColCost(at + 1, 1.0)
        low = self._optimum_of_both(at)
        self._solver.changeColCost(at + 1, 0.0)
        return low

    def _optimum_of_both(self, at: int) -> float:
        self._solver.changeColCost(at, -1.0)
        self._solver.run()
        value = self._solver.getSolution().col_value
        self._solver.changeColCost(at, 0.0)
        return value[at] - value[at + 1]

    def _range(self, at: int) -> tuple[float, float]:
        low, high = self._optimum(at, 1.0), self._optimum(at, -1.0)
        assert low is not None and high is not None, "the published figures contradict one another"
        return low, high
