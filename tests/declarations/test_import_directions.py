"""Who may import whom: rooms import downwards only, modules in no circle; nothing below the flow reads the clock."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipelines.declarations.network import WORKBOOKS
from pipelines.declarations.statuses import FigureStatus, SignalState, Status
from pipelines.flow import stored_files

PROJECT = Path(__file__).resolve().parents[2]
MODULES = sorted((PROJECT / "pipelines").rglob("*.py"))
# From the ground up. A room imports those named here, and itself; a stage knows no other stage.
BELOW = {
    "mechanics": set(),
    "declarations": {"mechanics"},
    "compile": {"mechanics", "declarations"},
    "read": {"mechanics", "declarations", "compile"},
    "tabular": set(),
    "validate": {"mechanics", "declarations", "compile", "tabular"},
    "compute": {"mechanics", "declarations", "disclosure"},
    "disclosure": {"declarations"},
    "tables": {"mechanics", "declarations", "compute", "disclosure"},
    "barometers": {"mechanics", "declarations", "compute"},
    "signals": {"mechanics", "compute"},
    "voice": {"mechanics", "declarations"},
    "signal_tables": {"mechanics", "declarations"},
    "release": {"mechanics", "declarations", "compile", "tabular"},
    "targets": {"mechanics", "declarations", "release"},
    "portal": {"mechanics", "declarations", "release"},
    "explain": {"mechanics", "declarations", "compile", "read", "validate", "compute", "disclosure", "flow"},
    "report": {"mechanics", "declarations", "validate", "release", "targets", "flow"},
    "flow": {
        *("mechanics", "declarations", "compile", "read", "validate", "compute", "disclosure", "tables"),
        *("barometers", "signals", "signal_tables", "voice"),
        *("release", "targets", "portal"),
    },
    "operations": {"mechanics", "read", "release", "targets", "flow", "report"},
}
WITH_A_CLOCK = {"flow", "operations", "cli"}  # of what runs at an hour, and looks after a real machine
ROOMS = PROJECT / "pipelines"
SPEAKS_HTTP = (ROOMS / "targets" / "udata", ROOMS / "operations" / "channels.py")  # the platform, and the webhook
FORBIDDEN_CALLS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "monotonic"),
    ("os", "environ"),
    ("os", "getenv"),
}


def imports(tree: ast.AST) -> list[tuple[str, ast.AST]]:
    """Every dotted name that is imported, with its node."""
    found: list[tuple[str, ast.AST]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "import relatif"
            found += [(f"{node.module}.{alias.name}", node) for alias in node.names]
    return found


def inside_functions(tree: ast.AST) -> set[ast.AST]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {inner for function in functions for inner in ast.walk(function)}


def for_types_alone(tree: ast.AST) -> set[ast.AST]:
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {inner for block in blocks for line in block.body for inner in ast.walk(line)}


def room(path: Path) -> str:
    inner = path.relative_to(PROJECT / "pipelines").parts
    return inner[0] if len(inner) > 1 else inner[0].removesuffix(".py")


def faults(path: Path, text: str) -> list[str]:
    tree = ast.parse(text)
    here, lazy = room(path), inside_functions(tree) | for_types_alone(tree)
    found = []
    for name, node in imports(tree):
        top, _, rest = name.partition(".")
        there = rest.split(".")[0]
        if top in ("assets", "dagster") and here != "operations" and not (here == "cli" and node in lazy):
            found.append(f"{path}: {name}")
        if top in ("schemas", "data", "tests", "benchmarks", "socket", "http"):
            found.append(f"{path}: {name}")
        outside = top in ("requests", "urllib") and not name.startswith("urllib.parse")
        if outside and path not in SPEAKS_HTTP and path.parent not in SPEAKS_HTTP:
            found.append(f"{path}: {name}")
        if top == "pipelines" and here != "cli" and there not in {here, *BELOW[here]}:
            found.append(f"{path}: {name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if (owner, node.attr) in FORBIDDEN_CALLS and here not in WITH_A_CLOCK:
                found.append(f"{path}:{node.lineno}: {owner}.{node.attr}")
    return found


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) != "__init__"], ids=lambda path: path.stem)
def test_a_module_imports_only_what_its_room_may(path):
    assert faults(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("read/x.py", "from pipelines.validate import engine"),
        ("compute/x.py", "import pipelines.release.written_files"),
        ("compile/x.py", "from pipelines.read import Cells"),
        ("declarations/x.py", "from pipelines.compile import exports"),
        ("explain/x.py", "from pipelines.tables import national"),
        ("compute/x.py", "from pipelines.explain import Explainer"),
        ("release/x.py", "import dagster as dg"),
        ("release/x.py", "from assets import jobs"),
        ("cli.py", "from assets import jobs"),
        ("read/x.py", "import socket"),
        ("read/x.py", "from requests import get"),
        ("read/x.py", "day = datetime.datetime.now()"),
        ("read/x.py", "day = date.today()"),
        ("read/x.py", "now = time.time()"),
        ("read/x.py", "home = os.environ['HOME']"),
    ],
)
def test_the_walk_sees_each_fault(module, line):
    assert len(faults(PROJECT / "pipelines" / module, line)) == 1


def test_the_page_of_the_house_lists_rooms_above_those_that_they_import():
    page = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    order = re.findall(r"^\| `pipelines/(\w+)` \|", page, re.MULTILINE)
    assert sorted(order) == sorted([*BELOW, "cli"])
    for place, name in enumerate(order):
        assert BELOW.get(name, set()) <= set(order[place + 1 :]), name


@pytest.mark.parametrize("name", BELOW)
def test_a_room_may_import_only_those_that_it_does_import(name):
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in MODULES if room(path) == name]
    imported = {full.split(".")[1] for tree in trees for full, _ in imports(tree) if full.startswith("pipelines.")}
    assert imported - {name} == BELOW[name]


def test_a_command_may_import_assets_lazily():
    assert faults(PROJECT / "pipelines" / "cli.py", "def run():\n    from assets import jobs\n") == []


def test_the_environment_is_read_in_one_place():
    """But for DAGSTER_HOME, which Dagster wants there while an instance is opened."""
    paths = [*MODULES, *(PROJECT / "assets").rglob("*.py")]
    readers = {path.name for path in paths if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))}
    assert readers == {"settings.py", "instance.py"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def circles(imported: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import one another: what is left when those that import nothing left are taken away."""
    for _ in range(2):  # first those that import none of the others, then those that none of the others imports
        left = dict(imported)
        while free := [name for name, names in left.items() if not names & left.keys()]:
            for name in free:
                del left[name]
        imported = {name: {other for other in left if name in left[other]} for name in left}
    return [sorted(imported)] if imported else []


