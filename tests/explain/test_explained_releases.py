"""Values of an earlier release: explained by the files of then, as far as the archive still holds them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.explained_run import YEAR, House, export, levels

from pipelines.cli import main
from pipelines.explain import NotFoundError, explanation, find_row
from pipelines.flow.release_inputs import OTHER_FILES, UNKNOWN

HEADER = "jour;lieu;bureau;note"
FIELDS = {"note": {"type": "integer", "constraints": {"minimum": 0, "maximum": 10}}}
FIRST = [f"03/01/{YEAR};30;B1;{note}" for note in [10] * 12 + [0] * 4]
SECOND = [*FIRST, *(f"04/01/{YEAR};30;B1;9" for _ in range(4))]


@pytest.fixture
def house(tmp_path) -> House:
    """Two releases: the second of a longer file."""
    house = House(tmp_path)
    layouts = [{"years": YEAR, "path": "avis-{year}.csv", "delimiter": ";"}]
    house.network("caisse", export("avis", FIELDS, layouts=layouts))
    feed = {"export": "avis", "inputs": {"rating": "note"}}
    house.indicator(
        "nps", estimator={"name": "nps"}, year="pooled", levels=levels("pooled", "departement"), range=[-100, 100],
        networks={"caisse": feed},
    )  # fmt: skip
    for lines in (FIRST, SECOND):
        house.hand_over(f"avis-{YEAR}.csv", HEADER, *lines)
        house.run()
    return house


def explain(house: House, version: str | None = None) -> dict[str, Any]:
    explainer = house.explainer(version)
    row = find_row(explainer.release.results, "nps", "caisse", YEAR)
    return explanation(explainer, row, house.schemas)


def test_an_earlier_value_is_found_again_in_the_files_of_then(house: House, capsys) -> None:
    versions = sorted(path.name for path in house.store.releases.glob("*/*"))
    assert len(versions) == 2
    now, then = explain(house), explain(house, versions[0])
    assert (now["publication"]["version"], then["publication"]["version"]) == (versions[1], versions[0])
    assert (now["resultat"]["valeur"], then["resultat"]["valeur"]) == (60, 50)
    assert now["recalcul"]["accord"] is then["recalcul"]["accord"] is True
    assert then["recalcul"]["valeurs"]["valeur"] == 50
    assert {"borne_basse", "borne_haute"} <= set(then["recalcul"]["valeurs"])
    files = [told["sources"][0]["fichiers"][0] for told in (then, now)]
    assert [file["lignes"]["nombre"] for file in files] == [16, 20]
    assert files[0]["sha256"] != files[1]["sha256"]
    assert now["recalcul"]["avertissements"] == []
    (warning,) = then["recalcul"]["avertissements"]
    assert OTHER_FILES in warning
    asked = ["explain", "--indicator", "nps", "--network", "caisse", "--year", str(YEAR), "--release", versions[0]]
    assert main([*asked, "--output", str(house.output), "--schemas", str(house.schemas)]) == 0
    assert OTHER_FILES in " ".join(capsys.readouterr().out.split())
    with pytest.raises(NotFoundError, match=r"version 9\.9\.9 inconnue"):
        house.explainer("9.9.9")
    place = house.schemas / "networks" / "caisse.yml"
    place.write_text(place.read_text().replace("description: Essai.", "description: Autre.", 1))
    for version in versions:
        told = " ; ".join(explain(house, version)["recalcul"]["avertissements"])
        assert "les déclarations ont changé" in told


def test_what_is_lost_of_an_earlier_release_is_said(house: House) -> None:
    first = sorted(path.name for path in house.store.releases.glob("*/*"))[0]
    (described,) = house.store.releases.glob(f"*/{first}/datapackage.json")
    old = explain(house, first)["sources"][0]["fichiers"][0]["sha256"]
    for place in house.store.judged.iterdir():
        place.unlink()
    (house.store.archive.folder / old[:2] / old).unlink()
    told = explain(house, first)["recalcul"]
    assert told["accord"] is False
    assert any("l'archive ne contient plus ce qui a été reçu" in text for text in told["desaccords"])
    described.chmod(0o644)
    content = json.loads(described.read_text("utf-8"))
    del content["inputs"]
    described.write_text(json.dumps(content), "utf-8")
    assert UNKNOWN in explain(house, first)["recalcul"]["avertissements"]
    assert explain(house)["recalcul"]["avertissements"] == []
