"""A text that is nearly an allowed one: which one, and what differs (a space, a case, an accent, an invisible sign)."""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import reduce
from typing import TYPE_CHECKING

from pipelines.mechanics.spelling import INVISIBLE, JOINER, unaccented
from pipelines.validate.garbled import damage
from pipelines.validate.messages import words

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    Step = tuple[str, Callable[[str], str]]

_UNSEEN = re.compile(f"[{INVISIBLE}{JOINER}]")
_SPACE = re.compile(r"\s+")
_NUMBERED = re.compile(r"^\s*\(?\d{1,3}\s*[-–.):/=]\s*")
_CLOSEST = 0.75  # how alike two texts must be for one to be proposed in place of the other


def without_unseen(text: str) -> str:
    """Return a text without the signs that nobody sees."""
    return _UNSEEN.sub("", text)


def _unaccented(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).replace("œ", "oe").replace("Œ", "OE")


# What may differ, in French, with what makes it alike; the smallest changes first.
_STEPS: tuple[Step, ...] = (
    (words("signe-invisible"), without_unseen),
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

    def are_alike(steps: Sequence[Step]) -> bool:
        return _through(text, steps) == _through(other, steps)

    if text == other or not are_alike(_STEPS):
        return []
    return [difference for difference, _ in _needed(_STEPS, are_alike)]


def near_miss(text: str, allowed: Collection[str]) -> str:
    """Return in French which allowed text was probably meant, and what differs; nothing if none is near."""
    if text in allowed:
        return ""
    for other in allowed:
        if different := differences(text, other):
            return f"{', '.join(different)} ; écrivez « {other} »"
    if meant := spoiled(text, allowed):
        return f"{words('accents-mal-convertis')} ; écrivez « {meant} »"
    folded = {_folded(other): other for other in reversed(list(allowed))}
    close = difflib.get_close_matches(_folded(text), [_folded(other) for other in allowed], n=1, cutoff=_CLOSEST)
    return f"{words('valeur-proche')} « {folded[close[0]]} »" if close else ""


def mended(text: str, steps: Sequence[Step], is_right: Callable[[str], bool]) -> tuple[list[str], str]:
    """Return the words of the steps that make a text right, and that text; nothing if they don't."""
    if not is_right(_through(text, steps)):
        return [], ""
    needed = _needed(steps, lambda some: is_right(_through(text, some)))
    return [name for name, _ in needed], _through(text, needed).strip()


def spoiled(text: str, allowed: Collection[str]) -> str:
    """Return the allowed text that a conversion spoiled, if it is that; signs that stand for any letter are tried."""
    damaged = damage(text)
    if damaged and damaged.likely in allowed:
        return damaged.likely
    if "\ufffd" not in text and "?" not in text:
        return ""
    form = re.compile(".{1,2}".join(map(re.escape, re.split("[\ufffd?]+", text))))
    return next((other for other in allowed if form.fullmatch(other) and not other.isascii()), "")


def _needed(steps: Sequence[Step], holds: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """Return the fewest steps with which it holds, the first ones (the smallest changes) being kept before others."""
    needed = list(steps)
    for step in reversed(steps):
        without = [item for item in needed if item is not step]
        if holds(without):
            needed = without
    return needed


def _through(text: str, steps: Iterable[Step]) -> str:
    return reduce(lambda changed, step: step[1](changed), steps, text)


def _folded(text: str) -> str:
    return _SPACE.sub(" ", unaccented(text)).strip()
