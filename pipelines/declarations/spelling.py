"""When two texts are one word written in two ways: by case, accents, spaces or signs that nobody sees."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_INVISIBLE = "Cf"  # Unicode's category of signs that print nothing: zero-width spaces, soft hyphens, byte order marks


def unaccented(text: str) -> str:
    """Return a text without case, accents, ligatures (« œ » is « oe ») nor compatibility forms (NFKD)."""
    letters = unicodedata.normalize("NFKD", text).casefold().replace("œ", "oe").replace("æ", "ae")
    return "".join(sign for sign in letters if not unicodedata.combining(sign))


def plain_form(text: str) -> str:
    """Return what is left of a text once case, accents, spaces and invisible signs are set aside.

    Compatibility forms are one (NFKC: « ﬁ », full-width letters); a whole number loses its leading zeros and « .0 ».
    """
    visible = (sign for sign in unaccented(text) if unicodedata.category(sign) != _INVISIBLE)
    words = " ".join("".join(visible).replace("’", "'").split())
    number = words.removesuffix(".0").removesuffix(",0")
    return number.lstrip("0") or "0" if number.isdecimal() else words


def other_spelling(text: str, known: Iterable[str]) -> str | None:
    """Return the known text of which ``text`` is another spelling; None when it is known itself, or is none."""
    words = list(known)
    if text in words:
        return None
    plain = plain_form(text)
    return next((word for word in words if plain_form(word) == plain), None) if plain else None
