"""The public site of one release, in a folder that a web server shows as it is, or that opens from a disk.

What each page says is in ``network_pages``, ``national_pages``, ``data_pages`` and ``about_pages``; here is what is
made again, and when: a network's pages when its rows, its texts or the code of this room changed; the others with every
release. The files of a version are brought once, under an address that stays.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.portal.about_pages import NOT_FOUND, AboutPages
from pipelines.portal.addresses import LATEST, posters_folder, posters_zip, version_folder
from pipelines.portal.barometer_pages import BarometerPages
from pipelines.portal.data_pages import DataPages
from pipelines.portal.national_pages import CommonPages
from pipelines.portal.network_pages import NetworkPages
from pipelines.portal.open_release import OpenRelease, UnreadableReleaseError
from pipelines.portal.release_data import Reading
from pipelines.portal.signal_pages import SignalPages, voice_pages
from pipelines.portal.site_folder import SiteFolder
from pipelines.portal.templates import TEMPLATES, Pages, Site
from pipelines.release import changelog, history, reuse
from pipelines.release.integrity import checksum_findings
from pipelines.release.refusals import DamagedReleaseError
from pipelines.release.written_files import told_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pipelines.portal.release_data import Network
    from pipelines.portal.templates import File
    from pipelines.release.changelog import Version

TITLE = "Résultats des services publics"
COMMON = "commun"
_OF_A_NETWORK = ("resultats", "reseaux", "structures", "receptions", "couverture", "comparabilite")
_OF_ALL = ("indicateurs", "territoires")
_BESIDE = {pages.GROUP: pages for pages in (BarometerPages, SignalPages)}


@dataclass(frozen=True)
class BuiltSite:
    """What a build gave: the folder, its files, those written and removed.

    ``left_out``: the releases beside the results that can't be read, and why: the site has no page of them.
    """

    folder: Path
    version: str
    files: int
    written: tuple[str, ...]
    removed: tuple[str, ...]
    left_out: tuple[str, ...] = ()


class _UnreadableBesideError(Exception):
    """A release beside the results can't be shown: the site is made without it."""

    def __init__(self, group: str, cause: Exception) -> None:
        self.group = group
        super().__init__(f"le site est fait sans les pages « {group} », leur version est abîmée : {cause}")


def build_site(
    release: Path,
    folder: Path,
    *,
    address: str = "",
    theme: Path | None = None,
    folder_of: Callable[[str], Path | None] | None = None,
    barometers: Path | None = None,
    signals: Path | None = None,
) -> BuiltSite:
    """Bring a folder to a release; ``address``: where it is read; ``theme``: a folder of style sheets of the owner's.

    ``folder_of`` gives the folder of a version whose files are yet to be brought, whole, None when it is lost; those of
    the same dataset are beside the release unless told otherwise. ``barometers`` and ``signals``: the releases of
    theirs, whose pages are added, and left out when they can't be read. Raises UnreadableReleaseError when the release
    isn't whole, or the theme isn't there.
    """
    asked = {BarometerPages.GROUP: barometers, SignalPages.GROUP: signals}
    beside = {group: path for group, path in asked.items() if path is not None}
    left_out: list[str] = []
    while True:
        try:
            built = _built(release, folder, address, theme, folder_of or _beside(release), beside)
        except _UnreadableBesideError as error:  # raised before anything is written
            left_out.append(str(error))
            del beside[error.group]
        else:
            return replace(built, left_out=tuple(left_out))


def _built(
    release: Path,
    folder: Path,
    address: str,
    theme: Path | None,
    versions: Callable[[str], Path | None],
    beside: Mapping[str, Path],
) -> BuiltSite:
    signals = beside.get(SignalPages.GROUP)
    with _apart(SignalPages.GROUP):
        voices = voice_pages(signals) if signals else None
    barometers = BarometerPages.GROUP in beside
    site = Site(TITLE, address.rstrip("/"), _style_sheets(theme), _posters(folder), barometers, voices)
    with Reading(release) as reading:
        built = SiteFolder(folder, reading.version)
        digests = _Digests(reading, site, beside.values())
        whole = digests.of_all()
        if not (
            all(built.keep(*_group(version)) or versions(version.version) is None for version in reading.versions)
            and all(built.keep(code, digests.of(network)) for code, network in reading.networks.items())
            and built.keep(COMMON, whole)
            and all(built.keep(group, whole) for group in beside)
        ):
            pages = Pages(reading, site)
            made = {group: _made_beside(pages, group, path) for group, path in beside.items()}
            _place_versions(reading, built, versions)
            _write_networks(pages, built, digests)
            _write_common(pages, built, theme, made, whole)
        built.close(AboutPages(Pages(reading, site)).gone)
    return BuiltSite(folder, reading.version, len(built.addresses), tuple(built.written), tuple(built.removed))


@contextmanager
def _apart(group: str) -> Iterator[None]:
    """Hold what goes wrong with a release beside the results: whatever it is, the results' own pages are due."""
    try:
        yield
    except Exception as error:
        raise _UnreadableBesideError(group, error) from error


def _beside(release: Path) -> Callable[[str], Path | None]:
    def folder_of(version: str) -> Path | None:
        folder = release.parent / version
        return folder if folder.is_dir() else None

    return folder_of


def _group(version: Version) -> tuple[str, str]:
    """Return the group of the files of a version, and what tells it from another of that name."""
    return f"version {version.version}", version.sha256 or version.content


