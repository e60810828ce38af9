"""The ground that every declared model stands on: strict, frozen, with the few shared types.

A declared pattern says only what an engine of linear time judges (RE2: no look around, no back reference): otherwise
one cell of a producer could stop a night. No model of a file here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=63)]
Text = Annotated[str, Field(min_length=1)]
Scalar = str | int | float | bool

Level = Literal["site", "departement", "region", "national"]
LEVELS: tuple[Level, ...] = ("site", "departement", "region", "national")
Frequency = Literal["month", "quarter", "semester", "year"]

FIRST_YEAR, LAST_YEAR = 2000, 2100
_MOST_REPEATS = 1000  # RE2's limit, of nested repetitions together
_WORDS = {
    sre.ASSERT: "il regarde en avant ou en arrière, (?=…) ou (?<=…)",
    sre.ASSERT_NOT: "il regarde en avant ou en arrière, (?!…) ou (?<!…)",
    sre.GROUPREF: "il rappelle un groupe, comme \\1",
    sre.GROUPREF_EXISTS: "il dépend d'un groupe, (?(1)…)",
    sre.ATOMIC_GROUP: "il a un groupe atomique, (?>…)",
    sre.POSSESSIVE_REPEAT: "il a une répétition possessive, comme a++",
}
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)


class Model(BaseModel):
    """A declared object: unknown keys are refused, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Years(Model):
    """A range of reference years, both ends included, written ``2022-2024`` (or ``2022`` alone).

    ``without``: years of it in which nothing is owed, as between the waves of a survey made every other year.
    """

    first: int = Field(ge=FIRST_YEAR, le=LAST_YEAR)
    last: int = Field(ge=FIRST_YEAR, le=LAST_YEAR)
    without: tuple[int, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, int):
            return {"first": value, "last": value}
        if isinstance(value, dict):
            return value
        match = re.fullmatch(r"(\d{4})(?:\s*-\s*(\d{4}))?", value) if isinstance(value, str) else None
        if match is None:
            raise ValueError("années attendues sous la forme 2022-2024 ou 2022")
        return {"first": match[1], "last": match[2] or match[1]}

    @model_validator(mode="after")
    def _ordered(self) -> Years:
        if self.last < self.first:
            raise ValueError(f"la dernière année ({self.last}) précède la première ({self.first})")
        return self

    @classmethod
    def holding(cls, years: Iterable[int]) -> Years:
        """Return the range that holds these years, and no other."""
        listed = set(years)
        first, last = min(listed), max(listed)
        return cls(first=first, last=last, without=tuple(sorted({*range(first, last)} - listed)))

    def __contains__(self, year: object) -> bool:
        return isinstance(year, int) and self.first <= year <= self.last and year not in self.without

    def __iter__(self) -> Any:
        return (year for year in range(self.first, self.last + 1) if year not in self.without)

    def __str__(self) -> str:
        written = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{written} sauf {', '.join(map(str, self.without))}" if self.without else written


def check_pattern(pattern: str) -> str:
    """Return the pattern; raises ValueError, in French, when it is none, or when no linear time judges it."""
    try:
        re.compile(f"^{pattern}$")  # as it is judged
        tree = sre_parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"« {pattern} » n'est pas un motif ({error})") from error
    reason = _reason(tree, 1)
    if reason:
        raise ValueError(
            f"« {pattern} » ne peut être jugé en un temps borné : {reason}. Écrivez-le sans cela, ou avec enum, "
            "minLength, maxLength"
        )
    return pattern


def _reason(items: Iterable[Any], times: int) -> str:
    """Say what a linear engine does not have, nothing when it has all; ``times``: repetitions around these items."""
    for kind, value in items:
        if kind in _WORDS:
            return _WORDS[kind]
        parts, around = [], times
        if kind is sre.BRANCH:
            parts = value[1]
        elif kind is sre.SUBPATTERN:
            parts = [value[3]]
        elif kind in _REPEATS:
            least, most, repeated = value
            parts, around = [repeated], times * max(1, least, 0 if most is sre.MAXREPEAT else most)
            if around > _MOST_REPEATS:
                return f"il a plus de {_MOST_REPEATS} répétitions"
        for part in parts:
            if reason := _reason(part, around):
                return reason
    return ""


class Constraints(Model):
    """Table Schema v1 constraints, with their Frictionless names."""

    required: bool = False
    unique: bool = False
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    min_length: int | None = Field(default=None, alias="minLength", ge=0)
    max_length: int | None = Field(default=None, alias="maxLength", ge=0)
    pattern: Annotated[str, AfterValidator(check_pattern)] | None = None
    enum: tuple[Scalar, ...] | None = None

    def descriptor(self) -> dict[str, Any]:
        """Return the constraints that say something, as a Table Schema descriptor."""
        said = self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}
