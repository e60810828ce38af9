"""Row by row: what is accepted, what is refused and told with its row, column, value and year."""

from __future__ import annotations

import datetime

import pytest

from pipelines.declarations import Correction, Layout
from pipelines.read import read_cells
from pipelines.validate.messages import title


def refusal(essai, judged):
    (finding,) = judged.findings
    assert finding.severity == "erreur"
    assert judged.observations.num_rows == 0
    assert sum(judged.refused.values()) == 1
    return finding


def test_an_accepted_row(essai):
    judged = essai.judge([essai.row()])
    assert judged.observations.table().to_pylist() == [
        {
            "_ligne": 2,
            "_annee": 2024,
            "_periode": "2024-03",
            "_maille": "site",
            "_territoire": "01",
            "_structure": "S1",
            "_structure_nom": "Bourg",
            "code": "S1",
            "jour": datetime.date(2024, 3, 15),
            "maille": "SITE",
            "zone": "D01",
            "nom": "Bourg",
            "valeur": 1.5,
            "_absence_valeur": None,
        }
    ]
    assert (judged.findings, judged.refused, judged.ignored) == ([], {}, 0)


# What frictionless finds


@pytest.mark.parametrize(
    ("changes", "rule", "column", "value"),
    [
        ({"Valeur": "beaucoup"}, "type-error", "Valeur", "beaucoup"),
        ({"Valeur": "1.5"}, "type-error", "Valeur", "1.5"),
        ({"Valeur": "-1"}, "constraint-error", "Valeur", "-1"),
        ({"Jour": "2024-03-15"}, "type-error", "Jour", "2024-03-15"),
        ({"Jour": "30/02/2024"}, "type-error", "Jour", "30/02/2024"),
        ({"Maille": "CANTON"}, "constraint-error", "Maille", "CANTON"),
        ({"Valeur": "nan"}, "nombre-impossible", "Valeur", "nan"),
        ({"Valeur": "inf"}, "nombre-impossible", "Valeur", "inf"),
        ({"Valeur": "-INF"}, "nombre-impossible", "Valeur", "-INF"),
        ({"Valeur": "1e999"}, "nombre-impossible", "Valeur", "1e999"),
    ],
)
def test_a_wrong_cell(essai, changes, rule, column, value):
    finding = refusal(essai, essai.judge([essai.row(**changes)]))
    assert (finding.rule, finding.row, finding.column, finding.value) == (rule, 2, column, value)
    assert finding.year == 2024


@pytest.mark.parametrize("digits", [19, 400, 5000])
def test_a_huge_integer(essai, digits):
    fields = [{"name": "code", "type": "integer"}]
    rest = {"key": [], "period": {}, "territory": None, "level": "national", "structure": None}
    judged = essai.judge([["9" * digits], ["9" * 15]], ["code"], fields=fields, **rest)
    assert judged.findings[0].rule in ("nombre-impossible", "type-error")
    assert len(judged.findings[0].value) <= max(40, digits)
    assert judged.observations.table().column("code").to_pylist() == [10**15 - 1]


def test_missing_and_extra_cells(essai):
    judged = essai.judge([essai.row()[:-1], [*essai.row(Code="S2"), "x", "y"]])
    assert essai.told(judged) == [("missing-cell", 2, "Valeur"), ("extra-cell", 3, ""), ("extra-cell", 3, "")]
    assert judged.refused == {2024: 2}


def test_the_header_is_never_guessed_from_the_width_of_rows(essai):
    judged = essai.judge([essai.row()[:4], *[essai.row()[:3]] * 8])
    assert {item.row for item in judged.findings} == set(range(2, 11))
    assert judged.refused == {2024: 9}


def test_blank_rows(essai):
    judged = essai.judge([essai.row(), [], [""] * 6, essai.row(Code="S2")])
    assert [row for rule, row, _ in essai.told(judged) if rule == "blank-row"] == [3, 4]
    assert judged.refused == {2024: 2}
    assert judged.observations.table().column("_ligne").to_pylist() == [2, 5]


def test_a_key_twice_tells_the_row_of_the_first(essai):
    finding = refusal_of_second(essai, first_row=2)
    assert (finding.rule, finding.row, finding.column) == ("primary-key", 3, "Code")
    assert finding.value == "S1"
    assert "comme à la ligne 2" in finding.message
    assert "comme à la ligne 7" in refusal_of_second(essai, first_row=7).message


def refusal_of_second(essai, first_row):
    judged = essai.judge([essai.row(), essai.row()], first_row=first_row)
    assert judged.observations.num_rows == 1
    return judged.findings[0]


