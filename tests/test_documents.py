"""What the README and the manual show must be true: their YAML is valid, their commands and columns exist."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pipelines.compile.editor import stale
from pipelines.compile.manual import estimators_manual
from pipelines.declarations import load
from pipelines.declarations.estimators import ESTIMATORS
from pipelines.declarations.indicator import Indicator
from pipelines.declarations.network import Export, Network
from pipelines.declarations.references import Corrections
from pipelines.declarations.releasing import Explanation
from pipelines.declarations.yaml_source import parse

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
MANUAL = (PROJECT / "schemas" / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_network_of_the_readme_is_valid():
    (block,) = blocks(README, "yaml")
    Network.model_validate(parse(block).data)


def test_the_examples_of_the_manual_are_valid():
    exports, sampling, indicator, corrections, dataset = (parse(block).data for block in blocks(MANUAL, "yaml"))
    Export.model_validate(exports["exports"][0])
    Export.model_validate(exports["exports"][0] | sampling)
    Indicator.model_validate(indicator)
    Corrections.model_validate(corrections)
    Explanation.model_validate(dataset["explanations"][0])


def test_the_manual_names_every_estimator_and_its_inputs():
    for estimator in ESTIMATORS:
        name = estimator.model_fields["name"].annotation.__args__[0]
        (line,) = [line for line in MANUAL.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]]
        for word in (*estimator.input_names(), *estimator.level_methods, *estimator.year_methods):
            assert f"`{word}`" in line, (name, word)


def test_the_columns_that_the_readme_uses_exist(catalogue):
    columns = set(catalogue.tables["resultats"].names)
    for block in (*blocks(README, "python"), *blocks(README, "sql"), *blocks(README, "r")):
        used = set(re.findall(r"\br\.([a-z_]+)", block)) - {"read"} | set(re.findall(r'"([a-z]+_[a-z]+)"', block))
        assert used <= columns, block


def test_every_command_of_the_readme_exists():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:`|\n)make ([a-z-]+)", README + MANUAL)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_editor_schemas_are_not_stale():
    assert stale(PROJECT / "schemas" / ".editor") == []


def test_the_page_of_the_estimators_is_not_stale():
    assert (PROJECT / "schemas" / "ESTIMATEURS.md").read_text(encoding="utf-8") == estimators_manual()


@pytest.mark.parametrize("name", ["pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "Makefile", "dagster.yaml"])
def test_the_top_level_is_complete(name):
    assert (PROJECT / name).is_file()


def test_declarations_load_from_any_folder(tmp_path, catalogue):
    copied = shutil.copytree(PROJECT / "schemas", tmp_path / "schemas")
    assert load(copied).fingerprint("caf") == catalogue.fingerprint("caf")


def test_the_lock_has_hashes_and_no_address():
    lock = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    names = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(names) > 100
    assert lock.count("--hash=sha256:") > len(names)
