"""Whether what looks like a name is one: after a civility, a role or « je m'appelle », at the end, or alone.

The checks (``holds``) of ``masking_rules.yml``: each takes a match of its rule's pattern.
"""

from __future__ import annotations

import re
from functools import cache

import simplemma

from pipelines.mechanics.spelling import unaccented
from pipelines.voice.words import FAMOUS, FIRST_NAMES, NOT_NAMES, SURNAMES

PARTICLE = r"(?:d'|(?:de la|de|du|des|le|la|da|dos|di|del|van der|van den|van|von|ben|bel|el|al|abd) )"
_ABBREVIATED = frozenset(("mme", "mmes", "mlle", "mr", "mrs", "m", "mm", "dr"))
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
    words = re.sub(rf"^{PARTICLE}{{1,2}}(?=\w)", "", match["it"], flags=re.IGNORECASE).split(" ")
    return [word for word in words if word]


def is_named(match: re.Match[str]) -> bool:
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


def is_said(match: re.Match[str]) -> bool:
    """Tell a name after words that announce one: it has a capital, or no dictionary knows it."""
    words = _person_in(match)
    first = words[0].split("'")[-1]
    if not first or _plain(first) in NOT_NAMES or any(_plain(word) in FAMOUS for word in words) or "l'" in match["it"]:
        return False
    if (_is_acronym(first, match.string) and len(first) < 4) or any(sign.isdigit() for sign in first):
        return False
    return not _is_word(first) and (first[0].isupper() or _plain(first) in FIRST_NAMES or len(first) > 3)


def is_of_a_role(match: re.Match[str]) -> bool:
    """Tell the name of an agent or of kin: a capital, or a known name, as what follows a role is often mistyped."""
    first = _person_in(match)[0]
    known = _plain(first) in SURNAMES or _only_first_name(first)
    if _is_acronym(first, match.string) and not known:
        return False
    return is_said(match) and (_has_capital(first, match.string) or known)


def is_signature(match: re.Match[str]) -> bool:
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


def is_full_name(match: re.Match[str]) -> bool:
    """Tell a first name and a surname, in either order, from a place that bears them."""
    first, last = match["first"], match["last"]
    if _of_a_place(match) or any(_plain(part) in FAMOUS for part in (*last.split(" "), first)):
        return False
    heads = [_plain(re.split("[ -]", word)[0]) for word in (first, last)]
    if heads[0] in FIRST_NAMES and _plain(last) not in NOT_NAMES:
        return heads[1] in SURNAMES or not _known(last)
    return heads[1] in FIRST_NAMES and not _is_word(first)


def is_small_full_name(match: re.Match[str]) -> bool:
    """Tell a first name and a surname in small letters: neither is a word."""
    first, last = match["first"], match["last"]
    return _only_first_name(first) and not _of_a_place(match) and (_plain(last) in SURNAMES or not _is_word(last))


def is_first_name(match: re.Match[str]) -> bool:
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
