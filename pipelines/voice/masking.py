"""Personal details out of a text, before anything else reads it. Rules in order, each with what it must mask and keep.

What a rule masks is replaced by a word between brackets. Institutional addresses, numbers of services (3646, 0 809 …)
and SIRET stay. A number that its own check digits refuse is masked all the same, as a file number: people mistype.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import simplemma

from pipelines.mechanics.spelling import unaccented
from pipelines.voice.words import FIRST_NAMES, NOT_NAMES, SURNAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_D = r"[0-9OoIlLSsBb]"  # a digit, or the letter that is typed or scanned for one
_SEP = r"[ .\-/_]{0,2}"
_UP = "A-ZÀ-ÖØ-Þ"
_LOW = "a-zß-öø-ÿœæ"
_WORD = f"[{_UP}{_LOW}0-9]"
_NAME = f"[{_UP}][{_UP}{_LOW}'-]+"
_READ_AS = str.maketrans("OoIlLSsBb", "001115588")


@dataclass(frozen=True)
class Rule:
    """What is looked for (``pattern``), whether a match holds, the word put in its place (group 1, or the whole).

    ``likely``: a looser form of it, that Arrow looks for in whole columns. ``masked`` and ``kept``: invented examples.
    """

    kind: str
    likely: str
    pattern: re.Pattern[str]
    masked: tuple[str, ...]
    kept: tuple[str, ...]
    holds: Callable[[re.Match[str]], bool] = bool

    @property
    def word(self) -> str:
        """What stands in the place of a detail."""
        return f"[{self.kind}]"

    def apply(self, text: str) -> tuple[str, int]:
        """Return a text without what the rule finds there, and how many it found."""
        found = 0

        def put(match: re.Match[str]) -> str:
            nonlocal found
            if not self.holds(match):
                return match[0]
            found += 1
            before = match.start("it") - match.start() if "it" in self.pattern.groupindex else 0
            return match[0][:before] + self.word

        return self.pattern.sub(put, text), found


def masked(text: str) -> tuple[str, Counter[str]]:
    """Return a normalised text without its personal details, and how many there were by kind."""
    texts, counts = mask_all([text])
    return texts[0], counts


def mask_all(texts: Sequence[str]) -> tuple[list[str], Counter[str]]:
    """Return normalised texts without their personal details, and how many there were by kind."""
    done, counts = list(texts), Counter[str]()
    column = pa.array(done, pa.large_string())
    for rule in RULES:
        places = pc.indices_nonzero(pc.match_substring_regex(column, rule.likely)).to_pylist()
        changed = False
        for place in places:
            text, found = rule.apply(done[place])
            if found:
                done[place], changed = text, True
                counts[rule.kind] += found
        if changed:
            column = pa.array(done, pa.large_string())
    return done, counts


# Numbers


def _digits(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", text).translate(_READ_AS)


def _nir_holds(match: re.Match[str]) -> bool:
    """Check the key of a NIR, 97 less the remainder of the number by 97 (Corsica: 2A is 19, 2B is 18)."""
    number = re.sub(r"[^0-9A-Za-z]", "", match["number"]).upper()
    corsican = number[5:7] in ("2A", "2B")
    digits = number.replace("2A", "19").replace("2B", "18") if corsican else _digits(number)
    return digits.isdecimal() and int(_digits(match["key"])) == 97 - int(digits) % 97


def iban_holds(text: str) -> bool:
    """Check an IBAN by ISO 7064: its signs, turned to numbers, leave 1 when divided by 97."""
    compact = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    turned = "".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])
    return int(turned) % 97 == 1


def _is_iban(match: re.Match[str]) -> bool:
    """Tell an IBAN: its check digits hold, or it is written as a French one, mistyped."""
    compact = re.sub(r"[^0-9A-Za-z]", "", match[0])
    numbers = sum(sign.isdecimal() for sign in compact)
    return numbers >= 10 and (compact[:2].upper() == "FR" or iban_holds(compact))


def _has_two_digits(match: re.Match[str]) -> bool:
    return sum(sign.isdecimal() for sign in match[0]) >= 2


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
_YEARS = re.compile(r"(?:(?:19|20)\d\d[ ./-]?)+")
_MONEY = re.compile(r" ?(?:€|eur|e\b|k€|francs?)", re.IGNORECASE)


def _is_file_number(match: re.Match[str]) -> bool:
    """Tell a number that names somebody's file from a date, years, a sum, a SIRET, the telephone of a service."""
    text, digits = match["it"], _digits(match["it"])
    numerals = re.sub("[^0-9]", "", text)
    read = sum(sign.isdecimal() for sign in digits)
    if (
        not _mostly_digits(text)
        or read < 7
        or len(numerals) < 5
        or (numerals[:2] == "08" and len(numerals) in (10, 11))
    ):
        return False
    if _DATE.match(text) or _YEARS.fullmatch(text) or _MONEY.match(match.string, match.end()):
        return False
    return not (digits.isdecimal() and len(digits) == 14 and luhn_holds(digits))


