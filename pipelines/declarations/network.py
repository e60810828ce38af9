"""Models of ``schemas/networks/<network>.yml``: who hands over what, where, in which shape.

How results are made is not here.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from pipelines.declarations.sampling import Calibration, Collection, Design
from pipelines.declarations.strict_model import (
    ColumnName,
    Constraints,
    Frequency,
    Identifier,
    Level,
    Model,
    Scalar,
    Text,
    Years,
)

FieldType = Literal["string", "integer", "number", "boolean", "date", "year", "duration"]
DurationForm = Literal["h:mm:ss", "h:mm", "mm:ss"]
# Of a number: a percentage (85.3), or a share of 1 (0.853). Of a duration: what its values are counted in.
FieldUnit = Literal["%", "part", "secondes", "minutes", "heures", "jours"]
DURATION_FORMS: tuple[str, ...] = get_args(DurationForm)
DURATION_UNITS = ("secondes", "minutes", "heures", "jours")
NUMERIC = ("integer", "number", "year", "duration")  # types of fields that are computed with
ExportKind = Literal["survey", "operations", "values", "experiences"]
FileFormat = Literal["csv", "xlsx", "ods", "parquet"]
WORKBOOKS: tuple[FileFormat, ...] = ("xlsx", "ods")  # formats of sheets
DoubtKind = Literal["contenu-deja-recu", "lignes-rondes", "chute-de-lignes"]
MOST_ON_A_POSTER = 6  # more can't be read at two metres on A4
TerritoryCodes = Literal["departement", "region", "pilote"]


class ExportField(Model):
    """One column of an export, close to a Table Schema field.

    ``label`` is the header in the file (default: the name). A ``duration`` is written in one of the DURATION_FORMS (its
    ``format``, ``h:mm:ss`` by default) and becomes a number of its ``unit``, in which its bounds are.
    """

    name: ColumnName
    label: Text | None = None
    description: Text | None = None
    type: FieldType = "string"
    unit: FieldUnit | None = None
    format: Text | None = None
    readable_format: Text | None = Field(
        default=None, description="what ``pattern`` wants, in words: CAF et 2 chiffres"
    )
    constraints: Constraints = Constraints()
    missing_values: tuple[str, ...] = Field(default=("",), alias="missingValues")
    absences: dict[str, Identifier] = Field(default_factory=dict)
    decimal_char: Literal[".", ","] | None = Field(default=None, alias="decimalChar")
    group_char: str | None = Field(default=None, alias="groupChar")
    true_values: tuple[str, ...] | None = Field(default=None, alias="trueValues")
    false_values: tuple[str, ...] | None = Field(default=None, alias="falseValues")
    example: Scalar | None = None
    optional: bool = False
    personal: bool = False

    @model_validator(mode="after")
    def _can_be_read(self) -> ExportField:
        if self.type == "duration":
            _check_duration(self)
        elif self.unit is not None and (self.type not in ("integer", "number") or self.unit in DURATION_UNITS):
            raise ValueError(f"unit « {self.unit} » : « % » et « part » vont avec un nombre, les autres avec une durée")
        if self.format == "any":
            raise ValueError("format « any » interdit : il lit le mois avant le jour ; écrire par exemple %d/%m/%Y")
        return self

    @property
    def is_share(self) -> bool:
        """Whether its values are shares of 1: it says so, or admits none above 1."""
        if self.type not in ("integer", "number") or self.unit is not None:
            return self.unit == "part"
        limit = self.constraints.maximum
        return isinstance(limit, int | float) and limit <= 1


def _check_duration(field: ExportField) -> None:
    if field.unit not in DURATION_UNITS:
        raise ValueError(f"une durée demande unit : {', '.join(DURATION_UNITS)}")
    if field.format is not None and field.format not in DURATION_FORMS:
        raise ValueError(f"format « {field.format} » impossible pour une durée ; permis : {', '.join(DURATION_FORMS)}")
    permitted = {"required", "unique", "minimum", "maximum"}
    if refused := sorted(set(field.constraints.descriptor()) - permitted):
        raise ValueError(f"contraintes sans objet pour une durée : {', '.join(refused)}")
    if any(isinstance(limit, str) for limit in (field.constraints.minimum, field.constraints.maximum)):
        raise ValueError("les bornes d'une durée sont des nombres, dans son unité")


class FieldOverride(Model):
    """What a layout changes in a field for its years: the header and the way dates are written, never the meaning."""

    label: Text | None = None
    format: Text | None = None
    optional: bool | None = None


class Layout(Model):
    """How the file of a range of years is written.

    ``path`` is below the exports root; ``{year}`` and ``*`` are allowed.
    """

    years: Years
    path: Text
    format: FileFormat = "csv"
    member: Text | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Literal["cp1252", "iso8859-15", "utf-8"] = "cp1252"
    sheet: Text | None = None
    skip_rows: int = Field(default=0, alias="skipRows", ge=0, le=50)
    header_rows: int = Field(default=1, alias="headerRows", ge=1, le=5)
    decimal_char: Literal[".", ","] = Field(default=".", alias="decimalChar")
    fields: dict[ColumnName, FieldOverride] = Field(default_factory=dict)
    extracted: date | None = None
    incomparable: Text | None = Field(default=None, description="why these files don't compare with earlier ones")

    @field_validator("path")
    @classmethod
    def _stays_below_the_root(cls, path: str) -> str:
        if path.startswith(("/", "~")) or ".." in path.split("/") or "\\" in path or "://" in path:
            raise ValueError(
                "le chemin doit rester sous la racine des exports (ni « / » au début, ni « .. », ni « \\ »)"
            )
        return path

    @property
    def one_file_per_year(self) -> bool:
        """Whether each year has a file of its own (else one file holds several years)."""
        return "{year}" in self.path


class Period(Model):
    """Where a row's period is read. Without ``field``, the year of the file is the period."""

    field: ColumnName | None = None
    frequency: Frequency = "year"


