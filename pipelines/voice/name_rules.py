"""Rules that mask the names of people: after a civility, a role or « je m'appelle », at the end, or alone."""

from __future__ import annotations

import re
from functools import cache

import simplemma

from pipelines.mechanics.spelling import unaccented
from pipelines.voice.masking_rule import Rule
from pipelines.voice.words import FAMOUS, FIRST_NAMES, NOT_NAMES, SURNAMES

_LETTER = r"[^\W\d_]"
_ONE = rf"{_LETTER}[\w'-]*"  # a word, of a name or not
_PARTICLE = r"(?:d'|(?:de la|de|du|des|le|la|da|dos|di|del|van der|van den|van|von|ben|bel|el|al|abd) )"
_PERSON = rf"{_PARTICLE}{{0,2}}{_ONE}"
_MORE = rf"(?: (?:{_PARTICLE})?(?-i:(?![a-zß-ÿ]){_ONE})){{0,2}}"  # then words that have a capital
_CIVILITY = (
    r"(?i:monsieur|madame|mademoiselle|messieurs|docteur|ma[îi]tre|mme|mmes|mlle|mr|mrs|dr)|MM|M|Me|(?<!\d )m(?=\.)"
)
_ABBREVIATED = frozenset(("mme", "mmes", "mlle", "mr", "mrs", "m", "mm", "dr"))
_ROLES = "|".join((
    "agente?s?", "conseill[eè]re?s?", "employ[ée]e?", "guicheti[eè]re?", "directeur", "directrice", "responsable",
    "coll[eè]gue",
    "chargée?", "facteur", "factrice", "gendarme", "adjudante?", "brigadi[eè]re?", "major", "capitaine",
    "lieutenante?", "sergente?",
    "technicien(?:ne)?", "gestionnaire", "inspecteur", "inspectrice", "docteur", "infirmi[eè]re?", "fils", "fille",
    "mari", "femme",
    "[ée]pou(?:x|se)", "p[eè]re", "m[eè]re", "fr[eè]re", "s(?:œ|oe)ur", "compagn(?:on|e)", "conjointe?", "enfant",
    "interlocut(?:eur|rice)",
    "pr[ée]nomm[ée]e?", "nomm[ée]e?", "d[ée]nomm[ée]e?", "certaine?",
))  # fmt: skip
_TITLED = rf"(?:(?i:la |le |l')(?P<title>(?i:{_ROLES}|ma[îi]re|pr[ée]f[eè]te?|ministre|consule?|pr[ée]sidente?)) )"
_SAID = "|".join((
    r"je m'appell?e", r"je me nomme", r"nom(?: de famille| de naissance| complet| d'usage)? ?(?::|est)",
    r"pr[ée]noms? ?(?::|est)",
    r"au nom de", r"s'appell?e", r"sign[ée] ?:", r"veuve", r"cdlt", r"cordialement", r"nom et pr[ée]noms? ?:?",
))  # fmt: skip
_CLOSING = "|".join((
    "cordialement", "cordiales salutations", "salutations(?: distingu[ée]es| les meilleures| respectueuses)?",
    "bien [àa] vous",
    "respectueusement", "merci d'avance", "merci(?: beaucoup| bien)?",
    "(?:bonne|belle) (?:journ[ée]e|soir[ée]e|continuation)",
    "sign[ée] ?:?", "sinc[èe]rement", "cdlt", "cdt", "[àa] bient[ôo]t", "amicalement",
))  # fmt: skip


# First names that are places or a service (« compte Amélie »): not masked when they are alone.
_ALSO_PLACES = frozenset(("amelie", "dominique", "florence", "maurice", "marguerite", "louis", "bernard"))


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
    return said or _known(word) or any(_known(part) for part in word.split("'")[1:] if len(part) > 2)


@cache
def _known(word: str) -> bool:
    """Tell a common word: the dictionary knows names too, whose lemma has a capital (« robert », « Robert »)."""
    small = word.lower()
    return simplemma.is_known(small, lang="fr") and simplemma.lemmatize(small, lang="fr")[:1].islower()


