"""Invented personal details of ten kinds, twenty ways to write them in a sentence, what must not be left of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

SURNAMES = (
    "Vandenbroucke",
    "Kervadec",
    "Le Goff",
    "Benali",
    "Traoré",
    "Da Silva",
    "Petit",
    "Lemoine",
    "Marchetti",
    "Nguyen",
    "Yilmaz",
    "Haddad",
    "Delacroix",
    "Charpentier",
    "Fontaine",
    "Rivière",
    "Diallo",
    "Bouvier",
    "Schneider",
    "Guéguen",
    "Morvan",
    "Bertin",
    "Lacombe",
    "Poulain",
    "Mahé",
    "Kowalski",
    "Pereira",
    "Abadie",
    "Etcheverry",
    "Quéré",
    "Rossi",
    "Tessier",
    "Chauvin",
    "Lefèvre",
    "Zidi",
    "Ouattara",
    "Bousquet",
    "Perrault",
    "Hoarau",
    "Payet",
)
FIRST = ("Camille", "Sophie", "Mohamed", "Jean-Pierre", "Nathalie", "Karim", "Hélène", "Yann", "Chantal", "Benoît")
STREETS = (
    "rue des Lilas",
    "avenue de la République",
    "boulevard Victor Hugo",
    "chemin du Moulin",
    "impasse des Acacias",
    "place Jean Jaurès",
    "allée Marcel Pagnol",
    "quai de la Loire",
    "rue Pasteur",
    "route de Nîmes",
)
MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
CONTEXTS = (
    "{} merci de me répondre.",
    "Je vous donne {} pour que vous me rappeliez.",
    "Voici : {}",
    "({})",
    "J'ai indiqué {}, sans effet.",
    "On m'a demandé {} ; je l'ai donné.",
    "Il suffit de noter {}",
    "Contact : {}.",
    "{}",
    "Comme dit plus haut, {} et rien d'autre.",
    "Pour mémoire {}, c'est clair ?",
    "Pourtant {} figure au dossier",
    "Je précise {}!",
    "Vous avez déjà {} je crois.",
    "Je rappelle que {} est le bon.",
    "L'agent a noté {} devant moi.",
    "- {}",
    "Objet : {}\nBonjour",
    '"{}"',
    "Notez bien {}...",
)
SEPARATORS = ("", " ", ".", "-", "  ")
STRUCTURED = ("courriel", "telephone", "nir", "iban", "carte", "plaque", "dossier", "adresse", "naissance")
NAMES = ("civilite-nom",)


@dataclass(frozen=True)
class Planted:
    """A detail as it is written, and the part of it that must not be left, as letters and digits."""

    kind: str
    written: str
    secret: str


def left_in(text: str, planted: Planted) -> bool:
    """Whether what is secret of a detail can be read in a text, whatever is between its signs."""
    return planted.secret.lower() in re.sub(r"[^0-9a-zà-ÿ]", "", text.lower())


def bare(text: str) -> str:
    """The letters and digits of a text, as ``left_in`` compares them."""
    return re.sub(r"[^0-9a-zà-ÿ]", "", text.lower())


def luhn_key(digits: str) -> str:
    """The digit that makes Luhn's sum of a number a multiple of ten."""
    doubled = [int(digit) * (1 if rank % 2 else 2) for rank, digit in enumerate(reversed(digits))]
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def _number(source: Random, count: int) -> str:
    return "".join(source.choices("0123456789", k=count))


def _grouped(digits: str, sizes: tuple[int, ...], separator: str) -> str:
    parts, start = [], 0
    for size in sizes:
        parts.append(digits[start : start + size])
        start += size
    return separator.join(parts)


def _nir(source: Random) -> tuple[str, str]:
    month, place = source.randint(1, 12), source.randint(1, 95)
    body = f"{source.choice('12')}{_number(source, 2)}{month:02d}{place:02d}{_number(source, 6)}"
    digits = f"{body}{97 - int(body) % 97:02d}"
    return _grouped(digits, (1, 2, 2, 2, 3, 3, 2), source.choice(SEPARATORS)), digits


