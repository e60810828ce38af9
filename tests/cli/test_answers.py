"""What commands answer to programs (JSON, nothing else), and show to people while they wait (on a terminal alone)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fixtures.small_networks import small
from typer.main import get_command

from pipelines.cli import app, main
from pipelines.cli.terminal_output import steps

# They write files, and name them; or serve pages.
FOR_PRODUCERS_AND_AUTHORS = {"door", "editor-schemas", "template"}


def commands(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command that runs something."""
    for word, command in group.commands.items():
        path = f"{name} {word}".strip()
        if hasattr(command, "commands"):
            yield from commands(command, path)
        else:
            yield path, command


def options(command: Any) -> set[str]:
    return {name for item in command.params for name in item.opts}


def test_every_command_of_operators_answers_in_json():
    without = {name for name, command in commands(get_command(app)) if "--json" not in options(command)}
    assert without == FOR_PRODUCERS_AND_AUTHORS


@pytest.mark.e2e
def test_answers_are_json_alone(tmp_path, capfd):
    project = small(tmp_path)
    (project.exports / "alpha" / "guichet-2023.csv").write_bytes(b"rien de tel\n")
    output, schemas = ("--output", str(project.output)), ("--schemas", str(project.schemas))

    def ask(*words: str, code: int = 0) -> Any:
        assert main([*words, "--json"]) == code
        told = capfd.readouterr()
        assert told.err == "", "no progress where there is no terminal"
        return json.loads(told.out)

    made = ask("run", "--exports", str(project.exports), *output, *schemas, "--strict", code=1)
    assert (made["reussi"], made["refuses"] > 0, made["erreurs_de_traitement"]) == (True, True, [])
    years = {item["annee"]: item["exports"]["guichet"] for item in made["annees_de_reseau"]}
    assert years[2023]["etat"] == "rejeté"
    assert years[2023]["lettre"].endswith("alpha/2023/guichet-lettre.html")
    assert (years[2024]["etat"], "lettre" in years[2024]) == ("accepté", False)
    assert made["jeux_de_donnees"] == [
        {"id": "barometres-services-publics", "version": None},  # no wave came
        {"id": "resultats-services-publics", "version": "1.0.0"},
        {"id": "signaux-services-publics", "version": None},  # no text came
    ]
    proof = ask("verify", "--no-rebuild", *output, *schemas)
    assert (proof["versions"], proof["refaite"], proof["conforme"], proof["constats"]) == (["1.0.0"], None, True, [])
    assert ask("plan", *output, *schemas)["plans"][0]["empty"]
    assert ask("revisions", *output) == {"revisions": []}
    assert ask("check", *schemas)["networks"] == ["alpha"]
    path = project.schemas / "networks" / "alpha.yml"
    path.write_text(path.read_text(encoding="utf-8") + "inconnu: 1\n", encoding="utf-8")
    wrong = ask("check", *schemas, code=1)
    assert (wrong["valide"], wrong["problemes"][0]["file"]) == (False, "networks/alpha.yml")


class Terminal(io.StringIO):
    """An error stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_alone(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr("sys.stderr", stream)
        with steps(2) as tell:
            tell("2023 : [3] réseaux")
            tell("tables")
            with tell.paused():
                print("Publier ?")
        shown = stream.getvalue()
        assert ("tables" in shown) == stream.isatty()
        assert (shown == "") is not stream.isatty()
        assert capsys.readouterr().out == "Publier ?\n"  # answers stay on their own stream