def test_an_empty_key_is_told_apart_from_one_seen_before(essai):
    fields = [{**field, "constraints": {}} for field in essai.export.model_dump(by_alias=True)["fields"]]
    judged = essai.judge([essai.row(Code="")], fields=fields, structure=None, level="departement")
    assert ("cle-vide", 2, "Code") in essai.told(judged)
    assert title("cle-vide") != title("primary-key")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Valeur": "nan", "Zone": "D99"}, {("nombre-impossible", "Valeur"), ("territoire-inconnu", "Zone")}),
        ({"Valeur": "1e20", "Jour": "31/12/2019"}, {("nombre-impossible", "Valeur"), ("hors-periode", "Jour")}),
        ({"Valeur": "nan", "Maille": "CANTON"}, {("nombre-impossible", "Valeur"), ("constraint-error", "Maille")}),
        (
            {"Valeur": "-1", "Zone": "D99", "Jour": "01/01/2019", "Nom": "=1+1"},
            {("constraint-error", "Valeur"), ("territoire-inconnu", "Zone"), ("hors-periode", "Jour"),
             ("formule", "Nom")},
        ),
        ({"Valeur": "x", "Jour": "hier"}, {("type-error", "Valeur"), ("type-error", "Jour")}),
        ({"Valeur": "-1", "Maille": "CANTON", "Zone": "D99"},
         {("constraint-error", "Valeur"), ("constraint-error", "Maille")}),
        ({"Valeur": "-1", "Jour": ""}, {("constraint-error", "Valeur"), ("periode-absente", "Jour")}),
    ],
)  # fmt: skip
def test_all_that_is_wrong_with_a_row_is_told_at_once(essai, changes, told):
    judged = essai.judge([essai.row(**changes)])
    assert {(item.rule, item.column) for item in judged.findings} == told
    assert len(judged.findings) == len(told)
    assert {item.value for item in judged.findings} == {changes[column] for _, column in told}


def test_places_are_not_asked_of_a_refused_row_that_would_carry_no_observation(essai):
    rule = [{"blank": ["zone"], "present": ["code"], "why": "essai"}]
    judged = essai.judge([essai.row(Zone="", Valeur="-1")], ignore=rule)
    assert essai.told(judged) == [("constraint-error", 2, "Valeur")]


def test_a_row_whose_only_content_is_a_cell_too_many_is_not_called_empty(essai):
    judged = essai.judge([["", "", "", "", "", "", "", "x"], essai.row()])
    assert [(item.rule, item.row, item.value) for item in judged.findings] == [("extra-cell", 2, "x")]
    assert {item.rule for item in essai.judge([[""] * 8, essai.row()]).findings} == {"blank-row"}


def test_personal_columns_are_judged_and_dropped(essai):
    fields = list(essai.export.model_dump(by_alias=True)["fields"])
    fields[5] = {**fields[5], "personal": True}
    judged = essai.judge([essai.row(), essai.row(Code="S2", Valeur="-1")], fields=fields)
    assert essai.told(judged) == [("constraint-error", 3, "Valeur")]
    assert not {"valeur", "_absence_valeur"} & set(judged.observations.table().column_names)


def test_a_key_whose_column_is_optional_and_missing_is_not_checked(essai):
    header, row = essai.header[:4] + essai.header[5:], essai.row()[:4] + essai.row()[5:]
    assert essai.judge([row, row], header, key=["code", "nom"]).findings == []


def test_a_unique_value_twice(essai):
    fields = [dict(field.model_dump(by_alias=True, exclude_defaults=True)) for field in essai.export.fields]
    fields[4]["constraints"] = {"unique": True}
    judged = essai.judge([essai.row(), essai.row(Code="S2")], fields=fields)
    assert essai.told(judged) == [("unique-error", 3, "Nom")]


# Row numbers


@pytest.mark.parametrize(
    ("text", "declared", "wrong_row"),
    [
        ("Code;Valeur\nA;1\nB;x\n", {}, 3),
        ("sep=;\nCode;Valeur\nA;1\nB;x\n", {}, 4),
        ("Titre\n\nCode;Valeur\n\nA;1\nB;x\n", {"skipRows": 2}, 6),
        ("sep=;\nTitre\nGroupe;\nCode;Valeur\nB;x\n", {"skipRows": 1, "headerRows": 2}, 5),
    ],
)
def test_a_row_has_its_number_in_the_file(essai, text, declared, wrong_row):
    layout = Layout(years="2024", path="x", delimiter=";", **declared)
    cells = read_cells(text.encode(), "x.csv", layout)
    header = [label.removeprefix("Groupe / ") for label in cells.header]
    judged = essai.judge(
        cells.rows, header, cells.first_row,
        fields=[{"name": "code", "label": "Code"}, {"name": "valeur", "label": "Valeur", "type": "integer"}],
        key=[], period={}, territory=None, level="national", structure=None,
    )  # fmt: skip
    assert [item.row for item in judged.findings if item.rule == "type-error"] == [wrong_row]


