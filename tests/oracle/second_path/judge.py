"""A release judged by the second path: each published row that is not hidden is computed again, and compared."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
from oracle.second_path.agreement import differences, minimum_of
from oracle.second_path.coded import coded
from oracle.second_path.left_out import left_out, reasons_of_rows
from oracle.second_path.numbers_of_rows import kept_by
from oracle.second_path.observed import Question, recompute_observed
from oracle.second_path.places import Key, Regions, finest_level
from oracle.second_path.transparency import recompute_transparency
from oracle.second_path.typed_values import recompute_typed
from oracle.second_path.weights import looseness, weights_of

from pipelines.explain.published_row import is_hidden, same_reason

if TYPE_CHECKING:
    from oracle.second_path.recomputed import Line, Recomputed

    from pipelines.declarations import Export, Feed, Frequency
    from pipelines.explain import Explainer
    from pipelines.explain.explainer import Traced
    from pipelines.explain.published_row import Row


class SecondPath:
    """Judges the rows of a release that ``explainer`` traces: only its evidence is used, nothing that it computes."""

    def __init__(self, explainer: Explainer) -> None:
        self.catalogue, self.release, self.explainer = explainer.catalogue, explainer.release, explainer
        self.recomputed = cache(self._recomputed)

    def disagreements(self, row: Row) -> list[str] | None:
        """Say how a published row differs from the second path; None for a hidden row, which is not compared."""
        network, year, identifier = row["reseau"], int(row["annee"]), row["indicateur"]
        traced = self.explainer.trace(network, year, identifier)
        if is_hidden(row):
            return traced.faults or None
        if traced.reason:
            return [*traced.faults, *same_reason(row, traced.reason, self.catalogue)]
        recomputed = self.recomputed(network, year, identifier)
        line = recomputed.lines.get(key_of(row))
        if line is not None:
            return [*traced.faults, *self._differences(row, line, traced)]
        if any(key[0] == row["periode"] for key in recomputed.lines):
            return [*traced.faults, "aucune ligne source ne donne cette ligne publiée"]
        return [*traced.faults, *same_reason(row, "non-renseigne", self.catalogue)]

    def _differences(self, row: Row, line: Line, traced: Traced) -> list[str]:
        minimum = minimum_of(traced.indicator, traced.exports[0])
        loose = max(looseness(export, int(row["annee"])) for export in traced.exports)
        return differences(row, line, traced.indicator, minimum, self.catalogue, loose)

    def other_rows(self, row: Row) -> list[str]:
        """Say how the rows shown behind a published row, and what is said to lack, differ from what counts here."""
        network, year, identifier = row["reseau"], int(row["annee"]), row["indicateur"]
        traced, key = self.explainer.trace(network, year, identifier), key_of(row)
        if traced.reason or key not in (recomputed := self.recomputed(network, year, identifier)).lines:
            return []
        told = []
        if _identified(recomputed.rows(key)) != _identified(traced.lines.counting(key)):
            told.append("les lignes qui comptent ne sont pas celles que l'on trouve")
        if row["motif_absence"] == "données incomplètes" and recomputed.missing(key) != traced.lines.missing(key):
            told.append("ce qui manque n'est pas ce que l'on trouve")
        family = traced.indicator.estimator.family
        if family not in ("typed", "networks") and self.outside(traced, key) != traced.lines.outside(key):
            told.append("les lignes hors de la base ne sont pas celles que l'on trouve")
        return told

    def outside(self, traced: Traced, key: Key) -> dict[str, int]:
        """Count, by reason, the rows of a unit that are in no base."""
        found: dict[str, int] = {}
        regions = Regions(self.catalogue.territories.of_year(int(key[0][:4])))
        for export in traced.exports:
            rows = traced.evidence[export.id].rows
            finer = traced.feed.frequency or export.period.frequency
            frequency: Frequency = "year" if key[0].isdecimal() else finer
            reasons = reasons_of_rows(rows, export, traced.indicator, traced.feed)
            for reason, count in left_out(rows, reasons, key, frequency, regions).items():
                found[reason] = found.get(reason, 0) + count
        return found

    def _recomputed(self, network: str, year: int, identifier: str) -> Recomputed:
        traced = self.explainer.trace(network, year, identifier)
        indicator, feed, exports = traced.indicator, traced.feed, traced.exports
        finest, regions = exports[0].period.frequency, Regions(self.catalogue.territories.of_year(year))
        frequencies: list[Frequency] = list(dict.fromkeys([feed.frequency or finest, "year"]))
        levels, family = indicator.levels_in(network), indicator.estimator.family
        rows = pd.concat(
            [_fed(traced.evidence[export.id].rows, export, feed, year, family) for export in exports],
            ignore_index=True,
        )
        if family == "typed":
            idle = frozenset(key for key, item in self.catalogue.reasons.items() if item.observation_status == "M")
            return recompute_typed(rows, indicator, levels, feed.inputs, finest, frequencies[0], regions, idle)
        if family == "networks":
            return recompute_transparency(rows, indicator, levels, feed.inputs, frequencies, regions)
        weighted = any(export.weight or export.calibration_of(year) for export in exports)
        rows = rows.join(coded(indicator.estimator, feed.inputs, rows))
        asked = Question(
            indicator, list(levels), frequencies, finest, weighted, any(export.sampled for export in exports),
            any(export.design for export in exports),
        )  # fmt: skip
        return recompute_observed(rows, asked, regions)


def key_of(row: Row) -> Key:
    """Return the unit of a published row."""
    return row["periode"], row["maille"], row["territoire_code"] or "", row["structure_code"] or ""


def _identified(rows: pd.DataFrame) -> set[tuple[Any, ...]]:
    return set(zip(rows["_export"], rows["_fichier"], rows["_ligne"], strict=True))


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
