"""A running test server, as tests see it: its address, keys and organisations, and a few changes of its settings.

It starts and stops the process of launch.py and asks its test routes; what is published there is the tests' business.
"""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

HERE = Path(__file__).parent
START_SECONDS = 120
START = 1  # the state that is kept when the server starts


@dataclass(frozen=True)
class Publisher:
    """An organisation and the key of a user who may publish for it, and for no other."""

    organization: str
    key: str


@dataclass(frozen=True)
class Udata:
    """A real udata server. Keys are of users of the same name; `expired` and `revoked` were the editor's."""

    base_url: str
    admin_key: str
    editor_key: str
    stranger_key: str
    expired_key: str
    revoked_key: str
    users: dict[str, str]  # identifiers of admin, editor and stranger

    def organization(self) -> str:
        """Return the identifier of a new organisation, which the editor is a member of and which holds nothing."""
        return self.publisher().organization

    def publisher(self) -> Publisher:
        """Return a new organisation with a new user, whose account holds nothing else: quicker than the editor's."""
        answer = self._ask("organization", {"name": f"Organisation {uuid.uuid4().hex[:12]}"})
        return Publisher(answer["id"], answer["key"])

    def keep(self) -> int:
        """Keep the state of the server; return what `restore` needs to come back to it."""
        return int(self._ask("keep", {})["state"])

    def restore(self, state: int = START) -> None:
        """Come back to a state kept before; unless told, to the start: so long campaigns don't slow the server."""
        self._ask("restore", {"state": state})

    def settle(self) -> None:
        """Wait until the server has ended what it was asked, even by clients that were killed."""
        self._ask("settle", {})

    @contextmanager
    def settings(self, **values: Any) -> Iterator[None]:
        """Change settings of the running server for a while: SCHEMA_CATALOG_URL, MAX_CONTENT_LENGTH, READ_ONLY_MODE…"""
        before = self._ask("change_settings", values)
        try:
            yield
        finally:
            self._ask("change_settings", before)

    @contextmanager
    def refusing(self, *extensions: str) -> Iterator[None]:
        """Refuse files of these extensions for a while. At first parquet is accepted, as on data.gouv.fr."""
        accepted = self.get("/api/1/datasets/extensions/")
        with self.settings(ALLOWED_RESOURCES_EXTENSIONS=[each for each in accepted if each not in extensions]):
            yield

    def datasets(self, organization: str) -> list[dict[str, Any]]:
        """Return every dataset of an organisation as its editor reads it: private, archived and deleted ones too."""
        found = self._ask("datasets", {"organization": organization})
        return [self.get(f"/api/1/datasets/{identifier}/") for identifier in found["ids"]]

    def get(self, path: str, key: str | None = None) -> Any:
        """Return what a GET of this path answers (with the editor's key unless told)."""
        answer = requests.get(self.base_url + path, headers={"X-API-KEY": key or self.editor_key}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _ask(self, route: str, content: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(f"{self.base_url}/_test/{route}", json=content, timeout=30)
        answer.raise_for_status()
        return dict(answer.json())


@contextmanager
def running(python: Path, root: Path) -> Iterator[Udata]:
    """Run a server from this environment, its files in `root` (made here), until the block ends."""
    root.mkdir(parents=True)
    log = root / "log.txt"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [python, "-Es", HERE / "launch.py", "--root", root], stdin=subprocess.PIPE, stdout=said, stderr=said
        )
    try:
        yield _when_ready(process, root / "server.json", log)
    finally:
        process.kill()
        process.communicate()


def _when_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> Udata:
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("udata n'a pas démarré :\n" + log.read_text(errors="replace")[-4000:])
        time.sleep(0.05)
    information = json.loads(ready.read_text())
    keys = {f"{name}_key": key for name, key in information["keys"].items()}
    return Udata(base_url=information["base_url"], users=information["users"], **keys)
