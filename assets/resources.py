"""Where a run reads and writes: the one place that looks at the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from assets.shared import open_store
from assets.storage import Store
from pipelines.read import ExportsRoot

PROJECT = Path(__file__).resolve().parents[1]


class Workspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The exports root and the output (each a folder or an fsspec URL), and the declarations folder."""

    exports: str
    output: str
    schemas: str
    _store: Store | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Workspace"]:  # noqa: ARG002
        """Give the steps that run in this process one store, left when they are done."""
        self._store = open_store(self.output)
        try:
            yield self
        finally:
            self._store.close()
            self._store = None

    @property
    def root(self) -> ExportsRoot:
        """The exports root; raises RootError when it can't be reached."""
        return ExportsRoot(self.exports)

    @property
    def store(self) -> Store:
        """Everything that runs produce; outside of a run, each call opens it anew and sees what is saved by then."""
        return self._store or open_store(self.output)


def workspace_from_environment() -> Workspace:
    """Return the workspace that the environment names, else the project's own.

    The variables are RESULTATS_EXPORTS, RESULTATS_OUTPUT and RESULTATS_SCHEMAS.
    """
    return Workspace(
        exports=_place("RESULTATS_EXPORTS", "data/samples"),
        output=_place("RESULTATS_OUTPUT", "data/output"),
        schemas=_place("RESULTATS_SCHEMAS", "schemas"),
    )


def _place(variable: str, default: str) -> str:
    value = os.environ.get(variable) or default
    return value if "://" in value else str(PROJECT / value)
