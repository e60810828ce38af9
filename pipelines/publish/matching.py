"""Which held resource is which offered one. Pure: an offer and what the target holds in, pairs out.

Ours are known by their key. An upload that was cut before it was described has no key yet: it is taken for ours only
when its content and its file name are those of a file of ours and nobody has given it a title.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipelines.publish.layout import ARCHIVE
from pipelines.publish.offer import Offer, OfferedResource
from pipelines.publish.target import HeldResource


@dataclass(frozen=True)
class Matching:
    """``paired``: by key, what we already have there. ``adopted``: the keys among them that were not described.

    ``retired``: ours, no longer offered. ``doubles``: second copies of ours. ``archives``: of releases that this folder
    does not know, left alone. ``foreign``: what others added, left alone.
    """

    paired: Mapping[str, HeldResource]
    adopted: frozenset[str]
    retired: tuple[HeldResource, ...]
    doubles: tuple[HeldResource, ...]
    archives: tuple[HeldResource, ...]
    foreign: tuple[HeldResource, ...]


def match(offer: Offer, held: Collection[HeldResource], earlier: Collection[str]) -> Matching:
    """Pair what is held with what is offered; ``earlier`` holds the sha1 of every file of our releases."""
    paired, doubles, rest = _by_key(offer, held)
    adopted: dict[str, HeldResource] = {}
    for item in [resource for resource in rest if resource.undescribed]:
        key = _adoptable(item, offer, paired.keys() | adopted.keys(), earlier)
        if key is not None:
            adopted[key] = item
    left = [item for item in rest if item not in adopted.values()]
    copies = {(item.filename, item.sha1, item.size) for item in (*paired.values(), *adopted.values())}
    twins = [item for item in left if item.undescribed and (item.filename, item.sha1, item.size) in copies]
    ours = [item for item in left if item.key is not None]
    return Matching(
        paired=paired | adopted,
        adopted=frozenset(adopted),
        retired=tuple(item for item in ours if not _archive(item)),
        doubles=(*doubles, *twins),
        archives=tuple(item for item in ours if _archive(item)),
        foreign=tuple(item for item in left if item.key is None and item not in twins),
    )


def _by_key(
    offer: Offer, held: Collection[HeldResource]
) -> tuple[dict[str, HeldResource], list[HeldResource], list[HeldResource]]:
    """Return the pairs by key (the oldest where two carry one key), second copies, and everything else."""
    offered = {item.key for item in offer.resources}
    paired: dict[str, HeldResource] = {}
    doubles: list[HeldResource] = []
    for item in sorted(held, key=lambda found: (found.created_at, found.id)):
        if item.key in paired:
            doubles.append(item)
        elif item.key in offered and item.filetype == "file":
            paired[str(item.key)] = item
    known = {item.id for item in (*paired.values(), *doubles)}
    return paired, doubles, [item for item in held if item.id not in known]


def _adoptable(item: HeldResource, offer: Offer, taken: Collection[str], earlier: Collection[str]) -> str | None:
    free = [offered for offered in offer.resources if offered.key not in taken and offered.filename == item.filename]
    same = [offered.key for offered in free if _same_file(offered, item)]
    stale = [offered.key for offered in free if item.sha1 in earlier]
    return next(iter([*same, *stale]), None)


def _same_file(offered: OfferedResource, item: HeldResource) -> bool:
    return (offered.sha1, offered.size) == (item.sha1, item.size)


def _archive(item: HeldResource) -> bool:
    return (item.key or "").startswith(ARCHIVE)