# Addresses of mail

_INSTITUTIONS = re.compile(
    r"(?:[\w-]+\.)*(?:gouv|service-public|caf|ameli|cnaf|cnav|carsat|urssaf|msa|pole-emploi|francetravail|ants|"
    r"caissedesdepots|anah|aviation-civile|francetitres|consulfrance[\w-]*|ambafrance[\w-]*|lassuranceretraite)"
    r"(?:-[\w-]+)?\.(?:fr|org|com)$",
    re.IGNORECASE,
)


def _is_personal_mail(match: re.Match[str]) -> bool:
    """Tell a person's address from that of an institution, unless it bears a first name."""
    local, _, domain = re.sub(r"\s|\(at\)|arobase", "@", match[0], flags=re.IGNORECASE).partition("@")
    named = unaccented(re.split(r"[._-]", local)[0]) in FIRST_NAMES
    return named or not _INSTITUTIONS.fullmatch(domain.replace("@", "").replace(",", ".").strip("."))


def _is_address(match: re.Match[str]) -> bool:
    """Tell a street from what is no street but before a name: « 7 place Jean Jaurès », not « 2 place de parking »."""
    name = match["named"]
    return name is None or name[0].isupper() or _plain(name) in FIRST_NAMES


# Names

_CIVILITY = (
    r"(?i:monsieur|madame|mademoiselle|messieurs|docteur|ma[îi]tre|mme|mmes|mlle|mr|mrs|dr)|MM|M|Me|(?<!\d )m(?=\.)"
)


_ABBREVIATED = frozenset(("mme", "mmes", "mlle", "mr", "mrs", "m", "mm", "dr"))


@cache
def _plain(word: str) -> str:
    return unaccented(word).strip("'-.")


@cache
def _is_word(word: str) -> bool:
    """Tell a word of the language (or one that no name is) from one that only a name can be."""
    plain = _plain(word)
    if plain in FIRST_NAMES or plain in SURNAMES:
        return False
    said = plain in NOT_NAMES or plain.endswith("ment") or len(plain) < 3
    return said or simplemma.is_known(word.lower(), lang="fr")


def _is_named(match: re.Match[str]) -> bool:
    """Tell a name from a word, after a civility: by its capital in a text that has small letters, else by lists."""
    words = match["it"].split(" ")
    first = words[0]
    if len(first) == 2 and first[0].isupper() and first[1] == ".":
        return True
    if _plain(first) in ("le", "la", "de", "da", "du") and first[0].isupper() and len(words) > 1:
        return not _is_word(words[1])  # « Monsieur Le Goff », not « Monsieur Le Préfet »
    if _plain(first.split("'")[0]) in NOT_NAMES or _plain(first) in NOT_NAMES:
        return False
    if match[1].lower() in _ABBREVIATED:
        return True  # what follows « mme » or « mr » is a name, a word or not
    return (first[0].isupper() and not match.string.isupper()) or not _is_word(first)


def _is_signature(match: re.Match[str]) -> bool:
    """Tell a name at the end of a text: all its words are names, or are written as names are and no word of it is."""
    words = [word for word in re.split(r"[ \n,.]+", match["it"]) if len(word) > 1]
    elided = re.search(r"\b(?:[cdjlmnst]|qu)'", match["it"], re.IGNORECASE)
    if not words or elided or len(words) > 4 or any(_plain(word) in NOT_NAMES for word in words):
        return False
    return any(not _is_word(word) for word in words) and sum(_is_word(word) for word in words) <= len(words) // 2


