"""The site that a run leaves: every figure of every page is the release's, every yearly row is on its page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fixtures.read_back import figure_faults, structural_faults

from pipelines.cli import main
from pipelines.release import history

pytestmark = pytest.mark.e2e

DATASET = "resultats-services-publics"


def _latest(output: Path) -> Path:
    releases = output / "releases"
    return releases / DATASET / history.versions(releases, DATASET)[-1]


@pytest.mark.parametrize("run", ["whole_run", "real_run"])
def test_pages_and_release_say_the_same(request, run):
    output, _ = request.getfixturevalue(run)
    assert figure_faults(output / "site", _latest(output)) == []
    assert structural_faults(output / "site") == []


def test_the_command_writes_what_differs(whole_run, tmp_path, capsys):
    output, _ = whole_run
    folder = tmp_path / "site"
    words = ["site", "--output", str(output), "--site", str(folder), "--json"]
    assert main(words) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["ecrits"] == first["fichiers"] > 1000
    assert {path.name for path in folder.iterdir()} == {path.name for path in (output / "site").iterdir()}
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["ecrits"] == 0
    assert main([*words, "--release", "9.9.9"]) == 1
    assert "version 9.9.9 inconnue" in capsys.readouterr().err


def test_the_site_follows_what_is_published_by_hand(whole_run, tmp_path):
    output = Path(shutil.copytree(whole_run[0], tmp_path / "output"))
    publish = ["publish", "--yes", "--output", str(output)]
    shutil.rmtree(output / "catalogue")
    (output / "site" / "versions.json").unlink()
    assert main(publish) == 0
    assert (output / "site" / "versions.json").is_file()
    shutil.rmtree(output / "catalogue")
    shutil.rmtree(output / "site")
    assert main(publish) == 0
    assert not (output / "site").exists()  # who wants no site has none


def test_without_a_version_the_command_says_what_to_do(tmp_path, capsys):
    assert main(["site", "--output", str(tmp_path)]) == 2
    assert "lancer « resultats run »" in capsys.readouterr().err
