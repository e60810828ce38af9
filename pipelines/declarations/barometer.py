"""Models of ``schemas/barometers/<barometer>.yml``: waves, questions, cuts and indicators of a repeated opinion survey.

A barometer is received, judged and archived as a network is: ``as_network`` says it in those words, one export a wave.
How its tables are made is not here.
"""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.declarations.network import Acceptance, Export, ExportField, FileFormat, Layout, Network, RowLevel
from pipelines.declarations.sampling import Calibration, Margin
from pipelines.declarations.strict_model import (
    FIRST_YEAR,
    LAST_YEAR,
    ColumnName,
    Constraints,
    Identifier,
    Model,
    Text,
    Years,
)

Polarity = Literal["positive", "neutral", "negative"]
Breaking = Literal["institute", "mode", "universe", "wording"]
Nonresponse = Literal["exclude", "include"]
CHOSEN, NOT_CHOSEN = "1", "0"  # in the column of each answer of a multiple choice
Code = Text


class Fieldwork(Model):
    """First and last day of the interviews."""

    start: datetime.date
    end: datetime.date

    @model_validator(mode="after")
    def _in_order(self) -> Fieldwork:
        if self.end < self.start:
            raise ValueError(f"end : {self.end} précède le premier jour ({self.start})")
        if not FIRST_YEAR <= self.end.year <= LAST_YEAR:
            raise ValueError(f"end : années permises, de {FIRST_YEAR} à {LAST_YEAR}")
        return self


class WaveBreak(Model):
    """What keeps a wave from being compared with those before it, and why."""

    kind: Breaking
    why: Text


class ExportOfNetwork(Model):
    """A survey that a network hands over already: its answers are those of the wave."""

    network: Identifier
    export: Identifier


class Wave(Model):
    """One wave: who asked whom, when and how, how its answers weigh, and the file that holds them.

    Its reference year is that of its last interview. ``labels`` gives the headers of the file that aren't the names of
    the columns. ``quotas``: the variables of a quota sample, whose intervals are then conventional.
    """

    id: Identifier
    title: Text
    fieldwork: Fieldwork
    mode: Text
    institute: Text
    universe: Text
    sample_size: int = Field(ge=1, description="interviews that the institute says it made")
    quotas: tuple[Text, ...] = ()
    weight: ColumnName | None = None
    margins: tuple[Margin, ...] = ()
    unweighted: Text | None = Field(default=None, description="why every answer counts for one")
    comparable_with: Identifier | None = Field(default=None, description="the earlier wave that it is compared with")
    breaks: tuple[WaveBreak, ...] = ()
    path: Text | None = None
    format: FileFormat = "csv"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Literal["cp1252", "iso8859-15", "utf-8"] = "cp1252"
    decimal_char: Literal[".", ","] = Field(default=".", alias="decimalChar")
    sheet: Text | None = None
    labels: dict[ColumnName, Text] = Field(default_factory=dict)
    extracted: datetime.date | None = None
    source: ExportOfNetwork | None = Field(default=None, description="in place of a path: an export that is declared")

    @field_validator("path")
    @classmethod
    def _one_file_a_year(cls, path: str | None) -> str | None:
        if path is not None and "{year}" not in path:
            raise ValueError("le chemin d'une vague porte {year}, l'année de son dernier entretien")
        return path

    @property
    def year(self) -> int:
        """The reference year: that of the last interview."""
        return self.fieldwork.end.year

    @property
    def calibration(self) -> tuple[Calibration, ...]:
        """The margins of the wave as the calibration of an export."""
        return (Calibration(years=Years.holding([self.year]), margins=self.margins),) if self.margins else ()


class Answer(Model):
    """A modality: the code in the file, the words that were read out."""

    code: Code
    label: Text


class ScaleAnswer(Answer):
    """A level of an ordered scale, most favourable first; ``points``: what it is worth in a mean."""

    polarity: Polarity
    points: float | None = None


class SetAside(Answer):
    """An answer that was not offered: spontaneous « ne sait pas », or a refusal to answer."""

    kind: Literal["nsp", "refus"]


class Wording(Model):
    """The exact words of a question in some waves; ``same_meaning`` says why they compare with other words."""

    waves: tuple[Identifier, ...] = Field(min_length=1)
    text: Text
    same_meaning: Text | None = None


class Filter(Model):
    """Who is asked: those who gave one of these answers to another question."""

    question: Identifier
    answers: tuple[Code, ...] = Field(min_length=1)


