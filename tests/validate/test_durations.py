"""Columns of durations, from their declaration to numbers of their unit: texts and native cells of every format."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace
from types import MappingProxyType

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from files_of_cells import judged_alone
from hypothesis import given
from hypothesis import strategies as st
from ods_files import length, ods, ods_row, text
from pydantic import ValidationError

from pipelines.compile.exports import field_descriptor
from pipelines.compile.template import template_schema, template_workbook
from pipelines.declarations import Export, Layout
from pipelines.declarations.network import DURATION_FORMS, DURATION_UNITS, ExportField, Network
from pipelines.explain.archived_rows import values_of
from pipelines.mechanics.durations import DURATION_PATTERNS, SECONDS, duration_text, duration_value

HEAD = ["Code", "Attente"]
LENGTHS = st.integers(-(10**6), 10**6)


def export_of(**declared):
    fields = [{"name": "code", "label": "Code"}, {"name": "attente", "label": "Attente", "type": "duration",
                                                  "unit": "minutes", **declared}]  # fmt: skip
    return Export.model_validate({
        "id": "essai", "kind": "operations", "title": "Essai", "level": "site", "structure": {"code": "code"},
        "fields": fields, "layouts": [{"years": 2024, "path": "x-{year}"}],
    })  # fmt: skip


@pytest.fixture
def judged(catalogue):
    def judge(content, form="csv", **declared):
        export = export_of(**declared)
        layout = Layout(years="2024", path="x", format=form, delimiter=";")
        return judged_alone(content, export, layout, catalogue)

    return judge


def values(validated):
    return validated.observations.table().column("attente").to_pylist()


def csv(*cells):
    return "\n".join([";".join(HEAD), *(f"G{place};{cell}" for place, cell in enumerate(cells))]).encode()


def xlsx(*cells):
    """A sheet of cells, each a value and its number format."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        for row, (value, form) in enumerate(cells, start=1):
            sheet.write(row, 0, f"G{row}")
            sheet.write(row, 1, value, book.add_format({"num_format": form}))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("form", "cells", "minutes"),
    [
        (
            "h:mm:ss",
            ["00:02:35", "2:30:00", "26:30:00", "", "-0:00:30", "0:00:00,5"],
            [155 / 60, 150, 1590, None, -0.5, 0.5 / 60],
        ),
        ("h:mm", ["2:35", "00:05", "100:00"], [155, 5, 6000]),
        ("mm:ss", ["2:35", "00:05", "90:00"], [155 / 60, 5 / 60, 90]),
    ],
)
def test_texts_in_the_declared_form(judged, form, cells, minutes):
    validated = judged(csv(*cells), format=form)
    assert values(validated) == pytest.approx(minutes)
    assert not validated.findings


@pytest.mark.parametrize(
    ("form", "cell"),
    [("h:mm:ss", "2:35"), ("h:mm:ss", "155"), ("mm:ss", "1:02:35"), ("h:mm", "2h35"), ("h:mm", "2:75")],
)
def test_other_texts_are_no_durations_and_the_form_is_told(judged, form, cell):
    validated = judged(csv(cell), format=form)
    (finding,) = validated.findings
    assert (finding.rule, finding.column, finding.value) == ("type-error", "Attente", cell)
    assert f"durée ({form})" in finding.message


@pytest.mark.parametrize(
    ("unit", "value"), [("secondes", 5400.0), ("minutes", 90.0), ("heures", 1.5), ("jours", 0.0625)]
)
def test_the_unit_is_the_declared_one(judged, unit, value):
    assert values(judged(csv("1:30:00"), unit=unit)) == [value]


def test_bounds_are_in_the_unit(judged):
    validated = judged(csv("0:01:00", "0:00:30", "1:00:01", "?"), constraints={"minimum": 1, "maximum": 60})
    assert values(validated) == [1.0]
    told = [(item.row, item.rule, item.value) for item in validated.findings]
    assert told == [(3, "constraint-error", "0:00:30"), (4, "constraint-error", "1:00:01"), (5, "type-error", "?")]
    assert "au moins 1 minutes" in validated.findings[0].message


@pytest.mark.parametrize("form", DURATION_FORMS)
@given(seconds=LENGTHS, unit=st.sampled_from(DURATION_UNITS))
def test_a_duration_that_is_written_is_read_again_in_two_ways(form, seconds, unit):
    seconds -= seconds % 60 if form == "h:mm" else 0
    text = duration_text(datetime.timedelta(seconds=seconds), form)
    value = duration_value(text, form, unit)
    assert value * SECONDS[unit] == pytest.approx(seconds)
    field = export_of(format=form, unit=unit).fields[1]
    layout = export_of().layouts[0]
    assert values_of(pd.Series([text]), field_descriptor(field, layout)).tolist() == pytest.approx([value])


# Native cells


def test_native_times_and_lengths_of_a_workbook(judged):
    seconds = [(155, "mm:ss"), (155, "hh:mm:ss"), (95_400, "[h]:mm:ss"), (45, "[mm]:ss"), (9300, "h:mm")]
    content = xlsx(*((length / 86_400, form) for length, form in seconds))
    assert values(judged(content, "xlsx")) == pytest.approx([length / 60 for length, _ in seconds])


