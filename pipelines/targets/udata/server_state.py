"""What a udata holds of one of our datasets, and what it accepts. It only reads."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.release.errors import PublicationError
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.remote import DATASET, Listed, RemoteDataset


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
    found = carriers(client, owner, dataset)
    return RemoteState(
        address=client.base_url,
        organization=owner,
        extensions=client.extensions(),
        licences=client.licences(),
        dataset=client.dataset(found[0].id) if found else None,
        last_page=last_page,
        others=tuple(item.id for item in found[1:] if not item.deleted),
    )


def carriers(client: Udata, organization: str, dataset: str) -> list[Listed]:
    """Return the datasets of an organization that carry our key: those in use first, then the oldest."""
    mine = [item for item in client.datasets() if item.owner == organization]
    found = [item for item in mine if item.extras.get(DATASET) == dataset]
    return sorted(found, key=lambda item: (item.deleted is not None, item.created_at, item.id))


def member_of(client: Udata, wanted: str) -> str:
    """Return the id of an organization of the account; raises PublicationError when it isn't one of its members."""
    for item in client.organizations():
        if wanted in (item.id, item.slug):
            return item.id
    if not client.has_organization(wanted):
        raise PublicationError(
            f"L'organisation « {wanted} » n'existe pas sur {client.base_url} ; corriger RESULTATS_ORGANIZATION "
            "(identifiant ou nom court de l'organisation, lu dans l'adresse de sa page)."
        )
    raise PublicationError(
        f"Le compte de la clé d'API n'est pas membre de l'organisation « {wanted} » ; "
        "demander à un administrateur de l'organisation de l'inviter comme éditeur."
    )
