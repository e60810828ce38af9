"""Proof that releases are what they were: files, content, chain, journal from one to the next, and files received.

Whether they can be made again from the archive is proved by whoever can run the pipeline, and compared here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import parquet
from python_calamine import CalamineError, CalamineWorkbook

from pipelines.mechanics.files import sha256
from pipelines.release import history
from pipelines.release.changelog import CHANGELOG, VERSIONS_FILE
from pipelines.release.column_texts import BATCH, canonical
from pipelines.release.difference import TableState, content_hash, release_difference
from pipelines.release.history import ReleasedFile
from pipelines.release.inputs import inputs_of
from pipelines.release.integrity import checksum_findings
from pipelines.release.journal import misled
from pipelines.release.refusals import DamagedReleaseError
from pipelines.release.written_files import CHECKSUMS

# A library may write these otherwise; what they hold is compared with what the release made again holds.
PARQUET, WORKBOOK = ".parquet", ".xlsx"
RENDERED = (PARQUET, WORKBOOK)
_OF_TODAY = ("renditions", "inputs")  # say with which libraries and code a release was made
_LOST = {"absent": "manque dans l'archive", "altéré": "n'est plus dans l'archive tel que reçu"}


def release_proof(releases: Path, dataset: str, version: str) -> list[str]:
    """Return what is wrong in a release by itself: checksums, hash of content, renditions, replay of its journal."""
    release = releases / dataset / version
    if wrong := checksum_findings(release):
        return [f"{dataset} {version}, {finding}" for finding in wrong]
    try:
        findings, states, descriptor = _facts(release), history.states(release), history.descriptor(release)
        synthetic, layout = bool(descriptor.get("synthetic")), history.layout_of(release)
        if descriptor.get("contentHash") not in (None, content_hash(states, synthetic=synthetic, layout=layout)):
            findings.append("l'empreinte du contenu (contentHash) n'est pas celle des tables")
        findings += [*_parquet(release, states), *_journal(release, states)]
    except DamagedReleaseError as error:
        findings = [str(error)]
    return [f"{dataset} {version} : {finding}" for finding in findings]


def archive_findings(
    releases: Path, dataset: str, versions: Iterable[str], fault: Callable[[str], str | None]
) -> list[str]:
    """Return which files that releases were made of the archive no longer holds as they were received.

    ``fault`` says of a content (sha256) « absent », « altéré » or None; each is asked about once, whatever the number
    of releases made of it.
    """
    fault_of, findings = cache(fault), list[str]()
    for version in versions:
        try:
            made_of = _made_of(releases / dataset / version)
        except DamagedReleaseError as error:
            findings.append(f"{dataset} {version} : {error}")
            continue
        for content, (what, whose) in made_of.items():
            if lost := fault_of(content):
                told = f"{what} {_LOST[lost]}{whose} : voir docs/une-archive-abimee.md"
                findings.append(f"{dataset} {version} : impossible à refaire, {told}")
    return findings


def _made_of(release: Path) -> dict[str, tuple[str, str]]:
    """Return what a release was made of, and whose it is, by the sha256 under which it is archived."""
    inputs = inputs_of(history.descriptor(release))
    if inputs is None:
        return {}
    contents = {inputs.archive: ("le paquet de ses déclarations", "")} if inputs.archive else {}
    for reception in inputs.receptions:
        whose = f" ({reception.network}, {reception.year})"
        contents |= {file.sha256: (file.path, whose) for file in reception.files}
    return contents


def rebuilt_findings(release: Path, rebuilt: Path) -> list[str]:
    """Return where a release made again differs from what was published, and nothing when it proves it.

    Tables, journal, versions, changelog, dictionary, schemas and texts must have the same bytes; Parquet and XLSX,
    which a library may write otherwise, the same cells; the descriptor the same texts.
    """
    if history.content_of(release) != history.content_of(rebuilt):
        old, new = history.states(release), history.states(rebuilt)
        differ = [name for name in old if name not in new or not old[name].data.equals(new[name].data)]
        tables = [f"table {name} : refaite, elle diffère" for name in differ]
        return [*tables, "le contenu recalculé n'est pas celui qui a été publié"]
    kept = {path.name for path in release.iterdir() if not path.name.endswith((*RENDERED, history.DESCRIPTOR))}
    names = sorted({*kept, VERSIONS_FILE, CHANGELOG, history.JOURNAL_FILE} - {CHECKSUMS})
    findings = [f"{name} : refait, il diffère" for name in names if not _same(release / name, rebuilt / name)]
    for name in rendered_otherwise(release, rebuilt):
        if not _same_cells(release / name, rebuilt / name):
            findings.append(f"{name} : refait, il ne contient pas les mêmes cellules")
    return findings + _descriptors_that_differ(history.descriptor(release), history.descriptor(rebuilt))


def rendered_otherwise(release: Path, rebuilt: Path) -> list[str]:
    """Return the files whose bytes alone may differ: the same tables, written by other versions of libraries."""
    names = sorted(path.name for path in release.iterdir() if path.name.endswith(RENDERED))
    return [name for name in names if not _same(release / name, rebuilt / name)]


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def _same_cells(one: Path, other: Path) -> bool:
    missing = object()
    try:
        return all(a == b for a, b in itertools.zip_longest(_cells(one), _cells(other), fillvalue=missing))
    except (OSError, pa.ArrowException, CalamineError):
        return False


def _cells(path: Path) -> Iterator[Any]:
    """Yield the columns of a Parquet and its rows, or the sheets of a workbook and their rows."""
    if path.suffix == PARQUET:
        table = parquet.read_table(path)
        yield table.schema.names
        for batch in table.to_batches():
            yield from batch.to_pylist()
        return
    with CalamineWorkbook.from_path(path) as book:
        yield book.sheet_names
        for name in book.sheet_names:
            yield from book.get_sheet_by_name(name).iter_rows()


def _descriptors_that_differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    names = {name for name in old.keys() | new.keys() if name not in _OF_TODAY and old.get(name) != new.get(name)}
    before, after = (
        [(reception.network, reception.year, reception.files) for reception in inputs.receptions] if inputs else None
        for inputs in (inputs_of(old), inputs_of(new))
    )
    if before is not None and after is not None and before != after:
        names.add("inputs")
    return [f"{history.DESCRIPTOR} : refait, il diffère ({', '.join(sorted(names))})"] if names else []


def _facts(release: Path) -> list[str]:
    """Compare the files with what the descriptor says of them; releases made before it did say nothing."""
    descriptor = history.descriptor(release)
    findings = []
    for file in (*descriptor["resources"], *descriptor.get("renditions", ())):
        path = release / file["path"]
        if not path.is_file():
            findings.append(f"{path.name} : n'est plus là, {history.DESCRIPTOR} le décrit")
        elif "hash" in file and file["hash"] != f"sha256:{sha256(path)}":
            findings.append(f"{path.name} : n'est pas le fichier que décrit {history.DESCRIPTOR}")
    return findings


def _parquet(release: Path, states: Mapping[str, TableState]) -> list[str]:
    """Read every Parquet back: it must tell what the CSV of its table does."""
    findings = []
    for name, state in states.items():
        files = history.table_files(release, name, "parquet")
        names = ", ".join(file.path.name for file in files)
        texts = ", ".join(file.path.name for file in history.table_files(release, name, "csv"))
        try:
            if files and not _tells(release, name, files, state):
                findings.append(f"{names} : ne dit pas la même chose que {texts}")
        except (OSError, pa.ArrowException):
            findings.append(f"{names} : illisible, ce n'est plus un fichier Parquet")
    return findings


def _tells(release: Path, table: str, files: Sequence[ReleasedFile], state: TableState) -> bool:
    """Whether the Parquet of a table holds the rows of its CSV; numbers are compared as such, however written."""
    schemas = [parquet.read_schema(file.path).names for file in files]
    count = sum(parquet.read_metadata(file.path).num_rows for file in files)
    if any(names != list(state.types) for names in schemas) or count != state.count:
        return False
    start = 0
    for batch in _batches(release, table, files):
        piece = state.data.slice(start, batch.num_rows)
        start += batch.num_rows
        for index, kind in enumerate(state.types.values()):
            texts, values = canonical(piece.column(index)), pa.chunked_array([batch.column(index)])
            if not (_numbers(texts).equals(values) if kind == "number" else texts.equals(canonical(values))):
                return False
    return True


def _batches(release: Path, table: str, files: Sequence[ReleasedFile]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table in the order of its key: as they are read, when one file holds them."""
    if len(files) > 1:
        yield from history.whole_table(release, table).to_batches(BATCH)
        return
    with parquet.ParquetFile(files[0].path) as file:
        yield from file.iter_batches(BATCH)


def _numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as numbers; what is none is like no value that a Parquet could hold."""
    filled = pc.if_else(pc.equal(texts, ""), None, texts)
    try:
        return pc.cast(filled, pa.float64())
    except pa.ArrowException:
        return texts


def _journal(release: Path, new: Mapping[str, TableState]) -> list[str]:
    """Replay the journal from the release before: it must give the tables of this one."""
    link = history.descriptor(release).get("previous")
    if link is None or not (release.parent / link["version"]).is_dir():
        return []
    old = history.states(release.parent / link["version"])
    wrong = misled(release_difference(old, new), old, new, history.journal(release))
    told = f"journal : appliqué à la version {link['version']}, il ne donne pas la table"
    return [f"{told} {name}" for name in wrong]
