"""A value traced to its lines, by hand: lines, corrections, absences; what was altered since is noticed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fixtures.explained_run import YEAR, House, export, judged, levels

from pipelines.cli import main
from pipelines.explain import NotFoundError, explanation, find_row

HEADER = "jour;lieu;bureau;reference;note;appels"
FIELDS = {
    "reference": {"constraints": {"required": True}, "personal": True},
    "note": {"type": "integer", "constraints": {"minimum": 0, "maximum": 10}},
    "appels": "integer",
}  # fmt: skip
# Line 1 is the header. Gard: 2-4, 5 refused (note 12), 6 blank, 7 corrected (1 → 10), 8 in another office.
GARD = [
    "03/01/2024;30;B1;R2;10;5", "09/01/2024;30;B1;R3;9;5", "11/02/2024;30;B1;R4;6;5", "12/02/2024;30;B1;R5;12;5",
    "12/04/2024;30;B1;R6;;5", "15/05/2024;30;B1;R7;1;5", "15/07/2024;30;B2;R8;8;5",
]  # fmt: skip
AIN = [f"15/11/2024;1;B3;A{line};{line % 11};5" for line in range(9, 21)]


def declare(house: House, *gard: str) -> None:
    layouts = [{"years": YEAR, "path": "avis-{year}.csv", "delimiter": ";"}]
    house.network("caisse", export("avis", FIELDS, kind="operations", layouts=layouts, key=["reference"]))
    house.hand_over("avis-2024.csv", HEADER, *gard, *AIN)
    feed = {"export": "avis", "inputs": {"rating": "note"}}
    house.indicator("nps", estimator={"name": "nps"}, year="pooled", levels=levels("pooled"), networks={"caisse": feed})
    house.indicator(
        "appels", estimator={"name": "sum"}, year="sum", levels=levels("sum"),
        networks={"caisse": {"export": "avis", "inputs": {"value": "appels"}}},
    )  # fmt: skip
    house.corrections("caisse", {
        "export": "avis", "year": YEAR, "where": {"reference": "R7"}, "field": "note", "expected": "1", "value": "10",
        "reason": "zéro oublié à la saisie", "date": "2025-02-03",
    })  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("hand"))
    declare(house, *GARD)
    house.network("absente", export("avis", FIELDS, layouts=[{"years": YEAR, "path": "absente-{year}.csv"}]))
    place = house.schemas / "indicators" / "nps.yml"
    place.write_text(place.read_text() + "  absente:\n    export: avis\n    inputs: {rating: note}\n")
    house.run()
    return house


@pytest.fixture
def house(made: House, tmp_path: Path) -> House:
    """A copy of the run that a test may alter."""
    copy = object.__new__(House)
    shutil.copytree(made.output.parent, tmp_path / "copy")
    copy.schemas, copy.exports, copy.output = (tmp_path / "copy" / name for name in ("schemas", "exports", "output"))
    copy.store = type(made.store)(copy.output)
    return copy


def explain(house: House, indicator: str = "nps", network: str = "caisse", **choice: Any) -> dict[str, Any]:
    explainer = house.explainer()
    row = find_row(explainer.release.results, indicator, network, YEAR, **choice)
    return explanation(explainer, row, house.schemas)


def test_a_value_is_traced_to_its_lines(made):
    told = explain(made, territory="30")
    assert told["resultat"]["valeur"] == 40  # 10, 9 and 10 against 6, over five notes
    assert told["resultat"]["effectif"] == 5
    (source,) = told["sources"]
    (file,) = source["fichiers"]
    assert file["fichier"] == "avis-2024.csv"
    assert file["sha256"] == made.archived("caisse", "avis").name
    assert file["lignes"] == {"nombre": 5, "premiere": 2, "derniere": 8, "numeros": [2, 3, 4, 7, 8]}
    assert source["explication"] == "1 ligne refusée sur 19 (5,26 %)."
    assert told["estimateur"]["nom"] == "nps"
    assert told["estimateur"]["entrees"] == [{"entree": "rating", "colonne": "note", "en_tetes": ["note"]}]
    assert told["recalcul"]["valeurs"] == {"valeur": 40, "effectif": 5, "numerateur": 2, "denominateur": 5}
    assert told["recalcul"]["accord"] is True
    assert told["publication"]["version"] == "1.0.0"
    assert told["publication"]["intacte"] is True


def test_the_rows_in_no_base_are_told_with_their_reason(made):
    told = explain(made, territory="30")
    blank = {"raison": "sans_reponse", "libelle": "sans réponse ou sans valeur", "nombre": 1}
    assert told["hors_de_la_base"] == [blank]
    assert explain(made, territory="30", period="2024-T1")["hors_de_la_base"] == []
    assert explain(made)["hors_de_la_base"] == [blank]


def test_other_reasons_than_those_counted_by_the_control_are_noticed(house):
    place = house.store.network_year("caisse", YEAR) / "report.json"
    report = json.loads(place.read_text(encoding="utf-8"))
    account = next(item for item in report["exports"]["avis"]["accounts"] if item["indicator"] == "nps")
    account["outside"] = {"reponse_exclue": 1}
    place.write_text(json.dumps(report), encoding="utf-8")
    check = explain(house)["recalcul"]
    assert check["accord"] is False
    assert "les lignes hors de la base ne sont plus celles du contrôle" in check["desaccords"][0]


def test_lines_of_a_quarter_and_of_an_office(made):
    (file,) = explain(made, territory="Gard", period="2024-T1")["sources"][0]["fichiers"]
    assert file["lignes"]["numeros"] == [2, 3, 4]
    (file,) = explain(made, structure="B2")["sources"][0]["fichiers"]
    assert file["lignes"]["numeros"] == [8]
    (file,) = explain(made)["sources"][0]["fichiers"]
    assert file["lignes"]["nombre"] == 17
    assert file["lignes"]["derniere"] == 20


def test_a_correction_is_told_where_its_line_counts_and_nowhere_else(made):
    (told,) = explain(made, territory="30")["corrections"]
    assert told["declaration"] == "corrections/caisse.yml:2"
    assert (told["colonne"], told["valeur_attendue"], told["valeur_corrigee"]) == ("note", "1", "10")
    assert told["lignes"] == [{"fichier": "avis-2024.csv", "numeros": [7]}]
    assert explain(made, territory="01")["corrections"] == []
    assert explain(made, territory="30", period="2024-T1")["corrections"] == []


def test_declarations_are_told_with_their_line_and_hash(made):
    told = {item["objet"]: item for item in explain(made, territory="30")["declarations"]}
    for name, file, text in (
        ("indicateur", "indicators/nps.yml", "  caisse:"), ("export avis", "networks/caisse.yml", "- id: avis"),
        ("correction", "corrections/caisse.yml", "- export: avis"),
    ):  # fmt: skip
        assert told[name]["fichier"] == file
        lines = (made.schemas / file).read_text(encoding="utf-8").splitlines()
        assert lines[told[name]["ligne"] - 1] == text
        assert len(told[name]["sha256"]) == 64


def test_an_incomplete_sum_says_what_it_lacks(made):
    told = explain(made, "appels", territory="30")
    assert told["resultat"]["valeur"] is None
    assert told["absence"]["motif"] == "données incomplètes"
    assert told["absence"]["details"] == ["Manque 30 B1 : 2024-T3, 2024-T4", "Manque 30 B2 : 2024-T1, 2024-T2, 2024-T4"]
    assert told["recalcul"]["accord"] is True


def test_a_file_never_handed_over_is_told(made):
    told = explain(made, network="absente")
    assert told["absence"]["motif"] == "non transmis"
    assert told["absence"]["details"] == ["Export « avis » : non transmis. Aucun fichier n'a été reçu."]
    assert told["sources"][0]["fichiers"] == []
    assert told["recalcul"]["accord"] is True


def test_an_office_that_answers_nothing_is_told(tmp_path):
    house = House(tmp_path)
    declare(house, *GARD, "15/11/2024;75;B4;X;;7")
    house.run()
    told = explain(house, structure="B4")
    assert told["absence"]["motif"] == "non renseigné"
    assert told["absence"]["details"] == ["Aucune ligne acceptée n'entre dans la base."]
    assert told["recalcul"]["accord"] is True


def test_the_lines_of_several_files_are_told_file_by_file(tmp_path):
    house = House(tmp_path)
    layouts = [{"years": YEAR, "path": "avis-{year}-*.csv", "delimiter": ";"}]
    house.network("caisse", export("avis", FIELDS, kind="operations", layouts=layouts))
    house.hand_over("avis-2024-a.csv", HEADER, *GARD[:4])  # the fourth is refused: note 12
    house.hand_over("avis-2024-b.csv", HEADER, "03/01/2024;75;B7;S1;0;5", GARD[3], *AIN, GARD[6])
    house.hand_over("avis-2024-c.csv", HEADER, *(f"03/01/2024;30;B1;T{rank};9;5" for rank in range(3)))
    feed = {"export": "avis", "inputs": {"rating": "note"}}
    house.indicator("nps", estimator={"name": "nps"}, year="pooled", levels=levels("pooled"), networks={"caisse": feed})
    explainer = house.run()
    assert judged(explainer, explainer.release.results)["accord"].eq(True).all()
    files = explain(house, territory="30")["sources"][0]["fichiers"]
    assert {file["fichier"]: file["lignes"]["numeros"] for file in files} == {
        "avis-2024-a.csv": [2, 3, 4], "avis-2024-b.csv": [16], "avis-2024-c.csv": [2, 3, 4],
    }  # fmt: skip


def disagreements(house: House, **choice: Any) -> str:
    told = explain(house, **choice)["recalcul"]
    assert told["accord"] is False
    return " ; ".join(told["desaccords"])


def test_a_tampered_archive_is_noticed(house):
    place = house.archived("caisse", "avis")
    place.chmod(0o644)
    place.write_bytes(place.read_bytes().replace(b"R2;10", b"R2;01"))
    assert "l'archive ne contient plus ce qui a été reçu" in disagreements(house, territory="30")


def test_an_archive_that_lost_a_file_is_noticed(house):
    house.archived("caisse", "avis").unlink()
    assert "l'archive ne contient plus ce qui a été reçu" in disagreements(house)


def alter(house: House, change: Any) -> None:
    place = house.observations("caisse", "avis")
    change(pd.read_parquet(place)).to_parquet(place, index=False)


def test_tampered_observations_are_noticed(house):
    alter(house, lambda rows: rows.assign(note=rows["note"].where(rows["_ligne"] != 3, 0)))
    assert "les observations ne disent plus ce que dit le fichier archivé" in disagreements(house, territory="30")


def test_a_row_taken_out_of_the_observations_is_noticed(house):
    alter(house, lambda rows: rows[rows["_ligne"] != 4])
    told = disagreements(house, territory="30")
    assert "n'ont plus le nombre de lignes du rapport" in told
    assert "la valeur n'est pas ce que l'on recalcule" in told


def test_a_row_that_validation_refused_cannot_come_back(house):
    alter(house, lambda rows: rows.assign(_ligne=rows["_ligne"].where(rows["_ligne"] != 4, 5)))
    assert "les observations ne disent plus ce que dit le fichier archivé" in disagreements(house, territory="30")


def test_observations_that_are_gone_are_noticed(house):
    house.observations("caisse", "avis").unlink()
    assert "observations illisibles" in disagreements(house)


def test_a_tampered_release_is_noticed(house):
    (folder,) = house.store.releases.glob("*/1.0.0")
    place = folder / "resultats-annuels.parquet"
    place.chmod(0o644)
    table = pd.read_parquet(place)
    table.loc[table["territoire_code"] == "30", "valeur"] = 41.0
    table.to_parquet(place, index=False)
    told = disagreements(house, territory="30")
    assert "resultats-annuels.parquet n'est plus le fichier publié" in told
    assert "la valeur n'est pas ce que l'on recalcule" in told


def test_other_declarations_than_those_of_the_run_are_told(house):
    place = house.schemas / "indicators" / "nps.yml"
    place.write_text(place.read_text().replace("title: nps", "title: autre"))
    assert any("déclarations ont changé" in item for item in explain(house)["recalcul"]["avertissements"])


def command(house: House, *arguments: str) -> int:
    base = ["explain", "--output", str(house.output), "--schemas", str(house.schemas), "--year", str(YEAR)]
    return main([*base, *arguments])


def test_the_command_tells_one_screen_and_exits_with_0_when_it_agrees(made, capsys):
    assert command(made, "--indicator", "nps", "--network", "caisse", "--territory", "30") == 0
    told = capsys.readouterr().out
    for text in ("caisse, 2024, département : Gard", "40 points", "lignes 2, 3, 4, 7, 8", "ACCORD", "zéro oublié",
                 "hors de la base : sans réponse ou sans valeur (1)",
                 "schemas/corrections/caisse.yml:2", "resultats-services-publics 1.0.0"):  # fmt: skip
        assert text in told
    assert len(told.splitlines()) < 45
    assert "R7" not in told  # the reference is personal


def test_the_command_gives_the_same_as_json(made, capsys):
    assert command(made, "--indicator", "nps", "--network", "caisse", "--territory", "30", "--json") == 0
    assert json.loads(capsys.readouterr().out) == explain(made, territory="30")


def test_the_command_exits_with_1_when_it_disagrees(house, capsys):
    house.archived("caisse", "avis").unlink()
    assert command(house, "--indicator", "nps", "--network", "caisse") == 1
    assert "DÉSACCORD" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "told"), [
    (("--indicator", "npss", "--network", "caisse"), "vouliez-vous dire « nps »"),
    (("--indicator", "nps", "--network", "caise"), "vouliez-vous dire « caisse »"),
    (("--indicator", "appels", "--network", "absente"), "n'alimente pas cet indicateur"),
    (("--indicator", "nps", "--network", "caisse", "--territory", "75"), "aucune ligne pour le territoire 75"),
    (("--indicator", "nps", "--network", "caisse", "--structure", "B7"), "aucune ligne pour la structure B7"),
    (("--indicator", "nps", "--network", "caisse", "--period", "2024-01"), "aucune ligne pour la période 2024-01"),
    (("--indicator", "nps", "--network", "caisse", "--level", "departement"), "plusieurs lignes répondent"),
])  # fmt: skip
def test_the_command_exits_with_2_when_it_cannot_tell_what_is_meant(made, capsys, arguments, told):
    assert command(made, *arguments) == 2
    assert told in capsys.readouterr().err


def test_the_command_exits_with_2_without_a_release(made, tmp_path, capsys):
    base = ["explain", "--schemas", str(made.schemas), "--year", "2024", "--output", str(tmp_path)]
    assert main([*base, "--indicator", "nps", "--network", "caisse"]) == 2
    assert "aucune version publiée" in capsys.readouterr().err


def test_a_year_without_rows_is_not_found(made):
    with pytest.raises(NotFoundError, match="aucune ligne publiée pour caisse, nps, 2023"):
        find_row(made.explainer().release.results, "nps", "caisse", 2023)
