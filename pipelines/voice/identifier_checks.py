"""Whether what looks like a number or an address is somebody's: NIR, IBAN, telephone, plate, mail, street, birth.

The checks (``holds``) of ``masking_rules.yml``: each takes a match of its rule's pattern.
"""

from __future__ import annotations

import re

from pipelines.mechanics.spelling import unaccented
from pipelines.voice.words import FIRST_NAMES, SURNAMES

AT = r"(?:@|[(\[\"] ?(?:at|a|arobase) ?[)\]\"]|\barobase\b)"
_READ_AS = str.maketrans("OoIlLSsBb", "001115588")


def _compact(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", text)


def _digits(text: str) -> str:
    return _compact(text).translate(_READ_AS)


def _numerals(text: str) -> int:
    return sum(sign.isdecimal() for sign in text)


def _mostly_digits(text: str) -> bool:
    signs = _compact(text)
    return _numerals(signs) * 3 >= len(signs) * 2


def is_nir(match: re.Match[str]) -> bool:
    """Tell a NIR: of Corsica by its letter; else by its key, 97 less the remainder of the number by 97."""
    number = _compact(match["number"]).upper()
    if number[5:7] in ("2A", "2B"):
        return _mostly_digits(number)
    digits, key = _digits(number), match["key"]
    return bool(key) and digits.isdecimal() and int(_digits(key)) == 97 - int(digits) % 97


def iban_holds(text: str) -> bool:
    """Check an IBAN by ISO 7064: its signs, turned to numbers, leave 1 when divided by 97."""
    compact = _compact(text).upper()
    turned = "".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])
    return int(turned) % 97 == 1


def is_iban(match: re.Match[str]) -> bool:
    """Tell an IBAN: its check digits hold, or it is written as a French one, mistyped."""
    compact = _compact(match[0])
    french = compact[:2].upper() == "FR" and not _YEARS.fullmatch(match[0][2:].strip())
    return _numerals(compact) >= 10 and (french or iban_holds(compact))


def luhn_holds(digits: str) -> bool:
    """Check the last digit of a card or SIRET number by Luhn's sum."""
    doubled = [int(digit) * (2 if rank % 2 else 1) for rank, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_card(match: re.Match[str]) -> bool:
    """Tell the number of a card, by its check digit."""
    digits = _digits(match[0])
    return digits.isdecimal() and luhn_holds(digits)


def is_of_a_person(match: re.Match[str]) -> bool:
    """Tell a person's telephone from that of a service, which begins by 08."""
    return _digits(match[0])[-9:-8] != "8" and _mostly_digits(match[0]) and not _DATE.match(match[0])


_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:19|20)\d\d(?!\d)|(?:19|20)\d\d([./-])\d{1,2}\2\d{1,2}(?!\d)")
_YEARS = re.compile(r"(?:(?:19|20)\d\d[ ./-]*)+")
_PLAIN_GROUPS = re.compile(  # marks, postcodes, thousands, days
    r"\d{1,2}/\d{1,2}(?: \d{1,2}/\d{1,2})+|\d{5}(?: \d{5}){2,}|\d{1,3} 000(?:[ /-]+\d{1,3} 000)*"
    r"|(?:\d{1,2}[/.-]){1,2}(?:19|20)?\d\d"
)
_MONEY = re.compile(r" ?(?:€|eur|e\b|k€|francs?)", re.IGNORECASE)
_FAULT = re.compile(r"(?:erreur|code|version)s? (?:n° ?)?\w{0,2}$", re.IGNORECASE)


def is_file_number(match: re.Match[str]) -> bool:
    """Tell a number that names somebody's file from a date, years, a sum, a SIRET, the telephone of a service."""
    text, digits = match["it"], _digits(match["it"])
    numerals = re.sub("[^0-9]", "", text)
    if numerals[:2] == "08" and len(numerals) in (10, 11):
        return False
    if not _mostly_digits(text) or _numerals(digits) < 7 or len(numerals) < 5 or _is_no_file(match, text):
        return False
    return not (digits.isdecimal() and len(digits) == 14 and luhn_holds(digits))


def _is_no_file(match: re.Match[str], text: str) -> bool:
    """Tell a date, years, marks, postcodes, a sum, the code of a fault."""
    told = _DATE.match(text) or _YEARS.fullmatch(text) or _PLAIN_GROUPS.fullmatch(text)
    before = match.string[max(0, match.start("it") - 14) : match.start("it")]
    after = _MONEY.match(match.string, match.end()) or match.string.startswith("*", match.end())  # « 12345*03 »: a form
    return bool(told or after or _FAULT.search(before))


