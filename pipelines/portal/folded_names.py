"""Names as searches compare them: no case, no accent, no sign; « saint » is « st ». ``site.js`` folds alike."""

from __future__ import annotations

import re
import unicodedata

_SAINTS = {"saint": "st", "sainte": "ste", "saints": "sts", "saintes": "stes"}
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})
_SIGNS = re.compile(r"[^a-z0-9]+")


def folded(text: str) -> str:
    """Return the words of a text, folded, one space between them."""
    bare = "".join(
        sign
        for sign in unicodedata.normalize("NFD", text.lower().translate(_LIGATURES))
        if not unicodedata.combining(sign)
    )
    return " ".join(_SAINTS.get(word, word) for word in _SIGNS.split(bare) if word)
