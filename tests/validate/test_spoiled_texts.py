"""Letters that a conversion spoiled: found, located, read again; no false alarm; never published as if right."""

from __future__ import annotations

import html
import re
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from files_of_cells import FORMATS, declared, delimited, judged, written
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.declarations.network import Acceptance
from pipelines.validate import write_letter
from pipelines.validate.garbled import SHAPE, damage, lost_letters

WINDOWS = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
RIGHT = (
    "Préfecture à Besançon", "Hôpital de l’Été – Nîmes", "cœur « Œuvre » 20 €", "Maïs, où, Noël, île",
    "L'Haÿ-les-Roses", "PRÉFECTURE DE L'ISÈRE", "Église", "forêt", "Très satisfait", "Plutôt mécontent",
    "Éducation à l’étranger",
)  # fmt: skip
FOREIGN = (
    "Ångström", "São Paulo", "SÃO PAULO", "MANHÃ DE SÁBADO", "irmã", "Œuvre", "Łódź", "Ÿ", "20 €", "5 ‰",
    "« Paris »", "“a”", "l’“Union”", "‚Wort‘", "Paris–Lyon", "bon…mais", "tír na nÓg", "Reykjavík, Alþingi",
    "Straße", "Škoda", "žena", "že znak", "Není dodržen celý", "Žižkov", "NOVÁK", "İstanbul", "ğüş", "Đồng",
    "Việt Nam", "Þórr", "Çanakkale", "Ñandú", "Ørsted", "ÅRSBERETNING", "Ö", "Ÿser", "naïve", "CŒUR", "SŒURS",
    "l'Œuvre", "R&D ; A&B;", "√2 ≥ 1", "¬ vrai", "10 m²", "n° 5", "½ h", "µg", "10 kΩ", "Ελλάδα", "Москва",
    "日本語", "العربية", "עברית", "mot‡", "Windows™", "100% C3", "C:\\users", "où ?", "oui?", "¿Qué?",
    "Lycée É. Zola", "Sacré-Cœur", "Â", "Ã", "FORÊT", "ÎLE", "ÂGE", "PÂTÉ", "CHÂTEAU", "THÉÂTRE", "TRÊVE",
    "\u00a0", "e\u0301te\u0301",
)  # fmt: skip


def as_windows(content: bytes) -> str:
    return "".join(WINDOWS[byte] for byte in content)


MISREADINGS = {
    "utf8-windows": lambda text: as_windows(text.encode()),
    "deux-fois": lambda text: as_windows(as_windows(text.encode()).encode()),
    "trois-fois": lambda text: as_windows(as_windows(as_windows(text.encode()).encode()).encode()),
    "utf8-latin1": lambda text: text.encode().decode("latin-1"),
    "utf8-mac": lambda text: text.encode().decode("mac_roman"),
    "utf8-dos": lambda text: text.encode().decode("cp850"),
    "utf8-dos-us": lambda text: text.encode().decode("cp437"),
    "windows-latin1": lambda text: text.encode("cp1252").decode("latin-1"),
    "codes": lambda text: "".join(sign if sign.isascii() else f"&#{ord(sign)};" for sign in text),
    "noms": lambda text: "".join(sign if sign.isascii() else f"&#{ord(sign)};" for sign in html.escape(text)),
}
OTHERS = {
    "dos-windows": lambda text: as_windows(text.encode("cp850")),
    "mac-windows": lambda text: as_windows(text.encode("mac_roman")),
    "windows-dos": lambda text: text.encode("cp1252").decode("cp850"),
    "windows-mac": lambda text: text.encode("cp1252").decode("mac_roman"),
}


@pytest.mark.parametrize("text", RIGHT)
@pytest.mark.parametrize("misread", MISREADINGS.values(), ids=MISREADINGS)
def test_a_text_read_as_utf8_is_not_is_found_and_read_again(text, misread):
    found = damage(misread(text))
    assert found is not None or misread(text) == text
    assert found is None or found.likely == text


SHORT = (
    "Préfecture", "Marché de Noël", "Très satisfait", "Plutôt mécontent", "forêt", "élève", "Préfecture à Besançon",
    "Université d'Orléans",
)  # fmt: skip


@pytest.mark.parametrize(
    ("misread", "text"),
    [(kind, text) for kind in OTHERS for text in SHORT if not (kind.startswith("windows") and text == "forêt")],
)  # fmt: skip
def test_dos_and_mac_pages_are_told_from_windows(misread, text):
    found = damage(OTHERS[misread](text))
    assert found is not None
    assert found.likely == text


@pytest.mark.parametrize("text", [*FOREIGN, *RIGHT])
def test_right_texts_of_any_language_raise_no_alarm(text):
    for form in ("NFC", "NFD"):
        assert damage(unicodedata.normalize(form, text)) is None


