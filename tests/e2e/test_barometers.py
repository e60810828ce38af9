"""Barometers from their files to their pages: the run of the samples, its release, and what the site says of it."""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path

import duckdb
import pytest

pytestmark = pytest.mark.e2e
DATASET = "barometres-services-publics"
PLACE = ("barometre", "vague", "question", "mesure", "modalite", "coupe", "groupe")
CELL = re.compile(r'<(?:tr|p)[^>]*(?P<facts> data-barometre="[^>]*)>(?P<words>.*?)</(?:tr|p)>', re.DOTALL)
FACT = re.compile(r'data-(\w+)="([^"]*)"')


@pytest.fixture(scope="module")
def output(whole_run) -> Path:
    return whole_run[0]


@pytest.fixture(scope="module")
def rows(output) -> dict[tuple[str, ...], dict[str, object]]:
    path = output / "releases" / DATASET / "1.0.0" / "resultats_barometres.parquet"
    found = duckdb.sql(f"SELECT * FROM '{path}'")
    held = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    return {tuple(str(row[name]) for name in PLACE): row for row in held}


def told(output: Path) -> list[tuple[dict[str, str], str]]:
    """Every row of a table, and every figure of a tile: its facts, its words."""
    pages = [output / "site" / "barometres.html", *sorted((output / "site" / "barometres").rglob("*.html"))]
    return [
        (dict(FACT.findall(found["facts"])), re.sub(r"<[^>]+>", " ", found["words"]))
        for page in pages
        for found in CELL.finditer(page.read_text(encoding="utf-8"))
    ]


def test_the_published_national_figures_are_those_that_the_samples_were_drawn_to(rows):
    def value(barometer, wave, indicator):
        question = {"confiance-positive": "confiance"}.get(indicator, "satisfaction")
        return rows[barometer, wave, question, "indicateur", indicator, "ensemble", "ensemble"]

    trust = {wave: value("confiance", wave, "confiance-positive") for wave in ("v2018", "v2020", "v2021")}
    assert [round(row["valeur"]) for row in trust.values()] == [68, 72, 77]
    assert trust["v2021"]["vague_significatif"] is True
    assert trust["v2020"]["vague_comparee"] is None  # another institute
    satisfied = value("services-publics", "v2024", "satisfaits")
    assert (round(satisfied["valeur"]), satisfied["vague_significatif"]) == (69, False)
    assert round(value("services-publics", "v2024", "insatisfaits")["valeur"]) == 11


def test_every_figure_of_a_page_is_that_of_the_release(output, rows):
    found = told(output)
    assert len(found) > 300
    for facts, words in found:
        row = rows[tuple(html.unescape(facts[name]) for name in PLACE)]
        assert facts.get("valeur") == (None if row["valeur"] is None else repr(row["valeur"]))
        assert facts.get("base") == (None if row["base"] is None else repr(row["base"]))
        assert facts["statut"] == row["statut"]
        digits = 1 if row["unite"] == "note" else 0
        shown = (
            row["statut"]
            if row["valeur"] is None
            else f"{row['valeur']:.{digits}f}".replace(".", ",").replace("-", "−")
        )
        assert shown in words.replace("\u202f", "").replace("&#39;", "'"), (facts, words)


def test_every_figure_of_everybody_is_on_a_page(output, rows):
    shown = {tuple(html.unescape(facts[name]) for name in PLACE) for facts, _ in told(output)}
    expected = {place for place, row in rows.items() if row["coupe"] == "ensemble" and row["mesure"] == "reponse"}
    expected |= {place for place, row in rows.items() if row["coupe"] == "ensemble" and row["mesure"] == "indicateur"}
    assert expected <= shown


def test_a_change_is_told_only_where_it_is_established(output, rows):
    for facts, words in told(output):
        row = rows[tuple(html.unescape(facts[name]) for name in PLACE)]
        if "depuis" not in words:
            continue
        rises = row["vague_significatif"] and row["ecart_vague"] > 0
        falls = row["vague_significatif"] and row["ecart_vague"] < 0
        assert ("hausse établie" in words) == bool(rises)
        assert ("baisse établie" in words) == bool(falls)
        assert ("pas de changement établi" in words) == (row["vague_significatif"] is False)


def test_a_break_is_a_gap_with_its_reason(output):
    page = (output / "site" / "barometres" / "confiance" / "simplicite.html").read_text(encoding="utf-8")
    assert page.count(">rupture<") == 4  # two figures, each broken by the institute and by the words
    assert "institut : l'institut change" in html.unescape(page).replace("\u00a0", " ")
    assert page.count("<blockquote>") == 2  # the words of both
    assert "mots de la question changés" in page


def test_the_wording_stands_with_every_question(output):
    asked = output / "releases" / DATASET / "1.0.0" / "questions.csv"
    for row in csv.DictReader(asked.open(encoding="utf-8")):
        page = output / "site" / "barometres" / row["barometre"] / f"{row['question']}.html"
        assert row["libelle"] in html.unescape(page.read_text(encoding="utf-8"))


def test_the_yearly_results_know_nothing_of_barometers(output):
    release = output / "releases" / "resultats-services-publics" / "1.0.0"
    for table in ("reseaux", "receptions", "couverture", "resultats-annuels", "resultats-infra-annuels"):
        names = {row["reseau"] for row in csv.DictReader((release / f"{table}.csv").open(encoding="utf-8"))}
        assert names.isdisjoint({"confiance", "services-publics"})


def test_nothing_is_released_before_a_wave_has_come(real_run):
    output, told = real_run
    assert not (output / "releases" / DATASET).exists()
    assert f"{DATASET} : aucune version" in told
    assert not (output / "site" / "barometres.html").exists()


def test_a_wave_with_a_wrong_answer_has_its_letter(output):
    letter = (output / "work" / "networks" / "confiance" / "2021" / "v2021-lettre.txt").read_text(encoding="utf-8")
    assert "confiance" in letter
    words = " ".join(letter.split())
    assert "« 5 »" in words
    assert "calculé sur 2 023 lignes acceptées" in words
    waves = output / "releases" / DATASET / "1.0.0" / "vagues.csv"
    found = {row["vague"]: row for row in csv.DictReader(waves.open(encoding="utf-8"))}
    assert (found["v2021"]["lignes_refusees"], found["v2021"]["effectif"]) == ("1", "2023")
