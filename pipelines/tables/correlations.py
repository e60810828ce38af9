"""The table ``correlations``: whether places whose users recommend the service more also serve better.

Only published yearly values are read, so that nothing hidden weighs on a coefficient; formulas are in ``correlation``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.compute.correlation import FEWEST, combined, fisher_variance, interval, spearman
from pipelines.declarations.strict_model import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.declarations import Catalogue

COLUMNS = ["reseau", "indicateur_a", "indicateur_b", "maille", "annees", "rho", "borne_basse", "borne_haute",
           "observations", "lieux", "lecture", "avertissement", "nature_donnees"]  # fmt: skip
SMALL = 30
_UNIT = ["annee", "territoire_code", "structure_code"]
_KEPT = ["valeur", "nature_donnees"]
CORRELATED = ["reseau", "indicateur", "maille", "frequence", *_UNIT, *_KEPT]  # read of ``resultats``
_Series = dict[Any, pd.DataFrame]
_PLURALS = {"site": "sites", "departement": "départements", "region": "régions"}
_BELOW_FRANCE = LEVELS[:-1]


def correlations_table(catalogue: Catalogue, results: pd.DataFrame) -> pd.DataFrame:
    """Return one line per network and pair of indicators, and one for all networks where several have the pair."""
    pairs = list(_pairs(catalogue))
    paired = results["indicateur"].isin({name for pair in pairs for name in pair})
    yearly = results[paired & (results["frequence"] == "annuelle") & results["valeur"].notna()]
    series: _Series = {key: rows.set_index(_UNIT) for key, rows in yearly.groupby(["reseau", "indicateur", "maille"])}
    lines: list[dict[str, object]] = []
    for first, second in pairs:
        found = [line for network in catalogue.networks if (line := _of_network(series, network, first, second))]
        lines += found
        if len(found) > 1 and (together := _together(found)):
            lines.append(together)
    return pd.DataFrame([_read(catalogue, line) for line in lines], columns=COLUMNS)


def _pairs(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield NPS of users × each performance that has a better side, and × each satisfaction of the staff."""
    for first, nps in catalogue.indicators.items():
        if nps.estimator.name != "nps" or nps.population != "users":
            continue
        for second, other in catalogue.indicators.items():
            performance = other.type == "performance" and other.direction != "neutral"
            if performance or other.population == "staff":
                yield first, second


def _of_network(series: _Series, network: str, first: str, second: str) -> dict[str, object] | None:
    """Correlate two indicators over the places and years of a network, at the finest level that they share.

    The coefficient rests on every place and year; the interval only on the number of places, since the years of a
    place are no independent observations.
    """
    for level in _BELOW_FRANCE:
        a, b = (series.get((network, one, level)) for one in (first, second))
        if a is None or b is None:
            continue
        both = a[_KEPT].merge(b[_KEPT], left_index=True, right_index=True, suffixes=("", "_b"))
        places = len(both.reset_index()[_UNIT[1:]].drop_duplicates())
        if places >= FEWEST:
            rho = spearman(both["valeur"].to_numpy(float), both["valeur_b"].to_numpy(float))
            years = [int(year) for year in both.index.get_level_values("annee")]
            natures = {*both["nature_donnees"], *both["nature_donnees_b"]}
            return {
                "reseau": network, "indicateur_a": first, "indicateur_b": second, "maille": level,
                "annees": _range(min(years), max(years)), "rho": rho, "variance": fisher_variance(rho, places),
                "observations": len(both), "lieux": places, "nature_donnees": max(natures),  # synthétiques, if any
            }  # fmt: skip
    return None


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _together(found: list[dict[str, object]]) -> dict[str, object] | None:
    """Put the correlations of several networks together; None when fewer than two have a variance."""
    frame = pd.DataFrame(found)
    usable = frame[frame["variance"].notna() & (frame["rho"].abs() < 1)]
    if len(usable) < 2:
        return None
    rho, variance = combined(list(zip(usable["rho"], usable["variance"], strict=True)))
    years = [int(year) for text in usable["annees"] for year in text.split("-")]
    return {
        **found[0], "reseau": None, "maille": None, "annees": _range(min(years), max(years)), "rho": rho,
        "variance": variance, "observations": int(usable["observations"].sum()), "lieux": int(usable["lieux"].sum()),
        "nature_donnees": usable["nature_donnees"].max(),
    }  # fmt: skip


def _read(catalogue: Catalogue, line: dict[str, object]) -> dict[str, object]:
    """Add the bounds, the reading sentence and the warnings; round."""
    rho, variance = (float(str(line[name])) for name in ("rho", "variance"))
    low, high = interval(rho, variance)
    warnings = []
    if int(str(line["lieux"])) < SMALL:
        warnings.append(f"moins de {SMALL} lieux : coefficient fragile")
    if line["nature_donnees"] == "synthétiques":
        warnings.append("données synthétiques : ne dit rien d'un service réel")
    return {
        **{name: line.get(name) for name in COLUMNS},
        "rho": round(rho, 3), "borne_basse": round(low, 3), "borne_haute": round(high, 3),
        "lecture": _sentence(catalogue, line, rho, low, high),
        "avertissement": " ; ".join(warnings) or None,
    }  # fmt: skip


def _sentence(catalogue: Catalogue, line: dict[str, object], rho: float, low: float, high: float) -> str:
    a, b = (f"« {catalogue.indicators[str(line[name])].title} »" for name in ("indicateur_b", "indicateur_a"))
    network, level = line["reseau"], line["maille"]
    where = f"{catalogue.networks[str(network)].title}, {_PLURALS[str(level)]}" if network else "Tous réseaux réunis"
    opening = f"{where}, {line['annees']} : "
    if math.isnan(rho):
        return f"{opening}{a} et {b} ne se corrèlent pas, l'un des deux ne varie pas."
    if math.isnan(low):
        return f"{opening}lien entre {a} et {b} sans intervalle (rho = {_number(rho)}) ; à ne pas interpréter."
    figures = f"(rho = {_number(rho)}, intervalle à 95 % de {_number(low)} à {_number(high)})"
    if low <= 0 <= high:
        return f"{opening}pas de lien établi entre {a} et {b} {figures}."
    verb = "plus" if rho > 0 else "moins"
    return f"{opening}là où {a} est plus élevé, {b} tend à être {verb} élevé {figures}. Un lien n'est pas une cause."


def _number(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")