def _place_versions(reading: Reading, built: SiteFolder, folder_of: Callable[[str], Path | None]) -> None:
    """Bring the files of every version that isn't there yet, then show those of this one as the latest."""
    for version in reading.versions:
        if built.keep(*_group(version)) or (source := folder_of(version.version)) is None:
            continue
        digests, home = told_digests(source), version_folder(version.version)
        for path in sorted(source.iterdir()):
            built.place(f"{home}/{path.name}", path, digests.get(path.name, ""), *_group(version))


def _write_networks(pages: Pages, built: SiteFolder, digests: _Digests) -> None:
    for code, network in pages.reading.networks.items():
        sources = digests.of(network)
        if not built.keep(code, sources):
            _put(built, NetworkPages(pages, network).files(), code, sources)


def _put(built: SiteFolder, files: Iterable[File], group: str, sources: str) -> None:
    for file in files:
        built.put(file.address, file.text, group, sources)


def _write_common(
    pages: Pages, built: SiteFolder, theme: Path | None, beside: Mapping[str, _Beside], whole: str
) -> None:
    for group, made in beside.items():
        _put(built, made.pages, group, whole)
        for path, digest in made.files.items():
            built.place(f"{_BESIDE[group].FILES}/{path.name}", path, digest, group, whole)
    about = AboutPages(pages)
    for part in (CommonPages(pages), DataPages(pages, built.root), about):
        _put(built, part.files(), COMMON, whole)
    for name in ("style.css", "site.js"):
        built.put(name, (TEMPLATES / name).read_text(encoding="utf-8"), COMMON, whole)
    if theme:
        for path in sorted(path for path in theme.rglob("*") if path.is_file()):
            built.place(f"theme/{path.relative_to(theme).as_posix()}", path, "", COMMON, whole)
    reading = pages.reading
    home, digests = built.root / version_folder(reading.version), reading.files
    for name, path in history.stable_names(reading.folder).items():
        built.place(f"{LATEST}/{name}", home / path.name, digests[path.name], COMMON, whole)
    online = [page for page in built.addresses if page.endswith(".html") and page != NOT_FOUND]
    _put(built, about.machines(online), COMMON, whole)


@dataclass(frozen=True)
class _Beside:
    """The pages of a release beside the results, and its own files with their digests."""

    pages: tuple[File, ...]
    files: Mapping[Path, str]


def _made_beside(pages: Pages, group: str, folder: Path) -> _Beside:
    """Make the pages of barometers or of signals, before any file of the site is written."""
    with _apart(group):
        if wrong := checksum_findings(folder):
            raise DamagedReleaseError(wrong[0])
        with OpenRelease(folder, _BESIDE[group].TABLES) as release:
            digests = told_digests(folder)
            files = {path: digests.get(path.name, "") for path in release.paths()}
            return _Beside(tuple(_BESIDE[group](pages, release).files()), files)


class _Digests:
    """From what each group of pages is made: a digest of rows, texts, code and settings."""

    def __init__(self, reading: Reading, site: Site, beside: Iterable[Path] = ()) -> None:
        self._beside = [told_digests(folder) for folder in beside]
        self._voices = site.voices
        self._reading, self._posters = reading, sorted(site.posters)
        self._by_network = {table: reading.digests(table, "reseau") for table in _OF_A_NETWORK}
        self._shared = [
            *(sorted(reading.digests(table, "'toutes'").items()) for table in _OF_ALL),
            code_digest(),
            [site.title, site.address, *site.themes, site.barometers, site.voices is not None],
            reading.synthetic,
            reading.years[-1:],
        ]

    def of(self, network: Network) -> str:
        """Return the digest of a network."""
        received = [
            reception
            for reception in self._reading.descriptor.get("inputs", {}).get("receptions", ())
            if reception["network"] == network.code
        ]
        of_files = [digests.get(network.code) for digests in self._by_network.values()]
        own = (f"{posters_folder(network.code)}/", posters_zip(network.code))
        posters = [address for address in self._posters if address.startswith(own)]
        voices = self._voices.get(network.code, ()) if self._voices else ()
        content = [self._shared, of_files, received, self._reading.revised(network.code), posters]
        return _digest([*content, voices] if voices else content)

    def of_all(self) -> str:
        """Return the digest of everything: the release and the code."""
        files = self._reading.files
        return _digest([self._shared, self._by_network, self._reading.version, files, self._beside])


def _posters(folder: Path) -> frozenset[str]:
    """Return the posters that are in the folder of the site, and their zips: pages lead to those alone."""
    paths = (folder / "affiches").rglob("*")
    return frozenset(path.relative_to(folder).as_posix() for path in paths if path.suffix in (".pdf", ".zip"))


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]


@cache
def code_digest() -> str:
    """Return the digest of the code and templates of this room, and of the words that it takes from releases."""
    room, digest = Path(__file__).parent, hashlib.sha256()
    own = [path for path in sorted(room.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    words = [Path(str(module.__file__)) for module in (changelog, reuse)]
    for path in (*own, *words, *sorted(reuse.TEMPLATES.glob("example.*"))):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def _style_sheets(theme: Path | None) -> tuple[str, ...]:
    if theme is None:
        return ()
    if not theme.is_dir():
        raise UnreadableReleaseError(
            f"le dossier du thème, {theme}, n'existe pas : corriger RESULTATS_SITE_THEME, ou l'ôter"
        )
    return tuple(path.name for path in sorted(theme.glob("*.css")))
