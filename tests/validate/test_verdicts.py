"""From files judged to the verdict on a year, and to counts that may be published."""

from __future__ import annotations

from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations.network import Acceptance
from pipelines.validate import (
    Finding,
    JudgedFile,
    TypedRows,
    Validated,
    count_findings,
    judge,
    not_handed_over,
    observation_schema,
)
from pipelines.validate.messages import title

STRICT, HALF = Acceptance(max_refused_share=0, why="essai"), Acceptance(max_refused_share=0.5, why="la moitié")
SECRET = "SECRET-DE-LA-CELLULE"


def verdict_on(essai, *judged, year=2024, acceptance=HALF):
    files = [JudgedFile(f"essai-{index}.csv", f"sha{index}", item) for index, item in enumerate(judged)]
    return judge(essai.export, year, acceptance, files)


def rows(essai, good, bad):
    made = [essai.row(Code=f"S{index}") for index in range(good)]
    return made + [essai.row(Code=f"X{index}", Valeur="x") for index in range(bad)]


def test_a_clean_file_is_accepted(essai):
    verdict = verdict_on(essai, essai.judge(rows(essai, 3, 0)), acceptance=STRICT)
    assert (verdict.state, verdict.reason, verdict.explanation) == ("accepté", None, "")
    assert (verdict.rows, verdict.accepted, verdict.refused) == (3, 3, 0)
    assert verdict.observations.num_rows == 3
    (file,) = verdict.files
    assert (file["fichier"], file["sha256"], file["lignes"], file["lu"]) == ("essai-0.csv", "sha0", 3, True)
    assert (file["controle"], file["controle_pourquoi"]) == ("vectorised", "")


@pytest.mark.parametrize(
    ("good", "bad", "limit", "state", "explanation"),
    [
        (1, 1, 0.5, "accepté", "1 ligne refusée sur 2 (50 %)."),
        (1, 2, 0.5, "rejeté", "2 lignes refusées sur 3 (66,67 %), au-delà de la limite de 50 % (essai)."),
        (199, 1, 0, "rejeté", "1 ligne refusée sur 200 (0,5 %), au-delà de la limite de 0 % (essai)."),
        (0, 1200, 1, "rejeté", "Aucune ligne utilisable sur 1\u202f200."),
        (0, 2, 1, "rejeté", "Aucune ligne utilisable sur 2."),
        (0, 0, 1, "non transmis", "Le fichier ne contient aucune ligne de 2024."),
    ],
)
def test_the_limit_decides(essai, good, bad, limit, state, explanation):
    acceptance = Acceptance(max_refused_share=limit, why="essai")
    verdict = verdict_on(essai, essai.judge(rows(essai, good, bad)), acceptance=acceptance)
    assert (verdict.state, verdict.explanation) == (state, explanation)
    assert verdict.reason == {"accepté": None, "rejeté": "rejete", "non transmis": "non-transmis"}[state]
    assert (verdict.observations is None) == (state == "rejeté")


@pytest.mark.parametrize("reason", ["rejete", "non-transmis"])
def test_the_reasons_of_verdicts_are_declared(catalogue, reason):
    assert reason in catalogue.reasons


def test_no_file_is_not_handed_over(essai):
    verdict = not_handed_over(essai.export, 2024, "essai-{year}.csv")
    assert (verdict.state, verdict.reason, verdict.rows) == ("non transmis", "non-transmis", 0)
    assert verdict.explanation == "Aucun fichier « essai-2024.csv » dans le dossier d'exports."
    assert verdict_on(essai).state == "non transmis"


def test_one_unusable_file_refuses_the_year(essai):
    verdict = verdict_on(essai, essai.judge(rows(essai, 2, 0)), essai.judge([], essai.header[:-1]))
    assert verdict.state == "rejeté"
    assert verdict.explanation.startswith("Fichier inutilisable. La colonne « Valeur » est absente")
    unread = Validated(
        TypedRows(observation_schema(essai.export)), [Finding("encodage", "Octet illisible.")], usable=False
    )
    assert verdict_on(essai, unread).explanation == "Fichier inutilisable. Octet illisible."


def test_an_expired_correction_refuses_its_year_only(essai):
    judged = essai.judge(rows(essai, 2, 0), file_year=None)
    judged.findings.append(Finding("correction-perimee", "Périmée.", value="corrections/essai.yml:3", year=2023))
    assert verdict_on(essai, judged).state == "accepté"
    judged.findings.append(Finding("correction-perimee", "Périmée.", value="corrections/essai.yml:4", year=2024))
    verdict = verdict_on(essai, judged)
    assert verdict.state == "rejeté"
    assert verdict.explanation == (
        "Une correction déclarée ne s'applique plus : supprimez-la (corrections/essai.yml:4)."
    )
    assert "corrections/" not in verdict.told_producer and "rien à faire" in verdict.told_producer


def test_a_producer_has_nothing_to_mend_when_only_a_correction_expired(essai):
    expired = Finding("correction-perimee", "Périmée.", value="corrections/essai.yml:4", year=2024)
    judged, wrong = essai.judge(rows(essai, 2, 0)), essai.judge(rows(essai, 2, 1))
    judged.findings.append(expired)
    wrong.findings.append(expired)
    assert verdict_on(essai, judged).clean
    assert not verdict_on(essai, wrong).clean


