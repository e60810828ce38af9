"""The operators' manual names only what exists: files, commands, options, units."""

from __future__ import annotations

import re
import shlex

import pytest
from front import PROJECT

from pipelines.cli import main

MANUAL = (PROJECT / "deploy" / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"resultats ((?:doctor|status|check)(?: [^`\n#]*)?)", MANUAL)))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_are_understood(command, capsys):
    words = [word for word in shlex.split(command.replace("…", "").split("&&")[0]) if word != "of"]
    with pytest.raises(SystemExit) as stopped:
        main([word for word in words if word.startswith("--") or word == words[0] or word.isdigit()] + ["--help"])
    assert stopped.value.code == 0
    known = capsys.readouterr().out
    assert [option for option in words if option.startswith("--") and option not in known] == []


def test_the_words_of_the_backup_are_those_of_its_script():
    folder = PROJECT / "deploy" / "backup"
    texts = (MANUAL, (folder / "README.md").read_text(encoding="utf-8"))
    used = {word for text in texts for word in re.findall(r"backup\.sh ([a-z]+)", text)}
    assert used == {"save", "restore"}
    for word in used:
        assert f"\n{word}() {{\n" in (folder / "backup.sh").read_text(encoding="utf-8")


def test_the_files_and_units_exist():
    for name in re.findall(r"`([a-z]+(?:-[a-z]+)*\.(?:conf|yaml|yml|example)|systemd/|container/|nginx/)`", MANUAL):
        assert list((PROJECT / "deploy").rglob(name.rstrip("/"))), name
    for unit in re.findall(r"resultats[a-z-]*\.(?:service|timer|target)", MANUAL):
        assert (PROJECT / "deploy" / "systemd" / unit).is_file(), unit