_PLACES_BEFORE = re.compile(
    r"(?:lyc[ée]e|coll[èe]ge|[ée]cole|rue|avenue|place|boulevard|h[ôo]pital|clinique|gare|quai|square|sainte?|"
    r"centre|cours|pont|r[ée]sidence|universit[ée]|aéroport|stade|mus[ée]e|rond-point|cit[ée]|all[ée]e)[ -]$",
    re.IGNORECASE,
)


def _is_full_name(match: re.Match[str]) -> bool:
    """Tell a first name and a surname from a place that bears them."""
    if _PLACES_BEFORE.search(match.string, max(0, match.start() - 14), match.start()):
        return False
    first, last = match["first"], match["last"]
    if _plain(re.split("[ -]", first)[0]) not in FIRST_NAMES or _plain(last) in NOT_NAMES:
        return False
    return _plain(last) in SURNAMES or not simplemma.is_known(last.lower(), lang="fr")


_BORN = re.compile(r"\b(?:n[ée]{1,2}e?s?(?:\(e\))?|naissance|naiss\.)\W{1,3}(?:\w+\W+){0,2}$", re.IGNORECASE)
_LAW = re.compile(r"\b(?:loi|d[ée]cret|arr[êe]t[ée]|ordonnance|circulaire|code|trait[ée]|convention)\b", re.IGNORECASE)