_LAW_NUMBER = re.compile(r"(?:19|20)\d\d[-/]\d{1,4}")


def is_said_file_number(match: re.Match[str]) -> bool:
    """Tell, after a word that says so, a number of five digits or more from a year, a date, a sum, a form, a law."""
    text = match["it"]
    numerals = _numerals(text)
    letters = sum(sign.isalpha() for sign in text)
    if re.fullmatch(r"08\d{8}", text):
        return False
    if numerals < 5 and not (numerals >= 2 and letters >= 2 and numerals + letters >= 7 and text.upper() == text):
        return False
    return not (_LAW_NUMBER.fullmatch(text) or _is_no_file(match, text))


def is_code(match: re.Match[str]) -> bool:
    """Tell the number of a paper, letters and digits mixed, from the code of a fault, a hexadecimal, a form, a year."""
    text = match["it"]
    numerals = _numerals(text)
    word = text.startswith(("0X", "CERFA", "COVID")) or re.fullmatch(r"[A-Z]{4,}\d{1,3}", text)
    return 2 <= numerals <= len(text) - 2 and not word and not _is_no_file(match, text)


# Plates

_WORDS_AROUND = re.compile(r" (?:AU|DE|DU|EN|ET|LE|OU|UN)$|^(?:AU|DE|DU|EN|ET|LE|OU|UN) ", re.IGNORECASE)


def is_plate(match: re.Match[str]) -> bool:
    """Tell a plate from words around a number: « AB 120 ET 130 »."""
    plate = match["it"] or match[0]
    return _numerals(plate) >= 2 and not _WORDS_AROUND.search(plate)


# Addresses of mail

_INSTITUTIONS = re.compile(
    r"(?:[\w-]+\.)*(?:gouv|service-public|caf|ameli|cnaf|cnav|carsat|urssaf|msa|pole-emploi|francetravail|ants|"
    r"caissedesdepots|anah|aviation-civile|francetitres|consulfrance[\w-]*|ambafrance[\w-]*|lassuranceretraite|"
    r"(?:cpam|mairie|ville|prefecture|departement|region)-[\w-]+)"
    r"(?:-[\w-]+)?\.(?:fr|org|com)$",
    re.IGNORECASE,
)


def is_no_site(match: re.Match[str]) -> bool:
    """Tell an address of mail whose « @ » is a dot from that of a site."""
    return not match[0].lower().startswith("www.")


def is_personal_mail(match: re.Match[str]) -> bool:
    """Tell a person's address from that of an institution, unless it bears a name."""
    local, _, domain = re.sub(rf"\s|{AT}", "@", match[0], flags=re.IGNORECASE).partition("@")
    parts = [unaccented(part) for part in re.split(r"[._-]", local)]
    named = any(part in FIRST_NAMES or part in SURNAMES for part in parts)
    initial = len(parts) > 1 and len(parts[0]) == 1
    return named or initial or not _INSTITUTIONS.fullmatch(domain.replace("@", "").replace(",", ".").strip("."))


# Streets

_NOT_STREETS = re.compile(r"\d+ (?:av\. J|chemin de croix|voies? de recours)", re.IGNORECASE)


def is_address(match: re.Match[str]) -> bool:
    """Tell a street from what is no street but before a name: « 7 place Jean Jaurès », not « 2 place de parking »."""
    name = match["named"]
    if _NOT_STREETS.match(match.string, match.start()):
        return False
    return name is None or name[0].isupper() or unaccented(name).strip("'-") in FIRST_NAMES


# Dates of birth

_BORN = re.compile(
    r"(?:\b(?:n[ée]{1,2}e?s?(?:\(e\))?|naissance|naiss\.|ddn|anniversaire)\W{1,3}(?:\w+\W+){0,2}|\bje suis du )$",
    re.IGNORECASE,
)
_ABOUT = re.compile(  # what comes before a date that is no birth: a span, a law, a moment
    r"\b(?:loi|d[ée]cret|arr[êe]t[ée]|ordonnance|circulaire|code|trait[ée]|convention|depuis|du|au|le|entre|avant|apr[èe]s|d[èe]s"
    r"|jusqu'au|et)(?: le)?(?: n° ?[\d-]+)? ?(?:du )?$",
    re.IGNORECASE,
)
_READS_ON = re.compile(r" (?:au|et le) \d")


def is_birth(match: re.Match[str]) -> bool:
    """Tell a date of birth: said to be one, or alone and of a year before those that texts speak of."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    if _BORN.search(before):
        return True
    year = int(_digits(match["year"])[-4:] or 0)
    return 1900 <= year < 2005 and not _ABOUT.search(before) and not _READS_ON.match(match.string, match.end())
