"""Whether exports are synthetic: said by ``provenance.yml`` at their root, kept with what was received from it.

A file that can't be read stops no network: what it would have said is unknown, so the data is told as synthetic, with
the reason, until the file is mended; what was published as real data waits for an agreement then (gate of the nature).
"""

from dataclasses import dataclass
from typing import Any

from pipelines.mechanics.limits import LARGEST_OUTSIDE_YAML, LONGEST_STATEMENT
from pipelines.read import ExportsRoot, OutsideYamlError, read_outside

MARKER = "provenance.yml"
UNSTATED = "Données synthétiques : aucune valeur ne décrit un service réel."


@dataclass(frozen=True)
class Provenance:
    """The sentence that goes with the data when it is synthetic, and what is wrong with the file that says so."""

    statement: str | None = None
    fault: str = ""


def provenance_of(root: ExportsRoot) -> Provenance:
    """Read the ``provenance.yml`` of a root, if there is one."""
    listing = root.listing()
    found = listing.find(MARKER, 0)
    if not found:
        is_link = MARKER in {path.casefold() for path in listing.links}
        return _doubtful("c'est un lien, et les liens ne sont pas suivis") if is_link else Provenance()
    try:
        data = read_outside(_content(root, found[0].path))
        return _stated(data)
    except OutsideYamlError as error:
        return _doubtful(str(error))


def synthetic_statement(root: ExportsRoot) -> str | None:
    """Return the sentence of the root's ``provenance.yml`` when it says that its exports are synthetic, else None."""
    return provenance_of(root).statement


def _content(root: ExportsRoot, path: str) -> bytes:
    """Return the beginning of a file: enough to see that it is too large."""
    content = b""
    for chunk in root.chunks(path):
        content += chunk
        if len(content) > LARGEST_OUTSIDE_YAML:
            break
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
