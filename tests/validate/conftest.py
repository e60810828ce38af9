"""Two small exports to judge, and ways to judge them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType, SimpleNamespace

import pytest

from pipelines.declarations import Catalogue, Export, Layout
from pipelines.declarations.network import Acceptance, Network
from pipelines.mechanics.opened_files import Cells
from pipelines.read import read_cells
from pipelines.validate import FileContext, JudgedFile, Verdict, judge, protect, validate_file

LAB_EXPORT = {
    "id": "guichet",
    "kind": "survey",
    "title": "Enquête <au> guichet",
    "fields": [
        {"name": "numero", "label": "N°", "constraints": {"required": True}, "example": "R1"},
        {"name": "jour", "label": "Jour", "type": "date", "format": "%d/%m/%Y", "constraints": {"required": True}},
        {"name": "departement", "constraints": {"required": True}, "example": "30"},
        {"name": "note", "label": "Note", "type": "integer", "constraints": {"minimum": 1, "maximum": 5}, "example": 4},
        {"name": "avis", "label": "Avis", "constraints": {"maxLength": 20}, "personal": True},
        {"name": "remarque", "label": "Remarque"},
    ],
    "key": ["numero"],
    "period": {"field": "jour", "frequency": "quarter"},
    "territory": {"field": "departement", "codes": "departement"},
    "level": "departement",
    "layouts": [{"years": "2024", "path": "labo/guichet-{year}.csv", "delimiter": ";", "encoding": "utf-8"}],
}
LAB_NETWORK = {
    "title": "Labo <b>",
    "producer": "Producteur & fils",
    "description": "Essai.",
    "structure_type": "Essai",
    "finest_level": "departement",
    "years": 2024,
    "acceptance": {"max_refused_share": 0.9, "why": "essai"},
    "exports": [LAB_EXPORT],
}
LAB_HEADER = "N°;Jour;departement;Note;Avis;Remarque\n"


class Lab:
    """A small network with a personal column, for what is told to producers."""

    header = LAB_HEADER

    def __init__(self, catalogue: Catalogue) -> None:
        self.network = Network.model_validate(LAB_NETWORK)
        self.export: Export = self.network.exports[0]
        self.layout: Layout = self.export.layouts[0]
        self.catalogue = replace(
            catalogue,
            networks=MappingProxyType({**catalogue.networks, "labo": self.network}),
        )

    def judged(self, text: str) -> Verdict:
        """The verdict on the content of a file."""
        cells = read_cells(text.encode(), "guichet-2024.csv", self.layout)
        context = FileContext(self.export, self.layout, self.catalogue.territories, "guichet-2024.csv", 2024)
        validated = validate_file(Cells(cells.header, cells.rows, cells.first_row), context)
        file = JudgedFile("guichet-2024.csv", "0" * 64, protect(validated, self.export, self.layout))
        return judge(self.export, 2024, self.network.acceptance, [file])


@pytest.fixture(scope="session")
def lab(catalogue: Catalogue) -> Lab:
    return Lab(catalogue)


EXPORT = {
    "id": "essai",
    "kind": "values",
    "title": "Essai",
    "fields": [
        {"name": "code", "label": "Code", "constraints": {"required": True}},
        {"name": "jour", "label": "Jour", "type": "date", "format": "%d/%m/%Y"},
        {"name": "maille", "label": "Maille", "constraints": {"enum": ["SITE", "DEP", "REG", "NAT"]}},
        {"name": "zone", "label": "Zone"},
        {"name": "nom", "label": "Nom", "optional": True},
        {
            "name": "valeur",
            "label": "Valeur",
            "type": "number",
            "constraints": {"minimum": 0},
            "missingValues": ["", "ns", "nd"],
            "absences": {"": "non-renseigne", "ns": "non-significatif", "nd": "non-disponible"},
        },
    ],
    "key": ["code"],
    "period": {"field": "jour", "frequency": "month"},
    "territory": {"field": "zone", "codes": "pilote"},
    "level": {"field": "maille", "values": {"SITE": "site", "DEP": "departement", "REG": "region", "NAT": "national"}},
    "structure": {"code": "code", "name": "nom"},
    "layouts": [{"years": "2022-2024", "path": "essai-{year}.csv", "delimiter": ";", "decimalChar": ","}],
}
HEADER = ["Code", "Jour", "Maille", "Zone", "Nom", "Valeur"]
ROW = ["S1", "15/03/2024", "SITE", "D01", "Bourg", "1,5"]


@pytest.fixture(scope="session")
def essai(catalogue):
    """Judge rows of the small export; keyword ``export`` changes its declaration."""

    def judged(rows, header=HEADER, first_row=2, file_year=2024, corrections=(), layout=None, **export):
        declared = Export.model_validate({**EXPORT, **export})
        read_as = Layout.model_validate({**EXPORT["layouts"][0], **(layout or {})})
        context = FileContext(declared, read_as, catalogue.territories, "essai.csv", file_year, corrections)
        return validate_file(Cells(list(header), [list(row) for row in rows], first_row), context)

    def row(**changes):
        return [changes.get(label, cell) for label, cell in zip(HEADER, ROW, strict=True)]

    def told(validated):
        return [(item.rule, item.row, item.column) for item in validated.findings]

    acceptance = Acceptance(max_refused_share=1, why="essai")
    export = Export.model_validate(EXPORT)
    return SimpleNamespace(judge=judged, row=row, told=told, header=HEADER, export=export, acceptance=acceptance)
