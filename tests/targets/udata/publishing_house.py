"""What tests publish, and how: a small dataset in a few releases, a machine with its output folder, an account."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import requests

from pipelines.declarations import Catalogue
from pipelines.targets.plan import Plan
from pipelines.targets.protocol import Report, Rooms, Source
from pipelines.targets.publication import publish
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.transport import Transport
from pipelines.targets.udata.udata_target import UdataTarget

DATASET = "resultats-services-publics"
TABLES = ("resultats", "indicateurs")


def small(catalogue: Catalogue, **changes: Any) -> Catalogue:
    """The shipped catalogue with two tables in its dataset, which alone would take a second to send."""
    tables = {name: catalogue.tables[name].model_copy(update={"foreign_keys": ()}) for name in TABLES}
    dataset = catalogue.datasets[DATASET].model_copy(update={"tables": TABLES, "historical": None, **changes})
    return replace(
        catalogue,
        tables=MappingProxyType({**catalogue.tables, **tables}),
        datasets=MappingProxyType({DATASET: dataset}),
    )


def made_tables(catalogue: Catalogue, **values: float) -> dict[str, pd.DataFrame]:
    """Results of one year per given value (``y2024=87.4``), and one indicator."""
    results = [_result(int(name[1:]), value) for name, value in values.items()]
    indicator = {
        "indicateur": "taux-de-decroche",
        "titre": "Taux de décroché",
        "definition": "Part des appels décrochés, « par un agent »",
        "type_indicateur": "performance",
        "population": "usagers",
        "unite": "%",
        "famille_unite": "taux",
        "sens": "hausse",
        "estimateur": "ratio",
        "mode_annuel": "rapport de sommes",
        "mailles": "national : rapport de sommes",
        "decimales": 1,
        "reseaux": "caf",
    }
    rows = {"resultats": results, "indicateurs": [indicator]}
    columns = {
        name: [column for column in catalogue.tables[name].names if column != "version_publication"] for name in rows
    }
    return {name: pd.DataFrame(rows[name], columns=columns[name]) for name in rows}


def _result(year: int, value: float) -> dict[str, object]:
    return {
        "annee": year,
        "periode": str(year),
        "frequence": "annuelle",
        "reseau": "caf",
        "maille": "national",
        "territoire_code": "FR",
        "territoire": "France",
        "indicateur": "taux-de-decroche",
        "type_indicateur": "performance",
        "valeur": value,
        "unite": "%",
        "effectif": 40,
        "statut_observation": "A",
        "statut_confidentialite": "F",
        "mode_obtention": "rapport de sommes",
        "date_reference": date(year, 12, 31),
        "nature_donnees": "réelles",
    }


class Wire(requests.Session):
    """A session that remembers what it sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []

    def request(self, method: str, url: str, *args: Any, **options: Any) -> requests.Response:
        self.sent.append((method, url))
        return super().request(method, url, *args, **options)

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, url) for method, url in self.sent if method != "GET"]


@dataclass
class House:
    """A machine that publishes: its folder, its account, and the declarations that it knows."""

    catalogue: Catalogue
    base_url: str
    organization: str
    key: str
    output: Path
    chunk: int = 1 << 23
    wire: Wire = field(default_factory=Wire)

    @property
    def work(self) -> Rooms:
        return Rooms(self.output)

    @property
    def target(self) -> UdataTarget:
        """The target, without the gates on the release itself."""
        client = Udata(Transport(self.base_url, self.wire, time.sleep, self.key), chunk=self.chunk)
        return UdataTarget(client, self.organization, Source(self.catalogue, self.work), judge=lambda *_: ())

    def shelve(self, releases: Path) -> None:
        """Take the releases of a folder, in the place of those there."""
        shutil.rmtree(self.work.releases, ignore_errors=True)
        shutil.copytree(releases, self.work.releases)

    def plan(self) -> Plan:
        prepared = self.target.prepare(DATASET)
        assert prepared is not None
        return prepared.plan

    def publish(self, **options: Any) -> Report:
        self.wire.sent.clear()
        report = publish(self.target, DATASET, self.work, **options)
        assert report is not None
        return report

    def held(self) -> dict[str, Any]:
        """The one dataset of the organization, as its members see it."""
        listed = self.call("GET", "/api/1/me/org_datasets/")
        (dataset,) = [item for item in listed if self._mine(item)]
        return dict(self.call("GET", f"/api/1/datasets/{dataset['id']}/"))

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources that carry a key, by key, in their order on the page."""
        return {item["extras"]["resultats:key"]: item for item in self.held()["resources"] if item["extras"]}

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Do something by hand on the platform, as a person with the account would."""
        headers = {"X-API-KEY": self.key}
        answer = requests.request(method, self.base_url + path, headers=headers, timeout=30, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _mine(self, dataset: dict[str, Any]) -> bool:
        return (dataset["organization"] or {}).get("id") == self.organization
