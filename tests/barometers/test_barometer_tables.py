"""What a barometer publishes: shares, bases, changes established or not, what is hidden, who isn't in a base."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_waves import SEX, answers, barometer, line, question, tables
from statsmodels.stats.multitest import multipletests

from pipelines.barometers.secrecy import THRESHOLD, hidden_groups
from pipelines.compute.significance import holm


def of(results: pd.DataFrame, wave: str, **where: str) -> pd.Series:
    return line(results, vague=wave, modalite=where.pop("modalite", "satisfaits"), **where)


def test_a_rise_of_five_points_on_two_thousand_answers_is_established(tmp_path):
    """The published trust of the programme's own barometer: 72 % of 2 028 answers, then 77 % of 2 023."""
    first = answers({"1": 460, "2": 1000, "3": 300, "4": 268})
    second = answers({"1": 558, "2": 1000, "3": 265, "4": 200})
    found = of(tables(barometer(), {"v1": first, "v2": second}, tmp_path)["resultats_barometres"], "v2")
    assert (round(found.valeur), found.base) == (77, 2023)
    assert (found.vague_comparee, bool(found.vague_significatif)) == ("v1", True)
    z = (1558 / 2023 - 1460 / 2028) / np.sqrt(
        (3018 / 4051) * (1 - 3018 / 4051) * (1 / 2028 + 1 / 2023)
    )  # without design effect
    assert z == pytest.approx(3.66, abs=0.1)
    assert found.p_vague == pytest.approx(0.0003, abs=0.0002)
    assert found.ecart_vague == pytest.approx(100 * (1558 / 2023 - 1460 / 2028))


def test_a_rise_of_one_point_is_not(tmp_path):
    first, second = answers({"1": 260, "2": 420, "3": 200, "4": 120}), answers({"1": 260, "2": 430, "3": 200, "4": 110})
    found = of(tables(barometer(), {"v1": first, "v2": second}, tmp_path)["resultats_barometres"], "v2")
    assert (found.valeur, found.ecart_vague) == (pytest.approx(69), pytest.approx(1))
    assert not found.vague_significatif


def test_a_total_is_made_before_rounding_and_a_note_says_so(tmp_path):
    """69 % are satisfied, of whom 26 % very: the parts, rounded, would make 70."""
    found = tables(barometer(), {"v1": answers({"1": 257, "2": 436, "3": 197, "4": 110})}, tmp_path)
    results = found["resultats_barometres"]
    total = of(results, "v1")
    parts = [line(results, vague="v1", mesure="reponse", modalite=code).valeur for code in "12"]
    assert (round(total.valeur), [round(part) for part in parts]) == (69, [26, 44])
    assert total.note == "Le total (69) est calculé avant l'arrondi ; ses parties arrondies font 70."


def test_what_was_not_offered_stands_apart_or_in_the_base_as_declared(tmp_path):
    given = answers({"1": 60, "3": 20, "9": 20})
    for mode, base, share in (("exclude", 80, 75.0), ("include", 100, 60.0)):
        told = barometer([question(nonresponse=mode)])
        made = tables(told, {"v1": given}, tmp_path)
        found = of(made["resultats_barometres"], "v1")
        assert (found.base, found.valeur) == (base, pytest.approx(share))
        aside = line(made["resultats_barometres"], mesure="reponse", modalite="9")
        assert (aside.base, aside.valeur) == (100, pytest.approx(20))
        row = made["questions"].set_index("vague").loc["v1"]
        assert (row.base, row.hors_base) == (base, 100 - base)


def test_a_filter_and_a_split_ballot_make_the_base(tmp_path):
    asked = question("contact", answers=[{"code": "1", "label": "Oui"}, {"code": "2", "label": "Non"}])
    told = question(
        filter={"question": "contact", "answers": ["1"]},
        ballot={"column": "version", "value": "A", "values": ["A", "B"]},
    )
    given = answers({"1": 120, "3": 80}, contact=["1", "1", "1", "2"] * 50, version=["A", "A", "B", "A"] * 50)
    made = tables(barometer([asked, told]), {"v1": given}, tmp_path)
    row = made["questions"].set_index(["vague", "question"]).loc["v1", "avis"]
    assert (row.base, row.non_posee) == (100, 100)
    assert row.filtre == "à qui a répondu « Oui » à « Avis »"
    assert of(made["resultats_barometres"], "v1").base == 100
    counted = row[["non_posee", "sans_reponse", "trop_de_reponses", "hors_base", "base"]].sum()
    assert counted == len(given)


