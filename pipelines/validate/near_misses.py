"""A text that is nearly an allowed one: which one, and what differs (a space, a case, an accent, an invisible sign)."""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import reduce
from typing import TYPE_CHECKING

from pipelines.mechanics.spelling import INVISIBLE, JOINER, unaccented
from pipelines.validate.garbled import damage
from pipelines.validate.hints import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    _Step = tuple[str, Callable[[str], str]]

UNSEEN = re.compile(f"[{INVISIBLE}{JOINER}]")
_SPACE = re.compile(r"\s+")
_NUMBERED = re.compile(r"^\s*\(?\d{1,3}\s*[-–.):/=]\s*")
_CLOSEST = 0.75  # how alike two texts must be for one to be proposed in place of the other


def _unaccented(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).replace("œ", "oe").replace("Œ", "OE")


# What may differ, in French, with what makes it alike; the smallest changes first.
_STEPS: tuple[_Step, ...] = (
    (words("signe-invisible"), lambda text: UNSEEN.sub("", text)),
    (words("numero-devant"), lambda text: _NUMBERED.sub("", text)),
    (words("espace-au-bout"), str.strip),
    (words("espace-insecable"), lambda text: re.sub("[\u00a0\u202f\u2007\u2009]", " ", text)),
    (words("espaces-en-double"), lambda text: re.sub(r"(?<=\S)(\s)\s+(?=\S)", r"\1", text)),
    (words("accent-en-deux-signes"), lambda text: unicodedata.normalize("NFC", text)),
    (words("casse"), str.casefold),
    (words("accents"), _unaccented),
    (words("apostrophe"), lambda text: re.sub("[’‘´`ʼ]", "'", text)),
    (words("tiret"), lambda text: re.sub("[‐‑‒–—−]", "-", text)),
    (words("ponctuation"), lambda text: text.rstrip(" .;,")),
)  # fmt: skip


def differences(text: str, other: str) -> list[str]:
    """Return in French all that differs between two texts; nothing if they are equal, or differ by more than that."""
    if text == other or not _alike(text, other, _STEPS):
        return []
    return [told for told, _ in _needed(_STEPS, lambda steps: _alike(text, other, steps))]


def near_miss(text: str, allowed: Iterable[str]) -> str:
    """Return in French which allowed text was probably meant, and what differs; nothing if none is near."""
    known = list(allowed)
    if text in known:
        return ""
    for other in known:
        if found := differences(text, other):
            return f"{', '.join(found)} ; écrivez « {other} »"
    if meant := spoiled(text, known):
        return f"{words('accents-mal-convertis')} ; écrivez « {meant} »"
    close = difflib.get_close_matches(_folded(text), [_folded(other) for other in known], n=1, cutoff=_CLOSEST)
    nearest = next((other for other in known if close and _folded(other) == close[0]), "")
    return f"{words('valeur-proche')} « {nearest} »" if nearest else ""


def mended(text: str, steps: Sequence[_Step], is_right: Callable[[str], bool]) -> tuple[list[str], str]:
    """Return the words of the steps that make a text right, and that text; nothing if they don't."""
    if not is_right(_through(text, steps)):
        return [], ""
    kept = _needed(steps, lambda some: is_right(_through(text, some)))
    return [told for told, _ in kept], _through(text, kept).strip()


def _needed(steps: Sequence[_Step], holds: Callable[[Sequence[_Step]], bool]) -> list[_Step]:
    """Return the fewest steps with which it holds, the first ones (the smallest changes) being kept before others."""
    kept = list(steps)
    for step in reversed(steps):
        without = [item for item in kept if item is not step]
        if holds(without):
            kept = without
    return kept


def _through(text: str, steps: Iterable[_Step]) -> str:
    return reduce(lambda found, step: step[1](found), steps, text)


def _alike(text: str, other: str, steps: Iterable[_Step]) -> bool:
    kept = list(steps)
    return _through(text, kept) == _through(other, kept)


def spoiled(text: str, allowed: Iterable[str]) -> str:
    """Return the allowed text that a conversion spoiled, if it is that; signs that stand for any letter are tried."""
    known = list(allowed)
    found = damage(text)
    if found and found.likely in known:
        return found.likely
    if "\ufffd" not in text and "?" not in text:
        return ""
    form = re.compile(".{1,2}".join(map(re.escape, re.split("[\ufffd?]+", text))))
    return next((other for other in known if form.fullmatch(other) and not other.isascii()), "")


def _folded(text: str) -> str:
    return _SPACE.sub(" ", unaccented(text)).strip()
