"""Invented payments of FranceAgriMer to enterprises. Layout: schemas/networks/franceagrimer.yml."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from generator import draws
from generator.places import PLACES
from generator.writers import Row, Sample, csv_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_FEW = {"2A": 2}  # enterprises: under three, nothing of the département may be published
_DOMINANT = "971"  # one enterprise makes more than 85 % of it


def samples() -> Iterator[Sample]:
    """Yield the only file of the network."""
    yield _payments(2024)


def _payments(year: int) -> Sample:
    path = f"franceagrimer/aides-{year}.csv"
    draw = draws.seeded(path)
    rows: list[Row] = []
    for rank, place in enumerate(PLACES):
        for number in range(_FEW.get(place.code, round(4 + 8 * place.size))):
            siren = f"{900_000_000 + 100 * rank + number}"
            for _ in range(draw.randint(1, 3)):
                amount = round(draw.uniform(800, 40_000), 2)
                if place.code == _DOMINANT and number == 0:
                    amount += 2_000_000
                day = date.fromordinal(date(year, 1, 1).toordinal() + draw.randrange(365))
                rows.append([f"V{len(rows) + 1:05d}", day, place.code, siren, amount])
    header: Row = ["N° de versement", "Date de versement", "Département", "SIREN", "Montant (euros)"]
    shows = (
        "données sur des entreprises ; deux en Corse-du-Sud, une qui fait plus de 85 % en Guadeloupe ; SIREN inventés"
    )
    return Sample(path, csv_bytes([header, *rows], french_cells=True), shows)
