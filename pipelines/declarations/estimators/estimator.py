"""What every estimator declares of itself: parameters, inputs, how levels and years are made, and its card.

The estimators are in the sibling modules; how they are computed is in compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from pipelines.declarations.periods import is_day
from pipelines.declarations.strict_model import Model, Scalar, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

LevelMethod = Literal["declared", "sum", "ratio_of_sums", "weighted_mean", "pooled", "network_share", "network_mean"]
YearMethod = Literal["declared", "last", "sum", "ratio_of_sums", "weighted_mean", "pooled"]
Family = Literal["mean", "ratio", "total", "quantile", "typed", "networks"]
InputType = Literal["number", "date", "any"]
ExampleType = Literal["number", "date", "boolean", "string"]
Scale = tuple[int, int]
Bounds = tuple[float, float]
UnitBounds = tuple[float, float | None] | Literal[False]
_NOT_NUMBERS: dict[str, InputType] = {"answer": "any", "network": "any", "start": "date", "end": "date"}
_WANTED = {"number": "il faut un nombre", "date": "il faut un jour (2024-02-28)", "boolean": "il faut true ou false"}
NO_INTERVAL = "aucun : ce n'est pas une estimation par sondage"


class Example(Model):
    """Rows of inputs and the value they must give: run by the tests, read by whoever wonders."""

    rows: tuple[dict[str, Scalar | None], ...] = Field(min_length=1)
    weights: tuple[float, ...] | None = None
    value: float | None
    why: Text


@dataclass(frozen=True)
class Worked:
    """An example of the estimator itself: its parameters, rows, weights, and the value (and bounds) they must give."""

    parameters: Mapping[str, Any]
    rows: tuple[Mapping[str, Scalar | None], ...]
    value: float | None
    why: str
    weights: tuple[float, ...] | None = None
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Card:
    """What the manual says of an estimator, in French: the texts are published as they are."""

    title: str
    definition: str
    source: str
    examples: tuple[Worked, ...]
    unit: str = "celle de la valeur"
    range: str = "celle de la valeur"
    interval: str = NO_INTERVAL


def _fits(wanted: ExampleType, value: Scalar) -> bool:
    if wanted == "date":
        return isinstance(value, str) and is_day(value)
    if wanted == "string":
        return True
    return isinstance(value, bool) if wanted == "boolean" else isinstance(value, int | float)


class EstimatorModel(Model):
    """The parent of all estimators. ``family`` says which computation it is a case of.

    ``proportion``: it is a share; ``net``: a net score, a share less another, each answer coded 100, 0 or -100.
    ``in_unit_of_value``: its result is in the unit of the column that it reads.

    ``inputs`` are what a feed gives; ``alternatives``, other sets of inputs that do as well, all in ``input_names``.
    """

    card: ClassVar[Card]
    family: ClassVar[Family] = "mean"
    proportion: ClassVar[bool] = False
    net: ClassVar[bool] = False
    percent: ClassVar[bool] = False
    unit_adds: ClassVar[UnitBounds] = False
    in_unit_of_value: ClassVar[bool] = False
    inputs: ClassVar[tuple[str, ...]] = ("value",)
    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = ()
    optional_inputs: ClassVar[tuple[str, ...]] = ()
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("pooled",)
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("pooled",)

    def answers(self) -> tuple[Scalar, ...]:
        """Return the answers that the estimator names, for those that name some."""
        return ()

    def set_aside(self) -> tuple[Scalar, ...]:
        """Return the answers declared to be out of the base, for those that read answers."""
        return ()

    @property
    def note_scale(self) -> Scale | None:
        """The lowest and highest of the notes that it reads, None when it reads none."""
        return None

    def counted(self, inputs: Mapping[str, str]) -> str:
        """Name what its base counts, given the columns of its inputs: those of one name have equal bases."""
        return f"answers {next(iter(inputs.values()), '')} {sorted(map(str, self.answers()))}"

    def unit_bounds(self, bounds: Bounds | None) -> UnitBounds:  # noqa: ARG002 (for some it depends on them)
        """Return the least and greatest that one unit of base may add to ``numerateur`` (None: no limit), else False.

        ``bounds``: those of the indicator. With them the attacker of a secret knows that a numerator is at least (at
        most) so many times its denominator: two hidden cells whose numerators sum to nothing have nothing each.
        """
        return self.unit_adds

    @classmethod
    def input_names(cls) -> tuple[str, ...]:
        """Return every input that a feed may give."""
        every = (*cls.inputs, *(name for names in cls.alternatives for name in names), *cls.optional_inputs)
        return tuple(dict.fromkeys(every))

    @classmethod
    def input_type(cls, name: str) -> InputType:
        """Return the type of the column that the input ``name`` reads; ``any``: it is not computed with."""
        return _NOT_NUMBERS.get(name, "number")

    def example_type(self, name: str) -> ExampleType:
        """Return the type of the column that holds the input ``name`` in examples; answers, that of those it names."""
        of_input, answers = self.input_type(name), self.answers() if name == "answer" else ()
        if of_input != "any":
            return of_input
        if answers and all(isinstance(answer, bool) for answer in answers):
            return "boolean"
        if answers and all(_fits("number", answer) for answer in answers):
            return "number"
        return "string"

    def example_fault(self, example: Example) -> str:
        """Say, in French, why an example can't be computed: its inputs, their values, its weights; "" if it can."""
        given = {name for row in example.rows for name in row}
        if alien := sorted(given - set(self.input_names())):
            return f"entrée inconnue, {', '.join(alien)} ; permises : {', '.join(self.input_names())}"
        if missing := self.missing_inputs(given):
            return f"il y manque l'entrée « {missing[0]} »"
        if example.weights is not None and len(example.weights) != len(example.rows):
            return "donner autant de poids (weights) que de lignes (rows)"
        for row in example.rows:
            for name, value in row.items():
                wanted = self.example_type(name)
                if value is not None and not _fits(wanted, value):
                    return f"« {value} » ne convient pas à l'entrée {name} : {_WANTED[wanted]}"
        return ""

    @classmethod
    def missing_inputs(cls, given: set[str]) -> tuple[str, ...]:
        """Return the inputs still to give, of the set of inputs that ``given`` has begun; nothing when complete."""
        sets = (cls.inputs, *cls.alternatives)
        begun = max(sets, key=lambda names: len(given & set(names)))
        return tuple(name for name in begun if name not in given)


