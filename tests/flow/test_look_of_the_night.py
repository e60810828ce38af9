"""The look of the night: it asks for a network-year when, and only when, running it could change what it gives."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from fixtures.dagster_service import write_export
from fixtures.small_networks import Small, small
from hypothesis import given, settings
from hypothesis import strategies as st

import pipelines.flow.fingerprints


@pytest.fixture
def done(tmp_path) -> Small:
    project = small(tmp_path)
    for year in (2023, 2024):
        project.process("alpha", year)
    assert project.seen() == {}
    return project


def test_what_was_never_run_is_asked_for(tmp_path):
    project = small(tmp_path, ("alpha", "beta"))
    found = project.look()
    assert (found.networks, found.network_years) == (2, 4)
    assert project.seen() == {(name, year): "jamais traité" for name in ("alpha", "beta") for year in (2023, 2024)}
    project.process("alpha", 2024)
    assert ("alpha", 2024) not in project.seen()


def test_a_file_whose_date_alone_changed_is_read_once_and_asks_for_nothing(done, monkeypatch):
    path = done.exports / "alpha" / "guichet-2024.csv"
    os.utime(path, ns=(1, 1))
    assert done.seen() == {}
    monkeypatch.setattr("pipelines.read.sources.ExportsRoot.chunks", lambda *_: pytest.fail("lu deux fois"))
    assert done.seen() == {}


def test_a_changed_file_of_the_same_size_and_a_late_file_are_seen(done):
    path = done.exports / "alpha" / "guichet-2023.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("01/01/2023;P0", "02/01/2023;P0", 1), encoding="utf-8")
    assert done.seen() == {("alpha", 2023): "fichier modifié : alpha/guichet-2023.csv"}
    path.write_text(text, encoding="utf-8")
    assert done.seen() == {}  # put back as it was
    path.unlink()
    assert done.seen() == {("alpha", 2023): "fichier retiré : alpha/guichet-2023.csv"}
    done.process("alpha", 2023)
    assert done.seen() == {}  # an absence that was told is no news
    write_export(done.exports, "alpha", 2023)
    assert done.seen() == {("alpha", 2023): "fichier nouveau : alpha/guichet-2023.csv"}


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        ("reception.json", "jamais traité"),
        ("report.json", "le contrôle précédent n'a pas abouti"),
        ("results.json", "le calcul précédent n'a pas abouti"),
    ],
)
def test_what_was_cut_short_is_asked_for_again(done, lost, why):
    (done.store.network_year("alpha", 2024) / lost).unlink()
    assert done.seen() == {("alpha", 2024): why}
    done.process("alpha", 2024)
    assert done.seen() == {}


def test_a_reception_that_failed_is_asked_for_again(done, monkeypatch):
    monkeypatch.setattr("pipelines.read.archive.Archive.receive", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        done.receive("alpha", 2024)
    monkeypatch.undo()
    assert done.seen() == {("alpha", 2024): "la réception précédente n'a pas abouti"}


def test_a_refused_file_is_not_judged_again_every_night(done):
    (done.exports / "alpha" / "guichet-2024.csv").write_bytes(b"rien de tel\n")
    done.process("alpha", 2024)
    assert done.seen() == {}


def test_declarations_and_code_that_change_are_seen(done, monkeypatch):
    done.declare("alpha", "max_refused_share: 0.1", "max_refused_share: 0.2")
    changed = dict.fromkeys([("alpha", 2023), ("alpha", 2024)], "déclarations ou programme changés")
    assert done.seen() == changed
    done.declare("alpha", "max_refused_share: 0.2", "max_refused_share: 0.1")
    assert done.seen() == {}
    monkeypatch.setattr(pipelines.flow.fingerprints, "code_of", lambda _: "autre")
    assert done.seen() == changed


def test_provenance_that_changes_is_seen(done):
    (done.exports / "provenance.yml").write_text("synthetic: true\n", encoding="utf-8")
    assert set(done.seen().values()) == {"la déclaration de provenance a changé"}


def test_a_closed_year_is_left_alone_and_its_changes_told(done):
    done.declare("alpha", "acceptance:", "closed_until: 2023\nacceptance:")
    assert done.seen() == {}  # closing a year changes no result
    write_export(done.exports, "alpha", 2023, unhappy=3)
    found = done.look()
    assert found.cells == []
    assert [(cell.year, cell.why) for cell in found.ignored] == [(2023, "fichier modifié : alpha/guichet-2023.csv")]
    done.declare("alpha", "max_refused_share: 0.1", "max_refused_share: 0.2")
    assert done.seen()["alpha", 2023].startswith("année close dont les déclarations ont changé")


CONTENTS = st.sampled_from([3, 4, 5, None])


@settings(max_examples=8)
@given(moves=st.lists(st.tuples(st.sampled_from([2023, 2024]), CONTENTS, st.booleans()), max_size=5))
def test_the_look_asks_exactly_for_what_differs_from_what_was_received(moves):
    """Whatever was written, removed or run before: a year is asked for when its content isn't the one received."""
    with tempfile.TemporaryDirectory() as folder:
        project = small(Path(folder))
        there: dict[int, int | None] = {2023: 4, 2024: 4}
        received: dict[int, int | None] = {}
        for year, content, run in moves:
            if content is None:
                (project.exports / "alpha" / f"guichet-{year}.csv").unlink(missing_ok=True)
            else:
                write_export(project.exports, "alpha", year, unhappy=content)
            there[year] = content
            if run:
                project.process("alpha", year)
                received[year] = content
            expected = {("alpha", item) for item in there if item not in received or received[item] != there[item]}
            assert set(project.seen()) == expected
