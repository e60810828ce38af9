"""Models → JSON Schemas for editors, which complete and check the YAML. The models alone decide, not these.

The YAML has short forms that the models unfold before reading (``2022-2024``, a level alone, one export alone); each is
declared here beside the long form, since pydantic only describes the latter.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipelines.declarations import Dataset, Indicator, Network, Table, Territories
from pipelines.declarations.barometer import Barometer
from pipelines.declarations.experiences import Experiences, ThemeFamily, Typologies
from pipelines.declarations.references import AbsenceReasons, Corrections, Engagements, QualityCriteria, SignalNotes
from pipelines.declarations.strict_model import LEVELS

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS: dict[str, type[BaseModel]] = {
    "network": Network,
    "barometer": Barometer,
    "experiences": Experiences,
    "themes": ThemeFamily,
    "typologies": Typologies,
    "indicator": Indicator,
    "table": Table,
    "dataset": Dataset,
    "corrections": Corrections,
    "signals": SignalNotes,
    "territories": Territories,
    "reasons": AbsenceReasons,
    "engagements": Engagements,
    "quality": QualityCriteria,
}

# Short forms of models, of keys, and of each value of a mapping.
_SHORT_FORMS: dict[str, list[dict[str, Any]]] = {
    "Years": [
        {"type": "integer", "minimum": 2000, "maximum": 2100},
        {"type": "string", "pattern": r"^\d{4}(\s*-\s*\d{4})?$", "examples": ["2022-2024"]},
    ],
    "RowLevel": [{"enum": list(LEVELS)}],
}
_SHORT_EXPORT = {"type": "string"}
_SHORT_VALUE = {"type": ["string", "number", "boolean"]}
_SHORT_TERRITORIES = {
    "type": "array",
    "items": {
        "type": "array",
        "minItems": 4,
        "maxItems": 7,
        "prefixItems": [{"enum": ["national", "region", "departement"]}, {"type": ["string", "integer"]}],
        "items": {"type": ["string", "integer", "null"]},
    },
}


def editor_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of one kind of file, short forms included."""
    model = MODELS[name]
    schema = model.model_json_schema(by_alias=True, mode="validation")
    definitions: dict[str, Any] = schema.get("$defs", {})
    for owner, short in _SHORT_FORMS.items():
        if owner in definitions:
            definitions[owner] = {"anyOf": [*short, definitions[owner]]}
    if feed := definitions.get("Feed", {}).get("properties"):
        feed["export"] = _widened(feed["export"], _SHORT_EXPORT)
        patterns = feed["where"]["patternProperties"]
        widened = {pattern: {"anyOf": [_SHORT_VALUE, value]} for pattern, value in patterns.items()}
        feed["where"] = {**feed["where"], "patternProperties": widened}
    if model is Territories:
        schema["properties"]["territories"] = _widened(schema["properties"]["territories"], _SHORT_TERRITORIES)
    _close(schema)
    return {"$schema": DIALECT, **schema}


def editor_schemas() -> dict[str, str]:
    """Return the text of every editor schema by file name."""
    return {
        f"{name}.schema.json": json.dumps(editor_schema(name), ensure_ascii=False, indent=2) + "\n" for name in MODELS
    }


def stale(folder: Path) -> list[str]:
    """Return the names of the files of ``folder`` (``schemas/.editor``) that are missing, outdated or left over."""
    wanted = editor_schemas()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.schema.json")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write_editor_schemas(folder: Path) -> list[str]:
    """Bring ``folder`` up to date and return the names of the files that changed."""
    changed = stale(folder)
    wanted = editor_schemas()
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            (folder / name).unlink()
    return changed


def _widened(current: dict[str, Any], form: dict[str, Any]) -> dict[str, Any]:
    """Return a property that takes ``form`` beside what it takes."""
    described: dict[str, Any] = {name: current[name] for name in ("title", "description", "default") if name in current}
    return {**described, "anyOf": [form, current]}


def _close(node: object) -> None:
    """Refuse the keys that match no declared pattern, as the models do."""
    if isinstance(node, dict):
        if "patternProperties" in node:
            node.setdefault("additionalProperties", False)
        for child in node.values():
            _close(child)
    elif isinstance(node, list):
        for child in node:
            _close(child)
