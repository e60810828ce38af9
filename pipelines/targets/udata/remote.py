"""udata → what a target holds of a dataset. It only reads; identity comes from our keys in the extras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pipelines.release.errors import PublicationError
from pipelines.targets.target import DATASET, SPARE, RemoteDataset, RemoteResource, RemoteState
from pipelines.targets.udata.client import Json, Udata

MANAGED = ("title", "description", "description_short", "tags", "license", "frequency", "temporal_coverage", "spatial")


def read_state(client: Udata, organization: str, dataset: str, expected: str | None) -> RemoteState:
    """Return what the target holds of our ``dataset``; ``expected`` is its id when it was last seen.

    Raises PublicationError when the organization is not there or the account is not one of its members.
    """
    found = member_of(client, organization)
    held, others = _find(client, found, dataset, expected)
    return RemoteState(
        address=client.base_url,
        organization=found,
        extensions=client.extensions(),
        licences=client.licences(),
        dataset=held,
        expected=expected,
        others=others,
    )


def carriers(client: Udata, organization: str, mark: str, value: str) -> list[Json]:
    """Return the datasets of an organization that carry an extra of ours: those in use first, then the oldest."""
    found = [item for item in client.datasets() if item["extras"].get(mark) == value and _owned(item, organization)]
    return sorted(found, key=lambda item: (item["deleted"] is not None, item["created_at"], item["id"]))


def spare_draft(client: Udata, organization: str) -> Json | None:
    """Return an empty draft that may be used instead of making a dataset."""
    free = [item for item in carriers(client, organization, SPARE, "oui") if not item["deleted"] and item["private"]]
    return free[0] if free else None


def remote_dataset(body: Json) -> RemoteDataset:
    """Return a dataset of the API in our form."""
    contacts = body.get("contact_points") or []
    return RemoteDataset(
        id=body["id"],
        page=body.get("page") or f"{body['uri']}",
        fields=managed(body),
        private=bool(body["private"]),
        deleted=body.get("deleted"),
        extras=body.get("extras") or {},
        contacts=tuple((item["name"], item.get("email") or "") for item in contacts),
        contact_ids=tuple(item["id"] for item in contacts),
        resources=tuple(remote_resource(item) for item in body["resources"]),
        quality=body.get("quality") or {},
    )


def managed(body: Json) -> dict[str, Any]:
    """Return the fields of a dataset that we manage, in a form that compares."""
    coverage, spatial = body.get("temporal_coverage"), body.get("spatial") or {}
    return {
        **{name: body.get(name) for name in MANAGED},
        "tags": sorted(body.get("tags") or ()),
        "temporal_coverage": {name: (coverage.get(name) or "")[:10] for name in ("start", "end")} if coverage else None,
        "spatial": {"zones": sorted(_zones(spatial)), "granularity": spatial.get("granularity")},
    }


def remote_resource(body: Json) -> RemoteResource:
    """Return a resource of the API in our form."""
    checksum, schema = body.get("checksum") or {}, body.get("schema") or {}
    return RemoteResource(
        id=body["id"],
        title=body["title"],
        description=body.get("description") or "",
        type=body["type"],
        filename=urlsplit(body.get("url") or "").path.rpartition("/")[2],
        filetype=body["filetype"],
        sha1=checksum.get("value") if checksum.get("type") == "sha1" else None,
        size=body.get("filesize"),
        schema={name: value for name, value in schema.items() if value},
        extras=body.get("extras") or {},
        latest=body["latest"],
        created_at=body["created_at"],
    )


def _zones(spatial: Mapping[str, Any]) -> list[str]:
    return [zone if isinstance(zone, str) else zone["id"] for zone in spatial.get("zones") or ()]


def member_of(client: Udata, wanted: str) -> str:
    """Return the id of an organization of the account; raises PublicationError when it isn't one of its members."""
    for item in client.me()["organizations"]:
        if wanted in (item["id"], item["slug"]):
            return str(item["id"])
    if client.organization(wanted) is None:
        raise PublicationError(
            f"L'organisation « {wanted} » n'existe pas sur {client.base_url} ; corriger RESULTATS_ORGANIZATION "
            "(identifiant ou nom court de l'organisation, lu dans l'adresse de sa page)."
        )
    raise PublicationError(
        f"Le compte de la clé d'API n'est pas membre de l'organisation « {wanted} » ; "
        "demander à un administrateur de l'organisation de l'inviter comme éditeur."
    )


def _owned(body: Json, organization: str) -> bool:
    return (body.get("organization") or {}).get("id") == organization


def _find(
    client: Udata, organization: str, dataset: str, expected: str | None
) -> tuple[RemoteDataset | None, tuple[str, ...]]:
    if expected is not None:
        body = client.dataset(expected)
        # Extras that another tool wiped make a dataset of ours no less ours.
        if body is not None and body["extras"].get(DATASET, dataset) == dataset and _owned(body, organization):
            return remote_dataset(body), ()
    found = carriers(client, organization, DATASET, dataset)
    if not found:
        return None, ()
    alive = [item["id"] for item in found if not item["deleted"]]
    body = client.dataset(found[0]["id"])
    return (remote_dataset(body) if body is not None else None), tuple(alive[1:])
