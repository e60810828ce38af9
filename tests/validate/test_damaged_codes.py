"""Codes that spreadsheets and copies damage: refused, trimmed or told, so that no office becomes another or several."""

from __future__ import annotations

import datetime

import pytest
from files_of_cells import judged_alone, parquet, xlsx
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.declarations import Export, Layout
from pipelines.read import read_cells
from pipelines.validate import FileContext, recognised, validate_file

FIELDS = [
    {"name": "numero", "label": "N°"},
    {"name": "code", "label": "Code"},
    {"name": "nom", "label": "Nom"},
    {"name": "dep", "label": "Département"},
    {"name": "avis", "label": "Avis"},
]
HEAD = [field["label"] for field in FIELDS]
ROW = dict(zip(HEAD, ["R1", "G01", "Bourg", "30", "bien"], strict=True))


def csv(rows):
    return "\n".join(";".join(map(str, row)) for row in rows).encode()


WRITERS = {"csv": csv, "xlsx": xlsx, "parquet": parquet}


@pytest.fixture
def judged(catalogue):
    """Judge rows, each of them ROW with some cells changed, in a format."""

    def judge(*changes, form="csv", fields=FIELDS, **more):
        export = Export.model_validate({
            "id": "essai", "kind": "operations", "title": "Essai", "level": "site",
            "structure": {"code": "code", "name": "nom"}, "territory": {"field": "dep", "codes": "departement"},
            "key": ["numero"], "fields": fields, "layouts": [{"years": 2024, "path": "x-{year}"}], **more,
        })  # fmt: skip
        layout = Layout(years="2024", path="x", format=form, delimiter=";")
        rows = [HEAD, *([{**ROW, "N°": f"R{place}", **change}[label] for label in HEAD]
                        for place, change in enumerate(changes))]  # fmt: skip
        return judged_alone(WRITERS[form](rows), export, layout, catalogue)

    return judge


def told(validated):
    return {(item.rule, item.row, item.column) for item in validated.findings}


def codes(validated):
    return validated.observations.table().column("_structure").to_pylist()


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize(
    "code", ["1,23457E+16", "1.23456789012346e+16", "12.0", "12,0", "01-mars", "mars-24", "1-mars-24", "01/03/2024"]
)
def test_a_code_whose_text_shows_the_damage_is_refused(judged, form, code):
    validated = judged({"Code": code}, {}, form=form)
    assert {(rule, column) for rule, _, column in told(validated)} == {("code-abime", "Code")}
    assert codes(validated) == ["G01"]


@pytest.mark.parametrize(
    "code", ["1E5", "13-MAR", "12-3", "1.2.3", "mars", "MARS-A", "12", "00012", "13002526500013", "2A-01"]
)
def test_a_code_that_only_looks_so_is_kept(judged, code):
    validated = judged({"Code": code})
    assert (codes(validated), told(validated)) == ([code], set())


@pytest.mark.parametrize("code", [12345678901234567, 1234567890123456.0, datetime.date(2024, 3, 1), 12.5])
def test_a_native_value_that_is_no_code_is_refused(judged, code):
    validated = judged({"Code": code}, {}, form="xlsx")
    assert {(rule, column) for rule, _, column in told(validated)} == {("code-abime", "Code")}
    assert codes(validated) == ["G01"]


@pytest.mark.parametrize(("code", "read"), [(12, "12"), (12.0, "12"), (13002526500013, "13002526500013")])
def test_a_whole_number_is_a_code(judged, code, read):
    validated = judged({"Code": code}, form="xlsx")
    assert (codes(validated), told(validated)) == ([read], set())


def test_the_whole_numbers_of_a_parquet_lose_no_digit(judged):
    validated = judged({"Code": 12345678901234567}, {"Code": 12345678901234568}, form="parquet")
    assert (codes(validated), told(validated)) == (["12345678901234567", "12345678901234568"], set())


def test_what_a_declared_form_allows_is_right(judged):
    fields = [FIELDS[0], {**FIELDS[1], "constraints": {"pattern": r"\d\.0"}}, *FIELDS[2:]]
    validated = judged({"Code": "1.0"}, fields=fields)
    assert (codes(validated), told(validated)) == (["1.0"], set())


def test_a_date_in_a_text_that_is_no_code_is_told_and_read(judged):
    validated = judged({"Avis": datetime.date(2024, 3, 1)}, form="xlsx")
    assert [(item.rule, item.severity) for item in validated.findings] == [("date-en-texte", "avertissement")]
    assert validated.observations.table().column("avis").to_pylist() == ["2024-03-01"]


def test_digits_lost_in_any_text_are_refused(judged):
    assert told(judged({"Avis": 2**60}, form="xlsx")) == {("code-abime", 2, "Avis")}


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\ufeff", "\u200e", "\u202e", "\u2060", "\u200d"])
@pytest.mark.parametrize("label", ["Code", "Nom", "N°"])
def test_a_sign_that_nobody_sees_is_refused_where_rows_are_told_apart(judged, form, sign, label):
    validated = judged({label: f"G{sign}01"}, {}, form=form)
    assert {(rule, column) for rule, _, column in told(validated)} == {("caractere-interdit", label)}


