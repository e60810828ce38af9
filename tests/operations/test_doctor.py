"""``resultats doctor``: what is ready is said so, each fault is found, and no secret is ever shown."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.operations import doctor
from pipelines.operations.doctor import diagnose

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ready(tmp_path, monkeypatch) -> Path:
    """A machine where all is ready, but that no daemon runs yet: its output folder."""
    import dagster as dg

    for name in (*doctor.SECRETS, "RESULTATS_SMTP_HOST", "RESULTATS_TARGET", "RESULTATS_EXPORTS"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    config = (PROJECT / "dagster.yaml").read_text(encoding="utf-8").replace("data/state", str(home / "state"))
    (home / "dagster.yaml").write_text(config, encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    dg.DagsterInstance.get().dispose()
    return tmp_path / "output"


def states(output: Path, **options: bool) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for item in diagnose(output, **options):
        found.setdefault(item.subject, []).append((item.state, item.message))
    return found


def test_a_ready_machine_is_ready(ready, capsys):
    found = states(ready, target=True)
    assert {subject for subject, items in found.items() if any(state == "panne" for state, _ in items)} == set()
    assert found["Instance"][0][0] == "bon"
    assert found["Démon"][0] == ("avertissement", "aucun signe de vie depuis toujours")
    assert found["Cible"][0][0] == "ignoré"
    assert main(["doctor", "--output", str(ready), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pret"] is True
    assert main(["doctor", "--output", str(ready)]) == 0
    assert capsys.readouterr().out.startswith("Tout est prêt")


def test_each_fault_is_found(ready, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RESULTATS_EXPORTS", str(tmp_path / "nulle-part"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "vide"))
    monkeypatch.setenv("RESULTATS_SMTP_HOST", "smtp.example")
    monkeypatch.setattr(doctor, "TOO_LITTLE", 2**70)
    blocked = tmp_path / "fichier"
    blocked.touch()
    found = states(ready)
    assert {subject for subject, items in found.items() if any(state == "panne" for state, _ in items)} == {
        "Disque", "Exports", "Instance", "Alertes",
    }  # fmt: skip
    assert states(blocked / "dessous")["Sortie"][0][0] == "panne"
    assert main(["doctor", "--output", str(ready)]) == 1
    told = capsys.readouterr().out
    assert told.startswith("4 pannes à réparer")
    assert "indiquer DAGSTER_HOME" in told


def test_an_instance_never_prepared_is_not_made_by_looking(ready, tmp_path, monkeypatch):
    home = tmp_path / "neuf"
    home.mkdir()
    (home / "dagster.yaml").write_text(
        (PROJECT / "dagster.yaml").read_text().replace("data/state", str(home / "state"))
    )
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert states(ready)["Instance"][0][0] == "panne"
    assert sorted(path.name for path in home.iterdir()) == ["dagster.yaml"]


def test_a_clock_that_lost_the_time_is_told(ready, monkeypatch):
    monkeypatch.setattr(doctor, "FORMER", datetime.datetime(2999, 1, 1, tzinfo=datetime.UTC))
    assert states(ready)["Horloge"][0][0] == "panne"


def test_no_secret_is_shown(ready, tmp_path, monkeypatch, capsys):
    secret = "Ne-Pas-Montrer-42"
    for name in doctor.SECRETS:
        monkeypatch.setenv(name, f"http://127.0.0.1:9/{secret}" if name.endswith("URL") else secret)
    file = tmp_path / "cle"
    file.write_text(secret)
    file.chmod(0o644)
    monkeypatch.delenv("RESULTATS_API_KEY")
    monkeypatch.setenv("RESULTATS_API_KEY_FILE", str(file))
    monkeypatch.setenv("RESULTATS_SMTP_PASSWORD_FILE", str(tmp_path / secret / "absent"))
    for option in ((), ("--json",)):
        main(["doctor", "--output", str(ready), *option])
        told = capsys.readouterr()
        assert "lisible par tous" in " ".join(told.out.split())
        assert secret not in told.out.replace(str(tmp_path / secret), "")
        assert "RESULTATS_WEBHOOK_TOKEN : présente" in told.out
    assert os.environ["RESULTATS_API_KEY_FILE"] == str(file)


@pytest.mark.parametrize("account", ["moi:Secret-42@", "Secret-42@"])
@pytest.mark.parametrize(
    "address", ["http://{}127.0.0.1:9", "https://{}exemple.fr/chemin", "{}exemple.fr", "ftp://{}exemple.fr"]
)
def test_an_account_in_the_address_of_the_target_is_refused_and_never_shown(
    ready, monkeypatch, capsys, account, address
):
    target = address.format(account)
    monkeypatch.setenv("RESULTATS_TARGET", target)
    for command in (
        ["doctor", "--output", str(ready), "--target"], ["doctor", "--output", str(ready), "--target", "--json"],
        ["publish", "--output", str(ready), "--target", target, "--yes"],
    ):  # fmt: skip
        assert main(command) in (1, 2)
        told = capsys.readouterr()
        assert "Secret-42" not in told.out + told.err
        assert "ni nom ni mot de passe" in " ".join((told.out + told.err).split())


@pytest.mark.parametrize("address", ["https://exemple.fr/?token=Secret-42", "http://127.0.0.1:9#Secret-42"])
def test_what_follows_the_address_of_a_site_is_refused_and_never_shown(ready, monkeypatch, capsys, address):
    monkeypatch.setenv("RESULTATS_API_KEY", "clé".encode().hex())
    monkeypatch.setenv("RESULTATS_ORGANIZATION", "nous")
    for name in ("RESULTATS_TARGET", "RESULTATS_LETTERS_URL"):
        monkeypatch.setenv(name, address)
    for command in (
        ["doctor", "--output", str(ready), "--target", "--json"],
        ["publish", "--output", str(ready), "--target", address, "--yes"],
    ):
        assert main(command) in (1, 2)
        told = capsys.readouterr()
        assert "Secret-42" not in told.out + told.err
        assert "« ? »" in told.out + told.err
    assert states(ready)["Lettres"][0][0] == "panne"


def test_an_address_that_would_show_the_key_is_refused(ready, monkeypatch):
    monkeypatch.setenv("RESULTATS_TARGET", "http://exemple.fr")
    assert states(ready)["Publication"][0][0] == "panne"
    assert states(ready, target=True)["Cible"] == [
        ("panne", "http://exemple.fr : la clé y serait lisible en chemin ; donner l'adresse en https://")
    ]


def test_libraries_are_held_against_the_lock(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "pandas==0.1 \\\n    --hash=sha256:00\nnulle-part==1.0 \\\n    --hash=sha256:00\n"
        "pyarrow==0.2 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )
    assert list(doctor.locked(lock)) == [("pandas", "0.1"), ("nulle-part", "1.0")]
    (told,) = doctor.differing_libraries(lock)
    assert told.startswith("pandas 3")
    assert told.endswith("(verrou : 0.1)")
    assert len(list(doctor.locked(PROJECT / "requirements.lock"))) > 100
    assert doctor.absent_libraries() == []


@pytest.mark.parametrize(
    ("url", "shared", "state"),
    [
        ("", False, "ignoré"), ("https://lettres.example.fr", False, "bon"),
        ("https://moi:secret@lettres.example.fr", False, "panne"),
        ("http://lettres.example.fr", False, "avertissement"),
        ("https://lettres.example.fr", True, "avertissement"),
    ],
)  # fmt: skip
def test_links_to_letters_are_looked_at(ready, monkeypatch, url, shared, state):
    monkeypatch.setenv("RESULTATS_LETTERS_URL", url)
    ((found, _),) = states(f"memory://{ready.name}" if shared else ready)["Lettres"]
    assert found == state
