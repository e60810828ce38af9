"""What one rule of masking is: where it looks, what it takes, and examples that it must mask and keep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Rule:
    """What is looked for (``pattern``), whether a match holds, the word put in its place (group 1, or the whole).

    ``likely``: a looser form of it, that Arrow looks for in whole columns. ``masked`` and ``kept``: invented examples.
    """

    kind: str
    likely: str
    pattern: re.Pattern[str]
    masked: tuple[str, ...]
    kept: tuple[str, ...]
    holds: Callable[[re.Match[str]], bool] = bool

    @property
    def word(self) -> str:
        """What stands in the place of a detail."""
        return f"[{self.kind}]"

    def apply(self, text: str) -> tuple[str, int]:
        """Return a text without what the rule finds there, and how many it found."""
        found = 0

        def put(match: re.Match[str]) -> str:
            nonlocal found
            if not self.holds(match):
                return match[0]
            found += 1
            named = "it" in self.pattern.groupindex and match["it"] is not None
            before = match.start("it") - match.start() if named else 0
            return match[0][:before] + self.word

        return self.pattern.sub(put, text), found
