"""Whether exports are synthetic: said by ``provenance.yml`` at their root, kept with what was received from it."""

import yaml

from pipelines.read import ExportsRoot

MARKER = "provenance.yml"
UNSTATED = "Données synthétiques : aucune valeur ne décrit un service réel."


def synthetic_statement(root: ExportsRoot) -> str | None:
    """Return the sentence of the root's ``provenance.yml`` when it says that its exports are synthetic, else None."""
    if not root.find(MARKER, 0):
        return None
    provenance = yaml.safe_load(root.read(MARKER))
    if not isinstance(provenance, dict) or not provenance.get("synthetic"):
        return None
    return " ".join(str(provenance.get("statement") or UNSTATED).split())
