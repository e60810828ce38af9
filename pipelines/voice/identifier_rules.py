"""Rules that mask what identifies somebody by a number or an address: mail, telephone, NIR, IBAN, plate, street."""

from __future__ import annotations

import re

from pipelines.mechanics.spelling import unaccented
from pipelines.voice.masking_rule import Rule
from pipelines.voice.words import FIRST_NAMES, SURNAMES

_D = r"[0-9OoIlLSsBb]"  # a digit, or the letter that is typed or scanned for one
_SEP = r"[ .\-/_]{0,3}"
_UP = "A-ZÀ-ÖØ-Þ"
_LOW = "a-zß-öø-ÿœæ"
_WORD = f"[{_UP}{_LOW}0-9]"
_NAME = f"[{_UP}][{_UP}{_LOW}'-]+"
_READ_AS = str.maketrans("OoIlLSsBb", "001115588")


# Numbers


def _digits(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", text).translate(_READ_AS)


def _numerals(count: int, apart: int) -> str:
    """Return a loose form of so many numerals, with at most ``apart`` other signs between two."""
    return rf"[0-9](?:[^0-9]{{0,{apart}}}[0-9]){{{count - 1}}}"


def _nir_holds(match: re.Match[str]) -> bool:
    """Tell a NIR: of Corsica by its letter; else by its key, 97 less the remainder of the number by 97."""
    number = re.sub(r"[^0-9A-Za-z]", "", match["number"]).upper()
    if number[5:7] in ("2A", "2B"):
        return _mostly_digits(number)
    digits, key = _digits(number), match["key"]
    return bool(key) and digits.isdecimal() and int(_digits(key)) == 97 - int(digits) % 97


def iban_holds(text: str) -> bool:
    """Check an IBAN by ISO 7064: its signs, turned to numbers, leave 1 when divided by 97."""
    compact = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    turned = "".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])
    return int(turned) % 97 == 1


def _is_iban(match: re.Match[str]) -> bool:
    """Tell an IBAN: its check digits hold, or it is written as a French one, mistyped."""
    compact = re.sub(r"[^0-9A-Za-z]", "", match[0])
    numbers = sum(sign.isdecimal() for sign in compact)
    french = compact[:2].upper() == "FR" and not _YEARS.fullmatch(match[0][2:].strip())
    return numbers >= 10 and (french or iban_holds(compact))


def luhn_holds(digits: str) -> bool:
    """Check the last digit of a card or SIRET number by Luhn's sum."""
    doubled = [int(digit) * (2 if rank % 2 else 1) for rank, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _card_holds(match: re.Match[str]) -> bool:
    digits = _digits(match[0])
    return digits.isdecimal() and luhn_holds(digits)


def _of_a_person(match: re.Match[str]) -> bool:
    """Tell a person's telephone from that of a service, which begins by 08."""
    return _digits(match[0])[-9:-8] != "8" and _mostly_digits(match[0]) and not _DATE.match(match[0])


def _mostly_digits(text: str) -> bool:
    signs = re.sub(r"[^0-9A-Za-z]", "", text)
    return sum(sign.isdecimal() for sign in signs) * 3 >= len(signs) * 2


_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:19|20)\d\d(?!\d)|(?:19|20)\d\d([./-])\d{1,2}\2\d{1,2}(?!\d)")
_YEARS = re.compile(r"(?:(?:19|20)\d\d[ ./-]*)+")
_PLAIN_GROUPS = re.compile(  # marks, postcodes, thousands, days
    r"\d{1,2}/\d{1,2}(?: \d{1,2}/\d{1,2})+|\d{5}(?: \d{5}){2,}|\d{1,3} 000(?:[ /-]+\d{1,3} 000)*"
    r"|(?:\d{1,2}[/.-]){1,2}(?:19|20)?\d\d"
)
_MONEY = re.compile(r" ?(?:€|eur|e\b|k€|francs?)", re.IGNORECASE)
_FAULT = re.compile(r"(?:erreur|code|version)s? (?:n° ?)?\w{0,2}$", re.IGNORECASE)


