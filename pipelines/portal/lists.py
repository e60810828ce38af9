"""Lists of links by name, cut so that no page is heavy: what readers without JavaScript find a place by.

A list too long for one page leads to a list for each territory (of a territory: for each network), whose address is
its code, so that it stays; one of these that is still too long has parts. Names are in the order of their folded words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.portal import addresses
from pipelines.portal.templates import File

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.portal.templates import Crumbs, Pages


LONGEST = 300  # entries of a page: some 40 kB
_HEAVIEST = 70_000  # bytes of names, addresses and details on a page, with _ENTRY for each entry
_ENTRY = 60


_SAINTS = {"saint": "st", "sainte": "ste", "saints": "sts", "saintes": "stes"}
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})
_SIGNS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found: its name, its page, and what tells it from others of the name.

    ``within`` is the code and the name of what it is listed under where all are too many for a page.
    """

    name: str
    address: str
    detail: str
    within: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Listing:
    """What is said above a list; ``groups`` are links to lists beside it."""

    title: str
    lead: str
    crumbs: Crumbs
    groups: Sequence[tuple[str, str]] = ()
    groups_label: str = ""
    list_title: str = "Par ordre alphabétique"


def list_pages(pages: Pages, address: str, told: Listing, entries: Sequence[Entry]) -> Iterator[File]:
    """Yield each page of a list."""
    ordered = sorted(entries, key=lambda entry: (folded(entry.name), entry.detail, entry.address))
    within = sorted({entry.within for entry in ordered})
    if len(ordered) > LONGEST and len(within) > 1:
        yield from _by_holder(pages, address, told, ordered, within)
        return
    cut = list(_cut(ordered))
    parts = [
        (addresses.part(address, number), held[0].name if held else "") for number, held in enumerate(cut, start=1)
    ]
    for number, ((target, _), held) in enumerate(zip(parts, cut, strict=True), start=1):
        title = f"{told.title}, partie {number}" if number > 1 else told.title
        yield pages.file(
            "list.html", target, title, lead=told.lead, crumbs=told.crumbs, entries=held, parts=parts,
            groups=told.groups, groups_label=told.groups_label, list_title=told.list_title,
        )  # fmt: skip


def _by_holder(
    pages: Pages, address: str, told: Listing, ordered: Sequence[Entry], within: Sequence[tuple[str, str]]
) -> Iterator[File]:
    """Yield the list of the lists of a list too long, then each of these."""
    links = []
    home = address.removesuffix(".html")
    *above, (here, _) = told.crumbs
    for code, name in within:
        held = [replace(entry, within=("", "")) for entry in ordered if entry.within == (code, name)]
        named = f"{name} ({code})" if code else "Sans département publié"
        target = f"{home}/{addresses.file_name(code)}.html"
        links.append(Entry(named, target, "1 structure" if len(held) == 1 else f"{len(held)} structures"))
        one = replace(
            told, title=f"{told.title}, {named}", groups=(), list_title="Par ordre alphabétique",
            lead=f"{told.title} : {named}.", crumbs=[*above, (here, address), (named, None)],
        )  # fmt: skip
        yield from list_pages(pages, target, one, held)
    yield from list_pages(pages, address, replace(told, list_title="Par territoire ou réseau"), links)


def _cut(ordered: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Yield the entries of each part, one at least."""
    part: list[Entry] = []
    weight = 0
    for entry in ordered:
        size = _ENTRY + len(f"{entry.name}{entry.address}{entry.detail}".encode())
        if part and (len(part) == LONGEST or weight + size > _HEAVIEST):
            yield part
            part, weight = [], 0
        part.append(entry)
        weight += size
    yield part


def folded(text: str) -> str:
    """Return the words of a text, folded, one space between them."""
    bare = "".join(
        sign
        for sign in unicodedata.normalize("NFD", text.lower().translate(_LIGATURES))
        if not unicodedata.combining(sign)
    )
    return " ".join(_SAINTS.get(word, word) for word in _SIGNS.split(bare) if word)
