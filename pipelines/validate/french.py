"""Numbers, counts and row numbers in French words. What rules are called is in ``messages``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_ROWS = 3


def count_text(number: int) -> str:
    """Return a whole number with narrow spaces between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def counted(number: int, words: str) -> str:
    """Return a number and what it counts, words with an s from two on: « 1 ligne écartée », « 2 lignes écartées »."""
    return f"{count_text(number)} {words if abs(number) < 2 else ' '.join(f'{word}s' for word in words.split())}"


def rows_text(rows: Sequence[int], count: int) -> str:
    """Return row numbers in French, the first ones and how many others of the ``count`` there are."""
    if not rows:
        return ""
    if len(rows) == 1:
        return f"ligne {rows[0]}"
    first = [str(row) for row in rows[:SHOWN_ROWS]]
    others = count - len(first)
    if not others:
        return f"lignes {', '.join(first[:-1])} et {first[-1]}"
    return f"lignes {', '.join(first)} et {counted(others, 'autre')}"
