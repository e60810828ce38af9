"""The results of one network for one year: every indicator it feeds, from the accepted exports.

They are ready for the national tables, which are put together in ``tables`` and where secrets are hidden: until then
the figures of rows marked A are there, and must not be shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd

from pipelines.compute.disclosure.cells import NUMBERS
from pipelines.compute.disclosure.rules import PRIMARY, rule_of
from pipelines.compute.observed import observed_results
from pipelines.compute.sums import connect, declared_rows, structures
from pipelines.compute.typed import discrepancies, typed_results
from pipelines.compute.units import Geography
from pipelines.declarations.periods import FRENCH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from pipelines.compute.disclosure.rules import Rule
    from pipelines.declarations import Catalogue, Export, Feed, Indicator, Level, LevelRule

RESULT_COLUMNS = {
    "indicateur": "str", "annee": "int64", "periode": "str", "frequence": "str", "maille": "str",
    "territoire_code": "str", "structure_code": "str", "structure": "str", "valeur": "float64",
    "borne_basse": "float64", "borne_haute": "float64", "effectif": "float64", "numerateur": "float64",
    "denominateur": "float64", "statut_observation": "str", "statut_confidentialite": "str", "motif": "str",
    "mode_obtention": "str", "date_reference": "object", "date_extraction": "object", "source": "str",
}  # fmt: skip

LEVEL_WORDS = {
    "declared": "valeur déclarée par le réseau",
    "sum": "somme",
    "ratio_of_sums": "rapport de sommes",
    "weighted_mean": "moyenne pondérée par les bases",
    "pooled": "estimation sur l'ensemble des réponses",
}
YEAR_WORDS = {
    "declared": "valeur déclarée pour l'année",
    "last": "dernière valeur observée de l'année",
    "sum": "somme des périodes de l'année",
    "ratio_of_sums": "rapport de sommes sur l'année",
    "weighted_mean": "moyenne des périodes pondérée par les bases",
    "pooled": "ensemble des réponses de l'année",
}


@dataclass(frozen=True)
class NetworkYear:
    """Plain tables: ``results`` (RESULT_COLUMNS), ``discrepancies`` and ``structures`` of a network and year.

    ``failures``: the indicators that could not be computed, each with what went wrong; the others are there.
    """

    results: pd.DataFrame
    discrepancies: pd.DataFrame
    structures: pd.DataFrame
    failures: dict[str, str]


def compute_network_year(
    catalogue: Catalogue, network: str, year: int, observations: Mapping[str, Path]
) -> NetworkYear:
    """Compute every indicator whose exports were accepted.

    ``observations`` gives the Parquet file of each accepted export (rows of that year only). An indicator one of whose
    exports is missing is left out: the coverage table says why.
    """
    declared = catalogue.networks[network]
    exports = {identifier: export for identifier in observations if (export := declared.export(identifier))}
    results, gaps = [], []
    failures: dict[str, str] = {}
    with connect() as connection:
        for identifier, feed in catalogue.expected(network, year).items():
            if not set(feed.export) <= set(observations):
                continue
            paths = {observations[name]: exports[name] for name in feed.export}
            try:
                found, differences = _computed(connection, catalogue, identifier, network, year, paths)
            except (ArithmeticError, ValueError, duckdb.Error) as error:  # what data can do; the other indicators go on
                failures[identifier] = f"{type(error).__name__} : {error}"
                continue
            results += [found] if len(found) else []
            gaps += [differences] if len(differences) else []
        offices = structures(connection, {observations[name]: exports[name] for name in exports}) if exports else None
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in RESULT_COLUMNS.items()})
    return NetworkYear(
        pd.concat(results, ignore_index=True)[list(RESULT_COLUMNS)] if results else empty,
        pd.concat(gaps, ignore_index=True) if gaps else pd.DataFrame(),
        offices if offices is not None else pd.DataFrame(),
        failures,
    )


def _computed(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    identifier: str,
    network: str,
    year: int,
    paths: Mapping[Path, Export],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the finished results and the discrepancies of one indicator."""
    declared, indicator = catalogue.networks[network], catalogue.indicators[identifier]
    feed = indicator.networks[network]
    not_applicable = frozenset(key for key, reason in catalogue.reasons.items() if reason.observation_status == "M")
    found, differences = _indicator(
        connection,
        indicator,
        feed,
        paths,
        indicator.levels_in(network),
        Geography(catalogue.territories),
        not_applicable,
    )
    if len(found):
        days = [day for export in paths.values() if (day := _extracted(export, year))]
        sources = found["source"] if "source" in found else [", ".join(feed.export)] * len(found)
        found = found.assign(
            indicateur=identifier,
            date_extraction=max(days, default=None),
            source=[_sources(network, names) for names in sources],
        )
        found = _finished(found, indicator, next(iter(paths.values())), declared.provisional_years)
    return found, differences.assign(indicateur=identifier, annee=year) if len(differences) else differences


