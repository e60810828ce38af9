"""Letters: whatever the findings, an accessible page and a plain text, without any personal value."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.mechanics.french import counted, rows_text
from pipelines.validate import Finding, Verdict, write_letter
from pipelines.validate.grouped_findings import grouped
from pipelines.validate.messages import rules

VOID = {"meta", "br", "hr", "link"}


class Page(HTMLParser):
    """What an accessibility check looks at; fails on tags that don't match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.seen if name == tag]


def accessible(html: str) -> Page:
    page = Page(html)
    assert page.all("html") == [{"lang": "fr"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("header")) == len(page.all("footer")) == 1
    assert len(page.all("title")) == 1
    levels = [int(name[1]) for name, _ in page.seen if re.fullmatch("h[1-6]", name)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in attributes for attributes in page.all("th"))
    assert page.all("script") == []
    assert not [name for _, attributes in page.seen for name in attributes if name.startswith("on")]
    identifiers = [attributes["id"] for _, attributes in page.seen if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert {attributes["aria-labelledby"] for _, attributes in page.seen if "aria-labelledby" in attributes} <= set(
        identifiers
    )
    return page


def test_all_that_a_producer_needs(lab):
    bad = "".join(f"{row};31/02/2024;30;4;;\n" for row in range(1, 3001))
    good = "".join(f"A{row};01/02/2024;30;4;;\n" for row in range(1000))
    verdict = lab.judged(lab.header + bad + good + "B1;01/02/2024;30;9;;\nB2;01/02/2024;99;4;;\n")
    letter = write_letter(lab.catalogue, "labo", 2024, verdict, copy="guichet-lignes-refusees.xlsx")
    page = accessible(letter.html)
    for text in (page.text, letter.text):
        flat = " ".join(text.split())
        assert "labo" in flat and "guichet" in flat and "2024" in flat
        assert "guichet-2024.csv" in flat and "0" * 64 in flat
        assert "3 000 fois : lignes 2, 3, 4 et 2 997 autres" in flat
        assert "31/02/2024" in flat
        assert "JJ/MM/AAAA" in flat and "01/03/2024" in flat
        assert "au plus 5" in flat and "« 4 »" in flat.replace("\u00a0", " ")
        assert "Corrigez le code" in flat
        assert "resultats validate guichet-2024.csv --network labo --export guichet --year 2024" in flat
        assert "guichet-lignes-refusees.xlsx" in flat
        assert "Aucun indicateur ne dépend de cet export" in flat
    assert letter.html.count("31/02/2024") == 1
    assert "Labo <b>" in page.text
    assert "<au>" not in letter.html
    assert len(letter.text.splitlines()) < 90
    assert max(len(line) for line in letter.text.splitlines()) <= 86


@pytest.mark.parametrize(
    ("state", "told"),
    [("rejeté", "absent, avec le motif « rejeté »"), ("non transmis", "absent, avec le motif « non transmis »")],
)
def test_what_is_published_meanwhile(catalogue, state, told):
    verdict = Verdict("telephone", state, "rejete", "Parce que.")
    letter = write_letter(catalogue, "caf", 2024, verdict)
    assert "Taux de décroché" in letter.html
    assert told in accessible(letter.html).text
    accepted = Verdict("telephone", "accepté", None, "", accepted=1200, refused=2)
    assert "calculé sur 1\u202f200 lignes acceptées" in write_letter(catalogue, "caf", 2024, accepted).text


@pytest.mark.parametrize(
    ("export", "state", "waits"),
    [("enquete", "accepté", True), ("enquete", "rejeté", False), ("telephone", "accepté", False)],
)
def test_a_survey_is_told_that_few_answers_wait(catalogue, export, state, waits):
    letter = write_letter(catalogue, "caf", 2024, Verdict(export, state, None, "", accepted=1200, refused=2))
    for text in (accessible(letter.html).text, letter.text):
        assert ("moins que le seuil du secret statistique" in " ".join(text.split())) == waits


@pytest.mark.parametrize(
    ("column", "free"), [("Remarque", False), ("Note", True), ("departement", False), ("Jour", False), ("N°", False)]
)
def test_a_cell_is_said_free_only_where_it_is(lab, column, free):
    verdict = Verdict("guichet", "accepté", None, "", 3, 2)
    rule = "type-error" if column != "Remarque" else "constraint-error"
    verdict.findings = [("f.csv", "", Finding(rule, "Non.", row=2, column=column, value="x"))]
    (problem,) = grouped(verdict, lab.export, lab.layout, 2024)
    assert ("vide" in problem.mend) == free


def test_letters_hold_nothing_that_only_the_data_team_can_do(lab):
    verdict = lab.judged(lab.header.replace("Note", "Notes") + "1;01/02/2024;30;4;;\n")
    letter = write_letter(lab.catalogue, "labo", 2024, verdict)
    assert "layout" in verdict.explanation
    assert "layout" not in letter.html + letter.text
    assert "Une colonne « Notes » y ressemble." in accessible(letter.html).text


def test_a_list_keeps_its_own_numbers_and_nothing_takes_focus_for_nothing(lab):
    letter = write_letter(lab.catalogue, "labo", 2024, lab.judged(lab.header + "1;x;99;9;;\n"))
    page = accessible(letter.html)
    assert len(page.all("h3")) == 3
    assert "list-style" not in letter.html
    assert not re.search(r"<h3>\s*\d", letter.html)
    assert [attributes for name, attributes in page.seen if "tabindex" in attributes and name != "main"] == []


def test_advice_about_a_file_that_is_no_table_does_not_contradict_itself(lab):
    verdict = Verdict("guichet", "rejeté", "rejete", "Fichier inutilisable. Page web.")
    verdict.findings = [("f.csv", "", Finding("fichier-illisible", "Page web. Exportez de nouveau le fichier."))]
    letter = write_letter(lab.catalogue, "labo", 2024, verdict)
    for text in (accessible(letter.html).text, letter.text):
        assert "Refaites le fichier" in text
        assert "Corrigez le fichier d'origine" not in text and "nregistrez-le de nouveau" not in text


@pytest.mark.parametrize(
    ("rows", "told"),
    [([], ""), ([12], "ligne 12"), ([12, 45], "lignes 12 et 45"), ([12, 45, 98], "lignes 12, 45 et 98"),
     ([1, 2, 3, 4], "lignes 1, 2, 3 et 1 autre"), (list(range(1, 3001)), "lignes 1, 2, 3 et 2\u202f997 autres")],
)  # fmt: skip
def test_rows_are_told_in_words(rows, told):
    assert rows_text(rows, len(rows)) == told


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 ligne refusée"), (1, "1 ligne refusée"), (1200, "1\u202f200 lignes refusées")]
)
def test_counts_agree_with_their_words(number, told):
    assert counted(number, "ligne refusée") == told


def findings(labels: list[str]) -> st.SearchStrategy[Finding]:
    return st.builds(
        Finding,
        st.sampled_from(sorted(rules())) | st.text(max_size=10),
        st.text(max_size=60),
        st.sampled_from(["erreur", "avertissement"]),
        st.none() | st.integers(1, 10**9),
        st.sampled_from(labels) | st.text(max_size=20),
        st.text(max_size=80) | st.text("<>&\"'{}%;\x00\n\r\u202e=@+-"),
        st.none() | st.just(2024),
    )


@settings(max_examples=60)
@given(st.data())
def test_any_findings_give_a_letter(lab, data):
    labels = ["N°", "Jour", "departement", "Note", "Avis", "Remarque", ""]
    found = data.draw(st.lists(findings(labels), max_size=12))
    state = data.draw(st.sampled_from(["accepté", "rejeté", "non transmis"]))
    verdict = Verdict("guichet", state, None, data.draw(st.text(max_size=50)), 3, 2)
    verdict.files = [{"fichier": data.draw(st.text(min_size=1, max_size=30)), "sha256": "0" * 64, "lignes": 5}]
    verdict.findings = [("f.csv", "0" * 64, item) for item in found]
    letter = write_letter(lab.catalogue, "labo", 2024, verdict)
    accessible(letter.html)
    assert (letter.html, letter.text) == tuple(vars(write_letter(lab.catalogue, "labo", 2024, verdict)).values())
    letter.text.encode("utf-8")
    assert "\u202e" not in letter.html + letter.text


@settings(max_examples=60)
@given(st.data())
def test_no_value_of_a_personal_column_is_ever_shown(lab, data):
    marker = "MARQUEUR" + data.draw(st.text(max_size=10))
    rule = data.draw(st.sampled_from(sorted(rules())))
    verdict = Verdict("guichet", "accepté", None, "", 3, 2)
    others = data.draw(st.lists(findings(["Note", "Remarque"]), max_size=4))
    if rule != "correction-perimee":  # its value is a place in the declarations
        others.append(
            Finding(
                rule,
                "Message.",
                row=4,
                column=data.draw(st.sampled_from(["Avis", "  Avis "])),
                value=marker,
                cause=f"écrivez « {marker} »",
            )
        )
    verdict.findings = [("f.csv", "", item) for item in others]
    letter = write_letter(lab.catalogue, "labo", 2024, verdict)
    problems = repr([problem.descriptor() for problem in grouped(verdict, lab.export, lab.layout, 2024)])
    assert "MARQUEUR" not in letter.html + letter.text + problems
