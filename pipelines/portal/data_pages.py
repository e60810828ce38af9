"""Pages about the data: files, how to reuse them, columns, versions and what each changed; the same for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pipelines.portal import addresses
from pipelines.portal.templates import File
from pipelines.release import history
from pipelines.release.changelog import atom, told_changes
from pipelines.release.reuse import DOCUMENTS, EXCEL_STEPS, LIMITS, citation, examples
from pipelines.release.written_files import CHECKSUMS, told_digests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipelines.portal.templates import Pages
    from pipelines.release.changelog import Version
    from pipelines.release.history import ReleasedPart

MAIN, FEED = "resultats", "nouveautes.atom"
VERSIONS_SHOWN = 20  # on the page of data, which has a weight to hold; all are in versions.json and versions.csv
LINES_SHOWN = 150  # of what a version changed, for the same reason
_PARTS = {"parquet": "Parquet", "csv": "CSV"}


@dataclass(frozen=True)
class HeldVersion:
    """A version as pages tell it: what is recorded of it, its files on the site, the version that went back on it."""

    told: Version
    files: tuple[dict[str, Any], ...]
    gone_back: str | None


class DataPages:
    """The pages about the data of one release; the files of every version are on the site already."""

    def __init__(self, pages: Pages, site: Path) -> None:
        self.pages, self.reading, self._site = pages, pages.reading, site

    def files(self) -> Iterator[File]:
        """Yield every page, the feed of versions and the list of versions for machines."""
        yield self._data()
        yield from self._tables()
        yield from self._versions()
        yield File(FEED, self._feed())
        yield File("versions.json", json.dumps(self._for_machines(), ensure_ascii=False, indent=1) + "\n")

    @cached_property
    def _held(self) -> list[HeldVersion]:
        """Every version, newest first."""
        versions, gone = self.reading.versions, dict[str, str]()
        names = [version.version for version in versions]
        for name in names:
            for earlier in self._gone_back_on(name, names):
                gone[earlier] = name
        return [
            HeldVersion(version, self._files(version.version), gone.get(version.version))
            for version in reversed(versions)
        ]

    @property
    def _latest(self) -> tuple[dict[str, Any], ...]:
        """The files of the version shown."""
        return next(version.files for version in self._held if version.told.version == self.reading.version)

    def _gone_back_on(self, version: str, names: list[str]) -> list[str]:
        """Return the versions that a version went back on: those between it and the one whose tables it took again."""
        folder = self._site / addresses.version_folder(version)
        to = (history.descriptor(folder).get("rollback") or {}).get("to") if folder.is_dir() else None
        return names[names.index(to) + 1 : names.index(version)] if to in names else []

    def _files(self, version: str) -> tuple[dict[str, Any], ...]:
        folder = self._site / addresses.version_folder(version)
        digests, titles = told_digests(folder), _titles(folder) if folder.is_dir() else {}
        return tuple(
            {
                "name": path.name,
                "title": _title(path.name, titles),
                "bytes": path.stat().st_size,
                "digest": digests.get(path.name, ""),
            }
            for path in sorted(folder.glob("*"))
        )

    @cached_property
    def _parts(self) -> list[ReleasedPart]:
        return history.released_parts(self.reading.folder)

    @cached_property
    def _columns(self) -> dict[str, list[dict[str, str]]]:
        return {table: list(rows) for table, rows in groupby(self.reading.dictionary, lambda row: row["table"])}

    def _cited(self, version: str) -> str:
        return citation(self.reading.producer, self.reading.title, version)

    def _data(self) -> File:
        reading, main = self.reading, next(part for part in self._parts if part.table == MAIN)
        file = (main.csv or [f"{MAIN}.csv"])[-1]  # a release without it is read all the same
        address = f"{self.pages.canonical('')}{addresses.LATEST}/{file}"
        tables = [
            {
                "name": part.name,
                "table": part.table,
                "text": part.description or part.title,
                "rows": part.rows,
                "columns": self._columns.get(part.table),
            }
            for part in self._parts
        ]
        return self.pages.file(
            "data.html",
            "donnees.html",
            "Données ouvertes",
            tables=tables,
            files=self._latest,
            paragraphs=str(reading.descriptor.get("description", "")).split("\n\n"),
            shown=reading.version,
            date=reading.date,
            contact=reading.contact,
            limits=LIMITS,
            citation=self._cited(reading.version),
            history=self._held[:VERSIONS_SHOWN],
            others=len(self._held[VERSIONS_SHOWN:]),
            excel=EXCEL_STEPS,
            words=reading.descriptor.get("keywords", []),
            main=main,
            examples=examples(main, address),
            description=f"Fichiers, versions, dictionnaire et licence : {reading.title}.",
            crumbs=[("Données", None)],
        )

    def _tables(self) -> Iterator[File]:
        for table, columns in self._columns.items():
            parts = [part for part in self._parts if part.table == table]
            yield self.pages.file(
                "table.html",
                addresses.page("donnees", table),
                f"Table {table} : ses colonnes",
                columns=columns,
                parts=parts,
                crumbs=[("Données", "donnees.html"), (table, None)],
            )

    def _versions(self) -> Iterator[File]:
        changes = told_changes(self.reading.folder)
        for version in self._held:
            lines = changes.get(version.told.version, [])
            blocks = groupby(lines[:LINES_SHOWN], lambda line: line.startswith("- "))
            yield self.pages.file(
                "version.html",
                addresses.version_page(version.told.version),
                f"Version {version.told.version} des données",
                held=version,
                blocks=[
                    (listed, [line.removeprefix("- ") for line in lines_of_block]) for listed, lines_of_block in blocks
                ],
                others=len(lines[LINES_SHOWN:]),
                citation=self._cited(version.told.version),
                folder=addresses.version_folder(version.told.version),
                latest=version.told.version == self.reading.version,
                crumbs=[("Données", "donnees.html"), (f"Version {version.told.version}", None)],
            )

    def _feed(self) -> str:
        return atom(
            self.reading.versions,
            self.reading.descriptor,
            address=self._link("donnees.html"),
            link=lambda version: self._link(addresses.version_page(version)),
            own=self._link(FEED),
        ).decode("utf-8")

    def _link(self, address: str) -> str:
        """Return the whole address where the site's own is known, else the address from the home."""
        return self.pages.canonical(address) or addresses.link(address, "")

    def _for_machines(self) -> dict[str, Any]:
        """Return the versions as data, newest first; addresses are relative to those of the site."""
        reading = self.reading
        return {
            "jeu": reading.dataset,
            "titre": reading.title,
            "licence": "etalab-2.0",
            "synthetique": reading.synthetic is not None,
            "derniere": reading.version,
            "fichiers": [
                {
                    "nom": file["name"],
                    "titre": file["title"],
                    "adresse": f"{addresses.LATEST}/{file['name']}",
                    "octets": file["bytes"],
                    "sha256": file["digest"] or None,
                }
                for file in self._latest
            ],
            "versions": [self._for_machine(version) for version in self._held],
        }

    def _for_machine(self, version: HeldVersion) -> dict[str, Any]:
        entry, folder = version.told, addresses.version_folder(version.told.version)
        return {
            "version": entry.version,
            "precedente": entry.previous,
            "nature": entry.kind,
            "motif": entry.reason,
            "lignes_ajoutees": entry.added,
            "lignes_retirees": entry.removed,
            "lignes_modifiees": entry.changed,
            "date_donnees": entry.data_date,
            "contenu": entry.content,
            "sha256": entry.sha256,
            "remplacee_par_retour": version.gone_back,
            "page": addresses.version_page(entry.version),
            "fichiers": [f"{folder}/{file['name']}" for file in version.files],
        }


def _titles(release: Path) -> dict[str, str]:
    """Return the title of each file of a table of a version, by its name without ending."""
    return {
        resource["name"]: str(resource.get("title", resource["name"]))
        for resource in history.descriptor(release)["resources"]
    }


def _title(name: str, titles: Mapping[str, str]) -> str:
    """Return what a file is, in a few words."""
    if name in DOCUMENTS:
        return DOCUMENTS[name][0]
    if name == CHECKSUMS:
        return "Empreintes des fichiers"
    stem, _, kind = name.partition(".")
    document, _ = DOCUMENTS.get(f"{stem}.csv", (stem, ""))
    title = titles.get(stem, document.removesuffix(" (CSV)"))
    return f"{title} ({_PARTS[kind]})" if kind in _PARTS else f"Schéma : {title} (JSON)"
