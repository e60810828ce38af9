"""The services as an operator starts them (code server, daemon, web server), on an instance and networks of their own.

Tests and ``benchmarks/nightly.py`` use it; it judges nothing.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget
from dagster_graphql.test.utils import execute_dagster_graphql

PROJECT = Path(__file__).resolve().parents[2]
LOCATION = "resultats"
NETWORK = """
title: Guichets {name}
producer: Ministère d'exemple
description: Réseau d'exemple.
structure_type: Guichet
finest_level: site
years: {first}-{last}
{more}
acceptance: {{max_refused_share: 0.1, why: exemple}}
exports:
  - id: guichet
    kind: survey
    title: Enquête au guichet
    fields:
      - {{name: jour, label: Jour, type: date, format: "%d/%m/%Y", constraints: {{required: true}}}}
      - {{name: poste, label: Poste, constraints: {{required: true}}}}
      - {{name: avis, label: Avis, constraints: {{enum: [content, mécontent]}}}}
    period: {{field: jour, frequency: quarter}}
    level: site
    structure: {{code: poste}}
    layouts:
      - {{years: {first}-{last}, path: "{name}/guichet-{{year}}.csv", delimiter: ";", encoding: utf-8}}
"""
INDICATOR = """
title: Part des usagers contents
definition: Part des réponses « content » parmi les réponses.
type: satisfaction
unit: "%"
unit_family: taux
direction: higher
estimator: {name: share, favourable: [content], among: [content, mécontent]}
decimals: 1
year: pooled
levels:
  site: {obtained: pooled}
  national: {obtained: pooled}
networks:
"""
LAUNCH = """mutation($p: ExecutionParams!){ launchRun(executionParams: $p){ __typename
  ... on LaunchRunSuccess{ run{ runId } } ... on PythonError{ message }
  ... on RunConfigValidationInvalid{ errors{ message } } ... on InvalidSubsetError{ message } } }"""


def small_project(folder: Path, names: Sequence[str], years: range, more: str = "") -> tuple[Path, Path]:
    """Write declarations and exports of small networks; return both folders. ``more``: further keys of each network."""
    schemas, exports = folder / "schemas", folder / "exports"
    for kept in ("tables", "datasets", "references"):
        shutil.copytree(PROJECT / "schemas" / kept, schemas / kept)
    (schemas / "networks").mkdir()
    (schemas / "indicators").mkdir()
    feeds = "".join(f"  {name}: {{export: guichet, inputs: {{answer: avis}}}}\n" for name in names)
    (schemas / "indicators" / "contents.yml").write_text(INDICATOR + feeds, encoding="utf-8")
    for name in names:
        text = NETWORK.format(name=name, first=years[0], last=years[-1], more=more)
        (schemas / "networks" / f"{name}.yml").write_text(text, encoding="utf-8")
        (exports / name).mkdir(parents=True)
        for year in years:
            write_export(exports, name, year)
    return schemas, exports


def write_export(exports: Path, name: str, year: int, unhappy: int = 4, offices: int = 3) -> Path:
    """Write the file of a network-year: forty answers by office, one of ``unhappy`` isn't happy."""
    rows = [
        f"{1 + day % 28:02d}/{1 + day % 12:02d}/{year};P{office};{'mécontent' if day % unhappy == 0 else 'content'}"
        for office in range(offices) for day in range(40)
    ]  # fmt: skip
    path = exports / name / f"guichet-{year}.csv"
    path.write_text("\n".join(["Jour;Poste;Avis", *rows]) + "\n", encoding="utf-8")
    return path


class Service:
    """Code server, daemon and web server of an instance in ``folder``: reads ``exports``, writes ``folder/output``."""

    def __init__(
        self, folder: Path, schemas: Path, exports: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder, self.home, self.output = folder, folder / "home", folder / "output"
        self.home.mkdir()
        config = (PROJECT / "dagster.yaml").read_text(encoding="utf-8").replace("data/state", str(folder / "state"))
        (self.home / "dagster.yaml").write_text(config, encoding="utf-8")
        self.port, self.web = free_port(), free_port()
        (self.home / "workspace.yaml").write_text(
            f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {self.port}, location_name: {LOCATION}}}\n"
        )
        self.environment = {
            **os.environ, **(environment or {}), "DAGSTER_HOME": str(self.home), "RESULTATS_EXPORTS": str(exports),
            "RESULTATS_OUTPUT": str(self.output), "RESULTATS_SCHEMAS": str(schemas),
            "PYTHONPATH": str(PROJECT), "COVERAGE_PROCESS_START": "",
        }  # fmt: skip
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, *command: str) -> None:
        """Run a command of Python's modules in the environment of the services."""
        subprocess.run([sys.executable, "-m", *command], env=self.environment, cwd=PROJECT, check=True)

    def start(self, *names: str) -> None:
        """Start ``code``, ``daemon`` (both by default) or ``webserver``."""
        commands = {
            "code": ["dagster", "api", "grpc", "-h", "127.0.0.1", "-p", str(self.port), "-m", "assets.location",
                     "--location-name", LOCATION],
            "daemon": ["dagster._daemon", "run", "-w", str(self.home / "workspace.yaml")],
            "webserver": ["dagster_webserver", "-h", "127.0.0.1", "-p", str(self.web),
                          "-w", str(self.home / "workspace.yaml")],
        }  # fmt: skip
        for name in names or ("code", "daemon"):
            log = (self.folder / f"{name}.log").open("ab")
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *commands[name]],
                env=self.environment, cwd=PROJECT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            if name != "daemon":
                wait_for(partial(self._listens, name, self.port if name == "code" else self.web), 60)

    def _listens(self, name: str, port: int) -> bool:
        assert self.processes[name].poll() is None, (self.folder / f"{name}.log").read_text(encoding="utf-8")[-2000:]
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def kill(self, name: str) -> None:
        """Kill one service alone, as SIGKILL does: its children live on."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(20)

    def stop(self) -> None:
        """Kill the services with all they started."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
        self.processes.clear()

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Open the instance from this process."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            yield instance

    def ask(self, instance: dg.DagsterInstance, query: str, variables: dict[str, Any]) -> Any:
        """Return the answer of Dagster's GraphQL, as its web server gives it."""
        target = GrpcServerTarget(host="127.0.0.1", port=self.port, socket=None, location_name=LOCATION)
        with WorkspaceProcessContext(instance, target) as context:
            answer = execute_dagster_graphql(context.create_request_context(), query, variables)
        assert not answer.errors, answer.errors
        return answer.data

    def launch(
        self,
        instance: dg.DagsterInstance,
        job: str,
        assets: Sequence[Sequence[str]] = (),
        partition: str = "",
        config: dict[str, Any] | None = None,
    ) -> str:
        """Launch a run as the UI does; return its id."""
        tags = [{"key": "dagster/partition", "value": partition}] if partition else []
        selector: dict[str, Any] = {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "jobName": job,
        }
        if assets:
            selector["assetSelection"] = [{"path": list(path)} for path in assets]
        parameters = {"selector": selector, "runConfigData": config or {}, "executionMetadata": {"tags": tags},
                      "mode": "default"}  # fmt: skip
        launched = self.ask(instance, LAUNCH, {"p": parameters})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(found: Callable[[], Any], seconds: float, every: float = 0.3) -> Any:
    """Wait until ``found`` gives something true, and return it; fails when it takes too long. Asks every so often."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, f"attendu plus de {seconds} s"
        time.sleep(every)
    return value
