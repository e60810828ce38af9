"""The ids of our datasets and resources on one target, kept in a file. It only saves looking, and can be lost.

What it held is found again on the target itself, through our keys in the extras.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.mechanics.files import write_whole
from pipelines.targets.target import RemoteDataset


@dataclass(frozen=True)
class KnownIds:
    """Id and page of one dataset; ``resources`` gives the ids of its resources by our keys."""

    dataset: str | None = None
    page: str = ""
    resources: Mapping[str, str] = field(default_factory=dict)


def read_ids(path: Path, address: str, dataset: str) -> KnownIds:
    """Return what is known of a dataset on the target at ``address``; nothing when the file is of another one."""
    found = _content(path, address)["datasets"].get(dataset)
    if found is None:
        return KnownIds()
    resources = found["resources"]
    return KnownIds(found["id"], found["page"], {key: item["id"] for key, item in resources.items()})


def write_ids(path: Path, address: str, dataset: str, held: RemoteDataset) -> None:
    """Keep the ids of a dataset and the version wholly there; the file is touched only when they changed."""
    content = _content(path, address)
    resources = {item.key: {"id": item.id, "latest": item.latest} for item in held.resources if item.key}
    entry = {"id": held.id, "page": held.page, "version": held.version, "resources": dict(sorted(resources.items()))}
    if content["datasets"].get(dataset) == entry:
        return
    content["datasets"][dataset] = entry
    write_whole(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def _content(path: Path, address: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        datasets = content["datasets"] if content["address"] == address else {}
    except (OSError, ValueError, KeyError, TypeError):
        datasets = {}  # absent or damaged: the target tells it again
    return {"address": address, "datasets": dict(datasets)}