def test_more_answers_than_allowed_are_in_no_base_and_counted(tmp_path):
    codes = ("a", "b", "c")
    told = question("freins", multiple={"max": 2}, answers=[{"code": code, "label": code.upper()} for code in codes])
    frame = pd.DataFrame(
        [("1", "0", "0")] * 40 + [("1", "1", "0")] * 30 + [("1", "1", "1")] * 20 + [("0", "0", "0")] * 10,
        columns=[f"freins_{code}" for code in codes],
    ).assign(poids=1.0, sexe="1")
    made = tables(barometer([told], indicators=[], cuts=[]), {"v1": frame}, tmp_path)
    row = made["questions"].set_index("vague").loc["v1"]
    assert (row.base, row.trop_de_reponses, row.sans_reponse) == (80, 20, 0)  # « none of them » is an answer
    shares = {code: line(made["resultats_barometres"], modalite=code).valeur for code in codes}
    assert shares == {"a": pytest.approx(100 * 70 / 80), "b": pytest.approx(100 * 30 / 80), "c": 0}


def test_a_battery_gives_one_question_a_line(tmp_path):
    items = [{"id": "un", "label": "un", "column": "q_un"}, {"id": "deux", "label": "deux", "column": "q_deux"}]
    given = answers({"1": 50, "3": 50}).assign(q_un=["1", "4"] * 50, q_deux=["1", "1", "1", "4"] * 25)
    told = barometer([question(items=items)])
    made = tables(told, {"v1": given}, tmp_path)
    assert list(made["questions"]["question"].unique()) == ["avis-un", "avis-deux"]
    shares = [of(made["resultats_barometres"], "v1", question=name).valeur for name in ("avis-un", "avis-deux")]
    assert shares == [50, 75]


def test_net_scores_and_means_are_those_of_the_scale(tmp_path):
    told = barometer(indicators=[
        {"id": "solde", "title": "Solde", "question": "avis", "measure": "net"},
        {"id": "note", "title": "Note", "question": "avis", "measure": "mean"},
    ])  # fmt: skip
    found = tables(told, {"v1": answers({"1": 40, "2": 20, "3": 20, "4": 20})}, tmp_path)["resultats_barometres"]
    net, mean = (of(found, "v1", modalite=name) for name in ("solde", "note"))
    assert (net.valeur, net.unite) == (pytest.approx(40), "points")
    assert (mean.valeur, mean.unite) == (pytest.approx((40 * 10 + 20 * 7.5 + 20 * 5) / 100), "note")


def test_other_words_are_not_compared_unless_they_mean_the_same(tmp_path):
    wordings = [{"waves": ["v1"], "text": "Avis ?"}, {"waves": ["v2"], "text": "Quel avis ?"}]
    waves = {"v1": answers({"1": 500, "4": 500}), "v2": answers({"1": 700, "4": 300})}
    for more, compared in (({}, False), ({"same_meaning": "seule la tournure change"}, True)):
        told = barometer([question(wordings=[wordings[0], wordings[1] | more])])
        made = tables(told, waves, tmp_path)
        assert pd.notna(of(made["resultats_barometres"], "v2").ecart_vague) == compared
        words = made["questions"].set_index("vague").loc["v2"].libelle_compare
        assert words == (
            "différent, de même sens : seule la tournure change" if compared else "différent : non comparé"
        )


def test_few_answers_are_told_but_not_compared_and_fewer_are_secret(tmp_path):
    groups = [{"code": code, "label": code} for code in "abcde"]
    told = barometer(cuts=[{"id": "profil", "title": "Profil", "column": "profil", "groups": groups}])
    sizes = {"a": 400, "b": 25, "c": 14, "d": 12, "e": 8}
    profile = [code for code, size in sizes.items() for _ in range(size)]
    given = answers({"1": 300, "4": 159}).drop(columns="sexe").assign(profil=profile)
    results = tables(told, {"v1": given}, tmp_path)["resultats_barometres"]
    found = {code: of(results, "v1", coupe="profil", groupe=code) for code in sizes}
    assert {code: row.statut for code, row in found.items()} == {
        "a": "publié", "b": "base faible", "c": "secret statistique", "d": "secret statistique",
        "e": "secret statistique",
    }  # fmt: skip
    assert pd.isna(found["d"].base) and pd.isna(found["c"].valeur)
    assert pd.isna(found["b"].p_reste) and pd.isna(found["b"].superieur_a)
    rest = of(results, "v1").base - found["a"].base - found["b"].base
    assert rest == 14 + 12 + 8  # with e, d alone would leave 8 people: c is hidden too, so that nobody's are left
    assert rest - 14 >= THRESHOLD