class AnswerModel(EstimatorModel):
    """An estimator of answers in words: those of its base, and those that ``excluded`` puts out of it, knowingly."""

    excluded: tuple[Scalar, ...] = Field(default=(), description="answers out of the base: « Ne se prononce pas »…")
    inputs: ClassVar[tuple[str, ...]] = ("answer",)

    def set_aside(self) -> tuple[Scalar, ...]:
        """Return the answers declared to be out of the base."""
        return self.excluded

    @model_validator(mode="after")
    def _excluded_is_out_of_the_base(self) -> AnswerModel:
        if both := sorted(str(answer) for answer in set(self.excluded) & set(self.answers())):
            raise ValueError(f"excluded : {', '.join(both)} compte déjà dans la base")
        return self


class RatingModel(EstimatorModel):
    """An estimator of notes on a declared scale; a note out of the scale is out of the base."""

    scale: Scale = Field(description="lowest and highest note")
    inputs: ClassVar[tuple[str, ...]] = ("rating",)

    @property
    def note_scale(self) -> Scale:
        """The lowest and highest of the notes that it reads."""
        return self.scale

    @model_validator(mode="after")
    def _scale_goes_up(self) -> RatingModel:
        if self.scale[0] >= self.scale[1]:
            raise ValueError("scale : la note la plus basse d'abord, puis la plus haute, par exemple [1, 5]")
        return self


# Words that several cards share.
_BY_DESIGN = (
    "avec un plan de sondage, loi de Student aux degrés de liberté du plan (grappes moins strates qui ont des lignes "
    "dans la base)"
)
_SIZE = (
    "avec des poids, sur l'effectif efficace de Kish (Σw)²/Σw² ; "
    f"{_BY_DESIGN}, sur l'effectif que laisse l'effet de plan, au plus le nombre de réponses (Korn et Graubard, 1998)"
)
WILSON = f"Wilson (1927) ; {_SIZE}"
NORMAL = (
    "normal, sur la variance des valeurs codées et l'effectif efficace de Kish (Σw)²/Σw² ; "
    f"{_BY_DESIGN}, sur la variance linéarisée entre grappes"
)
NET = (
    "intervalle de score de Tango (Statistics in Medicine 17, 1998), jamais nul ni hors de l'étendue, l'un des deux "
    "que Rocks retient pour le NPS (The American Statistician 70, 2016) ; sans réponse neutre, c'est celui de Wilson ; "
    f"{_SIZE}. Le test d'une évolution est le test de score (Rao, 1948) à mêmes variances contraintes"
)
RANKS = (
    "statistiques d'ordre : rangs de la loi binomiale (n, p), sans hypothèse sur la distribution ; avec des poids ou "
    f"un plan, Woodruff (1952) ; {_BY_DESIGN}"
)
