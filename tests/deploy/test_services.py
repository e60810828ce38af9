"""The services as their units start them, behind nginx, with planted secrets: what works, who may do what, what leaks.

One installation for all: a run that refuses a file, alerts that can't leave, a run launched from the UI.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from front import PASSWORD, free_port, nginx, wait_for

from assets.jobs import STAGES
from assets.step_failures import stage_key

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# As systemd starts them. A shell that runs tests in the background (``&``) leaves SIGINT ignored by all below it; and
# Dagster's code server takes SIGTERM as it finds SIGINT: it would hear neither.
HEARS_SIGNALS = ("env", "--default-signal=INT")
PLANTED = {
    "RESULTATS_API_KEY": "cle-api-plantee-5f1c",
    "RESULTATS_SMTP_PASSWORD": "smtp-plante-81ab",
    "RESULTATS_WEBHOOK_TOKEN": "jeton-plante-93cd",
    "RESULTATS_PG_PASSWORD": "pg-plante-77ef",
}
WEBHOOK_PATH = "chemin-plante-20aa"
LAUNCH = """mutation($p: ExecutionParams!){ launchRun(executionParams: $p){ __typename
  ... on LaunchRunSuccess{ run{ runId } } ... on PythonError{ message } } }"""

pytestmark = pytest.mark.e2e


@dataclass
class Installation:
    """A home folder, its services and the site in front of them."""

    home: Path
    environment: dict[str, str]
    services: dict[str, subprocess.Popen[bytes]]
    ports: dict[str, int]
    site: str = ""
    authority: str = ""

    def ask(self, path: str, account: str, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask GraphQL through nginx; return the data."""
        answer = requests.post(
            f"{self.site}{path}", json={"query": query, "variables": variables or {}}, auth=(account, PASSWORD),
            verify=self.authority, timeout=60,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text[:500]
        assert "errors" not in answer.json(), answer.text[:500]
        found: dict[str, Any] = answer.json()["data"]
        return found


def commands(installation: Installation, unit: str) -> list[list[str]]:
    """Return the commands of a unit, with the programs, folders and ports of the test."""
    text = (PROJECT / "deploy" / "systemd" / f"resultats-{unit}.service").read_text(encoding="utf-8")
    text = text.replace("/opt/resultats/.venv/bin", str(BIN))
    text = text.replace("/opt/resultats/deploy/workspace.yaml", str(installation.home / "workspace.yaml"))
    for name, port in (("webserver", 3000), ("readonly", 3001), ("code", 4000)):
        text = text.replace(f"--port {port}", f"--port {installation.ports[name]}")
    return [shlex.split(line) for line in re.findall(r"^ExecStart=(.*)$", text, flags=re.MULTILINE)]


def environment_of(home: Path, exports: Path, schemas: Path) -> dict[str, str]:
    """Return the environment of the example, with the places of the test and planted secrets, in files."""
    lines = (PROJECT / "deploy" / "environment.example").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    given |= {
        "DAGSTER_HOME": str(home), "RESULTATS_EXPORTS": str(exports), "RESULTATS_OUTPUT": str(home / "output"),
        "RESULTATS_SCHEMAS": str(schemas), "RESULTATS_ALERT_HOUR": "0",
        "RESULTATS_SMTP_HOST": "127.0.0.1", "RESULTATS_SMTP_PORT": str(free_port()), "RESULTATS_SMTP_USER": "moi",
        "RESULTATS_ALERT_FROM": "a@example.fr", "RESULTATS_ALERT_TO": "b@example.fr",
        "PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": ":".join(filter(None, sys.path)),
    }  # fmt: skip
    secrets = home.parent / "secrets"
    secrets.mkdir()
    webhook = {"RESULTATS_WEBHOOK_URL": f"http://127.0.0.1:{free_port()}/{WEBHOOK_PATH}"}
    for name, value in {**PLANTED, **webhook}.items():
        (secrets / name).write_text(f"{value}\n", encoding="utf-8")
        (secrets / name).chmod(0o600)
        given[f"{name}_FILE"] = str(secrets / name)
    return given


@pytest.fixture(scope="module")
def installation(samples, few_networks, tmp_path_factory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("installation")
    home, exports = folder / "home", folder / "exports"
    home.mkdir()
    for name in ("gendarmerie", "barometre-2024"):
        shutil.copytree(samples / name, exports / name)
    (exports / "gendarmerie" / "resultats-2024.zip").write_bytes(b"not a zip")
    shutil.copy(PROJECT / "dagster.yaml", home)
    ports = {name: free_port() for name in ("code", "webserver", "readonly")}
    text = (PROJECT / "deploy" / "workspace.yaml").read_text(encoding="utf-8")
    (home / "workspace.yaml").write_text(text.replace("4000", str(ports["code"])), encoding="utf-8")
    schemas = few_networks("gendarmerie", "securite")
    made = Installation(home, environment_of(home, exports, schemas), {}, ports)

    def run(*command: str) -> None:
        done = subprocess.run(command, cwd=home, env=made.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr[-3000:]

    with contextlib.ExitStack() as stack:
        stack.callback(stop, made)
        for command in commands(made, "prepare"):
            run(*command)
        exported = ("--exports", str(exports), "--output", str(home / "output"))
        run(f"{BIN}/resultats", "run", *exported, "--network", "gendarmerie", "--year", "2024")
        for name in ("code", "webserver", "readonly", "daemon"):
            log = stack.enter_context((home / f"{name}.log").open("wb"))
            (command,) = commands(made, name)
            made.services[name] = subprocess.Popen(
                [*HEARS_SIGNALS, *command], cwd=home, env=made.environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
            if name == "code":
                wait_for(ports["code"], made.services["code"], 120)
        for name in ("webserver", "readonly"):
            wait_for(ports[name], made.services[name], 120)
        behind = {3000: ports["webserver"], 3001: ports["readonly"]}
        made.site, authority = stack.enter_context(nginx(folder, "resultats.conf", behind))
        made.authority = str(authority)
        yield made


def stop(installation: Installation) -> None:
    """Stop the services as systemd does, the code server last."""
    for name in reversed(list(installation.services)):
        service = installation.services[name]
        if service.poll() is None:
            service.send_signal(signal.SIGTERM)
    for service in installation.services.values():
        service.wait(120)


def until(found: Callable[[], Any], seconds: float = 120) -> Any:
    """Ask again until there is an answer."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline
        time.sleep(1)
    return answer


def launch(selector: dict[str, Any]) -> dict[str, Any]:
    keys = [{"path": list(stage_key("securite", stage).path)} for stage in STAGES]
    tags = [{"key": "dagster/partition", "value": "2024"}]
    return {
        "p": {
            "selector": {**selector, "pipelineName": "reseaux", "assetSelection": keys},
            "runConfigData": {}, "mode": "default", "executionMetadata": {"tags": tags},
        }
    }  # fmt: skip


def test_the_team_launches_readers_only_read_and_no_secret_is_anywhere(installation):
    selector = {"repositoryLocationName": "resultats", "repositoryName": "__repository__"}
    # Readers see the pages and the runs, and may launch nothing.
    page = requests.get(
        f"{installation.site}/lecture/", auth=("lecteur", PASSWORD), verify=installation.authority, timeout=60
    )
    assert page.ok
    assert "/lecture" in page.text
    runs = installation.ask("/lecture/graphql", "lecteur", "{runsOrError{... on Runs{results{jobName status}}}}")
    assert {"jobName": "reseaux", "status": "FAILURE"} in runs["runsOrError"]["results"]
    refused = installation.ask("/lecture/graphql", "lecteur", LAUNCH, launch(selector))
    assert refused["launchRun"]["__typename"] == "UnauthorizedError"
    # The team launches; the daemon takes the run, the code server starts it.
    launched = installation.ask("/graphql", "equipe", LAUNCH, launch(selector))["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = launched["run"]["runId"]

    def ended() -> str | None:
        query = f'{{runOrError(runId: "{run}"){{... on Run{{status}}}}}}'
        status = installation.ask("/graphql", "equipe", query)["runOrError"]["status"]
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

    assert until(ended) == "SUCCESS"
    # The alerts can't leave: that is told, without what is secret.
    query = """query($s: SensorSelector!){ sensorOrError(sensorSelector: $s){ ... on Sensor{ sensorState{
      ticks(limit: 5){ status error{ message causes{ message } } } } } } }"""

    def failed_tick() -> str | None:
        told = installation.ask("/graphql", "equipe", query, {"s": {**selector, "sensorName": "alertes"}})
        ticks = told["sensorOrError"]["sensorState"]["ticks"]
        return next((str(tick["error"]) for tick in ticks if tick["error"]), None)

    told = until(failed_tick)
    assert "courriel" in told
    assert "le webhook ne répond pas" in told
    # With all services up, the machine is ready, but for those that can't be reached.
    doctor = subprocess.run(
        [f"{BIN}/resultats", "doctor", "--mail"], cwd=installation.home, env=installation.environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "tous ses services donnent signe de vie" in doctor.stdout
    assert doctor.stdout.count("panne") == 3  # e-mail, webhook, and their count
    (installation.home / "doctor.log").write_text(doctor.stdout + doctor.stderr, encoding="utf-8")
    arguments = b"".join(
        path.read_bytes() for service in installation.services.values()
        for path in [Path(f"/proc/{service.pid}/cmdline"), Path(f"/proc/{service.pid}/environ")]
    )  # fmt: skip
    started = time.monotonic()
    stop(installation)
    assert time.monotonic() - started < 45
    # Databases, events, logs of steps and services, outputs, releases, archive: nothing holds any of them.
    secrets = [value.encode() for value in (*PLANTED.values(), WEBHOOK_PATH)]
    looked = [path for path in installation.home.rglob("*") if path.is_file()]
    names = {path.name for path in looked}
    assert {"runs.db", "index.db", "schedules.db", "report.json", "resultats-annuels.csv", "webserver.log"} <= names
    assert any("compute_logs" in path.parts for path in looked)
    assert [path for path in looked if any(secret in path.read_bytes() for secret in secrets)] == []
    assert not any(secret in arguments for secret in secrets)