@pytest.mark.parametrize(
    ("declared", "cell"),
    [
        ("mm:ss", (9300 / 86_400, "h:mm")),  # 2:35 is seen, and is 2 h 35
        ("h:mm:ss", (4_530 / 86_400, "mm:ss")),  # 15:30 is seen, and is 1 h 15 min 30 s
    ],
)
def test_a_length_that_shows_something_else_is_refused(judged, declared, cell):
    validated = judged(xlsx(cell), "xlsx", format=declared)
    assert {(item.rule, item.column) for item in validated.findings} == {("duree-tronquee", "Attente")}


@pytest.mark.parametrize("cell", [(1.1, "h:mm:ss"), (0.5, "General"), (45_000, "dd/mm/yyyy")])
def test_a_native_value_that_is_no_duration_is_refused(judged, cell):
    validated = judged(xlsx(cell), "xlsx")
    assert {(item.rule, item.column) for item in validated.findings} == {("type-error", "Attente")}


def test_durations_of_an_ods_and_of_a_parquet(judged):
    rows = ods_row(text("G1"), length("PT00H02M35S")) + ods_row(text("G2"), length("PT26H30M00S"))
    content = ods(ods_row(*map(text, HEAD)) + rows)
    assert values(judged(content, "ods")) == pytest.approx([155 / 60, 1590])
    lengths = [datetime.timedelta(seconds=155), datetime.timedelta(hours=26, minutes=30)]
    for column in (pa.array(lengths, pa.duration("us")), pa.array([datetime.time(0, 2, 35), None], pa.time64("us"))):
        stream = io.BytesIO()
        pq.write_table(pa.table({"Code": ["G1", "G2"], "Attente": column}), stream)
        expected = [155 / 60, 1590 if pa.types.is_duration(column.type) else None]
        assert values(judged(stream.getvalue(), "parquet")) == pytest.approx(expected)


# Declarations


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"type": "duration"}, "une durée demande unit"),
        ({"type": "duration", "unit": "part"}, "une durée demande unit"),
        ({"type": "duration", "unit": "minutes", "format": "%H:%M"}, "permis : h:mm:ss, h:mm, mm:ss"),
        ({"type": "duration", "unit": "minutes", "constraints": {"pattern": "x"}}, "contraintes sans objet"),
        ({"type": "duration", "unit": "minutes", "constraints": {"minimum": "00:01"}}, "des nombres, dans son unité"),
        ({"type": "string", "unit": "%"}, "vont avec un nombre"),
        ({"type": "number", "unit": "minutes"}, "vont avec un nombre"),
    ],
)
def test_what_can_not_be_declared(declared, words):
    with pytest.raises(ValidationError, match=words):
        ExportField.model_validate({"name": "x", **declared})


def test_the_schema_of_a_template_says_the_form():
    export = export_of(format="mm:ss", constraints={"required": True, "maximum": 30})
    field = template_schema(export, export.layouts[0], 2024)["fields"][1]
    assert field["type"] == "string"
    assert field["constraints"] == {"required": True, "pattern": DURATION_PATTERNS["mm:ss"]}
    assert "durée (mm:ss)" in field["description"].lower()
    assert field["example"] == "30:00"


def test_an_empty_duration_is_an_absence(judged):
    book = openpyxl.Workbook()
    for row in (HEAD, ["G1", None], ["G2", datetime.timedelta(minutes=3)]):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    assert values(judged(stream.getvalue(), "xlsx")) == [None, 3.0]


@pytest.mark.parametrize("form", DURATION_FORMS)
def test_the_example_of_a_template_is_read_as_it_is_shown(catalogue, judged, form):
    export = export_of(format=form, example="90:00" if form == "mm:ss" else None)
    network = Network.model_validate({
        "title": "Essai", "producer": "Essai", "description": "Essai.", "structure_type": "Essai", "years": 2024,
        "finest_level": "site", "acceptance": {"max_refused_share": 0, "why": "essai"},
        "exports": [export.model_dump(by_alias=True, exclude_none=True, mode="json") | {"layouts": [
            {"years": 2024, "path": "x-{year}.xlsx", "format": "xlsx"}]}],
    })  # fmt: skip
    known = replace(catalogue, networks=MappingProxyType({"essai": network}))
    made = network.exports[0]
    content = template_workbook(known, "essai", made, made.layouts[0], 2024)
    book = openpyxl.load_workbook(io.BytesIO(content))
    del book["Données"]
    book["Exemple"].title = "Données"  # as who copies the example into the sheet to fill: it is never read itself
    stream = io.BytesIO()
    book.save(stream)
    assert book["Données"]["B2"].number_format == {"h:mm:ss": "[h]:mm:ss", "h:mm": "[h]:mm", "mm:ss": "[mm]:ss"}[form]
    assert values(judged(stream.getvalue(), "xlsx", format=form)) == [90.0 if form == "mm:ss" else 1.0]
