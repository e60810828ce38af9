"""What was last published to a udata: page and version of each dataset, for people (``resultats status``).

Publication finds what is ours by our keys on the server; of this it only reads that a dataset was there once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.release.renditions import put
from pipelines.targets.udata.remote import RemoteDataset


def last_page(path: Path, address: str, dataset: str) -> str:
    """Return the page under which a dataset was last published at that address, empty when it never was."""
    return str(_datasets(path, address).get(dataset, {}).get("page", ""))


def note(path: Path, address: str, dataset: str, remote: RemoteDataset) -> None:
    """Keep the page of a dataset and the version wholly there."""
    datasets = _datasets(path, address) | {dataset: {"page": remote.page, "version": remote.version}}
    content = {"address": address, "datasets": dict(sorted(datasets.items()))}
    put(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))


def _datasets(path: Path, address: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return dict(content["datasets"]) if content["address"] == address else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # absent or damaged: the next publication notes it again