def test_a_wave_that_was_not_handed_over_says_so_and_stops_nothing(tmp_path):
    made = tables(barometer(), {"v2": answers({"1": 100, "4": 100})}, tmp_path)
    waves = made["vagues"].set_index("vague")
    assert (waves.loc["v1", "etat"], waves.loc["v1", "motif"]) == ("non transmis", "fichier absent")
    assert pd.isna(of(made["resultats_barometres"], "v2").ecart_vague)


def test_weights_that_cannot_reach_their_margins_leave_the_wave_out_and_say_why(tmp_path):
    told = barometer()
    margin = {"field": "sexe", "shares": {"1": 50, "2": 50}, "source": "essai", "date": "2021-01-01"}
    told["waves"][0] |= {"margins": [margin]}
    made = tables(told, {"v1": answers({"1": 50}, sexe="1")}, tmp_path)
    assert "calage sur sexe" in made["vagues"].set_index("vague").loc["v1", "motif"]
    assert made["resultats_barometres"].empty


def test_rows_of_no_weight_are_in_no_figure_and_counted(tmp_path):
    given = answers({"1": 60, "4": 40}).assign(poids=[1.0] * 90 + [0.0] * 10)
    made = tables(barometer(), {"v1": given}, tmp_path)
    wave = made["vagues"].set_index("vague").loc["v1"]
    assert (wave.effectif, wave.lignes_sans_poids) == (90, 10)
    assert of(made["resultats_barometres"], "v1").base == 90


def test_a_cut_that_splits_another_does_not_give_back_what_it_hides(tmp_path):
    """Inactive people are the retired and six others: the retired shown, inactive people must be hidden."""
    sizes = {"agri": 14, "art": 60, "inter": 100, "emp": 200, "retraite": 150, "inactif": 6}
    jobs = [code for code, size in sizes.items() for _ in range(size)]
    work = ["non" if code in ("retraite", "inactif") else "oui" for code in jobs]
    cuts = [
        {"id": "csp", "title": "CSP", "column": "csp", "groups": [{"code": code, "label": code} for code in sizes]},
        {
            "id": "travail",
            "title": "T",
            "column": "travail",
            "groups": [{"code": x, "label": x} for x in ("oui", "non")],
        },
    ]
    given = answers({"1": 300, "4": 230}).drop(columns="sexe").assign(csp=jobs, travail=work)
    results = tables(barometer(cuts=cuts), {"v1": given}, tmp_path)["resultats_barometres"]
    hidden = results[results["statut"] == "secret statistique"]
    assert set(hidden["groupe"]) == {"agri", "art", "inactif", "oui", "non"}
    assert hidden["base"].isna().all()


def test_little_is_told_of_a_question_of_few_answers(tmp_path):
    made = tables(barometer(), {"v1": answers({"1": 5, "9": 200})}, tmp_path)
    assert of(made["resultats_barometres"], "v1").statut == "secret statistique"
    assert made["questions"][["base", "hors_base", "sans_reponse", "non_posee"]].isna().all(axis=None)


def test_a_question_nobody_answered_is_no_secret(tmp_path):
    made = tables(barometer(), {"v1": answers({"1": 40}).assign(avis=None)}, tmp_path)
    assert made["resultats_barometres"].empty
    assert made["questions"].set_index("vague").loc["v1", "sans_reponse"] == 40


@given(st.lists(st.integers(0, 60), min_size=2, max_size=9))
def test_hidden_groups_hide_one_another(sizes):
    people = np.array(sizes, dtype=float)
    out = hidden_groups(people)
    assert not (~out & (people < THRESHOLD) & (people > 0)).any()
    if out.any() and not out.all():
        held = people[out]
        assert len(held) > 1
        assert held.sum() - held.max() >= THRESHOLD


@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=5))
def test_holm_is_that_of_statsmodels(rows):
    expected = [multipletests(row, method="holm")[1] for row in rows]
    assert holm(np.array(rows)) == pytest.approx(np.array(expected))


def test_a_test_that_was_not_made_does_not_count():
    found = holm(np.array([[0.01, np.nan, 0.04]]))
    assert found[0] == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


def test_groups_and_everybody_stand_in_the_order_of_the_declaration(tmp_path):
    results = tables(barometer(), {"v1": answers({"1": 60, "4": 40})}, tmp_path)["resultats_barometres"]
    assert list(results["rang"]) == list(range(1, len(results) + 1))
    assert list(results["groupe"].head(3)) == ["ensemble", *(group["code"] for group in SEX["groups"])]
