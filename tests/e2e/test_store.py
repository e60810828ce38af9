"""What stays in an output between runs: provenance, failures, declarations never pass for what they are not."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

import pytest
from test_main_job import release, table

from pipelines.cli import main

pytestmark = pytest.mark.e2e


def run(few: Path, exports: Path, output: Path, network: str, *more: str, code: int = 0) -> str:
    told = io.StringIO()
    places = ["--schemas", str(few), "--exports", str(exports), "--output", str(output)]
    command = ["run", *places, "--network", network, "--year", "2024", *more]
    with contextlib.redirect_stdout(told):
        assert main(command) == code, told.getvalue()
    return told.getvalue()


@pytest.fixture
def few(few_networks) -> Path:
    """Declarations of two networks that a test may change."""
    return few_networks("gendarmerie", "securite")


@pytest.fixture
def unmarked(samples: Path, tmp_path: Path) -> Path:
    """Exports that don't say that they are synthetic."""
    exports = tmp_path / "unmarked"
    for name in ("gendarmerie", "barometre-2024"):
        shutil.copytree(samples / name, exports / name)
    return exports


def test_synthetic_rows_stay_marked_when_other_exports_follow(few, samples, unmarked, tmp_path):
    output = tmp_path / "output"
    run(few, samples, output, "securite")
    assert "SYNTHÉTIQUES" in run(few, unmarked, output, "gendarmerie")
    (latest,) = [path for path in (output / "releases").glob("*/*") if path.name != "1.0.0"]
    results = table(output, "resultats", latest.name)
    nature = results[(results["annee"] == "2024") & (results["valeur"] != "")].groupby("reseau")["nature_donnees"]
    assert {name: set(found) for name, found in nature} == {"gendarmerie": {"réelles"}, "securite": {"synthétiques"}}
    assert "DONNÉES SYNTHÉTIQUES" in (release(output, latest.name) / "LISEZMOI.md").read_text(encoding="utf-8")


def test_a_failed_reception_is_told_and_what_was_received_before_stays_published(few, unmarked, tmp_path, monkeypatch):
    output = tmp_path / "output"
    run(few, unmarked, output, "gendarmerie")

    def refuse(*_: object) -> bytes:
        raise PermissionError("accès refusé")

    path = unmarked / "gendarmerie" / "resultats-2024.zip"
    path.write_bytes(path.read_bytes() + b"\0")
    with monkeypatch.context() as down:
        down.setattr("pipelines.read.sources.ExportsRoot.chunks", refuse)
        told = run(few, unmarked, output, "gendarmerie", "--strict", code=1)
    assert "ERREURS DE TRAITEMENT" in told
    assert "accès refusé" in told
    assert "reste publié" in told
    assert [path.name for path in (output / "releases").glob("*/*")] == [
        "1.0.0"
    ]  # from the files that it names: true still
    run(few, unmarked, output, "gendarmerie")
    assert "reste publié" not in run(few, unmarked, output, "gendarmerie")


def test_values_computed_under_other_declarations_are_not_published(few, unmarked, tmp_path):
    output = tmp_path / "output"
    run(few, unmarked, output, "gendarmerie")
    run(few, unmarked, output, "securite")
    indicator = few / "indicators" / "interventions.yml"
    indicator.write_text(indicator.read_text(encoding="utf-8").replace("title: ", "title: Nouveau titre, ", 1), "utf-8")
    told = run(few, unmarked, output, "securite", code=1)
    assert "Les déclarations ont changé depuis le calcul de : gendarmerie 2024" in told
    assert "AUCUNE PUBLICATION" in told
    run(few, unmarked, output, "gendarmerie")


def test_an_output_that_cannot_be_written_is_a_wrong_usage(unmarked, tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["run", "--exports", str(unmarked), "--output", str(tmp_path / "file")]) == 2
    assert "impossible d'écrire" in capsys.readouterr().err
