"""Why a cell is refused: the cause seen in its text, and what to write, in every format."""

from __future__ import annotations

import unicodedata

import frictionless
import pytest
from files_of_cells import declared, delimited, judged, ods, written, xlsx
from hypothesis import given
from hypothesis import strategies as st

from pipelines.compile.exports import field_descriptor
from pipelines.declarations.network import Acceptance
from pipelines.validate.near_misses import differences, near_miss

ANSWERS = ["Très satisfait", "Plutôt satisfait", "Plutôt mécontent", "Aujourd'hui"]
EXPORT = {
    "id": "essai",
    "kind": "survey",
    "title": "Essai",
    "fields": [
        {"name": "code", "label": "Code", "constraints": {"required": True, "pattern": "[A-Z]{3}[0-9]{2}"}},
        {"name": "departement", "label": "Département", "constraints": {"required": True}},
        {"name": "jour", "label": "Jour", "type": "date"},
        {"name": "note", "label": "Note", "type": "integer", "missingValues": ["", "nsp"]},
        {"name": "taux", "label": "Taux", "type": "number"},
        {"name": "vu", "label": "Vu", "type": "boolean", "trueValues": ["oui"], "falseValues": ["non"]},
        {"name": "reponse", "label": "Réponse", "constraints": {"enum": ANSWERS}},
        {"name": "remarque", "label": "Remarque"},
    ],
    "level": "site",
    "territory": {"field": "departement", "codes": "departement"},
    "structure": {"code": "code"},
}
HEADER = ["Code", "Département", "Jour", "Note", "Taux", "Vu", "Réponse", "Remarque"]
ROW = ["CAF30", "30", "2024-03-01", "5", "1.5", "oui", "Très satisfait", "rien"]
ACCEPTANCE = Acceptance(max_refused_share=1, why="essai")


@pytest.fixture
def problems(catalogue, tmp_path):
    def problems(content, form="csv", **layout):
        _, found = judged(content, *declared(EXPORT, form, **layout), catalogue, ACCEPTANCE, tmp_path)
        return found

    return problems


@pytest.fixture
def cause(problems):
    def cause(label, text, form="csv", **layout):
        row = [text if name == label else cell for name, cell in zip(HEADER, ROW, strict=True)]
        if layout.get("decimalChar") == "," and label != "Taux":
            row[4] = "1,5"
        # A column written otherwise than declared, but all in one way, is read so: here another row is as declared.
        other = ["CAF31", *ROW[1:4], row[4] if layout.get("decimalChar") == "," else ROW[4], *ROW[5:]]
        (problem,) = problems(written([HEADER, row, other], form), form, **layout)
        return " ".join(problem.causes)

    return cause