# Absences, ignored rows


@pytest.mark.parametrize(
    ("cell", "reason"), [("", "non-renseigne"), ("ns", "non-significatif"), ("nd", "non-disponible"), ("0", None)]
)
def test_the_reason_of_an_absence_is_kept(essai, cell, reason):
    (row,) = essai.judge([essai.row(Valeur=cell)]).observations.table().to_pylist()
    assert row["_absence_valeur"] == reason
    assert row["valeur"] == (0.0 if cell == "0" else None)


def test_an_absence_code_that_is_not_declared_is_wrong(essai):
    assert refusal(essai, essai.judge([essai.row(Valeur="NS")])).rule == "type-error"


def test_ignored_rows_are_counted_apart(essai):
    rule = [{"blank": ["valeur", "zone"], "present": ["code"], "why": "sous-total"}]
    rows = [essai.row(), essai.row(Code="S2", Valeur="", Zone=""), essai.row(Code="S3", Valeur="")]
    judged = essai.judge(rows, ignore=rule)
    assert (judged.ignored, judged.refused, judged.observations.num_rows) == (1, {}, 2)


def test_a_wrong_row_is_never_ignored(essai):
    rule = [{"blank": ["valeur"], "why": "sans valeur"}]
    assert refusal(essai, essai.judge([essai.row(Valeur="", Jour="x")], ignore=rule)).rule == "type-error"


# Places and levels


@pytest.mark.parametrize(
    ("level", "zone", "territory"),
    [
        ("SITE", "D2A", "2A"),
        ("SITE", "d2a", "2A"),
        ("SITE", "", None),
        ("DEP", "D971", "971"),
        ("REG", "R84", "84"),
        ("NAT", "FRANCE", "FR"),
        ("NAT", "", "FR"),
    ],
)
def test_places_as_pilote_codes_them(essai, level, zone, territory):
    (row,) = essai.judge([essai.row(Maille=level, Zone=zone)]).observations.table().to_pylist()
    assert row["_territoire"] == territory
    assert row["_structure"] == ("S1" if level in ("SITE", "DEP") else None)


@pytest.mark.parametrize(
    ("level", "zone", "rule"),
    [
        ("DEP", "", "territoire-absent"),
        ("REG", "", "territoire-absent"),
        ("DEP", "D20", "territoire-inconnu"),
        ("DEP", "R84", "territoire-inconnu"),
        ("REG", "D01", "territoire-inconnu"),
        ("SITE", "R84", "territoire-inconnu"),
        ("DEP", "FRANCE", "territoire-inconnu"),
        ("DEP", "01", "territoire-inconnu"),
    ],
)
def test_places_that_are_refused(essai, level, zone, rule):
    finding = refusal(essai, essai.judge([essai.row(Maille=level, Zone=zone)]))
    assert (finding.rule, finding.column, finding.value) == (rule, "Zone", zone)


@pytest.mark.parametrize(
    ("codes", "level", "written", "found"),
    [
        ("departement", "departement", "1", "01"),
        ("departement", "departement", "01", "01"),
        ("departement", "departement", "2a", "2A"),
        ("departement", "departement", " 2B ", "2B"),
        ("departement", "departement", "971", "971"),
        ("departement", "departement", "001", None),
        ("departement", "departement", "20", None),
        ("departement", "departement", "Ain", None),
        ("departement", "site", "30", "30"),
        ("departement", "region", "84", None),
        ("region", "region", "84", "84"),
        ("region", "region", "4", "04"),
        ("region", "region", "10", None),
    ],
)
def test_places_as_the_insee_codes_them(essai, codes, level, written, found):
    judged = essai.judge([essai.row(Zone=written)], territory={"field": "zone", "codes": codes}, level=level)
    assert judged.observations.table().column("_territoire").to_pylist() == ([found] if found else [])
    assert [item.rule for item in judged.findings] == ([] if found else ["territoire-inconnu"])


def test_an_export_without_territory(essai):
    (row,) = essai.judge([essai.row()], territory=None).observations.table().to_pylist()
    assert (row["_maille"], row["_territoire"]) == ("site", None)


def test_a_level_that_is_not_declared(essai):
    level = {"field": "maille", "values": {"DEP": "departement"}}
    finding = refusal(essai, essai.judge([essai.row()], level=level))
    assert (finding.rule, finding.column, finding.value) == ("maille-inconnue", "Maille", "SITE")
    assert "DEP" in finding.message
    judged = essai.judge([essai.row(Zone="")], level={**level, "otherwise": "national"})
    assert judged.observations.table().column("_maille").to_pylist() == ["national"]


