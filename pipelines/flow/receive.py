"""What was received of a network-year (``reception.json``), and whether a later reception didn't come to its end.

A reception that fails is a fact about that night, not about the network: what was received before stands until another
one succeeds. Receiving itself is in ``exports``.
"""

import datetime
from dataclasses import asdict
from typing import Any

from pipelines.declarations import Layout, Network
from pipelines.flow.fingerprints import fingerprint
from pipelines.flow.provenance import synthetic_statement
from pipelines.flow.store import Store, read_json, write_json
from pipelines.read import DamagedArchiveError, ExportsRoot, Received, SourceFile
from pipelines.read.arriving import changed, growing, unfinished


def last_reception(store: Store, network: str, year: int) -> dict[str, Any] | None:
    """Return the last reception that came to its end, or None; its ``failed`` tells that a later one did not."""
    found: dict[str, Any] | None = read_json(store.network_year(network, year) / "reception.json")
    return found if found and found.get("fingerprint") else None


def told_of_reception(reception: dict[str, Any]) -> list[str]:
    """Return what the data team is told of the files of a reception, in French."""
    return [
        *(
            f"{file['export']} : « {file['path']} » est encore en cours de copie (il {file['why']}) ; laissé pour le "
            "prochain passage"
            for file in reception.get("left", ())
        ),
        *(
            f"{file['export']} : « {file['path']} » est lu, mais « {file['expected']} » est attendu (majuscules)"
            for file in reception.get("renamed", ())
        ),
    ]


def left_behind(reception: dict[str, Any], export: str) -> list[str]:
    """Return the paths of an export's files that were still arriving."""
    return [file["path"] for file in reception.get("left", ()) if file["export"] == export]


def begin_reception(store: Store, network: str, year: int) -> dict[str, Any]:
    """Write what a reception that fails leaves behind: the one before, marked, so that the next night tries again.

    Returns the one before, or an empty one.
    """
    before = last_reception(store, network, year) or {"fingerprint": "", "exports": {}}
    write_reception(store, network, year, {**before, "failed": True})
    return before


def note_damage(store: Store, network: str, year: int, why: str) -> None:
    """Note that what was received can't be judged by our own fault: the archive is damaged. Another reception ends it.

    The reception itself stands, so a release that would lose the network-year because of that isn't made.
    """
    if state := last_reception(store, network, year):
        write_reception(store, network, year, {**state, "damaged": why})


def write_reception(store: Store, network: str, year: int, state: dict[str, Any]) -> None:
    """Write a reception, and save it."""
    write_json(store.network_year(network, year) / "reception.json", state)
    store.save_network_year(network, year, "raw")


def receive_exports(
    declared: Network, network: str, year: int, store: Store, root: ExportsRoot, now: datetime.datetime
) -> dict[str, list[Received]]:
    """Archive the files of every export owed for the year, and record what was received (``reception.json``).

    A file that is still arriving is left for the next time, and what was received of it before stands.
    """
    before = begin_reception(store, network, year)
    owed = _owed(declared, year)
    listing = root.listing()
    found = {name: listing.find(layout.path, year) for name, layout in owed.items()}
    moving = growing(root, (file for files in found.values() for file in files), now.timestamp())
    received: dict[str, list[Received]] = {}
    left: list[dict[str, str]] = []
    for name, files in found.items():
        known = {file["path"]: file for file in before["exports"].get(name, ())}
        received[name] = []
        for file in files:
            why = "change encore" if file.path in moving else ""
            arrived = None if why else _arrived(store, root, file, owed[name], now)
            if arrived is None:
                left.append({"export": name, "path": file.name, "why": why or "n'a pas sa fin"})
                arrived = Received(**{**known[file.name], "news": "inchangé"}) if file.name in known else None
            received[name] += [arrived] if arrived else []
    state = {
        "fingerprint": reception_fingerprint(received),
        "synthetic": synthetic_statement(root),
        "exports": {name: [asdict(file) for file in files] for name, files in received.items()},
        "left": left,
        "twins": _twins(store, root, received),
        "renamed": [
            {"export": name, "path": file.name, "expected": file.expected}
            for name, files in found.items() for file in files if file.expected
        ],
    }  # fmt: skip
    write_reception(store, network, year, state)
    return received


def _owed(declared: Network, year: int) -> dict[str, Layout]:
    layouts = {export.id: export.layout(year) for export in declared.exports}
    return {name: layout for name, layout in layouts.items() if layout is not None and year in declared.years}


def _twins(store: Store, root: ExportsRoot, received: dict[str, list[Received]]) -> list[dict[str, Any]]:
    """Return the files whose content is also that of a file of another export, year or network."""
    found = []
    for name, files in received.items():
        paths = {file.path for file in files}
        for file in files:
            others = [path for path in store.archive.twins(root, file) if path not in paths]
            if others:
                found.append({"export": name, "path": file.path, "same_as": others})
    return found


def _arrived(
    store: Store, root: ExportsRoot, file: SourceFile, layout: Layout, now: datetime.datetime
) -> Received | None:
    """Archive a file; return None when it changed meanwhile, or when its end is missing and may be on its way."""
    received = store.archive.receive(root, file, now)
    if (
        file.modified is not None
        and received.news != "inchangé"
        and (changed(root, [file]) or unfinished(store.archive.held(received.sha256), file, layout, now.timestamp()))
    ):
        return None
    return received


def receive_again(store: Store, network: str, year: int, root: ExportsRoot) -> dict[str, list[Received]]:
    """Return what was received for a closed year, as it was.

    What the archive lost is taken again from the exports root; raises DamagedArchiveError where it isn't there either.
    """
    reception = read_json(store.network_year(network, year) / "reception.json")
    received = {
        name: [Received(**{**file, "news": "inchangé", "before": None}) for file in files]
        for name, files in reception["exports"].items()
    }
    for file in (file for files in received.values() for file in files):
        try:
            store.archive.path(file.sha256)
        except DamagedArchiveError as error:
            if not store.archive.take_again(root, file.path, file.sha256):
                raise DamagedArchiveError(file.sha256, [file.path]) from error
    return received


def reception_fingerprint(received: dict[str, list[Received]]) -> str:
    """Return what changes with the files received: hash of their paths and contents."""
    return fingerprint({name: [(file.path, file.sha256) for file in files] for name, files in received.items()})
