"""Invented files of the tax offices (SIP, SIE): survey, telephone, requests. Layouts: schemas/networks/dgfip.yml."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from generator import draws
from generator.defects import changed, copied, native_codes, with_rows
from generator.places import FICTITIOUS, PLACES, Office
from generator.writers import Row, Sample, csv_bytes, xlsx_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFICES = [
    Office(f"{kind}{place.code}", f"{kind} {place.after_de} {FICTITIOUS}", place, place.size * share)
    for place in PLACES
    for kind, share in (("SIP", 1.0), ("SIE", 0.6))
]
_SURVEY_HEADER: Row = [
    "Réponse", "Date", "Code du service", "Service", "Département", "Satisfaction", "Facilité (1-7)", "Note (1-5)",
]  # fmt: skip


def samples() -> Iterator[Sample]:
    """Yield every file of the network."""
    for year in draws.YEARS:
        yield _survey(year)
        yield _telephone(year)
        yield _requests(year)


def _survey(year: int) -> Sample:
    path = f"dgfip/enquete-{year}.xlsx"
    rows: list[Row] = [
        [answer.number, answer.day, answer.office.code, answer.office.name, answer.office.place.code,
         answer.satisfaction, answer.ease, answer.rating]
        for answer in draws.answers(path, year, OFFICES, usual=36)
    ]  # fmt: skip
    faults = [
        copied(rows, 100, {1: date(year - 1, 12, 30)}, f"R{year}-90001"),
        copied(rows, 200, {6: "facile"}, f"R{year}-90002"),
        copied(rows, 300, {7: 3.5}, f"R{year}-90003"),
        list(rows[400]),
    ]
    lines = native_codes(with_rows(rows, faults), 4)
    note = "Fichier fictif : aucune de ces réponses n'a été donnée."
    content = xlsx_bytes([_SURVEY_HEADER, *lines], sheet="Réponses", first=note)
    shows = (
        "dates et nombres natifs, département 1 écrit comme un nombre, données dans la deuxième feuille ; "
        "date de l'année précédente, « facile » pour une note, note 3,5, doublon"
    )
    return Sample(path, content, shows, refused=len(faults))


def _telephone(year: int) -> Sample:
    path = f"dgfip/telephone-{year}.csv"
    rows: list[Row] = [
        [month.first_day, month.office.code, month.office.name, month.office.place.code, month.calls, month.answered]
        for month in draws.months(path, year, OFFICES)
    ]
    shows, refused = "UTF-8, « , », un mois par ligne", 0
    if year == 2023:
        rows = [changed(row, {5: "12,5,3"}) if row[0] >= date(2023, 11, 1) else row for row in rows]
        refused = 2 * len(OFFICES)
        shows += (
            " ; de novembre à décembre, appels traités illisibles : au-delà du seuil, l'export de l'année est refusé"
        )
    header: Row = ["mois", "code_service", "service", "departement", "appels_presentes", "appels_traites"]
    content = csv_bytes([header, *rows], delimiter=",", newline="\n")
    return Sample(path, content, shows, refused, whole_file_refused=year == 2023)


def _requests(year: int) -> Sample:
    path = f"dgfip/delais-{year}.csv"
    draw = draws.seeded(path)
    drawn = sorted(
        (draws.some_day(draw, year, draw.randint(1, 12)), office.code, office, rank)
        for office in OFFICES
        for rank in range(round(40 * office.size))
    )
    rows: list[Row] = []
    for number, (day, code, office, _) in enumerate(drawn, start=1):
        days = max(0, round(draw.lognormvariate(2.3 - 0.4 * draws.quality(office, year), 0.7)))
        rows.append([f"D{year}-{number:05d}", day, code, office.place.code, days, int(days <= 15), 1])
    faults = [
        copied(rows, 100, {4: -3}, f"D{year}-90001"),
        copied(rows, 200, {1: f"29/02/{year - 1 + year % 2}"}, f"D{year}-90002"),
        copied(rows, 300, {1: date(year, 1, 1) - timedelta(days=8)}, f"D{year}-90003"),
        copied(rows, 400, {}, f"D{year}-90004")[:5],
    ]
    header: Row = [
        "Demande", "Date de dépôt", "Code du service", "Département", "Délai (jours)", "Dans le délai annoncé (1/0)",
        "Nombre",
    ]  # fmt: skip
    content = csv_bytes([header, *with_rows(rows, faults)], french_cells=True, encoding="cp1252")
    shows = (
        "une ligne par demande ; délai négatif, 29 février qui n'existe pas, dépôt d'une autre année, ligne trop courte"
    )
    return Sample(path, content, shows, refused=len(faults))