def _indicator(
    connection: duckdb.DuckDBPyConnection,
    indicator: Indicator,
    feed: Feed,
    paths: Mapping[Path, Export],
    levels: Mapping[Level, LevelRule],
    geography: Geography,
    not_applicable: frozenset[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    if indicator.estimator.name != "declared":
        found = observed_results(connection, indicator, feed, paths, list(levels), geography)
        return _with_modes(found, indicator, levels), pd.DataFrame()
    rows = declared_rows(connection, feed, paths)
    finest = next(iter(paths.values())).period.frequency
    found = typed_results(rows, levels, indicator.year, finest, feed.frequency or finest, geography, not_applicable)
    return _with_modes(found, indicator, levels), discrepancies(rows, levels, indicator.decimals, geography)


def _with_modes(found: pd.DataFrame, indicator: Indicator, levels: Mapping[Level, LevelRule]) -> pd.DataFrame:
    if found.empty:
        return found
    modes = []
    for level, frequency in zip(found["maille"], found["frequence"], strict=True):
        words = LEVEL_WORDS[levels[level].obtained]
        year = YEAR_WORDS[indicator.year]
        modes.append(f"{words} ; {year}" if frequency == "year" and year != words else words)
    return found.assign(mode_obtention=modes)


def _sources(network: str, exports: str) -> str:
    return ", ".join(f"{network}/{name}" for name in exports.split(", "))


def _extracted(export: Export, year: int) -> date | None:
    layout = export.layout(year)
    return layout.extracted if layout else None


def _finished(found: pd.DataFrame, indicator: Indicator, export: Export, provisional: tuple[int, ...]) -> pd.DataFrame:
    """Add years, statuses and reasons, mark what rests on too small a base, round."""
    found = found.assign(
        annee=found["periode"].str[:4].astype("int64"),
        frequence=found["frequence"].map(FRENCH),
        statut_observation="A",
        statut_confidentialite="F",
    )
    found.loc[found["annee"].isin([item.year for item in indicator.breaks]), "statut_observation"] = "B"
    found.loc[found["annee"].isin(provisional), "statut_observation"] = "P"
    found = _mark_small_bases(found, rule_of(indicator, {export.kind}))
    if np.isinf(found[NUMBERS].to_numpy(float)).any():
        raise OverflowError("une somme dépasse ce qu'un nombre peut contenir")
    found["valeur"] = found["valeur"].round(indicator.decimals)
    for bound in ("borne_basse", "borne_haute"):
        found[bound] = found[bound].clip(*(indicator.range or (-np.inf, np.inf))).round(indicator.decimals)
    absent = found["valeur"].isna()
    found.loc[absent, ["borne_basse", "borne_haute", "numerateur", "denominateur"]] = np.nan
    return found


def _mark_small_bases(found: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Mark A the values under the minimum base, for secrecy; blank those that are only unreliable.

    Secret values stay here: what must be hidden beside them depends on all that is published (``disclosure``), which
    blanks them on the way to the national tables.
    """
    small = found["valeur"].notna() & (found["effectif"] < rule.minimum)
    if rule.secret:
        found.loc[small, "motif"] = PRIMARY
    else:
        found.loc[small, [name for name in NUMBERS if name != "effectif"]] = np.nan
        found.loc[small, "motif"] = "base-insuffisante"
    found.loc[found["motif"] == PRIMARY, "statut_confidentialite"] = "A"
    return found
