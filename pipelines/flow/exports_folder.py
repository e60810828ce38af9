"""What the exports folder holds beside the files expected, and whether its exports are invented: told at each look.

That exports are synthetic is said by ``provenance.yml`` at their root, and kept with what was received from it. A file
that can't be read stops no network: what it would have said is unknown, so the data is told as synthetic, with the
reason, until the file is mended; what was published as real data waits for an agreement then (gate of the nature).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.flow.store import Store
from pipelines.mechanics.french import counted
from pipelines.mechanics.limits import LARGEST_OUTSIDE_YAML, LONGEST_STATEMENT
from pipelines.read import ExportsRoot, OutsideYamlError, read_outside
from pipelines.read.unexpected_files import look_at

MARKER = "provenance.yml"
UNSTATED = "Données synthétiques : aucune valeur ne décrit un service réel."
_FILE = "work/dossier.json"
SHOWN = 10  # files told of each kind in a text; ``status --json`` has them all
_KINDS = {
    "liens": "un lien, qui n'est pas suivi : déposez le fichier lui-même",
    "conflits": "copie de conflit de la synchronisation, ignorée : est-ce la bonne ?",
    "transferts": "transfert inachevé, ignoré",
    "anciens": "ancienne version gardée par un logiciel, ignorée",
    "illisibles": "dossier qui ne peut pas être lu",
}


@dataclass(frozen=True)
class Provenance:
    """The sentence that goes with the data when it is synthetic, and what is wrong with the file that says so."""

    statement: str | None = None
    fault: str = ""


def provenance_of(root: ExportsRoot) -> Provenance:
    """Read the ``provenance.yml`` of a root, if there is one."""
    listing = root.listing()
    files = listing.find(MARKER, 0)
    if not files:
        is_link = MARKER in {path.casefold() for path in listing.links}
        return _doubtful("c'est un lien, et les liens ne sont pas suivis") if is_link else Provenance()
    try:
        return _stated(read_outside(_content(root, files[0].path)))
    except OutsideYamlError as error:
        return _doubtful(str(error))


def synthetic_statement(root: ExportsRoot) -> str | None:
    """Return the sentence of the root's ``provenance.yml`` when it says that its exports are synthetic, else None."""
    return provenance_of(root).statement


def _content(root: ExportsRoot, path: str) -> bytes:
    content = b""
    for chunk in root.chunks(path):
        content += chunk
        if len(content) > LARGEST_OUTSIDE_YAML:
            break  # enough to see that it is too large
    return content


def _stated(data: Any) -> Provenance:
    if not isinstance(data, dict):
        raise OutsideYamlError("il faut des lignes « clé: valeur »")
    synthetic, statement = data.get("synthetic", False), data.get("statement")
    if not isinstance(synthetic, bool):
        raise OutsideYamlError("« synthetic » doit valoir true ou false")
    if statement is not None and not (isinstance(statement, str) and len(statement) <= LONGEST_STATEMENT):
        raise OutsideYamlError(f"« statement » doit être un texte de {LONGEST_STATEMENT} caractères au plus")
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in statement or "").split())
    return Provenance((words or UNSTATED) if synthetic else None)


def _doubtful(why: str) -> Provenance:
    statement = f"Nature des données inconnue (le fichier {MARKER} ne peut pas être lu) : à tenir pour synthétiques."
    return Provenance(statement, f"« {MARKER} » ne peut pas être lu : {why}. Corrigez-le, ou retirez-le.")


def note_folder(catalogue: Catalogue, store: Store, root: ExportsRoot) -> dict[str, Any]:
    """Look at the whole root, keep what is worth telling, and return it as plain data with French names."""
    expected = [
        (layout.path, year)
        for network in catalogue.networks.values()
        for export in network.exports
        for year in network.years
        if (layout := export.layout(year)) is not None
    ]
    beside = look_at(root.listing(), [(MARKER, 0), *expected])
    facts = {
        "provenance": provenance_of(root).fault,
        "inattendus": [{"fichier": file.path, "indice": file.hint} for file in beside.unexpected],
        "liens": beside.links,
        "conflits": beside.conflicts,
        "transferts": beside.transfers,
        "anciens": beside.old,
        "illisibles": beside.unreadable,
    }
    if store.load(_FILE, dict[str, Any]) != facts:
        store.keep(_FILE, facts)
    return facts


def noted_folder(store: Store) -> dict[str, Any]:
    """Return what the last look at the exports folder kept; nothing before there was one."""
    return store.load(_FILE, dict[str, Any]) or {}


def folder_lines(facts: dict[str, Any]) -> Iterator[str]:
    """Yield what was kept as lines of French, the most useful first, each kind no longer than SHOWN."""
    if facts.get("provenance"):
        yield facts["provenance"]
    nothing = "aucune déclaration ne l'attend"
    unexpected = [f"{file['fichier']} : {file['indice'] or nothing}" for file in facts.get("inattendus", ())]
    for lines in (unexpected, *([f"{path} : {why}" for path in facts.get(kind, ())] for kind, why in _KINDS.items())):
        yield from lines[:SHOWN]
        if len(lines) > SHOWN:
            yield f"… et {counted(len(lines) - SHOWN, 'autre')} (resultats status --json)"
