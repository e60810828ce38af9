"""Invented files of the préfectures: results, telephone, 2023 left out. Layouts: schemas/networks/prefectures.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import draws
from generator.defects import changed
from generator.places import one_per_place
from generator.writers import Row, Sample, csv_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFICES = one_per_place("PREF", "Préfecture")
_FEW_FILES = {"PREF2A": (8, 6, 91)}


def samples() -> Iterator[Sample]:
    """Yield every file of the network: nothing was handed over for 2023."""
    for year in (2022, 2024):
        yield _results(year)
        yield _telephone(year)


def _results(year: int) -> Sample:
    path = f"prefectures/resultats-{year}.csv"
    draw = draws.seeded(path)
    rows: list[Row] = []
    for office in OFFICES:
        level = draws.quality(office, year)
        files = round(office.size * draw.randint(8000, 12000))
        on_time = round(files * min(0.98, 0.82 + 0.14 * level + draw.uniform(-0.03, 0.03)))
        counts = _FEW_FILES.get(office.code, (files, on_time, round(files * (38 - 9 * level))))
        rows.append([office.code, office.name, office.place.code, *counts])
    rows[14] = changed(rows[14], {5: "nd"})
    header: Row = ["Code", "Préfecture", "Département", "Dossiers traités", "Dans le délai", "Cumul des délais (jours)"]
    shows = "résultats annuels ; « nd » pour un délai ; moins de 11 dossiers à la préfecture PREF2A"
    if year == 2022:
        return Sample(path, csv_bytes([header, *rows], french_cells=True, encoding="cp1252"), f"cp1252, {shows}")
    header[3] = "Demandes traitées"
    return Sample(path, csv_bytes([header, *rows], encoding="utf-8-sig"), f"UTF-8 avec BOM, un en-tête changé, {shows}")


def _telephone(year: int) -> Sample:
    path = f"prefectures/telephone-{year}.csv"
    rows: list[Row] = [
        [month.first_day, month.office.code, month.office.name, month.office.place.code, month.calls, month.answered]
        for month in draws.months(path, year, OFFICES)
    ]
    refused = 0
    if year == 2024:
        rows[70] = changed(rows[70], {1: None})
        rows[150] = changed(rows[150], {4: "454 000,00"})
        refused = 2
    header: Row = ["Mois", "Code", "Préfecture", "Département", "Appels présentés", "Appels traités"]
    content = csv_bytes([header, *rows], french_cells=True, encoding="cp1252")
    shows = "cp1252, JJ/MM/AAAA" + (" ; code absent, « 454 000,00 » pour un nombre entier" if refused else "")
    return Sample(path, content, shows, refused)
