"""Files put end to end: the header among the rows is told as such, once, and never taken for data."""

from __future__ import annotations

import pytest
from files_of_cells import FORMATS, declared, judged, written

from pipelines.declarations.network import Acceptance

ACCEPTANCE = Acceptance(max_refused_share=0.5, why="essai")
FIELDS = [
    {"name": "code", "label": "Code", "constraints": {"required": True}},
    {"name": "nom", "label": "Guichet"},
    {"name": "departement", "label": "Département"},
    {"name": "note", "label": "Note", "type": "integer"},
]
EXPORT = {"id": "essai", "kind": "survey", "title": "Essai", "structure": {"code": "code", "name": "nom"}}
HEADER = ["Code", "Guichet", "Département", "Note"]
ROW = ["G01", "Mairie", "30", "5"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("texts_alone", [False, True])
@pytest.mark.parametrize("again", [HEADER, [f"\ufeff{HEADER[0]}", *HEADER[1:]], [*HEADER[:3], ""]])
def test_a_header_among_rows_is_told_once(catalogue, tmp_path, form, texts_alone, again):
    fields = [{**field, "type": "string"} if texts_alone else field for field in FIELDS]
    placed = {"level": "site"} if texts_alone else {
        "level": "site", "territory": {"field": "departement", "codes": "departement"},
    }  # fmt: skip
    export, layout = declared({**EXPORT, **placed, "fields": fields}, form)
    verdict, problems = judged(
        written([HEADER, ROW, again, ROW], form), export, layout, catalogue, ACCEPTANCE, tmp_path
    )  # fmt: skip
    assert (verdict.accepted, verdict.refused) == (2, 1)
    assert [(item.rule, item.rows) for item in problems] == [("entete-repete", (2 if form == "parquet" else 3,))]


@pytest.mark.parametrize("form", FORMATS)
def test_a_value_that_is_a_label_is_a_value(catalogue, tmp_path, form):
    export, layout = declared({**EXPORT, "level": "site", "fields": FIELDS}, form)
    rows = [HEADER, ROW, ["G02", "Guichet", "30", "5"]]
    verdict, problems = judged(written(rows, form), export, layout, catalogue, ACCEPTANCE, tmp_path)
    assert (verdict.accepted, problems) == (2, [])