@pytest.mark.parametrize(
    ("label", "text", "words"),
    [
        ("Note", "1 250", ["espace entre les milliers", "écrivez « 1250 »"]),
        ("Note", "1\u00a0250", ["espace insécable entre les milliers", "[espace insécable]", "écrivez « 1250 »"]),
        ("Note", "1\u202f250\u202f000", ["espace insécable entre les milliers", "écrivez « 1250000 »"]),
        ("Note", "1Â\u00a0250", ["signes mal convertis", "écrivez « 1250 »"]),
        ("Note", "12 %", ["« % » après le nombre", "écrivez « 12 »"]),
        ("Note", "85% ", ["« % » après le nombre", "écrivez « 85 »"]),
        ("Note", "12 €\u200b", ["« € » après le nombre", "écrivez « 12 »"]),
        ("Note", "12 â‚¬", ["« € » après le nombre", "écrivez « 12 »"]),
        ("Note", "30 min", ["« min » après le nombre", "écrivez « 30 »"]),
        ("Note", "5.0", ["partie décimale nulle", "écrivez « 5 »"]),
        ("Note", "5,5", ["nombre à virgule, où la colonne veut un nombre entier"]),
        ("Note", "'12", ["apostrophe devant le nombre", "écrivez « 12 »"]),
        ("Note", "−3", ["signe moins", "écrivez « -3 »"]),
        ("Note", "1\u200b2", ["signe invisible", "[espace invisible]", "écrivez « 12 »"]),
        ("Note", "NSP", ["majuscules ou minuscules", "écrivez « nsp »"]),
        ("Taux", "85,3", ["virgule au lieu du point", "écrivez « 85.3 »"]),
        ("Taux", "1 085,3 %", ["espace entre les milliers", "« % »", "virgule", "écrivez « 1085.3 »"]),
        ("Vu", "Oui", ["majuscules ou minuscules", "écrivez « oui »"]),
        ("Jour", "31/04/2024", ["le 31 avril 2024 n'existe pas"]),
        ("Jour", "2024-02-30", ["le 30 février 2024 n'existe pas"]),
        ("Jour", "04/31/2024", ["il n'y a pas de mois 31", "inversés"]),
        ("Jour", "30/04/2024", ["date d'une autre forme que AAAA-MM-JJ", "écrivez « 2024-04-30 »"]),
        ("Jour", "1er mars 2024", ["écrivez « 2024-03-01 »"]),
        ("Jour", "5 févr. 2024", ["écrivez « 2024-02-05 »"]),
        ("Jour", "30 février 2024", ["le 30 février 2024 n'existe pas"]),
        ("Jour", "2024-03-01 10:20:05", ["heure après la date", "écrivez « 2024-03-01 »"]),
        ("Jour", "01/03/24", ["année sur deux chiffres", "écrivez « 2024-03-01 »"]),
        ("Jour", "45352", ["nombre de jours d'un tableur", "écrivez « 2024-03-01 »"]),
        ("Code", "caf30", ["minuscules au lieu de majuscules", "écrivez « CAF30 »"]),
        ("Code", "CAF30 ", ["[espace]", "espace au début ou à la fin", "écrivez « CAF30 »"]),
        ("Code", "CAF\u200b30", ["signe invisible", "écrivez « CAF30 »"]),
        ("Réponse", "Très satisfait ", ["[espace]", "espace au début ou à la fin", "écrivez « Très satisfait »"]),
        ("Réponse", "Très\u00a0satisfait", ["[espace insécable]", "espace insécable"]),
        ("Réponse", "Très\u200b satisfait", ["[espace invisible]", "signe invisible"]),
        ("Réponse", unicodedata.normalize("NFD", "Très satisfait"), ["accent écrit en deux signes"]),
        ("Réponse", "très satisfait", ["majuscules ou minuscules"]),
        ("Réponse", "Tres satisfait", ["accents"]),
        ("Réponse", "1 - Très satisfait", ["numéro devant la valeur"]),
        ("Réponse", "Plutôt  mécontent", ["espaces en double"]),
        ("Réponse", "Aujourd’hui", ["autre apostrophe"]),
        ("Réponse", "Très satisfaits", ["la valeur permise la plus proche est « Très satisfait »"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["csv", "xlsx", "ods", "parquet"])
def test_the_cause_is_named_and_what_to_write(cause, label, text, words, form):
    if form in ("xlsx", "ods") and text.endswith(" ") and label == "Code":
        form = "csv"  # how spreadsheets keep a last space is their writers' affair
    told = cause(label, text, form)
    if form in ("xlsx", "ods") and label == "Taux":  # a number typed in a French sheet has a comma
        words = [*(word.replace(".", ",") for word in words), "dans une cellule au format Nombre"]
    for word in words:
        assert word in told


@pytest.mark.parametrize("write", [xlsx, ods])
def test_a_number_typed_as_text_in_a_sheet_is_told_as_such(cause, write):
    assert "nombre enregistré comme texte" in cause("Note", "1 250", write.__name__)
    assert "nombre enregistré comme texte" not in cause("Note", "1 250", "csv")
    told = cause("Taux", "80,5 %", write.__name__)  # a spreadsheet in French takes 8.5 for the 8th of May
    assert told.endswith("écrivez « 80,5 » dans une cellule au format Nombre")
    assert cause("Taux", "80,5 %", "csv").endswith("écrivez « 80.5 »")


def test_a_point_where_a_comma_is_declared(cause):
    assert "point au lieu de la virgule ; écrivez « 85,3 »" in cause("Taux", "85.3", decimalChar=",")


@pytest.mark.parametrize(("text", "told"), [("13/2024", "il n'y a pas de mois 13"), ("2024-03", "écrivez « 03/2024 »")])
def test_a_column_of_months(cause, text, told):
    assert told in cause("Jour", text, fields={"jour": {"format": "%m/%Y"}})


@pytest.mark.parametrize(
    ("label", "text"),
    [("Note", "beaucoup"), ("Taux", "n/a"), ("Jour", "hier"), ("Réponse", "Bof"), ("Jour", "00/00/0000"),
     ("Jour", "1 brumaire 2024"), ("Code", "x")],
)  # fmt: skip
def test_what_has_no_known_cause_keeps_its_example(problems, label, text):
    row = [text if name == label else cell for name, cell in zip(HEADER, ROW, strict=True)]
    (problem,) = problems(written([HEADER, row], "csv"))
    assert "écrivez" not in " ".join(problem.causes)
    assert problem.values == (text,)


def test_an_example_is_shown_unless_each_cause_gives_one(problems):
    rows = [[*ROW[:3], note, *ROW[4:]] for note in ("1 250", "2 300")]
    (problem,) = problems(written([HEADER, *rows], "csv"))
    assert problem.example == ""
    assert problem.unexplained == []
    (problem,) = problems(written([HEADER, *rows, [*ROW[:3], "peu", *ROW[4:]]], "csv"))
    assert problem.example == "1"
    assert problem.unexplained == ["peu"]


def test_last_cells_that_excel_drops_are_told_with_their_columns(problems):
    content = delimited([HEADER, ROW]) + delimited([ROW[:7]] * 3)
    (problem,) = problems(content.encode())
    assert (problem.rule, problem.count) == ("missing-cell", 3)
    (cause,) = problem.causes
    assert "Excel" in cause
    assert "« Remarque »" in cause


def test_a_row_cut_in_a_column_that_is_needed_is_not_laid_on_excel(problems):
    (problem, *_) = problems((delimited([HEADER, ROW]) + "CAF31\r\n").encode())
    assert problem.rule == "missing-cell"
    assert problem.causes == ()


def test_other_causes_are_counted_once_each(problems):
    rows = [[*ROW[:3], f"{number} 250", *ROW[4:]] for number in range(1, 2000)]
    (problem,) = problems(written([HEADER, *rows, [*ROW[:3], "5 %", *ROW[4:]]], "csv"))
    assert problem.count == 2000
    assert len(problem.causes) == 3
    assert any("« % » après le nombre" in cause for cause in problem.causes)


@given(st.text(max_size=30), st.text(max_size=30))
def test_differences_are_none_of_equal_texts_and_symmetric_in_kind(one, other):
    assert differences(one, one) == []
    if differences(one, other):
        assert one != other


@given(st.sampled_from(ANSWERS), st.text(" \u00a0", max_size=3), st.booleans())
def test_spaces_and_case_never_hide_the_allowed_answer(answer, spaces, upper):
    text = f"{spaces}{answer.upper() if upper else answer}{spaces}"
    told = near_miss(text, ANSWERS)
    assert f"écrivez « {answer} »" in told if text != answer else told == ""


@given(st.text(max_size=40))
def test_what_is_proposed_is_right(cause_of_any, text):
    for kind, told in cause_of_any(text):
        if "écrivez « " in told:
            proposed = told.rsplit("écrivez « ", 1)[1].removesuffix(" »")
            export, layout = declared(EXPORT, "csv")
            field = frictionless.Field.from_descriptor(field_descriptor(export.field(kind), layout))
            assert not field.read_cell(proposed)[1]


@pytest.fixture(scope="module")
def cause_of_any(catalogue):
    from pipelines.validate import FileContext
    from pipelines.validate.causes import Causes
    from pipelines.validate.findings import Finding

    export, layout = declared(EXPORT, "csv")
    causes = Causes(FileContext(export, layout, catalogue.territories, "x", 2024))

    def of(text):
        labels = {"jour": "Jour", "note": "Note", "taux": "Taux", "vu": "Vu"}
        return [(name, causes.of(Finding("type-error", "Non.", column=label, value=text)))
                for name, label in labels.items()]  # fmt: skip

    return of
