"""A release is read as it says: every yearly row, every state, nothing told that it doesn't tell."""

from __future__ import annotations

import csv
import datetime
import json
from pathlib import Path

import pytest
from fixtures.made_release import department, indicator, made_release, network, row, site

from pipelines.portal.figures import Change, Series, State
from pipelines.portal.open_release import UnreadableReleaseError
from pipelines.portal.release_data import Reading


def only(release: Path) -> Series:
    with Reading(release) as reading:
        ((_, (series,)),) = reading.place_series()
        return series


def test_a_figure_is_its_row(tmp_path):
    kept = row(2024, 80.5, borne_basse=78.0, borne_haute=83.0, effectif=812, nature_donnees="synthétiques")
    (figure,) = only(made_release(tmp_path, [kept])).figures
    assert (figure.year, figure.value, figure.low, figure.high, figure.base) == (2024, 80.5, 78.0, 83.0, 812)
    assert (figure.state, figure.synthetic, figure.has_row) == (State.PUBLISHED, True, True)


@pytest.mark.parametrize("reason", [state for state in State if state not in (State.PUBLISHED, State.PROVISIONAL)])
def test_every_absence_has_its_words(tmp_path, reason):
    (figure,) = only(made_release(tmp_path, [row(2024, None, motif_absence=reason.value)])).figures
    assert (figure.value, figure.state) == (None, reason)


def test_an_absence_without_words_is_an_error_in_french(tmp_path):
    with pytest.raises(UnreadableReleaseError, match="« égaré »"):
        only(made_release(tmp_path, [row(2024, None, motif_absence="égaré")]))


def test_a_provisional_value_says_so(tmp_path):
    (figure,) = only(made_release(tmp_path, [row(2024, 80.0, statut_observation="P")])).figures
    assert figure.state is State.PROVISIONAL


@pytest.mark.parametrize(
    ("told", "change"),
    [
        ({"comparable": True, "evolution": 2.0, "evolution_significative": True}, Change.UP),
        ({"comparable": True, "evolution": -2.0, "evolution_significative": True}, Change.DOWN),
        ({"comparable": True, "evolution": 2.0, "evolution_significative": False}, Change.NONE),
        ({"comparable": True, "evolution": 2.0}, Change.NONE),
        ({"comparable": False, "motif_incomparabilite": "autre question"}, None),
        ({}, None),
    ],
)
def test_a_change_is_told_only_where_it_is_comparable_and_established(tmp_path, told, change):
    _, figure = only(made_release(tmp_path, [row(2023, 78.0), row(2024, 80.0, **told)])).figures
    assert figure.change is change
    assert (figure.is_break, figure.break_reason) == (
        told.get("comparable") is False,
        told.get("motif_incomparabilite"),
    )


def test_a_year_without_a_row_is_there_with_the_state_of_the_network(tmp_path):
    due = {"reseau": "caf", "indicateur": "taux-decroche", "exports": "telephone", "valeurs_publiees": 0}
    coverage = [
        due | {"annee": 2022, "etat": "publié", "valeurs_absentes": 0},
        due | {"annee": 2023, "etat": "absent", "motif_absence": "rejeté", "valeurs_absentes": 1},
        due | {"annee": 2024, "etat": "publié", "valeurs_absentes": 0},
        due | {"annee": 2025, "etat": "absent", "motif_absence": "non transmis", "valeurs_absentes": 1},
    ]
    release = made_release(tmp_path, [site("A", 2021, 1.0), site("A", 2024, 2.0)], couverture=coverage)
    found = [(figure.year, figure.state, figure.has_row) for figure in only(release).figures]
    assert found == [
        (2021, State.PUBLISHED, True),
        (2022, State.NO_ROW, False),
        (2023, State.REFUSED, False),
        (2024, State.PUBLISHED, True),
        (2025, State.NOT_SENT, False),
    ]


def test_an_office_without_territory_and_a_territory_that_holds_another(tmp_path):
    lost = site("A", 2024, 1.0, territoire_code=None, territoire=None)
    where = {"maille": "departement", "territoire_code": "30", "territoire": "Gard", "nature": "département"}
    where |= {"region_code": "76", "millesime": datetime.date(2026, 1, 1), "source": "x"}
    with Reading(made_release(tmp_path, [lost, department("30", 2024, 2.0)], territoires=[where])) as reading:
        places = {place.level: place for place in reading.places()}
    assert (places["site"].name, places["site"].territory) == ("Guichet A", "")
    assert places["departement"].territory == "76"


def test_a_value_that_the_release_corrects_is_revised(tmp_path):
    release = made_release(tmp_path, [row(2023, 78.0), row(2024, 80.0)])
    key = {"reseau": "caf", "indicateur": "taux-decroche", "periode": "2023", "maille": "national"}
    key |= {"territoire_code": "FR", "structure_code": ""}
    with (release / "journal.csv").open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(["table", "cle", "colonne", "avant", "apres", "nature", "motif"])
        lines.writerow(["resultats", json.dumps(key), "valeur", "77.0", "78.0", "révision", "correction"])
    assert [figure.revised for figure in only(release).figures] == [True, False]


@pytest.mark.parametrize("table", ["resultats", "indicateurs", "reseaux"])
def test_a_folder_without_a_table_that_pages_need_is_refused(tmp_path, table):
    release = made_release(tmp_path, [row(2024, 1.0)])
    (release / f"{table}.parquet").unlink()
    with pytest.raises(UnreadableReleaseError, match=rf"{table}\.parquet"):
        Reading(release)


def test_without_its_descriptor_a_folder_is_no_release(tmp_path):
    release = made_release(tmp_path, [row(2024, 1.0)])
    (release / "datapackage.json").unlink()
    with pytest.raises(UnreadableReleaseError, match=r"datapackage\.json"):
        Reading(release)


def test_networks_and_levels_are_read_one_at_a_time(tmp_path):
    rows = [row(2024, 1.0), site("A", 2024, 2.0), site("A", 2024, 3.0, reseau="dgfip")]
    with Reading(made_release(tmp_path, rows, reseaux=[network(), network("dgfip")])) as reading:
        assert [place.network for place in reading.places("dgfip")] == ["dgfip"]
        assert [place.level for place, _ in reading.place_series("caf")] == ["national", "site"]
        (series,) = reading.series_of("dgfip", "site", "A")
        assert series.latest.value == 3.0
        ((place, figure),) = reading.observed("caf", "site")["taux-decroche"]
        assert (place.code, figure.year, figure.value) == ("A", 2024, 2.0)


def test_digests_change_with_rows_and_not_with_the_version_that_published_them(tmp_path):
    def digest(name: str, *rows: dict[str, object]) -> dict[str, str]:
        with Reading(made_release(tmp_path / name, list(rows), indicateurs=[indicator()])) as reading:
            return reading.digests("resultats", "reseau")

    one, two = row(2023, 1.0), row(2024, 2.0)
    assert digest("a", one, two) == digest("b", two, one | {"version_publication": "0.9.0"})
    assert digest("a2", one, two) != digest("c", one, two | {"valeur": 2.5})