@given(st.text("éèàçôêîœ’« »ÉÀÇabcdefghijklmnop -'", min_size=1), st.sampled_from(sorted(MISREADINGS)))
def test_any_french_letters_come_back(text, kind):
    if kind == "windows-latin1" or damage(text) is not None:
        return
    seen = MISREADINGS[kind](text)
    assume(seen != text)
    found = damage(seen)
    assert found is not None
    assert found.likely == text


@given(st.text(max_size=30))
def test_arrow_sees_all_that_python_does(text):
    alike = pc.match_substring_regex(pa.array([text]), SHAPE)[0].as_py()
    assert alike == (re.search(SHAPE, text) is not None)
    assert alike or damage(text) is None


@pytest.mark.parametrize("text", ["Pr\ufffdfecture", "Prï¿½fecture", "Pr√Ø¬ø¬Ωfecture", "PrÃ¯Â¿Â½fecture"])
def test_letters_that_are_lost_are_told_as_such(text):
    found = damage(text)
    assert found is not None
    assert (found.cause, found.likely) == ("accents perdus lors d'une conversion", "")


@pytest.mark.parametrize(("name", "lost"), [
    ("Pr?fecture", True), ("Besan?on", True), ("l'?cole", True), ("?cole du Nord", True), ("H?pital d'Orl?ans", True),
    ("Ouvert ?", False), ("Où ? Ici", False), ("http://x.fr/a?b=c", False), ("??", False), ("Accueil", False),
])  # fmt: skip
def test_question_marks_for_letters(name, lost):
    assert (lost_letters(name) is not None) == lost


EXPORT = {
    "id": "essai",
    "kind": "survey",
    "title": "Essai",
    "fields": [
        {"name": "code", "label": "Code", "constraints": {"required": True}},
        {"name": "nom", "label": "Guichet"},
        {"name": "departement", "label": "Département", "constraints": {"required": True}},
        {"name": "reponse", "label": "Réponse", "constraints": {"enum": ["Très satisfait", "Plutôt satisfait"]}},
        {"name": "remarque", "label": "Remarque"},
        {"name": "avis", "label": "Avis", "personal": True},
    ],
    "level": "site",
    "territory": {"field": "departement", "codes": "departement"},
    "structure": {"code": "code", "name": "nom"},
}
HEADER = ["Code", "Guichet", "Département", "Réponse", "Remarque", "Avis"]
ACCEPTANCE = Acceptance(max_refused_share=0.5, why="essai")


@pytest.fixture
def told(catalogue, tmp_path):
    def told(rows, form="csv"):
        export, layout = declared(EXPORT, form)
        return judged(written([HEADER, *rows], form), export, layout, catalogue, ACCEPTANCE, tmp_path)

    return told


def row(number, nom="Mairie", reponse="Très satisfait", remarque="", avis=""):
    return [f"G{number}", nom, "30", reponse, remarque, avis]


@pytest.mark.parametrize("form", FORMATS)
def test_a_published_name_is_refused_and_located(told, form):
    verdict, problems = told(
        [row(1, "Préfecture"), row(2, "PrÃ©fecture Ã\u00a0 BesanÃ§on"), row(3), row(4, "March‚")], form
    )
    assert (verdict.state, verdict.accepted, verdict.refused) == ("accepté", 2, 2)
    assert "PrÃ©fecture" not in str(verdict.observations.table().column("nom").to_pylist())
    first = 2 if form == "parquet" else 3
    assert [(item.rule, item.severity, item.column, item.rows) for item in problems] == [
        ("texte-mal-converti", "erreur", "Guichet", (first, first + 2))
    ]
    assert any("se lit sans doute « Préfecture à Besançon »" in cause for cause in problems[0].causes)
    assert any("« March‚ » : se lit sans doute « Marché »" in cause for cause in problems[0].causes)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_whose_every_accent_is_wrong_is_refused_as_a_file(told, form):
    reponse = ""
    verdict, problems = told(
        [row(1, "PrÃ©fecture", reponse), row(2, "HÃ´tel", reponse), *(row(n, reponse=reponse) for n in range(3, 60))],
        form,
    )
    assert verdict.state == "rejeté"
    assert [item.rule for item in problems] == ["encodage", "texte-mal-converti"]
    first = 1 if form == "parquet" else 2
    assert f"2 lignes, à partir de la ligne {first}." in problems[0].message
    for told_of in (problems[0].message, problems[0].mend, problems[1].mend):  # a workbook can't be made a CSV
        assert "source d'origine" in told_of
        assert "si c'est un CSV" in told_of or "pour un autre format" in told_of


def test_one_wrong_name_among_many_is_its_own_affair(told):
    verdict, _ = told([row(1, "PrÃ©fecture", ""), *(row(n, reponse="") for n in range(2, 60))])
    assert (verdict.state, verdict.refused) == ("accepté", 1)


