"""The Dagster instance: where its storage is, how it is made ready before anything starts, and how it is opened.

Folders that ``dagster.yaml`` names start from DAGSTER_HOME, wherever a command is typed.

One ``dagster.yaml`` serves both storages: SQLite in the state folder, or PostgreSQL when the environment names it.
"""

import io
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import yaml
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage as sqlite_storage
from dagster._core.storage.sql import AlembicVersion, get_alembic_config
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from filelock import FileLock
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from pipelines.mechanics.machine_faults import machine_fault
from pipelines.operations.settings import SettingError, home_from_environment, read_secret
from pipelines.operations.sqlite_storage import OpenSqliteStorage

if TYPE_CHECKING:
    from dagster._core.storage.base_storage import DagsterStorage
    from dagster._serdes import ConfigurableClassData

_URL, _PASSWORD = "RESULTATS_PG_URL", "RESULTATS_PG_PASSWORD"
_DRIVER = "postgresql+psycopg2"  # the one that dagster-postgres brings; SQLAlchemy 2.1 would look for another
HOME = "DAGSTER_HOME"
_RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOCK = 7_265_001  # any number of ours: who prepares the database holds it


class EnvironmentStorage(DagsterSqliteStorage):
    """Storage of ``dagster.yaml`` that is PostgreSQL when the environment says where, else SQLite in ``base_dir``.

    Nothing secret is in its configuration: Dagster hands that over to every process in plain arguments.
    """

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: "ConfigurableClassData | None", config_value: dict[str, Any]
    ) -> "DagsterStorage":
        """Return Dagster's own storage of one kind or the other."""
        url = postgres_url()
        if url is None:
            return OpenSqliteStorage.from_local(base_dir=_from_home(config_value["base_dir"]), inst_data=inst_data)
        from dagster_postgres import DagsterPostgresStorage  # noqa: PLC0415  (loads psycopg2, which SQLite needs not)

        return DagsterPostgresStorage(url.render_as_string(hide_password=False), inst_data=inst_data)


class HomeArtifacts(LocalArtifactStorage):
    """Dagster's own storage of artefacts, in a folder of DAGSTER_HOME."""

    @classmethod
    def from_config_value(cls, inst_data: "ConfigurableClassData | None", config_value: Any) -> "HomeArtifacts":
        """Return the storage in that folder."""
        return cls(_from_home(config_value["base_dir"]), inst_data)


class HomeLogs(LocalComputeLogManager):
    """Dagster's own keeper of what steps print, in a folder of DAGSTER_HOME."""

    @classmethod
    def from_config_value(cls, inst_data: "ConfigurableClassData | None", config_value: Any) -> "HomeLogs":
        """Return the keeper in that folder."""
        return cls(**{**config_value, "base_dir": _from_home(config_value["base_dir"]), "inst_data": inst_data})


class InstanceError(SettingError):
    """The storage of the instance can't be used; the French text says what to do, and holds no secret."""


class NoInstanceError(SettingError):
    """There is no instance to speak of; the French text says what is missing."""


@dataclass(frozen=True)
class InstancePlace:
    """Where an instance is: DAGSTER_HOME, its folder of SQLite files, logs and artefacts, and who holds runs.

    Read from the configuration, without opening the storage: opening an absent SQLite would make one.
    """

    home: Path
    state: Path
    on_postgresql: bool

    @property
    def databases(self) -> list[Path]:
        """The SQLite files, in order."""
        return sorted(self.state.rglob("*.db")) if self.state.is_dir() else []


def instance_place() -> InstancePlace:
    """Return where the instance of DAGSTER_HOME is; raises NoInstanceError when there is none or it can't be told."""
    try:
        home = home_from_environment()
        if home is None:
            raise NoInstanceError("DAGSTER_HOME ne désigne pas un dossier qui contient dagster.yaml")
        ref = InstanceRef.from_dir(str(home))
        return InstancePlace(home, home / ref.local_artifact_storage.base_dir, _on_postgresql(ref))
    except SettingError as error:
        raise NoInstanceError(str(error)) from None
    except Exception as error:  # Dagster raises many kinds on a wrong file
        raise NoInstanceError(f"{home}/dagster.yaml ne se lit pas ({type(error).__name__})") from None


def _on_postgresql(ref: InstanceRef) -> bool:
    """Whether the storage is PostgreSQL, by dagster.yaml or, for our own storage, by the environment."""
    if ref.storage_data is None:
        return False
    if ref.storage_data.class_name == EnvironmentStorage.__name__:
        return postgres_url() is not None
    return "Postgres" in ref.storage_data.class_name


def _from_home(folder: str) -> str:
    return str(Path(os.environ.get(HOME) or "").absolute() / folder)


@contextmanager
def _at_home(home: Path) -> Iterator[None]:
    """Let Dagster take ``home`` for its DAGSTER_HOME while the body runs."""
    before = os.environ.get(HOME)
    os.environ[HOME] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ[HOME]
        else:
            os.environ[HOME] = before


@contextmanager
def opened(home: Path) -> Iterator[dg.DagsterInstance]:
    """Open the instance of ``home``; raises InstanceError when its storage fails, there or in the body."""
    try:
        with _at_home(home), dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance
    except Exception as error:
        if not _of_storage(error):
            raise
        raise InstanceError(_told(home, error)) from error


def _of_storage(error: BaseException | None) -> bool:
    """Whether an error, or what it comes from (Dagster wraps some), is one of a database."""
    while error is not None:
        if isinstance(error, SQLAlchemyError | sqlite3.Error | CommandError):
            return True
        error = error.__cause__
    return False


