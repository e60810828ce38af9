"""Receives the files of a network-year: found at the exports root, archived, and told as a ``Reception``.

A reception that fails is a fact about that night, not about the network: what was received before stands until another
one succeeds. A file that is still arriving is left for the next time, and what was received of it before stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from pipelines.declarations import Catalogue, Layout, Network
from pipelines.flow.exports_folder import synthetic_statement
from pipelines.flow.fingerprints import fingerprint
from pipelines.flow.revisions import begin_revision, writing_store
from pipelines.flow.state import LeftFile, Reception, RenamedFile, SameContent
from pipelines.flow.store import Store
from pipelines.read import DamagedArchiveError, ExportsRoot, Received, SourceFile
from pipelines.read.unfinished_files import changed, growing, unfinished

_ZONE = "Europe/Paris"
_MOVING = "change encore"
_CUT = "n'a pas sa fin"


def receive(catalogue: Catalogue, network: str, year: int, store: Store, root: ExportsRoot, now: datetime) -> Reception:
    """Receive a network-year; of a closed year that stands, a revision begins from what was received then."""
    if writing_store(store, catalogue, network, year).proposes:
        return receive_again(begin_revision(store, network, year), network, year, root)
    return receive_exports(catalogue.networks[network], network, year, store, root, now)


def receive_exports(
    declared: Network, network: str, year: int, store: Store, root: ExportsRoot, now: datetime
) -> Reception:
    """Archive the files of every export owed for the year, and keep what was received."""
    before = _begin(store, network, year)
    owed = _owed(declared, year)
    listing = root.listing()
    found = {name: listing.find(layout.path, year, declared.other_paths(name, year)) for name, layout in owed.items()}
    moving = growing(root, (file for files in found.values() for file in files), now.timestamp())
    received: dict[str, tuple[Received, ...]] = {}
    left: list[LeftFile] = []
    for name, files in found.items():
        known = {file.path: file for file in before.exports.get(name, ())}
        kept = []
        for file in files:
            why = _MOVING if file.path in moving else ""
            arrived = None if why else _arrived(store, root, file, owed[name], now)
            if arrived is None:
                left.append(LeftFile(export=name, path=file.name, why=why or _CUT))
                arrived = replace(known[file.name], news="inchangé") if file.name in known else None
            if arrived is not None:
                kept.append(arrived)
        received[name] = tuple(kept)
    renamed = [
        RenamedFile(export=name, path=file.name, expected=file.expected)
        for name, files in found.items()
        for file in files
        if file.expected
    ]
    seen = reception_fingerprint(received)
    reception = Reception(
        fingerprint=seen,
        received_on=(seen == before.fingerprint and before.received_on) or now.astimezone(ZoneInfo(_ZONE)).date(),
        synthetic=synthetic_statement(root),
        exports=received,
        left=tuple(left),
        twins=_same_contents(store, root, received),
        renamed=tuple(renamed),
    )
    store.write(network, year, reception)
    return reception


def receive_again(store: Store, network: str, year: int, root: ExportsRoot) -> Reception:
    """Return what was received for a closed year, as it was.

    What the archive lost is taken again from the exports root; raises DamagedArchiveError where it isn't there either.
    """
    reception = store.read(network, year).reception or Reception()
    for file in (file for files in reception.exports.values() for file in files):
        try:
            store.archive.path(file.sha256)
        except DamagedArchiveError as error:
            if not store.archive.take_again(root, file.path, file.sha256):
                raise DamagedArchiveError(file.sha256, [file.path]) from error
    unchanged = {
        name: tuple(replace(file, news="inchangé", before=None) for file in files)
        for name, files in reception.exports.items()
    }
    return reception.model_copy(update={"exports": unchanged})


def note_damage(store: Store, network: str, year: int, why: str) -> None:
    """Note that what was received can't be judged by our own fault: the archive is damaged. Another reception ends it.

    The reception itself stands, so a release that would lose the network-year because of that isn't made.
    """
    if reception := store.read(network, year).reception:
        store.write(network, year, reception.model_copy(update={"damaged": why}))


def reception_fingerprint(received: Mapping[str, Sequence[Received]]) -> str:
    """Return what changes with the files received: hash of their paths and contents."""
    return fingerprint({name: [(file.path, file.sha256) for file in files] for name, files in received.items()})


def _begin(store: Store, network: str, year: int) -> Reception:
    """Return the reception before, or an empty one; kept marked, it is what one that fails leaves to the next night."""
    before = store.read(network, year).reception or Reception()
    store.write(network, year, before.model_copy(update={"failed": True}))
    return before


def _owed(declared: Network, year: int) -> dict[str, Layout]:
    layouts = {export.id: export.layout(year) for export in declared.exports}
    return {name: layout for name, layout in layouts.items() if layout is not None and year in declared.years}


def _same_contents(
    store: Store, root: ExportsRoot, received: Mapping[str, Sequence[Received]]
) -> tuple[SameContent, ...]:
    """Return the files whose content is also that of a file of another export, year or network."""
    same = []
    for name, files in received.items():
        paths = {file.path for file in files}
        for file in files:
            if others := tuple(path for path in store.archive.twins(root, file) if path not in paths):
                same.append(SameContent(export=name, path=file.path, same_as=others))
    return tuple(same)


def _arrived(store: Store, root: ExportsRoot, file: SourceFile, layout: Layout, now: datetime) -> Received | None:
    """Archive a file; return None when it changed meanwhile, or when its end is missing and may be on its way."""
    received = store.archive.receive(root, file, now)
    if (
        file.modified is not None
        and received.news != "inchangé"
        and (changed(root, [file]) or unfinished(store.archive.held(received.sha256), file, layout, now.timestamp()))
    ):
        return None
    return received