def test_a_site_has_a_code(essai):
    finding = refusal(essai, essai.judge([essai.row(Nom="")], structure={"code": "nom"}))
    assert (finding.rule, finding.column) == ("structure-absente", "Nom")
    judged = essai.judge([essai.row(Nom="", Maille="DEP")], structure={"code": "nom"})
    assert judged.observations.table().column("_structure").to_pylist() == [None]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_published_text_is_no_formula(essai, start):
    finding = refusal(essai, essai.judge([essai.row(Nom=f"{start}1+1")]))
    assert (finding.rule, finding.column) == ("formule", "Nom")
    judged = essai.judge([essai.row(Nom=f"{start}1", Maille="REG", Zone="R84")])
    assert judged.findings == []  # the name of a region's row is not published


def test_every_fault_of_a_row_is_told(essai):
    judged = essai.judge([essai.row(Jour="01/01/2023", Zone="D20", Nom="=x")])
    assert [item.rule for item in judged.findings] == ["hors-periode", "territoire-inconnu", "formule"]
    assert judged.refused == {2024: 1}


# Years and periods


def test_a_date_out_of_the_file_s_year(essai):
    finding = refusal(essai, essai.judge([essai.row(Jour="31/12/2023")]))
    assert (finding.rule, finding.column, finding.value) == ("hors-periode", "Jour", "31/12/2023")
    assert finding.year == 2024


def test_a_date_that_is_empty(essai):
    finding = refusal(essai, essai.judge([essai.row(Jour="")]))
    assert (finding.rule, finding.column, finding.year) == ("periode-absente", "Jour", 2024)


def test_without_a_date_the_year_of_the_file_is_the_period(essai):
    (row,) = essai.judge([essai.row()], period={}).observations.table().to_pylist()
    assert (row["_annee"], row["_periode"]) == (2024, "2024")


def test_a_column_of_years(essai):
    fields = [dict(field.model_dump(by_alias=True, exclude_defaults=True)) for field in essai.export.fields]
    fields[1] = {"name": "jour", "label": "Jour", "type": "year"}
    rows = [essai.row(Jour="2023"), essai.row(Jour="2024", Code="S2"), essai.row(Jour="24", Code="S3")]
    judged = essai.judge(rows, fields=fields, file_year=None, period={"field": "jour"})
    assert judged.observations.table().column("_periode").to_pylist() == ["2023", "2024"]
    assert judged.refused == {None: 1}


def test_a_file_of_several_years(essai):
    rows = [
        essai.row(Jour="01/01/2023"),
        essai.row(Jour="01/02/2024", Code="S2", Valeur="x"),
        essai.row(Jour="01/02/2023", Code="S3", Valeur="nan"),
        essai.row(Jour="?", Code="S4"),
        essai.row(Jour="", Code="S5"),
    ]
    judged = essai.judge(rows, file_year=None)
    assert judged.observations.table().column("_annee").to_pylist() == [2023]
    assert judged.refused == {2024: 1, 2023: 1, None: 2}
    assert [(item.row, item.year) for item in judged.findings] == [(3, 2024), (4, 2023), (5, None), (6, None)]


# Corrections


def correction(**changes):
    declared = {
        "export": "essai", "year": 2024, "where": {"code": "S1", "maille": "SITE"}, "field": "valeur",
        "expected": "15", "value": "1,5", "reason": "virgule oubliée", "date": "2025-01-02",
    }  # fmt: skip
    return Correction.model_validate({**declared, **changes})


def test_a_correction_is_applied_before_the_judgement(essai):
    judged = essai.judge([essai.row(Valeur=" 15 "), essai.row(Code="S2", Valeur="15")], corrections=[correction()])
    assert judged.observations.table().column("valeur").to_pylist() == [1.5, 15.0]
    assert judged.findings == []


@pytest.mark.parametrize(
    "changes",
    [{"expected": "16"}, {"where": {"code": "S9"}}, {"where": {"nom": "Lyon"}}, {"field": "absent"}],
)
def test_a_correction_that_finds_nothing_has_expired(essai, changes):
    judged = essai.judge([essai.row(Valeur="15")], corrections=[correction(**changes)])
    (finding,) = judged.findings
    assert (finding.rule, finding.row, finding.year) == ("correction-perimee", None, 2024)
    assert "essai.csv" in finding.message
    assert judged.observations.table().column("valeur").to_pylist() == [15.0]


def test_corrections_and_short_rows(essai):
    judged = essai.judge([["S1"], essai.row(Valeur="15")], corrections=[correction()])
    assert judged.observations.table().column("_ligne").to_pylist() in ([], [3])
    assert "correction-perimee" not in [item.rule for item in judged.findings]
