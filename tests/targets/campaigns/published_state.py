"""What a target holds, read without our client, and without what is never the same twice (ids, addresses, dates)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import requests
from udata_server.server import Publisher, Udata

State = list[dict[str, Any]]
DATASET_FIELDS = (
    "title", "description", "description_short", "tags", "license", "frequency", "temporal_coverage", "private",
    "archived", "deleted", "extras",
)  # fmt: skip
RESOURCE_FIELDS = (
    "title", "description", "type", "filetype", "format", "mime", "filesize", "checksum", "schema", "extras",
)  # fmt: skip
LINKED = {"reutiliser", "flux-versions"}  # they hold links, so that no two publications give them the same bytes


def published_state(udata: Udata, publisher: Publisher) -> State:
    """Return every dataset of the organisation, its resources in their order: equal for equal publications."""
    found = [_dataset(body) for body in udata.datasets(publisher.organization)]
    contacts = udata.get(f"/api/1/organizations/{publisher.organization}/contacts/?page_size=100", publisher.key)
    return [*found, {"contacts": sorted([each["name"], each["email"]] for each in contacts["data"])}]


def duplicates(state: State) -> list[str]:
    """Return what is there twice: datasets in use, resources with one key or one title."""
    datasets = [each for each in state if "resources" in each and not each["deleted"]]
    twice = [f"{len(datasets)} jeux de données"] if len(datasets) > 1 else []
    for dataset in datasets:
        for name in ("key", "title"):
            values = [_named(each, name) for each in dataset["resources"]]
            twice += [f"ressource {value}" for value in sorted({v for v in values if v and values.count(v) > 1})]
    return twice


def _named(resource: dict[str, Any], name: str) -> str | None:
    return resource["extras"].get("resultats:key") if name == "key" else resource["title"]


def _dataset(body: dict[str, Any]) -> dict[str, Any]:
    kept = {name: body[name] for name in DATASET_FIELDS} | {
        "zones": sorted(body["spatial"]["zones"]) if body["spatial"] else None,
        "granularity": body["spatial"]["granularity"] if body["spatial"] else None,
        "contacts": [(each["name"], each["email"], each["role"]) for each in body["contact_points"]],
        "score": body["quality"]["score"],
        "resources": [_resource(each) for each in body["resources"]],
    }
    text = json.dumps(kept, sort_keys=True)
    for resource in body["resources"]:  # a schema may be the permalink of another resource, and documents hold them
        text = text.replace(resource["id"], f"<{resource['title']}>")
    text = text.replace(body["id"], "<dataset>")
    return dict(json.loads(text))


def _resource(body: dict[str, Any]) -> dict[str, Any]:
    kept = {name: body[name] for name in RESOURCE_FIELDS}
    if body["extras"].get("resultats:key") not in LINKED:
        return kept
    content = requests.get(body["url"], timeout=30).content
    told = {"sha256": body["extras"]["resultats:sha256"], "sha1": body["checksum"]["value"]}
    proved = {name: hashlib.new(name, content).hexdigest() == value for name, value in told.items()}
    extras = {name: value for name, value in body["extras"].items() if name != "resultats:sha256"}
    return {**kept, "extras": extras, "checksum": proved, "content": content.decode()}
