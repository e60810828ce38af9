"""Invented files of the CAF: surveys of users (weighted) and of staff, telephone, files handled.

The layouts are in schemas/networks/caf.yml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import draws
from generator.defects import changed, copied, short_code, with_rows
from generator.places import one_per_place
from generator.writers import Cell, Merged, Row, Sample, csv_bytes, xlsx_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFICES = one_per_place("CAF", "CAF")
_HEADER: Row = [
    "N° réponse", "Date de réponse", "Département", "Code CAF", "CAF", "Satisfaction globale", "Facilité (1 à 7)",
    "Recommandation (0 à 10)", "Note du service (1 à 5)", "Note de la démarche en ligne (0 à 10)", "Poids",
]  # fmt: skip
_HEADER_2024: Row = [
    "id_reponse", "date", "code_departement", "code_caf", "nom_caf", "q1_satisfaction", "q2_effort",
    "q3_recommandation", "q4_note", "q5_demarche_en_ligne", "poids_redressement",
]  # fmt: skip
_ONLINE = 9
_REMARK = "Merci à mon équipe (remarque inventée)"


def samples() -> Iterator[Sample]:
    """Yield every file of the network."""
    for year in draws.YEARS:
        yield _survey(year)
        yield _staff(year)
        yield _telephone(year)
        yield _files(year)


def _survey(year: int) -> Sample:
    path = f"caf/enquete-{year}.csv"
    rows: list[Row] = [
        [answer.number, answer.day, answer.office.place.code, answer.office.code, answer.office.name,
         answer.satisfaction, answer.ease, answer.recommendation, answer.rating, answer.online, answer.weight]
        for answer in draws.answers(path, year, OFFICES, usual=60)
    ]  # fmt: skip
    return {2022: _survey_2022, 2023: _survey_2023, 2024: _survey_2024}[year](path, rows)


def _survey_2022(path: str, rows: list[Row]) -> Sample:
    faults = [
        copied(rows, 100, {1: "31/02/2022"}, "R2022-90001"),
        copied(rows, 200, {8: 9}, "R2022-90002"),
        copied(rows, 300, {10: "12,5,3"}, "R2022-90003"),
        copied(rows, 400, {2: "99"}, "R2022-90004"),
        [None] * len(_HEADER),
        list(rows[500]),
        copied(rows, 600, {}, "R2022-90005")[:7],
        [*copied(rows, 700, {}, "R2022-90006"), "saisie manuelle", ""],
    ]
    lines = [_HEADER, *with_rows(short_code(rows, 2), faults)]
    lines = [row[:_ONLINE] + row[_ONLINE + 1 :] for row in lines]
    content = csv_bytes(lines, french_cells=True, encoding="cp1252")
    shows = (
        "cp1252, « ; », virgule décimale, JJ/MM/AAAA ; pas encore de note de démarche en ligne ; "
        "« 1 » et « 01 » mêlés ; "
        "31/02, note 9, « 12,5,3 », département 99, ligne vide, doublon, ligne trop courte, ligne trop longue"
    )
    return Sample(path, content, shows, refused=len(faults))


def _survey_2023(path: str, rows: list[Row]) -> Sample:
    faults: list[Row] = [
        copied(rows, 150, {5: "Content"}, "R2023-90001"),
        copied(rows, 350, {1: "02/01/2022"}, "R2023-90002"),
        copied(rows, 550, {10: None}, "R2023-90003"),
        [],
    ]
    header = [f"{label}  " if label == "Satisfaction globale" else label for label in _HEADER]
    content = csv_bytes([header, *with_rows(rows, faults)], french_cells=True, encoding="cp1252")
    shows = (
        "comme 2022, avec la note de démarche en ligne ; espaces en fin d'un en-tête ; "
        "réponse inconnue, date d'une autre année, poids absent, ligne vide"
    )
    return Sample(path, content, shows, refused=len(faults))


def _survey_2024(path: str, rows: list[Row]) -> Sample:
    faults = [copied(rows, 250, {6: 8}, "R2024-90001"), copied(rows, 450, {1: "2024-02-30"}, "R2024-90002")]
    content = csv_bytes([_HEADER_2024, *with_rows(rows, faults)], encoding="utf-8-sig", newline="\n")
    return Sample(
        path, content, "UTF-8 avec BOM, autres en-têtes, dates ISO, point décimal ; note 8 sur 7, 30 février", 2
    )


def _staff(year: int) -> Sample:
    """One row per member of the staff who answered; an office that serves well has a happier staff."""
    path = f"caf/agents-{year}.csv"
    rows: list[Row] = [
        [answer.number, answer.day, answer.office.place.code, answer.office.code, answer.office.name,
         _team(answer.office.code, rank), answer.satisfaction, "oui" if rank % 9 == 0 else "non",
         f"{rank % 31},5", _REMARK if rank % 60 == 0 else None]
        for rank, answer in enumerate(draws.answers(path, year, OFFICES, usual=24))
    ]  # fmt: skip
    faults = [copied(rows, 90, {6: "Content"}, "R2023-90001")] if year == 2023 else []
    header: Row = [
        "N° réponse", "Date", "Département", "Code CAF", "CAF", "Service", "Satisfaction au travail", "Encadrant",
        "Ancienneté (années)", "Remarque",
    ]  # fmt: skip
    content = csv_bytes([header, *with_rows(rows, faults)], french_cells=True, newline="\n")
    shows = "satisfaction des agents (symétrie des attentions), par service tiré au sort ; remarques que rien ne montre"
    return Sample(path, content, shows + (" ; réponse inconnue" if faults else ""), refused=len(faults))


def _team(office: str, rank: int) -> str:
    """Name the team of an answer: four were drawn in each office, one in the smallest."""
    return f"{office}-{1 if office == 'CAF974' else 1 + rank % 4}"


def _telephone(year: int) -> Sample:
    path = f"caf/telephone-{year}.csv"
    rows: list[Row] = [
        [month.first_day.strftime("%m/%Y"), month.office.code, month.office.place.code, month.calls, month.answered]
        for month in draws.months(path, year, OFFICES)
    ]
    refused = 0
    if year == 2022:
        rows[25] = changed(rows[25], {3: "12,5,3"})
        rows[90] = changed(rows[90], {0: "13/2022"})
        rows[170] = rows[170][:3]
        refused = 3
    header: Row = ["Mois", "Code CAF", "Département", "Appels présentés", "Appels traités"]
    content = csv_bytes([header, *rows], encoding="cp1252", first_line="sep=;")
    shows = "première ligne « sep=; »" + (" ; « 12,5,3 », mois 13, ligne trop courte" if refused else "")
    return Sample(path, content, shows, refused)


def _files(year: int) -> Sample:
    """Three title rows to skip, then two header rows with merged cells."""
    path = f"caf/dossiers-{year}.xlsx"
    absent = ("CAF974", 8) if year == 2023 else None
    rows: list[Row] = [
        [month.office.code, month.office.name, month.office.place.code, month.first_day, month.files, month.on_time,
         month.days]
        for month in draws.months(path, year, OFFICES)
        if (month.office.code, month.first_day.month) != absent
    ]  # fmt: skip
    if year == 2024:
        rows = [changed(row, {5: "en cours"}) if (row[0], row[3].month) == ("CAF2B", 12) else row for row in rows]
    shows = "en-têtes fusionnés sur deux lignes sous un titre, dates natives, lignes vides mises en forme"
    shows += {2022: "", 2023: " ; août manque pour la CAF974", 2024: " ; « en cours » à la place d'un nombre"}[year]
    top: list[Row] = [[None] * 7, [None] * 7, [None] * 7]
    headers: list[Row] = [[None] * 7, ["Code", "Nom", None, None, "Traités", "Dans le délai annoncé", None]]
    content = xlsx_bytes([*top, *headers, *rows], sheet="Dossiers", merged=_blocks(year), empty_rows=200)
    return Sample(path, content, shows, refused=int(year == 2024))


def _blocks(year: int) -> list[Merged]:
    title, subtitle = f"Dossiers des CAF en {year} (données fictives)", "Dénombrement mensuel par caisse"
    single: dict[int, Cell] = {2: "Département", 3: "Mois", 6: "Cumul des délais (jours)"}
    return [
        Merged(0, 0, 0, 6, title),
        Merged(1, 0, 1, 6, subtitle),
        Merged(3, 0, 3, 1, "Caisse"),
        Merged(3, 4, 3, 5, "Dossiers"),
        *(Merged(3, column, 4, column, str(text)) for column, text in single.items()),
    ]
