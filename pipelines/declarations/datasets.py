"""Models of what is published: ``schemas/tables``, and ``schemas/datasets`` with how each is released.

How a release is judged or written is not here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.declarations.strict_model import ColumnName, Constraints, Identifier, Model, Scalar, Text, Years

ColumnType = Literal["string", "integer", "number", "boolean", "date"]


class Column(Model):
    """A published column: Table Schema field with French title and description.

    ``decimals`` fixes how numbers are written.
    """

    name: ColumnName
    title: Text
    description: Text
    type: ColumnType
    constraints: Constraints = Constraints()
    example: Scalar | None = None
    decimals: int | None = Field(default=None, ge=0, le=9)


class ForeignKey(Model):
    """Columns of this table that stand in ``fields`` of another table of the same dataset."""

    fields: tuple[ColumnName, ...]
    table: ColumnName
    references: tuple[ColumnName, ...]


class Table(Model):
    """A published table; rows are in the order of ``key``, which is unique and total."""

    title: Text
    description: Text
    key: tuple[ColumnName, ...] = Field(min_length=1)
    columns: tuple[Column, ...] = Field(min_length=1)
    foreign_keys: tuple[ForeignKey, ...] = Field(default=(), alias="foreignKeys")

    def column(self, name: str) -> Column | None:
        """Return the declared column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def names(self) -> list[str]:
        """Column names in published order."""
        return [column.name for column in self.columns]


class Contact(Model):
    """Who answers questions about a dataset."""

    name: Text
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")


class Spatial(Model):
    """udata's spatial coverage: zones (``country:fr``) and granularity (``fr:departement``)."""

    zones: tuple[Text, ...]
    granularity: Text


class Threshold(Model):
    """How far a release may go without a person's word, and why that far."""

    max: float = Field(ge=0)
    why: Text


class ReleaseGates(Model):
    """Thresholds over which a release is not published until a person accepts it.

    The first three are shares of the earlier release in %, the two others are counts.
    """

    table_change: Threshold = Field(description="rows of one table added, removed or changed, in % of its earlier rows")
    dataset_change: Threshold = Field(description="the same over all tables together")
    rows_removed: Threshold = Field(description="rows of one table removed, in % of its earlier rows")
    vanished_structures: Threshold = Field(description="structures that are not there any more")
    unexplained: Threshold = Field(description="lines of the journal that nothing explains")


class Explanation(Model):
    """Why rows change in the release that follows version ``after``: what no file and no correction can tell."""

    after: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    kind: Literal["révision", "correction"]
    reason: Text
    networks: tuple[Identifier, ...] = ()
    indicators: tuple[Identifier, ...] = ()
    tables: tuple[ColumnName, ...] = ()
    years: Years | None = None


class Lookup(Model):
    """A column of a companion table, found by the columns that both tables share."""

    table: ColumnName
    on: tuple[ColumnName, ...] = Field(min_length=1)
    column: ColumnName


class Part(Model):
    """Some rows of a table, in files of their own: those whose cells are among these."""

    name: Identifier
    title: Text
    description: Text
    where: dict[ColumnName, tuple[Text, ...]] = Field(min_length=1)


class TableDivision(Model):
    """How a large table lies in files; readers start with the first part. Journals tell ``why`` when it changes.

    A file over its budget is one file a year (column ``annee``) instead.
    """

    why: Text
    parts: tuple[Part, ...] = Field(min_length=1)


class Workbook(Model):
    """A workbook for people: yearly results of the last ``years``, with words for codes, and the lists."""

    years: int = Field(default=3, ge=1)


class Budgets(Model):
    """The largest file of each format that the platform shows, in MB (of 1 048 576 bytes)."""

    csv: float = Field(default=100, gt=0)
    parquet: float = Field(default=50, gt=0)
    xlsx: float = Field(default=12.5, gt=0)


class HistoricalColumn(Model):
    """A column of the historical rendition and the one place where its text comes from.

    ``first``: the first of these columns that is not empty; ``join``: these columns joined by ``_``; ``translate``
    changes texts one for one (a text that isn't there becomes empty).
    """

    name: ColumnName
    title: Text
    description: Text
    first: tuple[ColumnName, ...] = ()
    join: tuple[ColumnName, ...] = ()
    lookup: Lookup | None = None
    first_day_of: ColumnName | None = Field(default=None, description="column of periods: the day on which it begins")
    constant: str | None = None
    empty: Text | None = Field(default=None, description="why nothing can be said here")
    translate: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_source(self) -> HistoricalColumn:
        sources = (self.first, self.join, self.lookup, self.first_day_of, self.constant, self.empty)
        if sum(bool(source) for source in sources) != 1:
            raise ValueError("une seule origine par colonne : first, join, lookup, first_day_of, constant ou empty")
        return self


class Historical(Model):
    """The main table under the column names of an earlier publication, for those who already read it."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: Text
    description: Text
    columns: tuple[HistoricalColumn, ...] = Field(min_length=1)


# As udata writes tags, so that what is read back compares.
Tag = Annotated[str, Field(min_length=3, max_length=96, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


_WEB_ADDRESS = r"^https?://[^\s/?#]+(/[^\s?#]*[^\s?#/])?$"  # no slash at the end: pages are added to it


class Dataset(Model):
    """A dataset of data.gouv.fr: its texts, and the tables it holds. Lengths are udata's limits."""

    title: str = Field(min_length=1, max_length=350)
    short_description: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=101, max_length=100_000)
    tags: tuple[Tag, ...] = Field(min_length=1)
    licence: Literal["lov2"]
    frequency: Literal["daily", "weekly", "monthly", "quarterly", "semiannual", "annual", "irregular"]
    spatial: Spatial
    contact: Contact
    tables: tuple[Identifier | ColumnName, ...] = Field(min_length=1)
    main_table: ColumnName
    gates: ReleaseGates
    explanations: tuple[Explanation, ...] = ()
    historical: Historical | None = None
    layout: dict[ColumnName, TableDivision] = Field(default={}, description="tables that lie in several files")
    budgets: Budgets = Budgets()
    workbook: Workbook | None = Field(default=None, description="a workbook for people; else one with every table")
    site: str | None = Field(default=None, pattern=_WEB_ADDRESS, description="where people read the public site")
