"""Where a run reads and writes: the one place that looks at the environment."""

import os
from pathlib import Path

import dagster as dg

from assets.storage import Store
from pipelines.read import ExportsRoot

PROJECT = Path(__file__).resolve().parents[1]


class Workspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The exports root (folder or fsspec URL), the output folder, and the declarations folder."""

    exports: str
    output: str
    schemas: str

    @property
    def root(self) -> ExportsRoot:
        """The exports root; raises RootError when it can't be reached."""
        return ExportsRoot(self.exports)

    @property
    def store(self) -> Store:
        """Everything that runs produce, below the output folder."""
        return Store(Path(self.output))


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
