"""The voices of one month: what each row says beside its text, and which texts are one voice.

What people typed (a service, an office, a place) is told in the one writing that is declared, or not at all.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.declarations.experiences import FEELINGS
from pipelines.mechanics.spelling import plain_form, unaccented
from pipelines.voice.lemmas import as_written, is_french, lemmas, normalised
from pipelines.voice.masking import mask_all
from pipelines.voice.near_duplicates import copied, grouped
from pipelines.voice.themes import expressions, told_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipelines.declarations import Catalogue
    from pipelines.declarations.experiences import Experiences, Typology
    from pipelines.declarations.references import Territory
    from pipelines.voice.near_duplicates import Bytes

VOICES = pa.schema([
    ("network", pa.string()), ("service", pa.string()), ("office", pa.string()), ("day", pa.date32()),
    ("department", pa.string()), ("feeling", pa.string()), ("channels", pa.list_(pa.string())),
    ("campaign", pa.bool_()), ("themes", pa.list_(pa.string())), ("terms", pa.list_(pa.string())),
    ("delay_days", pa.int32()), ("form", pa.string()), ("label", pa.string()), ("repeats", pa.int32()),
])  # fmt: skip
# _copies: the most texts of the voice in one day; _mark: by which those of the next month are compared with it; _again:
# it is one of the month before.
_PRIVATE = [("_copies", pa.int32()), ("_mark", pa.binary()), ("_again", pa.bool_())]
KEPT = pa.schema([*VOICES, *_PRIVATE])
FACTS = b"voices"  # what was counted in a month, in the metadata of its voices
MANY_COPIES = 20  # near-duplicates of one text in a day, from which they are a campaign
SHORT = 60  # letters: shorter texts are one voice only when they are the same, of one day
_FELT = re.compile(rf"\s*[:(-]\s*(?:{FEELINGS})\)?\s*$", re.IGNORECASE)  # after a channel, what was felt of it
_FEELINGS = ("positif", "neutre", "negatif")
_ARTICLE = re.compile("^(?:departement )?(?:(?:de|du|des|d) )?(?:(?:la|le|les|l) )?")
_SAINT = re.compile(r"\bst\b")
_ASIDE = re.compile(r"\([^)]*\)\s*$")  # « Gard (30) »
_LINKS = frozenset(("de", "du", "des", "d", "la", "le", "les", "l"))
# A label that isn't declared may be anything that someone typed, a name or a number too: it is shown nowhere.
LABEL = 40  # letters: what is longer is a text
UNREADABLE = "(intitulé masqué)"  # a text, a name or a number in the place of a label
OTHER = ("autre-service", "Autre service")  # network and service of all these labels


@cache
def _code() -> str:
    """Hash of the code of this room, and of the spelling of words that it is written with."""
    room = Path(__file__).parent
    files = [*room.glob("*.py"), *room.glob("*.yml"), room.parent / "mechanics" / "spelling.py"]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(files))).hexdigest()


@dataclass(frozen=True)
class Making:
    """What the voices of a month are made under."""

    source: Experiences
    services: Mapping[str, tuple[str, str]]
    departments: Mapping[str, str]
    channels: Mapping[str, str]
    themes: Mapping[str, str]
    words: frozenset[str]
    offices: Callable[[str, str], str | None]
    version: str

    @classmethod
    def of(cls, catalogue: Catalogue, name: str) -> Making:
        """Return what is declared for a source of experiences, and the hash of it all with the code (``version``)."""
        source = catalogue.experiences[name]
        services = _services(catalogue.typologies)
        departments = {
            form: place.code
            for place in catalogue.territories.territories
            if place.level == "departement"
            for form in (_place_form(place.name), place.code.lower(), plain_form(place.code))
        }
        themes, words = expressions(catalogue.themes), told_words(catalogue.themes)
        offices = _office_names(catalogue.typologies, catalogue.territories.territories)
        named = {typology.service: typology.offices for typology in catalogue.typologies.values()}
        declared = [source.columns.model_dump(mode="json"), source.channels, services, departments, themes, named]
        version = hashlib.sha256(json.dumps([declared, _code()], ensure_ascii=False).encode()).hexdigest()
        channels = {plain_form(channel): channel for channel in source.channels}
        return cls(source, services, departments, channels, themes, words, offices, version)

    def present(self, path: Path) -> list[str]:
        """Return the columns of a file of observations that are read."""
        names_there = set(pq.read_schema(path).names)
        return list(
            dict.fromkeys(name for names in self.source.columns.named.values() for name in names if name in names_there)
        )

    def voices(self, rows: pa.Table, form: str, marks_before: Callable[[str], Bytes] | None) -> pa.Table:
        """Return the voices of a month (columns KEPT), and in the metadata (FACTS) what was counted.

        ``marks_before``: those of the month before, by service. A text copied from it is no voice more, unless it is
        copied enough to be a campaign.
        """
        columns, lines = self.source.columns, rows.to_pylist()
        joined = ["\n".join(row[name] or "" for name in columns.texts if name in row) for row in lines]
        texts, masked = mask_all([normalised(text) for text in joined])
        unmapped: Counter[str] = Counter()
        facts = [self._facts(row, form, unmapped) for row in lines]
        voices = _one_voice_each(facts, texts, marks_before)
        french = [is_french(texts[voice.first]) for voice in voices]
        sequences = [
            lemmas(texts[voice.first]) if lines_of_voices else []
            for voice, lines_of_voices in zip(voices, french, strict=True)
        ]
        written = pa.array([as_written(words) for words in sequences], pa.large_string())
        themes = {
            name: pc.match_substring_regex(written, pattern).to_numpy(False) for name, pattern in self.themes.items()
        }
        lines_of_voices = [
            facts[voice.first]
            | {
                "themes": [theme for theme, there in themes.items() if there[place]],
                "terms": sorted(word for word in set(sequences[place]) if self._is_told(word)),
                "campaign": False,
                "repeats": voice.repeats,
                "_copies": voice.copies,
                "_mark": voice.mark,
                "_again": voice.again and voice.copies <= MANY_COPIES,
            }
            for place, voice in enumerate(voices)
        ]
        counted = {
            "texts": len(lines),
            "foreign": french.count(False),
            "masked": masked,
            "unmapped": _shown_labels(unmapped),
        }
        return pa.Table.from_pylist(
            lines_of_voices, KEPT.with_metadata({FACTS: json.dumps(counted, ensure_ascii=False)})
        )

    def _facts(self, row: Mapping[str, Any], form: str, unmapped: Counter[str]) -> dict[str, Any]:
        """Return what a row says beside its text."""
        columns = self.source.columns
        typed = _first(row, columns.services)
        label = plain_form(typed)
        network, service = self.services.get(label, OTHER)
        if label not in self.services:
            unmapped[typed] += 1
        written = row.get(columns.written) if columns.written else None
        day = row[columns.published]
        feeling = plain_form(_first(row, columns.feeling).rsplit("\t", 1)[-1])
        return {
            "network": network,
            "service": service,
            "day": day,
            "office": self.offices(service, _first(row, columns.offices)),
            "department": self._department(row),
            "feeling": feeling if feeling in _FEELINGS else "",
            "channels": self._channels(row),
            "form": form,
            "label": label if label in self.services else "",
            "delay_days": max(0, (day - written).days) if written else None,
        }

    def _is_told(self, lemma: str) -> bool:
        """Tell whether a lemma, alone or denied, is a word that may be published."""
        return unaccented(lemma.rpartition("_")[2]) in self.words

    def _department(self, row: Mapping[str, Any]) -> str | None:
        columns = self.source.columns
        if columns.department and (cell := (row.get(columns.department) or "").strip()):
            return self._named_department(cell)
        code = (row.get(columns.postcode) or "").strip() if columns.postcode else ""
        if len(code) < 5 or not code[:5].isdecimal():
            return None
        corsica = {"200": "2A", "201": "2A", "202": "2B", "206": "2B"}.get(code[:3])
        return self.departments.get(plain_form(corsica or code[: 3 if code.startswith(("97", "98")) else 2]))

    def _named_department(self, cell: str) -> str | None:
        """Return the département that a cell names: its name, its code, or both; of another number or name, none."""
        name = _place_form(_ASIDE.sub("", cell))
        if code_of_name := self.departments.get(name):
            return code_of_name
        code, _, rest = name.partition(" ")
        named = self.departments.get(_ARTICLE.sub("", rest))
        return named if named and named == self.departments.get(code) else None

    def _channels(self, row: Mapping[str, Any]) -> list[str]:
        cells = [row.get(name) or "" for name in self.source.columns.channels]
        words = [plain_form(_FELT.sub("", word)) for cell in cells for word in cell.split(",")]
        return list(dict.fromkeys(self.channels[word] for word in words if word in self.channels))


def _services(typologies: Mapping[str, Typology]) -> dict[str, tuple[str, str]]:
    return {
        plain_form(label): (typology.network or name, typology.service)
        for name, typology in typologies.items()
        for label in (*typology.labels, typology.service)
    }


def _shown_labels(labels: Counter[str]) -> Counter[str]:
    """Return labels that nobody declared as the data team may read them: what can't be a label is only counted."""
    shown: Counter[str] = Counter()
    written, _ = mask_all([normalised(label) for label in labels])
    for label, count in zip(written, labels.values(), strict=True):
        is_label = len(label) <= LABEL and not any(sign.isdecimal() or sign in "@[" for sign in label)
        shown[label if is_label else UNREADABLE] += count
    return shown


