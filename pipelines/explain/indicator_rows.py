"""The rows read again that feed an indicator, each with what the pipeline makes of it, ready to be traced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.compute.accounts import reasons_of_rows
from pipelines.compute.source import Source, connect
from pipelines.compute.sums import declared_rows
from pipelines.compute.typed import typed_results
from pipelines.compute.units import Geography
from pipelines.explain.lines import NetworkLines, ObservedLines, TypedLines
from pipelines.explain.recomputed import by_unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.declarations import Catalogue, Feed
    from pipelines.explain.evidence import Evidence
    from pipelines.explain.lines import Lines

_REPLACED = "autre_periode"  # gives a value that a later one of its year replaces
_NOT_FED = ("autre_maille", "condition_non_remplie")


def lines_of(
    catalogue: Catalogue, network: str, year: int, identifier: str, evidence: Mapping[str, Evidence],
    observations: Mapping[str, Path],
) -> Lines:  # fmt: skip
    """Return what traces an indicator of a network and year; raises duckdb.Error where it can't be computed.

    ``evidence`` and ``observations``, the same rows as Parquet, by export of its feed.
    """
    indicator, declared = catalogue.indicators[identifier], catalogue.networks[network]
    feed, levels = indicator.networks[network], indicator.levels_in(network)
    exports = [export for name in feed.export if (export := declared.export(name))]
    frames = []
    for export in exports:
        reasons = reasons_of_rows(catalogue, network, export, year, identifier, observations[export.id])
        frames.append(evidence[export.id].rows.assign(reason=pd.Series(reasons, dtype="object")))
    rows = pd.concat(frames, ignore_index=True)
    finest = exports[0].period.frequency
    published, geography = feed.frequency or finest, Geography(catalogue.territories.of_year(year))
    if indicator.estimator.family == "networks":
        gives = rows["reason"].isna() | (rows["reason"] == _REPLACED)
        return NetworkLines(rows[gives], levels, published, geography)
    if indicator.estimator.family != "typed":
        return ObservedLines(rows, finest, published, geography, indicator.estimator.name == "sum")
    idle = frozenset(key for key, reason in catalogue.reasons.items() if reason.observation_status == "M")
    with connect() as connection:
        sources = [Source(observations[export.id], export) for export in exports]
        typed = declared_rows(connection, indicator, feed, sources)
    values = typed_results(typed, levels, indicator.year, finest, finest, geography, idle)
    return TypedLines(
        _typed(rows, feed), by_unit(values), levels, indicator.year, finest, geography, idle
    )  # fmt: skip


def _typed(rows: pd.DataFrame, feed: Feed) -> pd.DataFrame:
    """Return the typed rows that feed an indicator: which give a value or a base, and why the others give none."""
    rows = rows[~rows["reason"].isin(_NOT_FED)]
    known = rows["reason"].isna() | (rows["reason"] == _REPLACED)
    absence = pd.Series(None, index=rows.index, dtype="object")
    for name in feed.inputs.values():
        if f"_absence_{name}" in rows:
            absence = absence.where(absence.notna(), rows[f"_absence_{name}"])
    based = rows[feed.inputs["base"]].notna() if "base" in feed.inputs else False
    return rows.assign(known=known, based=based, absence=absence.where(~known, None))
