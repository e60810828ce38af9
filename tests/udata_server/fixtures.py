"""Fixtures of pytest on the test server, for tests marked e2e; tests/conftest.py makes them known to every test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from udata_server.environment import RegistryUnreachable, python_of_udata
from udata_server.server import Udata, running


@pytest.fixture(scope="session")
def udata(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Udata]:
    """A real udata server, one per worker. Each test works in an organisation of its own: `udata.organization()`."""
    try:
        python = python_of_udata()
    except RegistryUnreachable as unreachable:
        reason = f"udata ne peut pas être installé, le registre de paquets ne répond pas : {unreachable}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with running(python, tmp_path_factory.mktemp("udata") / "server") as server:
        yield server


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