def _office_names(
    typologies: Mapping[str, Typology], territories: Iterable[Territory]
) -> Callable[[str, str], str | None]:
    """Return what gives, of a service and a label of an office, its name as it is published, None when none is.

    A name is declared, or is a declared label of the service and a territory. A label is typed: it may hold anything,
    a name and a telephone too. What isn't known is kept nowhere.
    """
    places = {form: place.name for place in territories for form in _territory_forms(place)}
    starts = {
        typology.service: {_form(label): label for label in (*typology.labels, typology.service)}
        for typology in typologies.values()
    }
    declared = {
        typology.service: {_form(label): label for label in typology.offices} for typology in typologies.values()
    }

    @cache
    def named(service: str, label: str) -> str | None:
        form, offices = _form(_ASIDE.sub("", label)), declared.get(service, {})
        if office := offices.get(_form(label)) or offices.get(form):
            return office
        for start, written in starts.get(service, {}).items():
            if form.startswith(f"{start} ") and (place := places.get(form.removeprefix(f"{start} "))):
                return f"{written} {place}"
        return None

    return named


def _territory_forms(place: Territory) -> tuple[str, ...]:
    """Return how a territory is written beside a label: its name, or its code if it is a département."""
    return (_form(place.name), place.code.lower()) if place.level == "departement" else (_form(place.name),)


