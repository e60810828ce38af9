"""Lists of links by name, cut so that no page is heavy, and the search without a server: how a place is found.

A list too long for one page leads to a list for each territory (of a territory: for each network), whose address is
its code, so that it stays; one of these that is still too long has parts. Names are in the order of their folded words.

The search finds names in shards that a page loads as scripts. Each name stands once for each of its words, under the
words from there on (« gare saint martin », « st martin »), in one order cut in shards; the index tells where each
begins. Words, then prefixes of words, are found in one or two of them. ``site.js`` folds words as ``folded`` does.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.mechanics.french import counted
from pipelines.portal import addresses
from pipelines.portal.templates import packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipelines.portal.templates import Crumbs, File, Pages

LONGEST = 300  # entries of a page: some 40 kB
_HEAVIEST = 70_000  # bytes of names, addresses and details on a page, with _ENTRY for each entry
_ENTRY = 60
_HEAVIEST_SHARD = 14_000  # bytes
_LONGEST_KEY = 20  # characters of the index by which a shard is found
_SMALL = {"a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "n", "s", "sur"}
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
    parts = packed(ordered, _weight, _HEAVIEST, most=LONGEST)
    yield from pages.in_parts(
        "list.html",
        address,
        told.title,
        parts,
        lead=told.lead,
        crumbs=told.crumbs,
        groups=told.groups,
        groups_label=told.groups_label,
        list_title=told.list_title,
        firsts=[part[0].name for part in parts if part],
    )


def _weight(entry: Entry) -> int:
    return _ENTRY + len(f"{entry.name}{entry.address}{entry.detail}".encode())


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
        links.append(Entry(named, target, counted(len(held), "structure")))
        one = replace(
            told,
            title=f"{told.title}, {named}",
            groups=(),
            list_title="Par ordre alphabétique",
            lead=f"{told.title} : {named}.",
            crumbs=[*above, (here, address), (named, None)],
        )
        yield from list_pages(pages, target, one, held)
    yield from list_pages(pages, address, replace(told, list_title="Par territoire ou réseau"), links)


def folded(text: str) -> str:
    """Return the words of a text, folded, one space between them."""
    bare = "".join(
        sign
        for sign in unicodedata.normalize("NFD", text.lower().translate(_LIGATURES))
        if not unicodedata.combining(sign)
    )
    return " ".join(_SAINTS.get(word, word) for word in _SIGNS.split(bare) if word)


def search_files(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Yield the address and text of each shard, and of their index."""
    keyed = sorted((key, entry.name, entry.address, entry.detail) for entry in entries for key in _keys(entry))
    starts, last = list[str](), ""
    for number, shard in enumerate(filter(None, packed(keyed, _shown_bytes, _HEAVIEST_SHARD))):
        starts.append(_start(shard[0][0], last))
        last = shard[-1][0]
        joined = ",\n".join(_json(shown) for _, *shown in shard)
        yield f"recherche/{number}.js", f"R({number},[\n{joined}\n])\n"
    yield "recherche/index.js", f"I({_json(starts)})\n"


def _shown_bytes(keyed: tuple[str, ...]) -> int:
    return len(_json(keyed[1:]).encode()) + 2


def _start(key: str, before: str) -> str:
    """Return as little of the first key of a shard as tells it from the last of the shard before."""
    alike = next((at for at, (one, other) in enumerate(zip(key, before, strict=False)) if one != other), len(before))
    return key[: min(alike + 1, _LONGEST_KEY)]


def _keys(entry: Entry) -> set[str]:
    """Return what an entry is found by: its folded words from each of its name on, and from its territory on."""
    name, detail = folded(entry.name).split(), folded(entry.detail).split()
    territory = len(name) + len(detail) - len(folded(entry.detail.rpartition(",")[2]).split())
    words = [*name, *detail]
    starts = [start for start in (*range(len(name)), territory) if words[start:] and words[start] not in _SMALL]
    return {" ".join(words[start:])[: 2 * _LONGEST_KEY] for start in starts} or {" ".join(words)}


def _json(content: object) -> str:
    """Return JSON that a script may hold, whatever names hold: no tag, no line separator that ends it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
