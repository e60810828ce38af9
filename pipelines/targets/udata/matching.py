"""Which resource of the target is which wanted one. Pure: what is wanted and what is there in, pairs out.

Ours are known by their key. An upload that was cut before it was described has no key yet: it is taken for ours only
when its content and its file name are those of a file of ours and nobody has given it a title.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipelines.targets.udata.desired import DesiredDataset, DesiredResource
from pipelines.targets.udata.remote import ARCHIVE, RemoteResource


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


def match(desired: DesiredDataset, held: Collection[RemoteResource], earlier: Collection[str]) -> Matching:
    """Pair what is held with what is offered; ``earlier`` holds the sha1 of every file of our releases."""
    paired, doubles, rest = _by_key(desired, held)
    cut = [item for item in rest if item.undescribed and _of_ours(item, desired, earlier)]
    adopted = _adopted(cut, [item for item in desired.resources if item.key not in paired])
    left = [item for item in rest if item not in adopted.values()]
    twins = [item for item in cut if item in left]
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
    desired: DesiredDataset, held: Collection[RemoteResource]
) -> tuple[dict[str, RemoteResource], list[RemoteResource], list[RemoteResource]]:
    """Return the pairs by key (the oldest where two carry one key), second copies, and everything else."""
    offered = {item.key for item in desired.resources}
    paired: dict[str, RemoteResource] = {}
    doubles: list[RemoteResource] = []
    for item in sorted(held, key=lambda found: (found.created_at, found.id)):
        if item.key in paired:
            doubles.append(item)
        elif item.key in offered and item.filetype == "file":
            paired[str(item.key)] = item
    known = {item.id for item in (*paired.values(), *doubles)}
    return paired, doubles, [item for item in held if item.id not in known]


def _of_ours(item: RemoteResource, desired: DesiredDataset, earlier: Collection[str]) -> bool:
    """Whether a file without a key is one that we sent: of the name and content, now or before, of one of ours."""
    named = [offered for offered in desired.resources if offered.filename == item.filename]
    return any(offered.is_in(item) or item.sha1 in earlier for offered in named)


def _adopted(cut: list[RemoteResource], free: list[DesiredResource]) -> dict[str, RemoteResource]:
    """Return, by key, the cut uploads to take up: those of the content wanted, else of the name alone."""
    found: dict[str, RemoteResource] = {}
    for offered in free:
        named = [item for item in cut if item.filename == offered.filename]
        same = [item for item in named if offered.is_in(item)]
        if named:
            found[offered.key] = (same or named)[0]
    return found


def _archive(item: RemoteResource) -> bool:
    return (item.key or "").startswith(ARCHIVE)
