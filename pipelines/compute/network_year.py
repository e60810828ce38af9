"""The results of one network for one year: every indicator it feeds, from the accepted exports.

They are ready for the national tables, which are put together in ``tables`` and where secrets are hidden: until then
the figures of rows marked C are there, and must not be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from pipelines.compute.calibration import DIAGNOSTICS, calibrate
from pipelines.compute.comparable_years import declared_breaks
from pipelines.compute.contributors import FEW, told_by_few
from pipelines.compute.declared_results import discrepancies, typed_results
from pipelines.compute.export_rows import Fed, Source, connect, structures
from pipelines.compute.intervals import critical
from pipelines.compute.network_transparency import transparency
from pipelines.compute.observed_results import observed_results
from pipelines.compute.sums import Sums, declared_rows, scan
from pipelines.declarations import Catalogue, Export, Feed, Indicator, Level, LevelRule
from pipelines.declarations.periods import FRENCH
from pipelines.declarations.references import Geography
from pipelines.disclosure.results_table import NUMBERS, UNPUBLISHED
from pipelines.disclosure.rules import SECRET, Rule, rule_of
from pipelines.disclosure.surveys import HIDDEN

# They tell of this machine (memory, disk, a run that is stopped), never of the data: not to be kept as a result.
_MACHINE_ERRORS = (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InterruptException, duckdb.FatalException)

RESULT_COLUMNS = {
    "indicateur": "str", "annee": "int64", "periode": "str", "frequence": "str", "maille": "str",
    "territoire_code": "str", "structure_code": "str", "structure": "str", "valeur": "float64",
    "borne_basse": "float64", "borne_haute": "float64", "effectif": "float64", "effectif_pondere": "float64",
    "numerateur": "float64", "denominateur": "float64", "statut_observation": "str",
    "statut_confidentialite": "str", "motif": "str", "mode_obtention": "str",
    "date_reference": "object", "date_extraction": "object", "source": "str",
    "estimation": "float64", "effectif_efficace": "float64", "erreur_type": "float64",
    "degres_liberte": "float64",
}  # fmt: skip

LEVEL_WORDS = {
    "declared": "valeur déclarée par le réseau",
    "sum": "somme",
    "ratio_of_sums": "rapport de sommes",
    "weighted_mean": "moyenne pondérée par les bases",
    "pooled": "estimation sur l'ensemble des réponses",
    "network_share": "part des réseaux",
    "network_mean": "moyenne simple des taux des réseaux",
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
    ``calibrations``: one line per export brought to margins (DIAGNOSTICS), whether it could be or not.
    """

    results: pd.DataFrame
    discrepancies: pd.DataFrame
    structures: pd.DataFrame
    failures: dict[str, str]
    calibrations: pd.DataFrame = field(default_factory=pd.DataFrame)


def compute_network_year(
    catalogue: Catalogue, network: str, year: int, observations: Mapping[str, Path], only: str | None = None
) -> NetworkYear:
    """Compute every indicator whose exports were accepted, or ``only`` one of them.

    ``observations`` gives the Parquet file of each accepted export (rows of that year only). An indicator one of whose
    exports is missing is left out: the coverage table says why. Indicators fed by the same exports share one scan.
    """
    declared = catalogue.networks[network]
    exports = {identifier: export for identifier in observations if (export := declared.export(identifier))}
    feeds = {
        identifier: feed
        for identifier, feed in catalogue.expected(network, year).items()
        if set(feed.export) <= set(observations) and only in (None, identifier)
    }
    with connect() as connection:
        sources = {name: Source(observations[name], export) for name, export in exports.items()}
        run = _Run(connection, catalogue, network, year, sources)
        for identifier, feed in feeds.items():
            run.compute(identifier, feed, feeds)
        offices = structures(connection, run.sources.values()) if exports else pd.DataFrame()
    return run.made(offices)


