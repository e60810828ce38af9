"""When two texts are one word or one code written in two ways: by case, accents, spaces or signs that nobody sees."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Unicode's default-ignorable and format signs (UAX 44), but for the joiners inside emoji, which are seen.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb"
)
JOINER = "\u200d"
_FORMAT = "Cf"  # Unicode's category of signs that print nothing: zero-width spaces, soft hyphens, byte order marks


def one_writing(text: str) -> str:
    """Return a text with composed letters (NFC), no space at its ends and single plain ones inside."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def unaccented(text: str) -> str:
    """Return a text without case, accents, ligatures (« œ » is « oe ») nor compatibility forms (NFKD)."""
    letters = unicodedata.normalize("NFKD", text).casefold().replace("œ", "oe").replace("æ", "ae")
    return "".join(sign for sign in letters if not unicodedata.combining(sign))


def plain_form(text: str) -> str:
    """Return what is left of a text once case, accents, spaces and invisible signs are set aside.

    Compatibility forms are one (NFKC: « ﬁ », full-width letters); a whole number loses its leading zeros and « .0 ».
    """
    visible = (sign for sign in unaccented(text) if unicodedata.category(sign) != _FORMAT)
    words = " ".join("".join(visible).replace("’", "'").split())
    number = words.removesuffix(".0").removesuffix(",0")
    return _without_zeros(number) if number.isdecimal() else words


def code_form(text: str) -> str:
    """Return what is left of a code once case, spaces, width of letters and leading zeros are set aside."""
    code = "".join(unicodedata.normalize("NFKC", text).casefold().split()).lstrip("'’")
    return _without_zeros(code) if code.isdecimal() else code


def other_spelling(text: str, known: Iterable[str]) -> str | None:
    """Return the known text of which ``text`` is another spelling; None when it is known itself, or is none."""
    words = list(known)
    if text in words:
        return None
    plain = plain_form(text)
    return next((word for word in words if plain_form(word) == plain), None) if plain else None


def _without_zeros(number: str) -> str:
    return number.lstrip("0") or "0"
