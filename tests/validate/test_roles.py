"""What the role of a column implies of its rows, told by the producer's own command, in every format."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.cli.file_check import Checked, check_export
from pipelines.declarations import Catalogue, Indicator, Network
from pipelines.mechanics.spelling import other_spelling, plain_form
from pipelines.validate import write_letter
from pipelines.validate.messages import rules, why_told

PROJECT = Path(__file__).resolve().parents[2]
CASES = PROJECT.parent / "shared" / "cases"
INDICATOR = {
    "title": "Essai", "definition": "Essai.", "type": "performance", "unit": "points", "unit_family": "nombre",
    "direction": "neutral", "decimals": 1,
}  # fmt: skip
LEVEL = {"share": "pooled", "ratio": "ratio_of_sums", "sum": "sum", "declared": "declared", "progress_rate": "declared",
         "transparency_rate": "network_share"}  # fmt: skip
YEAR = {"ratio": "ratio_of_sums", "sum": "sum", "declared": "declared", "progress_rate": "declared",
        "transparency_rate": "last"}  # fmt: skip
SHARE = {"name": "share", "favourable": ["oui"], "among": ["oui", "non"], "excluded": ["nsp"]}
NUMBER, TEXT, DAY = {"type": "number"}, {"type": "string"}, {"type": "date"}


class Desk:
    """Declares one export and its indicators, and checks files as a producer does."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self._shipped, self._folder = catalogue, folder

    def catalogue(self, fields: dict[str, dict[str, Any]], *fed: dict[str, Any], **export: Any) -> Catalogue:
        """Declare an export of those fields, and an indicator for each of ``fed`` (estimator, inputs, where…)."""
        declared = {
            "id": "avis", "kind": "survey", "title": "Avis", "level": "national",
            "fields": [{"name": name, **field} for name, field in fields.items()],
            "layouts": [{"years": "2023-2024", "path": "avis-{year}.csv", "delimiter": ";"}], **export,
        }  # fmt: skip
        network = Network.model_validate({
            "title": "Guichet", "producer": "Essai", "description": "Essai.", "structure_type": "Essai",
            "finest_level": "national", "years": "2023-2024", "acceptance": {"max_refused_share": 1, "why": "essai"},
            "exports": [declared],
        })  # fmt: skip
        indicators = {}
        for rank, item in enumerate(fed):
            settings = dict(item)
            name = settings["estimator"]["name"]
            fed_by = {key: settings.pop(key) for key in ("inputs", "where", "years") if key in settings}
            indicators[f"essai-{rank}"] = Indicator.model_validate({
                **INDICATOR, "year": YEAR.get(name, "pooled"),
                "levels": {"national": {"obtained": LEVEL.get(name, "pooled")}},
                "networks": {"guichet": {"export": "avis", **fed_by}}, **settings,
            })  # fmt: skip
        return dataclasses.replace(
            self._shipped, networks=MappingProxyType({"guichet": network}), indicators=MappingProxyType(indicators),
            corrections=MappingProxyType({}),
        )  # fmt: skip

    def check(
        self, catalogue: Catalogue, columns: Mapping[str, Any], kind: str = "csv", year: int | None = 2024
    ) -> Checked:
        """Write the columns as a file of that kind and check it."""
        export = catalogue.networks["guichet"].exports[0]
        declared = export.layouts[0]
        layout = declared.model_copy(update={"format": kind, "path": declared.path.replace("csv", kind)})
        path = self._folder / f"avis-{year}.{kind}"
        frame = pd.DataFrame(columns)
        if kind == "csv":
            frame.to_csv(path, sep=";", index=False, encoding="utf-8")
        elif kind == "parquet":
            frame.to_parquet(path)
        else:
            frame.to_excel(path, index=False, engine={"xlsx": "openpyxl", "ods": "odf"}[kind])
        return check_export(catalogue, "guichet", export, layout, year, path)


