"""The editor schemas are fresh, accept every shipped file and its short forms, and refuse what models refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipelines.compile.editor import editor_schema, editor_schemas, stale, write_editor_schemas
from pipelines.declarations.yaml_source import parse

SCHEMAS = Path(__file__).parents[2] / "schemas"
FILES = {
    "network": "networks/*.yml",
    "indicator": "indicators/*.yml",
    "table": "tables/*.yml",
    "dataset": "datasets/*.yml",
    "corrections": "corrections/*.yml",
    "territories": "references/territoires.yml",
    "reasons": "references/motifs.yml",
    "engagements": "references/engagements.yml",
}
SHIPPED = [(name, path) for name, pattern in FILES.items() for path in sorted(SCHEMAS.glob(pattern))]


def errors(name: str, data: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(editor_schema(name)).iter_errors(data)]


@pytest.mark.parametrize(("name", "path"), SHIPPED, ids=[path.stem for _, path in SHIPPED])
def test_shipped_declarations_are_accepted(name: str, path: Path) -> None:
    assert errors(name, parse(path.read_text("utf-8")).data) == []


@pytest.mark.parametrize("name", FILES)
def test_every_schema_is_a_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(editor_schema(name))


def test_the_shipped_editor_schemas_are_fresh() -> None:
    assert stale(SCHEMAS / ".editor") == [], "lancer : make editor-schemas"


def test_stale_files_are_told_and_rewritten(tmp_path: Path) -> None:
    assert sorted(write_editor_schemas(tmp_path)) == sorted(editor_schemas())
    assert write_editor_schemas(tmp_path) == []
    (tmp_path / "network.schema.json").write_text("{}")
    (tmp_path / "ancien.schema.json").write_text("{}")
    assert stale(tmp_path) == ["ancien.schema.json", "network.schema.json"]
    write_editor_schemas(tmp_path)
    assert stale(tmp_path) == []


def test_short_and_long_forms_are_both_accepted() -> None:
    levels: list[Any] = ["national", {"otherwise": "national"}, {"field": "maille", "values": {"NAT": "national"}}]
    for years in ("2022-2024", 2022, "2022", {"first": 2022, "last": 2024}):
        for level in levels:
            assert errors("network", _network(years, level)) == []
    for export in ("appels", ["appels", "enquete"]):
        for value in ("oui", ["oui", 1], True):
            assert errors("indicator", _indicator(export, value)) == []


def test_what_the_models_refuse_is_refused() -> None:
    assert errors("network", _network("2022 à 2024", "national"))
    assert errors("network", _network("2022-2024", "commune"))
    assert errors("network", _network(2022, "national") | {"inconnue": 1})
    assert errors("indicator", _indicator(3, "oui"))
    assert errors("indicator", _indicator("appels", {"a": 1}))


def _network(years: Any, level: Any) -> dict[str, Any]:
    export = {
        "id": "e",
        "kind": "values",
        "title": "E",
        "fields": [{"name": "a"}],
        "layouts": [{"years": years, "path": "a.csv"}],
        "level": level,
    }
    return {
        "title": "T",
        "producer": "P",
        "description": "D",
        "structure_type": "S",
        "finest_level": "national",
        "years": years,
        "acceptance": {"max_refused_share": 0, "why": "W"},
        "exports": [export],
    }


def _indicator(export: Any, where: Any) -> dict[str, Any]:
    return {
        "title": "T",
        "definition": "D",
        "type": "performance",
        "unit": "%",
        "unit_family": "taux",
        "direction": "higher",
        "estimator": {"name": "mean"},
        "decimals": 1,
        "year": "pooled",
        "levels": {"national": {"obtained": "pooled"}},
        "networks": {"caf": {"export": export, "inputs": {"value": "a"}, "where": {"a": where}}},
    }
