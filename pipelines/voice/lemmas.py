"""A text → one writing of it, and once it is masked its lemmas in order, links left out; a denial joins what it denies.

« Jamais rappelé » is « jamais_rappeler », « aucune réponse » « aucun_réponse », « ne répond pas » « pas_répondre ».
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

import simplemma

from pipelines.mechanics.spelling import INVISIBLE, unaccented
from pipelines.voice.words import CARRIERS, LINKS, MEANT

_SIGNS = str.maketrans({
    "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "\u00a0": " ", "\u202f": " ", "…": "...", "＠": "@",
})  # fmt: skip
_TAG = re.compile(r"<(?:br|/?p|/?div|/?span|/?li|/?ul)\b[^<>]{0,80}>", re.IGNORECASE)
_HIDDEN = re.compile(f"[{INVISIBLE}\u200d]")
_GLUED = re.compile(r"(?<=[a-zà-ÿ]{3}[.!?,;])(?=[A-ZÀ-Ý][a-zà-ÿ'])")
_SPACES = re.compile(r"[ \t\r\f\v]+")
_LINES = re.compile(r" ?\n[\n ]*")

NEGATIONS = ("pas", "plus", "jamais", "aucun", "sans", "rien", "personne", "guère")
_WITH_NE = ("plus", "personne")  # that deny only beside « ne »
_AFTER_ALONE = ("aucun", "sans")  # that deny what comes after them, whatever comes before
_REACH = 4  # words between a denial and what it denies
_TOKEN = re.compile(r"\[[a-z-]+\]|[a-zà-öø-ÿœæ]+(?:-[a-zà-öø-ÿœæ]+)*|[.!?;:\n]")
_ENDS = frozenset(".!?;:\n")
_NO_WORD = frozenset(".!?;:\n[")
FRENCH = 0.4  # of its words: real texts hold 0.5 at the least, those of other languages 0.3 at the most


def normalised(text: str) -> str:
    """Return a text in one writing; normalising twice changes nothing."""
    if "&" in text or "<" in text:
        text = _TAG.sub("\n", html.unescape(text))
    if not text.isascii():
        text = _HIDDEN.sub("", unicodedata.normalize("NFKC", text).translate(_SIGNS))
    return _LINES.sub("\n", _SPACES.sub(" ", _GLUED.sub(" ", text))).strip()


@cache
def lemma(word: str) -> str:
    """Return the lemma of a word in small letters."""
    known = MEANT.get(word) or (word if len(word) == 1 else None)
    return known or str(simplemma.lemmatize(word, lang="fr")).lower()


def is_french(text: str) -> bool:
    """Tell whether the words of a text are French ones for FRENCH of them at least; no word at all is no French."""
    words = [token for token in _TOKEN.findall(text.lower()) if token[0] not in _NO_WORD]
    return bool(words) and sum(map(_known, words)) >= FRENCH * len(words)


@cache
def _known(word: str) -> bool:
    return word in LINKS or word in MEANT or bool(simplemma.is_known(word, lang="fr"))


def lemmas(text: str) -> list[str]:
    """Return the lemmas of a text in order, links left out, each with its denial if it has one (``pas_répondre``)."""
    found: list[str] = []
    sentence: list[str] = []
    for token in _TOKEN.findall(text.lower()):
        if token in _ENDS:
            found += _denied(sentence)
            sentence = []
        elif token[0] != "[":
            sentence.append(lemma(token))
    return found + _denied(sentence)


def _denied(words: list[str]) -> list[str]:
    """Return the lemmas of a sentence, denials joined to what they deny."""
    marks: dict[int, str] = {}
    for place, word in enumerate(words):
        if word in NEGATIONS and (there := _what(words, place, word)) is not None:
            marks.setdefault(there, word)
    return [
        f"{marks[place]}_{word}" if place in marks else word
        for place, word in enumerate(words)
        if word not in LINKS and word not in NEGATIONS and len(word) > 1
    ]


def _what(words: list[str], place: int, word: str) -> int | None:
    """Return the place of what a denial denies: the verb before it, after « ne », else the first word that follows."""
    around = words[max(0, place - _REACH) : place]
    ne = "ne" in around or "n" in around
    if word in _WITH_NE and not ne and "ne" not in words[place : place + 2]:
        return None
    if ne and word not in _AFTER_ALONE:
        before = place - 1
        if words[before] not in LINKS and words[before] not in CARRIERS and words[before] not in NEGATIONS:
            return before
    after = range(place + 1, min(len(words), place + 1 + _REACH))
    plain = (one for one in after if words[one] not in LINKS and words[one] not in CARRIERS)
    return next((one for one in plain if words[one] not in NEGATIONS), None)


def as_written(words: list[str]) -> str:
    """Return lemmas as themes look into them: without accents, a space on each side of each."""
    return "".join(f" {unaccented(word)} " for word in words)
