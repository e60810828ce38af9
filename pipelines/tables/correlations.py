"""The table ``correlations``: whether places whose users recommend the service more also serve better.

Only published yearly values are read, so that nothing hidden weighs on a coefficient: Spearman's rank correlation of
each network, its interval, and the mean of several.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipelines.compute.intervals import Z95, Floats
from pipelines.declarations import Catalogue
from pipelines.declarations.strict_model import LEVELS
from pipelines.mechanics.french import fixed

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
                "reseau": network,
                "indicateur_a": first,
                "indicateur_b": second,
                "maille": level,
                "annees": _range(min(years), max(years)),
                "rho": rho,
                "variance": fisher_variance(rho, places),
                "observations": len(both),
                "lieux": places,
                "nature_donnees": max(natures),  # synthétiques, if any
            }
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
        **found[0],
        "reseau": None,
        "maille": None,
        "annees": _range(min(years), max(years)),
        "rho": rho,
        "variance": variance,
        "observations": int(usable["observations"].sum()),
        "lieux": int(usable["lieux"].sum()),
        "nature_donnees": usable["nature_donnees"].max(),
    }


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
        "rho": round(rho, 3),
        "borne_basse": round(low, 3),
        "borne_haute": round(high, 3),
        "lecture": _sentence(catalogue, line, rho, low, high),
        "avertissement": " ; ".join(warnings) or None,
    }


def _sentence(catalogue: Catalogue, line: dict[str, object], rho: float, low: float, high: float) -> str:
    a, b = (f"« {catalogue.indicators[str(line[name])].title} »" for name in ("indicateur_b", "indicateur_a"))
    network, level = line["reseau"], line["maille"]
    where = f"{catalogue.networks[str(network)].title}, {_PLURALS[str(level)]}" if network else "Tous réseaux réunis"
    opening = f"{where}, {line['annees']} : "
    if math.isnan(rho):
        return f"{opening}{a} et {b} ne se corrèlent pas, l'un des deux ne varie pas."
    if math.isnan(low):
        return f"{opening}lien entre {a} et {b} sans intervalle (rho = {fixed(rho, 2)}) ; à ne pas interpréter."
    figures = f"(rho = {fixed(rho, 2)}, intervalle à 95 % de {fixed(low, 2)} à {fixed(high, 2)})"
    if low <= 0 <= high:
        return f"{opening}pas de lien établi entre {a} et {b} {figures}."
    verb = "plus" if rho > 0 else "moins"
    return f"{opening}là où {a} est plus élevé, {b} tend à être {verb} élevé {figures}. Un lien n'est pas une cause."


FEWEST = 4  # under this many independent units, Fisher's z has no variance


def spearman(x: Floats, y: Floats) -> float:
    """Return the correlation of the ranks (ties share their mean rank; Spearman, 1904); NaN if one never varies."""
    a, b = (pd.Series(values).rank().to_numpy(float) for values in (x, y))
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return max(-1.0, min(1.0, float(a @ b) / spread)) if spread > 0 else math.nan


def fisher_variance(rho: float, units: int) -> float:
    """Return the variance of atanh(rho) for Spearman's rho on ``units`` independent units: (1 + rho²/2) / (n - 3).

    Bonett and Wright (2000), Psychometrika 65(1): better than Pearson's 1 / (n - 3), for which ranks are too few.
    """
    return (1 + rho**2 / 2) / (units - 3) if units >= FEWEST else math.nan


def interval(rho: float, variance: float) -> tuple[float, float]:
    """Return the 95 % bounds of rho from the variance of atanh(rho); NaN without variance, or where rho is ±1."""
    if math.isnan(variance) or math.isnan(rho) or abs(rho) >= 1:
        return math.nan, math.nan
    half = Z95 * math.sqrt(variance)
    return math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)


def combined(found: list[tuple[float, float]]) -> tuple[float, float]:
    """Return (rho, variance of its atanh) of several independent (rho, variance): mean of atanh, by inverse variance.

    The fixed-effect mean of Hedges and Olkin (1985, § 11): each network's correlation is computed within itself, so
    that a difference of level between networks makes no link. Pairs without variance, or with rho = ±1, are left out.
    """
    usable = [(rho, variance) for rho, variance in found if not math.isnan(variance) and abs(rho) < 1]
    if not usable:
        return math.nan, math.nan
    weight = math.fsum(1 / variance for _, variance in usable)
    return math.tanh(math.fsum(math.atanh(rho) / variance for rho, variance in usable) / weight), 1 / weight
