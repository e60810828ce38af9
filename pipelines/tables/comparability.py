"""The table ``comparabilite``: does an indicator of a network compare with the year before, and if not, why.

Read from the published rows and the declarations; values are compared in ``results``.
"""

from __future__ import annotations

import pandas as pd

from pipelines.compute.comparable_years import changed_layouts, declared_breaks
from pipelines.declarations import Catalogue
from pipelines.disclosure.revised import KEPT_FROM

_KEY = ["reseau", "indicateur", "annee"]
_COUNTED = ("valeurs_appariees", "valeurs_comparables", "evolutions_testees", "hausses_significatives",
            "baisses_significatives", "evolutions_inhabituelles")  # fmt: skip
_Place = tuple[str, str, int]
_Told = dict[_Place, list[str]]
_Reasons = dict[_Place, str]


def comparability_table(catalogue: Catalogue, results: pd.DataFrame, coverage: pd.DataFrame) -> pd.DataFrame:
    """Return one line per expected network × indicator × year, from the yearly rows of ``resultats``."""
    waiting = _provisional(catalogue, results)
    yearly = results[results["frequence"] == "annuelle"]
    counted, told = _counts(yearly), _told(yearly)
    absent = coverage[coverage["etat"] == "absent"]
    keys = zip(*(absent[name] for name in _KEY), strict=True)
    absences: _Reasons = dict(zip(keys, absent["motif_absence"], strict=True))
    lines = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            for identifier in catalogue.expected(network, year):
                key = (network, identifier, year)
                counts = counted.get(key, dict.fromkeys(_COUNTED, 0))
                lines.append(
                    {
                        "reseau": network,
                        "indicateur": identifier,
                        "annee": year,
                        "annee_precedente": year - 1,
                        "comparabilite": _verdict(counts),
                        "motifs": _motifs(catalogue, key, counts, told, absences),
                        "changements_sans_rupture": " ; ".join(changed_layouts(catalogue, *key)) or None,
                        "statut": "provisoire" if waiting & {(*key[:2], year), (*key[:2], year - 1)} else "définitif",
                        **counts,
                    }
                )
    return pd.DataFrame(lines)


def _provisional(catalogue: Catalogue, results: pd.DataFrame) -> set[_Place]:
    """Return the networks, indicators and years of which values may still move: declared so, or kept."""
    kept = results.loc[results[KEPT_FROM].notna(), _KEY].drop_duplicates()
    declared = {
        (network, identifier, year)
        for network, item in catalogue.networks.items()
        for year in item.provisional_years
        for identifier in catalogue.expected(network, year)
    }
    return declared | {(str(one), str(name), int(year)) for one, name, year in kept.itertuples(index=False)}


def _counts(rows: pd.DataFrame) -> dict[_Place, dict[str, int]]:
    """Count, by network, indicator and year, the values that compare, the changes tested, significant and unusual."""
    significant, change = rows["evolution_significative"].eq(True), rows["evolution"]
    flags = (
        rows["comparable"].notna(),
        rows["comparable"].eq(True),
        rows["valeur_p"].notna(),
        significant & (change > 0),
        significant & (change < 0),
        rows["evolution_inhabituelle"].eq(True),
    )
    counted = rows[_KEY].assign(**dict(zip(_COUNTED, flags, strict=True))).groupby(_KEY)[list(_COUNTED)].sum()
    return dict(zip(counted.index, counted.to_dict("records"), strict=True))


def _told(rows: pd.DataFrame) -> _Told:
    """Return why values of each network, indicator and year don't compare."""
    why = rows.loc[rows["motif_incomparabilite"].notna(), [*_KEY, "motif_incomparabilite"]].drop_duplicates()
    found: _Told = {}
    for network, identifier, year, text in sorted(why.itertuples(index=False, name=None)):
        found.setdefault((network, identifier, year), []).append(text)
    return found


def _verdict(counts: dict[str, int]) -> str:
    paired, comparable = counts["valeurs_appariees"], counts["valeurs_comparables"]
    if not paired:
        return "sans objet"
    return "comparable" if comparable == paired else "en partie comparable" if comparable else "non comparable"


def _motifs(catalogue: Catalogue, key: _Place, counts: dict[str, int], told: _Told, absences: _Reasons) -> str | None:
    """Tell why values don't compare or, when none stands beside another, why; nothing when they all compare."""
    network, identifier, year = key
    if counts["valeurs_appariees"]:
        return " ; ".join(dict.fromkeys(part for text in told.get(key, ()) for part in text.split(" ; "))) or None
    if identifier not in catalogue.expected(network, year - 1):
        return "première année attendue"
    missing = [
        f"{one} absente ({absences[network, identifier, one]})"
        for one in (year - 1, year)
        if (network, identifier, one) in absences
    ]
    parts = [*missing, *declared_breaks(catalogue, network, identifier, year)]
    return " ; ".join(parts) or "aucune valeur publiée les deux années au même endroit"
