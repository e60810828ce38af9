"""Models of what is published: ``schemas/tables``, ``schemas/datasets``. How files are written is not here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.declarations.release_settings import (
    Budgets,
    Explanation,
    Historical,
    ReleaseGates,
    TableDivision,
    Workbook,
)
from pipelines.declarations.strict_model import ColumnName, Constraints, Identifier, Model, Scalar, Text

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