@pytest.fixture(scope="module")
def desk(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(catalogue, tmp_path_factory.mktemp("guichet"))


def told(checked: Checked) -> dict[str, int]:
    """How many rows each rule tells of."""
    found: Counter[str] = Counter()
    for problem in checked.problems:
        found[problem.rule] += problem.count
    return dict(found)


NPS = {"estimator": {"name": "nps"}, "inputs": {"rating": "note"}}
CSAT = {"estimator": {"name": "top_box", "scale": [1, 5], "top": 2}, "inputs": {"rating": "note"}}
CES = {"estimator": {"name": "ces", "scale": [1, 7], "best": "high"}, "inputs": {"rating": "note"}}
MEAN = {"estimator": {"name": "mean"}, "inputs": {"value": "delai"}}
RATE = {"estimator": {"name": "ratio"}, "inputs": {"numerator": "pris", "denominator": "recus"}, "unit": "%",
        "unit_family": "taux", "range": [0, 100]}  # fmt: skip
SCORE = {"name": "score", "points": [{"answer": rank, "points": 5 * rank} for rank in (1, 2, 3)]}
WHERE = {"estimator": SHARE, "inputs": {"answer": "avis"}, "where": {"canal": ["téléphone"]}}
ROLES = [
    ("nps", NPS, {"note": NUMBER}, {"note": [10, 8.5, 6.5, 99, 98, -1, 0]}, {"note-decimale": 2, "hors-echelle": 3}, 2),
    ("csat", CSAT, {"note": NUMBER}, {"note": [5, 4.5, 0, 9, 1]}, {"note-decimale": 1, "hors-echelle": 2}, 1),
    ("ces", CES, {"note": NUMBER}, {"note": [7, 3.5, 0, 8, 1]}, {"note-decimale": 1, "hors-echelle": 2}, 1),
    ("notes as answers", {"estimator": SCORE, "inputs": {"answer": "note"}}, {"note": NUMBER},
     {"note": [1, 2, 3, 2.5, 9, 99]}, {"note-decimale": 1, "hors-echelle": 2}, 1),
    ("answers", {"estimator": SHARE, "inputs": {"answer": "avis"}}, {"avis": TEXT},
     {"avis": ["oui", "non", "nsp", "peut-être", "Oui", "non ", "n on"]},
     {"reponse-hors-liste": 2, "valeur-ecrite-autrement": 2}, 4),
    ("mean", MEAN, {"delai": NUMBER}, {"delai": [10, 12, 9, 999, 999, 9999]}, {"code-suspect": 3}, 0),
    ("heap of codes", MEAN, {"delai": NUMBER}, {"delai": [*range(0, 700, 7), 1500, *[999] * 5]},
     {"code-suspect": 5}, 0),
    ("amounts like others", MEAN, {"delai": NUMBER}, {"delai": [*range(900, 1100, 3), 999, 999, 999]}, {}, 0),
    ("waits like others", MEAN, {"delai": NUMBER}, {"delai": [60, 75, 99, 98, 97, 99]}, {}, 0),
    ("sum", {"estimator": {"name": "sum"}, "inputs": {"value": "delai"}}, {"delai": NUMBER},
     {"delai": [3, 0, -4, 9]}, {"hors-etendue": 1}, 0),
    ("rate", RATE, {"pris": NUMBER, "recus": NUMBER},
     {"pris": [5, 12, -1, None, 4, 0], "recus": [10, 10, 10, 10, -4, None]},
     {"numerateur-superieur": 1, "compte-negatif": 2, "couple-incomplet": 2}, 2),
    ("balance", {**RATE, "range": [-100, 500]}, {"pris": NUMBER, "recus": NUMBER},
     {"pris": [-3, 20, 4], "recus": [10, 10, 5]}, {}, 0),
    ("deadline", {"estimator": {"name": "within_deadline", "within": 10}, "inputs": {"delay": "delai"}},
     {"delai": NUMBER}, {"delai": [3, 20, -2, 999]}, {"delai-negatif": 1, "code-suspect": 1}, 0),
    ("two dates", {"estimator": {"name": "within_deadline", "within": 10}, "inputs": {"start": "debut", "end": "fin"}},
     {"debut": DAY, "fin": DAY}, {"debut": ["2024-03-01", "2024-03-05"], "fin": ["2024-03-02", "2024-03-04"]},
     {"delai-negatif": 1}, 0),
    ("percentage", {"estimator": {"name": "declared"}, "inputs": {"value": "taux"}, "range": [0, 100]},
     {"taux": NUMBER}, {"taux": [50, 120, -3, 99.5]}, {"hors-etendue": 2}, 0),
    ("shares of 1", {"estimator": {"name": "declared"}, "inputs": {"value": "taux"}, "range": [0, 100], "unit": "%",
                     "direction": "higher"}, {"taux": NUMBER}, {"taux": [0.95, 0.8, 1, 0.72, 0]},
     {"fraction-suspecte": 4}, 0),
    ("small rates", {"estimator": {"name": "declared"}, "inputs": {"value": "taux"}, "range": [0, 100], "unit": "%",
                     "direction": "higher"}, {"taux": NUMBER}, {"taux": [0.95, 0.8, 12, 0.72, 0]}, {}, 0),
    ("transparency", {"estimator": {"name": "transparency_rate"},
                      "inputs": {"network": "reseau", "published": "oui", "sites": "sites"}},
     {"reseau": TEXT, "oui": NUMBER, "sites": NUMBER},
     {"reseau": ["a", "b", "c"], "oui": [3, 5, -1], "sites": [4, 4, 4]},
     {"numerateur-superieur": 1, "compte-negatif": 1}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("fed", "fields", "columns", "expected", "refused"), [item[1:] for item in ROLES],
                         ids=[item[0] for item in ROLES])  # fmt: skip
def test_inputs_hold_what_their_estimator_can_count(desk, fed, fields, columns, expected, refused):
    period = {}
    if fed["estimator"]["name"] == "declared":  # one value a place and period: a month for each
        fields, period = {**fields, "mois": DAY}, {"period": {"field": "mois", "frequency": "month"}}
        columns = {**columns, "mois": [f"2024-{month:02d}-01" for month, _ in enumerate(columns["taux"], start=1)]}
    checked = desk.check(desk.catalogue(fields, fed, **period), columns)
    assert told(checked) == expected
    assert checked.verdict.refused == refused
    assert checked.verdict.accepted == len(next(iter(columns.values()))) - refused


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "ods"])
def test_rules_hold_in_every_format(desk, kind):
    catalogue = desk.catalogue({"note": NUMBER, "poids": NUMBER}, NPS, weight="poids")
    checked = desk.check(catalogue, {"note": [9.0, 8.5, 99.0, 3.0], "poids": [1.0, 1.0, 2.0, -1.5]}, kind)
    assert told(checked) == {"note-decimale": 1, "hors-echelle": 1, "poids-negatif": 1}
    assert (checked.verdict.accepted, checked.verdict.refused) == (2, 2)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "ods"])
