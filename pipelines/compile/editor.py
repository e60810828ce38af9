"""Models → what helps those who write the YAML: JSON Schemas for editors, and the manual of estimators.

The models and the cards of estimators alone decide: nothing is declared nor worded here twice.

The YAML has short forms that the models unfold before reading (``2022-2024``, a level alone, one export alone); each is
declared here beside the long form, since pydantic only describes the latter.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipelines.declarations import Dataset, Indicator, Network, Table, Territories
from pipelines.declarations.barometer import Barometer
from pipelines.declarations.estimators import ESTIMATORS, EstimatorModel, Worked, name_of
from pipelines.declarations.experiences import Experiences, ThemeFamily, Typologies
from pipelines.declarations.references import AbsenceReasons, Corrections, Engagements, QualityCriteria, SignalNotes
from pipelines.declarations.strict_model import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping
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


_INTRODUCTION = """\
# Les estimateurs

*Page produite par `make editor-schemas` d'après `pipelines/declarations/estimators/` : ne pas la modifier ici.*

Un indicateur nomme un de ces estimateurs, jamais une formule. Les exemples sont calculés par les tests. Les intervalles
sont à 95 % et ne portent que sur des échantillons : un export `kind: survey` en est un, les autres sont des registres
exhaustifs, sans erreur de sondage (`collection: sample` ou `collection: census` dit autre chose). Les bornes publiées
sont coupées à l'étendue (`range`) que déclare l'indicateur ; celles des parts et des taux nets n'en sortent jamais.
Après un calage, l'effectif efficace de Kish ignore ce que le calage gagne : l'intervalle est en général trop large,
lecture prudente.

Avec un plan de sondage (`design`), erreurs, degrés de liberté et intervalles sont ceux du paquet `survey` de R. Deux
prudences : moins d'un degré de liberté (une seule grappe) ne donne pas d'intervalle ; l'effectif efficace d'une part
ou d'un taux net ne dépasse jamais le nombre de réponses, même quand quelques grappes se ressemblent par hasard. Où la
population est déclarée (`design.population`), la variance de chaque strate est réduite de 1 - n/N, et le plafond
devient n / (1 - n/N) : tirée en entier, une population n'a plus d'erreur de sondage.

La base ne compte que les lignes qui font la valeur : sans poids, de poids nul ou de dénominateur nul, une ligne n'est
ni dans l'effectif, ni dans l'effectif minimal du secret, ni dans l'intervalle, à aucune maille. Seuls les totaux
(`sum`, `count`), jamais pondérés, ne regardent pas les poids.
"""
_SHOWN = 6  # rows of an example; a longer one is told by its reason


def estimators_manual() -> str:
    """Return the page that the data team reads, schemas/ESTIMATEURS.md, in Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(estimator) for estimator in ESTIMATORS)])


def _section(estimator: type[EstimatorModel]) -> str:
    card = estimator.card
    parameters = [name for name in estimator.model_fields if name != "name"]
    sets = " ou ".join(
        ", ".join(f"`{name}`" for name in names) for names in (estimator.inputs, *estimator.alternatives)
    )
    optional = ", ".join(f"`{name}`" for name in estimator.optional_inputs)
    facts = {
        "Paramètres": ", ".join(f"`{name}`" for name in parameters) or "aucun",
        "Entrées": " ; facultatif : ".join(filter(None, [sets or "aucune", optional])),
        "Mailles (`obtained`)": ", ".join(f"`{method}`" for method in estimator.level_methods),
        "Année (`year`)": ", ".join(f"`{method}`" for method in estimator.year_methods),
        "Unité": card.unit,
        "Étendue": card.range,
        "Intervalle": card.interval,
        "Source": card.source,
    }
    lines = [f"## `{name_of(estimator)}` : {card.title}", "", card.definition, ""]
    lines += [f"- **{title}** : {text}" for title, text in facts.items()]
    return "\n".join([*lines, "", *(_example(item) for item in card.examples), ""])


def _example(worked: Worked) -> str:
    rows = " ; ".join(_written(row) for row in worked.rows) if len(worked.rows) <= _SHOWN else ""
    weights = f" (poids {', '.join(f'{weight:g}' for weight in worked.weights)})" if worked.weights else ""
    value = "aucune valeur" if worked.value is None else f"{worked.value:.6g}"
    bounds = f" [{worked.bounds[0]:.6g} ; {worked.bounds[1]:.6g}]" if worked.bounds else ""
    return f"- *Exemple* : {f'{rows}{weights} → ' if rows else ''}**{value}**{bounds} : {worked.why}."


def _written(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {'vide' if value is None else value}" for name, value in row.items())
