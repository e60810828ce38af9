"""What a udata holds of one of our datasets, accepts, and made of our files; the page last published, for people.

Publication finds what is ours by our keys on the server; of what is noted here it only reads that a dataset was there
once. What the platform's crawler (hydra) made of files comes within hours, and never stops a publication.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.release.refusals import PublicationError
from pipelines.release.written_files import put
from pipelines.targets.protocol import Preview
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.remote import DATASET, SUPERSEDED, Listed, RemoteDataset, RemoteResource

PREVIEWED = frozenset({"csv", "xlsx", "parquet"})
READY, WAITING, FAILED, UNAVAILABLE = "aperçu prêt", "pas encore analysé", "analyse en échec", "fichier injoignable"


@dataclass(frozen=True)
class RemoteState:
    """What a udata holds of one of our datasets, and what it accepts.

    ``last_page`` is that of the last publication, empty when there was none; ``others`` the ids of datasets of the same
    key.
    """

    address: str
    organization: str
    extensions: frozenset[str]
    licences: frozenset[str]
    dataset: RemoteDataset | None = None
    last_page: str = ""
    others: tuple[str, ...] = ()


def read_state(client: Udata, organization: str, dataset: str, last_page: str = "") -> RemoteState:
    """Return what the target holds of our ``dataset``.

    Raises PublicationError when the organization is not there or the account is not one of its members.
    """
    owner = member_of(client, organization)
    ours = carriers(client, owner, dataset)
    return RemoteState(
        address=client.base_url,
        organization=owner,
        extensions=client.extensions(),
        licences=client.licences(),
        dataset=client.dataset(ours[0].id) if ours else None,
        last_page=last_page,
        others=tuple(listed.id for listed in ours[1:] if not listed.deleted),
    )


def carriers(client: Udata, organization: str, dataset: str) -> list[Listed]:
    """Return the datasets of an organization that carry our key: those in use first, then the oldest."""
    listed = [each for each in client.datasets() if each.owner == organization and each.extras.get(DATASET) == dataset]
    return sorted(listed, key=lambda each: (each.deleted is not None, each.created_at, each.id))


def member_of(client: Udata, wanted: str) -> str:
    """Return the id of an organization of the account; raises PublicationError when it isn't one of its members."""
    for organization in client.organizations():
        if wanted in (organization.id, organization.slug):
            return organization.id
    if not client.has_organization(wanted):
        raise PublicationError(
            f"L'organisation « {wanted} » n'existe pas sur {client.base_url} ; corriger RESULTATS_ORGANIZATION "
            "(identifiant ou nom court de l'organisation, lu dans l'adresse de sa page)."
        )
    raise PublicationError(
        f"Le compte de la clé d'API n'est pas membre de l'organisation « {wanted} » ; "
        "demander à un administrateur de l'organisation de l'inviter comme éditeur."
    )


def page_last_published(path: Path, address: str, dataset: str) -> str:
    """Return the page under which a dataset was last published at that address, empty when it never was."""
    return str(_datasets(path, address).get(dataset, {}).get("page", ""))


def note_published(path: Path, address: str, dataset: str, remote: RemoteDataset) -> None:
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


def previews(resources: Iterable[RemoteResource]) -> list[Preview]:
    """Return the state of every file of ours that the platform should show as a table."""
    ours = [resource for resource in resources if resource.key and SUPERSEDED not in resource.extras]
    return [_preview(resource) for resource in ours if resource.filename.rpartition(".")[2] in PREVIEWED]


def _preview(resource: RemoteResource) -> Preview:
    key, title, extras = str(resource.key), resource.title, resource.extras
    if error := extras.get("analysis:parsing:error") or extras.get("analysis:error"):
        return Preview(key, title, FAILED, str(error), failed=True)
    if extras.get("check:available") is False:
        cause = extras.get("check:error") or extras.get("check:status") or ""
        return Preview(key, title, UNAVAILABLE, str(cause), failed=True)
    return Preview(key, title, READY if extras.get("analysis:parsing:parsing_table") else WAITING)