def _form(label: str) -> str:
    """Return the words of a label, without case, accents, signs nor articles."""
    return " ".join(word for word in _words(label) if word not in _LINKS)


def _place_form(name: str) -> str:
    """Return the plain form of a place's name, its first article left out: « Département du Rhône », « St Denis »."""
    return _ARTICLE.sub("", _SAINT.sub("saint", " ".join(_words(name))))


def _words(text: str) -> list[str]:
    """Return the words of a plain form, hyphens, apostrophes and all other signs being spaces."""
    return "".join(sign if sign.isalnum() else " " for sign in plain_form(text)).split()


def _first(row: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((value.strip() for name in names if (value := row.get(name)) and value.strip()), "")


@dataclass(frozen=True)
class _Voice:
    """Texts that are one voice: the rank of the ``first``, how many they are, how many of one day at most.

    ``mark``: by which it is compared with texts of the next month, None for a short one; ``again``: whether one of its
    texts is near one of the month before.
    """

    first: int
    repeats: int
    copies: int
    mark: bytes | None
    again: bool


def _one_voice_each(
    facts: list[dict[str, Any]], texts: list[str], marks_before: Callable[[str], Bytes] | None
) -> list[_Voice]:
    """Group the texts of a month that are one voice: near one another, and of one service."""
    groups: dict[object, list[int]] = {}
    by_service: dict[str, list[int]] = {}
    marks: list[bytes | None] = [None] * len(facts)
    again = np.zeros(len(facts), dtype=np.bool_)
    long = np.array([len(text) >= SHORT for text in texts], dtype=np.bool_)
    for rank, fact in enumerate(facts):
        by_service.setdefault(fact["network"] + "\n" + fact["service"], []).append(rank)
    for service, ranks in by_service.items():
        firsts, signed = grouped([texts[rank] for rank in ranks])
        for rank, first, mark in zip(ranks, firsts.tolist(), signed, strict=True):
            groups.setdefault((service, first, None if long[rank] else facts[rank]["day"]), []).append(rank)
            marks[rank] = mark.tobytes() if long[rank] else None
        if marks_before:
            again[ranks] = long[ranks] & copied(signed, marks_before(service))
    voices = []
    for members in sorted(groups.values()):
        copies = max(Counter(facts[rank]["day"] for rank in members).values())
        voices.append(_Voice(members[0], len(members), copies, marks[members[0]], bool(again[members].any())))
    return voices
