"""Whether a published row is what the pipeline gives again. What is published is compared, and nothing else.

Hidden cells are not compared: whether they agree could tell on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.disclosure.revised import KEPT_FROM

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue, Indicator

Row = Mapping[Any, Any]
_DECIMALS = {"effectif": 0, "effectif_pondere": 0, "numerateur": 6, "denominateur": 6}  # as published
_RELATIVE = 1e-9  # floating sums in another order
# The figures of a row that are explained, as a sentence names them.
FIGURES = {
    "valeur": "la valeur", "borne_basse": "la borne basse", "borne_haute": "la borne haute", "effectif": "l'effectif",
    "effectif_pondere": "l'effectif pondéré", "numerateur": "le numérateur", "denominateur": "le dénominateur",
}  # fmt: skip


def is_hidden(row: Row) -> bool:
    """Tell whether statistical secrecy hides the row, at first or second hand."""
    return str(row["statut_confidentialite"]) != "F"


def kept_from(row: Row) -> str | None:
    """Return the release whose figure the row keeps, since too few answers moved it; None of the others."""
    version = row.get(KEPT_FROM)
    return str(version) if present(version) else None


def present(value: Any) -> bool:
    """Tell whether a published cell holds something."""
    return value is not None and not (isinstance(value, float) and math.isnan(value)) and value is not pd.NA


def differences(row: Row, line: Row, indicator: Indicator, catalogue: Catalogue) -> list[str]:
    """Say in French how a row that is not hidden differs from its line computed again; nothing when it doesn't."""
    if line["motif"]:
        return same_reason(row, line["motif"], catalogue)
    if not present(row["valeur"]):
        return ["une valeur est recalculée là où aucune n'est publiée"]
    found = []
    for name, decimals in _decimals(indicator).items():
        if name.startswith("borne") and present(row[name]) != present(line[name]):
            found.append(f"{FIGURES[name]} est publiée là où l'on n'en trouve pas, ou l'inverse")
        elif present(row[name]) and not _same(row[name], line[name], decimals):
            found.append(f"{FIGURES[name]} n'est pas ce que l'on recalcule")
    return found


def _same(published: Any, computed: Any, decimals: int) -> bool:
    if not present(computed):
        return False
    slack = 0.5 / 10.0**decimals + _RELATIVE * max(1.0, abs(computed))
    return bool(abs(float(published) - computed) <= slack)


def _decimals(indicator: Indicator) -> dict[str, int]:
    """Return the decimals with which each figure is published."""
    return {name: _DECIMALS.get(name, indicator.decimals) for name in FIGURES}


def same_reason(row: Row, reason: str, catalogue: Catalogue) -> list[str]:
    """Say how the published reason of an absence differs from the one found."""
    label = catalogue.reasons[reason].label
    if present(row["valeur"]):
        return [f"une valeur est publiée là où l'on trouve : {label}"]
    return [] if row["motif_absence"] == label else [f"le motif publié n'est pas celui que l'on trouve : {label}"]


def as_published(row: Row, line: Row, indicator: Indicator) -> dict[str, float]:
    """Return the figures computed again under the names and with the decimals of those published, and no other."""
    return {
        name: round(line[name], decimals) for name, decimals in _decimals(indicator).items()
        if present(row[name]) and present(line[name])
    }  # fmt: skip
