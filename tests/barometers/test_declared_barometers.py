"""A barometer declared wrongly: one clear message, with file, line and key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_waves import barometer, question

from pipelines.declarations import DeclarationError, load

FILE = "barometers/essai.yml"


def problems(schemas: Path, told: dict[str, Any]) -> list[tuple[str, str, str]]:
    text = yaml.safe_dump(told, allow_unicode=True, sort_keys=False)
    (schemas / FILE).write_text(text, encoding="utf-8")
    try:
        load(schemas)
    except DeclarationError as error:
        lines = text.splitlines()
        return [(problem.key, lines[problem.line - 1].strip(), problem.message) for problem in error.problems
                if problem.file == FILE]  # fmt: skip
    return []


def without_weights(told: dict[str, Any]) -> None:
    del told["waves"][0]["weight"]


def unknown_code(told: dict[str, Any]) -> None:
    told["indicators"][0]["answers"] = ["1", "7"]


def short_margin(told: dict[str, Any]) -> None:
    told["waves"][0]["margins"] = [
        {"field": "sexe", "shares": {"1": 48, "2": 51}, "source": "essai", "date": "2021-01-01"}
    ]


def ballot_without_column(told: dict[str, Any]) -> None:
    told["questions"][0]["ballot"] = {"value": "A", "values": ["A", "B"]}


def no_polarity(told: dict[str, Any]) -> None:
    scale = [dict(answer) for answer in told["questions"][0]["scale"]]
    del scale[1]["polarity"]
    told["questions"][0]["scale"] = scale


def compared_with_itself(told: dict[str, Any]) -> None:
    told["waves"][1]["comparable_with"] = "v2"


def compared_with_nothing(told: dict[str, Any]) -> None:
    del told["waves"][1]["comparable_with"]


def unknown_wave(told: dict[str, Any]) -> None:
    told["waves"][1]["comparable_with"] = "v0"


def unknown_filter(told: dict[str, Any]) -> None:
    told["questions"][0]["filter"] = {"question": "contacts", "answers": ["1"]}


def two_sources(told: dict[str, Any]) -> None:
    told["waves"][0]["source"] = {"network": "caf", "export": "enquete"}
    told["waves"][0]["fieldwork"] = {"start": "2022-01-01", "end": "2022-02-01"}
    told["waves"] = told["waves"][:1]
    told["questions"], told["cuts"], told["indicators"] = [question("satisfaction", ("v1",))], [], []


def path_without_year(told: dict[str, Any]) -> None:
    told["waves"][0]["path"] = "b/vague.csv"


def waves_out_of_order(told: dict[str, Any]) -> None:
    told["waves"][1]["fieldwork"] = {"start": "2020-01-01", "end": "2020-01-02"}


def word_twice(told: dict[str, Any]) -> None:
    told["questions"][0]["wordings"].append({"waves": ["v2"], "text": "Autre"})


def mean_without_points(told: dict[str, Any]) -> None:
    told["questions"][0]["scale"] = [
        {k: v for k, v in x.items() if k != "points"} for x in told["questions"][0]["scale"]
    ]
    told["indicators"][0]["measure"] = "mean"


def cut_of_some_codes(told: dict[str, Any]) -> None:
    told["cuts"].append(told["cuts"][0] | {"id": "sens", "column": "avis"})


def ballots_in_another_order(told: dict[str, Any]) -> None:
    for name, value, values in (("un", "A", ["A", "B"]), ("deux", "B", ["B", "A"])):
        told["questions"].append(question(name, ballot={"column": "version", "value": value, "values": values}))


def cut_of_everybody(told: dict[str, Any]) -> None:
    told["cuts"].append(told["cuts"][0] | {"id": "ensemble"})


def wave_without_question(told: dict[str, Any]) -> None:
    told["questions"][0]["wordings"][0]["waves"] = ["v1"]


def filter_in_a_circle(told: dict[str, Any]) -> None:
    told["questions"][0]["filter"] = {"question": "autre", "answers": ["1"]}
    told["questions"].append(question("autre", filter={"question": "troisieme", "answers": ["1"]}))
    told["questions"].append(question("troisieme", filter={"question": "autre", "answers": ["1"]}))


def filter_not_asked(told: dict[str, Any]) -> None:
    told["questions"][0]["filter"] = {"question": "autre", "answers": ["1"]}
    told["questions"].append(question("autre", ("v2",)))


def compared_and_broken(told: dict[str, Any]) -> None:
    told["waves"][1]["breaks"] = [{"kind": "mode", "why": "essai"}]


CASES: list[tuple[Callable[[dict[str, Any]], None], str, str]] = [
    (without_weights, "waves.0", "n'a pas de poids"),
    (unknown_code, "indicators.0.answers", "réponse « 7 » : inconnu ici"),
    (short_margin, "waves.0.margins.0.shares", "la somme est 99, ni 1 ni 100"),
    (ballot_without_column, "questions.0.ballot.column", "clé obligatoire absente"),
    (no_polarity, "questions.0.scale.1.polarity", "clé obligatoire absente"),
    (compared_with_itself, "waves.1.comparable_with", "ne peut être comparée à elle-même"),
    (compared_with_nothing, "waves.1", "ne se compare à aucune autre"),
    (unknown_wave, "waves.1.comparable_with", "vague antérieure « v0 » : inconnu ici"),
    (unknown_filter, "questions.0.filter.question", "autre question « contacts » : inconnu ici"),
    (two_sources, "waves.0", "soit path (le fichier de la vague), soit source"),
    (path_without_year, "waves.0.path", "porte {year}"),
    (waves_out_of_order, "waves.1.fieldwork", "n'est pas à sa place"),
    (word_twice, "questions.0.wordings", "« v2 » déclaré 2 fois"),
    (cut_of_some_codes, "cuts.1.column", "ses groupes en sont tous les codes"),
    (ballots_in_another_order, "questions.2", "la colonne « version » est déclarée ailleurs avec d'autres codes"),
    (cut_of_everybody, "cuts.1.id", "désigne tout l'échantillon"),
    (wave_without_question, "waves.1", "aucune question n'est posée dans la vague v2"),
    (filter_in_a_circle, "questions.1.filter.question", "filtrée par elle-même"),
    (filter_not_asked, "questions.0.filter.question", "n'est pas posée dans la vague v1"),
    (compared_and_broken, "waves.1.breaks", "se contredisent"),
    (mean_without_points, "indicators.0.measure", "une moyenne demande « points »"),
]


@pytest.mark.parametrize(("spoil", "key", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_one_clear_message(schemas, spoil, key, words):
    told = barometer()
    spoil(told)
    found = problems(schemas, told)
    assert len(found) == 1
    assert found[0][0] == key
    assert words in found[0][2]
    last = key.split(".")[-1]
    assert found[0][1].lstrip("- ").startswith((f"{last}:", "id:", "code:", "ballot:")), found


def test_a_right_one_says_nothing(schemas):
    assert problems(schemas, barometer()) == []


def test_a_network_of_the_same_name_is_refused(schemas):
    (schemas / "barometers" / "caf.yml").write_text(yaml.safe_dump(barometer(), allow_unicode=True), encoding="utf-8")
    with pytest.raises(DeclarationError, match="« caf » est déjà l'identifiant d'un réseau"):
        load(schemas)


def test_a_wave_may_be_the_export_of_a_network(schemas):
    codes = ("Très satisfait", "Plutôt satisfait", "Plutôt mécontent", "Très mécontent")
    aside = [{"code": "Ne se prononce pas", "label": "(NSP)", "kind": "nsp"}]
    asked = question("satisfaction", ("v1",), answers=[{"code": x, "label": x} for x in codes], set_aside=aside)
    told = barometer([asked], cuts=[], indicators=[])
    told["waves"] = [told["waves"][0] | {"fieldwork": {"start": "2023-01-01", "end": "2023-12-31"}}]
    del told["waves"][0]["path"]
    told["waves"][0]["source"] = {"network": "caf", "export": "enquete"}
    assert problems(schemas, told) == []
    assert "essai" not in load(schemas).networks
    told["waves"][0]["source"]["export"] = "enquetes"
    lost = "admet « Ne se prononce pas », que le baromètre ne déclare pas"
    told["waves"][0]["source"]["export"], told["questions"][0]["set_aside"] = "enquete", []
    assert [lost in message for _, _, message in problems(schemas, told)] == [True]
    told["waves"][0]["source"]["export"] = "enquetes"
    assert ["export « enquetes » : inconnu ici" in message for _, _, message in problems(schemas, told)] == [True]


def test_files_of_waves_are_received_as_exports_of_a_network(catalogue):
    network = catalogue.networks["confiance"]
    assert list(network.years) == [2018, 2020, 2021]
    assert [export.id for export in network.exports] == ["v2018", "v2020", "v2021"]
    assert "confiance" not in catalogue.of_results.networks