class _Run:
    """One network and year under way: its open DuckDB, the sources as calibrated, and what was made so far."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        catalogue: Catalogue,
        network: str,
        year: int,
        sources: dict[str, Source],
    ) -> None:
        self.connection, self.catalogue, self.network, self.year, self.sources = (
            connection,
            catalogue,
            network,
            year,
            sources,
        )
        self.geography = Geography(catalogue.territories.of_year(year))
        self.sums: dict[str, Sums] = {}
        self.results: list[pd.DataFrame] = []
        self.gaps: list[pd.DataFrame] = []
        self.failures: dict[str, str] = {}
        self.diagnostics: list[dict[str, object]] = []
        self.not_calibrated: dict[str, str] = {}
        for name, source in sources.items():
            if calibrated := calibrate(connection, source, year):
                self.diagnostics.append(calibrated.diagnostics)
                self.sources[name] = calibrated.source
                if calibrated.failure:
                    self.not_calibrated[name] = calibrated.failure

    def compute(self, identifier: str, feed: Feed, feeds: Mapping[str, Feed]) -> None:
        """Add the results of one indicator, or the reason why it has none; the other indicators go on."""
        refused = [self.not_calibrated[name] for name in feed.export if name in self.not_calibrated]
        if refused:
            self.failures[identifier] = refused[0]
            return
        try:
            results, differences = self._indicator(identifier, feed, feeds)
            results = self._dated(results, identifier, feed)
        except _MACHINE_ERRORS:
            raise
        except (ArithmeticError, ValueError, duckdb.Error) as error:  # what data can do
            self.failures[identifier] = f"{type(error).__name__} : {error}"
            return
        self.results += [results] if len(results) else []
        self.gaps += [differences.assign(indicateur=identifier, annee=self.year)] if len(differences) else []

    def _indicator(self, identifier: str, feed: Feed, feeds: Mapping[str, Feed]) -> tuple[pd.DataFrame, pd.DataFrame]:
        fed = self._fed(identifier, feed)
        indicator, gaps = fed.indicator, pd.DataFrame()
        levels = indicator.levels_in(self.network)
        if indicator.estimator.family == "typed":
            rows = declared_rows(self.connection, fed)
            idle = {key for key, reason in self.catalogue.reasons.items() if reason.observation_status == "M"}
            published = feed.frequency or fed.finest
            results = typed_results(rows, levels, indicator.year, fed.finest, published, self.geography, idle)
            gaps = discrepancies(rows, levels, indicator.decimals, self.geography)
        elif indicator.estimator.family == "networks":
            results = transparency(self.connection, fed, levels, self.geography)
        else:
            sums = self._sums(identifier, fed, feeds)
            results = observed_results(self.connection, fed, sums, list(levels), self.geography)
            results = told_by_few(self.connection, results, fed, self.geography)
        return _with_modes(results, indicator, levels), gaps

    def _fed(self, identifier: str, feed: Feed) -> Fed:
        return Fed(self.catalogue.indicators[identifier], feed, [self.sources[name] for name in feed.export])

    def _sums(self, identifier: str, fed: Fed, feeds: Mapping[str, Feed]) -> Sums:
        """Return the indicator's sums: scanned with all that the same exports feed, or alone if that scan fails."""
        if identifier not in self.sums:
            same = {key: self._fed(key, feed) for key, feed in feeds.items() if feed.export == fed.feed.export}
            together = {
                key: other
                for key, other in same.items()
                if other.indicator.estimator.family not in ("typed", "networks")
            }
            try:
                self.sums |= scan(self.connection, together)
            except _MACHINE_ERRORS:
                raise
            except duckdb.Error:  # one of them is at fault: each is then scanned, and fails, by itself
                self.sums |= scan(self.connection, {identifier: fed})
        return self.sums.pop(identifier)

    def _dated(self, found: pd.DataFrame, identifier: str, feed: Feed) -> pd.DataFrame:
        """Add where the values come from and when it was extracted; finish."""
        if found.empty:
            return found
        exports = [self.sources[name].export for name in feed.export]
        days = [layout.extracted for export in exports if (layout := export.layout(self.year)) and layout.extracted]
        names = found.get("source", pd.Series(", ".join(feed.export), index=found.index)).tolist()
        written = {text: ", ".join(f"{self.network}/{name}" for name in text.split(", ")) for text in set(names)}
        found = found.assign(
            indicateur=identifier, date_extraction=max(days, default=None), source=[written[text] for text in names]
        )
        provisional = self.catalogue.networks[self.network].provisional_years
        broken = bool(declared_breaks(self.catalogue, self.network, identifier, self.year))
        return _finished(found, self.catalogue.indicators[identifier], exports[0], provisional, broken)

    def made(self, offices: pd.DataFrame) -> NetworkYear:
        """Put together what was made."""
        empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in RESULT_COLUMNS.items()})
        lines = pd.DataFrame(self.diagnostics, columns=list(DIAGNOSTICS)) if self.diagnostics else pd.DataFrame()
        return NetworkYear(
            pd.concat(self.results, ignore_index=True)[list(RESULT_COLUMNS)] if self.results else empty,
            pd.concat(self.gaps, ignore_index=True) if self.gaps else pd.DataFrame(),
            offices,
            self.failures,
            lines.astype(DIAGNOSTICS) if len(lines) else lines,
        )