@cache
def _only_first_name(word: str) -> bool:
    """Tell a first name from a word or a place written as one: « Sandrine », not « Pierre » nor « Florence »."""
    plain = _plain(word)
    return plain in FIRST_NAMES - NOT_NAMES - _ALSO_PLACES and not _known(word) and not _known(plain)


def _has_capital(word: str, text: str) -> bool:
    return word[0].isupper() and not text.isupper()


def _is_acronym(word: str, text: str) -> bool:
    return word.isupper() and len(word) <= 6 and not text.isupper()


def _person_in(match: re.Match[str]) -> list[str]:
    """Return the words of what may be a name, the particles before it left out."""
    words = re.sub(rf"^{_PARTICLE}{{1,2}}(?=\w)", "", match["it"], flags=re.IGNORECASE).split(" ")
    return [word for word in words if word]


def _is_named(match: re.Match[str]) -> bool:
    """Tell a name from a word, after a civility: by its capital in a text that has small letters, else by lists."""
    words = _person_in(match)
    first, bare = words[0], match["it"] == " ".join(words)
    if len(first) <= 2 and first[0].isupper() and first[1:] in ("", "."):
        return bare and match.string[match.start("it") - 1] != "."  # not « M.A.E »
    if (_is_acronym(first, match.string) and match["it"][0].islower()) or _plain(first) in NOT_NAMES:
        return False  # « monsieur le RIB »
    if match["title"] or not bare or match[1] == "Me":  # « Mme la directrice Durand », « Mme de Villepin »
        return not _is_word(first) and (first[0].isupper() or not _known(first))
    start, _, rest = first.partition("'")
    if rest and (_plain(start) in NOT_NAMES or len(start) == 1):
        return rest[0].isupper() and not _is_word(rest)  # « Madame N'Guyen », not « Madame j'attends »
    if match[1].lower() in _ABBREVIATED:
        return True  # what follows « mme » or « mr » is a name, a word or not
    return _has_capital(first, match.string) or not _is_word(first)


def _is_said(match: re.Match[str]) -> bool:
    """Tell a name after words that announce one: it has a capital, or no dictionary knows it."""
    words = _person_in(match)
    first = words[0].split("'")[-1]
    if not first or _plain(first) in NOT_NAMES or any(_plain(word) in FAMOUS for word in words) or "l'" in match["it"]:
        return False
    if (_is_acronym(first, match.string) and len(first) < 4) or any(sign.isdigit() for sign in first):
        return False
    return not _is_word(first) and (first[0].isupper() or _plain(first) in FIRST_NAMES or len(first) > 3)


def _is_of_a_role(match: re.Match[str]) -> bool:
    """Tell the name of an agent or of kin: a capital, or a known name, as what follows a role is often mistyped."""
    first = _person_in(match)[0]
    known = _plain(first) in SURNAMES or _only_first_name(first)
    if _is_acronym(first, match.string) and not known:
        return False
    return _is_said(match) and (_has_capital(first, match.string) or known)


def _is_signature(match: re.Match[str]) -> bool:
    """Tell a name at the end of a text: all its words are names, or are written as names are and no word of it is."""
    words = [word for word in re.split(r"[ \n,.]+", match["it"]) if len(word) > 1]
    elided = re.search(r"\b(?:[cdjlmnst]|qu)'", match["it"], re.IGNORECASE)
    if not words or elided or len(words) > 4 or any(_plain(word) in NOT_NAMES for word in words):
        return False
    return any(not _is_word(word) for word in words) and sum(_is_word(word) for word in words) <= len(words) // 2


_PLACES_BEFORE = re.compile(
    r"(?:lyc[ée]e|coll[èe]ge|[ée]cole|rue|avenue|place|boulevard|h[ôo]pital|clinique|gare|quai|square|s(?:ain)?te?|"
    r"centre|cours|pont|r[ée]sidence|universit[ée]|aéroport|stade|mus[ée]e|rond-point|cit[ée]|all[ée]e|locale|villa|ville|"
    r"m[ée]tro|station|site|commune|port|[îi]le|saint|brigade|bois)[ -](?:d'|de |des )?$",
    re.IGNORECASE,
)


def _of_a_place(match: re.Match[str]) -> bool:
    start = match.start()
    return bool(_PLACES_BEFORE.search(match.string, max(0, start - 16), start))


