"""Invented results of the gendarmerie, aggregated by it at three levels. Layout: schemas/networks/gendarmerie.yml."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from generator import draws
from generator.defects import changed, with_rows
from generator.places import PLACES, REGIONS, Place, one_per_place
from generator.writers import Row, Sample, csv_bytes, zip_bytes

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

_HEADER: Row = [
    "Trimestre", "Maille", "Zone", "Interventions", "Appels présentés", "Appels traités", "Satisfaction de l'accueil",
    "Réponses",
]  # fmt: skip
_OFFICES = {office.place.code: office for office in one_per_place("GGD", "Groupement de gendarmerie")}
_NATIONAL_GAPS = {(2022, 1): 112, (2023, 3): -37}
_ABSENT: dict[tuple[int, int, str], dict[int, str]] = {
    (2022, 4, "971"): {3: "nd"},
    (2023, 2, "974"): {4: "NC", 5: "NC"},
    (2024, 1, "21"): {6: "nd", 7: "nd"},
}


def samples() -> Iterator[Sample]:
    """Yield every file of the network."""
    for year in draws.YEARS:
        yield _results(year)


def _results(year: int) -> Sample:
    path = f"gendarmerie/resultats-{year}.zip"
    draw = draws.seeded(path)
    rows: list[Row] = []
    for quarter in (1, 2, 3, 4):
        departements = [_departement(draw, place, year, quarter) for place in PLACES]
        rows += [_with_absences(row, year, quarter) for row in departements]
        rows += _totals(departements, year, quarter)
    faults = [
        changed(rows[0], {2: "D99"}),
        changed(rows[41], {1: "BRIGADE", 2: "D02"}),
        list(rows[80]),
    ]
    member = f"resultats_{year}.csv"
    lines = [_spaced(row) for row in with_rows(rows, faults)]
    content = zip_bytes({member: csv_bytes([_HEADER, *lines], french_cells=True, encoding="cp1252")})
    shows = (
        "un CSV dans un zip ; départements, régions et France dans un même fichier ; codes ns, nd, NC, so ; "
        "milliers séparés par une espace ; zone D99, maille inconnue, doublon"
    )
    if any(gap_year == year for gap_year, _ in _NATIONAL_GAPS):
        shows += " ; un total national d'interventions qui n'est pas la somme des départements"
    return Sample(path, content, shows, refused=len(faults))


def _departement(draw: random.Random, place: Place, year: int, quarter: int) -> Row:
    level = draws.quality(_OFFICES[place.code], year)
    calls = round(place.size * draw.randint(5000, 7000))
    answered = round(calls * min(0.99, 0.9 + 0.06 * level))
    satisfied = round(min(97.0, 84 + 8 * level + draw.uniform(-2, 2)), 1)
    row: Row = [
        date(year, 3 * quarter - 2, 1), "DEP", f"D{place.code}", round(place.size * draw.randint(2500, 3500)), calls,
        answered, satisfied, round(place.size * 60),
    ]  # fmt: skip
    return row


def _with_absences(row: Row, year: int, quarter: int) -> Row:
    code = str(row[2])[1:]
    if code == "75":
        return changed(row, dict.fromkeys(range(3, 8), "so"))
    if code == "2A":
        return changed(row, {6: "ns"})
    return changed(row, _ABSENT.get((year, quarter, code), {}))


def _totals(departements: list[Row], year: int, quarter: int) -> list[Row]:
    """Return the rows of the régions and of France; Paris has no gendarmerie, and some totals are typed wrong."""
    there = {place.code: row for place, row in zip(PLACES, departements, strict=True) if place.code != "75"}
    counts = {code: int(str(row[3])) for code, row in there.items()}
    answers = {code: int(str(row[7])) for code, row in there.items()}
    day = departements[0][0]
    result: list[Row] = []
    for region in REGIONS:
        total = sum(counts.get(place.code, 0) for place in PLACES if place.region == region)
        result.append([day, "REG", f"R{region}", total, None, None, None, None])
    national = sum(counts.values()) + _NATIONAL_GAPS.get((year, quarter), 0)
    weights = sum(answers.values())
    satisfied = round(sum(float(str(row[6])) * answers[code] for code, row in there.items()) / weights, 1)
    return [*result, [day, "NAT", "FRANCE", national, None, None, satisfied, weights]]


def _spaced(row: Row) -> Row:
    """Write thousands of interventions with a space, as in « 12 345 »."""
    return changed(row, {3: f"{row[3]:,}".replace(",", " ")}) if isinstance(row[3], int) else row