def test_words_are_compared_in_every_format(desk, kind):
    catalogue = desk.catalogue({"canal": TEXT, "avis": TEXT, "lu": {"type": "boolean"}},
                               {**WHERE, "where": {"canal": ["téléphone"], "lu": [True]}})  # fmt: skip
    columns = {"canal": ["téléphone", "Téléphone", "guichet", "téléphone"], "avis": ["oui", "oui", "non", "bof"],
               "lu": ["true", "true", "false", "true"]}  # fmt: skip
    checked = desk.check(catalogue, columns, kind)
    assert told(checked) == {"valeur-ecrite-autrement": 1, "reponse-hors-liste": 1}
    (account,) = checked.verdict.accounts
    assert (account.accepted, account.base, account.outside) == (2, 1, {"condition_non_remplie": 1})


def test_a_missing_weight_is_told_unless_its_absence_is_declared(desk):
    columns = {"note": [9, 10, 3, 2], "poids": [1, None, 0, None]}
    checked = desk.check(desk.catalogue({"note": NUMBER, "poids": NUMBER}, NPS, weight="poids"), columns)
    assert told(checked) == {"poids-absent": 2}
    assert checked.verdict.accepted == 4
    allowed = {"type": "number", "absences": {"": "non-renseigne"}}
    assert told(desk.check(desk.catalogue({"note": NUMBER, "poids": allowed}, NPS, weight="poids"), columns)) == {}


@pytest.mark.parametrize("weights", [[0, 0, 0], [None, None, None], [0, None, 0]])
def test_an_export_without_any_weight_above_zero_is_refused(desk, weights):
    catalogue = desk.catalogue({"note": NUMBER, "poids": NUMBER}, NPS, weight="poids")
    checked = desk.check(catalogue, {"note": [9, 10, 3], "poids": weights})
    assert checked.verdict.state == "rejeté"
    assert "poids" in checked.verdict.explanation
    assert "poids-nuls" in told(checked)


