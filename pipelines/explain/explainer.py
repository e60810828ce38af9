"""Joins evidence, published rows and figures computed again by the pipeline's own estimators, an indicator at a time.

What an explanation says is in ``explanation``; nothing is printed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.compute.accounts import reasons_of_rows
from pipelines.compute.declared_results import typed_results
from pipelines.compute.export_rows import Fed, Source, connect
from pipelines.compute.network_year import compute_network_year
from pipelines.compute.sums import declared_rows
from pipelines.declarations.references import Geography
from pipelines.declarations.statuses import Status
from pipelines.explain.accepted_rows import NOT_FED, NetworkLines, ObservedLines, TypedLines
from pipelines.explain.archived_rows import DAMAGED, gather_evidence, is_held
from pipelines.explain.published_row import by_unit, differences, is_hidden, kept_from, key_of, same_reason
from pipelines.flow.state import ExportVerdict
from pipelines.validate import observation_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pipelines.declarations import Catalogue, Export, Feed, Indicator
    from pipelines.explain.accepted_rows import Lines
    from pipelines.explain.archived_rows import Evidence
    from pipelines.explain.published_row import Key, Release, Row
    from pipelines.flow.state import ReleasedYear
    from pipelines.read import Archive


_REPLACED = "autre_periode"  # gives a value that a later one of its year replaces
_NAMES = "_structure_nom"  # what offices are called bears on no figure


class NotComputedError(Exception):
    """The indicator can't be computed from these rows; the message says why."""


@dataclass(frozen=True)
class Traced:
    """An indicator of a network and year, traced back: computed again, or ``reason`` (id) why the run had nothing.

    ``results``: every unit, with secret figures. ``lines``: the rows behind them, None where nothing could be computed.
    ``faults``: what no longer holds in its sources; where nothing could be computed for it, it says why.
    """

    indicator: Indicator
    feed: Feed
    exports: list[Export]
    kept: ReleasedYear
    evidence: dict[str, Evidence]
    results: dict[Key, Row]
    lines: Lines | None
    reason: str | None
    faults: list[str]

    def line(self, row: Row) -> Row | None:
        """Return what a published row is computed again as, if anything."""
        return self.results.get(key_of(row))


