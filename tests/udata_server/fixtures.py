"""Fixtures of pytest on the test server, for tests marked e2e; tests/conftest.py makes them known to every test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import pytest

from udata_server.environment import HERE, OFFICIAL_CLIENT, PREVIEW, UDATA, RegistryUnreachable, python_of
from udata_server.server import Udata, running


def _python_of(lock: Path) -> Path:
    try:
        return python_of(lock)
    except RegistryUnreachable as unreachable:
        reason = f"{lock.stem} ne peut pas être installé, le registre de paquets ne répond pas : {unreachable}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def udata(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Udata]:
    """A real udata server, one per worker. Each test works in an organisation of its own: `udata.organization()`."""
    with running(_python_of(UDATA), tmp_path_factory.mktemp("udata") / "server") as server:
        yield server


@pytest.fixture(scope="session")
def official_client() -> Callable[[str, str, Path], dict[str, Any]]:
    """What the official client reads of a dataset (server, id): its title; its files by key, downloaded in a folder."""
    python = _python_of(OFFICIAL_CLIENT)

    def read(base_url: str, dataset: str, folder: Path) -> dict[str, Any]:
        command = [python, "-Es", HERE / "official_client.py", base_url, dataset, folder]
        return dict(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))

    return read


@pytest.fixture(scope="session")
def with_detector() -> Callable[[str, str], Any]:
    """Run a Python source with an argument where csv-detective is installed beside the project; return its JSON."""
    python = _python_of(PREVIEW)
    if find_library("magic") is None:
        assert not os.environ.get("CI"), "libmagic est attendue en intégration continue (.ci/run)"
        pytest.skip("libmagic n'est pas installée (apt-get install libmagic1) : csv-detective en a besoin")
    packages = next(python.parents[1].glob("lib/python*/site-packages"))
    paths = os.pathsep.join((str(packages), str(HERE.parents[1])))

    def run(source: str, argument: str) -> Any:
        command = [sys.executable, "-c", source, argument]
        environment = {**os.environ, "PYTHONPATH": paths}
        return json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)

    return run


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what campaigns counted (`record_property("counts", …)`), from whichever worker."""
    reports = [report for name in ("passed", "failed") for report in terminalreporter.stats.get(name, [])]
    counts = [
        f"{report.nodeid.rpartition('::')[2]} : {value}"
        for report in reports
        for name, value in report.user_properties
        if name == "counts" and report.when == "call"
    ]
    if counts:
        terminalreporter.section("comptes")
        terminalreporter.write_line("\n".join(counts))


@pytest.fixture
def organization(udata: Udata) -> str:
    """The identifier of an organisation that holds nothing yet, the editor being a member."""
    return udata.organization()