def test_no_module_imports_itself_through_others():
    paths = [*MODULES, *sorted((PROJECT / "assets").rglob("*.py"))]
    known = {module_name(path) for path in paths}
    imported: dict[str, set[str]] = {}
    for path in paths:
        name = module_name(path)
        there = {full if full in known else full.rpartition(".")[0] for full, _ in imports(ast.parse(path.read_text()))}
        imported[name] = (there & known) - {name}
    assert circles(imported) == []


def test_a_circle_is_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"c"}, "e": set()}) == [["b", "c"]]


def test_a_module_name_stands_in_one_room():
    """So that a name leads to one place: ``files`` of four rooms said nothing."""
    paths = [*MODULES, *(PROJECT / "assets").rglob("*.py")]
    counts = Counter(path.stem for path in paths if not path.stem.startswith("__"))
    assert [name for name, count in counts.items() if count > 1] == []


def heavy_imports(text: str) -> list[str]:
    return [name for name, _ in imports(ast.parse(text)) if name.partition(".")[0] in ("pandas", "pyarrow", "duckdb")]


@pytest.mark.parametrize("path", sorted((PROJECT / "assets").rglob("*.py")), ids=lambda path: path.stem)
def test_an_asset_is_a_shell_without_any_rule_about_data(path):
    assert heavy_imports(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("line", ["import pandas as pd", "from pyarrow import parquet", "def f():\n    import duckdb"])
def test_data_in_an_asset_is_seen(line):
    assert len(heavy_imports(line)) == 1


def of_the_project() -> list[tuple[str, ast.AST]]:
    paths = [*MODULES, *sorted((PROJECT / "assets").rglob("*.py"))]
    return [(str(path.relative_to(PROJECT)), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def test_the_state_is_read_and_written_in_one_place():
    """But for what ``protection`` remembers, in a room that it is given: it is made again whenever it isn't whole."""
    raw = {f"pipelines.flow.stored_files.{name}" for name in ("read_shaped", "write_json", "write_record")}
    defined = {f"pipelines.flow.stored_files.{name}" for name in vars(stored_files)}
    using = [path for path, tree in of_the_project() if raw & {name for name, _ in imports(tree)}]
    assert raw <= defined  # a function that got another name would be looked for in vain
    assert using == ["pipelines/flow/protection.py", "pipelines/flow/store.py"]


def test_a_status_is_written_in_one_place():
    words = {word.value for word in (*Status, *FigureStatus, *SignalState)} - {"erreur"}  # which is a severity too
    told = [
        path for path, tree in of_the_project() for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in words
    ]  # fmt: skip
    assert set(told) == {"pipelines/declarations/statuses.py"}


def test_the_formatter_is_off_for_tables_of_data_alone():
    for path in (*MODULES, *(PROJECT / "assets").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        lines = [number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# fmt: skip")]
        assert text.count("fmt: off") == 0, path
        for number in lines:
            tables = [node for node in ast.parse(text).body if isinstance(node, (ast.Assign, ast.AnnAssign))]
            assert any(node.lineno <= number <= node.end_lineno for node in tables), f"{path}:{number}"


def test_the_formats_of_workbooks_are_listed_in_one_place():
    lists = [
        (path, {item.value for item in node.elts if isinstance(item, ast.Constant)})
        for path, tree in of_the_project() for node in ast.walk(tree)
        if isinstance(node, ast.Tuple | ast.List | ast.Set)
    ]  # fmt: skip
    assert {path for path, values in lists if values >= set(WORKBOOKS)} == {"pipelines/declarations/network.py"}


def test_there_is_no_code_among_the_declarations():
    assert list((PROJECT / "schemas").rglob("*.py")) == []


def loaded_after(code: str) -> set[str]:
    ended = "import sys; print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", f"try:\n    {code}\nexcept SystemExit:\n    pass\n{ended}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.rsplit("LOADED", 1)[1].split())


def test_help_is_light():
    loaded = loaded_after("from pipelines.cli import main; main(['--help'])")
    assert loaded.isdisjoint({"pandas", "dagster", "frictionless", "pyarrow", "pandera", "duckdb", "pydantic", "yaml"})


def test_a_check_needs_no_orchestrator_and_what_it_refuses_no_engine(tmp_path):
    loaded = loaded_after("from pipelines.cli import main; main(['check'])")
    assert loaded.isdisjoint({"dagster", "pandera"})  # the examples that indicators declare are computed
    for name in ("networks", "indicators"):
        (tmp_path / name).mkdir()
    refused = loaded_after(f"from pipelines.cli import main; main(['check', '--schemas', {str(tmp_path)!r}])")
    assert refused.isdisjoint({"pandas", "dagster", "frictionless", "pyarrow", "duckdb"})


def test_a_run_that_cannot_start_never_imports_dagster():
    loaded = loaded_after(
        "from pipelines.cli import main; assert main(['run', '--exports', 'nulle-part', '--output', 'x']) == 2"
    )
    assert "fsspec" in loaded
    assert "dagster" not in loaded
