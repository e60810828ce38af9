"""What a change of code makes again: what the rooms of a stage hold, and nothing else."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest
from fixtures.small_networks import Small, small

from pipelines.flow import fingerprints
from pipelines.flow.gather import gathered, make_tables, national_state

PROJECT = Path(__file__).resolve().parents[2]
LETTER = "validate/letters/templates/letter.txt"
LETTERS = {"validate/letters/letter", "validate/letters/annotated_copy"}
ONLY_READ = {part.removesuffix(".py") for part in fingerprints.ONLY_READ}
STATE = {"flow"}  # where the state is kept and how: what it holds is in the fingerprints of those that make it


@pytest.fixture
def done(tmp_path) -> Small:
    """A network of one year, judged and computed, and the national tables made of it."""
    project = small(tmp_path, ("alpha",), range(2024, 2025))
    project.process("alpha", 2024)
    make_tables(project.catalogue, project.store, None)
    return project


def changed(monkeypatch, folder: Path, file: str, line: str) -> None:
    """The code as it would be with another line at the end of a file."""
    code = folder / f"code-{file.replace('/', '-')}"
    shutil.copytree(PROJECT / "pipelines", code, ignore=shutil.ignore_patterns("__pycache__"))
    text = (code / file).read_text(encoding="utf-8")
    (code / file).write_text(text + line, encoding="utf-8")
    monkeypatch.setattr(fingerprints, "PIPELINES", code)


def makes_tables(project: Small) -> bool:
    return gathered(project.store) != national_state(project.catalogue, project.store)


def test_nothing_changed_makes_nothing(done, monkeypatch, tmp_path):
    changed(monkeypatch, tmp_path, "declarations/statuses.py", "")
    assert done.seen() == {}
    assert not makes_tables(done)


@pytest.mark.parametrize(
    "file",
    [
        *(LETTER, "cli/terminal_output.py", "explain/explanation_screen.py", "targets/plan.py"),
        *(part for part in fingerprints.ONLY_READ if part.endswith(".py")),
    ],
)
def test_a_wording_changed_in_what_people_read_makes_nothing_again(done, monkeypatch, tmp_path, file):
    changed(monkeypatch, tmp_path, file, "\n# autrement dit\n")
    assert done.seen() == {}
    assert not makes_tables(done)


@pytest.mark.parametrize("file", ["flow/gather.py", "tables/quality.py"])
def test_a_rule_changed_in_gather_remakes_the_tables_alone(done, monkeypatch, tmp_path, file):
    changed(monkeypatch, tmp_path, file, "\n# autre règle\n")
    assert done.seen() == {}
    assert makes_tables(done)
    make_tables(done.catalogue, done.store, None)
    assert not makes_tables(done)


@pytest.mark.parametrize("file", ["read/delimited.py", "validate/verdict.py", "compute/intervals.py", "flow/judge.py"])
def test_a_rule_changed_in_a_stage_makes_what_it_made_again(done, monkeypatch, tmp_path, file):
    changed(monkeypatch, tmp_path, file, "\n# autre règle\n")
    assert done.seen() == {("alpha", 2024): "déclarations ou programme changés"}
    done.process("alpha", 2024)
    assert done.seen() == {}


def test_a_file_is_not_judged_again_for_another_way_of_computing(done, monkeypatch, tmp_path):
    judged = {path: path.stat().st_mtime_ns for path in done.store.judged.iterdir()}
    changed(monkeypatch, tmp_path, "compute/intervals.py", "\n# autre règle\n")
    done.process("alpha", 2024)
    assert {path: path.stat().st_mtime_ns for path in done.store.judged.iterdir()} == judged


def imported_by(module: str) -> set[str]:
    """The modules of the project that one names in its imports, the doors of their rooms included."""
    names = set()
    for node in ast.walk(ast.parse((PROJECT / "pipelines" / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipelines."):
            home = node.module.removeprefix("pipelines.").replace(".", "/")
            names |= {home, f"{home}/__init__", *(f"{home}/{alias.name}" for alias in node.names)}
    return {name for name in names if (PROJECT / "pipelines" / f"{name}.py").exists()}


def modules_below(start: str) -> set[str]:
    """Every module of the project that a module imports, directly or not, but through the state or what is read."""
    found, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name == start or not (name.split("/")[0] in STATE or name in ONLY_READ):
            waiting += imported_by(name)
    return {name for name in found if name.split("/")[0] not in STATE}


@pytest.mark.parametrize("stage", ["judge", "compute", "gather", "kept_verdicts", "barometer_waves", "protection"])
def test_what_only_people_read_is_no_part_of_a_stage(stage):
    """But letters and annotated copies, which the room of judging hands on for whoever writes to producers."""
    assert {name for name in modules_below(f"flow/{stage}") if name in ONLY_READ} <= LETTERS


@pytest.mark.parametrize(
    ("module", "parts"),
    [
        ("flow/judge", (*fingerprints.JUDGING, *fingerprints.COMPUTING)),
        ("flow/compute", fingerprints.COMPUTING),
        ("flow/gather", fingerprints.GATHERING),
    ],
)
def test_what_a_stage_imports_is_in_its_fingerprint(module, parts):
    rooms = {part.removesuffix(".py") for part in parts}
    below = modules_below(module)
    assert len(below) > 20
    assert {name for name in below if name not in rooms and name.split("/")[0] not in rooms} == set()
