"""Where a run reads and writes."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from pydantic import PrivateAttr

from pipelines.flow.store import Store
from pipelines.operations.settings import letters_from_environment, place_from_environment, setting
from pipelines.read import ExportsRoot
from pipelines.targets.folder.folder_target import NAME

POOL = "publication"  # of what is done one at a time on all machines, as the instance says


class Workspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The exports root and the output (each a folder or an fsspec URL), and the declarations folder."""

    exports: str
    output: str
    schemas: str
    target: str = NAME  # where releases go
    publish: bool = False  # whether a run may publish to a platform, or only show the plan
    letters: str = ""  # where the data team's browsers find the letters, when a web server shows them
    _store: Store | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Workspace"]:  # noqa: ARG002
        """Give the steps that run in this process one store, left when they are done."""
        self._store = Store(self.output, self.letters)
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
        return self._store or Store(self.output, self.letters)


def workspace_from_environment(exports: str = "", output: str = "", schemas: str = "") -> Workspace:
    """Return the workspace of these places; the environment names those that aren't given, and where releases go.

    The variables are RESULTATS_EXPORTS, RESULTATS_OUTPUT, RESULTATS_SCHEMAS (else the project's own), RESULTATS_TARGET
    (local, demo, www or a URL), RESULTATS_PUBLISH (« oui »: publish there without asking) and RESULTATS_LETTERS_URL.
    The key of a platform is read by ``pipelines.targets.udata.access``.
    """
    return Workspace(
        exports=exports or place_from_environment("RESULTATS_EXPORTS", "data/samples"),
        output=output or place_from_environment("RESULTATS_OUTPUT", "data/output"),
        schemas=schemas or place_from_environment("RESULTATS_SCHEMAS", "schemas"),
        letters=letters_from_environment(),
        target=setting("RESULTATS_TARGET", NAME),
        publish=setting("RESULTATS_PUBLISH").strip().lower() == "oui",
    )
