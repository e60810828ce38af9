"""Exports that are right row by row and unlikely as a whole: told to the data team, blocking where it is declared."""

from __future__ import annotations

import datetime

import pytest
from fixtures.dagster_service import write_export
from fixtures.small_networks import Small, small

from pipelines.declarations.network import Acceptance
from pipelines.report.network_lines import network_lines
from pipelines.report.status import status
from pipelines.validate import Seen, doubts_of

FREE = Acceptance(max_refused_share=0.05, why="essai")


@pytest.fixture
def project(tmp_path) -> Small:
    return small(tmp_path, ("alpha", "beta"), range(2023, 2025))


def report(project: Small, network: str, year: int):
    return project.store.read(network, year).verdict


def told(project: Small, network: str, year: int) -> str:
    return "\n".join(network_lines(project.store, [project.store.read(network, year)])[0])


def test_a_content_that_is_anothers_is_told_everywhere(project):
    copy = (project.exports / "alpha" / "guichet-2024.csv").read_bytes()
    (project.exports / "beta" / "guichet-2024.csv").write_bytes(copy)
    for network in ("alpha", "beta"):
        project.process(network, 2024)
    assert report(project, "alpha", 2024).doubts == ()  # the first of them had no other
    (found,) = report(project, "beta", 2024).doubts
    sentence = "« beta/guichet-2024.csv » a exactement le contenu de « alpha/guichet-2024.csv »"
    assert (found.kind, found.blocks) == ("contenu-deja-recu", False)
    assert sentence in found.message
    assert sentence in told(project, "beta", 2024)
    assert report(project, "beta", 2024).exports["guichet"].status == "accepté"
    asked = status(project.catalogue, project.output, datetime.date(2025, 1, 1))["a_verifier"]
    assert [(item["reseau"], item["annee"]) for item in asked] == [("beta", 2024)]
    project.process("alpha", 2024)
    assert "beta/guichet-2024.csv" in told(project, "alpha", 2024)
    write_export(project.exports, "beta", 2024, unhappy=3)  # the right file came: nothing is said of it any more
    for network in ("beta", "alpha"):
        project.process(network, 2024)
        assert report(project, network, 2024).doubts == ()


def test_last_years_rows_saved_or_dated_anew_are_told(project):
    project.declare("alpha", "kind: survey", "kind: operations")
    before = (project.exports / "alpha" / "guichet-2023.csv").read_text(encoding="utf-8")
    (project.exports / "alpha" / "guichet-2024.csv").write_text(before.replace("/2023;", "/2024;"), encoding="utf-8")
    for year in (2023, 2024):
        project.process("alpha", year)
    sentence = "« alpha/guichet-2024.csv » a les mêmes lignes que « alpha/guichet-2023.csv » (2023)"
    assert sentence in told(project, "alpha", 2024)
    write_export(project.exports, "alpha", 2024, unhappy=3)
    project.process("alpha", 2024)
    assert report(project, "alpha", 2024).doubts == ()


def test_what_is_declared_blocking_is_refused(project):
    (project.exports / "beta" / "guichet-2024.csv").write_bytes(
        (project.exports / "alpha" / "guichet-2024.csv").read_bytes()
    )
    project.declare("beta", "acceptance: {", "acceptance: {blocking: [contenu-deja-recu, chute-de-lignes], ")
    project.process("alpha", 2024)
    project.process("beta", 2024)
    receipt = report(project, "beta", 2024).exports["guichet"]
    assert receipt.status == "rejeté"
    assert "a exactement le contenu de" in receipt.explanation
    project.process("beta", 2023)
    write_export(project.exports, "beta", 2024, offices=1)
    project.process("beta", 2024)
    assert "40 lignes en 2024, contre 120" in report(project, "beta", 2024).exports["guichet"].explanation


def test_a_sharp_fall_is_told_but_in_a_year_that_is_not_over(project):
    project.process("alpha", 2023)
    write_export(project.exports, "alpha", 2024, offices=1)
    project.process("alpha", 2024)
    assert "À VÉRIFIER, guichet : 40 lignes en 2024, contre 120 l'année précédente (-67 %)" in told(
        project, "alpha", 2024
    )
    project.declare("alpha", "acceptance:", "provisional_years: [2024]\nacceptance:")
    project.process("alpha", 2024)
    assert report(project, "alpha", 2024).doubts == ()


@pytest.mark.parametrize(("rows", "before", "is_told"), [
    (65_535, None, True), (65_536, None, True), (1_048_575, 10, True), (1000, 5000, True), (999, 5000, True),
    (10_000, 90_000, True), (10_000, 10_100, False), (1000, None, False), (1001, 5000, False), (10_000, 9_000, False),
])  # fmt: skip
def test_round_numbers_of_rows(rows, before, is_told):
    found = doubts_of(
        Seen(2024, {"a.csv": rows}, rows, before, {}), Acceptance(max_refused_share=0, why="x", max_fall=1)
    )
    assert [item.kind for item in found] == ["lignes-rondes"] * is_told


@pytest.mark.parametrize(("rows", "before", "limit", "is_told"), [
    (49, 100, 0.5, True), (50, 100, 0.5, False), (9, 19, 0.5, False), (79, 100, 0.2, True), (0, 100, 1, False),
    (500, 100, 0.5, False), (10, None, 0.5, False),
])  # fmt: skip
def test_falls(rows, before, limit, is_told):
    acceptance = FREE.model_copy(update={"max_fall": limit})
    found = doubts_of(Seen(2024, {"a.csv": 7}, rows, before, {}), acceptance)
    assert [item.kind for item in found] == ["chute-de-lignes"] * is_told
