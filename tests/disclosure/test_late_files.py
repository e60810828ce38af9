"""A survey sent again with late answers, through the command: few wait, eleven or more are published, a year closes."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipelines.cli import main
from pipelines.flow.earlier_releases import results_of

PROJECT = Path(__file__).resolve().parents[2]
DATASET = "resultats-services-publics"
NETWORK = """\
title: Essai
producer: Essai
description: Essai.
structure_type: Guichet
finest_level: departement
years: 2024
acceptance: {max_refused_share: 0.05, why: essai}
exports:
  - id: e
    kind: survey
    title: E
    key: [ref]
    fields:
      - {name: ref, constraints: {required: true}}
      - {name: jour, type: date, constraints: {required: true}}
      - {name: dep, constraints: {required: true}}
      - {name: avis, constraints: {enum: [bien, mal]}}
    period: {field: jour, frequency: semester}
    territory: {field: dep, codes: departement}
    level: departement
    layouts: [{years: 2024, path: "NAME/e-{year}.csv", delimiter: ;, encoding: utf-8}]
"""
INDICATOR = """\
title: Avis
definition: Part des avis bons.
type: satisfaction
unit: '%'
unit_family: taux
direction: higher
estimator: {name: share, favourable: [bien], among: [bien, mal]}
decimals: 1
range: [0, 100]
year: pooled
levels: {departement: {obtained: pooled}, national: {obtained: pooled}}
networks:
  un: {export: e, inputs: {answer: avis}}
  deux: {export: e, inputs: {answer: avis}}
examples:
  - {rows: [{answer: bien}, {answer: mal}], value: 50, why: un sur deux}
"""
COUNTS = {("30", 1): 40, ("30", 2): 50, ("34", 1): 60, ("34", 2): 45, ("75", 1): 70, ("75", 2): 80}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two networks, nothing of which is published yet."""
    return prepared(tmp_path)


