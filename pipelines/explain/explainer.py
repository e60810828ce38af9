"""Joins evidence, second path and published rows, network-year by network-year: each is read and recomputed once.

What an explanation says is in ``explanation``; nothing is printed here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.explain.agreement import differences, is_hidden, minimum_of, same_reason
from pipelines.explain.coded import coded
from pipelines.explain.evidence import DAMAGED, Evidence, Kept, Reader, gather_evidence
from pipelines.explain.left_out import left_out, reasons_of_rows
from pipelines.explain.observed import Question, recompute_observed
from pipelines.explain.places import Key, Regions, finest_level
from pipelines.explain.plain import kept_by
from pipelines.explain.transparency import recompute_transparency
from pipelines.explain.typed import recompute_typed
from pipelines.explain.weights import looseness, weights_of

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue, Export, Feed, Frequency, Indicator
    from pipelines.explain.agreement import Row
    from pipelines.explain.published import Release
    from pipelines.explain.recomputed import Line, Recomputed


@dataclass(frozen=True)
class Traced:
    """An indicator of a network and year, traced back: recomputed, or ``reason`` (id) why the run had nothing.

    ``faults``: what no longer holds in its sources; where nothing could be recomputed for it, it says why.
    """

    indicator: Indicator
    feed: Feed
    exports: list[Export]
    kept: Kept
    evidence: dict[str, Evidence]
    recomputed: Recomputed | None
    reason: str | None
    faults: list[str]

    def line(self, key: Key) -> Line | None:
        """Return the recomputed line of a unit, if there is one."""
        return self.recomputed.lines.get(key) if self.recomputed else None

    @property
    def counts_rows(self) -> bool:
        """Whether the rows in no base are read again: those of indicators computed from rows."""
        return self.recomputed is not None and self.indicator.estimator.family not in ("typed", "networks")

    def outside(self, key: Key, regions: Regions) -> dict[str, int]:
        """Count, by reason, the rows of a unit that are in no base."""
        found: dict[str, int] = {}
        for export in self.exports:
            rows = self.evidence[export.id].rows
            finer = self.feed.frequency or export.period.frequency
            frequency: Frequency = "year" if key[0].isdecimal() else finer
            reasons = reasons_of_rows(rows, export, self.indicator, self.feed)
            for reason, count in left_out(rows, reasons, key, frequency, regions).items():
                found[reason] = found.get(reason, 0) + count
        return found


class Explainer:
    """Traces rows of a release. ``kept`` gives what the run left of a network and year; ``read`` opens the archive.

    ``held`` tells whether the archive still holds a content (sha256) as it was received.
    """

    def __init__(
        self, catalogue: Catalogue, release: Release, kept: Callable[[str, int], Kept], read: Reader,
        held: Callable[[str], bool],
    ) -> None:  # fmt: skip
        self.catalogue, self.release = catalogue, release
        self._read, self._held = read, cache(held)
        self._kept = cache(kept)
        self._evidence = cache(self._gather)
        self.trace = cache(self._trace)

    def disagreements(self, row: Row) -> list[str] | None:
        """Say how a published row differs from the second path; None for a hidden row, which is not compared.

        What no longer holds in the sources of a row, hidden or not, is said of it too.
        """
        traced = self.trace(row["reseau"], int(row["annee"]), row["indicateur"])
        faults = [*self.release.faults, *traced.faults]
        if is_hidden(row):
            return faults or None
        if traced.reason:
            return [*faults, *same_reason(row, traced.reason, self.catalogue)]
        if traced.recomputed is None:
            return faults
        line = traced.line(key_of(row))
        if line is not None:
            minimum = minimum_of(traced.indicator, traced.exports[0])
            loose = max(looseness(export, int(row["annee"])) for export in traced.exports)
            return [*faults, *differences(row, line, traced.indicator, minimum, self.catalogue, loose)]
        if any(key[0] == row["periode"] for key in traced.recomputed.lines):
            return [*faults, "aucune ligne source ne donne cette ligne publiée"]
        return [*faults, *same_reason(row, "non-renseigne", self.catalogue)]

    def check(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Compare many published rows; return them with ``accord`` (None: hidden) and ``desaccords``."""
        found = [self.disagreements(row) for row in rows.to_dict("records")]
        return rows.assign(
            accord=pd.Series([None if item is None else not item for item in found], rows.index, dtype="object"),
            desaccords=[" ; ".join(item or ()) for item in found],
        )

    def _gather(self, network: str, year: int, export: str) -> Evidence:
        declared = self.catalogue.networks[network].export(export)
        assert declared is not None  # the catalogue was checked
        return gather_evidence(self.catalogue, network, year, declared, self._kept(network, year), self._read)

    def _trace(self, network: str, year: int, identifier: str) -> Traced:
        indicator, kept = self.catalogue.indicators[identifier], self._kept(network, year)
        feed = indicator.networks[network]
        exports = [export for name in feed.export if (export := self.catalogue.networks[network].export(name))]
        reasons = [state["motif"] for name in feed.export if (state := kept.state(name))["etat"] != "accepté"]
        reason = "rejete" if "rejete" in reasons else reasons[0] if reasons else None
        stale = not kept.results or not kept.report or kept.results["report"] != kept.report["fingerprint"]
        if reason is None and (identifier in kept.failures or stale):
            reason = "erreur-traitement"
        if reason is not None:
            return Traced(indicator, feed, exports, kept, {}, None, reason, self._archive_faults(kept, feed))
        evidence = {name: self._evidence(network, year, name) for name in feed.export}
        faults = [fault for item in evidence.values() for fault in item.faults]
        faults += [] if faults else _miscounted(identifier, indicator, feed, exports, kept, evidence)
        recomputed = None
        if all(len(item.rows) or not item.faults for item in evidence.values()):
            try:
                recomputed = self._recomputed(network, year, indicator, feed, exports, evidence)
            except ValueError as error:  # margins that can't be met
                faults.append(str(error))
        return Traced(indicator, feed, exports, kept, evidence, recomputed, None, faults)

    def _archive_faults(self, kept: Kept, feed: Feed) -> list[str]:
        """Say which received files the archive no longer holds: none of their rows is read, which would tell it."""
        files = [file for name in feed.export for file in kept.files(name)]
        return [f"{file['path']} : {DAMAGED}" for file in files if not self._held(file["sha256"])]

    def _recomputed(
        self, network: str, year: int, indicator: Indicator, feed: Feed, exports: list[Export],
        evidence: dict[str, Evidence],
    ) -> Recomputed:  # fmt: skip
        finest, regions = exports[0].period.frequency, Regions(self.catalogue.territories.of_year(year))
        frequencies: list[Frequency] = list(dict.fromkeys([feed.frequency or finest, "year"]))
        levels, family = indicator.levels_in(network), indicator.estimator.family
        rows = pd.concat(
            [_fed(evidence[export.id].rows, export, feed, year, family) for export in exports], ignore_index=True
        )
        if family == "typed":
            idle = frozenset(key for key, item in self.catalogue.reasons.items() if item.observation_status == "M")
            return recompute_typed(
                rows, indicator, levels, feed.inputs, finest, frequencies[0], regions, idle
            )  # fmt: skip
        if family == "networks":
            return recompute_transparency(rows, indicator, levels, feed.inputs, frequencies, regions)
        weighted = any(export.weight or export.calibration_of(year) for export in exports)
        rows = rows.join(coded(indicator.estimator, feed.inputs, rows))
        asked = Question(
            indicator, list(levels), frequencies, finest, weighted, any(export.sampled for export in exports),
            any(export.design for export in exports),
        )  # fmt: skip
        return recompute_observed(rows, asked, regions)


