"""A small export to judge, and a way to judge it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipelines.declarations import Export, Layout
from pipelines.validate import validate_cells

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
        return validate_cells(
            list(header),
            [list(row) for row in rows],
            first_row,
            declared,
            Layout.model_validate({**EXPORT["layouts"][0], **(layout or {})}),
            catalogue.territories,
            file="essai.csv",
            file_year=file_year,
            corrections=corrections,
        )

    def row(**changes):
        return [changes.get(label, cell) for label, cell in zip(HEADER, ROW, strict=True)]

    def told(validated):
        return [(item.rule, item.row, item.column) for item in validated.findings]

    return SimpleNamespace(judge=judged, row=row, told=told, header=HEADER, export=Export.model_validate(EXPORT))
