"""The voice of users, after the yearly results and apart from them: voices → tests month by month → tables → a release.

Each month is judged from what was known at its end, and kept with what it depends on: one month more costs its own
texts and its own tests. Everything is below ``work/voix``; nothing of it is read by the results of networks.
"""

import datetime
import hashlib
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.declarations import Catalogue
from pipelines.declarations.experiences import EXPORT
from pipelines.declarations.statuses import Status
from pipelines.flow.fingerprints import code_of, fingerprint
from pipelines.flow.published_indicators import office_results
from pipelines.flow.store import Store
from pipelines.flow.stored_files import is_whole, read_frame, table_in_parts, write_frame
from pipelines.flow.voice_facts import keep_texts_read
from pipelines.release import history
from pipelines.signal_tables.tables_of_signals import NOTHING, Findings
from pipelines.signals.detection import Detection, Options, detect
from pipelines.signals.indicator_signals import detect_in_indicators
from pipelines.voice.voices import AcceptedYear, read_voices

ROOM = "work/voix"
ZONE = "Europe/Paris"
HISTORY = 12  # months before the first that may be tested: each season was seen
RECENT = 12  # months tested of texts that were never treated here: half a second each; those tested stay tested
_TEXTS = "work/textes"  # what months of texts gave: private, as all of ``work``
_MONTHS, _DONE = "work/voix-mois.json", "work/voix-fait.json"
_INDICATORS = "work/voix-indicateurs.json"  # from what each month was tested in the published results
VOICES, _POWER = "voix.parquet", "puissance.parquet"
_ROWS = 20_000  # voices read together: those of other months are left where they are
_WAITING = "work/voix-en-attente.json"  # the month during which voices were left for its end
_WITH_POWER = " puissance"
_LOG = logging.getLogger(__name__)
_OF_A_MONTH = ("tests", "ledger", "checks")
_OF_INDICATORS = ("tests", "ledger")
_TESTING = ("signals", "compute/significance.py")
_READING = ("flow/published_indicators.py",)
_TELLING = ("signal_tables", "flow/voice.py", "flow/signal_release.py", *_READING)


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
        write_voices(folder / VOICES, voices)
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
    path = store.room(ROOM) / VOICES
    return _months(pq.read_table(path)) if path.is_file() else Months({})


def _months(voices: pa.Table) -> Months:
    """Chain a hash of each month after those of the months before: none is left out between the first and the last."""
    if not voices.num_rows:
        return Months({})
    month_of = pc.strftime(voices["day"], "%Y-%m")
    names = pd.period_range(pc.min(voices["day"]).as_py(), pc.max(voices["day"]).as_py(), freq="M")
    depends, before = {}, code_of(_TESTING)
    for name in map(str, names):
        before = fingerprint(before, _digest(voices.filter(pc.equal(month_of, name))))
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
        voices = room / VOICES
        for name in due:
            with store.writing(ROOM) as (folder,):
                with_power = _judge_month(voices, name, folder, last=name == months.last)
            kept = kept | {name: f"{months.depends[name]}{_WITH_POWER if with_power else ''}"}
            store.keep(_MONTHS, kept)  # what stops the next month takes away nothing of this one
    return sorted({*due, *_judge_indicators(catalogue, store, asked)})


def _judge_indicators(catalogue: Catalogue, store: Store, months: Sequence[str]) -> list[str]:
    """Test the months in the published results of offices that were not tested in these; return those tested."""
    release, kept = store.published_release(catalogue.on_site), _kept_indicators(store)
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


def findings_of(store: Store, months: Months) -> Findings:
    """Return what the months that are kept were found to hold."""
    path = store.room(ROOM) / _POWER
    power = read_frame(path) if path.is_file() else NOTHING.power
    tests, ledger, checks = (_joined(store, months, part) for part in _OF_A_MONTH)
    return Findings(tests, ledger, checks, power)


def _joined(store: Store, months: Months, part: str) -> pd.DataFrame:
    folder, kept = store.room(ROOM), _kept_months(store)
    tested = [name for name in months.judged(kept) if name in kept]
    files = [f"{name}-{part}.parquet" for name in tested]
    if part in _OF_INDICATORS:
        kept = _kept_indicators(store)
        files += [_of_indicators(name, part) for name in tested if name in kept]
    frames = [read_frame(folder / file) for file in files]
    nothing: pd.DataFrame = getattr(NOTHING, part)
    return pd.concat([frame for frame in frames if len(frame)] or [nothing], ignore_index=True)


def power_measured(store: Store, months: Months) -> bool:
    """Whether it could be measured what would be found in the last month."""
    return _kept_months(store).get(months.last, _WITH_POWER).endswith(_WITH_POWER)


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
        "textes": store.state(places),
        "declare": fingerprint(said),
        "code": code_of((*_TESTING, *_TELLING, "voice", "declarations", "release")),
        "resultats": results,
    }
