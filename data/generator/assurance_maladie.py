"""Invented files of the CPAM: survey and activity (ODS). The layouts are in schemas/networks/assurance-maladie.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import draws
from generator.defects import changed, copied, native_codes, short_code, with_rows
from generator.places import one_per_place
from generator.writers import Row, Sample, csv_bytes, ods_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFICES = one_per_place("CPAM", "CPAM")
_PROFILES = ("Salarié", "Retraité", "Indépendant ou maître d'œuvre", "Étudiant")
_SURVEY_HEADER: Row = [
    "Référence", "Date", "Département", "Code CPAM", "CPAM", "Profil", "Satisfaction", "Note (1-5)", "Avis",
]  # fmt: skip
_ERROR_PAGE = """<!DOCTYPE html>
<html lang="fr">
<head><meta charset="utf-8"><title>Erreur 503</title></head>
<body>
<h1>Service momentanément indisponible</h1>
<p>L'extraction demandée n'a pas pu être produite. (Page fictive.)</p>
</body>
</html>
"""


def samples() -> Iterator[Sample]:
    """Yield every file of the network."""
    for year in draws.YEARS:
        yield _survey(year)
        yield _activity(year)


def _survey(year: int) -> Sample:
    path = f"assurance-maladie/enquete-{year}.csv"
    if year == 2023:
        shows = "page d'erreur HTML enregistrée sous le nom d'un CSV : fichier entier inutilisable"
        return Sample(path, _ERROR_PAGE.encode(), shows, whole_file_refused=True)
    draw = draws.seeded(f"{path}/profil")
    rows: list[Row] = [
        [answer.number, answer.day, answer.office.place.code, answer.office.code, answer.office.name,
         draw.choice(_PROFILES), answer.satisfaction, answer.rating, answer.review]
        for answer in draws.answers(path, year, OFFICES, usual=70)
    ]  # fmt: skip
    faults = [
        copied(rows, 300, {1: "31/02/2024"}, f"R{year}-90001"),
        copied(rows, 600, {7: 0}, f"R{year}-90002"),
        copied(rows, 900, {8: "5 étoiles"}, f"R{year}-90003"),
        [None] * len(_SURVEY_HEADER),
    ]
    lines = with_rows(short_code(rows, 2, every=3), faults)
    shows = "31/02, note 0, avis inconnu, ligne vide ; « 1 » et « 01 » mêlés"
    if year == 2022:
        content = csv_bytes([_SURVEY_HEADER, *lines], french_cells=True, encoding="iso8859-15")
        return Sample(path, content, f"ISO-8859-15 (œ) ; {shows}", refused=len(faults))
    header: Row = [f" {label}   " for label in _SURVEY_HEADER]
    content = csv_bytes([header, *lines], french_cells=True, newline="\n")
    return Sample(path, content, f"UTF-8, en-têtes entourés d'espaces ; {shows}", refused=len(faults))


def _activity(year: int) -> Sample:
    path = f"assurance-maladie/activite-{year}.ods"
    rows: list[Row] = [
        [month.first_day, month.office.code, month.office.name, month.office.place.code, month.calls, month.answered,
         month.files, month.on_time, float(month.days)]
        for month in draws.months(path, year, OFFICES)
    ]  # fmt: skip
    refused = 0
    if year == 2024:
        rows[33] = changed(rows[33], {4: "nombreux"})
        refused = 1
    header: Row = [
        "Mois", "Code CPAM", "CPAM", "Département", "Appels présentés", "Appels traités", "Dossiers traités",
        "Dossiers dans le délai", "Cumul des délais",
    ]  # fmt: skip
    content = ods_bytes([header, *native_codes(rows, 3)], sheet="Activité")
    shows = "dates et nombres natifs, département 1 écrit comme un nombre"
    return Sample(path, content, shows + (" ; « nombreux » pour un nombre" if refused else ""), refused)
