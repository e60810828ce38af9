"""A release made again from the archive, elsewhere: the same files, declarations and earlier releases, same stages."""

import contextlib
import os
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

from pipelines.declarations import Catalogue, DeclarationError, load
from pipelines.declarations.loading import unbundle
from pipelines.flow.compute import compute_and_write
from pipelines.flow.exports_folder import MARKER, synthetic_statement
from pipelines.flow.gather import ColumnsError, StaleError, make_tables
from pipelines.flow.judge import judge_received
from pipelines.flow.receive import receive
from pipelines.flow.release import audited, release_dataset, release_inputs
from pipelines.flow.revisions import settle, writing_store
from pipelines.flow.store import Store
from pipelines.read import Archive, ExportsRoot
from pipelines.release import history
from pipelines.release.inputs import Inputs, Reception, inputs_of
from pipelines.release.refusals import ReleaseError
from pipelines.release.release_folder import Release


class ReplayError(Exception):
    """The release can't be made again; says why, in French."""


@dataclass
class _Root:
    """Receptions that can share an exports root: no path with two contents, one statement on synthetic data."""

    synthetic: str | None
    files: dict[str, str] = field(default_factory=dict)
    places: list[tuple[str, int]] = field(default_factory=list)

    def takes(self, reception: Reception) -> bool:
        same = all(self.files.get(file.path, file.sha256) == file.sha256 for file in reception.files)
        return same and self.synthetic == reception.synthetic

    def add(self, reception: Reception) -> None:
        self.files |= {file.path: file.sha256 for file in reception.files}
        self.places.append((reception.network, reception.year))


def replay(store: Store, dataset: str, version: str, folder: Path) -> Path:
    """Make a release again below ``folder`` and return its folder; raises ReplayError when that can't be done."""
    release = store.releases / dataset / version
    inputs = inputs_of(history.descriptor(release))
    if inputs is None:
        raise ReplayError("elle ne dit pas de quels fichiers elle vient")
    schemas = folder / "schemas"
    catalogue = _catalogue(store, inputs, schemas)
    output = folder / "output"
    again = Store(output)
    _copy_earlier(store, dataset, version, output / "releases")
    for number, root in enumerate(_roots(inputs.receptions)):
        exports = folder / f"exports-{number}"
        _lay_out(store.archive, root, exports)
        for network, year in root.places:
            # What failed then fails again: its reason is in the tables.
            with contextlib.suppress(Exception):
                run_network_year(catalogue, network, year, again, ExportsRoot(str(exports)), datetime.now(UTC))
    in_use = folder / "exports"
    _lay_out(store.archive, _Root(inputs.synthetic), in_use)
    try:
        run_dataset(catalogue, dataset, again, ExportsRoot(str(in_use)), schemas)
    except (StaleError, ColumnsError, ReleaseError) as error:
        raise ReplayError(str(error)) from error
    made = output / "releases" / dataset / version
    if not made.is_dir():
        raise ReplayError("le traitement ne donne pas de nouvelle version après la précédente")
    return made


def archived_catalogue(store: Store, release: Path, folder: Path) -> Catalogue | None:
    """Return the declarations under which a release was made, or None when they weren't kept or can't be read."""
    if not release.is_dir() or (inputs := inputs_of(history.descriptor(release))) is None:
        return None
    try:
        return _catalogue(store, inputs, folder)
    except ReplayError:
        return None


def _catalogue(store: Store, inputs: Inputs, folder: Path) -> Catalogue:
    try:
        unbundle(store.archive.content(inputs.archive), folder)
        return load(folder)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ReplayError(f"ses déclarations ne sont plus dans l'archive ({error})") from error
    except DeclarationError as error:
        raise ReplayError(f"ses déclarations ne se lisent plus avec le code d'aujourd'hui :\n{error}") from error


def _copy_earlier(store: Store, dataset: str, version: str, releases: Path) -> None:
    """Copy the releases that were there: those before this one, and all those of other datasets."""
    for home in sorted(path for path in store.releases.iterdir() if path.is_dir()):
        versions = history.versions(store.releases, home.name)
        for earlier in versions[: versions.index(version)] if home.name == dataset else versions:
            shutil.copytree(home / earlier, releases / home.name / earlier)


def _roots(receptions: Iterable[Reception]) -> list[_Root]:
    roots: list[_Root] = []
    for reception in receptions:
        root = next((root for root in roots if root.takes(reception)), None)
        if root is None:
            root = _Root(reception.synthetic)
            roots.append(root)
        root.add(reception)
    return roots


def _lay_out(archive: Archive, root: _Root, exports: Path) -> None:
    """Put the archived files back where they were received."""
    exports.mkdir(parents=True)
    if root.synthetic:
        marker = yaml.safe_dump({"synthetic": True, "statement": root.synthetic}, allow_unicode=True)
        (exports / MARKER).write_text(marker, encoding="utf-8")
    for path, sha256 in root.files.items():
        place = exports / path
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(archive.path(sha256), place)
            os.utime(place, (0, 0))  # received long ago: no file that may still be arriving
        except (OSError, ValueError) as error:
            raise ReplayError(f"{path} n'est plus dans l'archive ({error})") from error


# The whole story without Dagster: a network-year through its stages, then the national tables and a release.


def run_network_year(
    catalogue: Catalogue, network: str, year: int, store: Store, root: ExportsRoot, now: datetime
) -> None:
    """Receive, judge and compute a network-year; of a closed one, make a revision that waits."""
    reception = receive(catalogue, network, year, store, root, now)
    if not reception.handed_over:
        return
    written = writing_store(store, catalogue, network, year)
    if judge_received(catalogue, network, year, written, root).kept.accepted:
        compute_and_write(written, catalogue, network, year)
    if written.proposes:
        settle(store, catalogue, network, year, now)


def run_dataset(catalogue: Catalogue, dataset: str, store: Store, root: ExportsRoot, schemas: Path) -> Release:
    """Make the national tables, then a release of a dataset if they changed.

    Raises what ``make_tables`` and ``release_dataset`` do, and ReleaseError when a secret would be told.
    """
    make_tables(catalogue, store, synthetic_statement(root))
    if refused := audited(catalogue, store, dataset).refused:
        raise ReleaseError("un secret se déduit des chiffres", [refused])
    return release_dataset(catalogue, store, dataset, release_inputs(catalogue, store, root, schemas))