def _with_modes(results: pd.DataFrame, indicator: Indicator, levels: Mapping[Level, LevelRule]) -> pd.DataFrame:
    if results.empty:
        return results
    year = YEAR_WORDS[indicator.year]
    words = results["maille"].map({level: LEVEL_WORDS[rule.obtained] for level, rule in levels.items()})
    also = (results["frequence"] == "year") & (words != year)
    return results.assign(mode_obtention=words.mask(also, words + f" ; {year}"))


def _finished(
    results: pd.DataFrame, indicator: Indicator, export: Export, provisional: tuple[int, ...], broken: bool
) -> pd.DataFrame:
    """Add years, statuses and reasons, mark what rests on too small a base, round."""
    years = np.array([int(period[:4]) for period in results["periode"].tolist()], dtype=np.int64)
    results = results.assign(
        annee=years,
        frequence=[FRENCH[frequency] for frequency in results["frequence"].tolist()],
        statut_observation=np.where(np.isin(years, provisional), "P", "B" if broken else "A"),
        statut_confidentialite="F",
    )
    results = _with_errors(results, indicator)
    results = _mark_small_bases(results, rule_of(indicator, {export.kind}))
    if np.isinf(results[NUMBERS].to_numpy(float)).any():
        raise OverflowError("une somme dépasse ce qu'un nombre peut contenir")
    bounds = results[["borne_basse", "borne_haute"]].astype("float64").clip(*(indicator.range or (-np.inf, np.inf)))
    results = results.assign(
        valeur=results["valeur"].round(indicator.decimals),
        effectif_pondere=results["effectif_pondere"].astype("float64").round(3),
        **bounds.round(indicator.decimals),
    )
    absent = results["valeur"].isna()
    if absent.any():
        blank = ["borne_basse", "borne_haute", "effectif_pondere", "numerateur", "denominateur", *UNPUBLISHED]
        results.loc[absent, blank] = np.nan
    return results


def _with_errors(results: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """Keep the value before rounding, and half of the interval over its critical value: the standard error.

    For a quantile, that is McKean and Schrader's (1984) estimator. A share has its effective size instead, a net score
    both its effective size and the standard error that goes with it.
    """
    freedom = results.get("degres_liberte", pd.Series(np.nan, index=results.index)).astype("float64")
    z = critical(np.asarray(freedom.fillna(np.inf), dtype=np.float64))
    half = (results["borne_haute"] - results["borne_basse"]).astype("float64") / (2 * z)
    error = np.nan if indicator.estimator.proportion else results["erreur_type"] if indicator.estimator.net else half
    return results.assign(
        estimation=results["valeur"].astype("float64"),
        effectif_efficace=results.get("effectif_efficace", np.nan),
        erreur_type=error,
        degres_liberte=freedom,
    )


def _mark_small_bases(results: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Mark C the values under the minimum base, for secrecy; blank those that are only unreliable.

    Secret values stay here: what must be hidden beside them depends on all that is published (``disclosure``), which
    blanks them on the way to the national tables.
    """
    small = results["valeur"].notna() & (results["effectif"] < rule.minimum)
    if FEW in results:
        small |= results["valeur"].notna() & results[FEW]
    weak = results["valeur"].notna() & (results["effectif"] < rule.reliable) & ~small
    if weak.any():
        results.loc[weak, [*UNPUBLISHED, *(name for name in NUMBERS if name != "effectif")]] = np.nan
    motif = np.where(weak, "base-insuffisante", np.where(small, SECRET, results["motif"].astype("object")))
    return results.assign(motif=motif, statut_confidentialite=np.where(motif == SECRET, HIDDEN, "F"))
