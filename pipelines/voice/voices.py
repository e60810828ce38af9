"""The table of voices: accepted texts of users, each counted once, with what is said of it and nothing of its words.

Made month by month: a month depends on its own rows, on what is declared and on the code of this room; what it gave is
kept, and found again when none of these changed. Campaigns alone are told over the months, from counts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.declarations.experiences import FEELINGS
from pipelines.mechanics.files import replacing
from pipelines.mechanics.spelling import plain_form, unaccented
from pipelines.voice.campaigns import MANY_COPIES, crowded_days
from pipelines.voice.lemmas import as_written, is_french, lemmas, normalised
from pipelines.voice.masking import mask_all
from pipelines.voice.near_duplicates import MARK, copied, grouped
from pipelines.voice.office_labels import OfficeLabels
from pipelines.voice.themes import expressions, told_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.declarations import Catalogue
    from pipelines.declarations.experiences import Experiences, Typology, VoiceColumns

VOICES = pa.schema([
    ("network", pa.string()), ("service", pa.string()), ("office", pa.string()), ("day", pa.date32()),
    ("department", pa.string()), ("feeling", pa.string()), ("channels", pa.list_(pa.string())),
    ("campaign", pa.bool_()), ("themes", pa.list_(pa.string())), ("terms", pa.list_(pa.string())),
    ("delay_days", pa.int32()), ("form", pa.string()), ("label", pa.string()), ("repeats", pa.int32()),
])  # fmt: skip
# _copies: the most texts of the voice in one day; _mark: by which those of the next month are compared with it; _again:
# it is one of the month before.
_PRIVATE = [("_copies", pa.int32()), ("_mark", pa.binary()), ("_again", pa.bool_())]
_KEPT = pa.schema([*VOICES, *_PRIVATE])
_READ = [name for name in _KEPT.names if name != "_mark"]
_FACTS = b"voices"
_BATCH = 20_000  # rows of a year that are sorted into months together
SHORT = 60  # letters: shorter texts are one voice only when they are the same, of one day
_FELT = re.compile(rf"\s*[:(-]\s*(?:{FEELINGS})\)?\s*$", re.IGNORECASE)  # after a channel, what was felt of it
_FEELINGS = ("positif", "neutre", "negatif")
_ARTICLE = re.compile("^(?:departement )?(?:(?:de|du|des|d) )?(?:(?:la|le|les|l) )?")
_SAINT = re.compile(r"\bst\b")
_ASIDE = re.compile(r"\([^)]*\)\s*$")  # « Gard (30) »
# A label that isn't declared may be anything that someone typed, a name or a number too: it is shown nowhere.
LABEL = 40  # letters: what is longer is a text
UNREADABLE = "(intitulé masqué)"  # a text, a name or a number in the place of a label
OTHER = ("autre-service", "Autre service")  # network and service of all these labels


@dataclass(frozen=True)
class AcceptedYear:
    """The accepted rows of a year: the Parquet of its observations, and the name of the columns that its file had."""

    path: Path
    form: str


@dataclass
class VoicesRead:
    """The voices, and what was counted on the way: texts, details masked by kind, labels of services not declared.

    ``unmapped``: private, as the texts are. ``foreign``: voices that aren't in French, or of no known language.
    ``months_made``: those that were not found as they had been kept.
    """

    table: pa.Table
    texts: int = 0
    foreign: int = 0
    masked: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    months_made: list[str] = field(default_factory=list)

    @property
    def coverage(self) -> float | None:
        """The share of voices in which a theme is found, campaigns apart; None without any voice."""
        voices = self.table.filter(pc.invert(self.table["campaign"]))
        lengths = pc.list_value_length(voices["themes"])
        return float(pc.mean(pc.greater(lengths, 0).cast(pa.int8())).as_py()) if voices.num_rows else None


def read_voices(catalogue: Catalogue, name: str, years: Iterable[AcceptedYear], kept: Path) -> VoicesRead:
    """Return the voices of a declared source of experiences; ``kept``: a private folder for what months gave."""
    making, kept = _Making.of(catalogue, name), kept / name
    parts: list[pa.Table] = []
    read = VoicesRead(_KEPT.empty_table())
    wanted: set[str] = set()
    before: _Month | None = None
    for year in years:
        for month, some in _by_month(year.path, making.present(year.path), making.source.columns):
            own = _digest(some, year.form, making.version)
            before = before if before and before.name == _month_before(month) else None
            file = kept / f"{month}-{_named(own, before)}.parquet"
            wanted.add(file.name)
            if not (part := _kept(file)):
                read.months_made.append(month)
                _write(file, making.voices(some, year.form, before))
                part = pq.read_table(file, columns=_READ)
            before = _Month(month, own, file)
            facts = json.loads(part.schema.metadata[_FACTS])
            read.texts += facts["texts"]
            read.foreign += facts["foreign"]
            read.masked.update(facts["masked"])
            read.unmapped.update(facts["unmapped"])
            parts.append(_of_no_other_month(part))
    _sweep(kept, wanted)
    read.table = _with_campaigns(pa.concat_tables(parts) if parts else _KEPT.empty_table())
    return read


@dataclass(frozen=True)
class _Month:
    """A month that was read: its ``name``, the hash of its own rows, and the file of what it gave."""

    name: str
    own: str
    file: Path

    def marks(self, service: str) -> Any:
        """Return the marks of the voices of a service, one row a voice; those of short texts have none."""
        found = self._by_service.get(service, [])
        return np.frombuffer(b"".join(found), np.uint8).reshape(len(found), MARK)

    @cached_property
    def _by_service(self) -> dict[str, list[bytes]]:
        held = pq.read_table(self.file, columns=["network", "service", "_mark"])
        found: dict[str, list[bytes]] = {}
        for network, service, mark in zip(*(column.to_pylist() for column in held.columns), strict=True):
            if mark is not None:
                found.setdefault(f"{network}\n{service}", []).append(mark)
        return found


def _month_before(month: str) -> str:
    return str(np.datetime64(month, "M") - 1)


def _named(own: str, before: _Month | None) -> str:
    """Hash what a month depends on: its own rows, and those of the month before, of which it holds no copy."""
    return hashlib.sha256(f"{own}\n{before.own if before else ''}".encode()).hexdigest()


def _sweep(kept: Path, wanted: set[str]) -> None:
    """Take away what months gave under other rows, declarations or code."""
    for path in kept.glob("*.parquet"):
        if path.name not in wanted:
            path.unlink(missing_ok=True)


def _by_month(file: Path, names: list[str], columns: VoiceColumns) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each month in one order: which copy stands for a voice doesn't depend on the file's.

    The texts of a year are held once, and those of a month no more once they are given.
    """
    parts: dict[str, list[pa.RecordBatch]] = {}
    for batch in pq.ParquetFile(file).iter_batches(_BATCH, columns=names):
        months = pc.strftime(batch[columns.published], "%Y-%m")
        for month in pc.unique(months).drop_null().to_pylist():
            parts.setdefault(month, []).append(batch.filter(pc.equal(months, month)))
    for month in sorted(parts):
        rows = pa.Table.from_batches(parts.pop(month))
        yield month, rows.sort_by([(columns.published, "ascending"), (columns.identifier, "ascending")])


