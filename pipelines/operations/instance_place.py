"""Where the Dagster instance keeps what it knows: the state folder, and SQLite files below it or a PostgreSQL database.

Read from the configuration of DAGSTER_HOME, without opening the storage: opening an absent SQLite would make one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.ref import InstanceRef
from sqlalchemy import make_url

from pipelines.operations.instance import EnvironmentStorage, postgres_url
from pipelines.operations.settings import SettingError, home_from_environment

_SECURITY = ("sslmode", "sslrootcert", "sslcert", "sslkey")  # of the address, for the clients too


class NoInstanceError(SettingError):
    """There is no instance to speak of; the French text says what is missing."""


@dataclass(frozen=True)
class Database:
    """A PostgreSQL database, as its clients want it: the password only ever goes through their environment."""

    host: str
    port: int
    user: str
    name: str
    password: str | None = field(default=None, repr=False)
    security: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment by which ``pg_dump`` and ``psql`` reach it."""
        found = {"PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user, "PGDATABASE": self.name}
        return {**os.environ, **found, **self.security, **({"PGPASSWORD": self.password} if self.password else {})}


@dataclass(frozen=True)
class InstancePlace:
    """``state``: the folder of SQLite files, logs and artefacts; ``database``: PostgreSQL, when that is used.

    ``home``: DAGSTER_HOME, where its configuration is.
    """

    state: Path
    database: Database | None
    home: Path = Path()

    @property
    def databases(self) -> list[Path]:
        """The SQLite files, in order."""
        return sorted(self.state.rglob("*.db")) if self.state.is_dir() else []


def instance_place() -> InstancePlace:
    """Return where the instance of DAGSTER_HOME is; raises NoInstanceError when there is none or it can't be told."""
    try:
        home = home_from_environment()
    except SettingError as error:
        raise NoInstanceError(str(error)) from None
    if home is None or not (home / "dagster.yaml").is_file():
        raise NoInstanceError("DAGSTER_HOME ne désigne pas un dossier qui contient dagster.yaml")
    try:
        ref = InstanceRef.from_dir(str(home))
        return InstancePlace(home / ref.local_artifact_storage.base_dir, _database(ref), home)
    except SettingError as error:
        raise NoInstanceError(str(error)) from None
    except Exception as error:  # Dagster raises many kinds on a wrong file
        raise NoInstanceError(f"{home}/dagster.yaml ne se lit pas ({type(error).__name__})") from None


def prepared_place() -> InstancePlace:
    """Return where the instance of DAGSTER_HOME is; raises NoInstanceError as above, or when it was never prepared."""
    place = instance_place()
    if not place.database and not place.databases:
        raise NoInstanceError(
            f"aucune instance dans {place.state} : corriger DAGSTER_HOME, ou lancer « resultats instance prepare »"
        )
    return place


def _database(ref: InstanceRef) -> Database | None:
    """Return the PostgreSQL of the storage, named by dagster.yaml or, for our own storage, by the environment."""
    data = ref.storage_data
    if data is None:
        return None
    kind = getattr(import_module(data.module_name), data.class_name)
    if issubclass(kind, EnvironmentStorage):
        url = postgres_url()
    else:
        url = make_url(_configured(data.config_yaml)) if "Postgres" in kind.__name__ else None
    if url is None:
        return None
    password = str(url.password) if url.password else None
    host = url.host or str(url.query.get("host") or "localhost")
    security = {f"PG{name.upper()}": str(url.query[name]) for name in _SECURITY if name in url.query}
    return Database(host, url.port or 5432, url.username or "postgres", url.database or "dagster", password, security)


def _configured(config: str) -> str:
    from dagster_postgres import DagsterPostgresStorage  # noqa: PLC0415 (only where PostgreSQL is configured)
    from dagster_postgres.utils import pg_url_from_config  # noqa: PLC0415

    kind = resolve_to_config_type(DagsterPostgresStorage.config_type())
    read: Any = process_config(kind, yaml.safe_load(config))
    if not read.success:
        raise NoInstanceError("réglages de PostgreSQL incomplets dans dagster.yaml ou dans l'environnement")
    url: str = pg_url_from_config(read.value)
    return url
