"""The closed list of estimators that an indicator may name: their parameters and inputs.

How they are computed is in compute.

Sources: domain definitions of the programme Services Publics + (ESSOC, article 68 8°; arrêté of 31 August 2023,
NOR TFPT2322190A); Reichheld (2003) for the NPS; "Je donne mon avis" scoring for ``score``.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pipelines.declarations.base import Model, Scalar, Text

LevelMethod = Literal["declared", "sum", "ratio_of_sums", "weighted_mean", "pooled"]
YearMethod = Literal["declared", "last", "sum", "ratio_of_sums", "weighted_mean", "pooled"]
Scale = tuple[int, int]


class _Estimator(Model):
    """What every estimator says of itself: its inputs, and how levels and years may be made from it."""

    inputs: ClassVar[tuple[str, ...]] = ("value",)
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("pooled",)
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("pooled",)

    def answers(self) -> tuple[Scalar, ...]:
        """Return the answers that the estimator names, for those that name some."""
        return ()


class _Scaled(_Estimator):
    scale: Annotated[Scale, Field(description="lowest and highest note")]

    @model_validator(mode="after")
    def _scale_goes_up(self) -> _Scaled:
        if self.scale[0] >= self.scale[1]:
            raise ValueError("scale : la note la plus basse d'abord, puis la plus haute, par exemple [1, 5]")
        return self


class Share(_Estimator):
    """Share (%) of the answers of ``among`` that are in ``favourable``; what is not in ``among`` is out of the base."""

    name: Literal["share"]
    favourable: tuple[Scalar, ...] = Field(min_length=1)
    among: tuple[Scalar, ...] = Field(min_length=1)
    inputs: ClassVar[tuple[str, ...]] = ("answer",)

    def answers(self) -> tuple[Scalar, ...]:
        """Return every answer of the base."""
        return self.among

    @model_validator(mode="after")
    def _favourable_is_in_the_base(self) -> Share:
        if not set(self.favourable) < set(self.among):
            raise ValueError("favourable doit être une partie (pas le tout) de among")
        return self


class TopBox(_Scaled):
    """Share (%) of the ``top`` highest notes of the scale (CSAT: 4 and 5 of 1-5)."""

    name: Literal["top_box"]
    top: int = Field(ge=1)
    inputs: ClassVar[tuple[str, ...]] = ("rating",)


class Nps(_Estimator):
    """Net Promoter Score, -100 to +100: % of 9-10 minus % of 0-6 on the scale 0-10."""

    name: Literal["nps"]
    inputs: ClassVar[tuple[str, ...]] = ("rating",)


class NetSatisfaction(_Estimator):
    """% satisfied minus % dissatisfied, -100 to +100, from one question; ``neutral`` stays in the base."""

    name: Literal["net_satisfaction"]
    satisfied: tuple[Scalar, ...] = Field(min_length=1)
    dissatisfied: tuple[Scalar, ...] = Field(min_length=1)
    neutral: tuple[Scalar, ...] = ()
    inputs: ClassVar[tuple[str, ...]] = ("answer",)

    def answers(self) -> tuple[Scalar, ...]:
        """Return every answer of the base."""
        return (*self.satisfied, *self.neutral, *self.dissatisfied)


class Points(Model):
    """The points that one answer is worth."""

    answer: Scalar
    points: float


class Score(_Estimator):
    """Mean of the points of the answers (JDMA: five levels 10 / 7.5 / 5 / 2.5 / 0)."""

    name: Literal["score"]
    points: tuple[Points, ...] = Field(min_length=2)
    inputs: ClassVar[tuple[str, ...]] = ("answer",)

    def answers(self) -> tuple[Scalar, ...]:
        """Return every answer that is worth points."""
        return tuple(item.answer for item in self.points)


class Ces(_Scaled):
    """Customer Effort Score: mean of the notes; no single scale nor direction exists, so both are declared."""

    name: Literal["ces"]
    best: Literal["low", "high"]
    inputs: ClassVar[tuple[str, ...]] = ("rating",)


class Mean(_Estimator):
    """Mean of a value, weighted when the export declares a weight."""

    name: Literal["mean"]


class Median(_Estimator):
    """Median of a value, weighted when the export declares a weight."""

    name: Literal["median"]


class Sum(_Estimator):
    """Sum of a value; a year made of finer periods is published only when all of them are there."""

    name: Literal["sum"]
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("sum",)
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("sum",)


class Ratio(_Estimator):
    """Ratio of sums: ``factor`` x sum of numerators / sum of denominators (rates: factor 100; mean delays: 1)."""

    name: Literal["ratio"]
    factor: float = Field(default=100, gt=0)
    inputs: ClassVar[tuple[str, ...]] = ("numerator", "denominator")
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("ratio_of_sums",)
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("ratio_of_sums",)


class Declared(_Estimator):
    """A value typed by the network, with its base where it gives one. Never averaged without a base."""

    name: Literal["declared"]
    optional_inputs: ClassVar[tuple[str, ...]] = ("base",)
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("declared", "sum", "weighted_mean")
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("declared", "last", "sum", "weighted_mean")


Estimator = Annotated[
    Share | TopBox | Nps | NetSatisfaction | Score | Ces | Mean | Median | Sum | Ratio | Declared,
    Field(discriminator="name"),
]
ESTIMATORS: tuple[type[_Estimator], ...] = (
    Share, TopBox, Nps, NetSatisfaction, Score, Ces, Mean, Median, Sum, Ratio, Declared,
)  # fmt: skip


class Example(Model):
    """Rows of inputs and the value they must give: run by the tests, read by whoever wonders."""

    rows: tuple[dict[str, Scalar | None], ...] = Field(min_length=1)
    weights: tuple[float, ...] | None = None
    value: float | None
    why: Text