def test_question_marks_count_in_names_and_not_in_remarks(told):
    verdict, problems = told([row(1, "Pr?fecture"), row(2, remarque="Quoi?comment"), row(3)])
    assert (verdict.accepted, verdict.refused) == (2, 1)
    assert [(item.rule, item.column) for item in problems] == [("texte-mal-converti", "Guichet")]


@pytest.mark.parametrize("form", FORMATS)
def test_other_texts_are_told_and_kept(told, form):
    verdict, problems = told([row(1, remarque="Ã©tonnant"), row(2, remarque="perdu \ufffd"), row(3)], form)
    assert (verdict.state, verdict.accepted, verdict.refused) == ("accepté", 3, 0)
    ((rule, severity, column, count),) = [(item.rule, item.severity, item.column, item.count) for item in problems]
    assert (rule, severity, column, count) == ("texte-mal-converti", "avertissement", "Remarque", 2)


def test_a_personal_text_is_told_without_being_shown(told, catalogue, lab):
    verdict, problems = told([row(1, avis="TrÃ¨s mal reÃ§u par Zoe"), row(2)])
    assert [(item.rule, item.column) for item in problems] == [("texte-mal-converti", "Avis")]
    assert "Zoe" not in repr([item.descriptor() for item in problems]) + repr(verdict.findings)


@pytest.mark.parametrize(
    "answer", ["TrÃ¨s satisfait", "TrŠs satisfait", "Tr?s satisfait", "Tr\ufffds satisfait", "Tr&egrave;s satisfait"]
)
def test_an_answer_of_a_list_says_which_one_was_meant(told, answer):
    verdict, problems = told([row(1, reponse=answer), row(2)])
    assert verdict.refused == 1
    (problem,) = problems
    assert problem.rule == "constraint-error"
    (cause,) = problem.causes
    assert cause.endswith("accents mal convertis ; écrivez « Très satisfait »")


def test_a_text_refused_for_another_rule_says_what_spoiled_it(told):
    _, problems = told([row(1, "Mairie", "Très satisfait", "", ""), ["PrÃ©\u200bG1", "", "30", "", "", ""], row(3)])
    (problem,) = [item for item in problems if item.rule == "caractere-interdit"]
    assert "accents mal convertis" in problem.causes[0]


def test_a_refused_row_tells_its_other_spoiled_texts(told):
    _, problems = told([["G1", "PrÃ©fecture", "999", "", "", ""], row(2), row(3)])
    assert {(item.rule, item.rows) for item in problems} == {("territoire-inconnu", (2,)), ("texte-mal-converti", (2,))}


@pytest.mark.parametrize("misread", [MISREADINGS["utf8-windows"], MISREADINGS["utf8-mac"], OTHERS["dos-windows"]])
def test_a_header_is_told_as_such_whatever_spoiled_it(catalogue, tmp_path, misread):
    export, layout = declared(EXPORT, "csv")
    content = delimited([[misread(label) for label in HEADER], row(1)]).encode()
    verdict, problems = judged(content, export, layout, catalogue, ACCEPTANCE, tmp_path)
    assert verdict.state == "rejeté"
    assert [item.rule for item in problems] == ["encodage"]


def test_the_letter_says_what_it_should_read(told, lab):
    verdict = lab.judged(lab.header + "1;01/02/2024;30;4;;TrÃ¨s bien\n2;01/02/2024;30;4;;\n")
    letter = write_letter(lab.catalogue, "labo", 2024, verdict)
    for text in (letter.html, letter.text):
        flat = " ".join(text.split()).replace("\u00a0", " ")
        assert "« TrÃ¨s bien » : se lit sans doute « Très bien »" in flat


PROJECT = Path(__file__).resolve().parents[2]
REAL = PROJECT.parent / "shared" / "real"


def distinct_cells(folder: Path) -> set[str]:
    """Every cell of the CSV files below a folder, however they are separated."""
    found: set[str] = set()
    for path in folder.rglob("*.csv"):
        content = path.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "ignore")
        found.update(re.split(r'[;,\t"\r\n]', text))
    return found


# Remarks of insertion-master, and a number of a barometer, are spoiled in the files that were published.
REALLY_SPOILED = re.compile("enquÃªte|1Â\u00a0710")


@pytest.mark.parametrize("folder", [PROJECT / "data" / "samples", REAL], ids=["samples", "real"])
def test_only_what_producers_spoiled_is_found_in_samples_and_real_files(folder):
    if not folder.is_dir():
        pytest.skip("real files are not there")
    cells = distinct_cells(folder)
    assert len(cells) > 10_000
    found = [cell for cell in cells if damage(cell) or lost_letters(cell)]
    assert found
    assert [cell for cell in found if not REALLY_SPOILED.search(cell)] == []
