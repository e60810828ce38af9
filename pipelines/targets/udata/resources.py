"""Which files of a release become which resources of a udata: key, title, description, type, in their order.

It takes the files that are there: a release without a journal has no resource for it. What a target accepts is weighed
in ``desired``. Forms that only a platform needs (one archive per release, one file per year of the main table) are made
again from the release at will, below a folder of their own, and never change what a release holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pyarrow import compute as pc

from pipelines.declarations import Catalogue
from pipelines.mechanics.files import stable_zip, write_whole
from pipelines.release import history, reuse
from pipelines.release.changelog import FEED
from pipelines.release.column_texts import canonical
from pipelines.release.history import ReleasedFile
from pipelines.release.table_parts import YEAR
from pipelines.release.table_writers import csv_bytes, read_csv
from pipelines.release.written_files import put
from pipelines.targets.udata.remote import ARCHIVE, RemoteResource

ResourceType = Literal["main", "documentation", "other"]

REUSE_KEY, FEED_KEY = LINKED = ("reutiliser", "flux-versions")  # documents that hold links of the target

YEARLY = "annee:"  # begins the key of one year of the main table

_READABLE, _LEVEL = 0o100644, 9  # rights and compression of the files of an archive
_CSV = "UTF-8, virgule, point décimal, dates AAAA-MM-JJ, cellule vide pour une valeur absente."


@dataclass(frozen=True)
class DesiredResource:
    """A file that the platform must hold, and what it must say of it.

    ``schema_of`` is the key of our resource whose permalink is the URL of its schema, ``fallback`` another extension
    for a target that does not accept the first. The rest is known once a target is: ``filename`` under which it is
    sent, ``size`` in bytes, ``sha1``, ``extras``. A document with links is at its path once written.
    """

    key: str
    path: Path
    title: str
    description: str
    type: ResourceType
    fallback: str | None = None
    schema_of: str | None = None
    filename: str = ""
    size: int = 0
    sha1: str = ""
    extras: Mapping[str, str] = field(default_factory=dict)

    @property
    def immutable(self) -> bool:
        """Whether the file never changes once sent: the archive of a release."""
        return self.key.startswith(ARCHIVE)

    def is_in(self, remote: RemoteResource) -> bool:
        """Whether a resource of the target holds these very bytes."""
        return (self.sha1, self.size) == (remote.sha1, remote.size)


# Files that are not tables: name, key, type, extension for a target that refuses theirs; in the order of the page.
_DOCUMENTS: tuple[tuple[str, str, ResourceType, str | None], ...] = (
    ("resultats.xlsx", "classeur", "main", None),
    ("resultats-format-historique.csv", "format-historique", "other", None),
    ("dictionnaire.csv", "dictionnaire", "documentation", None),
    ("journal.csv", "journal", "documentation", None),
    ("versions.csv", "versions", "documentation", None),
    ("CHANGELOG.md", "changements", "documentation", ".txt"),
    ("LISEZMOI.md", "lisezmoi", "documentation", ".txt"),
    ("datapackage.json", "datapackage", "documentation", None),
)


def latest_files(
    catalogue: Catalogue, release: Path, made: Path, documents: Path, untouched: Callable[[Path], bool]
) -> Iterator[DesiredResource]:
    """Yield the resources that always hold the latest release, in the order of the page.

    Yearly files are made below ``made``, unless they are there ``untouched``; documents with links will be below
    ``documents``, which is of one target.
    """
    dataset = catalogue.datasets[release.parent.name]
    main = _main_parts(release, dataset.main_table)
    yield from main[0]
    yield from _documents(release, "main")
    yield from _years(main[0], made, untouched)
    for part in main[1:]:
        yield from part
    for name in dataset.tables:
        if name != dataset.main_table:
            yield from (_placed(file, name, "other") for file in history.table_files(release, name, "csv"))
    yield from _documents(release, "other")
    yield from _linked(documents)
    yield from _documents(release, "documentation")
    titles = {name: catalogue.tables[name].title for name in catalogue.tables}
    if dataset.historical:
        titles[dataset.historical.name] = dataset.historical.title
    for path in sorted(release.glob("*.schema.json")):
        table = path.name.removesuffix(".schema.json")
        title = titles.get(table, table)
        yield DesiredResource(f"schema:{table}", path, f"Schéma : {title} (JSON)", reuse.SCHEMA, "documentation")


def _linked(folder: Path) -> Iterator[DesiredResource]:
    yield DesiredResource(
        REUSE_KEY,
        folder / reuse.REUSE,
        "Réutiliser : adresses stables et exemples de code",
        "Liens permanents de chaque fichier, code en Python, R et SQL, étapes dans Excel, limites, façon de citer, "
        "versions et leurs motifs, dictionnaire.",
        "documentation",
        ".txt",
    )
    yield DesiredResource(
        FEED_KEY,
        folder / FEED,
        "Flux des versions (Atom)",
        "À suivre dans un lecteur de flux pour être prévenu de chaque version : sa nature, son motif, son archive.",
        "documentation",
        ".xml",
    )


def archives(dataset: str, releases: list[Path], made: Path) -> Iterator[DesiredResource]:
    """Yield the archive of every release, newest first."""
    for release in reversed(releases):
        title = f"Version {release.name}, archive complète (ZIP)"
        description = (
            f"Tous les fichiers de la version {release.name}, avec leurs empreintes. Cette archive ne change jamais : "
            "la citer pour qu'un résultat puisse être retrouvé."
        )
        path = archive(dataset, release, made)
        yield DesiredResource(f"{ARCHIVE}{release.name}", path, title, description, "other")


def _main_parts(release: Path, table: str) -> list[list[DesiredResource]]:
    """Return the files of each part of the main table.

    The permalink of the table is that of its first part, and of each of its years: readers cite them.
    """
    parts = history.layout_of(release).get(table, {"parts": [table]})["parts"]
    files = [file for ending in ("csv", "parquet") for file in history.table_files(release, table, ending)]
    placed: list[list[DesiredResource]] = []
    for part in parts:
        placed.append([_placed(file, table, "main", first=part == parts[0]) for file in files if file.part == part])
    return placed


def _placed(file: ReleasedFile, table: str, kind: ResourceType, *, first: bool = False) -> DesiredResource:
    """Return the resource of a file of a table; ``first``: of the part by whose files the table is known."""
    ending = file.path.suffix.removeprefix(".")
    name = table if first and file.path.stem == file.part else file.path.stem
    key = f"{YEARLY}{file.year}" if first and file.year is not None and ending == "csv" else f"table:{name}:{ending}"
    if ending == "csv":
        text = f"{file.description.strip()} {_CSV}"
        return DesiredResource(key, file.path, f"{file.title} (CSV)", text, kind, schema_of=f"schema:{table}")
    return DesiredResource(key, file.path, f"{file.title} (Parquet)", reuse.PARQUET, kind)


def _documents(release: Path, wanted: ResourceType) -> Iterator[DesiredResource]:
    for name, key, kind, fallback in _DOCUMENTS:
        path = release / name
        if kind != wanted or not path.is_file():
            continue
        title, description = reuse.DOCUMENTS[name]
        if key == "format-historique":
            description = f"{description} {_CSV}"
        described = path.suffix == ".csv" and (release / f"{path.stem}.schema.json").is_file()
        yield DesiredResource(
            key, path, title, description, kind, fallback, f"schema:{path.stem}" if described else None
        )


def _years(main: list[DesiredResource], made: Path, untouched: Callable[[Path], bool]) -> Iterator[DesiredResource]:
    """Yield one file a year of the main table, latest first, unless the release divides it itself."""
    whole = next((resource for resource in main if resource.key.endswith(":csv")), None)
    if whole is None:
        return
    years, title = yearly_files(whole.path, made, untouched), whole.title.removesuffix(" (CSV)")
    for year in sorted(years, reverse=True):
        description = f"Les lignes de l'année {year} du fichier « {title} », mêmes colonnes. {_CSV}"
        yield replace(
            whole, key=f"{YEARLY}{year}", path=years[year], title=f"{title}, {year} (CSV)", description=description
        )


def archive(dataset: str, release: Path, folder: Path) -> Path:
    """Return the zip of a whole release, made when it is not there yet: fixed order, dates and rights.

    Its bytes are stable on one machine; another zlib may compress otherwise, so that it is the checksums inside the
    release that say whether an archive changed.
    """
    place = folder / release.name / f"{dataset}-{release.name}.zip"
    if place.is_file():
        return place
    members = ((f"{dataset}-{release.name}/{path.name}", path.read_bytes()) for path in sorted(release.iterdir()))
    write_whole(place, stable_zip(members, level=_LEVEL, mode=_READABLE))
    return place


def yearly_files(table: Path, folder: Path, untouched: Callable[[Path], bool]) -> dict[int, Path]:
    """Return one CSV per year of a table's column ``annee``, for readers too; none when it has no such column.

    Files made once are not made again if they and the table are ``untouched`` since.
    """
    home = folder / table.parent.name
    there = {int(path.stem.rpartition("-")[2]): path for path in sorted(home.glob(f"{table.stem}-[0-9]*.csv"))}
    if there and all(untouched(path) for path in (table, *there.values())):
        return there
    rows = read_csv(table)
    if YEAR not in rows.column_names:
        return {}
    files, years = {}, canonical(rows[YEAR])
    for year, text in sorted((int(text), text) for text in pc.unique(years).to_pylist() if text):
        files[year] = home / f"{table.stem}-{year}.csv"
        put(files[year], csv_bytes(rows.filter(pc.equal(years, text))))
    return files
