"""An export judged whole: keys over all its files, versions side by side, second values, totals, examples left in."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli import main
from pipelines.compile.expected_cells import example_rows
from pipelines.compile.exports import label_of
from pipelines.declarations import Export, Layout
from pipelines.declarations.network import Acceptance
from pipelines.mechanics.opened_files import Cells
from pipelines.validate import FileContext, JudgedFile, annotated_copy, judge, validate_file
from pipelines.validate.export_parts import Expected

if TYPE_CHECKING:
    from pipelines.validate import Verdict

LIMIT = Acceptance(max_refused_share=0.2, why="essai")
FIELDS = [
    {"name": "code", "label": "Code", "constraints": {"required": True}},
    {"name": "nom", "label": "Guichet", "optional": True},
    {"name": "dep", "label": "Département", "constraints": {"required": True}},
    {"name": "mois", "label": "Mois", "type": "date", "format": "%m/%Y", "optional": True},
    {"name": "type", "label": "Type", "optional": True},
    {"name": "actes", "label": "Actes", "type": "integer"},
    {"name": "taux", "label": "Taux", "type": "number", "optional": True},
]
BASE: dict[str, Any] = {
    "id": "actes", "title": "Actes", "kind": "operations", "fields": FIELDS, "level": "site",
    "territory": {"field": "dep", "codes": "departement"}, "structure": {"code": "code", "name": "nom"},
    "period": {"field": "mois", "frequency": "month"}, "key": ["code", "mois"],
    "layouts": [{"years": 2024, "path": "actes-*{year}*.csv", "delimiter": ";", "decimalChar": ",",
                 "encoding": "utf-8"}],
}  # fmt: skip
HEADER = ["Code", "Guichet", "Département", "Mois", "Type", "Actes", "Taux"]


def row(code="G01", actes="10", *, name="", mois="01/2024", kind="", taux="50", dep="30"):
    return [code, name, dep, mois, kind, actes, taux]


def offices(count, actes=lambda index: str(100 + index), **more):
    return [row(f"G{index:02d}", actes(index), name=f"Mairie {index}", **more) for index in range(1, count + 1)]


@pytest.fixture(scope="module")
def whole(catalogue):
    """Judge the files of an export, given as rows by name; keywords change its declaration."""

    def judged(files, *, alone=(), examples=(), **changes) -> tuple[Verdict, Export]:
        export = Export.model_validate({**BASE, **changes})
        layout: Layout = export.layouts[0]
        made = []
        for name, rows in files.items():
            cells = Cells(HEADER, [list(item) for item in rows], 2)
            validated = validate_file(cells, FileContext(export, layout, catalogue.territories, name, 2024))
            made.append(JudgedFile(name, str(hash(tuple(map(tuple, rows)))), validated))
        return judge(export, 2024, LIMIT, made, Expected(layout, tuple(alone), tuple(examples))), export

    return judged


def rules(verdict):
    return sorted({item.rule for _, _, item in verdict.findings})


def refused_rows(verdict):
    return {(aside.file, line.number) for aside in verdict.set_aside for line in aside.rows}


def test_the_same_content_under_two_names_is_read_once_and_told(whole):
    rows = offices(12)
    verdict, _ = whole({"actes-2024.csv": rows, "actes-2024 (1).csv": rows})
    assert (verdict.state, verdict.accepted, verdict.refused) == ("accepté", 12, 0)
    assert rules(verdict) == ["fichier-en-double"]
    (found,) = [item for _, _, item in verdict.findings]
    assert "« actes-2024 (1).csv » a le même contenu que « actes-2024.csv »" in found.message
    assert not verdict.clean  # the letter says so


@pytest.mark.parametrize("key", [["code", "mois"], ["dep", "code", "mois"]])
@pytest.mark.parametrize("second", ["actes-2024 (1).csv", "actes-2024-corrigé.csv", "actes-2024-bis.csv", "b.csv"])
def test_two_versions_with_the_same_keys_are_a_question(whole, key, second):
    old = offices(12)
    new = [*offices(11), row("G12", "999", dep="30" if key[0] == "code" else "030"[1:])]
    verdict, _ = whole({"actes-2024.csv": old, second: new}, key=key)
    assert verdict.state == "rejeté"
    assert "deux-versions" in rules(verdict)
    for part in ("« actes-2024.csv »", f"« {second} »", "lignes 2, 3", "12 clés"):
        assert part in verdict.explanation, part
    assert verdict.told_producer == verdict.explanation


def test_parts_that_share_no_key_add_up_and_a_few_shared_keys_refuse_their_rows(whole):
    june = offices(10, mois="06/2024")
    verdict, export = whole({"a.csv": offices(10), "b.csv": june})
    assert (verdict.state, verdict.accepted, rules(verdict)) == ("accepté", 20, [])
    verdict, export = whole({"a.csv": offices(10), "b.csv": [*june, row("G03", "7")]})
    assert (verdict.state, verdict.accepted, verdict.refused) == ("accepté", 19, 2)
    assert refused_rows(verdict) == {("a.csv", 4), ("b.csv", 12)}
    told = {path: item for path, _, item in verdict.findings}
    assert "« b.csv », ligne 12" in told["a.csv"].message
    assert told["a.csv"].value == "G03, 2024-01-01"
    book = openpyxl.load_workbook(io.BytesIO(annotated_copy(verdict, export, export.layouts[0], "Essai") or b""))
    cells = [[cell.value for cell in line] for line in book.worksheets[0].iter_rows()]
    assert cells[1][:8] == [4, "G03", "Mairie 3", "30", "01/2024", None, "103", "50"]


SURVEY = {"kind": "survey", "key": []}


def answers(seed, count=40, choices=400):
    draw = random.Random(seed)
    return [row(f"G{draw.randrange(9)}", str(draw.randrange(choices)), taux="") for _ in range(count)]


def test_two_versions_of_answers_without_a_key_are_a_question(whole):
    old = answers(1)
    new = [*old[:20], row("G1", "3", taux=""), *old[21:]]
    verdict, _ = whole({"enquete-2024.csv": old, "enquete-2024 (1).csv": new}, **SURVEY)
    assert verdict.state == "rejeté"
    assert "39 lignes y sont les mêmes (lignes 2 à 41 du premier, 2 à 41 du second)" in verdict.explanation
    shuffled = random.Random(2).sample(old, len(old))
    assert whole({"a.csv": old, "b.csv": [*answers(9, 3), *shuffled]}, **SURVEY)[0].state == "rejeté"


@pytest.mark.parametrize("second", [
    "enquete-2024-corrigé.csv", "enquete-2024 (corrigée).csv", "enquete-2024_v2.csv", "Enquete-2024 - Copie.csv",
    "enquete-2024-rectificatif.csv", "enquete-2024-old.csv",
])  # fmt: skip
def test_a_name_that_says_version_is_a_question(whole, second):
    verdict, _ = whole({"enquete-2024.csv": answers(1), second: answers(2)}, **SURVEY)
    assert verdict.state == "rejeté"
    assert f"« {second} »" in verdict.explanation


@given(st.integers(0, 10_000), st.sampled_from([2, 5, 50, 1000]), st.integers(5, 120))
def test_parts_of_one_survey_are_never_taken_for_versions(whole, seed, choices, size):
    parts = {f"enquete-2024-partie{part}.csv": answers(seed * 3 + part, size, choices) for part in range(2)}
    if parts["enquete-2024-partie0.csv"] == parts["enquete-2024-partie1.csv"]:
        return
    verdict, _ = whole(parts, **SURVEY)
    assert verdict.state == "accepté", verdict.explanation


VALUES = {"kind": "values", "key": [], "period": {}}


def test_a_second_value_for_an_office_refuses_both_and_names_it(whole):
    rows = [*offices(28), row("G07", "150", name="Mairie 7", taux="77")]
    verdict, _ = whole({"valeurs-2024.csv": rows}, alone=[()], **VALUES)
    assert (verdict.state, verdict.accepted, verdict.refused) == ("accepté", 27, 2)
    assert refused_rows(verdict) == {("valeurs-2024.csv", 8), ("valeurs-2024.csv", 30)}
    first, second = [item for _, _, item in verdict.findings]
    assert first.message == second.message
    assert "« G07 » (Mairie 7) a 2 valeurs pour 2024 (lignes 8 et 30)" in first.message
    assert (first.rule, first.column, first.value) == ("valeur-en-double", "Code", "G07")


def test_the_conditions_of_the_indicators_say_what_is_alone(whole):
    rows = [*offices(10, kind="appels"), *offices(10, kind="accueil"), row("G03", "1", kind="autre"),
            row("G03", "2", kind="autre")]  # fmt: skip
    by_kind = [(("type", (kind,)),) for kind in ("appels", "accueil")]
    assert whole({"v.csv": rows}, alone=by_kind, **VALUES)[0].refused == 0
    assert whole({"v.csv": rows}, alone=[(("type", ("autre",)),)], **VALUES)[0].refused == 2
    assert whole({"v.csv": rows}, alone=[(("type", ("absent",)),)], **VALUES)[0].refused == 0
    assert whole({"v.csv": rows}, alone=[()], **VALUES)[0].state == "rejeté"
    assert whole({"a.csv": rows[:10], "b.csv": rows[2:3]}, alone=[()], **VALUES)[0].refused == 2


def test_a_duplicated_office_of_operations_refuses_both_unless_they_say_the_same(whole):
    rows = [*offices(20), row("G05", "999", name="Mairie 5")]
    verdict, _ = whole({"actes-2024.csv": rows})
    assert refused_rows(verdict) == {("actes-2024.csv", 6), ("actes-2024.csv", 22)}
    assert all("G05" in item.value for _, _, item in verdict.findings)
    again = [*rows[4][:6], "50,0"]  # as another tool writes the same value
    same, _ = whole({"actes-2024.csv": [*rows[:20], again]})
    assert refused_rows(same) == {("actes-2024.csv", 22)}
    daily, _ = whole({"actes-2024.csv": rows}, key=["code", "mois", "type"])  # no longer a row a place and period
    assert refused_rows(daily) == {("actes-2024.csv", 22)}


@pytest.mark.parametrize(("code", "name"), [
    ("TOTAL", "Total général"), ("G99", "Total général"), ("total", ""), ("Sous-total", ""), ("T", "TOTAL 30"),
    ("E", "Ensemble"), ("N", "National"), ("Z", "Total du réseau"), ("Z", "Somme"),
])  # fmt: skip
@pytest.mark.parametrize("at", [0, 12, 24])
def test_a_total_by_its_label_and_figures_is_refused(whole, code, name, at):
    rows = offices(24)
    total = row(code, str(sum(int(item[5]) for item in rows)), name=name)
    verdict, _ = whole({"actes-2024.csv": [*rows[:at], total, *rows[at:]]})
    assert (verdict.state, verdict.accepted, rules(verdict)) == ("accepté", 24, ["ligne-de-total"])
    assert refused_rows(verdict) == {("actes-2024.csv", at + 2)}


def test_subtotals_means_and_totals_of_another_column_are_refused(whole):
    gard, lozere = offices(6), [row(f"H{index}", str(50 + index), dep="48") for index in range(5)]
    rows = [
        *gard, row("ST30", str(sum(int(item[5]) for item in gard)), name="Sous-total"), *lozere,
        row("ST48", str(sum(int(item[5]) for item in lozere)), name="Sous-total", dep="48"),
        row("TG", str(sum(int(item[5]) for item in [*gard, *lozere])), name="Total général"),
    ]  # fmt: skip
    verdict, _ = whole({"actes-2024.csv": rows}, acceptance={"max_refused_share": 1, "why": "essai"})
    assert {line for _, line in refused_rows(verdict)} == {8, 14, 15}
    taux = [row(f"G{index}", "", taux=f"{70 + index},5") for index in range(9)]
    mean, _ = whole({"v.csv": [*taux, row("M", "", name="Moyenne", taux="74,5")]}, **VALUES)
    assert refused_rows(mean) == {("v.csv", 11)}
    elsewhere, _ = whole({"a.csv": [*gard, row("X", str(sum(int(item[5]) for item in gard)), kind="Total")]})
    assert refused_rows(elsewhere) == {("a.csv", 8)}


def test_one_sign_alone_is_told_and_read(whole):
    named, _ = whole({"a.csv": [*offices(12), row("G13", "3", name="Total")]})
    summed, _ = whole({"a.csv": [*offices(12), row("G13", str(sum(range(101, 113))), name="Mairie 13")]})
    for verdict in (named, summed):
        assert (verdict.accepted, rules(verdict)) == (13, ["total-possible"])
        assert [item.row for _, _, item in verdict.findings] == [14]
        assert not verdict.clean


@pytest.mark.parametrize("rows", [
    [row(f"G{index}", str(value), taux="") for index, value in enumerate([1, 1, 1, 3, 6])],
    [row(f"G{index}", str(value), taux="") for index, value in enumerate([100, 100])],
    offices(30), [row("G1", "100", name="Totalement neuf"), row("G2", "0"), row("G3", "0")],
    [row(f"G{index}", "5", kind="Total") for index in range(10)],
])  # fmt: skip
def test_ordinary_rows_are_not_suspected(whole, rows):
    assert rules(whole({"a.csv": rows})[0]) == []


def test_declared_levels_and_answers_are_not_totals(whole):
    level = {"field": "type", "values": {"S": "site", "D": "departement"}}
    rows = [*offices(12, kind="S"), row("D30", str(sum(range(101, 113))), name="Total", kind="D")]
    assert rules(whole({"a.csv": rows}, level=level)[0]) == []
    offices_of_answers = [row("G1", name="Ensemble"), row("G2", name="Mairie")] * 20
    assert rules(whole({"a.csv": offices_of_answers}, **SURVEY)[0]) == []


@pytest.mark.parametrize(
    ("code", "name"), [("G13", "Total"), ("TOTAL", ""), ("ST", "Sous-total Gard"), ("T", "Total Gard")]
)
def test_a_row_of_a_survey_whose_place_says_total_is_told(whole, code, name):
    survey, _ = whole({"a.csv": [*offices(12), row(code, str(sum(range(101, 113))), name=name)]}, **SURVEY)
    assert (survey.accepted, rules(survey)) == (13, ["total-possible"])
    assert [item.row for _, _, item in survey.findings] == [14]


def test_a_survey_whose_places_are_numbers_is_judged(whole):
    fields = [{**item, "type": "integer"} if item["name"] == "dep" else item for item in FIELDS]
    survey, _ = whole({"a.csv": offices(12)}, fields=fields, **SURVEY)
    assert survey.rows == 12


@pytest.mark.parametrize("name", ["Sous-total Gard", "Total Gard", "SOUS TOTAL – Sud"])
def test_a_total_that_names_its_place_is_refused_with_its_figures_and_told_without(whole, name):
    rows = offices(12)
    both, _ = whole({"a.csv": [*rows, row("X", str(sum(int(item[5]) for item in rows)), name=name)]})
    assert (both.accepted, rules(both)) == (12, ["ligne-de-total"])
    alone, _ = whole({"a.csv": [*rows, row("X", "", name=name)]})
    assert (alone.accepted, rules(alone)) == (13, ["total-possible"])


def test_an_example_left_in_is_told(whole):
    example = dict(zip(("code", "nom", "dep", "mois", "type", "actes", "taux"), row("G77", "12", name="Ici", kind="x"),
                       strict=True))  # fmt: skip
    left = row("G77", "12", name="Ici", kind="x")
    verdict, _ = whole({"a.csv": [left, *offices(5)]}, examples=[example])
    assert (verdict.accepted, rules(verdict)) == (6, ["ligne-d-exemple"])
    assert [item.row for _, _, item in verdict.findings] == [2]
    assert rules(whole({"a.csv": [row("G77", "13", name="Ici", kind="x")]}, examples=[example])[0]) == []
    twice = whole({"a.csv": [left, left]}, examples=[example], **SURVEY)[0]
    assert rules(twice) == []
    few = {"code": "G77", "dep": "30"}
    assert rules(whole({"a.csv": [left]}, examples=[few])[0]) == []


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3), st.integers(0, 9)), max_size=25), st.integers(1, 3))
def test_every_row_is_accepted_or_refused_once(whole, drawn, parts):
    """Whatever the rows and the files they are in: no key stands twice, and no row is lost or counted twice."""
    files = {f"{part}.csv": [row(f"G{code}", str(actes), mois=f"0{mois}/2024", taux="")
                             for code, mois, actes in drawn[part::parts]] for part in range(parts)}  # fmt: skip
    verdict, _ = whole(files)
    known = {tuple(map(tuple, rows)): rows for rows in files.values()}
    assert verdict.accepted + verdict.refused == sum(map(len, known.values()))
    assert len(refused_rows(verdict)) == verdict.refused
    if verdict.observations is not None:
        table = verdict.observations.table().to_pandas()
        assert not table.duplicated(["_structure", "_periode"]).any()
        assert len(table) == verdict.accepted


def test_the_command_tells_an_example_left_in(tmp_path, capsys, catalogue):
    """The same rules hold where a producer checks a file alone."""
    network = catalogue.networks["prefectures"]
    export = next(item for item in network.exports if item.kind == "values")
    layout = export.layouts[-1]
    example = example_rows(export, layout, catalogue.territories, layout.years.last)[0]
    path = tmp_path / f"resultats-{layout.years.last}.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter=layout.delimiter)
        writer.writerow([label_of(item, layout) for item in export.fields])
        writer.writerow([example[item.name] for item in export.fields])
    code = main(["validate", str(path), "--network", "prefectures", "--export", export.id, "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert report["regles"] == {"ligne-d-exemple": 1}


def test_a_code_written_otherwise_in_another_file_is_no_other_office(whole):
    verdict, _ = whole({"a.csv": offices(12), "b.csv": [row("g03", mois="06/2024"), *offices(9, mois="07/2024")]})
    assert refused_rows(verdict) == {("b.csv", 2)}
    (finding,) = [item for _, _, item in verdict.findings if item.rule == "code-plusieurs-ecritures"]
    assert (finding.value, finding.row, "« G03 »" in finding.message) == ("g03", 2, True)
