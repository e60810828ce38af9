"""What the README and the manual show must be true: their YAML is valid, their commands and columns exist."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.main import get_command

from assets.definitions import build_definitions
from assets.workspace import Workspace
from pipelines.cli import app
from pipelines.compile.editor import estimators_manual, stale
from pipelines.declarations import load
from pipelines.declarations.datasets import Explanation, TableDivision
from pipelines.declarations.estimators import ESTIMATORS
from pipelines.declarations.indicator import Indicator
from pipelines.declarations.network import Export, Network
from pipelines.declarations.references import Corrections, SignalNotes
from pipelines.declarations.yaml_source import parse

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
FRENCH = (PROJECT / "LISEZMOI.md").read_text(encoding="utf-8")
MANUAL = (PROJECT / "schemas" / "README.md").read_text(encoding="utf-8")

PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((PROJECT / "docs").glob("*.md"))}
CODE = ("python", "sql", "r")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_network_of_a_readme_is_valid():
    for text in (README, FRENCH):
        (block,) = blocks(text, "yaml")
        Network.model_validate(parse(block).data)


def test_the_examples_of_the_manual_are_valid():
    exports, sampling, indicator, notes, corrections, dataset, laid_out = (
        parse(block).data for block in blocks(MANUAL, "yaml")
    )
    Export.model_validate(exports["exports"][0])
    Export.model_validate(exports["exports"][0] | sampling)
    Indicator.model_validate(indicator)
    SignalNotes.model_validate(notes)
    Corrections.model_validate(corrections)
    Explanation.model_validate(dataset["explanations"][0])
    TableDivision.model_validate(laid_out["layout"]["resultats"])


def test_the_manual_names_every_estimator_and_its_inputs():
    for estimator in ESTIMATORS:
        name = estimator.model_fields["name"].annotation.__args__[0]
        (line,) = [line for line in MANUAL.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]]
        for word in (*estimator.input_names(), *estimator.level_methods, *estimator.year_methods):
            assert f"`{word}`" in line, (name, word)


def test_the_columns_that_the_examples_use_exist(catalogue):
    columns = set(catalogue.tables["resultats"].names)
    reuse = PAGES["reutiliser-les-donnees.md"]
    examples = [block for text in (README, FRENCH, reuse) for language in CODE for block in blocks(text, language)]
    assert len(examples) == 5
    for block in examples:
        used = set(re.findall(r"\br\.([a-z_]+)", block)) - {"read"} | set(re.findall(r'"([a-z]+_[a-z]+)"', block))
        assert used <= columns, block


def test_every_command_of_the_readme_exists():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:`|\n)make ([a-z-]+)", README + FRENCH + MANUAL)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.parametrize("text", [README, FRENCH], ids=["README", "LISEZMOI"])
def test_a_readme_is_short_and_its_links_lead_somewhere(text):
    assert len(text.split()) <= 1000
    for link in LINK.findall(text):
        assert (PROJECT / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_are_understood(name):
    text = PAGES[name]
    written = [line for block in blocks(text, "sh") for line in block.splitlines()]
    written += re.findall(r"`(resultats [^`]*)`", text)
    for line in written:
        assert line.startswith("resultats "), line
        understood(get_command(app), shlex.split(line, comments=True)[1:])


def understood(command: Any, words: list[str]) -> None:
    """Read a command down to its options; raises TyperException at what is not understood."""
    context = command.make_context(command.name or "resultats", words)
    if hasattr(command, "commands"):
        _, below, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        understood(below, rest)


@pytest.mark.parametrize("name", PAGES)
def test_the_links_of_a_page_lead_somewhere(name):
    for link in LINK.findall(PAGES[name]):
        path, _, anchor = link.partition("#")
        target = (PROJECT / "docs" / path).resolve() if path else PROJECT / "docs" / name
        assert target.is_file(), link
        assert target.is_relative_to(PROJECT), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings], link


def test_every_page_is_in_the_index_and_every_picture_in_a_page():
    index, shown = LINK.findall(PAGES["README.md"]), [link for text in PAGES.values() for link in LINK.findall(text)]
    shown += [link.removeprefix("docs/") for text in (README, FRENCH) for link in LINK.findall(text)]
    assert set(PAGES) - {"README.md"} <= set(index)
    pictures = sorted((PROJECT / "docs" / "images").iterdir())
    assert [picture.name for picture in pictures if f"images/{picture.name}" not in shown] == []
    assert [picture.name for picture in pictures if picture.stat().st_size > 100_000] == []


def test_what_the_pages_name_exists(catalogue):
    """Jobs, checks and assets as the UI shows them, keys of the configuration, variables, make targets."""
    definitions = build_definitions(catalogue, Workspace(exports="-", output="-", schemas="schemas"))
    text = "\n".join(PAGES.values())
    jobs = {job.name for job in definitions.get_repository_def().get_all_jobs()}
    assert set(re.findall(r"\*Jobs\* → `([a-z_]+)`", text)) <= jobs
    checks = {key.name for key in definitions.resolve_asset_graph().asset_check_keys}
    assert set(re.findall(r"\*Checks\* → `([a-z_]+)`", text)) <= checks
    assets = {" / ".join(key.path) for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert set(re.findall(r"\*Catalog\* → `([^`]+)`", text)) <= assets
    (accepted,) = blocks(PAGES["accepter-un-plan.md"], "yaml")
    assert dg.validate_run_config(definitions.resolve_job_def("accepter_plan"), parse(accepted).data)
    settings = (PROJECT / "deploy" / "environment.example").read_text(encoding="utf-8")
    for name in re.findall(r"`(RESULTATS_[A-Z_]+)`", text):
        assert name in settings, name
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([a-z-]+)`", text):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_editor_schemas_are_not_stale():
    assert stale(PROJECT / "schemas" / ".editor") == []


def test_the_page_of_the_estimators_is_not_stale():
    assert (PROJECT / "schemas" / "ESTIMATEURS.md").read_text(encoding="utf-8") == estimators_manual()


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "README.md", "LISEZMOI.md", "CHANGELOG.md", "LICENSE", "Makefile", "dagster.yaml"]
)
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
