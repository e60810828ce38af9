"""Invented files of the agencies: survey (Parquet), activity. Layouts: schemas/networks/france-travail.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import draws
from generator.defects import changed, copied, short_code, with_rows
from generator.places import Office, numbered
from generator.writers import ParquetType, Row, Sample, csv_bytes, parquet_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLUMNS: dict[str, ParquetType] = {
    "reponse": "string",
    "date_reponse": "date32",
    "departement": "string",
    "agence_code": "string",
    "agence_nom": "string",
    "satisfaction": "string",
    "recommandation": "int8",
    "note_demarche": "int8",
    "avis": "string",
    "poids": "double",
}


def samples() -> Iterator[Sample]:
    """Yield every file of the network."""
    for year in draws.YEARS:
        yield _survey(year)
        yield _activity(year)


def _offices(year: int) -> list[Office]:
    """Return the agencies, under the name of the network in that year."""
    return numbered("FT", "Agence Pôle emploi" if year < 2024 else "Agence France Travail")


def _survey(year: int) -> Sample:
    path = f"france-travail/enquete-{year}.parquet"
    rows: list[Row] = [
        [answer.number, answer.day, answer.office.place.code, answer.office.code, answer.office.name,
         answer.satisfaction, answer.recommendation, answer.online, answer.review, answer.weight]
        for answer in draws.answers(path, year, _offices(year), usual=52)
    ]  # fmt: skip
    faults: list[Row] = [
        copied(rows, 100, {5: "Inconnu"}, f"R{year}-90001"),
        copied(rows, 200, {2: "99"}, f"R{year}-90002"),
        copied(rows, 300, {6: 11}, f"R{year}-90003"),
        copied(rows, 400, {9: -1.0}, f"R{year}-90004"),
        list(rows[500]),
        [None] * len(_COLUMNS),
    ]
    content = parquet_bytes(_COLUMNS, with_rows(rows, faults))
    shows = "colonnes typées ; réponse inconnue, département 99, note 11, poids négatif, doublon, ligne vide"
    if year == 2024:
        shows += " ; le nom des agences change"
    return Sample(path, content, shows, refused=len(faults))


def _activity(year: int) -> Sample:
    path = f"france-travail/activite-{year}.csv"
    rows: list[Row] = [
        [month.first_day, month.office.code, month.office.name, month.office.place.code, month.calls, month.answered,
         month.files, month.on_time]
        for month in draws.months(path, year, _offices(year))
    ]  # fmt: skip
    refused = 0
    if year == 2023:
        rows[60] = changed(rows[60], {3: "99"})
        rows[130] = [*rows[130], "à vérifier"]
        refused = 2
    header: Row = [
        "mois", "code_agence", "agence", "departement", "appels_presentes", "appels_traites", "demandes_traitees",
        "demandes_dans_le_delai",
    ]  # fmt: skip
    content = csv_bytes([header, *short_code(rows, 3)], delimiter="\t")
    shows = "tabulations dans un fichier .csv ; « 1 » et « 01 » mêlés"
    return Sample(path, content, shows + (" ; département 99, ligne trop longue" if refused else ""), refused)
