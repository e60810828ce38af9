"""A laboratory network: one export, one indicator, observations as validation writes them, their results."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.compute.network_year import NetworkYear, compute_network_year
from pipelines.declarations import Catalogue, Export, Indicator, Network
from pipelines.validate import observation_schema

ALL_LEVELS = ("site", "departement", "region", "national")
DEFAULTS = {
    "title": "Essai",
    "definition": "Essai.",
    "type": "performance",
    "unit": "points",
    "unit_family": "nombre",
    "direction": "neutral",
    "decimals": 6,
}
ACCEPTANCE = {"max_refused_share": 0.1, "why": "essai"}


class Laboratory:
    """Declares what a test asks for, over the shipped references, and runs the real computation on it."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self._shipped, self._folder, self._numbers = catalogue, folder, itertools.count()

    def export(self, fields: Mapping[str, Any], **settings: Any) -> Export:
        """An export of sites by default; ``fields`` gives the type of each field, or its whole declaration."""
        declared = [
            {"name": name, **(field if isinstance(field, dict) else {"type": field})} for name, field in fields.items()
        ]
        places = [{"name": name} for name in ("lieu", "bureau", "bureau_nom", "niveau")]
        frequency = settings.pop("frequency", "year")
        return Export.model_validate({
            "id": "essai",
            "kind": "operations",
            "title": "Essai",
            "fields": [*declared, *places, {"name": "jour", "type": "date"}],
            "layouts": [{"years": "2000-2100", "path": "essai/{year}.csv", "extracted": "2025-02-15"}],
            "period": {"field": "jour", "frequency": frequency},
            "territory": {"field": "lieu", "codes": "departement"},
            "structure": {"code": "bureau", "name": "bureau_nom"},
            "level": "site",
            **settings,
        })  # fmt: skip

    def typed_export(self, **settings: Any) -> Export:
        """An export of values typed at every level, with their bases and the usual codes for absence."""
        absences = {"": "non-renseigne", "ns": "non-significatif", "nd": "non-disponible", "so": "sans-objet"}
        value = {"type": "number", "missingValues": list(absences), "absences": absences}
        levels = {"field": "niveau", "values": {level: level for level in ALL_LEVELS}}
        return self.export({"valeur": value, "reponses": "number"}, kind="values", level=levels, **settings)

    def catalogue(self, indicator: Mapping[str, Any], *exports: Export, **network: Any) -> Catalogue:
        """The shipped references with a single network ``labo`` and a single indicator ``essai``."""
        feed = {"export": [export.id for export in exports], **indicator.get("feed", {})}
        declared = {**DEFAULTS, **{key: item for key, item in indicator.items() if key != "feed"}}
        made = Indicator.model_validate({**declared, "networks": {"labo": feed}})
        labo = Network.model_validate({
            "title": "Laboratoire", "producer": "Essai", "description": "Essai", "structure_type": "Paillasse",
            "finest_level": "site", "years": "2023-2025", "acceptance": ACCEPTANCE,
            "exports": [export.model_dump(by_alias=True, exclude_defaults=True) for export in exports], **network,
        })  # fmt: skip
        return dataclasses.replace(
            self._shipped,
            networks=MappingProxyType({"labo": labo}),
            indicators=MappingProxyType({"essai": made}),
            corrections=MappingProxyType({}),
        )

    def write(self, export: Export, rows: Iterable[Mapping[str, Any]]) -> Path:
        """Write observations; a row's coordinates are ``periode``, ``maille``, ``territoire``, ``structure``."""
        schema = observation_schema(export)
        lines = [
            {
                **row,
                "_ligne": number,
                "_annee": int(str(row.get("periode", "2024"))[:4]),
                "_periode": row.get("periode", "2024"),
                "_maille": row.get("maille", "site"),
                "_territoire": row.get("territoire"),
                "_structure": row.get("structure"),
                "_structure_nom": row.get("structure_nom", row.get("structure")),
            }
            for number, row in enumerate(rows, start=2)
        ]
        path = self._folder / f"{next(self._numbers)}.parquet"
        columns = [[line.get(name) for line in lines] for name in schema.names]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path)
        return path

    def run(
        self, indicator: Mapping[str, Any], export: Export, rows: Iterable[Mapping[str, Any]], **network: Any
    ) -> NetworkYear:
        """Compute 2024 from the rows, as the pipeline does."""
        catalogue = self.catalogue(indicator, export, **network)
        return compute_network_year(catalogue, "labo", 2024, {export.id: self.write(export, rows)})


@pytest.fixture(scope="session")
def labo(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """The laboratory (of the session: property tests call it many times)."""
    return Laboratory(catalogue, tmp_path_factory.mktemp("labo"))


@pytest.fixture(scope="session")
def levels() -> Callable[..., dict[str, dict[str, str]]]:
    """Make the ``levels`` of an indicator, all obtained in one way: ``levels("pooled", "site", "national")``."""

    def made(obtained: str, *names: str) -> dict[str, dict[str, str]]:
        return {name: {"obtained": obtained} for name in names or ALL_LEVELS}

    return made


@pytest.fixture(scope="session")
def pick() -> Callable[..., pd.Series]:
    """Return the one result with these coordinates: ``pick(results, maille="national", periode="2024")``."""

    def picked(results: pd.DataFrame, **where: Any) -> pd.Series:
        kept = pd.Series(True, index=results.index)
        for name, value in where.items():
            kept &= results[name] == value
        assert kept.sum() == 1, f"{kept.sum()} lignes pour {where}"
        return results[kept].iloc[0]

    return picked
