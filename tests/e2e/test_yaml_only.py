"""A network and an indicator added as YAML only: assets, partitions, results, dictionary lines, without code."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from test_main_job import table

from assets.definitions import build_definitions
from assets.jobs import STAGES
from assets.step_failures import stage_key
from assets.workspace import Workspace
from pipelines.cli import main
from pipelines.declarations import load

pytestmark = pytest.mark.e2e

NETWORK = """
title: Consulats (exemple)
producer: Ministère d'exemple
description: Réseau ajouté par un test, pour montrer qu'un fichier YAML suffit.
structure_type: Consulat
finest_level: site
years: 2025
acceptance: {max_refused_share: 0.1, why: exemple}
exports:
  - id: guichet
    kind: survey
    title: Enquête au guichet
    fields:
      - {name: jour, label: Jour, type: date, format: "%d/%m/%Y", constraints: {required: true}}
      - {name: poste, label: Poste, constraints: {required: true}}
      - {name: ville, label: Ville}
      - {name: avis, label: Avis, constraints: {enum: [content, mécontent]}}
    period: {field: jour, frequency: quarter}
    level: site
    structure: {code: poste, name: ville}
    layouts:
      - {years: 2025, path: "consulats/guichet-{year}.csv", delimiter: ";"}
"""
INDICATOR = """
title: Part des usagers contents au guichet
definition: Part des réponses « content » parmi les réponses données au guichet.
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
  consulats:
    export: guichet
    inputs: {answer: avis}
"""


@pytest.fixture
def added(few_networks: Callable[..., Path], tmp_path: Path) -> tuple[Path, Path]:
    schemas = few_networks("securite")
    (schemas / "networks" / "consulats.yml").write_text(NETWORK, encoding="utf-8")
    (schemas / "indicators" / "contents-au-guichet.yml").write_text(INDICATOR, encoding="utf-8")
    exports = tmp_path / "exports"
    (exports / "consulats").mkdir(parents=True)
    rows = [f"{1 + day % 28:02d}/02/2025;LON;Londres;{'content' if day % 4 else 'mécontent'}" for day in range(40)]
    rows += [f"{1 + day:02d}/06/2025;ROM;Rome;content" for day in range(5)]
    text = "\n".join(["Jour;Poste;Ville;Avis", *rows])
    (exports / "consulats" / "guichet-2025.csv").write_text(text, encoding="utf-8")
    return schemas, exports


def test_assets_and_partitions_appear(added, tmp_path):
    schemas, exports = added
    catalogue = load(schemas)
    workspace = Workspace(exports=str(exports), output=str(tmp_path / "o"), schemas=str(schemas))
    graph = build_definitions(catalogue, workspace).resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    assert {stage_key("consulats", stage) for stage in STAGES} <= keys
    partitions = graph.get(stage_key("consulats", "resultats")).partitions_def
    assert partitions is not None
    assert "2025" in partitions.get_partition_keys()


def test_results_and_dictionary_lines_appear(added, tmp_path):
    schemas, exports = added
    output = tmp_path / "output"
    command = ["run", "--exports", str(exports), "--output", str(output), "--schemas", str(schemas)]
    with contextlib.redirect_stdout(io.StringIO()):
        assert main([*command, "--network", "consulats"]) == 0
    results = table(output, "resultats")
    mine = results[(results["reseau"] == "consulats") & (results["frequence"] == "annuelle")]
    found = {
        row.maille + row.structure_code: (row.valeur, row.effectif, row.motif_absence) for row in mine.itertuples()
    }
    assert found == {
        "national": ("77.8", "45", ""),
        "siteLON": ("", "", "secret statistique"),  # national - Londres = Rome
        "siteROM": ("", "", "secret statistique"),
    }
    assert set(results[results["reseau"] == "consulats"]["periode"]) == {"2025", "2025-T1", "2025-T2"}
    indicators = table(output, "indicateurs").set_index("indicateur")
    assert indicators.loc["contents-au-guichet", "titre"] == "Part des usagers contents au guichet"
    structures = table(output, "structures")
    assert {"LON", "ROM", "reseau:consulats"} <= set(structures[structures["reseau"] == "consulats"]["structure_code"])
    assert "consulats" in set(table(output, "reseaux")["reseau"])
