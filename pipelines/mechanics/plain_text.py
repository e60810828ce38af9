"""Text that leaves the project (tables, letters, terminals, logs), freed of the signs that act on who reads it.

Names of files and sheets, headers and declared texts come from outside as values do. A value of a published column is
refused instead (``validate.observations``): here nothing is refused, and what doesn't print is spelled.
"""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_WIDE_STARTS = ("＝", "＋", "－", "＠")  # some spreadsheets read them as the others
_AMOUNT = re.compile(r"[+-]?\d+([.,]\d+)?(e[+-]?\d+)?", re.IGNORECASE)
_KEPT = "\u00a0\u202f"  # the no-break spaces of French
_NAMES = {
    "\t": "tabulation",
    "\n": "retour à la ligne",
    "\r": "retour à la ligne",
    "\u00a0": "espace insécable",
    "\u202f": "espace insécable",
    "\u2007": "espace insécable",
    "\u00ad": "césure invisible",
    "\u200b": "espace invisible",
    "\ufeff": "marque invisible",
}


def one_line(text: str, longest: int | None = None) -> str:
    """Return a text on one line, of signs that print (``[U+001B]`` for an escape), cut at ``longest`` signs."""
    shown = text if text.isprintable() else "".join(map(_printed, text))
    return shown if longest is None or len(shown) <= longest else shown[: longest - 1] + "…"


def lines(text: str) -> str:
    """Return a text of several lines, none of whose signs acts on a terminal."""
    return "\n".join(map(one_line, text.split("\n")))


def table_text(text: str) -> str:
    """Return a text for a published table: one line, behind an apostrophe where a spreadsheet would see a formula."""
    return _guarded(text, one_line(text))


def table_lines(text: str) -> str:
    """Return the same of a text that may have several lines: a declared description."""
    return _guarded(text, lines(text))


def _guarded(text: str, shown: str) -> str:
    starts = text.startswith(FORMULA_STARTS) or shown.startswith((*FORMULA_STARTS, *_WIDE_STARTS))
    return f"'{shown}" if starts and not _AMOUNT.fullmatch(text) else shown


def spelled(text: str, longest: int) -> str:
    """Return a value to show as it was written: spaces at its ends and signs that can't be seen are named."""
    inner = text.strip(" ")
    if not inner:
        return one_line(text, longest)
    before, after = len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))
    shown = "[espace]" * before + "".join(map(_spelled, inner)) + "[espace]" * after
    return shown if len(text) <= longest else "".join(map(_spelled, text[: longest - 1])) + "…"


def _printed(sign: str) -> str:
    if sign.isprintable() or sign in _KEPT:
        return sign
    return " " if sign.isspace() and not "\x1c" <= sign <= "\x1f" else f"[U+{ord(sign):04X}]"


def _spelled(sign: str) -> str:
    if sign in _NAMES:
        return f"[{_NAMES[sign]}]"
    return sign if sign.isprintable() else f"[U+{ord(sign):04X}]"
