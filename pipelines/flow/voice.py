"""The voice of users, after the yearly results and apart from them: voices → tests month by month → tables → a release.

Each month is judged from what was known at its end, and kept with what it depends on: one month more costs its own
texts and its own tests. Everything is below ``work/voix``; nothing of it is read by the results of networks.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.declarations.experiences import EXPORT
from pipelines.declarations.statuses import Status
from pipelines.flow.fingerprints import code_of, fingerprint
from pipelines.flow.gather import declared_table
from pipelines.flow.published_indicators import office_names, office_results, published_results, yearly_indicators
from pipelines.flow.release import StoredTable
from pipelines.flow.signals_made import SignalsMade, keep_signals_made, signals_made
from pipelines.flow.signals_that_fit import lines_that_fit
from pipelines.flow.stored_files import is_whole, read_frame, table_in_parts, write_frame, write_table
from pipelines.flow.texts_read import keep_texts_read
from pipelines.mechanics import french
from pipelines.mechanics.french import month_in_words
from pipelines.portal.open_release import synthetic_statement
from pipelines.release import history
from pipelines.release.release_folder import make_release
from pipelines.signal_tables.episodes import CONFIRMED, TO_CONFIRM
from pipelines.signal_tables.revised_cards import REVISED, Released
from pipelines.signal_tables.shown_voices import PUBLISHED
from pipelines.signal_tables.signal_cards import Words
from pipelines.signal_tables.tables_of_signals import NOTHING, SIGNAL_TABLES, Findings, signal_tables
from pipelines.signals.detection import Options, detect
from pipelines.signals.indicator_signals import detect_in_indicators
from pipelines.voice.voices import AcceptedYear, read_voices

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipelines.declarations import Catalogue
    from pipelines.declarations.references import SignalNote
    from pipelines.flow.store import Store
    from pipelines.release.inputs import Inputs
    from pipelines.release.release_folder import Release
    from pipelines.signals.detection import Detection

ROOM = "work/voix"
ZONE = "Europe/Paris"
HISTORY = 12  # months before the first that may be tested: each season was seen
RECENT = 12  # months tested of texts that were never treated here: half a second each; those tested stay tested
_TEXTS = "work/textes"  # what months of texts gave: private, as all of ``work``
_MONTHS, _DONE = "work/voix-mois.json", "work/voix-fait.json"
_INDICATORS = "work/voix-indicateurs.json"  # from what each month was tested in the published results
_VOICES, _POWER = "voix.parquet", "puissance.parquet"
_ROWS = 20_000  # voices read together: those of other months are left where they are
_WAITING = "work/voix-en-attente.json"  # the month during which voices were left for its end
_WITH_POWER = " puissance"
_LOG = logging.getLogger(__name__)
_OF_A_MONTH = ("tests", "ledger", "checks")
_OF_INDICATORS = ("tests", "ledger")
_TESTING = ("signals", "compute/significance.py")
_READING = ("flow/published_indicators.py",)
_TELLING = ("signal_tables", "flow/voice.py", *_READING)


@dataclass(frozen=True)
class Months:
    """The months of the voices that are kept, each with what its tests depend on: its own voices and those before."""

    depends: dict[str, str]

    def judged(self, kept: Collection[str]) -> list[str]:
        """Return the months to test, in order: the last ones, and those that were tested before (``kept``)."""
        names = sorted(self.depends)
        return [name for name in names[HISTORY:] if name in kept or name in names[-RECENT:]]

    @property
    def last(self) -> str:
        """The latest month, empty when there is no voice."""
        return max(self.depends, default="")


def note_voices(catalogue: Catalogue, store: Store) -> Months:
    """Bring the table of voices to what was received and judged; return the months that it holds."""
    gathered, month = gather_voices(catalogue, store), _this_month()
    voices = past_voices(gathered, month)
    with store.writing(ROOM) as (folder,):
        write_voices(folder / _VOICES, voices)
    store.keep(_WAITING, month if len(voices) < len(gathered) else "")
    return _months(voices)


def write_voices(path: Path, voices: pa.Table) -> None:
    """Write the table of voices so that a month can be read of it without the years before."""
    with table_in_parts(path, voices.schema) as file:
        file.write_table(voices, row_group_size=_ROWS)


def past_voices(voices: pa.Table, month: str) -> pa.Table:
    """Return the voices of the months before ``month`` (« 2026-11 »), which isn't over: its counts would still grow.

    Told day after day, they would be subtracted from one another: of one day, few voices are left.
    """
    end = pa.scalar(_first_day(month), pa.date32())
    months = ((batch, pc.less(batch["day"], end)) for batch in voices.to_batches())
    parts = [batch if pc.all(past).as_py() else batch.filter(past) for batch, past in months]  # copies the last alone
    return pa.Table.from_batches(parts, voices.schema)


def _this_month() -> str:
    """Return the month of the clock, in the zone of the partitions."""
    return f"{datetime.datetime.now(ZoneInfo(ZONE)):%Y-%m}"


def gather_voices(catalogue: Catalogue, store: Store) -> pa.Table:
    """Return every voice of the texts that were accepted; what their months gave is kept, in a private folder."""
    with store.writing(_TEXTS) as (folder,):
        read = [
            read_voices(catalogue, name, _accepted(catalogue, store, name), folder / name)
            for name in catalogue.experiences
        ]
    keep_texts_read(store, read)
    return pa.concat_tables(one.table for one in read)


def _accepted(catalogue: Catalogue, store: Store, name: str) -> Iterator[AcceptedYear]:
    source = catalogue.experiences[name]
    for known in store.read_all((name, year) for year in catalogue.networks[name].years):
        if known.of_export(EXPORT).status == Status.ACCEPTED:
            path = store.observations(name, known.year) / f"{EXPORT}.parquet"
            yield AcceptedYear(path, source.vintage(known.year))


def known_months(store: Store) -> Months:
    """Return the months of the voices that are kept."""
    path = store.room(ROOM) / _VOICES
    return _months(pq.read_table(path)) if path.is_file() else Months({})


def _months(voices: pa.Table) -> Months:
    """Chain a hash of each month after those of the months before: none is left out between the first and the last."""
    if not voices.num_rows:
        return Months({})
    held = pc.strftime(voices["day"], "%Y-%m")
    names = pd.period_range(pc.min(voices["day"]).as_py(), pc.max(voices["day"]).as_py(), freq="M")
    depends, before = {}, code_of(_TESTING)
    for name in map(str, names):
        before = fingerprint(before, _digest(voices.filter(pc.equal(held, name))))
        depends[name] = before
    return Months(depends)


def _digest(voices: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, voices.schema) as writer:
        writer.write_table(voices.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def judge_months(catalogue: Catalogue, store: Store, chosen: Sequence[str] | None = None) -> list[str]:
    """Test the chosen months (all by default) that aren't kept as they would be made now; return those tested.

    The published results of offices are tested beside the voices, and kept apart: another release tests them alone.
    Only of the last month is it measured what could be found, which costs the most.
    """
    months, kept, room = known_months(store), _kept_months(store), store.room(ROOM)
    asked = [name for name in months.judged(kept) if chosen is None or name in chosen]
    due = [name for name in asked if not _is_kept(months, name, kept.get(name, ""), room)]
    if due:
        voices = room / _VOICES
        for name in due:
            with store.writing(ROOM) as (folder,):
                with_power = _judge_month(voices, name, folder, last=name == months.last)
            kept = kept | {name: f"{months.depends[name]}{_WITH_POWER if with_power else ''}"}
            store.keep(_MONTHS, kept)  # what stops the next month takes away nothing of this one
    return sorted({*due, *_judge_indicators(catalogue, store, asked)})


def _judge_indicators(catalogue: Catalogue, store: Store, months: Sequence[str]) -> list[str]:
    """Test the months in the published results of offices that were not tested in these; return those tested."""
    release, kept = published_results(catalogue, store), _kept_indicators(store)
    if release is None:
        return []
    directions = {name: item.direction for name, item in catalogue.indicators.items()}
    depends = fingerprint(history.release_hash(release), directions, code_of((*_TESTING, *_READING)))
    files = {name: [store.room(ROOM) / _of_indicators(name, part) for part in _OF_INDICATORS] for name in months}
    due = [name for name in months if kept.get(name) != depends or not all(map(is_whole, files[name]))]
    if due:
        results = office_results(release)
        for name in due:
            found = detect_in_indicators(results, _first_day(name), directions)
            with store.writing(ROOM) as (folder,):
                for part in _OF_INDICATORS:
                    write_frame(folder / _of_indicators(name, part), getattr(found, part))
            kept = kept | {name: depends}
            store.keep(_INDICATORS, kept)
    return due


def _of_indicators(month: str, part: str) -> str:
    return f"{month}-indicateurs-{part}.parquet"


def _kept_indicators(store: Store) -> dict[str, str]:
    return store.load(_INDICATORS, dict[str, str]) or {}


def _judge_month(voices: Path, name: str, folder: Path, *, last: bool) -> bool:
    """Test a month and write what was found; say whether it was measured, of the last, what could be found."""
    found, measured = _detected(voices, _first_day(name), power=last)
    for part in _OF_A_MONTH:
        write_frame(folder / f"{name}-{part}.parquet", getattr(found, part))
    if last:
        write_frame(folder / _POWER, found.power)
    return last and measured


def _detected(voices: Path, month: datetime.date, *, power: bool) -> tuple[Detection, bool]:
    """Return what is found in a month, and whether power was measured where it was asked for.

    A failure of power is logged, and stops neither tests nor signals: power says what they could have found.
    """
    try:
        return detect(voices, month, Options(power=power)), power
    except Exception:
        if not power:
            raise
        found = detect(voices, month, Options(power=False))  # raises again where tests are the cause
        _LOG.exception("Voix des usagers : ce qui pourrait être vu n'a pas pu être mesuré.")
        return found, False


def _is_kept(months: Months, name: str, kept: str, folder: Path) -> bool:
    """Whether a month was tested as it would be now, and all that was found is still there to read."""
    files = [f"{name}-{part}.parquet" for part in _OF_A_MONTH] + [_POWER] * (name == months.last)
    as_now = kept.startswith(months.depends[name]) and (name != months.last or kept.endswith(_WITH_POWER))
    return as_now and all(is_whole(folder / file) for file in files)


def _kept_months(store: Store) -> dict[str, str]:
    return store.load(_MONTHS, dict[str, str]) or {}


def _first_day(month: str) -> datetime.date:
    return datetime.date.fromisoformat(f"{month}-01")


def make_signal_tables(catalogue: Catalogue, store: Store) -> SignalsMade | None:
    """Make the published tables from the months that are kept, and keep them; None when there is no voice.

    A line that could not be published is left out and told: the others don't wait for it. Raises DamagedReleaseError
    when the release before can't be read.
    """
    months = known_months(store)
    if not months.depends:
        return None
    try:
        found = _findings(store, months)
    except (OSError, pa.ArrowException):  # a file of a month that was not asked for was damaged since
        judge_months(catalogue, store)
        found = _findings(store, months)
    notes = [note for held in catalogue.signal_notes.values() for note in held]
    synthetic = _synthetic(catalogue, store)
    before = _released(catalogue, store, synthetic)
    voices, words = pq.read_table(store.room(ROOM) / _VOICES), _words(catalogue, store, found.tests, notes)
    made = signal_tables(voices, found, words, before)
    tables = {name: declared_table(name, catalogue.tables[name], made[name]) for name in SIGNAL_TABLES}
    tables, left = lines_that_fit(tables, catalogue.tables)
    with store.writing(ROOM) as (folder,):
        for name, table in tables.items():
            write_table(folder / f"{name}.parquet", table)
    made["signaux"] = made["signaux"][~made["signaux"].get("signal", pd.Series(dtype="str")).isin(left)]
    return _note_made(store, made, months, synthetic, left)


def _findings(store: Store, months: Months) -> Findings:
    path = store.room(ROOM) / _POWER
    power = read_frame(path) if path.is_file() else NOTHING.power
    tests, ledger, checks = (_joined(store, months, part) for part in _OF_A_MONTH)
    return Findings(tests, ledger, checks, power)


def _released(catalogue: Catalogue, store: Store, synthetic: str | None) -> Released | None:
    """Return what the latest release of signals told; None before there is any, or when it was of invented texts alone.

    Raises DamagedReleaseError when it can't be read.
    """
    versions = history.versions(store.releases, catalogue.signals) if catalogue.signals else []
    if not (catalogue.signals and versions):
        return None
    release = store.release(catalogue.signals, versions[-1])
    if bool(history.descriptor(release).get("synthetic")) != bool(synthetic):
        return None
    cards, curves = (history.whole_table(release, name).to_pandas() for name in ("signaux", "courbes_signaux"))
    return Released(release.name, cards, curves)


def _joined(store: Store, months: Months, part: str) -> pd.DataFrame:
    folder, kept = store.room(ROOM), _kept_months(store)
    held_months = [name for name in months.judged(kept) if name in kept]
    files = [f"{name}-{part}.parquet" for name in held_months]
    if part in _OF_INDICATORS:
        tested = _kept_indicators(store)
        files += [_of_indicators(name, part) for name in held_months if name in tested]
    frames = [read_frame(folder / file) for file in files]
    held: pd.DataFrame = getattr(NOTHING, part)
    return pd.concat([frame for frame in frames if len(frame)] or [held], ignore_index=True)


def _note_made(
    store: Store, made: dict[str, pd.DataFrame], months: Months, synthetic: str | None, left: Sequence[str]
) -> SignalsMade:
    cards, tests = made["signaux"].to_dict("records"), made["tests_signaux"]
    last = tests[tests["mois"] == months.last]
    told = SignalsMade(
        dict(Counter(str(card["etat"]) for card in cards)),
        int(last["tests"].sum()), float(last["fausses_attendues"].sum()), months.last,
        tuple(
            {"signal": card["signal"], "titre": card["titre"], "etat": card["etat"], "chiffres": _figures(card)}
            for card in cards if card["etat"] in (TO_CONFIRM, CONFIRMED, REVISED)
        ),
        tuple(str(card["signal"]) for card in cards),
        synthetic, _kept_months(store).get(months.last, _WITH_POWER).endswith(_WITH_POWER), tuple(left),
    )  # fmt: skip
    keep_signals_made(store, told)
    return told


def _figures(card: Mapping[Any, Any]) -> str:
    if card["etat"] == REVISED:
        return str(card["revision"])
    if card["statut"] != PUBLISHED:
        return "nombre de voix secret"
    month = month_in_words(card["mois"])
    if pd.isna(card["attendu"]):
        return f"environ {card['voix']:.0f} voix en {month}" if pd.notna(card["voix"]) else f"vu en {month}"
    observed, expected = (french.decimal(card[name], 1) for name in ("observe", "attendu"))
    about, word = ("environ ", "attendue") if card["unite"] == "voix" else ("", "attendu")
    told = french.plural(int(round(card["attendu"], 1)), word)
    return f"{about}{observed} {card['unite']} en {month}, {expected} {told}"


def _words(catalogue: Catalogue, store: Store, tests: pd.DataFrame, notes: Sequence[SignalNote]) -> Words:
    release, indicators = published_results(catalogue, store), catalogue.indicators
    seen = tests[tests["signal"].astype(bool) & (tests["indicator"] != "")]
    return Words(
        themes={name: theme.label for family in catalogue.themes.values() for name, theme in family.themes.items()},
        titles={name: item.title for name, item in indicators.items()},
        indicators=yearly_indicators(release) if release else {},
        notes=notes,
        units={name: item.unit for name, item in indicators.items()},
        networks={name: network.title for name, network in catalogue.networks.items()},
        offices=office_names(release, set(seen["office"])) if release else {},
    )


def release_signals(catalogue: Catalogue, store: Store, inputs: Inputs) -> Release | None:
    """Make a release of the tables of signals if they changed; None before there is any voice to tell.

    Raises what ``make_release`` does.
    """
    dataset, folder = catalogue.signals, store.room(ROOM)
    if dataset is None or signals_made(store) is None:
        return None
    tables = {name: StoredTable(folder / f"{name}.parquet") for name in catalogue.datasets[dataset].tables}
    with store.releasing(dataset) as releases:
        return make_release(dataset, catalogue, tables, releases, synthetic=_synthetic(catalogue, store), inputs=inputs)


def _synthetic(catalogue: Catalogue, store: Store) -> str | None:
    """Return the warning that texts, or the results that were tested, came with when they are invented."""
    places = [(name, year) for name in catalogue.experiences for year in catalogue.networks[name].years]
    told = (known.reception.synthetic for known in store.read_all(places) if known.reception)
    results = published_results(catalogue, store)
    return next(filter(None, told), synthetic_statement(history.descriptor(results)) if results else None)


def signals_due(catalogue: Catalogue, store: Store) -> bool:
    """Say whether anything that signals are made of changed since the last time they were made whole."""
    if not (catalogue.signals and catalogue.experiences):
        return False
    depends = _depends(catalogue, store)
    waiting = store.load(_WAITING, str) or _this_month()
    return bool(depends["textes"]) and (store.load(_DONE, dict[str, Any]) != depends or waiting < _this_month())


def note_done(catalogue: Catalogue, store: Store) -> None:
    """Keep from what signals were made and published."""
    store.keep(_DONE, _depends(catalogue, store))


def _depends(catalogue: Catalogue, store: Store) -> dict[str, Any]:
    """Return what signals are made from: texts received and judged, declarations, code, published results."""
    declared = catalogue.of_signals
    places = [(name, year) for name in catalogue.experiences for year in catalogue.networks[name].years]
    said = [
        *(item.model_dump(mode="json") for group in (declared.datasets, declared.tables) for item in group.values()),
        *(
            item.model_dump(mode="json")
            for group in (catalogue.themes, catalogue.typologies)
            for item in group.values()
        ),
        *(note.model_dump(mode="json") for held in catalogue.signal_notes.values() for note in held),
    ]
    results = store.published(catalogue.on_site).get("version") if catalogue.on_site else None
    return {
        "textes": store.state(places), "declare": fingerprint(said),
        "code": code_of((*_TESTING, *_TELLING, "voice", "declarations", "release")), "resultats": results,
    }  # fmt: skip