class Ballot(Model):
    """A split ballot: the question is asked to those who drew ``value`` of a column, which holds one of ``values``."""

    column: ColumnName
    value: Code
    values: tuple[Code, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Ballot:
        if self.value not in self.values:
            raise ValueError(f"value : « {self.value} » n'est pas dans values ({', '.join(self.values)})")
        return self


class Item(Model):
    """A line of a battery: asked with the wording and the scale of its question."""

    id: Identifier
    label: Text
    column: ColumnName


class Multiple(Model):
    """Several answers are possible, ``max`` at most: a column a code, ``<column>_<code>``, worth 1 or 0."""

    max: int | None = Field(default=None, ge=1)


class Question(Model):
    """A question: words by wave, ordered scale or list of answers, who is asked, and the column of the file.

    ``nonresponse``: whether what is set aside counts in the base of its shares (``include``) or stands apart.
    """

    id: Identifier
    title: Text
    wordings: tuple[Wording, ...] = Field(min_length=1)
    column: ColumnName | None = None
    scale: tuple[ScaleAnswer, ...] = ()
    answers: tuple[Answer, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    nonresponse: Nonresponse = "exclude"
    filter: Filter | None = None
    ballot: Ballot | None = None
    items: tuple[Item, ...] = ()
    multiple: Multiple | None = None

    @model_validator(mode="after")
    def _has_answers(self) -> Question:
        if bool(self.scale) == bool(self.answers):
            raise ValueError("indiquer soit scale (échelle ordonnée, avec polarity), soit answers (liste)")
        if self.items and self.multiple:
            raise ValueError("items : une batterie n'est pas un choix multiple")
        if bool(self.items) == bool(self.column):
            raise ValueError("indiquer soit column, soit items (chacun a sa colonne)")
        return self

    @property
    def modalities(self) -> tuple[Answer, ...]:
        """The answers that were offered, in order."""
        return self.scale or self.answers

    @property
    def codes(self) -> list[str]:
        """Every code that the file may hold, those set aside last."""
        return [one.code for one in (*self.modalities, *self.set_aside)]

    def wording(self, wave: str) -> Wording | None:
        """Return its words in a wave, None where it isn't asked."""
        return next((one for one in self.wordings if wave in one.waves), None)

    @property
    def asked(self) -> list[tuple[str, str, str]]:
        """What is asked, as (identifier, title, column): the question, or each line of its battery."""
        if self.column:
            return [(self.id, self.title, self.column)]
        return [(f"{self.id}-{item.id}", f"{self.title} : {item.label}", item.column) for item in self.items]

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Its columns in the file, each with the values that it may hold."""
        if self.multiple:
            return {self.column_of(code): (CHOSEN, NOT_CHOSEN) for code in self.codes}
        return {column: tuple(self.codes) for _, _, column in self.asked}

    def column_of(self, code: str) -> str:
        """Return the column of an answer of a multiple choice."""
        return f"{self.column}_{code}"


class Cut(Model):
    """Groups of people in which answers are crossed: a column, and the code of each group."""

    id: Identifier
    title: Text
    column: ColumnName
    groups: tuple[Answer, ...] = Field(min_length=2, max_length=26)


class BarometerIndicator(Model):
    """A figure made of one question: share of some answers, net score (positive less negative), or mean of points.

    ``share`` without ``answers`` is that of the positive levels. ``nonresponse``: that of the question by default.
    """

    id: Identifier
    title: Text
    question: Identifier
    measure: Literal["share", "net", "mean"]
    answers: tuple[Code, ...] = ()
    nonresponse: Nonresponse | None = None


class Barometer(Model):
    """A repeated survey of opinion: its waves in order, its questions, the cuts of its tables, its indicators."""

    title: Text
    producer: Text
    description: Text
    acceptance: Acceptance
    respondent: ColumnName | None = Field(default=None, description="column that numbers the answers, each once")
    waves: tuple[Wave, ...] = Field(min_length=1)
    questions: tuple[Question, ...] = Field(min_length=1)
    cuts: tuple[Cut, ...] = ()
    indicators: tuple[BarometerIndicator, ...] = ()

    def wave(self, identifier: str) -> Wave | None:
        """Return the declared wave of that id."""
        return next((one for one in self.waves if one.id == identifier), None)

    def question(self, identifier: str) -> Question | None:
        """Return the declared question of that id."""
        return next((one for one in self.questions if one.id == identifier), None)

    def columns_of(self, wave: Wave) -> dict[str, tuple[str, ...]]:
        """Return the columns of a wave's file that hold codes, with those that they may hold."""
        held: dict[str, tuple[str, ...]] = {}
        for question in self.questions:
            if question.wording(wave.id):
                held |= question.columns
                if question.ballot:
                    held[question.ballot.column] = question.ballot.values
        held |= {cut.column: tuple(group.code for group in cut.groups) for cut in self.cuts}
        return held | {one.field: tuple(one.fractions) for one in wave.margins if one.field not in held}


def as_network(barometer: Barometer) -> Network | None:
    """Return the network, with one export a wave, that its files are to reception; None when no wave has its own."""
    waves = [wave for wave in barometer.waves if wave.path]
    if not waves:
        return None
    return Network(
        title=barometer.title,
        producer=barometer.producer,
        description=barometer.description,
        structure_type="Baromètre",
        finest_level="national",
        years=Years.holding(wave.year for wave in waves),
        acceptance=barometer.acceptance,
        exports=tuple(_export(barometer, wave) for wave in waves),
    )


def _export(barometer: Barometer, wave: Wave) -> Export:
    needed = {cut.column for cut in barometer.cuts} | {one.field for one in wave.margins}
    needed |= {one.ballot.column for one in barometer.questions if one.ballot and one.wording(wave.id)}
    columns: list[tuple[str, Literal["string", "number"], Constraints]] = [
        (name, "string", Constraints(required=name in needed, enum=codes))
        for name, codes in barometer.columns_of(wave).items()
    ]
    if barometer.respondent:
        columns.append((barometer.respondent, "string", Constraints(required=True)))
    if wave.weight:
        columns.append((wave.weight, "number", Constraints(required=True, minimum=0)))
    layout = Layout(
        years=Years.holding([wave.year]),
        path=wave.path or "",
        format=wave.format,
        delimiter=wave.delimiter,
        encoding=wave.encoding,
        decimal_char=wave.decimal_char,
        sheet=wave.sheet,
        extracted=wave.extracted,
    )
    return Export(
        id=wave.id,
        kind="survey",
        title=wave.title,
        fields=tuple(
            ExportField(name=name, label=wave.labels.get(name), type=kind, constraints=constraints)
            for name, kind, constraints in columns
        ),
        layouts=(layout,),
        level=RowLevel(otherwise="national"),
        weight=wave.weight,
        calibration=wave.calibration,
        key=(barometer.respondent,) if barometer.respondent else (),
    )