def _is_file_number(match: re.Match[str]) -> bool:
    """Tell a number that names somebody's file from a date, years, a sum, a SIRET, the telephone of a service."""
    text, digits = match["it"], _digits(match["it"])
    numerals = re.sub("[^0-9]", "", text)
    read = sum(sign.isdecimal() for sign in digits)
    of_a_service = numerals[:2] == "08" and len(numerals) in (10, 11)
    if not _mostly_digits(text) or read < 7 or len(numerals) < 5 or of_a_service or _is_no_file(match, text):
        return False
    return not (digits.isdecimal() and len(digits) == 14 and luhn_holds(digits))


def _is_no_file(match: re.Match[str], text: str) -> bool:
    """Tell a date, years, marks, postcodes, a sum, the code of a fault."""
    told = _DATE.match(text) or _YEARS.fullmatch(text) or _PLAIN_GROUPS.fullmatch(text)
    before = match.string[max(0, match.start("it") - 14) : match.start("it")]
    after = _MONEY.match(match.string, match.end()) or match.string.startswith("*", match.end())  # « 12345*03 »: a form
    return bool(told or after or _FAULT.search(before))


_LAW_NUMBER = re.compile(r"(?:19|20)\d\d[-/]\d{1,4}")


def _is_said_file_number(match: re.Match[str]) -> bool:
    """Tell, after a word that says so, a number of five digits or more from a year, a date, a sum, a form, a law."""
    text = match["it"]
    numerals = sum(sign.isdecimal() for sign in text)
    letters = sum(sign.isalpha() for sign in text)
    if re.fullmatch(r"08\d{8}", text):
        return False
    if numerals < 5 and not (numerals >= 2 and letters >= 2 and numerals + letters >= 7 and text.upper() == text):
        return False
    return not (_LAW_NUMBER.fullmatch(text) or _is_no_file(match, text))


def _is_code(match: re.Match[str]) -> bool:
    """Tell the number of a paper, letters and digits mixed, from the code of a fault, a hexadecimal, a form, a year."""
    text = match["it"]
    numerals = sum(sign.isdecimal() for sign in text)
    word = text.startswith(("0X", "CERFA", "COVID")) or re.fullmatch(r"[A-Z]{4,}\d{1,3}", text)
    return 2 <= numerals <= len(text) - 2 and not word and not _is_no_file(match, text)


# Plates


_WORDS_AROUND = re.compile(r" (?:AU|DE|DU|EN|ET|LE|OU|UN)$|^(?:AU|DE|DU|EN|ET|LE|OU|UN) ", re.IGNORECASE)


def _is_plate(match: re.Match[str]) -> bool:
    """Tell a plate from words around a number: « AB 120 ET 130 »."""
    plate = match["it"] or match[0]
    return sum(sign.isdecimal() for sign in plate) >= 2 and not _WORDS_AROUND.search(plate)


# Addresses of mail

_INSTITUTIONS = re.compile(
    r"(?:[\w-]+\.)*(?:gouv|service-public|caf|ameli|cnaf|cnav|carsat|urssaf|msa|pole-emploi|francetravail|ants|"
    r"caissedesdepots|anah|aviation-civile|francetitres|consulfrance[\w-]*|ambafrance[\w-]*|lassuranceretraite|"
    r"(?:cpam|mairie|ville|prefecture|departement|region)-[\w-]+)"
    r"(?:-[\w-]+)?\.(?:fr|org|com)$",
    re.IGNORECASE,
)
_AT = r"(?:@|[(\[\"] ?(?:at|a|arobase) ?[)\]\"]|\barobase\b)"
_DOT = r"(?:[.,]|\bpoint\b)"
_ENDING = r"(?:com|fr|net|org|eu|be|ch|me)\b"
_HOSTS = (
    "gmail|yahoo|hotmail|outlook|orange|wanadoo|free|sfr|laposte|icloud|live|msn|aol|neuf|bbox|proton|protonmail|gmx|"
    "numericable|aliceadsl|club-internet"
)


def _is_personal_mail(match: re.Match[str]) -> bool:
    """Tell a person's address from that of an institution, unless it bears a name."""
    local, _, domain = re.sub(rf"\s|{_AT}", "@", match[0], flags=re.IGNORECASE).partition("@")
    parts = [unaccented(part) for part in re.split(r"[._-]", local)]
    named = any(part in FIRST_NAMES or part in SURNAMES for part in parts)
    initial = len(parts) > 1 and len(parts[0]) == 1
    return named or initial or not _INSTITUTIONS.fullmatch(domain.replace("@", "").replace(",", ".").strip("."))


