"""The door of the command line: whatever stops a command is a French sentence and a code; readers may leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.dagster_service import small_project

from pipelines.cli import main
from pipelines.mechanics.machine_faults import fault_in, machine_fault

PROJECT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "run": ["run", "--exports", "{data}", "--output", "{output}"],
    "prepare": ["instance", "prepare"],
    "recover": ["instance", "recover"],
    "purge": ["instance", "purge"],
}


@pytest.mark.parametrize(("home", "told"), [("home", "chemin complet"), ("{tmp}/absent", "n'existe pas")])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_dagster_home_is_told_by_every_command(command, home, told, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DAGSTER_HOME", home.format(tmp=tmp_path))
    asked = [part.format(data=PROJECT / "data" / "samples", output=tmp_path) for part in COMMANDS[command]]
    assert main(asked) == 2
    error = capsys.readouterr().err
    assert "DAGSTER_HOME" in error
    assert told in error
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_what_is_wrong_with_a_relative_home(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DAGSTER_HOME", "home")
    assert main(["doctor", "--output", str(tmp_path), "--json"]) == 1
    found = {item["subject"]: item for item in json.loads(capsys.readouterr().out)["constats"]}
    assert "chemin complet" in found["Instance"]["message"]
    assert "prepare" not in found["Instance"]["advice"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
@pytest.mark.parametrize("command", ["check", "check --json"])
def test_an_answer_that_finds_no_room_is_told_in_a_sentence(command, few_networks):
    asked = [sys.executable, "-m", "pipelines.cli", *command.split(), "--schemas", str(few_networks("securite"))]
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(asked, cwd=PROJECT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert told.returncode == 2
    assert told.stderr.startswith("resultats : plus de place sur le disque") and "Traceback" not in told.stderr


@pytest.mark.parametrize(
    "command", ["check", "check --json", "explain --help", "doctor --json", "status", "validate -h"]
)
def test_a_reader_may_leave(command, tmp_path, few_networks):
    """A pipe whose reader is gone from the start: nothing is told, and the code is that of the work."""
    schemas = str(few_networks("securite"))
    environment = {**os.environ, "RESULTATS_OUTPUT": str(tmp_path), "RESULTATS_SCHEMAS": schemas}
    asked = [sys.executable, "-m", "pipelines.cli", *command.split()]
    alone = subprocess.run(asked, cwd=PROJECT, env=environment, capture_output=True, check=False)
    read, write = os.pipe()
    os.close(read)
    left = subprocess.run(asked, cwd=PROJECT, env=environment, stdout=write, stderr=subprocess.PIPE, check=False)
    assert left.returncode == alone.returncode
    assert left.stderr == alone.stderr
    both = subprocess.run(asked, cwd=PROJECT, env=environment, stdout=write, stderr=write, check=False)
    os.close(write)
    assert both.returncode == alone.returncode


def test_an_empty_place_is_told(tmp_path, capsys):
    for place in (tmp_path, tmp_path / "absent", f"file://{tmp_path}/stockage"):
        assert main(["status", "--output", str(place)]) == 2
        assert "rien n'a jamais été traité dans" in capsys.readouterr().err


def test_what_nobody_expected_is_a_sentence_and_its_detail_is_had_on_demand(tmp_path, monkeypatch, capsys):
    def broken(*_: object) -> None:
        raise KeyError("clef")

    monkeypatch.setattr("pipelines.declarations.load", broken)
    assert main(["check"]) == 2
    error = capsys.readouterr().err
    assert (
        error
        == "resultats : erreur inattendue (KeyError : 'clef'). Pour le détail à transmettre : resultats --detail …\n"
    )
    assert main(["check", "--json"]) == 2
    assert "KeyError" in json.loads(capsys.readouterr().out)["erreur"]
    assert main(["--detail", "check"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_full_disk_is_told_in_french(tmp_path):
    """A limit on the size of files, which the system refuses as it refuses what doesn't fit on the disk."""
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from pipelines.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, "editor-schemas", "--schemas", str(tmp_path)],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("resultats : un fichier dépasse la taille permise sur cette machine : ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("OSError: [Errno 28] No space left on device: '/srv/x'", "plus de place sur le disque : /srv/x : en faire"),
        (
            "xlsxwriter.exceptions.FileCreateError: [Errno 28] No space left on device",
            "plus de place sur le disque : en",
        ),
        ("sqlite3.OperationalError: database or disk is full", "plus de place sur le disque : en faire"),
        ("PermissionError: [Errno 13] Permission denied: '/srv/x'", "droits insuffisants : /srv/x"),
        ("OSError: [Errno 5] Input/output error", "le disque a failli"),
    ],
)
def test_what_a_machine_refuses_is_told_from_what_libraries_write(text, told):
    assert fault_in(text).startswith(told)
    assert machine_fault(RuntimeError(text)) == fault_in(text)


def test_our_own_sentences_are_no_faults_of_the_machine():
    assert fault_in("ValueError: archive abîmée") is None
    assert machine_fault(KeyError("x")) is None


@pytest.mark.e2e
def test_a_run_without_room_for_its_files_says_so_and_publishes_nothing(tmp_path):
    schemas, exports = small_project(tmp_path, ["alpha"], range(2024, 2025))
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "from pipelines.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    asked = ["run", "--exports", exports, "--output", tmp_path / "output", "--schemas", schemas]
    done = subprocess.run(
        [sys.executable, "-c", limited, *map(str, asked)], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    told = done.stdout + done.stderr
    assert done.returncode == 1
    assert "AUCUNE PUBLICATION" in told
    assert "un fichier dépasse la taille permise sur cette machine" in told
    assert "Errno" not in told
    assert list((tmp_path / "output" / "releases").glob("*/[0-9]*")) == []


@pytest.mark.parametrize("command", [["validate", "{name}", "--json"], ["validate", "{name}"]])
@pytest.mark.parametrize("locale", ["C.UTF-8", "C", "fr_FR.ISO-8859-1"])
def test_json_is_utf_8_whatever_the_name_of_the_file(command, locale, tmp_path):
    name = os.fsencode(tmp_path) + b"/r\xe9ponses-\xc3\xa9t\xc3\xa9.csv"
    Path(os.fsdecode(name)).write_bytes(b"a;b\n1;2\n")
    environment = {**os.environ, "LC_ALL": locale}
    (tmp_path / "schema.json").write_text('{"fields": [{"name": "a"}, {"name": "b"}]}')
    asked = [part if part != "{name}" else name for part in command]
    asked += ["--schema", str(tmp_path / "schema.json")]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *asked], cwd=PROJECT, env=environment, capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr
    if "--json" in command:
        assert "été.csv" in json.dumps(json.loads(done.stdout.decode("utf-8")), ensure_ascii=False)