@pytest.fixture(scope="module")
def first_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same once published, to be copied: a first run takes seconds."""
    folder = prepared(tmp_path_factory.mktemp("first"))
    publish(folder)
    return folder


@pytest.fixture
def released(first_release: Path, tmp_path: Path) -> Path:
    """Two networks published once."""
    return Path(shutil.copytree(first_release, tmp_path / "project"))


def prepared(folder: Path) -> Path:
    for name in ("tables", "references", "datasets"):
        shutil.copytree(PROJECT / "schemas" / name, folder / "schemas" / name)
    for name in ("networks", "indicators"):
        (folder / "schemas" / name).mkdir()
    for network in ("un", "deux"):
        path = folder / "schemas" / "networks" / f"{network}.yml"
        path.write_text(NETWORK.replace("NAME", network), encoding="utf-8")
        send(folder, network, COUNTS)
    (folder / "schemas" / "indicators" / "avis.yml").write_text(INDICATOR, encoding="utf-8")
    return folder


def send(project: Path, network: str, counts: dict[tuple[str, int], int]) -> None:
    rows = [f"{dep}-{half}-{number};2024-{6 * half:02d}-01;{dep};{'bien' if number % 3 else 'mal'}"
            for (dep, half), count in counts.items() for number in range(count)]  # fmt: skip
    path = project / "exports" / network / "e-2024.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["ref;jour;dep;avis", *rows, ""]), encoding="utf-8")


def publish(project: Path) -> pd.DataFrame:
    """The results of the latest release, once the command has run."""
    places = {"exports": project / "exports", "output": project / "output", "schemas": project / "schemas"}
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        assert main(["run", *(item for key, path in places.items() for item in (f"--{key}", str(path)))]) == 0, (
            told.getvalue()
        )
    return results(project)


def results(project: Path) -> pd.DataFrame:
    """The results of the latest release."""
    return results_of(latest(project, "datapackage.json").parent)


def latest(project: Path, name: str) -> Path:
    return sorted((project / "output" / "releases" / DATASET).glob(f"*/{name}"))[-1]


def bases(table: pd.DataFrame, network: str) -> dict[tuple[str, str], int]:
    mine = table[table["reseau"].eq(network)]
    return {(code, period): int(base) for code, period, base in
            zip(mine["territoire_code"], mine["periode"], mine["effectif"], strict=True)}  # fmt: skip


def statuses(table: pd.DataFrame, network: str) -> set[str]:
    return set(table.loc[table["reseau"].eq(network), "statut_observation"])


@pytest.mark.e2e
def test_few_late_answers_wait_for_others(released: Path) -> None:
    project, first = released, results(released)
    send(project, "un", COUNTS | {("34", 1): 63})
    send(project, "deux", COUNTS | {("34", 1): 72})
    second = publish(project)
    assert bases(second, "un") == bases(first, "un"), "trois réponses se liraient dans la différence"
    assert statuses(second, "un") == {"P"}
    moved = {key for key, base in bases(second, "deux").items() if base - bases(first, "deux")[key] == 12}
    assert moved == {("34", "2024-S1"), ("34", "2024"), ("FR", "2024-S1"), ("FR", "2024")}
    assert statuses(second, "deux") == {"A"}
    journal = pd.read_csv(latest(project, "journal.csv"), dtype=str)
    kept = journal[journal["table"].eq("resultats") & journal["cle"].str.contains('"un"')]
    assert set(kept["colonne"]) == {"statut_observation", "version_conservee"}
    assert kept["motif"].str.startswith("Chiffre provisoire, celui de la version précédente : moins de 11").all()
    assert "provisoire, gardée de la version 1.0.0" in output_of(
        project, "explain", "--indicator", "avis", "--network", "un", "--year", "2024"
    )
    send(project, "un", COUNTS | {("34", 1): 66, ("75", 2): 92})
    assert bases(publish(project), "un") == bases(first, "un"), "douze à un endroit n'en cachent pas six ailleurs"
    send(project, "un", COUNTS | {("34", 1): 71, ("75", 2): 92})
    third = publish(project)
    assert statuses(third, "un") == {"A"}
    assert bases(third, "un")["FR", "2024"] == bases(first, "un")["FR", "2024"] + 23


@pytest.mark.e2e
@pytest.mark.parametrize("way", ["explanation", "closing", "declaration"])
def test_the_data_team_lets_few_answers_pass(released: Path, way: str) -> None:
    project, first = released, results(released)
    send(project, "un", COUNTS | {("34", 1): 63})
    by: dict[str, Callable[[], object]] = {
        "explanation": lambda: add(
            project / "schemas" / "datasets" / f"{DATASET}.yml",
            "explanations: [{after: 1.0.0, kind: révision, reason: Réponses tardives., networks: [un]}]\n",
        ),
        "closing": lambda: (publish(project), add(project / "schemas" / "networks" / "un.yml", "closed_until: 2024\n")),
        "declaration": lambda: add(project / "schemas" / "networks" / "un.yml", "source: https://exemple.fr\n"),
    }  # fmt: skip
    by[way]()
    second = publish(project)
    assert bases(second, "un")["34", "2024-S1"] == 63
    assert bases(second, "un")["FR", "2024"] == bases(first, "un")["FR", "2024"] + 3
    assert statuses(second, "un") == {"A"}


@pytest.mark.e2e
def test_kept_figures_are_told_apart_in_a_provisional_year(project: Path) -> None:
    """All is provisional by declaration: only the release that a row names says which figures are of today."""
    for name in ("un", "deux"):
        add(project / "schemas" / "networks" / f"{name}.yml", "provisional_years: [2024]\n")
    first = publish(project)
    assert first["version_conservee"].isna().all()
    send(project, "un", COUNTS | {("34", 1): 63})
    send(project, "deux", COUNTS | {("34", 1): 72})
    second, told = publish(project), json.loads(output_of(project, "run", "--json"))
    assert statuses(second, "un") == statuses(second, "deux") == {"P"}
    assert set(second.loc[second["reseau"].eq("un"), "version_conservee"]) == {"1.0.0"}
    assert second.loc[second["reseau"].eq("deux"), "version_conservee"].isna().all()
    quality = pd.read_parquet(latest(project, "qualite.parquet")).set_index("reseau")["chiffres_conserves"]
    assert quality["un"].startswith("chiffres conservés de la version 1.0.0 (Avis) : la révision change de moins de 11")
    assert pd.isna(quality["deux"])
    kept = {item["reseau"]: item["chiffres_conserves"] for item in told["annees_de_reseau"]}
    assert kept == {"un": [quality["un"]], "deux": []}
    assert f"un, 2024 : {quality['un']}" in output_of(project, "status")
    for network, agreed in (("un", None), ("deux", True)):
        found = json.loads(explain(project, network, "--json"))
        assert found["recalcul"]["accord"] is agreed, found["recalcul"]
        lines = [file["lignes"] for source in found["sources"] for file in source["fichiers"]]
        assert lines == [None] if network == "un" else lines[0]["nombre"] == 357
    assert "gardée de la version 1.0.0" in explain(project, "un")
    assert '"accord": true' in explain(project, "un", "--json", "--release", "1.0.0")
    send(project, "un", COUNTS | {("34", 1): 61})
    third = publish(project)
    assert set(third.loc[third["reseau"].eq("un"), "version_conservee"]) == {"1.0.0"}, "d'où ils viennent"
    send(project, "un", COUNTS | {("34", 1): 83})
    fourth = publish(project)
    assert fourth["version_conservee"].isna().all()
    assert bases(fourth, "un")["34", "2024-S1"] == 83
    journal = pd.read_csv(latest(project, "journal.csv"), dtype=str)
    assert not journal["nature"].eq("inexpliqué").any()


def explain(project: Path, network: str, *more: str) -> str:
    return output_of(project, "explain", "--indicator", "avis", "--network", network, "--year", "2024",
                     "--level", "national", *more)  # fmt: skip


def output_of(project: Path, command: str, *arguments: str) -> str:
    """What a command says on its output."""
    options = {"run": ("exports", "output", "schemas")}.get(command, ("output", "schemas"))
    places = [item for key in options for item in (f"--{key}", str(project / key))]
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()):
        assert main([command, *arguments, *places]) == 0, told.getvalue()
    return told.getvalue()


def add(path: Path, text: str) -> None:
    before = path.read_text(encoding="utf-8")
    assert text.split(":", maxsplit=1)[0] not in before
    path.write_text(before + text, encoding="utf-8")
