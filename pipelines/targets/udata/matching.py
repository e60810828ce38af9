"""Which resource of the target is which wanted one. Pure: what is wanted and what is there in, pairs out.

Ours are known by their key. An upload that was cut before it was described has no key yet: it is taken for ours only
when its content and its file name are those of a file of ours and nobody has given it a title.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipelines.targets.udata.desired import DesiredDataset
from pipelines.targets.udata.remote import ARCHIVE, RemoteDataset, RemoteResource
from pipelines.targets.udata.resources import DesiredResource


@dataclass(frozen=True)
class Matching:
    """``paired``: by key, what we already have there. ``adopted``: the keys among them that were not described.

    ``retired``: ours, no longer offered. ``doubles``: second copies of ours. ``archives``: of releases that this folder
    does not know, left alone. ``foreign``: what others added, left alone.
    """

    paired: Mapping[str, RemoteResource]
    adopted: frozenset[str]
    retired: tuple[RemoteResource, ...]
    doubles: tuple[RemoteResource, ...]
    archives: tuple[RemoteResource, ...]
    foreign: tuple[RemoteResource, ...]


def match(desired: DesiredDataset, remote: RemoteDataset | None, earlier: Collection[str]) -> Matching:
    """Pair what is held with what is offered; ``earlier`` holds the sha1 of every file of our releases."""
    held, by_key = (remote.resources, remote.by_key) if remote is not None else ((), {})
    paired = {wanted.key: by_key[wanted.key] for wanted in desired.resources if wanted.key in by_key}
    ids = {resource.id for resource in paired.values()}
    others = [resource for resource in held if resource.id not in ids]
    doubles = [resource for resource in others if resource.key in paired]
    cut = [resource for resource in others if resource.undescribed and _sent_by_us(resource, desired, earlier)]
    adopted = _adopted(cut, [wanted for wanted in desired.resources if wanted.key not in paired])
    left = [resource for resource in others if resource not in [*doubles, *adopted.values()]]
    ours = [resource for resource in left if resource.key is not None]
    return Matching(
        paired=paired | adopted,
        adopted=frozenset(adopted),
        retired=tuple(resource for resource in ours if not str(resource.key).startswith(ARCHIVE)),
        doubles=(*doubles, *(resource for resource in left if resource in cut)),
        archives=tuple(resource for resource in ours if str(resource.key).startswith(ARCHIVE)),
        foreign=tuple(resource for resource in left if resource.key is None and resource not in cut),
    )


def _sent_by_us(resource: RemoteResource, desired: DesiredDataset, earlier: Collection[str]) -> bool:
    """Whether a file without a key is of the name and content, now or before, of one of ours."""
    named = [wanted for wanted in desired.resources if wanted.filename == resource.filename]
    return any(wanted.is_in(resource) or resource.sha1 in earlier for wanted in named)


def _adopted(cut: list[RemoteResource], free: list[DesiredResource]) -> dict[str, RemoteResource]:
    """Return, by key, the cut uploads to take up: those of the content wanted, else of the name alone."""
    adopted: dict[str, RemoteResource] = {}
    for wanted in free:
        named = [resource for resource in cut if resource.filename == wanted.filename]
        same = [resource for resource in named if wanted.is_in(resource)]
        if named:
            adopted[wanted.key] = (same or named)[0]
    return adopted
