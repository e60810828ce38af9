"""Dagster's SQLite storage whose connections stay open: left alone, it opens, compiles for and syncs one per statement.

Dagster sets its files to WAL, where a commit that isn't synced outlives its process, and is lost only when the machine
itself stops: the last events are then lacking, and the file whole (https://sqlite.org/pragma.html, synchronous).

The file of a run is made once a process as Dagster makes it, which reads all its migrations; the next ones are copies.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy import Connection, Engine, create_engine, event

if TYPE_CHECKING:
    import sqlite3

    from dagster._serdes import ConfigurableClassData

_RUNS_OPEN = 2  # files of events of single runs that stay open; the index of all does anyway


class OpenSqliteStorage(DagsterSqliteStorage):
    """Dagster's own files, in ``base_dir``; connections to those of runs and events are kept until ``dispose``."""

    def __init__(self, base_dir: str, inst_data: "ConfigurableClassData | None" = None) -> None:
        super().__init__(base_dir, inst_data)
        self._run_storage = _Runs(self._run_storage._conn_string)
        self._event_log_storage = _Events(self._event_log_storage._base_dir)


class _Runs(SqliteRunStorage):
    @cached_property
    def _engine(self) -> Engine:
        return _engine(self._conn_string)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        self._engine.dispose()


class _Events(SqliteEventLogStorage):
    def __init__(self, base_dir: str) -> None:
        self._engines: dict[str, Engine] = {}
        self._known_tables: set[str] = set()
        self._new_run = b""  # the file of a run without an event
        super().__init__(base_dir)

    def has_table(self, table_name: str) -> bool:
        """Look for a table; those found are remembered, as Dagster takes none away."""
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._opened(shard).begin() as connection:
            yield connection

    def _opened(self, shard: str) -> Engine:
        """Return the engine of a file, which becomes the one used last."""
        engine = self._engines.pop(shard, None) or _engine(self.conn_string_for_shard(shard))
        self._engines[shard] = engine
        if shard not in self._initialized_dbs:
            self._make(shard, engine)
            self._initialized_dbs.add(shard)
        for other in [name for name in self._engines if name != INDEX_SHARD_NAME][:-_RUNS_OPEN]:
            self._engines.pop(other).dispose()
        return engine

    def _make(self, shard: str, engine: Engine) -> None:
        """Make the file of a shard, or bring to this version one that another process made."""
        path = Path(self.path_for_shard(shard))
        alone = shard != INDEX_SHARD_NAME and not path.exists()
        if alone and self._new_run and _placed(self._new_run, path):
            return
        self._initdb(engine)
        if alone and not self._new_run:
            with engine.connect() as connection:
                self._new_run = cast("sqlite3.Connection", connection.connection.driver_connection).serialize()

    def dispose(self) -> None:
        super().dispose()
        while self._engines:
            self._engines.popitem()[1].dispose()


def _placed(content: bytes, path: Path) -> bool:
    """Write a file at once, whole; return False where another process has just made it, which may have it open."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as whole:
        whole.write(content)
        whole.flush()
        try:
            os.link(whole.name, path)
        except OSError:  # already there, or a disk without links
            return False
    return True


def _engine(address: str) -> Engine:
    engine = create_engine(address, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = NORMAL")

    return engine
