"""Model of ``schemas/indicators/<indicator>.yml``: what is measured, how, at which levels, and from which exports."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.declarations.estimators import Estimator, Example, LevelMethod, YearMethod
from pipelines.declarations.strict_model import ColumnName, Frequency, Identifier, Level, Model, Scalar, Text, Years

NamespacedCode = Annotated[str, Field(pattern=r"^(spplus|pilote|barometre):[A-Za-z0-9-]+$")]


class LevelRule(Model):
    """How a level is obtained and, for a typed one, against what its parts are compared (published in ``ecarts``)."""

    obtained: LevelMethod
    compare: Literal["sum"] | None = None

    @model_validator(mode="after")
    def _only_typed_levels_are_compared(self) -> LevelRule:
        if self.compare and self.obtained != "declared":
            raise ValueError("compare n'a de sens que pour une maille déclarée (obtained: declared)")
        return self


class Break(Model):
    """A break in the series: from ``year`` on, values do not compare with earlier ones."""

    year: int
    why: Text


class Target(Model):
    """The value aimed at for a year, at one level (a national target says nothing of a département).

    The way done towards it is told from ``initial``, or from the published value of the year ``since``; without either,
    there is a target and no progress.
    """

    year: int
    value: float
    level: Level = "national"
    initial: float | None = None
    since: int | None = None

    @model_validator(mode="after")
    def _starts_once_and_before(self) -> Target:
        if self.initial is not None and self.since is not None:
            raise ValueError("indiquer initial ou since, pas les deux")
        if self.since is not None and self.since >= self.year:
            raise ValueError(f"since : {self.since} ne précède pas l'année de la cible ({self.year})")
        return self


class PlausibleChange(Model):
    """The change in a year beyond which a value is told to be unusual: it is published, with a warning, never hidden.

    ``max`` is in the unit of the indicator or, if ``relative``, in % of the value before. ``levels``: where it holds
    (everywhere by default); ``base``: the answers under which chance alone may jump that far.
    """

    max: float = Field(gt=0)
    why: Text
    relative: bool = False
    levels: tuple[Level, ...] = ()
    base: int = Field(default=0, ge=0)


class Feed(Model):
    """What feeds the indicator in one network: exports, input columns, rows kept, and any level of its own."""

    export: tuple[Identifier, ...] = Field(min_length=1)
    inputs: dict[Identifier, ColumnName]
    where: dict[ColumnName, tuple[Scalar, ...]] = Field(default_factory=dict)
    years: Years | None = None
    contributor: ColumnName | None = Field(default=None, description="field that names the enterprise of each row")
    frequency: Frequency | None = Field(default=None, description="finest period published (default: the export's)")
    levels: dict[Level, LevelRule] | None = None
    targets: tuple[Target, ...] = ()
    breaks: tuple[Break, ...] = Field(default=(), description="breaks of this network alone")

    @field_validator("export", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("where", mode="before")
    @classmethod
    def _one_value_or_several(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: item if isinstance(item, list) else [item] for key, item in value.items()}


class MinimumBase(Model):
    """Under this number of answers (or events) a value is not published, and for which reason."""

    answers: int = Field(ge=1)
    reason: Literal["secret-statistique", "base-insuffisante"] = "secret-statistique"
    why: Text


class EnterpriseSecrecy(Model):
    """Secrecy of data on enterprises: too few of them, or one that makes nearly all of a value (INSEE: 3 and 85 %)."""

    units: int = Field(default=3, ge=2)
    dominance: float = Field(default=0.85, gt=0, le=1, description="greatest share that one enterprise may make")
    why: Text


class Indicator(Model):
    """An indicator: definition, estimator, unit, levels, minimum base, series, and its feeds."""

    title: Text
    definition: Text
    type: Literal["performance", "satisfaction"]
    population: Literal["users", "staff"] = "users"
    unit: Text
    unit_family: Literal["taux", "note", "durée", "nombre"]
    direction: Literal["higher", "lower", "neutral"]
    codes: tuple[NamespacedCode, ...] = ()
    engagement: Identifier | None = None
    estimator: Estimator
    decimals: int = Field(ge=0, le=6)
    range: tuple[float, float] | None = None
    year: YearMethod
    levels: dict[Level, LevelRule] = Field(min_length=1)
    minimum_base: MinimumBase | None = None
    enterprises: EnterpriseSecrecy | None = None
    breaks: tuple[Break, ...] = ()
    plausible_change: PlausibleChange | None = None
    networks: dict[Identifier, Feed] = Field(min_length=1)
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _enterprises_are_named(self) -> Indicator:
        if self.enterprises is None:
            return self
        if self.minimum_base is not None:
            raise ValueError("enterprises tient lieu de minimum_base : retirez l'un des deux")
        if self.estimator.family in ("typed", "networks"):
            raise ValueError(f"enterprises demande des lignes : l'estimateur {self.estimator.name} n'en a pas")
        for network, feed in self.networks.items():
            if feed.contributor is None:
                raise ValueError(f"networks.{network} : enterprises demande contributor, le champ de l'entreprise")
        return self

    @model_validator(mode="after")
    def _methods_suit_the_estimator(self) -> Indicator:
        for level, rule in self.level_rules:
            if rule.obtained not in self.estimator.level_methods:
                raise ValueError(
                    f"levels.{level} : « {rule.obtained} » ne convient pas à l'estimateur {self.estimator.name} ; "
                    f"permis : {', '.join(self.estimator.level_methods)}"
                )
        if self.year not in self.estimator.year_methods:
            raise ValueError(
                f"year : « {self.year} » ne convient pas à l'estimateur {self.estimator.name} ; "
                f"permis : {', '.join(self.estimator.year_methods)}"
            )
        return self

    @model_validator(mode="after")
    def _effort_says_the_same_direction_twice(self) -> Indicator:
        best = getattr(self.estimator, "best", None)
        if best and self.direction == {"low": "higher", "high": "lower"}[best]:
            raise ValueError(f"direction : « {self.direction} » contredit best: {best} de l'estimateur")
        return self

    @model_validator(mode="after")
    def _changes_are_judged_where_published(self) -> Indicator:
        published = {level for level, _ in self.level_rules}
        if self.plausible_change and (unknown := set(self.plausible_change.levels) - published):
            raise ValueError(f"plausible_change.levels : maille non publiée, {', '.join(sorted(unknown))}")
        return self

    @property
    def level_rules(self) -> list[tuple[Level, LevelRule]]:
        """Every level with how it is obtained: the indicator's own, and those that networks have of their own."""
        own = [feed.levels for feed in self.networks.values() if feed.levels]
        return [rule for levels in (self.levels, *own) for rule in levels.items()]

    def levels_in(self, network: str) -> dict[Level, LevelRule]:
        """Return the levels published for ``network``: its own declaration, else the indicator's."""
        return self.networks[network].levels or self.levels
