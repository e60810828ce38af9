"""Models of ``schemas/references`` (dated code lists) and ``schemas/corrections``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, field_validator

from pipelines.declarations.strict_model import ColumnName, Identifier, Model, Scalar, Text

ObservationStatus = Literal["A", "P", "E", "B", "U", "L", "M", "Q", "O"]
ConfidentialityStatus = Literal["F", "C", "A", "D"]  # A and D: of declarations from before there was one status
QualityComponent = Literal["completude", "validite", "couverture", "ponctualite", "precision"]
TerritoryCode = Annotated[str, Field(pattern=r"^(FR|\d{2,3}|2[AB])$")]


# The reasons that the pipeline itself gives; references/motifs.yml must declare them.
REASONS_GIVEN = (
    "base-insuffisante", "donnees-incompletes", "erreur-traitement", "non-renseigne", "non-traite", "non-transmis",
    "rejete", "secret-statistique",
)  # fmt: skip


class AbsenceReason(Model):
    """Why a value is absent, with its SDMX statuses (CL_OBS_STATUS, CL_CONF_STATUS)."""

    label: Text
    description: Text
    observation_status: ObservationStatus
    confidentiality_status: ConfidentialityStatus = "F"


class Engagement(Model):
    """A service engagement of the programme, dated: the list changes (nine in 2021, eight since mid-2023)."""

    label: Text
    since: date
    until: date | None = None


class QualityCriterion(Model):
    """One component of the quality score of a network-year: what it counts, its weight, and why that much.

    ``threshold`` is for ``precision`` alone: the widest half-interval that is precise, as a share of the range.
    """

    title: Text
    definition: Text
    weight: float = Field(gt=0)
    threshold: float | None = Field(default=None, gt=0, lt=1)
    why: Text


class Territory(Model):
    """A place of the INSEE code officiel géographique: France, a région, a département or an overseas collectivity.

    ``since`` and ``until`` are the first and last reference years in which it was so, when it wasn't always: a place
    that changed (of région, of nature) is listed once for each state.
    """

    level: Literal["national", "region", "departement"]
    code: TerritoryCode
    name: Text
    kind: Text
    region: TerritoryCode | None = None
    since: int | None = None
    until: int | None = None

    def existed(self, year: int) -> bool:
        """Tell whether the place was so in a reference year."""
        return (self.since or year) <= year <= (self.until or year)


class Territories(Model):
    """The dated list of territories, with its source."""

    vintage: date
    source: Text
    territories: tuple[Territory, ...] = Field(min_length=1)

    @field_validator("territories", mode="before")
    @classmethod
    def _one_line_each(cls, value: Any) -> Any:
        """Read the compact rows ``[level, code, name, kind, region, since, until]`` of the file."""
        names = ("level", "code", "name", "kind", "region", "since", "until")
        if not isinstance(value, list):
            return value
        return [
            {key: str(item) if key in ("code", "region") and item is not None else item
             for key, item in zip(names, row, strict=False)}
            if isinstance(row, list) else row
            for row in value
        ]  # fmt: skip

    def of_year(self, year: int) -> Territories:
        """Return the list of a reference year."""
        return self.model_copy(update={"territories": tuple(item for item in self.territories if item.existed(year))})


class Correction(Model):
    """One cell put right: where, what was expected there, what is right, and why. Guarded by the expected value."""

    export: Identifier
    year: int
    where: dict[ColumnName, Scalar] = Field(min_length=1)
    field: ColumnName
    expected: str
    value: str
    reason: Text
    status: Literal["proposed", "confirmed"] = "confirmed"
    date: date
    _place: str = PrivateAttr("corrections/")

    @property
    def place(self) -> str:
        """Where the correction is declared, ``corrections/caf.yml:12``."""
        return self._place

    def at(self, place: str) -> Correction:
        """Return the correction with the place where it is declared."""
        placed = self.model_copy()
        placed._place = place
        return placed


class Corrections(Model):
    """All the declared corrections of one network."""

    corrections: tuple[Correction, ...] = ()