# Streets

_NOT_STREETS = re.compile(r"\d+ (?:av\. J|chemin de croix|voies? de recours)", re.IGNORECASE)


def _is_address(match: re.Match[str]) -> bool:
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


def _is_birth(match: re.Match[str]) -> bool:
    """Tell a date of birth: said to be one, or alone and of a year before those that texts speak of."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    if _BORN.search(before):
        return True
    year = int(_digits(match["year"])[-4:] or 0)
    return 1900 <= year < 2005 and not _ABOUT.search(before) and not _READS_ON.match(match.string, match.end())


_MONTHS = "|".join((
    "janv(?:ier)?", "f[ée]vr(?:ier)?", "mars", "avr(?:il)?", "mai", "juin", "juil(?:let)?", "ao[ûu]t", "sept(?:embre)?",
    "oct(?:obre)?", "nov(?:embre)?", "d[ée]c(?:embre)?",
))  # fmt: skip
_NUMBER_WORDS = "|".join((
    "z[ée]ro", "une?", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze",
    "treize", "quatorze", "quinze", "seize", "vingt", "trente", "quarante", "cinquante", "soixante", "cent", "mille",
    "premier",
))  # fmt: skip
_IN_WORDS = rf"(?i:{_NUMBER_WORDS})"
_SPELLED = rf"(?:{_NUMBER_WORDS})s?(?:(?:-et-| et |[ -])(?:{_NUMBER_WORDS})s?)*"
# Words for a street: those that are nothing else, and those that are one before a name with a capital.
_STREETS = "|".join((
    "rue", "avenue", r"av\.?", "boulevard", "bvd", "bld", r"bd\.?", "chemin", r"che\.?", r"ch\.", "impasse", r"imp\.?",
    "all[ée]es?", "quai", "lotissement", "faubourg", "hameau", "sentier", "ruelle", "venelle", "esplanade",
    "route", "rte", "square", "passage", r"r\.",
))  # fmt: skip
_PERHAPS_STREETS = "|".join((
    "place", r"pl\.", "cours", "voie", "cit[ée]", "c[ôo]te", "clos", "r[ée]sidence", "villa", "mont[ée]e", "parc",
    "rond-point", "domaine",
))  # fmt: skip
_LINK = r"(?:de la |de l'|de |du |des |d'|la |le |les |l')"
_NAMES = rf"(?:[ -]{_LINK}{{0,2}}{_NAME}){{0,3}}"
_TOWN = rf"(?:,? ?(?:[àa] )?\d{{5}} {_NAME}{_NAMES}|,? [àa] {_NAME}{_NAMES})?"
_STREET = rf"(?i:{_STREETS}|r(?= d)) {_LINK}{{0,2}}{_WORD}[{_UP}{_LOW}0-9'-]*{_NAMES}"
_PERHAPS_STREET = rf"(?i:{_PERHAPS_STREETS}) {_LINK}{{0,2}}(?P<named>{_WORD}[{_UP}{_LOW}'-]+){_NAMES}"
_PLACE = rf"{_LINK}{{0,2}}{_NAME}{_NAMES}"
_FILE_WORDS = (
    r"dossier|allocataire|matricule|n°|num[ée]ro|r[ée]f[ée]rence|r[ée]f\.?|fiscal|identifiant|contrat|passeport|cni|"
    r"carte d'identit[ée]|permis|r[ée]c[ée]piss[ée]|titre de s[ée]jour|ticket|client|agdref|demande|[ée]tranger"
)

IDENTIFIERS: tuple[Rule, ...] = (
    Rule(
        "courriel",
        likely=r"(?i)@|[(\[\x22] ?(?:at|a|arobase) ?[)\]\x22]|arobase",
        pattern=re.compile(
            rf"[\w.%+-]{{0,80}}[\w%+-](?: ?{_AT} ?[\w-]+(?:{_DOT}[\w-]+)*(?:{_DOT}[a-z]{{2,4}}\b| ?{_DOT} ?{_ENDING})"
            rf"| ?{_AT} ?(?:{_HOSTS})\b|(?<=\w{{3}})@[\w-]{{4,}})",
            re.IGNORECASE,
        ),
        holds=_is_personal_mail,
        masked=(
            "Écrivez à camille.durand@exemple.fr svp",
            "c.durand (at) exemple.com",
            "C.DURAND@EXEMPLE.FR",
            "camille@exemple,fr",
            "durand arobase exemple point fr",
            "sophie.martin@dgfip.finances.gouv.fr",
            "durand.sophie@caf.fr",
            "camille.durand [arobase] gmail.com",
            'camille.durand " at " gmail.com',
            "camille.durand @ gmail . com",
            "camille.durand(a)gmail.com",
        ),
        kept=(
            "contact@service-public.fr",
            "sip.nimes@dgfip.finances.gouv.fr",
            "le simulateur M@rel",
            "mon @ et le",
            "info@consulfrance-quebec.org",
            "contact@cpam-paris.fr",
            "service@mairie-lyon.fr",
        ),
    ),
    Rule(
        "courriel",
        likely=rf"(?i)\b(?:{_HOSTS})(?: ?[.,] ?| point )(?:com|fr|net|org|eu|be|ch|me)",
        pattern=re.compile(
            rf"[\w%+-][\w.%+-]{{2,80}}(?: at | a |[.])(?:{_HOSTS})(?: ?[.,] ?| point ){_ENDING}", re.IGNORECASE
        ),
        masked=("camille.durand at gmail.com", "durand at gmail point com", "camilledurand.gmail.com"),
        kept=("sur orange.fr", "le site www.free.fr"),
        holds=lambda match: not match[0].lower().startswith("www."),
    ),
    Rule(
        "compte",
        likely=r"(?i)@|skype|facebook|linkedin|instagram|twitter|whatsapp|snapchat",
        pattern=re.compile(
            rf"(?<![\w.@*])@(?!(?:mail|{_HOSTS})\b)[a-z_][\w.]{{3,}}|\b(?:facebook|linkedin|instagram|twitter)\.com/[\w./%-]+"
            r"|\b(?:skype|facebook|instagram|twitter|whatsapp|snapchat) ?: ?(?P<it>[\w-]*[._\d][\w.-]+)",
            re.IGNORECASE,
        ),
        masked=("mon compte : @ydurand", "https://facebook.com/yann.durand", "skype: yann.durand"),
        kept=("mon @ et le", "sur facebook on dit", "facebook.com", "par twitter : mon message", "*@gmail.com"),
    ),
    Rule(
        "iban",
        likely=_numerals(8, apart=6),
        pattern=re.compile(
            rf"(?:(?<!\w)|(?<=iban)|(?<=rib))[A-Za-z]{{2}}[ .-]?{_D}{{2}}(?:[ .-]{{0,2}}[A-Za-z0-9]){{11,30}}(?!\w)",
            re.IGNORECASE,
        ),
        holds=_is_iban,
        masked=("RIB FR76 3000 6000 0112 3456 7890 189 merci", "fr7630006000011234567890189"),
        kept=("la FR 2021 de mon dossier", "il y en a 12 et en 2021 encore 14", "FR 2021 2022 2023 2024"),
    ),
    Rule(
        "securite-sociale",
        likely=r"[1-478][ .\-/_]{0,3}[0-9OoIlLSsBb]",
        pattern=re.compile(
            rf"(?<!\w)(?P<number>[1-478]{_SEP}{_D}{{2}}{_SEP}{_D}{{2}}{_SEP}(?:{_D}{{2}}|2[ABab]){_SEP}{_D}{{3}}{_SEP}"
            rf"{_D}{{3}})(?:[ .\-/_]{{0,3}}(?:cl[ée] ?:? ?)?(?P<key>{_D}{{2}}))?(?!\w)"
        ),
        holds=_nir_holds,
        masked=("mon numéro 2 84 05 30 189 123 28", "184052A00112301", "2 84 05 2A 004 123", "2 84 05 2B 004 123 45"),
        kept=("2 84 05 30 189 123 10",),
    ),
    Rule(
        "carte",
        likely=r"[0-9OoIlLSsBb]{4}[ .-]{0,2}[0-9OoIlLSsBb]{4}[ .-]{0,2}[0-9OoIlLSsBb]{4}",
        pattern=re.compile(rf"(?<!\w)[3-6]{_D}{{3}}(?:{_SEP}{_D}{{4}}){{3}}(?!\w)"),
        holds=_card_holds,
        masked=("carte 4970 1000 0000 0055", "4970100000000055"),
        kept=("4970 1000 0000 0056",),
    ),
    Rule(
        "telephone",
        likely=r"(?:\+|0|O|o)[0-9 .,;:\-/()_+OoIlLSsBb]{6}",
        pattern=re.compile(
            r"(?:(?<![\w.,:/-])|(?<=tel)|(?<=num[ée]ro)|(?<=[a-zé]:))"
            rf"(?:(?:\+|00) ?{_D}{{2,3}} ?(?:\( ?0 ?\) ?)?|\(?[0Oo])"
            rf"(?:[ .,;\-/_]{{0,3}}[1-9Il](?:[ .,;\-/_()]{{0,3}}{_D}){{8}}|[1-9](?::\d\d){{4}})(?!\d)",
            re.IGNORECASE,
        ),
        holds=_of_a_person,
        masked=(
            "appelez le 06 39 98 12 34",
            "+33 6 39 98 56 78",
            "0639981234",
            "O6.39.98.l2.34",
            "0033(0)639981234",
            "+352 621 123 456",
            "06,39,98,12,34",
            "06 - 39 - 98 - 12 - 34",
            "(06) 39 98 12 34",
        ),
        kept=(
            "le 0 809 40 05 50 est payant",
            "composez le 3646",
            "08 11 70 39 39",
            "Vente du 02/05/2018 Bonjour",
            "2022-07-14 00:00:00",
        ),
    ),
    Rule(
        "telephone",
        likely=r"(?i)\bz[ée]ro\b",
        pattern=re.compile(
            rf"\bz[ée]ro[ ,.-]+(?:{_SPELLED}|\d)(?:[ ,.-]+(?:{_SPELLED}|\d{{1,2}})){{2,8}}\b", re.IGNORECASE
        ),
        masked=("zéro six 39 98 12 34", "zéro six trente-neuf quatre-vingt-dix-huit douze trente-quatre"),
        kept=("zéro réponse", "zéro pointé sur dix"),
    ),
    Rule(
        "plaque",
        likely=(
            r"(?i)[a-z]{2}[ .-]{0,3}[OoIlLSsBb]?[0-9][0-9OoIlLSsBb]{1,2}[ .-]{0,3}[a-z]{2}"
            r"|[0-9]{1,4}[ -]?[A-Z]{2,3}[ -]?[0-9]"
            r"|(?:plaque|v[ée]hicule|voiture|scooter|moto|immatricul\w*)[^\n]{0,30}[0-9]"
        ),
        pattern=re.compile(
            rf"(?<!\w)(?:[A-HJ-NP-TV-Z]{{2}}[ .-]{{0,3}}{_D}{{3}}[ .-]{{0,3}}[A-HJ-NP-TV-Z]{{2}}"
            rf"|[a-hj-np-tv-z]{{2}}-{{0,2}}{_D}{{3}}-{{0,2}}[a-hj-np-tv-z]{{2}}"
            r"|\d{2,4}[ -](?!A[UI]\b|ET\b|EN\b|OU\b|LE\b)[A-Z]{2,3}[ -](?:\d{2}|2[AB])|\d{3,4}[A-Z]{2}(?:\d{2}|2[AB])"
            r"|(?i:(?:plaque|v[ée]hicule|voiture|scooter|moto|immatricul\w{1,6})(?: d'immatriculation)?[ :]{1,3})"
            r"(?P<it>[a-z]{2} \d{3} [a-z]{2}|\d{2,4}[ -]?[A-Za-z]{2,3}[ -]?\d{2}))(?!\w)"
        ),
        holds=_is_plate,
        masked=(
            "ma voiture AB-123-CD",
            "ab123cd",
            "AB 123 CD",
            "1234 AB 30",
            "AB.123.CD",
            "1234AB30",
            "plaque ab 123 cd",
        ),
        kept=(
            "de 100 et 200",
            "ART 12",
            "et 300 en",
            "du 01/01/2021 AU 31/03/2022",
            "AB 120 ET 130",
            "voiture de 200 cv",
        ),
    ),
    Rule(
        "date-de-naissance",
        likely=rf"(?i){_D}{{1,4}}(?:er)?[ ./-]{{1,2}}(?:{_D}{{1,2}}|[a-zé û]{{3,10}})[ ./-]{{1,2}}{_D}{{2}}",
        pattern=re.compile(
            rf"(?<![\w/])(?:{_D}{{1,2}}(?:er)?[ ./-]{{1,2}}(?:{_D}{{1,2}}|(?i:{_MONTHS}))[ ./-]{{1,2}}"
            rf"(?P<year>{_D}{{4}}|{_D}{{2}}))(?![\w/])"
        ),
        holds=_is_birth,
        masked=(
            "Né le 14/03/1962 à Nîmes",
            "née le 2 avril 1975",
            "date de naissance : 14-03-62",
            "je suis du 14.03.1962",
            "Camille, 14/03/1962, Nîmes",
            "ddn 14/03/2012",
        ),
        kept=(
            "la journée du 12/03/2021",
            "la loi du 6 janvier 1978",
            "entre le 2 avril 2022 et",
            "du 01/01/1982 au 31/12/1990",
            "depuis le 1er septembre 1998",
        ),
    ),
    Rule(
        "date-de-naissance",
        likely=(
            rf"(?i)\b(?:n[ée]{{1,2}}e?s?|n[ée]\(e\)|naissance|ddn|anniversaire) ?:? ?(?:(?:le|en|un) )?"
            rf"(?:[^ ]+ ){{0,3}}(?:{_MONTHS}|19|20)"
        ),
        pattern=re.compile(
            r"(?:(?<!nouveau )(?<!nouveau-)\bn[ée]{1,2}e?s?(?:\(e\))?|\b(?:naissance|ddn|anniversaire)) ?:? ?"
            r"(?:le |en |un )?"
            rf"(?P<it>(?:{_D}{{1,2}}(?:er)?|{_SPELLED}) (?:{_MONTHS})(?: (?:(?:19|20)\d\d|{_SPELLED}))?"
            rf"|(?:{_MONTHS}) (?:19|20)\d\d|(?<=en )(?:19|20)\d\d)\b",
            re.IGNORECASE,
        ),
        masked=(
            "né en mars 1962",
            "née le quatorze mars mille neuf cent soixante-deux",
            "né le premier avril 1975",
            "née en 1962",
        ),
        kept=(
            "né de parents français",
            "la naissance de mon fils",
            "née à Nîmes",
            "un nouveau né en 2021",
            "naissance de 1997",
        ),
    ),
    Rule(
        "adresse",
        likely=(
            rf"(?i)(?:[0-9][OoIlLSsBb]{{0,3}}|\b(?:{_NUMBER_WORDS}))[ ,]*(?:bis|ter|quater|[a-d])?,? ?(?:de la )?"
            rf"(?:{_STREETS}|r|{_PERHAPS_STREETS})[ .]"
        ),
        pattern=re.compile(
            rf"(?<![\w/])(?:(?=\D?\d)(?!24/24|7/7){_D}{{1,4}}(?:[-/]\d{{1,4}})? ?(?i:bis|ter|quater|[a-d](?=[ ,]))?"
            rf"|(?!(?i:une?|cent|mille) ){_IN_WORDS}),? ?(?:(?i:de la ))?(?:{_STREET}|{_PERHAPS_STREET}){_TOWN}"
        ),
        holds=_is_address,
        masked=(
            "J'habite au 12 rue des Lilas à Nîmes",
            "12 bis, avenue de la République 30000 Nîmes",
            "3 RUE VICTOR HUGO",
            "7 place Jean Jaurès",
            "12 R. des Lilas",
            "12 r des Lilas",
            "douze rue des Lilas",
            "n°12 de la rue des Lilas",
        ),
        kept=(
            "il reste 2 places",
            "la rue des Lilas est fermée",
            "à 200 m de la route",
            "1 place de parking",
            "3 cours de français",
            "12 av. J.-C.",
            "une place de parking",
            "deux cours de français",
            "dans une impasse ou",
            "ouvert 24/24, passage à toute heure",
        ),
    ),
    Rule(
        "adresse",
        likely=r"(?i)\b(?:rue|avenue|boulevard|impasse|lieu[ -]dit|appartement|appt?|b[âa]t|b[âa]timent|bp) ",
        pattern=re.compile(
            rf"(?<!\w)(?:(?i:rue|avenue|boulevard|impasse) {_PLACE}(?:,? ?(?i:num[ée]ro|n°) ?|, )\d{{1,4}}"
            rf"|(?i:lieu[ -]dit) {_PLACE}{_TOWN}|(?:BP|CS) \d{{2,5}} \d{{5}} {_NAME}{_NAMES}"
            rf"|(?:(?i:r[ée]sidence) {_PLACE},? ?)?(?i:b[âa]t(?:iment)?\.? [a-z0-9]{{1,2}},? (?:et )?)?"
            r"(?i:appartement|appt?|apt)\.? ?(?:n° ?)?\d{1,4}[a-z]?)(?!\w)"
        ),
        masked=(
            "rue des Lilas numéro 12",
            "rue des Lilas, 12",
            "lieu dit Kerbihan 29000 Quimper",
            "résidence Les Lilas bat B apt 12",
            "Bâtiment C, appartement 12",
            "BP 123 29000 Quimper",
        ),
        kept=("la rue des Lilas, fermée", "un appartement de 12 m", "le bâtiment C"),
    ),
    Rule(
        "dossier",
        likely=_numerals(5, apart=5),
        pattern=re.compile(
            rf"(?P<it>(?<![\w@])[A-Za-z]{{0,4}}-?\d(?:{_D}|[A-Za-z](?=\d)){{5,}}[A-Za-z]{{0,3}}(?!\w)"
            rf"|(?<![\w@]){_D}(?:[ .\-/_]{{0,3}}{_D}){{8,}}(?!\w))"
        ),
        holds=_is_file_number,
        masked=(
            "dossier n° 4821973",
            "allocataire 0482197",
            "ref AB4821973",
            "2 84 05 30 189 123 10",
            "4970 1000 0000 0056",
        ),
        kept=(
            "le 12/03/2021 14:30",
            "1 250 000 euros",
            "2019 2020 2021",
            "SIRET 732 829 320 00074",
            "08 11 70 39 39",
            "en 2021",
            "10/10 20/20 15/20",
            "code postal 30000 75001 69001",
            "erreur 0x80070057",
        ),
    ),
    Rule(
        "dossier",
        likely=rf"(?i)(?:{_FILE_WORDS})[^\n]{{0,60}}[0-9]",
        pattern=re.compile(
            rf"(?i:(?:{_FILE_WORDS})(?: [a-zéè']{{2,12}}){{0,3}} ?(?:est )?(?:le )?[:=n° ]{{0,4}})"
            rf"(?P<it>(?<![a-zà-ÿ])(?:[A-Z]{{0,3}}[ -]?{_D}(?:[ .-]?{_D}){{6,14}}"
            r"|(?=[A-Z/-]*\d)[A-Z0-9OoIl]+(?:[-/][A-Z0-9]+)*))(?!\w)"
        ),
        holds=_is_said_file_number,
        masked=(
            "dossier n° 482 19 73",
            "numéro allocataire : 48 219 73",
            "numéro allocataire 123456",
            "identifiant 12345",
            "dossier AB-12345-CD",
            "dossier n°A1B2C3D4E5",
            "passeport n° 20FV12345",
        ),
        kept=(
            "numéro 3646",
            "le dossier de 2021",
            "n° 2021-1234 du code",
            "CERFA n° 12345*03",
            "dossier RSA",
            "demande de CNI",
        ),
    ),
    Rule(
        "dossier",
        likely=r"\b[A-Z0-9]*[0-9][A-Z]{1,4}[0-9][A-Z0-9]*\b|\b[A-Z]+[0-9][A-Z0-9]+\b",
        pattern=re.compile(r"(?<![\w@/.-])(?P<it>(?=[A-Z0-9]{0,10}\d)[A-Z0-9]{8,14})(?![\w@])"),
        holds=_is_code,
        masked=("passeport 12AB34567", "carte X4RTBPFW4", "dossier ANTS UFNLX5KT0"),
        kept=("erreur 0X80070057", "CERFA12345", "COVID2021", "iOS 15"),
    ),
)
