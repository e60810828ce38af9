"""Releases over the nights: synthetic then real exports, a replaced file, a rollback; each proved from the archive."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from test_main_job import release, table

from pipelines.cli import main
from pipelines.release.changelog import known_versions

pytestmark = pytest.mark.e2e
DATASET = "resultats-services-publics"


def command(*words: object, code: int = 0) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        assert main([str(word) for word in words]) == code, told.getvalue()
    return told.getvalue()


def night(exports: Path, schemas: Path, output: Path, network: str) -> None:
    places = ("--exports", exports, "--output", output, "--schemas", schemas)
    command("run", *places, "--network", network, "--year", "2024")


def replace_a_value(path: Path) -> None:
    """Change one figure of the file (calls answered), as a network that sends its file again."""
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        content = archive.read(name)
    assert b";4237;3977;" in content
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content.replace(b";4237;3977;", b";4237;3900;"))


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory, samples: Path, few_networks: Callable[..., Path]
) -> tuple[Path, Path, Path]:
    """Exports, declarations and the output of three nights: invented exports, real ones, then a file replaced.

    Of one network, then of another; a third one is never asked.
    """
    folder = tmp_path_factory.mktemp("story")
    exports, output = folder / "exports", folder / "output"
    schemas = few_networks("prefectures", "gendarmerie", "securite")
    shutil.copytree(samples / "gendarmerie", exports / "gendarmerie")
    night(samples, schemas, output, "prefectures")
    night(exports, schemas, output, "gendarmerie")
    replace_a_value(exports / "gendarmerie" / "resultats-2024.zip")
    night(exports, schemas, output, "gendarmerie")
    return exports, schemas, output


@pytest.fixture
def output(story: tuple[Path, Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(story[-1], tmp_path / "output"))


def test_every_change_has_its_reason(story):
    *_, output = story
    versions = known_versions(output / "releases", DATASET)
    assert len(versions) == 3
    second, third = (table(output, "journal", item.version) for item in versions[1:])
    received = second[second["table"] == "resultats"].groupby("motif")["colonne"].agg(set).to_dict()
    assert received.keys() == {
        "Données reçues depuis la version précédente : gendarmerie/resultats-2024.zip.",
        "La racine des exports dit autrement si ses données sont synthétiques.",  # rows of networks never asked
    }
    replaced = third[third["table"] == "resultats"]
    assert set(replaced["motif"]) == {"Fichier remplacé par le réseau : gendarmerie/resultats-2024.zip."}
    assert set(replaced["nature"]) == {"révision"}
    assert "inexpliqué" not in {*second["nature"], *third["nature"]}
    assert versions[2].reason is not None and "Fichier remplacé" in versions[2].reason


def test_a_release_of_invented_and_real_exports_is_made_again_from_the_archive(story):
    *_, output = story
    second = known_versions(output / "releases", DATASET)[1].version
    told = command("verify", second, "--output", output)
    assert "3 versions, empreintes, chaîne et journaux : conformes." in told
    assert f"{second} : refaite depuis l'archive, identique." in told
    assert "autre version des bibliothèques" not in told


def test_a_rollback_holds_the_next_night(story, output):
    exports, schemas, _ = story
    second, third = (item.version for item in known_versions(output / "releases", DATASET)[1:])
    reason = ("--reason", "le fichier renvoyé était faux")
    told = command("rollback", "--to", second, *reason, "--output", output, "--schemas", schemas)
    assert "aucune nouvelle version" in told
    (last,) = {path.name for path in (output / "releases" / DATASET).iterdir()} - {"1.0.0", second, third}
    page = json.loads((output / "catalogue" / DATASET / "dataset.json").read_text("utf-8"))
    assert page["version"] == last
    told = json.loads((output / "site" / "versions.json").read_text("utf-8"))  # the site went back with it
    assert [(item["version"], item["remplacee_par_retour"]) for item in told["versions"]] == [
        (last, None), (third, last), (second, None), ("1.0.0", None),
    ]  # fmt: skip
    assert "le fichier renvoyé était faux" in (output / "site" / "donnees" / "versions" / f"{last}.html").read_text(
        "utf-8"
    )
    results = [table(output, "resultats", version).drop(columns="version_publication") for version in (second, last)]
    assert results[0].equals(results[1])
    night(exports, schemas, output, "gendarmerie")
    assert known_versions(output / "releases", DATASET)[-1].version == last
    assert f"retour à la version {second}, mêmes tables" in command("verify", "--output", output)


def test_what_can_no_longer_be_proved_is_told(output):
    third = known_versions(output / "releases", DATASET)[-1].version
    descriptor = json.loads((release(output, third) / "datapackage.json").read_text("utf-8"))
    receptions = descriptor["inputs"]["receptions"]
    (received,) = next(item for item in receptions if item["network"] == "gendarmerie")["files"]
    archived = output / "archive" / received["sha256"][:2] / received["sha256"]
    archived.chmod(0o644)
    archived.write_bytes(b"autre chose")
    told = command("verify", "--output", output, code=1)
    assert "impossible à refaire, gendarmerie/resultats-2024.zip n'est plus dans l'archive" in told
    journal = release(output, third) / "journal.csv"
    journal.chmod(0o644)
    journal.write_text("table\n")
    assert "l'empreinte de journal.csv ne correspond pas" in command(
        "verify", "--no-rebuild", "--output", output, code=1
    )
    assert "version 9.9.9 inconnue" in command("verify", "9.9.9", "--output", output, code=2)
    assert "aucune version publiée" in command("verify", "--output", output / "rien", code=2)