class Explainer:
    """Traces rows of a release.

    ``kept`` gives what the run left of a network and year; ``archive`` holds what was received; what is read again is
    written in ``folder``, for as long as the explainer is used.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        release: Release,
        kept: Callable[[str, int], ReleasedYear],
        archive: Archive,
        folder: Path,
    ) -> None:
        self.catalogue, self.release = catalogue, release
        self._archive, self._folder = archive, folder
        self._kept = cache(kept)
        self._evidence = cache(self._gather)
        self.trace = cache(self._trace)

    def disagreements(self, row: Row) -> list[str] | None:
        """Say how a published row differs from what is computed again; None for one not compared.

        What no longer holds in the sources of a row, hidden or not, is said of it too.
        """
        traced = self.trace(row["reseau"], int(row["annee"]), row["indicateur"])
        faults = [*self.release.faults, *traced.faults]
        if is_hidden(row) or kept_from(row):
            return faults or None
        if traced.reason:
            return [*faults, *same_reason(row, traced.reason, self.catalogue)]
        if traced.lines is None:
            return faults
        line = traced.line(row)
        if line is not None:
            return [*faults, *differences(row, line, traced.indicator, self.catalogue)]
        if any(key[0] == row["periode"] for key in traced.results):
            return [*faults, "aucune ligne source ne donne cette ligne publiée"]
        return [*faults, *same_reason(row, "non-renseigne", self.catalogue)]

    def _gather(self, network: str, year: int, export: str) -> tuple[Evidence, Path]:
        """Return the rows of an export read again, and the Parquet that holds them as control writes observations."""
        declared = self.catalogue.networks[network].export(export)
        assert declared is not None  # the catalogue was checked
        evidence = gather_evidence(self.catalogue, network, year, declared, self._kept(network, year), self._archive)
        path = self._folder / f"{network}-{year}-{export}.parquet"
        fields = [
            field for field in observation_schema(declared) if field.name in evidence.rows or field.name == _NAMES
        ]
        rows = evidence.rows.assign(**{_NAMES: None})
        pq.write_table(pa.Table.from_pandas(rows, pa.schema(fields), preserve_index=False), path)
        return evidence, path

    def _trace(self, network: str, year: int, identifier: str) -> Traced:
        indicator, kept = self.catalogue.indicators[identifier], self._kept(network, year)
        feed = indicator.networks[network]
        exports = [export for name in feed.export if (export := self.catalogue.networks[network].export(name))]
        reason = _why_nothing(identifier, feed, kept)
        if reason is not None:
            return Traced(indicator, feed, exports, kept, {}, {}, None, reason, self._archive_faults(kept, feed))
        gathered = {name: self._evidence(network, year, name) for name in feed.export}
        evidence = {name: one for name, (one, _) in gathered.items()}
        faults = [fault for one in evidence.values() for fault in one.faults]
        results, lines = {}, None
        if all(len(one.rows) or not one.faults for one in evidence.values()):
            observations = {name: path for name, (_, path) in gathered.items()}
            try:
                results = self._results(network, year, identifier, observations)
                lines = self._lines(network, year, identifier, exports, evidence, observations)
            except (NotComputedError, duckdb.Error) as error:
                faults.append(f"calcul impossible : {error}")
        if lines is not None and not faults:
            faults = _miscounted(identifier, lines, exports, kept)
        return Traced(indicator, feed, exports, kept, evidence, results, lines, None, faults)

    def _archive_faults(self, kept: ReleasedYear, feed: Feed) -> list[str]:
        """Say which received files the archive no longer holds: none of their rows is read, which would tell it."""
        received = kept.known.reception.exports if kept.known.reception else {}
        files = [file for name in feed.export for file in received.get(name, ())]
        return [f"{file.path} : {DAMAGED}" for file in files if not is_held(self._archive, file.sha256)]

    def _results(self, network: str, year: int, identifier: str, observations: Mapping[str, Path]) -> dict[Key, Row]:
        """Return every unit of an indicator (columns of RESULT_COLUMNS, secret figures included)."""
        computed = compute_network_year(self.catalogue, network, year, observations, identifier)
        if identifier in computed.failures:
            raise NotComputedError(computed.failures[identifier])
        return by_unit(computed.results)

    def _lines(
        self,
        network: str,
        year: int,
        identifier: str,
        exports: list[Export],
        evidence: Mapping[str, Evidence],
        observations: Mapping[str, Path],
    ) -> Lines:
        """Return the rows behind each unit of an indicator; raises duckdb.Error where it can't be computed."""
        indicator = self.catalogue.indicators[identifier]
        feed, levels = indicator.networks[network], indicator.levels_in(network)
        frames = []
        for export in exports:
            reasons = reasons_of_rows(self.catalogue, network, export, year, identifier, observations[export.id])
            frames.append(evidence[export.id].rows.assign(reason=pd.Series(reasons, dtype="object")))
        rows = pd.concat(frames, ignore_index=True)
        finest = exports[0].period.frequency
        published, geography = feed.frequency or finest, Geography(self.catalogue.territories.of_year(year))
        if indicator.estimator.family == "networks":
            gives = rows["reason"].isna() | (rows["reason"] == _REPLACED)
            return NetworkLines(rows[gives], levels, published, geography)
        if indicator.estimator.family != "typed":
            return ObservedLines(rows, finest, published, geography, indicator.estimator.name == "sum")
        idle = frozenset(key for key, reason in self.catalogue.reasons.items() if reason.observation_status == "M")
        with connect() as connection:
            sources = [Source(observations[export.id], export) for export in exports]
            typed = declared_rows(connection, Fed(indicator, feed, sources))
        values = typed_results(typed, levels, indicator.year, finest, finest, geography, idle)
        return TypedLines(_typed(rows, feed), by_unit(values), levels, indicator.year, finest, geography, idle)


def _why_nothing(identifier: str, feed: Feed, kept: ReleasedYear) -> str | None:
    """Return the reason (id) why the run had no value of an indicator, None where it had."""
    states = [kept.known.of_export(name) for name in feed.export]
    reasons = [state.reason for state in states if state.status != Status.ACCEPTED]
    if reasons:
        return "rejete" if "rejete" in reasons else str(reasons[0])
    failed = identifier in kept.known.failures or not kept.known.computed
    return "erreur-traitement" if failed else None


def _miscounted(identifier: str, lines: Lines, exports: list[Export], kept: ReleasedYear) -> list[str]:
    """Say which exports' rows are no longer left out of the base for the reasons that the control counted."""
    if not isinstance(lines, ObservedLines):
        return []
    faults = []
    for export in exports:
        verdict = kept.known.of_export(export.id)
        accounts = verdict.accounts if isinstance(verdict, ExportVerdict) else ()
        counted = {account.indicator: account.outside for account in accounts}
        if identifier in counted and lines.reasons(export.id) != counted[identifier]:
            faults.append(f"export {export.id} : les lignes hors de la base ne sont plus celles du contrôle")
    return faults


def _typed(rows: pd.DataFrame, feed: Feed) -> pd.DataFrame:
    """Return the typed rows that feed an indicator: which give a value or a base, and why the others give none."""
    rows = rows[~rows["reason"].isin(NOT_FED)]
    gives_value = rows["reason"].isna() | (rows["reason"] == _REPLACED)
    absence = pd.Series(None, index=rows.index, dtype="object")
    for name in feed.inputs.values():
        if f"_absence_{name}" in rows:
            absence = absence.where(absence.notna(), rows[f"_absence_{name}"])
    based = rows[feed.inputs["base"]].notna() if "base" in feed.inputs else False
    return rows.assign(known=gives_value, based=based, absence=absence.where(~gives_value, None))