def _is_full_name(match: re.Match[str]) -> bool:
    """Tell a first name and a surname, in either order, from a place that bears them."""
    first, last = match["first"], match["last"]
    if _of_a_place(match) or any(_plain(part) in FAMOUS for part in (*last.split(" "), first)):
        return False
    heads = [_plain(re.split("[ -]", word)[0]) for word in (first, last)]
    if heads[0] in FIRST_NAMES and _plain(last) not in NOT_NAMES:
        return heads[1] in SURNAMES or not _known(last)
    return heads[1] in FIRST_NAMES and not _is_word(first)


def _is_small_full_name(match: re.Match[str]) -> bool:
    """Tell a first name and a surname in small letters: neither is a word."""
    first, last = match["first"], match["last"]
    return _only_first_name(first) and not _of_a_place(match) and (_plain(last) in SURNAMES or not _is_word(last))


def _is_first_name(match: re.Match[str]) -> bool:
    """Tell a first name alone: one that is no word, or that has its capital inside a sentence."""
    name, parts = match["it"], match["it"].split("-")
    if any(_plain(part) not in FIRST_NAMES for part in parts) or _of_a_place(match):
        return False
    if match.string[match.end() : match.end() + 1] in ("-", "'"):
        return False
    if len(parts) > 1 or _only_first_name(name):
        return True
    before = match.string[max(0, match.start() - 14) : match.start()]
    inside = re.search(r"\b(?:merci [àa]|par|avec|merci|conseill[eè]re?) $", before)
    return bool(inside) and _has_capital(name, match.string) and _plain(name) not in NOT_NAMES | _ALSO_PLACES


def _any_case(names: frozenset[str]) -> str:
    """Return an expression that finds names however they are accented."""
    accents = {"a": "[aàâä]", "c": "[cç]", "e": "[eéèêë]", "i": "[iîï]", "o": "[oôö]", "u": "[uùûü]"}
    return "|".join("".join(accents.get(sign, sign) for sign in name) for name in sorted(names, key=len, reverse=True))


_FIRST = _any_case(FIRST_NAMES)
_FIRST_LIKELY = rf"(?i)(?:^|[^A-Za-z])(?:{_FIRST})(?:[^A-Za-z]|$)"  # Arrow knows no limit of a word beside an accent

