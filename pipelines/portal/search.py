"""The search without a server: names in shards that a page loads as scripts, found by any of their words.

Each name stands once for each of its words, under the words from there on (« gare saint martin », « st martin »), in
one order cut in shards; the index tells where each begins. Words, then prefixes of words, are found in one or two of
them. ``site.js`` reads them; it folds words as ``folded`` does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipelines.portal.lists import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipelines.portal.lists import Entry

HEAVIEST = 14_000  # bytes of a shard
LONGEST_KEY = 20  # characters of the index by which a shard is found
_SMALL = {"a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "n", "s", "sur"}


def search_files(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Yield the address and text of each shard, and of their index."""
    keyed = sorted((key, entry.name, entry.address, entry.detail) for entry in entries for key in _keys(entry))
    starts, last = list[str](), ""
    for number, shard in enumerate(_cut(keyed)):
        starts.append(_start(shard[0][0], last))
        last = shard[-1][0]
        joined = ",\n".join(_line(shown) for _, *shown in shard)
        yield f"recherche/{number}.js", f"R({number},[\n{joined}\n])\n"
    yield "recherche/index.js", f"I({_json(starts)})\n"


def _start(key: str, before: str) -> str:
    """Return as little of the first key of a shard as tells it from the last of the shard before."""
    alike = next((at for at, (one, other) in enumerate(zip(key, before, strict=False)) if one != other), len(before))
    return key[: min(alike + 1, LONGEST_KEY)]


def _keys(entry: Entry) -> set[str]:
    """Return what an entry is found by: its folded words from each of its name on, and from its territory on."""
    name, detail = folded(entry.name).split(), folded(entry.detail).split()
    territory = len(name) + len(detail) - len(folded(entry.detail.rpartition(",")[2]).split())
    words = [*name, *detail]
    starts = [start for start in (*range(len(name)), territory) if words[start:] and words[start] not in _SMALL]
    return {" ".join(words[start:])[: 2 * LONGEST_KEY] for start in starts} or {" ".join(words)}


def _cut(keyed: Sequence[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    shard: list[tuple[str, ...]] = []
    weight = 0
    for item in keyed:
        size = len(_line(item[1:]).encode()) + 2
        if shard and weight + size > HEAVIEST:
            yield shard
            shard, weight = [], 0
        shard.append(item)
        weight += size
    if shard:
        yield shard


def _line(shown: Sequence[str]) -> str:
    return _json(list(shown))


def _json(content: object) -> str:
    """Return JSON that a script may hold, whatever names hold: no tag, no line separator that ends it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
