"""The commands that need no engine: exit codes, and every problem on stderr."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.main import get_command

from pipelines.cli import app, main
from pipelines.declarations import Dataset, Indicator, Network, Table
from pipelines.declarations.barometer import Barometer
from pipelines.declarations.estimators import ESTIMATORS, name_of
from pipelines.declarations.problems import FORMS


def test_check_accepts_the_shipped_declarations(schemas, capsys):
    assert main(["check", "--schemas", str(schemas)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Déclarations valides : 14 réseaux")
    assert told.err == ""


def test_check_counts_the_declarations_that_use_each_optional_key(schemas, capsys):
    def counted() -> dict[str, int]:
        assert main(["check", "--json", "--schemas", str(schemas)]) == 0
        return json.loads(capsys.readouterr().out)["emplois"]

    before = counted()
    network = schemas / "networks" / "caf.yml"
    network.write_text(network.read_text() + "closed_until: 2022\n")
    after = counted()
    assert {key: count for key, count in after.items() if count != before[key]} == {
        "networks.closed_until": before["networks.closed_until"] + 1
    }
    weighted = [path for path in (schemas / "networks").glob("*.yml") if "\n    weight:" in path.read_text()]
    assert before["networks.exports.weight"] == len(weighted) > 0
    assert main(["check", "--schemas", str(schemas)]) == 0
    unused = sum(count == 0 for count in after.values())
    assert f"{unused} par aucune déclaration" in capsys.readouterr().out


def test_what_the_shipped_declarations_show_of_what_may_be_declared(schemas, capsys):
    """An optional key that nobody declares goes, with its code; but an explanation speaks of a release to come.

    Corrections and notes of signals answer to what happens in production, and estimators are there to be named.
    """
    assert main(["check", "--json", "--schemas", str(schemas)]) == 0
    counts = json.loads(capsys.readouterr().out)["emplois"]
    unused = [key for key, count in counts.items() if not count]
    assert [key for key in unused if not key.startswith("estimators.")] == [
        "corrections",
        "datasets.explanations",
        "signals",
    ]
    assert {key.removeprefix("estimators.") for key in unused if key.startswith("estimators.")} == {
        *("count", "mean", "progress_rate", "quantile", "transparency_rate", "within_deadline")
    }


def test_check_counts_corrections_notes_and_estimators(schemas, capsys):
    correction = (
        "corrections:\n  - {export: telephone, year: 2024, where: {caf_code: CAF30}, field: appels_traites, "
        'expected: "1", value: "10", reason: essai, date: 2025-06-01}\n'
    )
    note = "notes:\n  - {signal: caf-attente-2024-05, status: explained, reason: essai, by: essai, date: 2024-06-01}\n"
    for folder, content in {"corrections": correction, "signals": note}.items():
        (schemas / folder).mkdir(exist_ok=True)
        (schemas / folder / "caf.yml").write_text(content, encoding="utf-8")
    assert main(["check", "--json", "--schemas", str(schemas)]) == 0
    counts = json.loads(capsys.readouterr().out)["emplois"]
    assert {key: count for key, count in counts.items() if key.startswith(("corrections", "signals"))} == {
        "corrections": 1, "corrections.status": 0, "signals": 1,
    }  # fmt: skip
    estimators = {key.removeprefix("estimators."): count for key, count in counts.items() if key.startswith("estim")}
    assert estimators.keys() == {name_of(estimator) for estimator in ESTIMATORS}
    assert sum(estimators.values()) == len(list((schemas / "indicators").glob("*.yml")))
    named = [path for path in (schemas / "indicators").glob("*.yml") if "name: declared" in path.read_text("utf-8")]
    assert estimators["declared"] == len(named)


def test_check_tells_every_problem_of_every_file(schemas, capsys):
    network, indicator = schemas / "networks" / "caf.yml", schemas / "indicators" / "nps.yml"
    network.write_text(network.read_text().replace("producer:", "producter:"))
    indicator.write_text(indicator.read_text().replace("type: satisfaction", "type: humeur"))
    (schemas / "networks" / "neuf.yml").write_text("title: [\n")
    assert main(["check", "--schemas", str(schemas)]) == 1
    told = capsys.readouterr().err
    assert f"{schemas}/networks/caf.yml:4: producter: clé inconnue" in told
    assert "networks/caf.yml:3: producer: clé obligatoire absente" in told
    assert "indicators/nps.yml:" in told
    assert "networks/neuf.yml:" in told
    assert "erreurs dans les déclarations." in told


def test_check_shows_the_line_and_names_what_stands_in_lists(schemas, capsys):
    network = schemas / "networks" / "dgfip.yml"
    network.write_text(network.read_text().replace("delimiter:", "delimitter:", 1).replace('"03-31"', '"03-41"', 1))
    assert main(["check", "--schemas", str(schemas)]) == 1
    told = capsys.readouterr().err.splitlines()
    (at,) = [
        number for number, line in enumerate(told) if "exports[delais].layouts[2022].delimitter: clé inconnue" in line
    ]
    assert "vouliez-vous dire « delimiter » ?" in told[at]
    assert told[at + 1][told[at + 2].index("^") :].startswith("delimitter:")
    assert told[at + 2].strip() == "^" * len("delimitter")
    (due,) = [line for line in told if "due: « 03-41 »" in line]
    assert due.endswith("n'a pas la forme attendue : MM-JJ, un jour de l'année (exemple : 03-31)")
    assert told[-1].startswith("Une fois corrigées : ")


def test_check_says_the_nearest_of_a_closed_list(schemas, capsys):
    network = schemas / "networks" / "prefectures.yml"
    network.write_text(network.read_text().replace("kind: values", "kind: value", 1))
    assert main(["check", "--schemas", str(schemas)]) == 1
    assert "« value » n'est pas permis ; vouliez-vous dire « values » ?" in capsys.readouterr().err


def test_check_runs_the_declared_examples(schemas, capsys):
    indicator = schemas / "indicators" / "nps.yml"
    indicator.write_text(indicator.read_text().replace("    value: 25\n", "    value: 26\n"))
    assert main(["check", "--schemas", str(schemas)]) == 1
    told = capsys.readouterr().err
    line = indicator.read_text().splitlines().index("    value: 26") + 1
    assert f"indicators/nps.yml:{line}: examples[n° 1].value: l'exemple annonce 26, le calcul donne 25" in told
    assert main(["check", "--json", "--schemas", str(schemas)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [item["key"] for item in answer["problemes"]] == ["examples.0.value"]


def test_check_warns_of_an_export_that_no_indicator_reads(schemas, capsys):
    assert main(["check", "--schemas", str(schemas)]) == 0
    assert "Attention" not in capsys.readouterr().out, "waves of barometers feed their own indicators"
    (schemas / "indicators" / "aides-versees.yml").unlink()
    assert main(["check", "--schemas", str(schemas)]) == 0
    (told,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Attention")]
    assert told.startswith("Attention : aucun indicateur ne lit l'export")
    assert "de franceagrimer" in told


def test_every_pattern_of_the_models_says_its_form_in_words():
    def patterns(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            yield from ([node["pattern"]] if isinstance(node.get("pattern"), str) else [])
            for child in node.values():
                yield from patterns(child)
        elif isinstance(node, list):
            for child in node:
                yield from patterns(child)

    found = {
        pattern
        for model in (Network, Indicator, Table, Dataset, Barometer)
        for pattern in patterns(model.model_json_schema())
    }
    assert found
    assert found <= FORMS.keys()


def test_list_tells_networks_years_exports_and_indicators(schemas, capsys):
    assert main(["list", "--schemas", str(schemas), "caf"]) == 0
    told = capsys.readouterr().out
    assert "caf : Caisses d'allocations familiales, 2022-2024" in told
    assert "  export enquete : " in told
    assert "nps" in told
    assert main(["list", "--schemas", str(schemas), "confiance"]) == 0
    assert ", 2018, 2020-2021\n" in capsys.readouterr().out, "no wave in 2019"
    assert main(["list", "--schemas", str(schemas), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["universites"]["annees"] == list(range(2010, 2018))
    assert answer["confiance"]["indicateurs"]["confiance-solde"] == "Solde de confiance", "a barometer's are its own"
    assert main(["list", "--schemas", str(schemas), "caff"]) == 2
    assert "vouliez-vous dire « caf » ?" in capsys.readouterr().err


def test_the_folders_that_nobody_typed_are_told(schemas, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RESULTATS_OUTPUT", str(tmp_path / "nulle-part"))
    for command in (["status"], ["plan"], ["verify"], ["revisions"], ["rollback", "--to", "1.0.0", "--reason", "essai"],
                    ["explain", "--indicator", "nps", "--network", "caf", "--year", "2024"]):  # fmt: skip
        declared = [] if command[0] == "revisions" else ["--schemas", str(schemas)]
        main([*command, *declared])
        assert f"sortie : {tmp_path / 'nulle-part'} (--output)" in capsys.readouterr().err, command


def test_check_counts_one_problem_in_the_singular(schemas, capsys):
    (schemas / "networks" / "caf.yaml").write_text("")
    assert main(["check", "--schemas", str(schemas)]) == 1
    assert "\n1 erreur dans les déclarations." in capsys.readouterr().err


def test_check_of_no_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--schemas", "absent"]) == 1
    assert "absent:1: dossier de déclarations absent" in capsys.readouterr().err


def run(schemas, tmp_path, *options, exports="exports"):
    (tmp_path / "exports").mkdir(exist_ok=True)
    root = str(tmp_path / exports)
    return main(["run", "--exports", root, "--output", str(tmp_path / "output"), "--schemas", str(schemas), *options])


def test_run_refuses_broken_declarations(schemas, tmp_path, capsys):
    (schemas / "networks" / "caf.yml").write_text("titre: x\n")
    assert run(schemas, tmp_path) == 2
    assert "networks/caf.yml:1" in capsys.readouterr().err
    assert not (tmp_path / "output").exists()


def test_run_suggests_a_network(schemas, tmp_path, capsys):
    assert run(schemas, tmp_path, "--network", "caff") == 2
    told = capsys.readouterr().err
    assert "réseau « caff » inconnu ; vouliez-vous dire « caf » ?" in told
    assert "dgfip" in told


def test_run_refuses_an_undeclared_year(schemas, tmp_path, capsys):
    assert run(schemas, tmp_path, "--network", "caf", "--year", "1999") == 2
    assert "année 1999 non déclarée" in capsys.readouterr().err


def test_run_refuses_a_root_that_is_not_there(schemas, tmp_path, capsys):
    assert run(schemas, tmp_path, exports="ailleurs") == 2
    assert "dossier d'exports introuvable" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["explain"], ["inconnue"], ["run", "--exports", "x", "--output", "y", "--year", "z"]]
)
def test_usage_errors_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("", "Commande attendue"),
        ("chek", "Commande inconnue : chek (possibles : check)"),
        ("zzz", "Commande inconnue : zzz"),
        ("instance prepar", "Commande inconnue : prepar (possibles : prepare)"),
        ("instance", "Commande attendue"),
        ("check --shemas x", "Option inconnue : --shemas (possibles : --schemas)"),
        ("check --zzz", "Option inconnue : --zzz"),
        ("check --schemas", "Option --schemas : une valeur est attendue"),
        ("check --json=oui", "Option --json : aucune valeur n'est attendue"),
        ("check autre", "Argument en trop : autre"),
        ("explain --network caf", "Option obligatoire absente : --indicator"),
        ("run --exports x --output y --year z", "Option --year : un nombre entier est attendu"),
        ("validate", "Argument obligatoire absent : FICHIER"),
        ("revisions --output x --accept caf 2024", "Option --accept : 3 valeurs sont attendues"),
        (
            "explain --indicator nps --network caf --year 2024 --level ville",
            "Option --level : « ville » n'est pas une des valeurs possibles (site, departement, region, national)",
        ),
    ],
)
def test_what_is_mistyped_is_told_in_french(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments.split())
    assert stopped.value.code == 2
    assert f"resultats : {sentence} (aide : " in capsys.readouterr().err


ENGLISH = r"\b(?:the|show|default|required|options? are|commands?|usage:|error|missing|install|integer|text|path)\b"


def paths(group, words=()):
    yield words
    for name, command in getattr(group, "commands", {}).items():
        yield from paths(command, (*words, name))


@pytest.mark.parametrize("words", list(paths(get_command(app))), ids=" ".join)
def test_help_is_in_french_and_tells_every_option(words, capsys):
    for flag in ("--help", "-h"):
        with pytest.raises(SystemExit) as stopped:
            main([*words, flag])
        assert stopped.value.code == 0
        told = capsys.readouterr().out
        assert told.startswith(f"Usage : resultats {' '.join(words)}".rstrip())
        without = re.sub(r"--[a-z-]+|[a-z-]*schemas?[a-z-]*|JSON Schemas|Table\s+Schema", "", told)
        assert re.findall(ENGLISH, without, flags=re.IGNORECASE) == []
        lines = re.findall(r"^  (?:-h, )?(--[a-z-]+)(?: \S+)*  +\S", told, flags=re.MULTILINE)
        assert "--help" in lines


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert re.fullmatch(r"resultats \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_words_are_completed():
    asked = {**os.environ, "_RESULTATS_COMPLETE": "complete_bash", "COMP_WORDS": "resultats ver", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", "import sys; from pipelines.cli import main; sys.exit(main([]))"]
    done = subprocess.run(command, env=asked, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["verify"], done.stderr


def test_editor_schemas_are_written_then_fresh_then_stale(schemas, capsys):
    assert main(["editor-schemas", "--schemas", str(schemas)]) == 0
    assert main(["editor-schemas", "--check", "--schemas", str(schemas)]) == 0
    (schemas / ".editor" / "network.schema.json").write_text("{}")
    capsys.readouterr()
    assert main(["editor-schemas", "--check", "--schemas", str(schemas)]) == 1
    assert "network.schema.json" in capsys.readouterr().err
