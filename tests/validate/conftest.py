"""A small network with a personal column, for what is told to producers."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from pipelines.declarations import Catalogue, Export, Layout
from pipelines.declarations.network import Network
from pipelines.read import read_cells
from pipelines.validate import JudgedFile, Verdict, judge, protect, validate_cells

EXPORT = {
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
NETWORK = {
    "title": "Labo <b>",
    "producer": "Producteur & fils",
    "description": "Essai.",
    "structure_type": "Essai",
    "finest_level": "departement",
    "years": 2024,
    "acceptance": {"max_refused_share": 0.9, "why": "essai"},
    "exports": [EXPORT],
}
HEADER = "N°;Jour;departement;Note;Avis;Remarque\n"


class Lab:
    header = HEADER

    def __init__(self, catalogue: Catalogue) -> None:
        self.network = Network.model_validate(NETWORK)
        self.export: Export = self.network.exports[0]
        self.layout: Layout = self.export.layouts[0]
        self.catalogue = replace(
            catalogue,
            networks=MappingProxyType({**catalogue.networks, "labo": self.network}),
        )

    def judged(self, text: str) -> Verdict:
        """The verdict on the content of a file."""
        cells = read_cells(text.encode(), "guichet-2024.csv", self.layout)
        validated = validate_cells(
            cells.header, cells.rows, cells.first_row, self.export, self.layout, self.catalogue.territories,
            file="guichet-2024.csv", file_year=2024,
        )  # fmt: skip
        file = JudgedFile("guichet-2024.csv", "0" * 64, protect(validated, self.export, self.layout))
        return judge(self.export, 2024, self.network.acceptance, [file])


@pytest.fixture(scope="session")
def lab(catalogue: Catalogue) -> Lab:
    return Lab(catalogue)
