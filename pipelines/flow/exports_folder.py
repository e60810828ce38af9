"""What the exports folder holds beside the files expected, kept at each look for the summary, ``status`` and the UI."""

from collections.abc import Iterator
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.flow.provenance import MARKER, provenance_of
from pipelines.flow.store import Store
from pipelines.mechanics.french import counted
from pipelines.read import ExportsRoot
from pipelines.read.unexpected_files import look_at

_FILE = "work/dossier.json"
SHOWN = 10  # files told of each kind in a text; ``status --json`` has them all
_KINDS = {
    "liens": "un lien, qui n'est pas suivi : déposez le fichier lui-même",
    "conflits": "copie de conflit de la synchronisation, ignorée : est-ce la bonne ?",
    "transferts": "transfert inachevé, ignoré",
    "anciens": "ancienne version gardée par un logiciel, ignorée",
    "illisibles": "dossier qui ne peut pas être lu",
}


def note_folder(catalogue: Catalogue, store: Store, root: ExportsRoot) -> dict[str, Any]:
    """Look at the whole root, keep what is worth telling, and return it as plain data with French names."""
    expected = [
        (layout.path, year)
        for network in catalogue.networks.values()
        for export in network.exports
        for year in network.years
        if (layout := export.layout(year)) is not None
    ]
    found = look_at(root.listing(), [(MARKER, 0), *expected])
    told = {
        "provenance": provenance_of(root).fault,
        "inattendus": [{"fichier": item.path, "indice": item.hint} for item in found.unexpected],
        "liens": found.links,
        "conflits": found.conflicts,
        "transferts": found.transfers,
        "anciens": found.old,
        "illisibles": found.unreadable,
    }
    if store.load(_FILE, dict[str, Any]) != told:
        store.keep(_FILE, told)
    return told


def noted_folder(store: Store) -> dict[str, Any]:
    """Return what the last look at the exports folder kept; nothing before there was one."""
    return store.load(_FILE, dict[str, Any]) or {}


def folder_lines(told: dict[str, Any]) -> Iterator[str]:
    """Yield what was kept as lines of French, the most useful first, each kind no longer than SHOWN."""
    if told.get("provenance"):
        yield told["provenance"]
    nothing = "aucune déclaration ne l'attend"
    unexpected = [f"{item['fichier']} : {item['indice'] or nothing}" for item in told.get("inattendus", ())]
    for lines in (unexpected, *([f"{path} : {why}" for path in told.get(kind, ())] for kind, why in _KINDS.items())):
        yield from lines[:SHOWN]
        if len(lines) > SHOWN:
            yield f"… et {counted(len(lines) - SHOWN, 'autre')} (resultats status --json)"
