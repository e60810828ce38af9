"""A header that isn't recognised: the cause is looked for in the file as it was written, and told once."""

from __future__ import annotations

import pytest
from files_of_cells import declared, delimited, judged, ods, written, xlsx
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations.network import Acceptance

EXPORT = {
    "id": "essai",
    "kind": "survey",
    "title": "Essai",
    "fields": [
        {"name": "code", "label": "Code", "constraints": {"required": True}},
        {"name": "nom", "label": "Guichet d'accueil"},
        {"name": "departement", "label": "Département", "constraints": {"required": True}},
        {"name": "note", "label": "Note", "type": "integer"},
        {"name": "avis", "label": "Commentaire", "optional": True},
    ],
    "level": "site",
    "territory": {"field": "departement", "codes": "departement"},
    "structure": {"code": "code", "name": "nom"},
}
HEADER = ["Code", "Guichet d'accueil", "Département", "Note", "Commentaire"]
BODY = [["G01", "Mairie, annexe", "30", "9", "Bien ; rapide"], ["G02", "Préfecture", "01", "7", ""]]
ROWS = [HEADER, *BODY]
ACCEPTANCE = Acceptance(max_refused_share=0.5, why="essai")


@pytest.fixture
def told(catalogue, tmp_path):
    def told(content, form="csv", **layout):
        verdict, problems = judged(content, *declared(EXPORT, form, **layout), catalogue, ACCEPTANCE, tmp_path)
        return verdict.state, [(item.rule, item.message) for item in problems]

    return told


