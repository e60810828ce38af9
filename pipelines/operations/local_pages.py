"""Pages served to this machine alone: the page of control (``resultats door``), and letters beside ``make ui``.

    python -m pipelines.operations.local_pages FOLDER PORT

serves the letters and annotated copies below FOLDER, ``work/networks`` of an output, as the web server of an
installation does; what is beside them (answers, row by row) is for nobody else.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os

    from starlette.types import ASGIApp

LETTER = re.compile(r"[a-z0-9-]+/[0-9]+/[a-z0-9-]+-(lettre\.(html|txt)|lignes-refusees\.xlsx)")


class Letters(StaticFiles):
    """The letters of a folder; anything else isn't found."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return the file meant and what the machine says of it."""
        return super().lookup_path(path) if LETTER.fullmatch(path) else ("", None)

    async def check_config(self) -> None:
        """Start before any letter is written."""


def served(page: ASGIApp, port: int) -> bool:
    """Serve on loopback until stopped; return False when the port is taken."""
    try:
        uvicorn.run(
            page,
            host="127.0.0.1",
            port=port,
            log_level="critical",
            access_log=False,
            server_header=False,
            limit_concurrency=64,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=10,
        )
    except SystemExit:
        return False
    return True


if __name__ == "__main__":
    _, folder, port = sys.argv
    if not served(Starlette(routes=[Mount("/", Letters(directory=folder, check_dir=False))]), int(port)):
        print(f"Les lettres ne s'ouvriront pas : le port {port} est pris (make ui LETTERS=…).", file=sys.stderr)