def test_a_sign_that_nobody_sees_is_told_in_other_texts(judged):
    validated = judged({"Avis": "bi\u200ben"}, {"Avis": "👨\u200d👩"})
    assert [(item.rule, item.severity, item.row) for item in validated.findings] == [
        ("caractere-invisible", "avertissement", 2)
    ]
    assert len(codes(validated)) == 2


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_spaces_and_decomposed_letters_make_no_other_office(judged, form):
    written = ["É01", " É01", "É01 ", "É01\u00a0", "É01\u202f", "E\u030101"]
    validated = judged(*({"Code": code} for code in written), form=form)
    assert (set(codes(validated)), told(validated)) == ({"É01"}, set())


@settings(max_examples=25)
@given(
    code=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5),
    edges=st.tuples(*[st.text(st.sampled_from(" \u00a0\u202f\t"), max_size=2)] * 2),
)
def test_no_space_at_the_ends_makes_another_office(catalogue, code, edges):
    export = Export.model_validate({
        "id": "essai", "kind": "operations", "title": "Essai", "level": "site", "structure": {"code": "code"},
        "fields": [{"name": "code"}], "layouts": [{"years": 2024, "path": "x-{year}"}],
    })  # fmt: skip
    layout = Layout(years="2024", path="x", format="xlsx")
    cells = read_cells(
        xlsx([["code"], [code], [f"{edges[0]}{code}{edges[1]}"]]), "x.xlsx", layout, recognised(export, layout)
    )
    validated = validate_file(cells, FileContext(export, layout, catalogue.territories, "x", 2024))
    assert len(set(codes(validated))) <= 1


@pytest.mark.parametrize(
    ("often", "rare"),
    [
        ("G01", "g01"),
        ("00123", "123"),
        ("G 01", "G01"),
        ("00123", "'00123"),
        ("G01", "Ｇ０１"),
        ("ÉTÉ", "été"),
    ],
)
def test_the_rarer_writing_of_a_code_is_refused(judged, often, rare):
    validated = judged({"Code": rare}, {"Code": often}, {"Code": often})
    assert set(codes(validated)) == {often}
    (finding,) = validated.findings
    assert (finding.rule, finding.row, finding.value) == ("code-plusieurs-ecritures", 2, rare)
    assert f"« {often} »" in finding.message
    assert validated.refused == {2024: 1}


def test_codes_that_differ_are_several_offices(judged):
    validated = judged(*({"Code": code} for code in ("G01", "G02", "10", "100", "G-01")))
    assert (len(set(codes(validated))), told(validated)) == (5, set())


@pytest.mark.parametrize("again", ["R1 ", " R1", "R1\u00a0", "R\u00e9", "Re\u0301"])
def test_a_key_written_in_two_ways_is_one_key(judged, again):
    first = "R1" if "1" in again else "Ré" if again != "R\u00e9" else "Re\u0301"
    validated = judged({"N°": first}, {"N°": again}, {"N°": "R2"})
    assert told(validated) == {("primary-key", 3, "N°")}


def test_scientific_notation_is_refused_in_any_text_and_floats_in_keys(judged):
    assert told(judged({"Avis": "1,3E+13"})) == {("code-abime", 2, "Avis")}
    assert told(judged({"N°": "12.0"})) == {("code-abime", 2, "N°")}
    assert told(judged({"Avis": "12.0"})) == set()


@pytest.mark.parametrize(
    ("constraints", "code", "cause"),
    [
        ({"enum": ["00123", "00456"]}, "123", "zéros de tête perdus ; écrivez « 00123 »"),
        ({"pattern": "[0-9]{5}"}, "1234", "zéros de tête perdus ; écrivez « 01234 »"),
        ({"pattern": "[0-9]{14}"}, "1,30025E+13", "notation scientifique, qui a perdu les derniers chiffres"),
        ({"pattern": "[0-9]{2}"}, "12.0", "nombre à virgule"),
        ({"enum": ["1-3"]}, "01-mars", "date"),
        ({"minLength": 5, "maxLength": 8}, "01-mars-2024", "date"),
    ],
)
def test_the_list_or_form_of_a_code_tells_what_was_lost(judged, constraints, code, cause):
    fields = [FIELDS[0], {**FIELDS[1], "constraints": constraints}, *FIELDS[2:]]
    (finding,) = judged({"Code": code}, fields=fields).findings
    assert (finding.rule, finding.column, finding.cause) == ("constraint-error", "Code", cause)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_cause_of_a_damage_is_told(judged, form):
    (finding,) = judged({"Code": "1,3E+13"}, form=form).findings
    assert finding.cause == "notation scientifique, qui a perdu les derniers chiffres"


@pytest.mark.parametrize("place", ["30.0", "01-mars", "3\u200b0"])
def test_a_damaged_place_is_no_place(judged, place):
    assert codes(judged({"Département": place}, {})) == ["G01"]