def _digest(rows: pa.Table, form: str, version: str) -> str:
    """Hash what the rows of a month give by themselves."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows.combine_chunks())
    digest = hashlib.sha256(f"{version}\n{form}\n".encode())
    digest.update(sink.getvalue())
    return digest.hexdigest()


def _kept(file: Path) -> pa.Table | None:
    try:
        return pq.read_table(file, columns=_READ)
    except (OSError, pa.ArrowException):
        return None


def _write(file: Path, made: pa.Table) -> None:
    with replacing(file) as draft:
        pq.write_table(made, draft, compression="zstd")


@cache
def _code() -> str:
    """Hash of the code of this room, and of the spelling of words that it is written with."""
    room = Path(__file__).parent
    files = [*room.glob("*.py"), *room.glob("*.yml"), room.parent / "mechanics" / "spelling.py"]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(files))).hexdigest()


@dataclass(frozen=True)
class _Making:
    """What the voices of a month are made under."""

    source: Experiences
    services: Mapping[str, tuple[str, str]]
    departments: Mapping[str, str]
    channels: Mapping[str, str]
    themes: Mapping[str, str]
    words: frozenset[str]
    offices: OfficeLabels
    version: str

    @classmethod
    def of(cls, catalogue: Catalogue, name: str) -> _Making:
        source = catalogue.experiences[name]
        services = _services(catalogue.typologies)
        places = [place for place in catalogue.territories.territories if place.level == "departement"]
        departments = {
            form: place.code
            for place in places
            for form in (_place_form(place.name), place.code.lower(), plain_form(place.code))
        }
        themes, words = expressions(catalogue.themes), told_words(catalogue.themes)
        offices = OfficeLabels(catalogue.typologies, catalogue.territories.territories)
        named = {item.service: item.offices for item in catalogue.typologies.values()}
        declared = [source.columns.model_dump(mode="json"), source.channels, services, departments, themes, named]
        version = hashlib.sha256(json.dumps([declared, _code()], ensure_ascii=False).encode()).hexdigest()
        channels = {plain_form(channel): channel for channel in source.channels}
        return cls(source, services, departments, channels, themes, words, offices, version)

    def present(self, path: Path) -> list[str]:
        """Return the columns of a file of observations that are read."""
        held = set(pq.read_schema(path).names)
        return list(
            dict.fromkeys(name for names in self.source.columns.named.values() for name in names if name in held)
        )

    def voices(self, rows: pa.Table, form: str, before: _Month | None) -> pa.Table:
        """Return the voices of a month, and in the metadata what was counted.

        A text copied from one of the month ``before`` is no voice more, unless it is copied enough to be a campaign.
        """
        columns, lines = self.source.columns, rows.to_pylist()
        joined = ["\n".join(row[name] or "" for name in columns.texts if name in row) for row in lines]
        texts, masked = mask_all([normalised(text) for text in joined])
        unmapped: Counter[str] = Counter()
        facts = [self._facts(row, form, unmapped) for row in lines]
        made = _one_voice_each(facts, texts, before)
        french = [is_french(texts[rank]) for rank in made.firsts]
        sequences = [lemmas(texts[rank]) if told else [] for rank, told in zip(made.firsts, french, strict=True)]
        written = pa.array([as_written(words) for words in sequences], pa.large_string())
        found = {
            theme: pc.match_substring_regex(written, pattern).to_numpy(False) for theme, pattern in self.themes.items()
        }
        told = [
            facts[rank] | {
                "themes": [theme for theme, there in found.items() if there[place]],
                "terms": sorted(word for word in set(sequences[place]) if self._is_told(word)), "campaign": False,
                "repeats": made.repeats[place], "_copies": made.copies[place], "_mark": made.marks[place],
                "_again": made.again[place] and made.copies[place] <= MANY_COPIES,
            }
            for place, rank in enumerate(made.firsts)
        ]  # fmt: skip
        counted = {
            "texts": len(lines), "foreign": french.count(False), "masked": masked, "unmapped": _shown_labels(unmapped),
        }  # fmt: skip
        return pa.Table.from_pylist(told, _KEPT.with_metadata({_FACTS: json.dumps(counted, ensure_ascii=False)}))

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
            "network": network, "service": service, "day": day,
            "office": self.offices.named(service, _first(row, columns.offices)),
            "department": self._department(row), "feeling": feeling if feeling in _FEELINGS else "",
            "channels": self._channels(row), "form": form, "label": label if label in self.services else "",
            "delay_days": max(0, (day - written).days) if written else None,
        }  # fmt: skip

    def _is_told(self, lemma: str) -> bool:
        """Tell whether a lemma, alone or denied, is a word that may be published."""
        return unaccented(lemma.rpartition("_")[2]) in self.words

    def _department(self, row: Mapping[str, Any]) -> str | None:
        columns = self.source.columns
        if columns.department and (told := (row.get(columns.department) or "").strip()):
            return self._named_department(told)
        code = (row.get(columns.postcode) or "").strip() if columns.postcode else ""
        if len(code) < 5 or not code[:5].isdecimal():
            return None
        corsica = {"200": "2A", "201": "2A", "202": "2B", "206": "2B"}.get(code[:3])
        return self.departments.get(plain_form(corsica or code[: 3 if code.startswith(("97", "98")) else 2]))

    def _named_department(self, told: str) -> str | None:
        """Return the département that a cell names: its name, its code, or both; of another number or name, none."""
        name = _place_form(_ASIDE.sub("", told))
        if known := self.departments.get(name):
            return known
        code, _, rest = name.partition(" ")
        named = self.departments.get(_ARTICLE.sub("", rest))
        return named if named and named == self.departments.get(code) else None

    def _channels(self, row: Mapping[str, Any]) -> list[str]:
        cells = [row.get(name) or "" for name in self.source.columns.channels]
        words = [plain_form(_FELT.sub("", word)) for cell in cells for word in cell.split(",")]
        return list(dict.fromkeys(self.channels[word] for word in words if word in self.channels))


def _services(typologies: Mapping[str, Typology]) -> dict[str, tuple[str, str]]:
    return {
        plain_form(label): (item.network or name, item.service)
        for name, item in typologies.items()
        for label in (*item.labels, item.service)
    }


def _shown_labels(labels: Counter[str]) -> Counter[str]:
    """Return labels that nobody declared as the data team may read them: what can't be a label is only counted."""
    shown: Counter[str] = Counter()
    written, _ = mask_all([normalised(label) for label in labels])
    for label, count in zip(written, labels.values(), strict=True):
        is_label = len(label) <= LABEL and not any(sign.isdecimal() or sign in "@[" for sign in label)
        shown[label if is_label else UNREADABLE] += count
    return shown


