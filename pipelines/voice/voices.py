"""The table of voices: accepted texts of users, each counted once, with what is said of it and nothing of its words.

Made month by month: a month depends on its own rows, on what is declared and on the code of this room; what it gave is
kept, and found again when none of these changed. Campaigns alone are told over the months, from counts.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, cached_property
from math import exp, lgamma, log, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.mechanics.files import replacing
from pipelines.voice.month_voices import FACTS, KEPT, MANY_COPIES, VOICES, Making
from pipelines.voice.near_duplicates import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from pipelines.declarations import Catalogue
    from pipelines.declarations.experiences import VoiceColumns
    from pipelines.voice.near_duplicates import Bytes

_READ = [name for name in KEPT.names if name != "_mark"]
_BATCH = 20_000  # rows of a year that are sorted into months together
# The voices of a day are Poisson, of a mean that varies as a lognormal law; far more than most such days is a campaign.
RARE = 0.001  # share of ordinary days above the limit
HISTORY = 180  # days looked at before the month
LEAST_HISTORY = 28
LEAST_VOICES = 20  # a day of fewer is no campaign, whatever the days before it


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


def read_voices(catalogue: Catalogue, name: str, years: Iterable[AcceptedYear], kept: Path) -> VoicesRead:
    """Return the voices of a declared source of experiences; ``kept``: a private folder for what months gave."""
    making, kept = Making.of(catalogue, name), kept / name
    parts: list[pa.Table] = []
    read = VoicesRead(KEPT.empty_table())
    wanted: set[str] = set()
    before: _Month | None = None
    for year in years:
        for month, some in _by_month(year.path, making.present(year.path), making.source.columns):
            own = _digest(some, year.form, making.version)
            before = before if before and before.name == str(np.datetime64(month, "M") - 1) else None
            file = kept / f"{month}-{_named(own, before)}.parquet"
            wanted.add(file.name)
            if not (part := _kept(file)):
                read.months_made.append(month)
                _write(file, making.voices(some, year.form, before.marks if before else None))
                part = pq.read_table(file, columns=_READ)
            before = _Month(month, own, file)
            facts = json.loads(part.schema.metadata[FACTS])
            read.texts += facts["texts"]
            read.foreign += facts["foreign"]
            read.masked.update(facts["masked"])
            read.unmapped.update(facts["unmapped"])
            parts.append(part.filter(pc.invert(part["_again"])).replace_schema_metadata())
    for path in kept.glob("*.parquet"):  # what months gave under other rows, declarations or code
        if path.name not in wanted:
            path.unlink(missing_ok=True)
    read.table = _with_campaigns(pa.concat_tables(parts) if parts else KEPT.empty_table())
    return read


@dataclass(frozen=True)
class _Month:
    """A month that was read: its ``name``, the hash of its own rows, and the file of what it gave."""

    name: str
    own: str
    file: Path

    def marks(self, service: str) -> Bytes:
        """Return the marks of the voices of a service, one row a voice; those of short texts have none."""
        marks = self._by_service.get(service, [])
        return np.frombuffer(b"".join(marks), np.uint8).reshape(len(marks), MARK)

    @cached_property
    def _by_service(self) -> dict[str, list[bytes]]:
        table = pq.read_table(self.file, columns=["network", "service", "_mark"])
        by_service: dict[str, list[bytes]] = {}
        for network, service, mark in zip(*(column.to_pylist() for column in table.columns), strict=True):
            if mark is not None:
                by_service.setdefault(f"{network}\n{service}", []).append(mark)
        return by_service


def _named(own: str, before: _Month | None) -> str:
    """Hash what a month depends on: its own rows, and those of the month before, of which it holds no copy."""
    return hashlib.sha256(f"{own}\n{before.own if before else ''}".encode()).hexdigest()


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


def _write(file: Path, voices: pa.Table) -> None:
    with replacing(file) as draft:
        pq.write_table(voices, draft, compression="zstd")


def _with_campaigns(voices: pa.Table) -> pa.Table:
    """Flag the voices of campaigns: of many copies in a day, or of a day on which their service is crowded."""
    flags = pc.greater(voices["_copies"], MANY_COPIES).to_numpy().copy()
    days = voices["day"].cast(pa.int32()).to_numpy().astype(np.int64)
    services = pc.binary_join_element_wise(voices["network"], voices["service"], "\n")
    codes = services.dictionary_encode().combine_chunks().indices.to_numpy() if len(services) else np.empty(0, np.int32)
    for code in np.unique(codes):
        of_service = codes == code
        written, counts = np.unique(days[of_service], return_counts=True)
        flags[of_service] |= np.isin(days[of_service], list(crowded_days(written, counts)))
    place = voices.schema.get_field_index("campaign")
    return voices.set_column(place, "campaign", pa.array(flags)).select(VOICES.names)


def crowded_days(days: NDArray[np.int64], counts: NDArray[np.int64]) -> set[int]:
    """Return the days (of the epoch) of a service that are crowded; ``counts``: voices of each of ``days``, in order.

    A day is judged on those before its month, without those that were crowded: an old month never changes. A service
    is judged once it has written LEAST_HISTORY days before the month.
    """
    crowded: set[int] = set()
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    for month in np.unique(months):
        start = month.astype("datetime64[D]").astype(np.int64)
        since = max(start - HISTORY, int(days[0]))
        if start - since < LEAST_HISTORY:
            continue
        past = (days >= since) & (days < start) & ~np.isin(days, list(crowded))
        limit = max(limit_of(counts[past], int(start - since)), LEAST_VOICES - 1)
        crowded |= set(days[(months == month) & (counts > limit)].tolist())
    return crowded


def limit_of(counts: NDArray[np.int64], length: int) -> int:
    """Return what all but one ordinary day in a thousand hold at most; ``counts``: those of the days that hold any."""
    mean = counts.sum() / length
    if mean == 0:
        return 0
    variance = float((counts**2).sum() / length - mean**2)
    spread = log(1 + max(0.0, variance - mean) / mean**2)
    return _quantile(round(log(mean) - spread / 2, 3), round(sqrt(spread), 3))


@cache
def _quantile(centre: float, spread: float) -> int:
    """Return the least count whose probability to be passed is under RARE, by Gauss-Hermite's integration."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    means = np.exp(centre + spread * nodes)
    shares = weights / weights.sum()
    passed, count = 1.0, 0
    while True:
        passed -= float(shares @ np.exp(count * np.log(means) - means - lgamma(count + 1)))
        if passed < RARE or count > 40 * exp(centre + 4 * spread) + 100:
            return count
        count += 1
