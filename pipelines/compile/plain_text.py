"""Text that leaves the project (tables, letters, terminals, logs), freed of the signs that act on who reads it.

Names of files and sheets, headers and declared texts come from outside as values do. A value of a published column is
refused instead (``validate.observations``): here nothing is refused, and a sign that doesn't print becomes a dot.
"""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_KEPT = "\u00a0\u202f"  # the no-break spaces of French
_DOT = "·"
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
    """Return a text that can be shown on one line: signs that print, and not more than ``longest`` of them."""
    shown = "".join(sign if sign.isprintable() or sign in _KEPT else _DOT for sign in text)
    return shown if longest is None or len(shown) <= longest else shown[: longest - 1] + "…"


def table_text(text: str) -> str:
    """Return a text for a published table: one line, behind an apostrophe where a spreadsheet would see a formula."""
    shown = one_line(text)
    return f"'{shown}" if text.startswith(FORMULA_STARTS) or shown.startswith(FORMULA_STARTS) else shown


def spelled(text: str, longest: int) -> str:
    """Return a value to show as it was written: the signs that can't be seen are named, those that act are not kept."""
    inner = text.strip(" ")
    if not inner:
        return one_line(text, longest)
    before, after = text[: len(text) - len(text.lstrip(" "))], text[len(text.rstrip(" ")) :]
    signs = [*("[espace]" for _ in before), *map(_spelled, inner), *("[espace]" for _ in after)]
    shown = "".join(signs)
    return shown if len(text) <= longest else "".join(map(_spelled, text[: longest - 1])) + "…"


def _spelled(sign: str) -> str:
    if sign in _NAMES:
        return f"[{_NAMES[sign]}]"
    return sign if sign.isprintable() else f"[U+{ord(sign):04X}]"
