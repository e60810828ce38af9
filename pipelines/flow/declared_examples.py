"""The examples that indicators declare, taken through the whole computation: those that don't give their value."""

import dataclasses
import datetime
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.compute.network_year import compute_network_year
from pipelines.declarations import Catalogue, Export, Indicator, Network
from pipelines.declarations.estimators import Example
from pipelines.declarations.estimators.estimator import ExampleType
from pipelines.declarations.strict_model import Scalar
from pipelines.validate import observation_schema

_NETWORK, _YEAR, _PLACE = "exemples", 2024, "exemple"


@dataclass(frozen=True)
class WrongExample:
    """An example (``number`` from 0) of an indicator that gives ``found``, not its ``value``; None: no value."""

    indicator: str
    number: int
    value: float | None
    found: float | None


def wrong_examples(catalogue: Catalogue) -> list[WrongExample]:
    """Return the examples that don't give the value that they declare, of every indicator."""
    examples = {
        f"{name}-{number}": (name, number, indicator, example)
        for name, indicator in catalogue.indicators.items()
        for number, example in enumerate(indicator.examples)
    }
    if not examples:
        return []
    values = _values({key: (indicator, example) for key, (_, _, indicator, example) in examples.items()}, catalogue)
    return [
        WrongExample(name, number, example.value, values[key])
        for key, (name, number, _, example) in examples.items()
        if values[key] != example.value
    ]


def _values(examples: dict[str, tuple[Indicator, Example]], catalogue: Catalogue) -> dict[str, float | None]:
    """Compute every example as an indicator of a network of its own, which has an export for each."""
    exports = {key: _export(key, *item) for key, item in examples.items()}
    network = Network.model_validate(
        {
            "title": "Exemples",
            "producer": "Exemples",
            "description": "Exemples",
            "structure_type": "Exemple",
            "finest_level": "site",
            "years": str(_YEAR),
            "acceptance": {"max_refused_share": 1, "why": "exemples"},
            "exports": [export.model_dump(by_alias=True, exclude_defaults=True) for export in exports.values()],
        }
    )
    alone = dataclasses.replace(
        catalogue,
        networks=MappingProxyType({_NETWORK: network}),
        indicators=MappingProxyType({key: _alone(key, *item) for key, item in examples.items()}),
        corrections=MappingProxyType({}),
    )
    with tempfile.TemporaryDirectory() as folder:
        places = {key: Path(folder) / f"{key}.parquet" for key in examples}
        for key, (indicator, example) in examples.items():
            _write(places[key], exports[key], list(_rows(indicator, example)))
        results = compute_network_year(alone, _NETWORK, _YEAR, places).results
    values = dict(zip(results["indicateur"], results["valeur"], strict=True))
    return {key: None if pd.isna(values.get(key)) else float(values[key]) for key in examples}


def _inputs(example: Example) -> list[str]:
    return sorted({name for row in example.rows for name in row})


def _export(key: str, indicator: Indicator, example: Example) -> Export:
    """Return the export that would hold the rows of an example."""
    columns = {name: indicator.estimator.example_type(name) for name in _inputs(example)}
    columns |= {"poids": "number"} if example.weights else {}
    return Export.model_validate(
        {
            "id": key,
            "kind": "operations",
            "title": "Exemple",
            "fields": [{"name": name, "type": kind} for name, kind in columns.items()]
            + [{"name": name} for name in ("lieu", "bureau")],
            "layouts": [{"years": str(_YEAR), "path": f"{key}.csv", "extracted": f"{_YEAR + 1}-01-01"}],
            "territory": {"field": "lieu", "codes": "departement"},
            "structure": {"code": "bureau"},
            "level": "national" if _typed(indicator) else "site",
            "weight": "poids" if example.weights else None,
        }
    )


def _alone(key: str, indicator: Indicator, example: Example) -> Indicator:
    """Return the indicator as an example is about it: its national value, fed by the example alone."""
    declared = indicator.model_dump(
        by_alias=True, exclude_defaults=True, include={"estimator", "decimals", "range", "year"}
    )
    return Indicator.model_validate(
        {
            "title": "Exemple",
            "definition": "Exemple",
            "type": "performance",
            "unit": "points",
            "unit_family": "nombre",
            "direction": "neutral",
            **declared,
            "estimator": indicator.estimator.model_dump(),
            "levels": {"national": {"obtained": indicator.estimator.level_methods[0]}},
            "networks": {_NETWORK: {"export": key, "inputs": {name: name for name in _inputs(example)}}},
        }
    )


def _rows(indicator: Indicator, example: Example) -> Iterator[dict[str, Any]]:
    """Yield the rows of an example as validation would write them."""
    place = {"_maille": "site", "_territoire": "30", "_structure": _PLACE, "_structure_nom": _PLACE}
    if _typed(indicator):
        place = {"_maille": "national", "_territoire": "FR"}
    weights = example.weights or [None] * len(example.rows)
    for number, (row, weight) in enumerate(zip(example.rows, weights, strict=True), start=2):
        cells = {name: _cell(indicator.estimator.example_type(name), value) for name, value in row.items()}
        yield {**cells, "poids": weight, "_ligne": number, "_annee": _YEAR, "_periode": str(_YEAR), **place}


def _typed(indicator: Indicator) -> bool:
    return indicator.estimator.family == "typed"


def _cell(kind: ExampleType, value: Scalar | None) -> Scalar | datetime.date | None:
    """Return a value of an example as its column holds it."""
    match kind, value:
        case _, None:
            return None
        case "number", _:
            return float(value)
        case "date", _:
            return datetime.date.fromisoformat(str(value))
        case "string", _:
            return str(value)
    return value


def _write(place: Path, export: Export, rows: list[dict[str, Any]]) -> None:
    schema = observation_schema(export)
    columns = [
        pa.array([row.get(name) for row in rows], kind) for name, kind in zip(schema.names, schema.types, strict=True)
    ]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), place)