SPELLINGS = ["Téléphone", "telephone", "téléphone ", " téléphone", "te\u0301le\u0301phone", "télé\u200bphone",
             "TÉLÉPHONE", "téléphone\u00a0"]  # fmt: skip


@pytest.mark.parametrize("written", SPELLINGS)
def test_another_spelling_of_a_value_that_chooses_rows_is_refused(desk, written):
    catalogue = desk.catalogue({"canal": TEXT, "avis": TEXT}, WHERE)
    checked = desk.check(catalogue, {"canal": ["téléphone", "guichet", written], "avis": ["oui", "oui", "non"]})
    assert told(checked) == {"valeur-ecrite-autrement": 1}
    assert "« téléphone »" in checked.problems[0].message
    assert checked.verdict.refused == 1


def test_two_declared_spellings_are_two_values(desk):
    canal = {"constraints": {"enum": ["téléphone", "Téléphone"]}}
    checked = desk.check(desk.catalogue({"canal": canal, "avis": TEXT}, WHERE),
                         {"canal": ["téléphone", "Téléphone"], "avis": ["oui", "non"]})  # fmt: skip
    assert told(checked) == {}


def test_rules_hold_for_the_rows_and_years_of_their_indicator(desk):
    one = {**NPS, "where": {"question": ["Q1"]}}
    two = {**CSAT, "where": {"question": ["Q2"]}}
    catalogue = desk.catalogue({"question": TEXT, "note": NUMBER}, one, two)
    columns = {"question": ["Q1", "Q2", "Q3", "Q2"], "note": [10, 10, 8.5, 4]}
    checked = desk.check(catalogue, columns)
    assert told(checked) == {"hors-echelle": 1}  # 10 is on the scale of Q1, not of Q2; nobody counts Q3
    limited = desk.catalogue({"question": TEXT, "note": NUMBER}, {**one, "years": "2024"})
    assert told(desk.check(limited, {"question": ["Q1"], "note": [8.5]})) == {"note-decimale": 1}
    assert told(desk.check(limited, {"question": ["Q1"], "note": [8.5]}, year=2023)) == {}


def test_a_category_without_a_margin_is_refused(desk):
    shares = {"field": "profil", "shares": {"Actif": 60, "Retraité": 40}, "source": "essai", "date": "2024-01-01"}
    margins = [{"years": 2024, "margins": [shares]}]
    catalogue = desk.catalogue({"profil": TEXT, "note": NUMBER}, NPS, calibration=margins)
    columns = {"profil": ["Actif", "Retraité", "retraite", "Étudiant", None], "note": [9, 10, 3, 2, 1]}
    checked = desk.check(catalogue, columns)
    assert told(checked) == {"valeur-ecrite-autrement": 1, "hors-marges": 2}
    assert told(desk.check(catalogue, columns, year=2023)) == {}


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("te\u0301le\u0301phone", "accent écrit en deux signes"),
        ("téléphone\u200b", "signe invisible"),
        ("Telephone", "majuscules ou minuscules, accents"),
    ],
)
def test_what_differs_from_an_answer_is_named_where_both_look_alike(desk, written, cause):
    catalogue = desk.catalogue({"avis": TEXT, "canal": TEXT}, WHERE)
    checked = desk.check(catalogue, {"avis": ["oui", "non"], "canal": ["téléphone", written]})
    (problem,) = [item for item in checked.problems if item.rule == "valeur-ecrite-autrement"]
    assert problem.causes[0].endswith(f"» : {cause}")


def test_a_stratum_without_a_population_is_refused(desk):
    design = {"strata": "taille", "population": [{"years": 2024, "strata": {"Petit": 90, "Grand": 40}, "source": "x"}]}
    fields = {"taille": {**TEXT, "constraints": {"required": True}}, "note": NUMBER}
    catalogue = desk.catalogue(fields, NPS, design=design)
    columns = {"taille": ["Petit", "Grand", "petit", "Moyen"], "note": [9, 10, 3, 2]}
    for kind in ("csv", "xlsx", "ods", "parquet"):
        checked = desk.check(catalogue, columns, kind)
        assert told(checked) == {"valeur-ecrite-autrement": 1, "strate-inconnue": 1}
        assert (checked.verdict.accepted, checked.verdict.refused) == (2, 2)
    assert told(desk.check(catalogue, columns, year=2023)) == {}  # no population is declared for it


