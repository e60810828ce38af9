"""Commands load what they need and no more: a producer's check starts without Dagster, help without anything heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fixtures.dagster_service import small_project

from pipelines.cli import main

ORCHESTRATION = {"dagster", "sqlalchemy", "grpc"}
CONTRACTS = {"pandera", "requests"}  # what publishes needs them
TABLES = {"numpy", "pandas", "pyarrow", "duckdb", "frictionless"}
OF_RUNS = (
    "dagster",
    "dagster_postgres",
    "dagster_celery",
    "pandera",
    "requests",
    "sqlalchemy",
    "typst",
    "segno",
    "s3fs",
)
LOADED = """
import sys
from pipelines.cli import main
try:
    code = main(sys.argv[2:])
except SystemExit as end:
    code = end.code
print(code, *(name for name in sys.argv[1].split(",") if name in sys.modules), sep=",", file=sys.stderr)
"""
NOT_LOADED = {
    "--help": ORCHESTRATION | CONTRACTS | TABLES | {"pydantic", "yaml", "rich"},
    "check": ORCHESTRATION | CONTRACTS | {"jinja2", "xlsxwriter"},  # it computes the declared examples
    "template": ORCHESTRATION | CONTRACTS | TABLES - {"frictionless"} | {"jinja2"},
    "validate": ORCHESTRATION | CONTRACTS | {"jinja2", "pandas", "fsspec", "xlsxwriter"},
    "status": ORCHESTRATION | CONTRACTS | {"jinja2", "pandas", "duckdb"},
    "revisions": ORCHESTRATION | CONTRACTS,
    "explain": ORCHESTRATION | CONTRACTS,
}


@pytest.fixture(scope="module")
def commands(tmp_path_factory) -> dict[str, list[str]]:
    """Run a small project once; return what is typed of each command, and what doesn't go wrong."""
    folder = tmp_path_factory.mktemp("projet")
    schemas, exports = small_project(folder, ["alpha"], range(2024, 2025))
    output, declared = ["--output", str(folder / "output")], ["--schemas", str(schemas)]
    run = ["--exports", str(exports), *output, *declared]
    assert main(["run", *run]) == 0
    file = str(next((exports / "alpha").iterdir()))
    where = ["--network", "alpha", "--year", "2024", "--level", "national"]
    return {
        "--help": [],
        "run": run,
        "check": declared,
        "template": ["alpha", "guichet", *declared, "--folder", str(folder)],
        "validate": [file, "--network", "alpha", "--export", "guichet", *declared],
        "status": [*output, *declared],
        "revisions": [*output],
        "explain": ["--indicator", "contents", *where, *output, *declared],
    }


@pytest.mark.parametrize(("command", "code"), [("validate", 0), ("template", 0), ("status", 0), ("run", 2)])
def test_a_producer_needs_nothing_of_what_runs(command, code, commands):
    absent = f"import sys; sys.modules.update(dict.fromkeys({OF_RUNS!r}))"
    line = [sys.executable, "-c", f"{absent}\n{LOADED}", "", command, *commands[command]]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == str(code), done.stderr
    assert ("pip install 'resultats[run]'" in done.stderr) == (command == "run")


@pytest.mark.parametrize("command", NOT_LOADED)
def test_a_command_loads_what_it_needs_and_no_more(command, commands):
    line = [sys.executable, "-c", LOADED, ",".join(sorted(NOT_LOADED[command])), command, *commands[command]]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0", done.stderr


def test_a_refused_file_is_told_without_the_engine_that_counts_accepted_rows(commands, tmp_path):
    (tmp_path / "guichet-2024.csv").write_text("rien;de;tel\n1;2;3\n", encoding="utf-8")
    line = [sys.executable, "-c", LOADED, "duckdb,pandas", "validate", str(tmp_path / "guichet-2024.csv")]
    done = subprocess.run([*line, *commands["validate"][1:]], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "1", done.stderr


def test_who_wants_a_frame_after_a_check_has_it(commands):
    frame = 'import pyarrow\nprint(pyarrow.table({"a": [1, 2]}).to_pandas()["a"].sum(), file=sys.stderr)'
    line = [sys.executable, "-c", f"{LOADED}\n{frame}", "pandas", "validate", *commands["validate"]]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-2:] == ["0", "3"], done.stderr
