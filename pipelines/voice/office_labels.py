"""Which label of an office may be named: one that is declared, or a declared label of its service and a territory.

A label is typed: it may hold anything, a name and a telephone too. What isn't known is kept nowhere.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from pipelines.mechanics.spelling import plain_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.declarations.experiences import Typology
    from pipelines.declarations.references import Territory

_LINKS = frozenset(("de", "du", "des", "d", "la", "le", "les", "l"))
_ASIDE = re.compile(r"\([^)]*\)\s*$")  # « CAF Gard (30) »


class OfficeLabels:
    """The offices of each service (by its name), in the one writing that is published of each."""

    def __init__(self, typologies: Mapping[str, Typology], territories: Iterable[Territory]) -> None:
        self._places = {form: place.name for place in territories for form in _forms(place)}
        self._services: dict[str, dict[str, str]] = {}
        self._named: dict[str, dict[str, str]] = {}
        for item in typologies.values():
            self._services[item.service] = {_form(label): label for label in (*item.labels, item.service)}
            self._named[item.service] = {_form(label): label for label in item.offices}
        self.named = cache(self._named_once)

    def _named_once(self, service: str, label: str) -> str | None:
        """Return an office of a service as it is published, None when its label is not known, or names the service."""
        whole, form = _form(label), _form(_ASIDE.sub("", label))
        known = self._named.get(service, {})
        if told := known.get(whole) or known.get(form):
            return told
        for start, written in self._services.get(service, {}).items():
            if form.startswith(f"{start} ") and (place := self._places.get(form.removeprefix(f"{start} "))):
                return f"{written} {place}"
        return None


def _forms(place: Territory) -> tuple[str, ...]:
    """Return how a territory is written beside a label: its name, or its code if it is a département."""
    return (_form(place.name), place.code.lower()) if place.level == "departement" else (_form(place.name),)


def _form(label: str) -> str:
    """Return the words of a label, without case, accents, signs nor articles."""
    words = "".join(sign if sign.isalnum() else " " for sign in plain_form(label)).split()
    return " ".join(word for word in words if word not in _LINKS)