def test_the_yaml_of_a_changed_header_is_for_the_data_team(essai):
    header = [{"Valeur": "Taux", "Zone": "Zones"}.get(label, label) for label in essai.header]
    verdict = verdict_on(essai, essai.judge([essai.row()], header))
    assert verdict.explanation.endswith(
        'ajoutez au layout : fields: {zone: {label: "Zones"}, valeur: {label: "le nouvel en-tête"}}'
    )
    assert "layout" not in verdict.told_producer + "".join(item.message for _, _, item in verdict.findings)


def test_a_row_without_readable_year_counts_in_every_year(essai):
    made = [essai.row(), essai.row(Code="S2", Jour="01/01/2023"), essai.row(Code="S3", Jour="?")]
    made.append(essai.row(Code="S4", Jour="01/01/2023", Valeur="x"))
    judged = essai.judge(made, file_year=None)
    counts = {year: verdict_on(essai, judged, year=year) for year in (2022, 2023, 2024)}
    assert {year: (item.accepted, item.refused) for year, item in counts.items()} == {
        2022: (0, 1),
        2023: (1, 2),
        2024: (1, 1),
    }
    assert [item.row for _, _, item in counts[2024].findings] == [4]


def test_files_add_up(essai):
    others = [essai.row(Code=f"T{index}") for index in range(3)]
    verdict = verdict_on(essai, essai.judge(rows(essai, 2, 1)), essai.judge(others))
    assert (verdict.accepted, verdict.refused) == (5, 1)
    assert verdict.observations.num_rows == 5


CODES, VALUES = st.sampled_from(["S1", "S2", "S3", ""]), st.sampled_from(["1", "ns", "", "x", "nan", "-1"])
ROWS = st.lists(
    st.one_of(
        st.tuples(
            CODES,
            st.sampled_from(["15/03/2024", "15/03/2023", "", "?"]),
            st.sampled_from(["SITE", "DEP", "CANTON"]),
            st.sampled_from(["D01", "R84", ""]),
            st.sampled_from(["a", "=b", ""]),
            VALUES,
        ).map(list),
        st.lists(VALUES, max_size=8),
    ),
    max_size=8,
)


@given(table=ROWS, file_year=st.sampled_from([2024, None]), limit=st.sampled_from([0, 0.5, 1]))
def test_every_row_read_is_accepted_refused_or_ignored(essai, table, file_year, limit):
    rule = [{"blank": ["valeur"], "present": ["code"], "why": "essai"}]
    judged = essai.judge(table, file_year=file_year, ignore=rule)
    blank_end = len(list(takewhile(lambda row: not any(row), reversed(table))))  # left by a spreadsheet: no rows
    table = table[: len(table) - blank_end]
    assert judged.observations.num_rows + sum(judged.refused.values()) + judged.ignored == len(table)
    told = {item.row for item in judged.findings}
    assert len(told) == sum(judged.refused.values())
    assert told.isdisjoint(judged.observations.table().column("_ligne").to_pylist())
    if file_year:
        verdict = verdict_on(essai, judged, acceptance=Acceptance(max_refused_share=limit, why="essai"))
        assert verdict.accepted + verdict.refused + verdict.ignored == len(table)
        assert (verdict.state == "accepté") == (verdict.accepted > 0 and verdict.refused <= limit * verdict.rows)


# What may be published


def test_findings_are_counted_by_rule_and_column(essai):
    made = [*rows(essai, 1, 2), essai.row(Code="S9", Zone="D20")]
    lines = count_findings([verdict_on(essai, essai.judge(made))])
    assert [(line["regle"], line["colonne"], line["nombre"]) for line in lines] == [
        ("territoire-inconnu", "Zone", 1),
        ("type-error", "Valeur", 2),
    ]
    assert (lines[1]["premiere_ligne"], lines[1]["derniere_ligne"]) == (3, 4)
    assert (lines[1]["export"], lines[1]["fichier"], lines[1]["empreinte"]) == ("essai", "essai-0.csv", "sha0")
    assert (lines[1]["severite"], lines[1]["message"]) == ("erreur", title("type-error"))


def test_a_finding_on_the_whole_file_has_no_row(essai):
    (line,) = count_findings([verdict_on(essai, essai.judge([], essai.header[:-1]))])
    assert (line["premiere_ligne"], line["derniere_ligne"], line["colonne"]) == (None, None, "Valeur")


def test_a_file_without_header_does_not_publish_its_first_row(essai):
    first = ["jeanne.dupont@exemple.fr", *essai.row()[1:]]
    lines = count_findings([verdict_on(essai, essai.judge([essai.row()], first))])
    assert "jeanne" not in str(lines)
    assert ("extra-label", None) in [(line["regle"], line["colonne"]) for line in lines]


def test_an_unknown_column_is_named(essai):
    judged = essai.judge([[*essai.row(), SECRET]], [*essai.header, "Remarque"])
    (line,) = count_findings([verdict_on(essai, judged)])
    assert (line["regle"], line["colonne"], line["severite"]) == ("extra-label", "Remarque", "avertissement")


MARKED = st.sampled_from([SECRET, f"={SECRET}", f"1{SECRET}", "S1", "15/03/2024", "SITE", "D01", "1", ""])


@given(table=st.lists(st.lists(MARKED, min_size=4, max_size=8), max_size=6), file_year=st.sampled_from([2024, None]))
def test_counts_never_hold_a_cell(essai, table, file_year):
    judged = essai.judge(table, file_year=file_year)
    assert SECRET not in str(count_findings([verdict_on(essai, judged)]))
