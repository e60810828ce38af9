"""Where the invented offices stand: twenty départements and the names made from them. No figure is drawn here."""

from __future__ import annotations

from dataclasses import dataclass

FICTITIOUS = "(données fictives)"


@dataclass(frozen=True)
class Place:
    """A département: code, name, name after « de », région, and how busy its offices are (1 is usual)."""

    code: str
    name: str
    after_de: str
    region: str
    size: float


PLACES: tuple[Place, ...] = (
    Place("01", "Ain", "de l'Ain", "84", 0.7),
    Place("13", "Bouches-du-Rhône", "des Bouches-du-Rhône", "93", 1.5),
    Place("21", "Côte-d'Or", "de la Côte-d'Or", "27", 0.8),
    Place("29", "Finistère", "du Finistère", "53", 0.9),
    Place("2A", "Corse-du-Sud", "de la Corse-du-Sud", "94", 0.12),
    Place("2B", "Haute-Corse", "de la Haute-Corse", "94", 0.4),
    Place("30", "Gard", "du Gard", "76", 0.9),
    Place("31", "Haute-Garonne", "de la Haute-Garonne", "76", 1.2),
    Place("33", "Gironde", "de la Gironde", "75", 1.3),
    Place("35", "Ille-et-Vilaine", "d'Ille-et-Vilaine", "53", 1.0),
    Place("44", "Loire-Atlantique", "de la Loire-Atlantique", "52", 1.2),
    Place("59", "Nord", "du Nord", "32", 1.7),
    Place("62", "Pas-de-Calais", "du Pas-de-Calais", "32", 1.3),
    Place("67", "Bas-Rhin", "du Bas-Rhin", "44", 1.1),
    Place("69", "Rhône", "du Rhône", "84", 1.4),
    Place("75", "Paris", "de Paris", "11", 1.8),
    Place("76", "Seine-Maritime", "de la Seine-Maritime", "28", 1.1),
    Place("93", "Seine-Saint-Denis", "de la Seine-Saint-Denis", "11", 1.4),
    Place("971", "Guadeloupe", "de la Guadeloupe", "01", 0.6),
    Place("974", "La Réunion", "de La Réunion", "04", 0.8),
)

REGIONS: dict[str, str] = {
    "01": "Guadeloupe",
    "04": "La Réunion",
    "11": "Île-de-France",
    "27": "Bourgogne-Franche-Comté",
    "28": "Normandie",
    "32": "Hauts-de-France",
    "44": "Grand Est",
    "52": "Pays de la Loire",
    "53": "Bretagne",
    "75": "Nouvelle-Aquitaine",
    "76": "Occitanie",
    "84": "Auvergne-Rhône-Alpes",
    "93": "Provence-Alpes-Côte d'Azur",
    "94": "Corse",
}


@dataclass(frozen=True)
class Office:
    """An invented office: its code in its network, its name, its département and how busy it is."""

    code: str
    name: str
    place: Place
    size: float


def one_per_place(prefix: str, words: str) -> list[Office]:
    """Return one office per département, for example CAF30, « CAF du Gard (données fictives) »."""
    return [
        Office(f"{prefix}{place.code}", f"{words} {place.after_de} {FICTITIOUS}", place, place.size) for place in PLACES
    ]


def numbered(prefix: str, words: str, share: float = 1.0, busy: float = 1.0) -> list[Office]:
    """Return one office per département and a second one where it is busier than ``busy``; ``share`` scales them."""
    offices = []
    for place in PLACES:
        for number in (1, 2) if place.size >= busy else (1,):
            name = f"{words} n° {number} {place.after_de} {FICTITIOUS}"
            offices.append(Office(f"{prefix}{place.code}-{number}", name, place, place.size * share))
    return offices
