"""Seeded draws of invented answers and counts. How they are written in a file, and spoilt, belongs elsewhere."""

from __future__ import annotations

import random
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.places import Office

SEED = 20220101
YEARS = (2022, 2023, 2024)
SATISFACTION = ("Très satisfait", "Plutôt satisfait", "Plutôt mécontent", "Très mécontent")
NO_OPINION = "Ne se prononce pas"
REVIEWS = ("Excellent", "Bien", "Moyen", "Décevant", "Mauvais")


def seeded(name: str) -> random.Random:
    """Return the generator of random numbers that belongs to ``name`` (a path, an office): always the same draws."""
    return random.Random(SEED + crc32(name.encode()))


@dataclass(frozen=True)
class Answer:
    """One answer to a survey; None where the person did not answer."""

    number: str
    day: date
    office: Office
    satisfaction: str | None
    ease: int | None
    recommendation: int | None
    rating: int | None
    online: int | None
    review: str | None
    weight: float


@dataclass(frozen=True)
class Month:
    """What an office did in a month: calls, files, and the sum of the delays of these files."""

    office: Office
    first_day: date
    calls: int
    answered: int
    files: int
    on_time: int
    days: int


def quality(office: Office, year: int) -> float:
    """Return how well the office serves (0 is usual, 1 is very good): its own level, and a slow common rise."""
    return seeded(office.code).uniform(-0.5, 0.5) + 0.12 * (year - YEARS[0])


def answers(path: str, year: int, offices: Sequence[Office], usual: int) -> list[Answer]:
    """Draw the answers of a year in order of date: ``usual`` of them for an office of size 1."""
    draw = seeded(path)
    days = 366 if year % 4 == 0 else 365
    drawn = [
        (date.fromordinal(date(year, 1, 1).toordinal() + draw.randrange(days)), office)
        for office in offices
        for _ in range(round(usual * office.size))
    ]
    drawn.sort(key=lambda pair: (pair[0], pair[1].code))
    return [_answer(draw, f"R{year}-{rank:05d}", day, office) for rank, (day, office) in enumerate(drawn, start=1)]


def _answer(draw: random.Random, number: str, day: date, office: Office) -> Answer:
    mood = quality(office, day.year) + draw.gauss(0.35, 0.9)
    return Answer(
        number=number,
        day=day,
        office=office,
        satisfaction=_satisfaction(draw, mood),
        ease=_note(draw, 4.6 + 1.2 * mood, 1, 7),
        recommendation=_note(draw, 7.0 + 1.8 * mood, 0, 10),
        rating=_note(draw, 3.5 + 0.8 * mood, 1, 5),
        online=_note(draw, 7.1 + 1.5 * mood, 0, 10, missing=0.35),
        review=_review(draw, mood),
        weight=round(draw.uniform(0.4, 2.2), 3),
    )


def _satisfaction(draw: random.Random, mood: float) -> str | None:
    chance = draw.random()
    if chance < 0.03:
        return None
    if chance < 0.08:
        return NO_OPINION
    return SATISFACTION[0 if mood > 0.9 else 1 if mood > -0.4 else 2 if mood > -1.2 else 3]


def _note(draw: random.Random, centre: float, low: int, high: int, missing: float = 0.04) -> int | None:
    note = round(centre + draw.uniform(-0.8, 0.8))
    return None if draw.random() < missing else min(high, max(low, note))


def _review(draw: random.Random, mood: float) -> str | None:
    level = round(1.5 - 1.1 * mood + draw.uniform(-0.4, 0.4))
    return None if draw.random() < 0.05 else REVIEWS[min(4, max(0, level))]


def months(path: str, year: int, offices: Iterable[Office]) -> list[Month]:
    """Draw the activity of a year, month by month, office by office."""
    draw = seeded(path)
    return [_month(draw, office, date(year, number, 1)) for number in range(1, 13) for office in offices]


def _month(draw: random.Random, office: Office, first_day: date) -> Month:
    level = quality(office, first_day.year)
    calls = round(office.size * draw.randint(2400, 3600))
    files = round(office.size * draw.randint(800, 1200))
    return Month(
        office=office,
        first_day=first_day,
        calls=calls,
        answered=round(calls * _between(0.45, 0.96, 0.76 + 0.18 * level + draw.uniform(-0.05, 0.05))),
        files=files,
        on_time=round(files * _between(0.5, 0.98, 0.8 + 0.15 * level + draw.uniform(-0.04, 0.04))),
        days=round(files * (14 - 5 * level + draw.uniform(-1.5, 1.5))),
    )


def _between(low: float, high: float, value: float) -> float:
    return min(high, max(low, value))


def some_day(draw: random.Random, year: int, month: int) -> date:
    """Draw a day of a month."""
    return date(year, month, 1 + draw.randrange(monthrange(year, month)[1]))
