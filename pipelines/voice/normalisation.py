"""One writing of a text: plain letters, figures, quotes and spaces, no tags, a space after each sentence."""

from __future__ import annotations

import html
import re
import unicodedata

from pipelines.mechanics.spelling import INVISIBLE

_SIGNS = str.maketrans({
    "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "\u00a0": " ", "\u202f": " ", "…": "...", "＠": "@",
})  # fmt: skip
_TAG = re.compile(r"<(?:br|/?p|/?div|/?span|/?li|/?ul)\b[^<>]{0,80}>", re.IGNORECASE)
_HIDDEN = re.compile(f"[{INVISIBLE}\u200d]")
_GLUED = re.compile(r"(?<=[a-zà-ÿ]{3}[.!?,;])(?=[A-ZÀ-Ý][a-zà-ÿ'])")
_SPACES = re.compile(r"[ \t\r\f\v]+")
_LINES = re.compile(r" ?\n[\n ]*")


def normalised(text: str) -> str:
    """Return a text in one writing; normalising twice changes nothing."""
    if "&" in text or "<" in text:
        text = _TAG.sub("\n", html.unescape(text))
    if not text.isascii():
        text = _HIDDEN.sub("", unicodedata.normalize("NFKC", text).translate(_SIGNS))
    return _LINES.sub("\n", _SPACES.sub(" ", _GLUED.sub(" ", text))).strip()
