"""Of a hidden row nothing is told that depends on its rows, whatever they are."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.explained_run import YEAR, House, export, levels
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.explain import explanation, find_row

FIELDS = {"note": {"type": "integer"}, "appels": "integer", "reponses": "integer", "montant": "number"}
FROM_ROWS: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    "nps": ({"name": "nps"}, "pooled", {"rating": "note"}),
    "mediane": ({"name": "median"}, "pooled", {"value": "montant"}),
    "taux": ({"name": "ratio", "factor": 100}, "ratio_of_sums", {"numerator": "reponses", "denominator": "appels"}),
}
OTHERS = [f"{day:02d}/05/2024;{lieu};{bureau};{day % 11};9;4;{day},5"
          for lieu, bureau in (("30", "B1"), ("34", "B2"), ("75", "B3")) for day in range(1, 25)]  # fmt: skip
HIDDEN = [{"structure": "B9"}, {"territory": "2A"}, {"territory": "2A", "period": "2024-T2"}, {"territory": "Corse"}]

answers = st.tuples(st.integers(0, 10), st.integers(0, 5000))
secrets = st.lists(answers, min_size=1, max_size=1) | st.lists(answers, min_size=2, max_size=10)


def made(folder: Path, secret: list[tuple[int, int]]) -> House:
    """Three offices that answer enough, and one in Corse (2A, B9) that does not."""
    house = House(folder)
    layouts = [{"years": YEAR, "path": "avis-{year}.csv", "delimiter": ";", "decimalChar": ","}]
    house.network("caisse", export("avis", FIELDS, layouts=layouts))
    rows = [f"02/05/2024;2A;B9;{note};1;{rank % 2};{amount},25" for rank, (note, amount) in enumerate(secret)]
    house.hand_over("avis-2024.csv", ";".join(["jour", "lieu", "bureau", *FIELDS]), *OTHERS[:30], *rows, *OTHERS[30:])
    for name, (estimator, method, inputs) in FROM_ROWS.items():
        feed = {"export": "avis", "inputs": inputs}
        house.indicator(name, estimator=estimator, year=method, levels=levels(method), networks={"caisse": feed})
    house.run()
    return house


def told(house: House) -> Iterator[dict[str, Any]]:
    explainer = house.explainer()
    for indicator in FROM_ROWS:
        for choice in HIDDEN:
            level = {"level": "region"} if choice == {"territory": "Corse"} else {}
            row = find_row(explainer.release.results, indicator, "caisse", YEAR, **choice, **level)
            assert row["motif_absence"] == "secret statistique"
            yield explanation(explainer, row, house.schemas)


def without_hashes(explanations: Iterator[dict[str, Any]]) -> str:
    """What is told, but the fingerprints of whole files, which any change of any line changes."""
    return re.sub("[0-9a-f]{64}", "#", json.dumps(list(explanations), ensure_ascii=False))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    return without_hashes(told(made(tmp_path_factory.mktemp("secret"), [(0, 17), (9, 4321), (10, 1)])))


@settings(max_examples=5, phases=[Phase.generate])  # each example is a whole run: none is shrunk
@given(secret=secrets)
def test_what_is_told_of_a_hidden_row_does_not_depend_on_its_rows(secret, reference):
    with tempfile.TemporaryDirectory() as folder:
        assert without_hashes(told(made(Path(folder), secret))) == reference


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return made(tmp_path_factory.mktemp("hidden"), [(0, 17), (9, 4321), (10, 1)])


def test_a_hidden_row_is_told_with_its_rule_and_no_comparison(house):
    for explained in told(house):
        assert explained["recalcul"]["accord"] is None
        assert explained["recalcul"]["valeurs"] == {}
        assert explained["absence"]["details"] == [
            "Règle : aucune valeur sous 11 ; règle générale des enquêtes auprès de personnes.",
            "La règle la cache, ou bien une valeur qu'elle cache pourrait en être déduite ; rien ne dit lequel des deux.",  # noqa: E501
        ]
        assert [file["lignes"] for source in explained["sources"] for file in source["fichiers"]] == [None]
        told_numbers = {*numbers(explained)} - {*numbers(explained["declarations"])}  # lines of the YAML
        assert told_numbers <= {float(YEAR), 11.0, 100.0}  # the year, the minimum, the factor of the ratio


@pytest.mark.parametrize("status", ["C", "A", "D"])  # releases of before had two statuses
def test_a_row_hidden_at_second_hand_tells_nothing_either(house, status):
    explainer = house.explainer()
    published = explainer.release.results
    for row in published[published["valeur"].notna()].to_dict("records"):
        hidden = {**row, "statut_confidentialite": status, "motif_absence": "secret statistique"}
        figures = ("valeur", "borne_basse", "borne_haute", "effectif", "effectif_pondere", "numerateur", "denominateur")
        blanked = explanation(explainer, hidden | dict.fromkeys(figures), house.schemas)
        # even if the release itself had left its figures there
        assert explanation(explainer, hidden, house.schemas) == blanked
        assert {*numbers({**blanked, "declarations": []})} <= {float(YEAR), 11.0, 100.0}
        assert blanked["recalcul"]["accord"] is None


def test_an_altered_archive_is_told_of_a_hidden_row_without_more(house, tmp_path):
    place = house.archived("caisse", "avis")
    content = place.read_bytes()
    place.chmod(0o644)
    try:
        place.write_bytes(content + b"\n")
        for explained in told(house):
            assert explained["recalcul"]["accord"] is False
            assert explained["recalcul"]["desaccords"] == [
                "avis-2024.csv : l'archive ne contient plus ce qui a été reçu"
            ]
            assert {*numbers({**explained, "declarations": []})} <= {float(YEAR), 11.0, 100.0}
    finally:
        place.write_bytes(content)


def test_too_small_a_base_is_told_but_not_the_value(tmp_path):
    house = made(tmp_path, [(10, 1)] * 12)
    place = house.schemas / "indicators" / "nps.yml"
    place.write_text(
        place.read_text(encoding="utf-8")
        + "minimum_base: {answers: 13, reason: base-insuffisante, why: essai}\n", encoding="utf-8",
    )  # fmt: skip
    house.run()
    explainer = house.explainer()
    row = find_row(explainer.release.results, "nps", "caisse", YEAR, structure="B9")
    explained = explanation(explainer, row, house.schemas)
    assert explained["absence"]["motif"] == "base insuffisante"
    assert explained["absence"]["details"] == ["Règle : aucune valeur sous 13 ; essai."]
    assert explained["sources"][0]["fichiers"][0]["lignes"]["numeros"] == list(range(32, 44))
    assert explained["recalcul"]["valeurs"] == {"effectif": 12}
    assert explained["recalcul"]["accord"] is True