def test_a_row_refused_for_another_reason_is_told_all_that_is_wrong(desk):
    catalogue = desk.catalogue({"note": NUMBER, "poids": NUMBER, "jour": DAY}, NPS, weight="poids")
    checked = desk.check(catalogue, {"note": [8.5, 9], "poids": [-1, 1], "jour": ["hier", "2024-01-01"]})
    assert told(checked) == {"type-error": 1, "note-decimale": 1, "poids-negatif": 1}
    assert checked.verdict.refused == 1


def test_what_is_told_without_refusing_is_written_to_the_producer(desk):
    catalogue = desk.catalogue({"note": NUMBER}, NPS)
    checked = desk.check(catalogue, {"note": [10, 9, 99, 99, 98]})
    assert checked.valid
    assert not checked.verdict.clean
    text = write_letter(catalogue, "guichet", 2024, checked.verdict).text
    assert "La note n'est pas sur l'échelle" in text
    assert "«\u00a099\u00a0»" in text
    assert "3 fois" in text


def test_a_condition_that_no_row_meets_is_told(desk):
    catalogue = desk.catalogue({"canal": TEXT, "avis": TEXT}, WHERE)
    checked = desk.check(catalogue, {"canal": ["guichet", "courriel"], "avis": ["oui", "non"]})
    assert told(checked) == {"condition-jamais-remplie": 1}
    assert not checked.verdict.clean
    (account,) = checked.descriptor()["indicateurs"]
    assert (account["lignes_acceptees"], account["lignes_base"]) == (2, 0)
    assert account["hors_de_la_base"] == {"condition_non_remplie": 2}


def test_the_letter_says_where_every_accepted_row_went(desk):
    catalogue = desk.catalogue({"canal": TEXT, "avis": TEXT}, WHERE)
    channels = ["téléphone", "téléphone", "téléphone", "guichet", "guichet", "courriel"]
    rows = {"canal": channels, "avis": ["oui", "nsp", None, "oui", "oui", "oui"]}
    verdict = desk.check(catalogue, rows).verdict
    letter = write_letter(catalogue, "guichet", 2024, verdict)
    expected = ("calculé sur 1 des 6 lignes acceptées ; hors de la base : condition de l'indicateur non remplie "
                "(3 : « guichet » 2, « courriel » 1) ; sans réponse ou sans valeur (1) ; réponse que l'indicateur "
                "exclut (1 : « nsp » 1)")  # fmt: skip
    for page in (letter.html.replace("&#39;", "'"), letter.text):
        assert expected in " ".join(page.replace("\u00a0", " ").split())


def test_a_file_of_several_years_is_judged_year_by_year(desk):
    layouts = [{"years": "2023-2024", "path": "avis.csv", "delimiter": ";"}]
    fields = {"jour": DAY, "note": NUMBER}
    catalogue = desk.catalogue(fields, {**NPS, "years": "2024"}, layouts=layouts, period={"field": "jour"})
    columns = {"jour": ["2023-05-01", "2024-05-01", "2024-06-01"], "note": [8.5, 8.5, 99]}
    checked = desk.check(catalogue, columns, year=None)
    assert (checked.verdict.accepted, checked.verdict.refused) == (2, 1)
    assert told(checked) == {"note-decimale": 1, "hors-echelle": 1}


def test_truths_and_days_choose_rows_too(desk):
    choices = [({"type": "boolean"}, True, ["true", "false"]), (DAY, "2024-03-01", ["2024-03-01", None])]
    for field, value, cells in choices:
        fed = {**NPS, "where": {"choix": [value]}}
        catalogue = desk.catalogue({"choix": field, "note": NUMBER}, fed)
        checked = desk.check(catalogue, {"choix": cells, "note": [99, 99]})
        assert told(checked) == {"hors-echelle": 1}