def _place_form(name: str) -> str:
    """Return the plain form of a place's name, its first article left out: « Département du Rhône », « St Denis »."""
    return _ARTICLE.sub("", _SAINT.sub("saint", _words_alone(name)))


def _words_alone(name: str) -> str:
    """Return the plain form of a name, hyphens, apostrophes and all other signs being spaces."""
    return " ".join("".join(sign if sign.isalnum() else " " for sign in plain_form(name)).split())


def _first(row: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((value.strip() for name in names if (value := row.get(name)) and value.strip()), "")


@dataclass(frozen=True)
class _Voices:
    """Which texts stand for a voice, for how many, and how many of them came in one day at most.

    ``marks``: by which a voice is compared with texts of the next month, None for a short one; ``again``: whether one
    of its texts is near one of the month before.
    """

    firsts: list[int]
    repeats: list[int]
    copies: list[int]
    marks: list[bytes | None]
    again: list[bool]


def _one_voice_each(facts: list[dict[str, Any]], texts: list[str], before: _Month | None) -> _Voices:
    """Group the texts of a month that are one voice: near one another, and of one service."""
    groups: dict[object, list[int]] = {}
    by_service: dict[str, list[int]] = {}
    marks: list[bytes | None] = [None] * len(facts)
    again = np.zeros(len(facts), dtype=np.bool_)
    long = np.array([len(text) >= SHORT for text in texts], dtype=np.bool_)
    for rank, fact in enumerate(facts):
        by_service.setdefault(fact["network"] + "\n" + fact["service"], []).append(rank)
    for service, ranks in by_service.items():
        near = grouped([texts[rank] for rank in ranks])
        for rank, first, mark in zip(ranks, near.firsts.tolist(), near.marks, strict=True):
            groups.setdefault((service, first, None if long[rank] else facts[rank]["day"]), []).append(rank)
            marks[rank] = mark.tobytes() if long[rank] else None
        if before:
            again[ranks] = long[ranks] & copied(near.marks, before.marks(service))
    members = sorted(groups.values())
    copies = [max(Counter(facts[rank]["day"] for rank in group).values()) for group in members]
    firsts, repeats = [group[0] for group in members], [len(group) for group in members]
    return _Voices(
        firsts, repeats, copies, [marks[rank] for rank in firsts], [bool(again[one].any()) for one in members]
    )


def _of_no_other_month(part: pa.Table) -> pa.Table:
    """Return the voices of a month without those that are of the month before: here, the words of one month are copied.

    Over all months at once, twice their words would be held.
    """
    return part.filter(pc.invert(part["_again"])).replace_schema_metadata()


def _with_campaigns(voices: pa.Table) -> pa.Table:
    """Flag the voices of campaigns: of many copies in a day, or of a day on which their service is crowded."""
    flags = pc.greater(voices["_copies"], MANY_COPIES).to_numpy().copy()
    days = voices["day"].cast(pa.int32()).to_numpy().astype(np.int64)
    services = pc.binary_join_element_wise(voices["network"], voices["service"], "\n")
    for ranks in _ranks_by(services):
        told, counts = np.unique(days[ranks], return_counts=True)
        crowded = crowded_days(told, counts)
        flags[ranks] |= np.isin(days[ranks], list(crowded))
    place = voices.schema.get_field_index("campaign")
    return voices.set_column(place, "campaign", pa.array(flags)).select(VOICES.names)


def _ranks_by(values: pa.ChunkedArray) -> list[Any]:
    codes = pc.dictionary_encode(values).combine_chunks().indices.to_numpy() if len(values) else np.empty(0, np.int32)
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(order) else []
