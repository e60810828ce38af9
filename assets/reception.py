"""What was received of a network-year (``reception.json``), and whether a later reception didn't come to its end.

A reception that fails is a fact about that night, not about the network: what was received before stands until another
one succeeds. Receiving itself is in ``exports``.
"""

from typing import Any

from assets.storage import Store, read_json, write_json


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
