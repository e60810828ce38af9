"""Lengths of time as they are written (``h:mm:ss``, ``h:mm``, ``mm:ss``) and as numbers of a unit. Nothing else."""

from __future__ import annotations

import datetime
import re

# How each form is written; hours and minutes may exceed 24 and 60 where they come first.
DURATION_PATTERNS = {
    "h:mm:ss": r"-?\d{1,6}:[0-5]\d:[0-5]\d([.,]\d{1,6})?",
    "h:mm": r"-?\d{1,6}:[0-5]\d",
    "mm:ss": r"-?\d{1,8}:[0-5]\d([.,]\d{1,6})?",
}
# The seconds of each part of a form.
_PARTS = {"h:mm:ss": (3600, 60, 1), "h:mm": (3600, 60), "mm:ss": (60, 1)}
SECONDS = {"secondes": 1, "minutes": 60, "heures": 3600, "jours": 86_400}


def duration_value(text: str, form: str, unit: str) -> float:
    """Return a length of time written in ``form`` as a number of ``unit``; raises ValueError on another text."""
    written = text.strip()
    if not re.fullmatch(DURATION_PATTERNS[form], written):
        raise ValueError(f"« {text} » n'est pas une durée {form}")
    parts = written.lstrip("-").replace(",", ".").split(":")
    seconds = sum(float(part) * weight for part, weight in zip(parts, _PARTS[form], strict=True))
    return (-seconds if written.startswith("-") else seconds) / SECONDS[unit]


def duration_text(length: datetime.timedelta, form: str) -> str:
    """Write a length of time in ``form``; seconds that ``h:mm`` can't write are written all the same."""
    sign, left = ("-", -length) if length < datetime.timedelta() else ("", length)
    seconds, rest = left.days * 86_400 + left.seconds, left.microseconds
    decimals = f".{rest:06d}".rstrip("0") if rest else ""
    if form == "mm:ss":
        return f"{sign}{seconds // 60:02d}:{seconds % 60:02d}{decimals}"
    minutes = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    return minutes if form == "h:mm" and not (seconds % 60 or rest) else f"{minutes}:{seconds % 60:02d}{decimals}"
