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


def begin_reception(store: Store, network: str, year: int) -> None:
    """Write what a reception that fails leaves behind: the one before, marked, so that the next night tries again."""
    before = last_reception(store, network, year) or {"fingerprint": "", "exports": {}}
    write_reception(store, network, year, {**before, "failed": True})


def write_reception(store: Store, network: str, year: int, state: dict[str, Any]) -> None:
    """Write a reception, and save it."""
    write_json(store.network_year(network, year) / "reception.json", state)
    store.save_network_year(network, year, "raw")