def _told(home: Path, error: Exception) -> str:
    if (fault := machine_fault(error)) is not None:
        return f"l'instance Dagster ne peut s'écrire : {fault}"
    url = postgres_url()
    if url is not None:
        where = f"{url.host or 'socket locale'}, base {url.database}"
        return (
            f"la base PostgreSQL de l'instance ne répond pas, ou refuse la connexion ({where}) : vérifier que le "
            "service est lancé, RESULTATS_PG_URL et le mot de passe, puis relancer"
        )
    return _damaged(_sqlite_folder(home))


def _damaged(place: Path) -> str:
    return (
        f"l'instance Dagster est abîmée : {place}. Ce qui est publié n'est pas touché. Remettre la dernière sauvegarde "
        "(deploy/backup/backup.sh restore --replace) ; sans sauvegarde, déplacer ce fichier ou ce dossier ailleurs, "
        "puis lancer « resultats instance prepare » : seul l'historique des traitements serait perdu"
    )


def postgres_url() -> URL | None:
    """Return where PostgreSQL is, or None: RESULTATS_PG_URL, or the file that RESULTATS_PG_URL_FILE names.

    The password may stand apart: RESULTATS_PG_PASSWORD, or the file that RESULTATS_PG_PASSWORD_FILE names.
    Raises SettingError, without the value, on anything that is no PostgreSQL address.
    """
    written = read_secret(_URL)
    if written is None:
        return None
    try:
        url = make_url(written)
    except Exception:
        raise SettingError(f"{_URL} : ce n'est pas une adresse (postgresql://compte@machine:port/base)") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingError(f"{_URL} : l'adresse d'une base PostgreSQL est attendue")
    url = url.set(drivername=_DRIVER)
    password = read_secret(_PASSWORD)
    return url if password is None else url.set(password=password)


def database_time() -> float:
    """Return what time it is (epoch seconds) by PostgreSQL, 0 without it. Raises what the database raises."""
    url = postgres_url()
    if url is None:
        return 0.0
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return float(connection.execute(text("SELECT extract(epoch FROM now())")).scalar_one())
    finally:
        engine.dispose()


def prepare_instance(home: Path, *, alone: bool = True) -> list[str]:
    """Make the instance of ``home`` ready: made or migrated by one process at a time, mended if a start was cut short.

    Returns what was done (French). To be called before any Dagster process starts: two that create the same storage at
    once can leave it unusable. Unless ``alone``, runs may be going: the files that they are making of their own are
    left alone. Raises InstanceError when the storage can't be used.
    """
    done: list[str] = []
    with _alone(home):
        if postgres_url() is None:
            done += [f"réparé : {path}" for path in mend_sqlite(_sqlite_folder(home), runs=alone)]
        with opened(home) as instance, redirect_stdout(io.StringIO()):
            if not all(version and version[0] == version[1] for version in schema_versions(instance)):
                # The file of every run is opened for it, and their index last; it prints what it does.
                instance.upgrade()
            done.append(f"stockage prêt : {'SQLite' if postgres_url() is None else 'PostgreSQL'}")
    return done


def schema_versions(instance: dg.DagsterInstance) -> list[AlembicVersion | None]:
    """Return, of each storage, the version that it has and the one that this Dagster makes; None: none is known."""
    storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    return [storage.alembic_version() if storage else None for storage in storages]


def _sqlite_folder(home: Path) -> Path:
    storage = InstanceRef.from_dir(str(home)).storage_data
    return home / yaml.safe_load(storage.config_yaml)["base_dir"] if storage else home


def mend_sqlite(state: Path, *, runs: bool = True) -> list[Path]:
    """Mend the SQLite files below ``state`` whose creation was cut short or made twice at once; return them.

    Two creators leave two revisions in ``alembic_version``, on which every later start fails: the newest is right,
    since tables are made as of today. A file without tables or without a revision was only begun: it is removed, to be
    made anew. Raises InstanceError on a file that is damaged otherwise. ``runs``: also the files of events that
    each run has.
    """
    newest = ScriptDirectory.from_config(get_alembic_config(sqlite_storage.__file__)).get_current_head()
    mended = []
    for path in sorted(state.rglob("*.db")):
        if not runs and _RUN.fullmatch(path.stem):
            continue
        try:
            mended += [path] if _mended(path, newest) else []
        except sqlite3.Error as error:
            raise InstanceError(machine_fault(error) or _damaged(path)) from error
    return mended


def _mended(path: Path, newest: str | None) -> bool:
    with closing(sqlite3.connect(path)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        versions = []
        if "alembic_version" in tables:
            rows = database.execute("SELECT version_num FROM alembic_version ORDER BY rowid")
            versions = [name for (name,) in rows]
        if len(versions) > 1:
            kept = newest if newest in versions else versions[-1]
            database.execute("DELETE FROM alembic_version WHERE version_num <> ?", (kept,))
            database.commit()
    begun = not tables - {"alembic_version"} or not versions
    if begun:
        for part in path.parent.glob(f"{path.name}*"):
            part.unlink()
    return begun or len(versions) > 1


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the lock of the home folder, and PostgreSQL's when it is the storage: other machines may start too."""
    with ExitStack() as held:
        held.enter_context(FileLock(home / ".preparation"))
        if (url := postgres_url()) is not None:
            engine = create_engine(url)
            held.callback(engine.dispose)
            try:
                connection = held.enter_context(engine.connect())
            except SQLAlchemyError as error:
                raise InstanceError(_told(home, error)) from error
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        yield
