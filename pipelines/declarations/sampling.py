"""How an export was collected: sample or census, its design, and the margins to which a sample is calibrated.

What is computed with it (intervals, weights) is in compute.
"""

from __future__ import annotations

import datetime
import math
from typing import Literal

from pydantic import Field, model_validator

from pipelines.declarations.strict_model import ColumnName, Model, Text, Years

Collection = Literal["sample", "census"]
SUM_TOLERANCE = 5e-3  # published shares are rounded: 51.6 + 48.5 = 100.1 is a distribution, 97 is not


class Population(Model):
    """How many units the sample of some years was drawn from: clusters where the design has some, else rows.

    ``total`` without strata; by stratum otherwise, in ``strata``. Intervals are then narrower by what was not left to
    chance (finite population correction); none is needed for a census, which has no interval.
    """

    years: Years
    total: int | None = Field(default=None, ge=1)
    strata: dict[str, int] | None = None
    source: Text

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Population:
        if (self.total is None) == (not self.strata):
            raise ValueError("population : indiquer soit total, soit strata")
        if self.strata and min(self.strata.values()) < 1:
            raise ValueError("population : une strate compte au moins une unité")
        return self


class Design(Model):
    """The sampling design: strata and first-stage clusters (primary sampling units), as columns of the export.

    ``single`` rules what a stratum of one cluster adds to the variance: ``none`` gives no interval at all (nothing can
    be said), ``certainty`` adds nothing (the cluster was taken for sure), ``centred`` compares it with the mean of all.
    """

    strata: ColumnName | None = None
    clusters: ColumnName | None = None
    single: Literal["none", "certainty", "centred"] = "none"
    population: tuple[Population, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Design:
        if not (self.strata or self.clusters or self.population):
            raise ValueError("indiquer strata, clusters, ou les deux (ou la population d'un tirage simple)")
        if any(bool(population.strata) != bool(self.strata) for population in self.population):
            raise ValueError("population : par strate (strata) si le plan en a, sinon un total")
        years = [year for population in self.population for year in population.years]
        if len(set(years)) < len(years):
            raise ValueError("population : une même année est déclarée deux fois")
        return self

    def population_of(self, year: int) -> dict[str, int] | None:
        """Return how many units there are to draw from in a year, by stratum ("" without strata), if declared."""
        of_year = next((population for population in self.population if year in population.years), None)
        if of_year is None:
            return None
        return of_year.strata or {"": of_year.total or 0}

    @property
    def columns(self) -> list[str]:
        """The declared columns, strata first."""
        return [name for name in (self.strata, self.clusters) if name]


class Margin(Model):
    """The known distribution of one column in the population: totals, or shares (of 1, or of 100)."""

    field: ColumnName
    totals: dict[str, float] | None = None
    shares: dict[str, float] | None = None
    source: Text
    date: datetime.date

    @model_validator(mode="after")
    def _is_a_distribution(self) -> Margin:
        amounts = self.totals or self.shares
        if bool(self.totals) == bool(self.shares) or amounts is None:
            raise ValueError("indiquer soit totals, soit shares")
        if min(amounts.values()) < 0:
            raise ValueError("une marge ne peut pas être négative")
        total = sum(amounts.values())
        if self.shares and not any(abs(total / whole - 1) <= SUM_TOLERANCE for whole in (1, 100)):
            raise ValueError(f"shares : la somme est {total:g}, ni 1 ni 100")
        if total <= 0:
            raise ValueError("totals : la somme est nulle")
        return self

    @property
    def fractions(self) -> dict[str, float]:
        """The share of each category, adding up to 1."""
        amounts = self.totals or self.shares or {}
        total = math.fsum(amounts.values())
        return {category: value / total for category, value in amounts.items()}


class Calibration(Model):
    """Margins to which the weights of some years are brought, by raking (or, with ``bounds``, the logit method).

    ``bounds``: lowest and highest ratio of the new weight to the old one.
    """

    years: Years
    margins: tuple[Margin, ...] = Field(min_length=1)
    bounds: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _margins_agree(self) -> Calibration:
        sums = [math.fsum(margin.totals.values()) for margin in self.margins if margin.totals]
        if sums and max(sums) - min(sums) > SUM_TOLERANCE * max(sums):
            raise ValueError("margins : les totaux des marges ne décrivent pas la même population")
        if len({margin.field for margin in self.margins}) < len(self.margins):
            raise ValueError("margins : deux marges portent sur la même colonne")
        if self.bounds and not 0 <= self.bounds[0] < 1 < self.bounds[1]:
            raise ValueError("bounds : une borne sous 1 et une au-dessus, par exemple [0.3, 3]")
        return self

    @property
    def total(self) -> float | None:
        """The size of the population, where a margin gives totals."""
        return next((math.fsum(margin.totals.values()) for margin in self.margins if margin.totals), None)