def test_every_rule_of_a_role_has_words(desk):
    refusing = {
        "poids-negatif", "note-decimale", "reponse-hors-liste", "valeur-ecrite-autrement", "hors-marges",
        "compte-negatif", "strate-inconnue", "poids-nuls",
    }  # fmt: skip
    telling = {
        "poids-absent", "hors-echelle", "couple-incomplet", "numerateur-superieur", "delai-negatif", "hors-etendue",
        "code-suspect", "fraction-suspecte", "condition-jamais-remplie", "service-inconnu",
    }  # fmt: skip
    assert refusing | telling <= set(rules())
    assert {rule for rule in rules() if why_told(rule) == "values"} == telling


@given(st.text(max_size=12))
def test_a_plain_form_is_its_own_plain_form(text):
    assert plain_form(plain_form(text)) == plain_form(text)
    assert other_spelling(text, [text]) is None


@given(st.lists(st.sampled_from([*range(11), 99, 98, 8.5, -1, None]), min_size=1, max_size=40))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_note_is_counted_told_or_refused(desk, notes):
    catalogue = desk.catalogue({"numero": NUMBER, "note": NUMBER}, NPS)
    checked = desk.check(catalogue, {"numero": range(len(notes)), "note": notes})
    found = told(checked)
    given_notes = [note for note in notes if note is not None]
    assert found.get("note-decimale", 0) == checked.verdict.refused == given_notes.count(8.5)
    assert found.get("hors-echelle", 0) == sum(note in (99, 98, -1) for note in given_notes)


FIELD = [
    ("60-poids-negatifs/enquete-2024.csv", "mini", "essais", "enquete", "Le poids est négatif", 1),
    ("60-poids-negatifs/somme-nulle/enquete-2024.csv", "mini", "essais", "enquete", "Le poids est négatif", 1),
    ("63-code-99-nsp/enquete-2024.csv", "mini", "essais", "enquete", "20 fois", 0),
    ("63-code-99-nsp/moyenne-999/avis-2024.csv", "mini3", "canaux", "avis", "« 999 »", 0),
    ("95-canal-ecrit-autrement/avis-2024.csv", "mini3", "canaux", "avis", "écrivez « téléphone »", 1),
    ("99-reponses-hors-liste/avis-2024.csv", "mini3", "canaux", "avis", "34 fois", 1),
    ("94-nps-pondere-ok/enquete-2024.csv", "mini", "essais", "enquete", "acceptées : 600", 0),
]


@pytest.mark.skipif(not CASES.is_dir(), reason="les cas partagés ne sont pas là")
@pytest.mark.parametrize(("file", "schemas", "network", "export", "words", "code"), FIELD)
def test_files_from_the_field_are_told(file, schemas, network, export, words, code):
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "validate", str(CASES / file), "--network", network, "--export",
         export, "--schemas", str(CASES / "_schemas" / schemas)],
        capture_output=True, text=True, check=False, cwd=PROJECT, env={"COLUMNS": "200", "PATH": ""},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stdout.split())


ODD = ["", "0", "1", "3", "5", "8,5", "8.5", "-1", "99", "999", "NaN", "inf", "1e400", "123456789012345678901", "oui",
       "Oui ", "nsp", "\u200b", "\u00a0", "2024-03-01", "2024-13-01", "true", "=1+1", "'5"]  # fmt: skip


@pytest.mark.parametrize(("fed", "fields"), [item[1:3] for item in ROLES], ids=[item[0] for item in ROLES])
@given(st.data())
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_cells_no_row_is_lost(desk, fed, fields, data):
    rows = data.draw(st.integers(1, 12))
    columns = {name: data.draw(st.lists(st.sampled_from(ODD), min_size=rows, max_size=rows)) for name in fields}
    checked = desk.check(desk.catalogue({"numero": NUMBER, **fields}, fed), {"numero": range(1, rows + 1), **columns})
    verdict = checked.verdict
    assert verdict.accepted + verdict.refused == rows
    for account in verdict.accounts:
        assert account.accepted == verdict.accepted
        assert account.base + sum(account.outside.values()) == account.accepted
    if verdict.accepted and verdict.state == "accepté":
        assert [account.indicator for account in verdict.accounts] == ["essai-0"]
