"""Lists of links by name, cut so that no page is heavy: what readers without JavaScript find a place by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.portal import addresses
from pipelines.portal.folded_names import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.portal.templates import Pages

LONGEST = 300  # entries of a page: some 40 kB


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found: its name, its page, and what tells it from others of the name."""

    name: str
    address: str
    detail: str


def list_pages(
    pages: Pages, address: str, title: str, entries: Sequence[Entry], *, lead: str,
    crumbs: list[tuple[str, str | None]], groups: Sequence[tuple[str, str]] = (), groups_label: str = "",
    list_title: str = "Par ordre alphabétique",
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Yield the address and text of each part of a list; ``groups`` are links to lists beside it."""
    ordered = sorted(entries, key=lambda entry: (folded(entry.name), entry.detail, entry.address))
    cut = [ordered[start : start + LONGEST] for start in range(0, len(ordered), LONGEST)] or [[]]
    parts = [addresses.part(address, number) for number in range(1, len(cut) + 1)]
    for number, (target, held) in enumerate(zip(parts, cut, strict=True), start=1):
        yield target, pages.render(
            "list.html", target, f"{title}, partie {number}" if number > 1 else title, lead=lead, crumbs=crumbs,
            entries=held, parts=parts, groups=groups, groups_label=groups_label, list_title=list_title,
        )  # fmt: skip
