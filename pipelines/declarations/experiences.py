"""Models of ``schemas/experiences/<source>.yml``: the texts that users publish of public services.

What their columns are named, vintage by vintage, and which of them make a voice. They are received, judged and
archived as the export of a network is: ``as_network`` says it in those words. What is made of the texts is in
``pipelines.voice``.
"""

from __future__ import annotations

import re

from pydantic import Field, model_validator

from pipelines.declarations.network import Acceptance, Export, ExportField, Layout, Network, Period, RowLevel
from pipelines.declarations.strict_model import ColumnName, Identifier, Model, Text, Years

EXPORT = "experiences"
FEELINGS = "positif|neutre|négatif"


class VoiceColumns(Model):
    """The fields that make a voice. Where several are named, the first that is filled counts; channels are joined.

    ``department``: its name or its code. ``texts``: title and description, private whatever happens.
    """

    identifier: ColumnName
    published: ColumnName
    texts: tuple[ColumnName, ...] = Field(min_length=1)
    feeling: tuple[ColumnName, ...] = Field(min_length=1)
    services: tuple[ColumnName, ...] = Field(min_length=1)
    written: ColumnName | None = None
    department: ColumnName | None = None
    postcode: ColumnName | None = None
    offices: tuple[ColumnName, ...] = ()
    channels: tuple[ColumnName, ...] = ()

    @property
    def private(self) -> tuple[ColumnName, ...]:
        """The columns that may be personal, and that are read all the same, masked or made coarser."""
        return (*self.texts, *((self.postcode,) if self.postcode else ()))

    @property
    def named(self) -> dict[str, tuple[ColumnName, ...]]:
        """Every place that names fields, with these fields."""
        places = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: (value,) if isinstance(value, str) else value or () for name, value in places.items()}


class Experiences(Model):
    """A source of written experiences: its columns, how they were written vintage by vintage, who answers for it.

    ``channels``: the closed list of the channels of contact, of which a cell may hold several, with commas between.
    """

    title: Text
    producer: Text
    description: Text
    acceptance: Acceptance
    fields: tuple[ExportField, ...] = Field(min_length=1)
    vintages: dict[Identifier, Layout] = Field(min_length=1)
    columns: VoiceColumns
    channels: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _texts_are_personal(self) -> Experiences:
        personal = {field.name for field in self.fields if field.personal}
        if missing := sorted(set(self.columns.private) - personal):
            raise ValueError(f"columns : « {missing[0]} » porte un texte d'usager, le déclarer personal")
        return self

    def vintage(self, year: int) -> str:
        """Return the name of the columns that hold for a year, empty when none does."""
        return next((name for name, layout in self.vintages.items() if year in layout.years), "")


class Typology(Model):
    """A service as users' texts name it: every label that stands for it, and the network that it is, if declared.

    ``offices``: those that texts may name, beside any named by one of its labels and a territory (« CAF Gard »).
    """

    service: Text
    labels: tuple[Text, ...] = Field(min_length=1)
    network: Identifier | None = None
    offices: tuple[Text, ...] = ()


class Typologies(Model):
    """``references/typologies.yml``: which labels name which service."""

    source: Text
    typologies: dict[Identifier, Typology] = Field(min_length=1)


class ThemeExamples(Model):
    """Invented sentences that a theme must find, and others, close to them, that it must leave."""

    found: tuple[Text, ...] = Field(min_length=2)
    left: tuple[Text, ...] = Field(min_length=2)


class Theme(Model):
    """What users speak of. ``patterns``: lemmas in a row, ``a|b`` for either, ``…`` for at most four words, ``a*``."""

    label: Text
    definition: Text
    patterns: tuple[Text, ...] = Field(min_length=1)
    examples: ThemeExamples


class ThemeFamily(Model):
    """``themes/<family>.yml``: the themes under one of the general tags of the programme."""

    label: Text
    themes: dict[Identifier, Theme] = Field(min_length=1)


class ExperiencesExport(Export):
    """The export that users' experiences are: the columns that make a voice are kept, personal ones too."""

    columns: VoiceColumns

    @property
    def kept_personal(self) -> tuple[ColumnName, ...]:
        """The personal columns that are kept in the private rows."""
        return self.columns.private


def as_network(experiences: Experiences) -> Network:
    """Return what its files are to reception, judgement and archive: a network of one export, that feeds no result."""
    columns = experiences.columns
    export = ExperiencesExport(
        id=EXPORT,
        kind="experiences",
        title=experiences.title,
        fields=tuple(_field(experiences, field) for field in experiences.fields),
        layouts=tuple(experiences.vintages.values()),
        level=RowLevel(otherwise="national"),
        period=Period(field=columns.published, frequency="month"),
        key=(columns.identifier,),
        columns=columns,
    )
    return Network(
        title=experiences.title,
        producer=experiences.producer,
        description=experiences.description,
        structure_type="Expériences d'usagers",
        finest_level="national",
        years=Years.holding(year for layout in experiences.vintages.values() for year in layout.years),
        acceptance=experiences.acceptance,
        exports=(export,),
    )


def _field(experiences: Experiences, field: ExportField) -> ExportField:
    """Return a field as it is judged: the cells of several channels hold nothing but declared ones."""
    if field.name not in experiences.columns.channels or not experiences.channels or field.constraints.pattern:
        return field
    escaped = (re.sub(r"[().*+?|{}^$]", r"[\g<0>]", channel) for channel in experiences.channels)  # for every engine
    channel = f"(?i:{'|'.join(escaped)})"
    # Where a cell tells what was felt of each channel, that comes after it: « Téléphone : Négatif ».
    one = f"[ ]*({channel}([ ]*[:(-][ ]*(?i:{FEELINGS})[)]?)?)?[ ]*"
    words = f"un ou plusieurs de : {', '.join(experiences.channels)} ; une virgule entre deux"
    constraints = field.constraints.model_copy(update={"pattern": f"{one}(,{one})*"})
    return field.model_copy(update={"constraints": constraints, "readable_format": field.readable_format or words})
