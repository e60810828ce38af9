"""The table ``comparabilite``: does an indicator of a network compare with the year before, and if not, why.

Read from the published rows and the declarations; values are compared in ``changes``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.compute.comparability import changed_layouts, declared_breaks
from pipelines.disclosure import KEPT_FROM

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue

_KEY = ["reseau", "indicateur", "annee"]
_Rows = dict[Any, pd.DataFrame]
_Reasons = dict[tuple[str, str, int], str]


def comparability_table(catalogue: Catalogue, results: pd.DataFrame, coverage: pd.DataFrame) -> pd.DataFrame:
    """Return one line per expected network × indicator × year, from the yearly rows of ``resultats``."""
    waiting = _provisional(catalogue, results)
    yearly: _Rows = dict(list(results[results["frequence"] == "annuelle"].groupby(_KEY)))
    absent = coverage[coverage["etat"] == "absent"]
    keys = zip(*(absent[name] for name in _KEY), strict=True)
    absences: _Reasons = dict(zip(keys, absent["motif_absence"], strict=True))
    lines = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            for identifier in catalogue.expected(network, year):
                key = (network, identifier, year)
                counts = _counts(yearly.get(key, results.iloc[:0]))
                lines.append({
                    "reseau": network, "indicateur": identifier, "annee": year, "annee_precedente": year - 1,
                    "comparabilite": _verdict(counts),
                    "motifs": _motifs(catalogue, key, counts, yearly, absences),
                    "changements_sans_rupture": " ; ".join(changed_layouts(catalogue, *key)) or None,
                    "statut": "provisoire" if waiting & {(*key[:2], year), (*key[:2], year - 1)} else "définitif",
                    **counts,
                })  # fmt: skip
    return pd.DataFrame(lines)


def _provisional(catalogue: Catalogue, results: pd.DataFrame) -> set[tuple[str, str, int]]:
    """Return the networks, indicators and years of which values may still move: declared so, or kept."""
    kept = results.loc[results[KEPT_FROM].notna(), _KEY].drop_duplicates()
    declared = {
        (network, identifier, year)
        for network, item in catalogue.networks.items()
        for year in item.provisional_years
        for identifier in catalogue.expected(network, year)
    }
    return declared | {(str(one), str(name), int(year)) for one, name, year in kept.itertuples(index=False)}


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    significant = rows["evolution_significative"].eq(True)
    return {
        "valeurs_appariees": int(rows["comparable"].notna().sum()),
        "valeurs_comparables": int(rows["comparable"].eq(True).sum()),
        "evolutions_testees": int(rows["valeur_p"].notna().sum()),
        "hausses_significatives": int((significant & (rows["evolution"] > 0)).sum()),
        "baisses_significatives": int((significant & (rows["evolution"] < 0)).sum()),
        "evolutions_inhabituelles": int(rows["evolution_inhabituelle"].eq(True).sum()),
    }


def _verdict(counts: dict[str, int]) -> str:
    paired, comparable = counts["valeurs_appariees"], counts["valeurs_comparables"]
    if not paired:
        return "sans objet"
    return "comparable" if comparable == paired else "en partie comparable" if comparable else "non comparable"


def _motifs(
    catalogue: Catalogue, key: tuple[str, str, int], counts: dict[str, int], yearly: _Rows, absences: _Reasons
) -> str | None:
    """Tell why values don't compare or, when none stands beside another, why; nothing when they all compare."""
    network, identifier, year = key
    if counts["valeurs_appariees"]:
        found = yearly[key]["motif_incomparabilite"].dropna().unique()
        return " ; ".join(dict.fromkeys(part for text in sorted(found) for part in text.split(" ; "))) or None
    if identifier not in catalogue.expected(network, year - 1):
        return "première année attendue"
    missing = [
        f"{one} absente ({absences[network, identifier, one]})"
        for one in (year - 1, year)
        if (network, identifier, one) in absences
    ]
    told = [*missing, *declared_breaks(catalogue, network, identifier, year)]
    return " ; ".join(told) or "aucune valeur publiée les deux années au même endroit"