PEOPLE: tuple[Rule, ...] = (
    Rule(
        "nom",
        likely=(
            r"(?i:\b(?:mr|mme|mmes|mlle|mm|mrs|monsieur|madame|mademoiselle|messieurs|dr|docteur|ma[îi]tre)[. :])"
            r"|\b(?:M|Me)[. :]|\bm\."
        ),
        pattern=re.compile(
            rf"(?<![\w'])({_CIVILITY})(?:\.? (?:et|ou|&) (?:{_CIVILITY}))?(?:\. ?| ?: ?| )"
            rf"(?i:veuve |n[ée]e )?{_TITLED}?"
            rf"(?P<it>(?!\d)\w(?:\.|(?=[ ,.]))|(?i:{_PARTICLE}){{0,2}}{_ONE}{_MORE})"
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
            "Mme : Durand",
            "M. et Mme Durand",
            "Mme la directrice Durand",
            "monsieur l'agent Durand",
            "Mme de Villepin",
            "Madame D'ORNANO",
            "Madame N'Guyen",
            "Madame Łukasz",
            "madame el khoury",
            "M. D., du guichet",
        ),
        kept=(
            "Madame, Monsieur,",
            "Madame la Directrice",
            "Monsieur le Préfet",
            "MADAME VOTRE SERVICE",
            "Bonjour Madame. Je",
            "une dame et un monsieur très gentil",
            "Monsieur Bonjour",
            "Mme la préfète est restée sourde",
            "M. le maire a répondu",
            "Me Trouvant sans emploi",
            "Monsieur de l'accueil",
            "une agente du M.A.E",
        ),
    ),
    Rule(
        "nom",
        likely=rf"(?i)\b(?:{_SAID}|je suis)\W",
        pattern=re.compile(
            rf"(?<![\w'-])(?i:{_SAID}|je suis(?= (?-i:[A-ZÀ-Þ]))),? ?(?P<it>(?i:{_PARTICLE}){{0,2}}{_ONE}"
            rf"(?: (?:{_PARTICLE})?{_ONE})?)"
        ),
        holds=_is_said,
        masked=(
            "je m'appelle Kervadec",
            "je m'appelle sandrine kervadec",
            "je suis Kervadec",
            "nom : Kervadec",
            "Nom: KERVADEC",
            "prénom : Yann",
        ),
        kept=("au nom de la loi", "je suis Française", "je m'appelle ainsi", "le nom est faux"),
    ),
    Rule(
        "nom",
        likely=rf"(?i)(?:{_ROLES}) ",
        pattern=re.compile(
            rf"(?<![\w-])(?i:{_ROLES}) (?P<it>(?!{_PARTICLE})(?:(?:Le|La|Da|Ben|El|Al|De) )?{_ONE}{_MORE})"
        ),
        holds=_is_of_a_role,
        masked=(
            "l'agent Kervadec m'a reçu",
            "ma conseillère Kervadec Sandrine",
            "mon fils Kylian",
            "une nommée Sandrine",
        ),
        kept=(
            "l'agent Caf",
            "mon conseiller Pôle emploi",
            "la responsable de Nîmes",
            "ma fille a",
            "agent acceuil",
            "les agents de la Msa",
            "l'agent URSSAF",
        ),
    ),
    Rule(
        "nom",
        likely=rf"(?i)(?:{_CLOSING})\W+(?:\S+\s*){{1,8}}$",
        pattern=re.compile(
            rf"(?<!\w)(?:{_CLOSING})[ ,.;:!\n-]+(?P<it>{_LETTER}[\w'.-]*(?:[ \n]+{_LETTER}[\w'.-]*){{0,3}})"
            r"(?:[ .!\n]*|[ ,\n]+\d{5} [^\n]{2,30})$",
            re.IGNORECASE,
        ),
        holds=_is_signature,
        masked=(
            "Cordialement, Camille Durand",
            "cordialement\nvandenbroucke",
            "Merci. Sophie",
            "Bien à vous,\nJ. Kervadec",
            "Cdlt Kervadec",
            "Belle journée, Kervadec",
            "Merci beaucoup. Kervadec",
            "Cordialement\nKervadec Yann\n06000 Nice",
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
        likely=_FIRST_LIKELY,
        pattern=re.compile(
            r"(?<![\w'-])(?P<first>(?=[^\W\d_])(?![a-zß-ÿ])[\w-]+(?: (?![a-zß-ÿ\d])[\w-]+)??) "
            r"(?P<last>(?![a-zß-ÿ\d_])[\w'-]{2,}(?: (?![a-zß-ÿ\d_])[\w'-]{2,})?)(?![\w-])"
        ),
        holds=_is_full_name,
        masked=("je remercie Camille Durand", "Jean-Pierre KERVADEC du guichet", "KERVADEC Sandrine"),
        kept=("le lycée Jean Moulin", "la rue Victor Hugo", "France Travail", "Pierre et Marie", "Paris Centre"),
    ),
    Rule(
        "nom",
        likely=_FIRST_LIKELY,
        pattern=re.compile(rf"(?<![\w'-])(?P<first>(?:{_FIRST})) (?P<last>{_LETTER}[\w'-]{{2,}})", re.IGNORECASE),
        holds=_is_small_full_name,
        masked=("sandrine kervadec au guichet",),
        kept=("sandrine au guichet", "sandrine est gentille", "saint denis la plaine"),
    ),
    Rule(
        "nom",
        likely=_FIRST_LIKELY,
        pattern=re.compile(rf"(?<![\w'-])(?P<it>{_LETTER}+(?:-{_LETTER}+)?)(?: [A-Z]\.)?(?!\w)"),
        holds=_is_first_name,
        masked=(
            "Sandrine du guichet 3",
            "Sandrine K. au guichet",
            "merci à Pierre",
            "sandrine m'a aidée",
            "Chloé et moi",
        ),
        kept=("une pierre", "à Saint-Denis", "la ville de Florence", "le lycée Camille", "la rose"),
    ),
)