def _is_birth(match: re.Match[str]) -> bool:
    """Tell a date of birth: said to be one, or of a year before those that texts speak of."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    year = int(_digits(match["year"])[-4:] or 0)
    old = 1900 <= year < 2005 and not _LAW.search(before)
    return bool(_BORN.search(before)) or old


_MONTHS = "|".join((
    "janv(?:ier)?", "f[ée]vr(?:ier)?", "mars", "avr(?:il)?", "mai", "juin", "juil(?:let)?", "ao[ûu]t", "sept(?:embre)?",
    "oct(?:obre)?", "nov(?:embre)?", "d[ée]c(?:embre)?",
))  # fmt: skip
# Words for a street: those that are nothing else, and those that are one before a name with a capital.
_STREETS = "|".join((
    "rue", "avenue", r"av\.?", "boulevard", "bvd", "bld", r"bd\.?", "chemin", "impasse", "all[ée]es?", "quai",
    "lotissement", "faubourg", "hameau", "sentier", "ruelle", "venelle", "esplanade",
    "route", "rte", "square", "passage",
))  # fmt: skip
_PERHAPS_STREETS = "|".join((
    "place", "cours", "voie", "cit[ée]", "c[ôo]te", "clos", "r[ée]sidence", "villa", "mont[ée]e", "parc",
    "rond-point", "domaine",
))  # fmt: skip
_LINK = r"(?:de la |de l'|de |du |des |d'|la |le |les |l')"
_NAMES = rf"(?:[ -]{_LINK}{{0,2}}{_NAME}){{0,3}}"
_TOWN = rf"(?:,? ?(?:[àa] )?\d{{5}} {_NAME}{_NAMES}|,? [àa] {_NAME}{_NAMES})?"
_STREET = rf"(?i:{_STREETS}) {_LINK}{{0,2}}{_WORD}[{_UP}{_LOW}0-9'-]*{_NAMES}"
_PERHAPS_STREET = rf"(?i:{_PERHAPS_STREETS}) {_LINK}{{0,2}}(?P<named>{_WORD}[{_UP}{_LOW}'-]+){_NAMES}"
_DOT = r"(?:[.,]| point )"
_FILE_WORDS = r"dossier|allocataire|matricule|n°|num[ée]ro|r[ée]f[ée]rence|fiscal|identifiant|contrat"
_CLOSING = "|".join((
    "cordialement", "salutations(?: distingu[ée]es| les meilleures| respectueuses)?", "bien [àa] vous",
    "respectueusement", "merci d'avance", "merci", "bonne journ[ée]e", "sign[ée] ?:?", "sinc[èe]rement",
))  # fmt: skip

RULES: tuple[Rule, ...] = (
    Rule(
        "courriel",
        likely=r"(?i)@|\(at\)|arobase",
        pattern=re.compile(
            rf"[\w.%+-]*[\w%+-](?: ?(?:@|\(at\)|\barobase\b) ?[\w-]+(?: ?{_DOT} ?[\w-]+)*{_DOT} ?[a-z]{{2,4}}\b"
            r"|(?<=\w{3})@[\w-]{4,})",
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
        ),
        kept=(
            "contact@service-public.fr",
            "sip.nimes@dgfip.finances.gouv.fr",
            "le simulateur M@rel",
            "mon @ et le",
            "info@consulfrance-quebec.org",
        ),
    ),
    Rule(
        "iban",
        likely=r"[A-Za-z]{2}[ .-]?[0-9OoIlLSsBb]{2}[ .-]?[A-Za-z0-9]{2}",
        pattern=re.compile(rf"(?<!\w)[A-Za-z]{{2}}[ .-]?{_D}{{2}}(?:[ .-]{{0,2}}[A-Za-z0-9]){{11,30}}(?!\w)"),
        holds=_is_iban,
        masked=("RIB FR76 3000 6000 0112 3456 7890 189 merci", "fr7630006000011234567890189"),
        kept=("la FR 2021 de mon dossier", "il y en a 12 et en 2021 encore 14"),
    ),
    Rule(
        "securite-sociale",
        likely=r"[1-478][ .-]{0,2}[0-9OoIlLSsBb]",
        pattern=re.compile(
            rf"(?<!\w)(?P<number>[1-478]{_SEP}{_D}{{2}}{_SEP}{_D}{{2}}{_SEP}(?:{_D}{{2}}|2[ABab]){_SEP}{_D}{{3}}{_SEP}"
            rf"{_D}{{3}})[ .\-/_]{{0,3}}(?:cl[ée] ?:? ?)?(?P<key>{_D}{{2}})(?!\w)"
        ),
        holds=_nir_holds,
        masked=("mon numéro 2 84 05 30 189 123 28", "184052A00112301"),
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
        likely=r"(?:\+|0|O|o)[0-9 .\-/(_+OoIlLSsBb]{6}",
        pattern=re.compile(
            rf"(?<![\w.,])(?:(?:\+|00) ?{_D}{{2,3}} ?(?:\( ?0 ?\) ?)?|[0Oo]){_SEP}[1-9Il](?:{_SEP}{_D}){{8}}(?!\d)"
        ),
        holds=_of_a_person,
        masked=(
            "appelez le 06 39 98 12 34",
            "+33 6 39 98 56 78",
            "0639981234",
            "O6.39.98.l2.34",
            "0033(0)639981234",
            "+352 621 123 456",
        ),
        kept=("le 0 809 40 05 50 est payant", "composez le 3646", "08 11 70 39 39", "Vente du 02/05/2018 Bonjour"),
    ),
    Rule(
        "plaque",
        likely=r"(?i)[a-z]{2}[ -]{0,2}[0-9OoIlLSsBb]{3}[ -]{0,2}[a-z]{2}|[0-9]{1,4}[ -][A-Z]{2,3}[ -][0-9]",
        pattern=re.compile(
            rf"(?<!\w)(?:[A-HJ-NP-TV-Z]{{2}}[ -]{{0,2}}{_D}{{3}}[ -]{{0,2}}[A-HJ-NP-TV-Z]{{2}}"
            rf"|[a-hj-np-tv-z]{{2}}-{{0,2}}{_D}{{3}}-{{0,2}}[a-hj-np-tv-z]{{2}}"
            r"|\d{2,4}[ -](?!A[UI]\b|ET\b|EN\b|OU\b|LE\b)[A-Z]{2,3}[ -](?:\d{2}|2[AB]))(?!\w)"
        ),
        holds=_has_two_digits,
        masked=("ma voiture AB-123-CD", "ab123cd", "AB 123 CD", "1234 AB 30"),
        kept=("de 100 et 200", "ART 12", "et 300 en", "du 01/01/2021 AU 31/03/2022"),
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
        ),
        kept=("la journée du 12/03/2021", "la loi du 6 janvier 1978", "entre le 2 avril 2022 et"),
    ),
    Rule(
        "adresse",
        likely=rf"(?i)[0-9OoIlLSsBb][ ,]*(?:bis|ter|quater|[a-d])?,? ?(?:{_STREETS}|{_PERHAPS_STREETS})[ .]",
        pattern=re.compile(
            rf"(?<!\w)(?=\D?\d){_D}{{1,4}} ?(?i:bis|ter|quater|[a-d](?= ))?,? ?(?:{_STREET}|{_PERHAPS_STREET}){_TOWN}"
        ),
        holds=_is_address,
        masked=(
            "J'habite au 12 rue des Lilas à Nîmes",
            "12 bis, avenue de la République 30000 Nîmes",
            "3 RUE VICTOR HUGO",
            "7 place Jean Jaurès",
        ),
        kept=(
            "il reste 2 places",
            "la rue des Lilas est fermée",
            "à 200 m de la route",
            "1 place de parking",
            "3 cours de français",
        ),
    ),
    Rule(
        "dossier",
        likely=r"[0-9OoIlLSsBb][0-9A-Za-z .\-/_]{4,}",
        pattern=re.compile(
            rf"(?P<it>(?<![\w@])[A-Za-z]{{0,4}}-?\d(?:{_D}|[A-Za-z](?=\d)){{5,}}[A-Za-z]{{0,3}}(?!\w)"
            rf"|(?<![\w@]){_D}(?:[ .\-/_]{{0,2}}{_D}){{8,}}(?!\w))"
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
        ),
    ),
    Rule(
        "dossier",
        likely=rf"(?i)(?:{_FILE_WORDS})",
        pattern=re.compile(
            rf"(?i:{_FILE_WORDS})(?: [a-z]{{2,12}}){{0,2}} ?[:=n°]* ?"
            rf"(?P<it>[A-Z]{{0,3}}[ -]?{_D}(?:[ .-]?{_D}){{6,14}}(?!\w))"
        ),
        holds=_is_file_number,
        masked=("dossier n° 482 19 73", "numéro allocataire : 48 219 73"),
        kept=("numéro 3646", "le dossier de 2021"),
    ),
    Rule(
        "nom",
        likely=(
            r"(?i)\b(?:m|mr|mme|mmes|mlle|mm|mrs|monsieur|madame|mademoiselle|messieurs|dr|docteur|ma[îi]tre|me)[. ]"
        ),
        pattern=re.compile(
            rf"(?<![\w'])({_CIVILITY})(?:\. ?| )(?P<it>[{_UP}](?:\.|(?=[ ,.]))|{_WORD}[{_UP}{_LOW}'-]+"
            rf"(?: (?:(?:de|du|des|le|la|da|van|ben|el|al) )?{_NAME}){{0,2}})"
        ),
        holds=_is_named,
        masked=(
            "reçue par Madame Vandenbroucke",
            "M. Kervadec",
            "mme dupont",
            "MADAME DUPONT",
            "monsieur petit",
            "Mr Jean Le Goff",
            "Mme D.",
        ),
        kept=(
            "Madame, Monsieur,",
            "Madame la Directrice",
            "Monsieur le Préfet",
            "MADAME VOTRE SERVICE",
            "Bonjour Madame. Je",
            "une dame et un monsieur très gentil",
            "Monsieur Bonjour",
        ),
    ),
    Rule(
        "nom",
        likely=rf"(?i)(?:{_CLOSING})\W+(?:\S+\s*){{1,5}}$",
        pattern=re.compile(
            rf"(?:{_CLOSING})[ ,.;:!\n-]+(?P<it>{_WORD}[{_UP}{_LOW}'.-]*"
            rf"(?:[ \n]+[{_UP}{_LOW}][{_UP}{_LOW}'.-]*){{0,3}})[ .!\n]*$",
            re.IGNORECASE,
        ),
        holds=_is_signature,
        masked=(
            "Cordialement, Camille Durand",
            "cordialement\nvandenbroucke",
            "Merci. Sophie",
            "Bien à vous,\nJ. Kervadec",
        ),
        kept=(
            "Cordialement.",
            "Merci pour tout",
            "Merci beaucoup",
            "Bonne journée",
            "Cordialement, une usagère mécontente",
        ),
    ),
    Rule(
        "nom",
        likely=f"[{_UP}][{_UP}{_LOW}]+(?:[ -][{_UP}][{_UP}{_LOW}]+)? [{_UP}][{_UP}{_LOW}]",
        pattern=re.compile(
            rf"(?<![\w'-])(?P<first>[{_UP}][{_UP}{_LOW}]+(?:[ -][{_UP}][{_UP}{_LOW}]+)??) "
            rf"(?P<last>{_NAME}(?: {_NAME})?)(?![\w-])"
        ),
        holds=_is_full_name,
        masked=("je remercie Camille Durand", "Jean-Pierre KERVADEC du guichet"),
        kept=("le lycée Jean Moulin", "la rue Victor Hugo", "France Travail", "Pierre et Marie", "Paris Centre"),
    ),
)
