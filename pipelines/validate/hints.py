"""The catalogue of hints: what the cause of a refusal is called, and how to mend it when it is that one.

Their words and examples are in ``hints.yml``; they are looked for in cells by ``causes``, in texts by ``near_misses``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pipelines.declarations.yaml_source import LOADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TEXTS = Path(__file__).with_name("hints.yml")
_EACH = "Corrigez chaque valeur selon sa cause."
_PART = re.compile(r"\\\{[a-z]+\\\}")


@dataclass(frozen=True)
class Hint:
    """A cause in words, where ``{…}`` is a part of the cell; what to do, or nothing where the rule says it well."""

    words: str
    mend: str = ""
    examples: tuple[tuple[str, str, str], ...] = ()

    @property
    def form(self) -> re.Pattern[str]:
        """What a cause that has this hint holds."""
        return re.compile(rf"(?<!\w){_PART.sub('.+?', re.escape(self.words))}(?!\w)")


@cache
def hints() -> Mapping[str, Hint]:
    """Return every hint by its name."""
    texts = yaml.load(_TEXTS.read_text(encoding="utf-8"), LOADER)
    return {name: Hint(item["words"], item.get("mend", ""), tuple(map(tuple, item.get("examples", ()))))
            for name, item in texts.items()}  # fmt: skip


def words(name: str, **parts: object) -> str:
    """Return the words of a hint, its parts filled in."""
    found = hints()[name].words
    return found.format(**parts) if parts else found


def mend_of(causes: Iterable[str]) -> str:
    """Return what to do about causes: what their hint says if it is one, to follow each if they differ.

    Nothing where a value has no known cause, or where their hint leaves it to the rule.
    """
    known = set(causes)
    found = {_mend(cause) for cause in known}
    if len(found) == 1 or "" in known:
        return found.pop() if len(found) == 1 else ""
    return _EACH


@cache
def _forms() -> list[tuple[re.Pattern[str], str]]:
    return [(hint.form, hint.mend) for hint in hints().values()]


def _mend(cause: str) -> str:
    """Return the mend of a cause; none of one that has several, which what to write tells better."""
    seen = cause.partition(" ; ")[0]  # what follows is what to write
    found = {mend for form, mend in _forms() if form.search(seen)}
    return found.pop() if len(found) == 1 else ""
