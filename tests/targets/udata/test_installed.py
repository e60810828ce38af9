"""A publication with just the environment that ``deploy/environment.example`` gives: the key is in a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from udata_server.server import Udata

from pipelines.cli import main

PROJECT = Path(__file__).resolve().parents[3]
SET = re.compile(r"^#?(?P<name>(?:RESULTATS|DAGSTER)_[A-Z_]+)=(?P<value>.*)$", re.MULTILINE)
PUBLICATION = ("RESULTATS_TARGET", "RESULTATS_PUBLISH", "RESULTATS_ORGANIZATION", "RESULTATS_API_KEY_FILE")

pytestmark = pytest.mark.e2e


@pytest.fixture
def installed(udata: Udata, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of the example, its folders below ``tmp_path`` and its target the test server; the output."""
    text = (PROJECT / "deploy" / "environment.example").read_text(encoding="utf-8")
    named = {found["name"]: found["value"] for found in SET.finditer(text)}
    always = {found["name"] for found in SET.finditer(text) if not found[0].startswith("#")}
    account = udata.publisher()
    for name in always | set(PUBLICATION):
        value = named[name].replace("/opt/resultats", str(PROJECT))
        value = re.sub("^(?=/(etc|srv|var)/)", str(tmp_path), value)
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RESULTATS_API_KEY", raising=False)
    monkeypatch.setenv("RESULTATS_TARGET", udata.base_url)
    monkeypatch.setenv("RESULTATS_ORGANIZATION", account.organization)
    key = tmp_path / "etc" / "resultats" / "secrets" / "outside" / "api-key"
    key.parent.mkdir(parents=True)
    key.write_text(account.key + "\n", encoding="utf-8")
    key.chmod(0o640)
    home = tmp_path / "var" / "lib" / "resultats"
    home.mkdir(parents=True)
    (home / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
    (tmp_path / "srv" / "exports").mkdir(parents=True)
    return home / "output"


def readings(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str]]:
    main(["doctor", "--target", "--json"])
    found = json.loads(capsys.readouterr().out)["constats"]
    return {item["subject"]: (item["state"], item["message"]) for item in found}


def test_the_installed_environment_publishes(installed, udata, few_networks, samples, monkeypatch, capsys):
    schemas = few_networks("securite")
    monkeypatch.setenv("RESULTATS_SCHEMAS", str(schemas))
    assert main(["instance", "prepare"]) == 0
    assert main(["run", "--exports", str(samples), "--output", str(installed), "--year", "2024"]) == 0
    capsys.readouterr()
    found = readings(capsys)
    assert found["Publication"][0] == "bon"
    assert found["Cible"][0] == "bon"
    assert main(["publish", "--target", udata.base_url, "--yes", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert report["applied"]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("RESULTATS_API_KEY_FILE", "{tmp}/absent", "ne se lit pas"),
        ("RESULTATS_API_KEY", "autre", "à la fois"),
        ("RESULTATS_ORGANIZATION", "", "RESULTATS_ORGANIZATION"),
    ],
)
def test_doctor_refuses_what_publish_refuses(installed, udata, tmp_path, monkeypatch, capsys, name, value, told):
    monkeypatch.setenv(name, value.format(tmp=tmp_path))
    assert main(["publish", "--target", udata.base_url, "--yes"]) == 2
    assert told in capsys.readouterr().err.replace("tous les deux", "à la fois")
    found = readings(capsys)
    assert (found["Publication"][0], found["Cible"][0]) == ("panne", "panne")


def test_doctor_asks_the_platform_whether_it_knows_the_key(installed, udata, tmp_path, monkeypatch, capsys):
    key = tmp_path / "etc" / "resultats" / "secrets" / "outside" / "api-key"
    key.write_text("une-clef-que-personne-ne-connait", encoding="utf-8")
    state, message = readings(capsys)["Cible"]
    assert state == "panne"
    assert "une-clef" not in message
    monkeypatch.setenv("RESULTATS_ORGANIZATION", "inconnue")
    key.write_text(udata.publisher().key, encoding="utf-8")
    state, message = readings(capsys)["Cible"]
    assert state == "panne"
    assert "inconnue" in message


def test_doctor_compares_the_clock_with_that_of_the_platform(installed, monkeypatch, capsys):
    from pipelines.operations import doctor

    now = doctor.time.time() + 7200
    monkeypatch.setattr(doctor.time, "time", lambda: now)
    main(["doctor", "--target", "--json"])
    found = [item for item in json.loads(capsys.readouterr().out)["constats"] if item["subject"] == "Horloge"]
    assert ("panne", True) in {(item["state"], "s sur celle de la cible" in item["message"]) for item in found}