class Territory(Model):
    """The field that holds a place, and the way it is coded (``pilote``: D01, R84, FRANCE)."""

    field: ColumnName
    codes: TerritoryCodes


class RowLevel(Model):
    """The level of a row: written by the network in ``field``, else ``otherwise``."""

    field: ColumnName | None = None
    values: dict[str, Level] = Field(default_factory=dict)
    otherwise: Level | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"otherwise": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _says_something(self) -> RowLevel:
        if bool(self.field) != bool(self.values):
            raise ValueError("« field » et « values » vont ensemble")
        if not self.values and not self.otherwise:
            raise ValueError("indiquer une maille (site, departement, region, national) ou un champ et ses valeurs")
        return self


class StructureFields(Model):
    """The fields that name the office: a stable code, and its name."""

    code: ColumnName
    name: ColumnName | None = None


class IgnoredRows(Model):
    """Rows that carry no observation: every ``blank`` field is blank and every ``present`` field is not."""

    blank: tuple[ColumnName, ...] = Field(min_length=1)
    present: tuple[ColumnName, ...] = ()
    why: Text


class Acceptance(Model):
    """From which share of refused rows (0 to 1) an export of a year is refused as a whole, and why that limit.

    ``max_fall`` is the share of rows lost against the year before from which the data team is told; the doubts in
    ``blocking`` refuse the export until it is handed over anew, or no longer declared blocking.
    """

    max_refused_share: float = Field(ge=0, le=1)
    why: Text
    max_fall: float = Field(default=0.5, ge=0, le=1, description="share of rows lost in a year that is told")
    blocking: tuple[DoubtKind, ...] = Field(default=(), description="doubts that refuse the export (default: told)")


