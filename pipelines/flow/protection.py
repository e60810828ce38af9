"""What is hidden of each network and year, and what its figures tell: remembered by all that bears on them.

No link crosses two networks or years: a night hides and judges anew only those of which something changed. Nothing of
this is published: what is remembered holds secrets. What is damaged, or of something else, is made again.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.compute.network_year import RESULT_COLUMNS
from pipelines.declarations import Catalogue
from pipelines.disclosure.audit import AUDITED, SECRET_FIGURES, findings_of_year, secret_figures
from pipelines.disclosure.results_table import protected
from pipelines.disclosure.revised import KEPT_FROM, unless_few
from pipelines.flow.earlier_releases import accepted_changes, earlier_results
from pipelines.flow.fingerprints import COMPUTING, code_of, fingerprint
from pipelines.flow.state import KeptFrames
from pipelines.flow.store import Store
from pipelines.flow.stored_files import read_shaped, table_of_frame, write_record, write_table
from pipelines.mechanics.files import sha256
from pipelines.release.written_files import CHECKSUMS

_ROOM = "work/secret"
_READING = ("flow/protection.py",)
_CODE = (*COMPUTING, *_READING, "flow/earlier_releases.py")
Place = tuple[str, int]


class Protection:
    """Hides and judges, one network and year at a time, with what earlier releases told of it.

    ``room``: where they are remembered; ``dataset``: the one whose releases count, or all.
    """

    def __init__(self, catalogue: Catalogue, store: Store, room: Path, dataset: str | None = None) -> None:
        self._catalogue, self._store, self._room = catalogue, store, room
        self._earlier = earlier_results(catalogue, store.releases, dataset)
        self._declared = cache(catalogue.fingerprint)
        self._code = code_of(_CODE)
        self._told = self._told_of_years()

    @cached_property
    def _accepted(self) -> set[Place]:
        return accepted_changes(self._catalogue, self._store.releases)

    def hidden(self, network: str, year: int, file: Path, read: Callable[[], pd.DataFrame]) -> list[pd.DataFrame]:
        """Return the results of a network and year as they may be shown, and what they hide (``secret_figures``).

        ``file``: where they are as computed; ``read``: gives them, with ``reseau`` and ``annee``; it isn't called when
        what was hidden of them is remembered.
        """
        computed = sha256(file)
        expected, accepted = list(self._catalogue.expected(network, year)), (network, year) in self._accepted
        key = fingerprint("hidden", computed, expected, accepted, self._state(network, year))

        def made() -> list[pd.DataFrame]:
            results = read()
            if results.empty:
                return [results, results.reindex(columns=SECRET_FIGURES)]
            shown = protected(results, self._catalogue, self._earlier)
            shown = unless_few(shown, self._catalogue, self._earlier, self._accepted)
            return [shown, secret_figures(results, shown)]

        return remembered(self._room / network / str(year) / "cachees", key, made)

    def judge(self, rows: pd.DataFrame, secrets: pd.DataFrame) -> pd.DataFrame:
        """Return what the figures of a network and year tell (``findings_of_year``)."""
        network, year = str(rows["reseau"].iat[0]), int(str(rows["annee"].iat[0]))
        told = rows.reindex(columns=AUDITED)
        key = fingerprint("judged", content(told), content(secrets), self._state(network, year))

        def made() -> list[pd.DataFrame]:
            return [findings_of_year(told, secrets, self._catalogue, self._earlier)]

        return remembered(self._room / network / str(year) / "constats", key, made)[0]

    def tables(
        self, network: str, years: Sequence[int], made_of: object, made: Callable[[], Mapping[str, pa.Table]]
    ) -> dict[str, pa.Table]:
        """Return the tables of a network, made again when anything that bears on them changed.

        ``made_of``: what they depend on beside what is hidden and judged here of its years.
        """
        bearing = [[(network, year) in self._accepted, *self._state(network, year)] for year in years]
        return remembered_tables(self._room / network / "tables", fingerprint("tables", made_of, bearing), made)

    def _state(self, network: str, year: int) -> list[object]:
        """Return what changes with all but the figures: the declarations, the code, what earlier releases told."""
        return [network, year, self._declared(network), self._code, list(self._told.get((network, year), ()))]

    def _told_of_years(self) -> dict[Place, dict[str, None]]:
        """Return what each release told of each network and year, once, that of the latest last."""
        contents: dict[Place, dict[str, None]] = {}
        for release in self._earlier:
            for network, year, told in self._contents(release).itertuples(index=False, name=None):
                earlier = contents.setdefault((str(network), int(year)), {})
                earlier.pop(told, None)
                earlier[told] = None
        return contents

    def _contents(self, release: Sequence[Path]) -> pd.DataFrame:
        """Return ``reseau``, ``annee`` and what changes with their rows in a release, which is read only once."""
        folder = release[0].parent
        sums = sha256(folder / CHECKSUMS)
        place = self._room / "versions" / folder.parent.name / folder.name.replace(".", "-")
        known, wanted = pq.read_schema(release[0]).names, {*RESULT_COLUMNS, "motif_absence", KEPT_FROM}
        names = [name for name in known if name in wanted]
        key = fingerprint("release", sums, names, duckdb.__version__, code_of(_READING))
        return remembered(place, key, lambda: [_contents(release, names)])[0]


@contextmanager
def protecting(catalogue: Catalogue, store: Store, dataset: str | None = None) -> Iterator[Protection]:
    """Give what hides and judges; what it remembered is saved afterwards, also when it was stopped half-way."""
    with store.writing(_ROOM, even_cut_short=True) as (room,):
        yield Protection(catalogue, store, room, dataset)


def _contents(release: Sequence[Path], names: Sequence[str]) -> pd.DataFrame:
    """Return ``reseau``, ``annee`` and what changes with those columns of their rows, whatever their order."""
    hashed = f"hash({', '.join(names)})"
    with duckdb.connect() as connection:
        return connection.execute(
            f"SELECT reseau, annee, concat_ws(' ', count(*), bit_xor({hashed}), sum({hashed})) AS contenu "
            f"FROM read_parquet($files) GROUP BY reseau, annee ORDER BY reseau, annee",
            {"files": [str(file) for file in release]},
        ).df()


def remembered(place: Path, key: str, made: Callable[[], Sequence[pd.DataFrame]]) -> list[pd.DataFrame]:
    """Return the frames kept at ``place``: see ``remembered_tables``."""

    def tables() -> dict[str, pa.Table]:
        return {str(number): table_of_frame(frame) for number, frame in enumerate(made())}

    return [table.to_pandas() for table in remembered_tables(place, key, tables).values()]


def remembered_tables(place: Path, key: str, made: Callable[[], Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """Return the tables kept at ``place`` if they were made of ``key`` and are whole; else make them, and keep them.

    ``place``: a path without suffix. ``key`` must tell all that ``made`` depends on. What was just made is read back,
    so that it never differs from what is remembered.
    """
    record = read_shaped(place.with_suffix(".json"), KeptFrames)
    if (
        record is None
        or record != _record(key, record.digests)
        or any(_digest(place.with_name(name)) != digest for name, digest in record.digests.items())
    ):
        tables = {f"{place.name}-{name}.parquet": table for name, table in made().items()}
        for name, table in tables.items():
            write_table(place.with_name(name), table)
        record = _record(key, {name: _digest(place.with_name(name)) for name in tables})
        write_record(place.with_suffix(".json"), record)
    named = {name.removeprefix(f"{place.name}-").removesuffix(".parquet"): name for name in record.digests}
    return {short: pq.read_table(place.with_name(name)) for short, name in named.items()}


def _record(key: str, digests: dict[str, str]) -> KeptFrames:
    return KeptFrames(made_of=key, digests=digests, whole=fingerprint(key, digests))


def content(frame: pd.DataFrame) -> str:
    """Return what changes with the figures and texts of a frame, in their order, whatever holds them in memory."""
    table = table_of_frame(frame)
    types = pa.types
    numbers = [types.is_integer(field.type) or types.is_floating(field.type) for field in table.schema]
    digest = hashlib.sha256(fingerprint(table.column_names).encode())
    for column, number in zip(table.columns, numbers, strict=True):
        cells = column.cast(pa.float64() if number else pa.string())
        digest.update(pa.record_batch([cells.combine_chunks()], names=["c"]).serialize())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    try:
        return sha256(path)
    except FileNotFoundError:
        return ""
