"""What every command says of what isn't there or can't be: a French sentence and a code, never a traceback."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.dagster_service import small_project
from typer.main import get_command

from pipelines.cli import app, main

ENGLISH = re.compile(
    r"\b(the|file|exists?|not found|no such|errno|error|directory|missing|unable|invalid|default\w*)\b", re.IGNORECASE
)
# What a command must be given beside its places, with a network N.
GIVEN = {
    "explain": "--indicator contents --network N --year 2024",
    "posters": "--network N",
    "rollback": "--to 1.0.0 --reason essai",
    "run": "--network N",
    "list": "N",
    "template": "N guichet --folder {folder}/modeles",
    "validate": "{folder}/exports/alpha/guichet-2024.csv --network N --export guichet",
    "revisions": "--accept N 2024 0123abcd4567",
}
SERVES = {"door"}  # until stopped; what it says of its port is told where it is tried
ALONE = {"check", "doctor"}  # they find faults: what is wrong is their answer, with 1


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        elif name not in SERVES:
            yield " ".join((*words, name)), {option for item in command.params for option in item.opts}


COMMANDS = dict(commands(get_command(app)))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Declarations and exports of a small network, a file where a folder is wanted, and places of the environment."""
    schemas, exports = small_project(tmp_path, ["alpha"], range(2024, 2025))
    (tmp_path / "fichier").write_text("x", encoding="utf-8")
    for name, place in (("SCHEMAS", schemas), ("EXPORTS", exports), ("OUTPUT", tmp_path / "output")):
        monkeypatch.setenv(f"RESULTATS_{name}", str(place))
    return tmp_path


def tell(capfd: Any, folder: Path, name: str, *more: str, network: str = "alpha") -> tuple[int, str]:
    """Run a command; return its code and all that it said, once found to be French and no traceback."""
    words = [network if word == "N" else word.format(folder=folder) for word in shlex.split(GIVEN.get(name, ""))]
    code = main([*name.split(), *words, *more])
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert ENGLISH.findall(said.replace(str(folder), "")) == [], said
    return code, said


def taking(option: str) -> list[str]:
    return sorted(name for name, options in COMMANDS.items() if option in options)


@pytest.mark.parametrize("name", sorted(set(taking("--schemas")) - {"editor-schemas", "verify"}))
def test_declarations_that_are_not_there(folder, capfd, name):
    code, said = tell(capfd, folder, name, "--schemas", str(folder / "rien"))
    assert code == (1 if name in ALONE else 2)
    assert str(folder / "rien") in said


@pytest.mark.parametrize("name", sorted(set(taking("--output")) - {"run", "doctor"}))
def test_a_place_where_nothing_ever_ran(folder, capfd, name):
    for place in (folder / "rien", folder / "fichier"):
        code, said = tell(capfd, folder, name, "--output", str(place))
        assert code == 2
        assert str(place) in said
    assert not (folder / "rien").exists(), "a question writes nothing"


@pytest.mark.parametrize("name", ["run", "doctor"])
@pytest.mark.parametrize("place", ["{folder}/fichier", "/proc/rien", "zzz://rien"])
def test_an_output_that_cannot_be_written(folder, capfd, name, place):
    code, said = tell(capfd, folder, name, "--output", place.format(folder=folder))
    assert code == (1 if name in ALONE else 2)
    assert place.format(folder=folder) in "".join(said.split()), "a table cuts lines"


@pytest.mark.parametrize(
    "name", [name for name, words in GIVEN.items() if "N" in words.split() and name != "revisions"]
)
def test_a_network_that_is_not_declared(folder, capfd, name):
    code, said = tell(capfd, folder, name, network="alfa")
    assert code == 2
    assert "réseau « alfa » inconnu ; vouliez-vous dire « alpha » ? ; déclarés : alpha" in said


@pytest.mark.parametrize("name", ["run", *taking("--home")])
def test_an_instance_that_is_not_there(folder, capfd, monkeypatch, name):
    for home in (folder / "rien", folder, Path("relatif")):
        monkeypatch.setenv("DAGSTER_HOME", str(home))
        code, said = tell(capfd, folder, name)
        assert code == 2
        assert "DAGSTER_HOME" in said
    assert not (folder / "output").exists()


@pytest.mark.parametrize("name", sorted(set(taking("--target")) - {"doctor"}))
def test_a_target_that_is_not_known(folder, capfd, name):
    code, said = tell(capfd, folder, name, "--target", "ailleurs")
    assert code == 2
    assert "« ailleurs » inconnue ; donner local, demo, www ou une adresse" in said


def test_files_and_folders_that_are_not_there(folder, capfd):
    rien, file = str(folder / "rien"), str(folder / "fichier")
    for words in (["run", "--exports", rien], ["run", "--exports", file], ["validate", rien]):
        code = main([*words, *(["--network", "alpha", "--export", "guichet"] if words[0] == "validate" else [])])
        said = "".join(capfd.readouterr())
        assert code == 2
        assert "introuvable" in said
    code, said = tell(capfd, folder, "template", "--folder", f"{file}/dessous")
    assert code == 2
    assert file in said


@pytest.mark.parametrize(
    "words", ["list", "list --json", "check", "--help", "validate {file} --network alpha --export guichet"]
)
def test_a_reader_who_leaves(folder, words):
    command = words.format(file=folder / "exports" / "alpha" / "guichet-2024.csv")
    python = f"{shlex.quote(sys.executable)} -m pipelines.cli"
    told = subprocess.run(
        ["bash", "-c", f"{python} {command} | head -1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert told.returncode == 0
    assert told.stderr == ""