class Export(Model):
    """One kind of file that a network hands over: its columns, and one layout per range of years."""

    id: Identifier
    kind: ExportKind
    title: Text
    description: Text | None = None
    fields: tuple[ExportField, ...] = Field(min_length=1)
    layouts: tuple[Layout, ...] = Field(min_length=1)
    key: tuple[ColumnName, ...] = ()
    period: Period = Period()
    territory: Territory | None = None
    level: RowLevel
    structure: StructureFields | None = None
    weight: ColumnName | None = None
    collection: Collection | None = Field(default=None, description="default: a survey is a sample, the rest a census")
    design: Design | None = None
    calibration: tuple[Calibration, ...] = ()
    solicited: dict[int, int] = Field(default_factory=dict, description="people asked, by year: of the response rate")
    ignore: tuple[IgnoredRows, ...] = ()
    acceptance: Acceptance | None = None

    @field_validator("solicited")
    @classmethod
    def _somebody_was_asked(cls, solicited: dict[int, int]) -> dict[int, int]:
        for year, people in solicited.items():
            if people < 1:
                raise ValueError(f"solicited : {people} personne sollicitée en {year}")
        return solicited

    def layout(self, year: int) -> Layout | None:
        """Return the layout declared for ``year``, or None when the network owes nothing that year."""
        return next((layout for layout in self.layouts if year in layout.years), None)

    def layout_or_last(self, year: int | None) -> Layout:
        """Return the layout declared for ``year``, the last one where there is no year, or none is declared for it."""
        return (self.layout(year) if year is not None else None) or self.layouts[-1]

    def field(self, name: str) -> ExportField | None:
        """Return the declared field of that name."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def kept_personal(self) -> tuple[ColumnName, ...]:
        """The personal columns that are kept in the private rows: none, but those of users' experiences."""
        return ()

    @property
    def sampled(self) -> bool:
        """Whether the rows are a sample, whose figures have an interval; a census has no sampling error."""
        return (self.collection or ("sample" if self.kind == "survey" else "census")) == "sample"

    def calibration_of(self, year: int) -> Calibration | None:
        """Return the margins to which the weights of ``year`` are brought, if any are declared."""
        return next((item for item in self.calibration if year in item.years), None)

    def referenced_fields(self) -> dict[tuple[str | int, ...], str]:
        """Return every place of the export that names a field, with that name (for the cross-file checks)."""
        places: dict[tuple[str | int, ...], str | None] = {
            ("period", "field"): self.period.field,
            ("territory", "field"): self.territory.field if self.territory else None,
            ("level", "field"): self.level.field,
            ("structure", "code"): self.structure.code if self.structure else None,
            ("structure", "name"): self.structure.name if self.structure else None,
            ("weight",): self.weight,
            ("design", "strata"): self.design.strata if self.design else None,
            ("design", "clusters"): self.design.clusters if self.design else None,
        }
        for index, calibration in enumerate(self.calibration):
            margins = enumerate(calibration.margins)
            places |= {("calibration", index, "margins", rank): margin.field for rank, margin in margins}
        places |= {("key", index): name for index, name in enumerate(self.key)}
        for index, rule in enumerate(self.ignore):
            places |= {("ignore", index, name): name for name in (*rule.blank, *rule.present)}
        for index, layout in enumerate(self.layouts):
            places |= {("layouts", index, "fields", name): name for name in layout.fields}
        return {place: name for place, name in places.items() if name}


class Poster(Model):
    """What the poster of an office shows: these indicators, in this order. Without it, the first six that it has."""

    indicators: tuple[Identifier, ...] = Field(min_length=1, max_length=MOST_ON_A_POSTER)
    orientation: Literal["portrait", "landscape"] = "portrait"


class Network(Model):
    """An administrative network: producer, finest level, expected years, and its exports."""

    title: Text
    producer: Text
    description: Text
    source: Text | None = None
    structure_type: Text
    finest_level: Level
    years: Years
    provisional_years: tuple[int, ...] = ()
    closed_until: int | None = Field(default=None, description="last closed year: it and those before are only revised")
    due: str | None = Field(default=None, pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
    contact: Text | None = Field(default=None, description="whom the network asks, as letters say it")
    deposit: Text | None = Field(default=None, description="where the network sends its files, as letters say it")
    resend_within: int | None = Field(default=None, ge=1, le=366, description="days to send a corrected file again")
    acceptance: Acceptance
    exports: tuple[Export, ...] = Field(min_length=1)
    poster: Poster | None = Field(default=None, description="what its offices hang on their walls")

    def closed(self, year: int) -> bool:
        """Whether ``year`` is closed: its files are no longer looked at, its results change by accepted revisions."""
        return self.closed_until is not None and year <= self.closed_until

    def due_on(self, year: int) -> date | None:
        """Return the day by which the files of reference year ``year`` are due, if the network has a calendar."""
        if self.due is None:
            return None
        month, day = map(int, self.due.split("-"))
        return date(year + 1, month, min(day, monthrange(year + 1, month)[1]))

    def resend_by(self, told_on: date | None) -> date | None:
        """Return the day by which a file is to be sent again when its letter is of ``told_on``, if both are known."""
        return told_on + timedelta(days=self.resend_within) if told_on and self.resend_within else None

    def export(self, identifier: str) -> Export | None:
        """Return the declared export of that id."""
        return next((export for export in self.exports if export.id == identifier), None)

    def other_paths(self, export: str, year: int) -> list[str]:
        """Return where the files of the other exports lie, for ``year``."""
        layouts = [item.layout(year) for item in self.exports if item.id != export]
        return [layout.path for layout in layouts if layout is not None]

    def acceptance_of(self, export: Export) -> Acceptance:
        """Return the limit that holds for ``export``: its own, else the network's."""
        return export.acceptance or self.acceptance
