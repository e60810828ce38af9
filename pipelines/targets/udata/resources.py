"""Which files of a release become which resources of a udata: key, title, description, type, in their order.

It takes the files that are there: a release without a journal has no resource for it. What a target accepts is weighed
in ``desired``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pipelines.declarations import Catalogue, Dataset
from pipelines.release import feed, history, renditions, reuse
from pipelines.release.history import ReleasedFile
from pipelines.targets.udata.remote import ARCHIVE

ResourceType = Literal["main", "documentation", "other"]

REUSE_KEY, FEED_KEY = LINKED = ("reutiliser", "flux-versions")  # documents that hold links of the target

YEARLY = "annee:"  # begins the key of one year of the main table

_CSV = "UTF-8, virgule, point décimal, dates AAAA-MM-JJ, cellule vide pour une valeur absente."


@dataclass(frozen=True)
class Placed:
    """A file and what a platform says of it; ``filename`` is the name that it is sent under.

    ``fallback`` is another extension, for a target that does not accept the first. A document with links of the target
    is not there yet: it is written at its path by ``documents``.
    """

    key: str
    path: Path
    title: str
    description: str
    type: ResourceType
    fallback: str | None = None
    table: str | None = None

    @property
    def filename(self) -> str:
        """Name that the file is sent under, as udata writes names: it must be known again when it is read back."""
        return self.path.name.lower().replace("_", "-")

    @property
    def immutable(self) -> bool:
        """Whether the file never changes once sent: the archive of a release."""
        return self.key.startswith(ARCHIVE)


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
) -> Iterator[Placed]:
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
    for path in sorted(release.glob("*.schema.json")):
        table = path.name.removesuffix(".schema.json")
        title = _schema_title(catalogue, dataset, table)
        yield Placed(f"schema:{table}", path, f"Schéma : {title} (JSON)", reuse.SCHEMA, "documentation")


def _linked(folder: Path) -> Iterator[Placed]:
    yield Placed(
        REUSE_KEY, folder / reuse.REUSE, "Réutiliser : adresses stables et exemples de code",
        "Liens permanents de chaque fichier, code en Python, R et SQL, étapes dans Excel, limites, façon de citer, "
        "versions et leurs motifs, dictionnaire.",
        "documentation", ".txt",
    )  # fmt: skip
    yield Placed(
        FEED_KEY, folder / feed.FEED, "Flux des versions (Atom)",
        "À suivre dans un lecteur de flux pour être prévenu de chaque version : sa nature, son motif, son archive.",
        "documentation", ".xml",
    )  # fmt: skip


def archives(dataset: str, releases: list[Path], made: Path) -> Iterator[Placed]:
    """Yield the archive of every release, newest first."""
    for release in reversed(releases):
        title = f"Version {release.name}, archive complète (ZIP)"
        description = (
            f"Tous les fichiers de la version {release.name}, avec leurs empreintes. Cette archive ne change jamais : "
            "la citer pour qu'un résultat puisse être retrouvé."
        )
        path = renditions.archive(dataset, release, made)
        yield Placed(f"{ARCHIVE}{release.name}", path, title, description, "other")


def _schema_title(catalogue: Catalogue, dataset: Dataset, table: str) -> str:
    if dataset.historical and table == dataset.historical.name:
        return dataset.historical.title
    return catalogue.tables[table].title if table in catalogue.tables else table


def _main_parts(release: Path, table: str) -> list[list[Placed]]:
    """Return the files of each part of the main table.

    The permalink of the table is that of its first part, and of each of its years: readers cite them.
    """
    parts = history.layout_of(release).get(table, {"parts": [table]})["parts"]
    files = [file for ending in ("csv", "parquet") for file in history.table_files(release, table, ending)]
    found = [[_placed(file, table, "main") for file in files if file.part == part] for part in parts]
    first = [replace(item, key=item.key.replace(f":{parts[0]}:", f":{table}:")) for item in found[0]]
    years = [file.year for file in files if file.part == parts[0]]
    return [[_of_year(item, year) for item, year in zip(first, years, strict=True)], *found[1:]]


def _of_year(item: Placed, year: int | None) -> Placed:
    return replace(item, key=f"{YEARLY}{year}") if year is not None and item.path.suffix == ".csv" else item


def _placed(file: ReleasedFile, table: str, kind: ResourceType) -> Placed:
    ending = file.path.suffix.removeprefix(".")
    key = f"table:{file.path.stem}:{ending}"
    if ending == "csv":
        text = f"{file.description.strip()} {_CSV}"
        return Placed(key, file.path, f"{file.title} (CSV)", text, kind, table=table)
    return Placed(key, file.path, f"{file.title} (Parquet)", reuse.PARQUET, kind)


def _documents(release: Path, wanted: ResourceType) -> Iterator[Placed]:
    for name, key, kind, fallback in _DOCUMENTS:
        if kind == wanted and (path := release / name).is_file():
            title, description = reuse.DOCUMENTS[name]
            if key == "format-historique":
                description = f"{description} {_CSV}"
            table = path.stem if (release / f"{path.stem}.schema.json").is_file() and path.suffix == ".csv" else None
            yield Placed(key, path, title, description, kind, fallback, table)


def _years(main: list[Placed], made: Path, untouched: Callable[[Path], bool]) -> Iterator[Placed]:
    """Yield one file a year of the main table, latest first, unless the release divides it itself."""
    whole = next((item for item in main if item.key.endswith(":csv")), None)
    if whole is None:
        return
    found, title = renditions.yearly_files(whole.path, made, untouched), whole.title.removesuffix(" (CSV)")
    for year in sorted(found, reverse=True):
        description = f"Les lignes de l'année {year} du fichier « {title} », mêmes colonnes. {_CSV}"
        yield Placed(f"{YEARLY}{year}", found[year], f"{title}, {year} (CSV)", description, "main", table=whole.table)