def _iban(source: Random) -> tuple[str, str]:
    account = _number(source, 23)
    told = f"FR{98 - int(account + '152700') % 97:02d}{account}"  # F is 15, R is 27
    return _grouped(told, (4, 4, 4, 4, 4, 4, 3), source.choice(SEPARATORS)), account


def _mail(source: Random) -> tuple[str, str]:
    name = source.choice(SURNAMES).replace(" ", "")
    domain = source.choice(("exemple", "mail-exemple"))
    told = f"{source.choice(FIRST)}{source.choice('._-')}{name}@{domain}.fr".lower()
    return told, told


def _phone(source: Random) -> tuple[str, str]:
    digits, separator = f"0{source.choice('1234567')}{_number(source, 8)}", source.choice(SEPARATORS)
    start = source.choice((digits[:2], f"+33 {digits[1]}", f"0033{digits[1]}"))
    return start + separator + _grouped(digits[2:], (2, 2, 2, 2), separator), digits[1:]


def _card(source: Random) -> tuple[str, str]:
    digits = f"4{_number(source, 14)}"
    digits += luhn_key(digits)
    return _grouped(digits, (4, 4, 4, 4), source.choice(SEPARATORS)), digits


def _plate(source: Random) -> tuple[str, str]:
    letters = "".join(source.choices("ABCDEFGHJKLMNPQRSTVWXYZ", k=4))
    return source.choice(("-", "")).join((letters[:2], _number(source, 3), letters[2:])), ""


def _file_number(source: Random) -> tuple[str, str]:
    told = source.choice("1234567") + _number(source, source.randint(6, 10))
    return source.choice(("dossier n° {}", "allocataire {}", "n° fiscal : {}")).format(told), told


def _address(source: Random) -> tuple[str, str]:
    told = f"{source.randint(1, 240)}{source.choice(('', ' bis', ','))} {source.choice(STREETS)}"
    return told, told


def _birth(source: Random) -> tuple[str, str]:
    day, month, year = source.randint(1, 28), source.randint(1, 12), source.randint(1930, 2004)
    forms = (f"{day:02d}/{month:02d}/{year}", f"{day} {MONTHS[month - 1]} {year}", f"{day:02d}.{month:02d}.{year}")
    told = source.choice(forms)
    return source.choice(("né le {}", "née le {}", "date de naissance : {}")).format(told), told


def _name(source: Random) -> tuple[str, str]:
    name = source.choice(SURNAMES)
    return f"{source.choice(('Madame', 'Monsieur', 'Mme', 'M.', 'Mr', 'Mlle'))} {name}", name


# Each gives a detail as it is written, and its secret part (empty: all of it).
_DETAILS: dict[str, Callable[[Random], tuple[str, str]]] = {
    "courriel": _mail, "telephone": _phone, "nir": _nir, "iban": _iban, "carte": _card, "plaque": _plate,
    "dossier": _file_number, "adresse": _address, "naissance": _birth, "civilite-nom": _name,
}  # fmt: skip


def _mistyped(text: str, source: Random) -> str:
    """A text with one slip of a hurried hand or of a scan: a letter for a digit, or a space too many."""
    places = [place for place, sign in enumerate(text) if sign in "0158" and place]
    if places and source.random() < 0.6:
        place = source.choice(places)
        return text[:place] + {"0": "O", "1": "l", "5": "S", "8": "B"}[text[place]] + text[place + 1 :]
    digits = [place for place in range(1, len(text)) if text[place].isdigit() and text[place - 1].isdigit()]
    if not digits:
        return text
    place = source.choice(digits)
    return f"{text[:place]} {text[place:]}"


def planted(kind: str, count: int) -> Iterator[Planted]:
    """Yield ``count`` details of a kind in their sentences: all contexts, any letter case, some slips."""
    source = Random(f"{kind} 18")
    for rank in range(count):
        told, secret = _DETAILS[kind](source)
        numbers = kind in ("telephone", "nir", "iban", "carte", "dossier")
        case = (str, str.upper, str.lower)[rank % 3]
        told = case(told)
        if numbers and rank % 4 == 3:
            told = _mistyped(told, source)
            secret = bare(told)[-8:]
        secret = secret or told
        yield Planted(kind, CONTEXTS[rank % len(CONTEXTS)].format(told), bare(secret))
