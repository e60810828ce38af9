"""Estimators of what users say: shares of answers, notes, net scores. Amounts and delays are in ``amounts``."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from pipelines.declarations.estimators.estimator import (
    NET,
    NORMAL,
    WILSON,
    AnswerModel,
    Bounds,
    Card,
    EstimatorModel,
    RatingModel,
    Scale,
    UnitBounds,
    Worked,
)
from pipelines.declarations.strict_model import Model, Scalar

_YES_NO = {"favourable": ["oui"], "among": ["oui", "non"], "excluded": ["ne se prononce pas"]}


class Share(AnswerModel):
    """Share (%) of the answers of ``among`` that are in ``favourable``; what is not in ``among`` is out of the base."""

    name: Literal["share"]
    favourable: tuple[Scalar, ...] = Field(min_length=1)
    among: tuple[Scalar, ...] = Field(min_length=1)
    unit_adds: ClassVar[UnitBounds] = (0.0, 1.0)
    proportion: ClassVar[bool] = True
    percent: ClassVar[bool] = True
    card: ClassVar[Card] = Card(
        title="part de réponses",
        definition="Part des réponses favorables (favourable) parmi les réponses de la base (among). « Ne se "
        "prononce pas », les codes d'absence et les blancs n'entrent pas dans la base.",
        source="programme Services Publics + : satisfaction globale ; arrêté du 31 août 2023 (NOR TFPT2322190A)",
        unit="%",
        range="0 à 100",
        interval=WILSON,
        examples=(
            Worked(
                _YES_NO,
                ({"answer": "oui"}, {"answer": "non"}, {"answer": "ne se prononce pas"}, {"answer": None}),
                50,
                "une réponse favorable sur deux ; les deux autres lignes sont hors de la base",
            ),
            Worked(_YES_NO, ({"answer": "oui"}, {"answer": "non"}), 75, "3 / (3 + 1)", weights=(3, 1)),
            Worked(
                _YES_NO,
                tuple({"answer": "oui" if i < 15 else "non"} for i in range(148)),
                10.135135135,
                "15 réponses favorables sur 148 : bornes publiées par Newcombe (1998), table I, méthode 3",
                bounds=(6.24, 16.05),
            ),
        ),
    )

    def answers(self) -> tuple[Scalar, ...]:
        """Return every answer of the base."""
        return self.among

    @model_validator(mode="after")
    def _favourable_is_in_the_base(self) -> Share:
        if not set(self.favourable) < set(self.among):
            raise ValueError("favourable doit être une partie (pas le tout) de among")
        return self


class TopBox(RatingModel):
    """Share (%) of the ``top`` highest notes of the scale (CSAT: 4 and 5 of 1-5)."""

    name: Literal["top_box"]
    top: int = Field(ge=1)
    unit_adds: ClassVar[UnitBounds] = (0.0, 1.0)
    proportion: ClassVar[bool] = True
    percent: ClassVar[bool] = True
    card: ClassVar[Card] = Card(
        title="part des meilleures notes (CSAT)",
        definition="Part des top meilleures notes de l'échelle déclarée (scale) parmi les notes données.",
        source="usage : CSAT, notes 4 et 5 sur 5 ; qualité des démarches en ligne : notes de 8 et plus sur 10",
        unit="%",
        range="0 à 100",
        interval=WILSON,
        examples=(
            Worked(
                {"scale": [1, 5], "top": 2},
                ({"rating": 5}, {"rating": 4}, {"rating": 3}, {"rating": 1}),
                50,
                "deux notes de 4 ou 5 sur quatre",
            ),
            Worked(
                {"scale": [1, 5], "top": 2},
                ({"rating": 5}, {"rating": 9}, {"rating": None}),
                100,
                "9 n'est pas sur l'échelle : hors de la base, comme le blanc",
            ),
        ),
    )


class Nps(EstimatorModel):
    """Net Promoter Score, -100 to +100: % of 9-10 minus % of 0-6 on the scale 0-10."""

    name: Literal["nps"]
    percent: ClassVar[bool] = True
    net: ClassVar[bool] = True
    unit_adds: ClassVar[UnitBounds] = (-1.0, 1.0)
    inputs: ClassVar[tuple[str, ...]] = ("rating",)
    card: ClassVar[Card] = Card(
        title="indice de recommandation (NPS)",
        definition="Part des promoteurs (notes 9 et 10) moins part des détracteurs (notes 0 à 6), sur l'échelle de "
        "0 à 10 ; les notes 7 et 8 comptent dans la base.",
        source="Reichheld, « The One Number You Need to Grow », Harvard Business Review, 2003",
        unit="points",
        range="-100 à 100",
        interval=NET,
        examples=(
            Worked(
                {},
                ({"rating": 10}, {"rating": 9}, {"rating": 8}, {"rating": 6}),
                25,
                "deux promoteurs, un passif, un détracteur",
            ),
            Worked(
                {},
                ({"rating": 10}, {"rating": 0}, {"rating": 7}, {"rating": None}),
                0,
                "un promoteur, un détracteur, un passif : trois réponses ne disent presque rien",
                bounds=(-69.240474, 69.240474),
            ),
            Worked(
                {},
                tuple({"rating": rating} for rating in [10] + [0] * 7 + [8] * 13),
                -28.571428571,
                "un promoteur et sept détracteurs sur 21 : bornes publiées par Fagerland, Lydersen et Laake (2014), "
                "Statistics in Medicine 33, données de Bentur et al.",
                bounds=(-51.7, -2.6),
            ),
            Worked(
                {},
                ({"rating": 9},) * 10,
                100,
                "que des promoteurs : l'intervalle n'est pas nul",
                bounds=(44.493440, 100),
            ),
        ),
    )

    @property
    def note_scale(self) -> Scale:
        """From 0 to 10, by definition."""
        return 0, 10


class NetSatisfaction(AnswerModel):
    """% satisfied minus % dissatisfied, -100 to +100, from one question; ``neutral`` stays in the base."""

    name: Literal["net_satisfaction"]
    satisfied: tuple[Scalar, ...] = Field(min_length=1)
    dissatisfied: tuple[Scalar, ...] = Field(min_length=1)
    neutral: tuple[Scalar, ...] = ()
    percent: ClassVar[bool] = True
    net: ClassVar[bool] = True
    unit_adds: ClassVar[UnitBounds] = (-1.0, 1.0)
    card: ClassVar[Card] = Card(
        title="taux net de satisfaction",
        definition="Part des satisfaits (satisfied) moins part des insatisfaits (dissatisfied), à une même question "
        "; neutral compte dans la base.",
        source="programme Services Publics + : taux net de satisfaction",
        unit="points",
        range="-100 à 100",
        interval=NET,
        examples=(
            Worked(
                {"satisfied": ["+"], "dissatisfied": ["-"], "neutral": ["="]},
                ({"answer": "+"}, {"answer": "+"}, {"answer": "-"}, {"answer": "="}),
                25,
                "(2 - 1) / 4",
            ),
            Worked(
                {"satisfied": ["+"], "dissatisfied": ["-"], "excluded": ["="]},
                ({"answer": "+"}, {"answer": "+"}, {"answer": "-"}, {"answer": "="}),
                33.333333333,
                "la réponse neutre, mise hors de la base : (2 - 1) / 3",
            ),
        ),
    )

    def answers(self) -> tuple[Scalar, ...]:
        """Return every answer of the base."""
        return (*self.satisfied, *self.neutral, *self.dissatisfied)


class Points(Model):
    """The points that one answer is worth."""

    answer: Scalar
    points: float


_JDMA = {
    "points": [
        {"answer": "Excellent", "points": 10}, {"answer": "Bien", "points": 7.5}, {"answer": "Moyen", "points": 5},
        {"answer": "Décevant", "points": 2.5}, {"answer": "Mauvais", "points": 0},
    ],
}  # fmt: skip


class Score(AnswerModel):
    """Mean of the points of the answers (JDMA: five levels 10 / 7.5 / 5 / 2.5 / 0)."""

    name: Literal["score"]
    points: tuple[Points, ...] = Field(min_length=2)
    card: ClassVar[Card] = Card(
        title="score d'avis (JDMA)",
        definition="Moyenne des points (points) que valent les réponses. « Je donne mon avis » : cinq niveaux, 10 / "
        "7,5 / 5 / 2,5 / 0, ou trois, 10 / 5 / 0. Sans avis, aucune valeur, jamais 0.",
        source="« Je donne mon avis » (DINUM), code public ; affichage à partir de 100 avis",
        unit="points",
        range="du plus petit au plus grand nombre de points déclarés",
        interval=NORMAL,
        examples=(
            Worked(
                _JDMA,
                ({"answer": "Excellent"}, {"answer": "Bien"}, {"answer": "Mauvais"}, {"answer": None}),
                5.833333333,
                "(10 + 7,5 + 0) / 3",
            ),
            Worked(_JDMA, ({"answer": None},), None, "aucun avis, donc aucune valeur"),
        ),
    )

    def answers(self) -> tuple[Scalar, ...]:
        """Return every answer that is worth points."""
        return tuple(item.answer for item in self.points)

    def unit_bounds(self, bounds: Bounds | None) -> UnitBounds:  # noqa: ARG002 (the points are declared)
        """Return the fewest and the most points that an answer is worth."""
        points = [item.points for item in self.points]
        return min(points), max(points)


class Ces(RatingModel):
    """Customer Effort Score: mean of the notes; no single scale nor direction exists, so both are declared."""

    name: Literal["ces"]
    best: Literal["low", "high"]
    card: ClassVar[Card] = Card(
        title="effort perçu (CES)",
        definition="Moyenne des notes sur l'échelle déclarée (scale). Ni l'échelle ni le sens ne sont universels : "
        "best dit si le mieux est la note basse (low) ou haute (high).",
        source="Dixon, Freeman et Toman, « Stop Trying to Delight Your Customers », Harvard Business Review, 2010",
        unit="note sur l'échelle déclarée",
        range="l'échelle déclarée",
        interval=NORMAL,
        examples=(
            Worked(
                {"scale": [1, 7], "best": "high"},
                ({"rating": 7}, {"rating": 5}, {"rating": 3}, {"rating": 0}),
                5,
                "0 n'est pas sur l'échelle : hors de la base",
            ),
            Worked(
                {"scale": [1, 7], "best": "high"}, ({"rating": 7}, {"rating": 3}), 6, "(7 × 3 + 3) / 4", weights=(3, 1)
            ),
        ),
    )

    def unit_bounds(self, bounds: Bounds | None) -> UnitBounds:  # noqa: ARG002 (the scale is declared)
        """Return the lowest and the highest note."""
        return float(self.scale[0]), float(self.scale[1])
