"""Models of ``schemas/references`` (dated code lists), ``schemas/corrections`` and ``schemas/signals``.

How results are placed in territories, and cells put right, is not here.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from pipelines.declarations.strict_model import ColumnName, Identifier, Level, Model, Scalar, Text

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


class AbsenceReasons(Model):
    """``references/motifs.yml``: the reasons for absence, by id."""

    reasons: dict[Identifier, AbsenceReason]


class Engagement(Model):
    """A service engagement of the programme, dated: the list changes (nine in 2021, eight since mid-2023)."""

    label: Text
    since: date
    until: date | None = None


class Engagements(Model):
    """``references/engagements.yml``: the service engagements, by id, dated."""

    source: str
    engagements: dict[Identifier, Engagement]


class QualityCriterion(Model):
    """One component of the quality score of a network-year: what it counts, its weight, and why that much.

    ``threshold`` is for ``precision`` alone: the widest half-interval that is precise, as a share of the range.
    """

    title: Text
    definition: Text
    weight: float = Field(gt=0)
    threshold: float | None = Field(default=None, gt=0, lt=1)
    why: Text


class QualityCriteria(Model):
    """``references/qualite.yml``: what the quality score of a network-year is made of."""

    criteria: dict[QualityComponent, QualityCriterion]

    @model_validator(mode="after")
    def _precision_has_its_threshold(self) -> QualityCriteria:
        for name, criterion in self.criteria.items():
            if (name == "precision") != (criterion.threshold is not None):
                raise ValueError(f"criteria.{name} : threshold est pour precision, et pour elle seule")
        return self


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


def _place(row: list[Any]) -> dict[str, Any]:
    place = dict(zip(("level", "code", "name", "kind", "region", "since", "until"), row, strict=False))
    codes = {key: str(place[key]) for key in ("code", "region") if place.get(key) is not None}
    return place | codes


class Territories(Model):
    """The dated list of territories, with its source."""

    vintage: date
    source: Text
    territories: tuple[Territory, ...] = Field(min_length=1)

    @field_validator("territories", mode="before")
    @classmethod
    def _one_line_each(cls, value: Any) -> Any:
        """Read the compact rows ``[level, code, name, kind, region, since, until]`` of the file."""
        if not isinstance(value, list):
            return value
        return [_place(row) if isinstance(row, list) else row for row in value]

    def of_year(self, year: int) -> Territories:
        """Return the list of a reference year."""
        return self.model_copy(update={"territories": tuple(item for item in self.territories if item.existed(year))})


class Geography:
    """The territories, asked for names, parents and parts: of the latest year of the list, which may be ``of_year``."""

    def __init__(self, territories: Territories) -> None:
        places = sorted(territories.territories, key=lambda place: place.since or 0)
        self._region = {place.code: place.region for place in places if place.level == "departement" and place.region}
        self._names: dict[tuple[str, str], str] = {(place.level, place.code): place.name for place in places}

    def name(self, level: Level, code: str | None) -> str | None:
        """Return the name of a territory; an office stands in a département; none for an unknown one."""
        return self._names.get(("departement" if level == "site" else level, code or ""))

    def region(self, departement: str | None) -> str | None:
        """Return the région of a département; overseas collectivities have none."""
        return self._region.get(departement or "")

    def parts_of(self, level: Level, code: str, parts: Level) -> frozenset[str]:
        """Return the codes of the ``parts`` (départements or régions) that the territory is made of."""
        if parts == "region":
            return frozenset(self._region.values())
        return frozenset(part for part, region in self._region.items() if level == "national" or region == code)

    def parent(self, level: Level, territory: str | None, below: Level = "departement") -> str | None:
        """Return the code, at ``level``, of the territory that holds ``territory``, a place of the level ``below``."""
        if level == "national":
            return "FR"
        return self.region(territory) if level == "region" and below != "region" else territory


class Placed(Model):
    """One of the things that a file lists, with the place where it is declared: ``corrections/caf.yml:12``."""

    _place: str = PrivateAttr("")

    @property
    def place(self) -> str:
        """File and line."""
        return self._place

    def at(self, place: str) -> Self:
        """Return the same with the place where it is declared."""
        placed = self.model_copy()
        placed._place = place
        return placed


class Correction(Placed):
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


class Corrections(Model):
    """All the declared corrections of one network."""

    corrections: tuple[Correction, ...] = ()


# As ``pipelines.signal_tables.cards`` names them: a network, what is said there, and the month of the beginning.
SignalName = Annotated[str, Field(max_length=200, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*-\d{4}-\d{2}$")]


class SignalNote(Placed):
    """What somebody says of a signal: that it is so, or what explains it."""

    signal: SignalName
    status: Literal["confirmed", "explained"]
    reason: Text
    by: Text
    date: date


class SignalNotes(Model):
    """All the notes of one file."""

    notes: tuple[SignalNote, ...] = ()