def _miscounted(
    identifier: str, indicator: Indicator, feed: Feed, exports: list[Export], kept: Kept, evidence: dict[str, Evidence]
) -> list[str]:  # fmt: skip
    """Say which exports' rows are no longer left out of the base for the reasons that the control counted."""
    if indicator.estimator.family in ("typed", "networks"):
        return []
    faults = []
    for export in exports:
        told = {item["indicator"]: item for item in (kept.report or {})["exports"][export.id].get("comptes", [])}
        if identifier not in told:
            continue
        found = reasons_of_rows(evidence[export.id].rows, export, indicator, feed).dropna().value_counts().to_dict()
        if found != told[identifier]["outside"]:
            faults.append(f"export {export.id} : les lignes hors de la base ne sont plus celles du contrôle")
    return faults


def key_of(row: Row) -> Key:
    """Return the unit of a published row."""
    return row["periode"], row["maille"], row["territoire_code"] or "", row["structure_code"] or ""


def _fed(rows: pd.DataFrame, export: Export, feed: Feed, year: int, family: str) -> pd.DataFrame:
    """Return the rows of an export that feed an indicator, with ``w`` and ``absence``."""
    if family not in ("typed", "networks"):
        rows = rows[rows["_maille"] == finest_level(export)]
        weights = weights_of(rows, export, year) if family != "total" else None
        rows = rows.assign(w=1.0 if weights is None else weights)
    rows = rows[kept_by(rows, feed.where)]
    absence = pd.Series(None, index=rows.index, dtype="object")
    for name in feed.inputs.values():
        column: Any = rows.get(f"_absence_{name}")
        absence = absence if column is None else absence.where(absence.notna(), column)
    return rows.assign(absence=absence.where(absence.notna(), None))
