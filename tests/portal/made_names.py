"""Invented names of offices, alike as real ones are: a few kinds, composed names of towns, many of them saints."""

from __future__ import annotations

import random

from pipelines.portal.lists import Entry

_KINDS = ("Agence", "Bureau de poste", "Centre des finances publiques", "Espace France services", "Maison", "Mairie")
_STARTS = ("Saint", "Sainte", "La", "Le", "Les", "Beau", "Mont", "Ville", "Château", "Roche", "Font", "Bois")
_MIDDLES = (
    "Étienne",
    "Martin",
    "Ambroix",
    "Hélène",
    "Cœur",
    "neuf",
    "franche",
    "fort",
    "vert",
    "Gély",
    "Benoît",
    "Ouen",
)
_ENDS = ("sur-Loire", "en-Bresse", "d'Orques", "lès-Nîmes", "de-la-Mer", "sous-Bois", "l'Évêque", "aux-Bois", "du-Gard")


def offices(count: int) -> list[Entry]:
    """Return that many offices, the same ones each time; several may bear one name in other départements."""
    chosen = random.Random(count)
    return [
        Entry(
            f"{chosen.choice(_KINDS)} {chosen.choice(_STARTS)}-{chosen.choice(_MIDDLES)}-{chosen.choice(_ENDS)}",
            f"structures/essai/{number}.html",
            f"Réseau d'essai, commune {number % 9973}",
        )
        for number in range(count)
    ]
