"""Invented files in the layouts of the barometer of results (2023 and 2024 editions). No real value is used here."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from generator import draws
from generator.places import PLACES, REGIONS
from generator.writers import Cell, Row, Sample, csv_bytes

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

_PILOTE_HEADER: Row = [
    "indic_id", "enforce_zone_id", "metric_enforce_date", "maille", "indic_vi", "indic_va", "indic_vc", "indic_ta",
]  # fmt: skip
_TARGET_DAY = date(2026, 12, 1)
_2023 = "barometre-2023/services-publics/barometre-resultats-services-publics-et-territoires-detail-"
_LABELS: Row = [
    "Déployer une offre France services dans tous les territoires ",
    "Nombre de labellisations (atteinte de l'objectif fixé)",
    "nb-labellisations-france-services",
]
_QUALITY = "Améliorer la qualité du service rendu à l’usager"
_TRANSPARENCY: Row = [
    _QUALITY,
    "Part des lieux d’accueil du public qui publient leurs résultats (national et local)",
    "tx-transparence-resultats",
]
_SATISFACTION: Row = [
    _QUALITY,
    "Taux de satisfaction des usagers à l’égard des services publics (national)",
    "tx-satisfaction-usagers-services-publics",
]
_LABEL_GAPS = {(2020, 6): 4, (2021, 9): 12, (2022, 3): -7, (2022, 12): 5}


def samples() -> Iterator[Sample]:
    """Yield the PILOTE files of 2024, then the detailed files of 2023."""
    yield _satisfaction()
    yield _counts("ind-304", _month_starts(2021, 12, 2024, 12), usual=60_000, first_is_observed=True)
    yield _counts("ind-323", _month_starts(2022, 5, 2024, 10)[::3], usual=700, first_is_observed=False)
    yield from _details()


def _month_starts(first_year: int, first: int, last_year: int, last: int) -> list[date]:
    """Return the first day of each month of a range."""
    return [date(index // 12, index % 12 + 1, 1) for index in range(first_year * 12 + first - 1, last_year * 12 + last)]


def _satisfaction() -> Sample:
    """IND-246: rates typed by département and for France, blank rows for the régions."""
    path = "barometre-2024/ind-246.csv"
    draw = draws.seeded(path)
    observed = [date(2022, 7, 1), date(2023, 1, 1), date(2023, 7, 1), date(2024, 1, 1), date(2024, 7, 1)]
    rows: list[Row] = []
    for place in PLACES:
        zone = f"D{place.code}"
        values = {day: round(draw.uniform(82, 99), 2) for day in observed}
        rows.append(_pilote("IND-246", zone, date(2022, 1, 1), "DEPT", initial=0.0))
        rows += [_pilote("IND-246", zone, day, "DEPT", value=value) for day, value in values.items()]
        rows[-1][7] = round(min(100.0, values[observed[-1]] / 95 * 100), 2)
        rows.append(_pilote("IND-246", zone, _TARGET_DAY, "DEPT", target=95.0))
    rows.append(_pilote("IND-246", "FRANCE", date(2022, 1, 1), "NAT", initial=0.0, value=90.0))
    rows += [_pilote("IND-246", "FRANCE", day, "NAT", value=round(draw.uniform(90, 96), 2)) for day in observed]
    rows.append(_pilote("IND-246", "FRANCE", _TARGET_DAY, "NAT", target=95.0))
    rows += [_pilote("IND-246", f"R{code}", None, "REG") for code in REGIONS]
    shows = "lignes de valeur initiale (vi) et de cible (vc), lignes régionales vides"
    return Sample(path, csv_bytes([_PILOTE_HEADER, *rows], delimiter=",", newline="\n"), shows)


def _pilote(
    indicator: str,
    zone: str,
    day: date | None,
    level: str,
    *,
    initial: float | None = None,
    value: float | None = None,
    target: float | None = None,
) -> Row:
    return [indicator, zone, day, level, initial, value, target, None]


def _counts(name: str, days: Sequence[date], *, usual: int, first_is_observed: bool) -> Sample:
    """IND-304 and IND-323: counts that add up from départements to régions to France."""
    path, code = f"barometre-2024/{name}.csv", name.upper()
    draw = draws.seeded(path)
    series: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(days))
    for place in PLACES:
        for rank in range(len(days)):
            count = round(place.size * usual * (1 + 0.01 * rank) * draw.uniform(0.93, 1.07))
            for zone in ((f"D{place.code}", "DEPT"), (f"R{place.region}", "REG"), ("FRANCE", "NAT")):
                series[zone][rank] += count
    order = {"DEPT": 0, "NAT": 1, "REG": 2}
    rows: list[Row] = []
    for (zone, level), values in sorted(series.items(), key=lambda item: (order[item[0][1]], item[0][0])):
        first = float(values[0]) if first_is_observed and level != "NAT" else None
        rows.append(_pilote(code, zone, days[0], level, initial=float(values[0]), value=first))
        rows += [
            _pilote(code, zone, day, level, value=float(value)) for day, value in zip(days[1:], values[1:], strict=True)
        ]
        goal = round(values[0] * 1.5, 2)
        rows[-1][7] = round((values[-1] - values[0]) / (goal - values[0]) * 100, 2)
        rows.append(_pilote(code, zone, _TARGET_DAY, level, target=goal))
    shows = "lignes de valeur initiale (vi) et de cible (vc) ; les départements font les régions et la France"
    return Sample(path, csv_bytes([_PILOTE_HEADER, *rows], delimiter=",", newline="\n"), shows)


def _details() -> Iterator[Sample]:
    """Yield the detailed files of 2023: labels (some national totals are typed wrong), transparency, satisfaction."""
    draw = draws.seeded(_2023)
    ends = [date(year, month, monthrange(year, month)[1]) for year in (2020, 2021, 2022) for month in range(1, 13)]
    labels = {place.code: _growing(draw, place.size, len(ends)) for place in PLACES}
    yearly = [date(year, 12, 31) for year in (2020, 2021, 2022)]
    departements = _labels([(place.code, place.name, labels[place.code]) for place in PLACES], ends)
    departements += _rates(draw, [(place.code, place.name) for place in PLACES], yearly)
    regions = _labels([(code, name, _region(labels, code)) for code, name in REGIONS.items()], ends)
    regions += _rates(draw, list(REGIONS.items()), yearly)
    national = [
        [
            *_LABELS,
            "national",
            day,
            float(sum(counts[rank] for counts in labels.values()) + _gap(day)),
            "labellisations",
        ]
        for rank, day in enumerate(ends)
    ]
    for day, satisfaction, transparency in zip(yearly, (70.0, 71.5, 73.0), (31.0, 44.0, 68.0), strict=True):
        national.append([*_SATISFACTION, "national", day, satisfaction, "% de satisfaction"])
        national.append([*_TRANSPARENCY, "national", day, transparency, "% de réseaux"])
    zone: list[Cell] = ["maille_geographique"]
    yield _detail("national", zone, national, "des totaux nationaux de labels diffèrent de la somme des départements")
    yield _detail("regional", ["code_region", "libelle_region"], regions, "valeurs régionales déclarées")
    zone = ["code_departement", "libelle_departement"]
    yield _detail("departemental", zone, departements, "valeurs départementales déclarées, 2A, 2B et 971 compris")


def _gap(day: date) -> int:
    return _LABEL_GAPS.get((day.year, day.month), 0)


def _growing(draw: random.Random, size: float, length: int) -> list[int]:
    count, counts = round(8 * size), []
    for _ in range(length):
        count += draw.choice((0, 0, 0, 1, 1, 2))
        counts.append(count)
    return counts


def _rates(draw: random.Random, zones: Sequence[tuple[str, str]], days: Sequence[date]) -> list[Row]:
    return [
        [*_TRANSPARENCY, code, name, day, float(30 + 18 * rank + draw.randint(-6, 6)), "% de réseaux"]
        for code, name in zones
        for rank, day in enumerate(days)
    ]


def _region(labels: dict[str, list[int]], code: str) -> list[int]:
    inside = [labels[place.code] for place in PLACES if place.region == code]
    return [sum(counts) for counts in zip(*inside, strict=True)]


def _labels(zones: Sequence[tuple[str, str, list[int]]], days: Sequence[date]) -> list[Row]:
    return [
        [*_LABELS, code, name, day, float(count), "labellisations"]
        for code, name, counts in zones
        for day, count in zip(days, counts, strict=True)
    ]


def _detail(name: str, zone: list[Cell], rows: list[Row], shows: str) -> Sample:
    header: Row = ["mesure", "indicateur", "id_indicateur", *zone, "date", "valeur", "unite"]
    return Sample(f"{_2023}{name}.csv", csv_bytes([header, *rows], delimiter=",", newline="\n"), shows)