@pytest.mark.parametrize(("sign", "name"), [("\t", "une tabulation"), (",", "« , »"), ("|", "« | »")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_another_separator_is_the_cause(told, sign, name, encoding):
    state, problems = told(delimited(ROWS, sign).encode(encoding), encoding="cp1252")
    message = f"Le fichier n'a qu'une colonne : ses cellules semblent séparées par {name}, alors que « ; » est attendu."
    assert (state, problems) == ("rejeté", [("separateur", message)])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_with_or_without_its_mark(told, encoding):
    assert told(delimited(ROWS).encode(encoding)) == ("accepté", [])


@pytest.mark.parametrize("sign", [";", ",", "\t"])
def test_lines_between_quotes_are_told_as_such(told, sign):
    whole = delimited([[delimited([row], sign).rstrip("\r\n")] for row in ROWS], "\x1f")
    quoted = "".join(f'"{line.strip(chr(34))}"\r\n' for line in whole.splitlines())
    state, ((rule, message),) = told(quoted.encode())
    assert state == "rejeté"
    if sign == ";":
        assert rule == "lignes-entre-guillemets"
        assert message.startswith("Chaque ligne est entre guillemets")
        assert "alors que" not in message
    else:
        assert rule == "separateur"


@pytest.mark.parametrize("write", [xlsx, ods])
@pytest.mark.parametrize("sign", [";", "\t"])
def test_text_that_a_spreadsheet_did_not_cut_is_told_as_such(told, write, sign):
    form = write.__name__
    content = write([[delimited([row], sign).rstrip("\r\n")] for row in [*ROWS]])
    state, ((rule, message),) = told(content, form)
    assert (state, rule) == ("rejeté", "non-decoupe")
    assert ("tabulation" if sign == "\t" else "« ; »") in message


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
@pytest.mark.parametrize("above", [[["Notes 2024"]], [["Notes 2024"], ["Édité le 3 mars"], []]])
def test_a_header_below_titles_is_found(told, form, above):
    padded = [[*row, *[""] * (len(HEADER) - len(row))] for row in above]
    row = len(above) + 1
    message = f"L'en-tête attendu est à la ligne {row}, et non à la ligne 1."
    assert told(written([*padded, *ROWS], form), form) == ("rejeté", [("en-tete-plus-bas", message)])


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
def test_a_header_above_its_declared_line_is_found(told, form):
    message = "L'en-tête attendu est à la ligne 1, et non à la ligne 3."
    assert told(written([*ROWS, *BODY], form), form, skipRows=2) == ("rejeté", [("en-tete-plus-haut", message)])


def test_place_and_separator_and_what_is_missing_are_told_at_once(told):
    header = [label for label in HEADER if label != "Note"]
    content = delimited([["Titre"], header, *([*row[:3], row[4]] for row in BODY)], "\t").encode()
    state, problems = told(content)
    assert state == "rejeté"
    assert sorted(rule for rule, _ in problems) == ["en-tete-plus-bas", "missing-label", "separateur"]


def test_no_label_at_all_has_one_mend(told):
    state, problems = told(delimited(BODY).encode())
    assert state == "rejeté"
    ((rule, message),) = problems
    assert rule == "unmatched-header"
    assert "Colonnes attendues : Code, Guichet d'accueil, Département, Note." in message
    assert "Préfecture" not in message


@pytest.mark.parametrize(
    ("change", "differs"),
    [(str.upper, "majuscules ou minuscules"), (lambda label: label.replace("é", "e"), "accents"),
     (lambda label: f"{label[:2]}\u200b{label[2:]}", "signe invisible"),
     (lambda label: f"1. {label}", "numéro devant")],
)  # fmt: skip
@pytest.mark.parametrize("form", ["csv", "xlsx", "ods", "parquet"])
def test_labels_that_are_nearly_those_declared_say_what_differs(catalogue, tmp_path, form, change, differs):
    content = written([[change(label) for label in HEADER], *BODY], form)
    verdict, problems = judged(content, *declared(EXPORT, form), catalogue, ACCEPTANCE, tmp_path)
    assert verdict.state == "rejeté"
    assert "unmatched-header" not in {item.rule for item in problems}
    (place,) = [item for item in problems if item.column == "Département" and item.rule == "missing-label"]
    assert differs in place.causes[0]
    assert "écrivez « Département »" in place.causes[0]


def test_a_last_separator_too_many_is_told_as_such(told, catalogue, tmp_path):
    lines = delimited(ROWS).splitlines()
    content = "\r\n".join([lines[0], *(f"{line};" for line in lines[1:])]).encode()
    _, (problem,) = judged(content, *declared(EXPORT, "csv"), catalogue, ACCEPTANCE, tmp_path)
    assert problem.rule == "extra-cell"
    assert problem.causes == ("un séparateur de trop termine la ligne : ce qui le suit est vide",)


def test_a_wrong_label_in_its_place_is_told_alone(told):
    header = [label.replace("Note", "Notes") for label in HEADER]
    _, problems = told(delimited([header, *BODY]).encode())
    assert [rule for rule, _ in problems] == ["missing-label", "extra-label"]


def test_a_file_half_in_another_encoding_is_told_by_its_lines(told):
    content = delimited([HEADER]).encode() + delimited(BODY * 20).encode("cp1252")
    state, problems = told(content, encoding="cp1252")
    assert state == "rejeté"
    assert any("à partir de la ligne 3" in message for _, message in problems)


@pytest.mark.parametrize("mark", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;;;", '"sep=;";;;;', " sep=; "])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_line_that_names_the_separator_may_be_quoted(told, mark, encoding):
    content = f"{mark}\r\n{delimited(ROWS)}".encode(encoding)
    assert told(content) == ("accepté", [])


def test_a_quoted_line_may_name_another_separator(told):
    assert told(f'"sep=,"\n{delimited(ROWS, ",")}'.encode()) == ("accepté", [])


def test_a_label_that_begins_alike_is_no_mark(told):
    state, problems = told(delimited([["sep=1", *HEADER[1:]], *BODY]).encode())
    assert state == "rejeté"
    assert problems[0][0] == "missing-label"
    assert "La colonne « sep=1 », qui n'est pas attendue, est peut-être la même." in problems[0][1]


@given(st.text("Code;,\t|\"'\r\n é", max_size=60))
def test_any_first_lines_are_told_in_a_sentence(told_text, text):
    for _, message in told_text(text):
        assert message.endswith(".")


@pytest.fixture(scope="module")
def told_text(catalogue, tmp_path_factory):
    folder = tmp_path_factory.mktemp("en-tetes")

    def told_text(text):
        _, problems = judged(text.encode(), *declared(EXPORT, "csv"), catalogue, ACCEPTANCE, folder)
        return [(item.rule, item.message) for item in problems]

    return told_text
