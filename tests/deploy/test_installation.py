"""What production installs: what runs, by a lock with hashes, and nothing that only tests or judges it."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

from pipelines.operations.doctor import LOCK, locked

PROJECT = Path(__file__).resolve().parents[2]
OPTIONAL = {"csv-detective"}  # of the extra « preview », which nobody needs
FULL, RUNTIME = dict(locked(PROJECT / "requirements.lock")), dict(locked(PROJECT / LOCK))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> set[str]:
    """The distributions that the code of the product imports."""
    found: set[str] = set()
    for path in [*(PROJECT / "pipelines").rglob("*.py"), *(PROJECT / "assets").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    homes = importlib.metadata.packages_distributions()
    ours = {"pipelines", "assets", "__future__"} | set(sys.stdlib_module_names)
    return {normal(name) for module in found - ours for name in homes.get(module, [module])[:1]}


def test_everything_that_the_product_imports_is_in_the_runtime_lock():
    known = {normal(name) for name in RUNTIME}
    assert {name for name in imported() - known if name not in OPTIONAL} <= {"csv_detective"}


def test_versions_are_those_that_are_tested():
    assert {name: version for name, version in RUNTIME.items() if FULL.get(name) != version} == {}


def test_nothing_that_only_tests_or_judges_is_installed():
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    dev = [re.match(r"[A-Za-z0-9-]+", item)[0] for item in declared["project"]["optional-dependencies"]["dev"]]
    assert {"pytest", "moto", "playwright", "polars", "uv"} <= set(dev)
    needed_anyway = {"jsonschema", "pillow"}  # by libraries that run
    assert {normal(name) for name in dev} & {normal(name) for name in RUNTIME} <= needed_anyway
    assert len(RUNTIME) < len(FULL) - 40


def test_the_runtime_lock_has_hashes_and_no_address():
    text = (PROJECT / LOCK).read_text(encoding="utf-8")
    names = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert "://" not in text
    assert text.count("--hash=sha256:") > len(names) > 80


@pytest.mark.parametrize("place", ["deploy/container/Containerfile", "Makefile"])
def test_containers_and_machines_are_installed_from_it(place):
    text = (PROJECT / place).read_text(encoding="utf-8")
    installs = re.findall(r"pip install [^\n]*--require-hashes -r (\S+)", text)
    assert installs[0] == LOCK
    if place == "Makefile":
        rules = dict(re.findall(r"^(setup|run|ui|test|lint|develop): (.*)$", text, re.MULTILINE))
        assert rules["setup"] == ".venv/.runtime"
        assert rules["run"] == rules["ui"] == "setup"
        assert rules["lint"] == "develop"
    else:
        assert installs == [LOCK]
