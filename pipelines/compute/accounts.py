"""Every accepted row of an export, in the base of each indicator that it feeds or counted under one reason.

One scan without any grouping for all the indicators of an export, by the same SQL conditions as their results; the
values met under a reason are asked for only where it has rows. No statistics here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.compute.export_rows import Source, code, column, connect, kept, literal, typed_value
from pipelines.declarations import Catalogue, Export, Feed, Indicator
from pipelines.declarations import estimators as declared
from pipelines.declarations.network import NUMERIC
from pipelines.declarations.periods import last_day, period_of
from pipelines.declarations.statuses import REASONS, Account
from pipelines.declarations.strict_model import LEVELS
from pipelines.mechanics import french

MOST_VALUES = 5  # of a reason, told to the producer
_PLACE = "_annee, _maille, _territoire, _structure"


@dataclass(frozen=True)
class _Fed:
    """An indicator that the export feeds, and the years in which it does."""

    identifier: str
    indicator: Indicator
    feed: Feed
    network: str
    years: tuple[int, ...]


def accounts_of(
    catalogue: Catalogue, network: str, export: Export, years: Iterable[int], observations: Path
) -> list[Account]:
    """Return what became of the accepted rows (Parquet) of an export, for each indicator that it feeds in ``years``."""
    fed = _fed(catalogue, network, export, years)
    if not fed:
        return []
    source = Source(observations, export)
    with connect() as connection:
        try:
            return _accounts(connection, fed, source)
        except duckdb.Error:  # one of them can't be computed, and is told so with the results: the others are counted
            counted: list[Account] = []
            for feeding in fed:
                with suppress(duckdb.Error):
                    counted += _accounts(connection, [feeding], source)
            return counted


def reasons_of_rows(
    catalogue: Catalogue, network: str, export: Export, year: int, identifier: str, observations: Path
) -> list[str | None]:
    """Return why each accepted row (Parquet, in its order) of an export is out of the base of an indicator.

    None of a row in the base. Raises duckdb.Error when the declaration asks of the rows what they can't give.
    """
    feeding = next(feeding for feeding in _fed(catalogue, network, export, [year]) if feeding.identifier == identifier)
    source = Source(observations, export)
    rows = f"read_parquet({literal(str(observations))}, file_row_number = true)"
    with connect() as connection:
        reason = _reason(connection, feeding, source)
        rows_of_reasons = connection.execute(f"SELECT {reason} FROM {rows} ORDER BY file_row_number").fetchall()
    return [row[0] for row in rows_of_reasons]


def _accounts(connection: duckdb.DuckDBPyConnection, fed: Sequence[_Fed], source: Source) -> list[Account]:
    reasons = [_reason(connection, feeding, source) for feeding in fed]
    columns = ", ".join(f"{sql} AS r{rank}" for rank, sql in enumerate(reasons))
    connection.execute(f"CREATE OR REPLACE TEMP VIEW lignes AS SELECT *, {columns} FROM {source.file}")
    counts = _counted(connection, fed)
    return [
        Account(feeding.identifier, accepted, base, outside, _seen(connection, rank, feeding, outside))
        for rank, (feeding, (accepted, base, outside)) in enumerate(zip(fed, counts, strict=True))
    ]


def _fed(catalogue: Catalogue, network: str, export: Export, years: Iterable[int]) -> list[_Fed]:
    years_of: dict[str, list[int]] = {}
    for year in years:
        for identifier, feed in catalogue.expected(network, year).items():
            if export.id in feed.export:
                years_of.setdefault(identifier, []).append(year)
    fed = []
    for identifier, within in years_of.items():
        indicator = catalogue.indicators[identifier]
        fed.append(_Fed(identifier, indicator, indicator.networks[network], network, tuple(within)))
    return fed


def _counted(connection: duckdb.DuckDBPyConnection, fed: Sequence[_Fed]) -> list[tuple[int, int, dict[str, int]]]:
    sums = []
    for rank, feeding in enumerate(fed):
        within = f"_annee IN ({', '.join(map(str, feeding.years))})"
        sums.append(f"count(*) FILTER ({within}), histogram(r{rank}) FILTER ({within})")
    row = connection.execute(f"SELECT {', '.join(sums)} FROM lignes").fetchone()
    assert row is not None  # sums without a grouping are one row
    counts = []
    for accepted, by_reason in zip(row[::2], row[1::2], strict=True):
        outside = {name: by_reason[name] for name in REASONS if name in by_reason} if by_reason else {}
        counts.append((accepted, accepted - sum(outside.values()), outside))
    return counts


def _seen(
    connection: duckdb.DuckDBPyConnection, rank: int, feeding: _Fed, outside: Mapping[str, int]
) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return the values most often met under each reason that a value explains."""
    values = _told_values(feeding)
    asked = {reason: values[reason] for reason in outside if reason in values}
    most_met: dict[str, tuple[tuple[str, int], ...]] = {}
    for reason, value in asked.items():
        rows = connection.execute(f"""
            SELECT {value}, count(*) AS n FROM lignes
            WHERE r{rank} = '{reason}' AND _annee IN ({", ".join(map(str, feeding.years))})
            GROUP BY 1 ORDER BY n DESC, 1 NULLS LAST LIMIT {MOST_VALUES}
        """).fetchall()
        most_met[reason] = tuple((french.cell(value_met), int(count)) for value_met, count in rows)
    return most_met


def _told_values(feeding: _Fed) -> dict[str, str]:
    """Return the SQL of the value that explains a reason, where one does: of a condition, the first that fails."""
    explaining = {}
    conditions = list(feeding.feed.where.items())
    if len(conditions) == 1:
        explaining["condition_non_remplie"] = column(conditions[0][0])
    elif conditions:
        branches = [
            f"WHEN NOT coalesce({column(name)} IN ({', '.join(map(literal, values))}), false) "
            f"THEN CAST({column(name)} AS VARCHAR)"
            for name, values in conditions
        ]
        explaining["condition_non_remplie"] = f"CASE {' '.join(branches)} END"
    answers = [name for key, name in feeding.feed.inputs.items() if key in ("answer", "rating", "delay")]
    if answers:
        reasons = ("reponse_exclue", "hors_liste", "hors_echelle", "delai_negatif")
        explaining |= dict.fromkeys(reasons, column(answers[0]))
    return explaining


def _reason(connection: duckdb.DuckDBPyConnection, feeding: _Fed, source: Source) -> str:
    """Return the SQL of the reason why a row is out of the base; NULL for one that is in it."""
    family = feeding.indicator.estimator.family
    levels = ", ".join(map(literal, _levels(connection, feeding, source)))
    branches = [f"WHEN _maille NOT IN ({levels}) THEN 'autre_maille'"]
    if condition := kept(feeding.feed):
        branches.append(f"WHEN NOT coalesce({condition}, false) THEN 'condition_non_remplie'")
    branches += _input_branches(feeding, source.export)
    if family == "typed":
        branches += _typed_branches(feeding, source)
    elif family == "networks":
        branches += _network_branches(connection, feeding, source)
    elif family != "total" and source.weight:
        branches += [
            f"WHEN {source.weight} IS NULL THEN 'poids_absent'",
            f"WHEN NOT {source.weight} > 0 THEN 'poids_nul'",
        ]
    return f"CASE {' '.join(branches)} END"


def _levels(connection: duckdb.DuckDBPyConnection, feeding: _Fed, source: Source) -> list[str]:
    """Return the levels of the rows that make the values: the finest or, of typed values, those that are used."""
    family = feeding.indicator.estimator.family
    if family == "networks":
        return list(LEVELS)
    if family != "typed":
        return [source.finest]
    condition = kept(feeding.feed)
    rows = connection.execute(
        f"SELECT DISTINCT _maille FROM {source.file} {f'WHERE {condition}' if condition else ''}"
    ).fetchall()
    there = [level for level in LEVELS if (level,) in rows]
    used: set[str] = set()
    for level, rule in feeding.indicator.levels_in(feeding.network).items():
        below = [name for name in there if LEVELS.index(name) < LEVELS.index(level)]
        used |= {level} if rule.obtained == "declared" else set(below[:1])
        used |= set(below) if rule.compare else set()
    return sorted(used) or ["aucune"]


def _input_branches(feeding: _Fed, export: Export) -> list[str]:
    """Return the branches of what the inputs of a row lack, or hold that the estimator does not count."""
    estimator, inputs = feeding.indicator.estimator, feeding.feed.inputs
    if isinstance(estimator, declared.Ratio):
        above, below = (column(inputs[name]) for name in ("numerator", "denominator"))
        return [
            f"WHEN {above} IS NULL AND {below} IS NULL THEN 'sans_reponse'",
            f"WHEN {above} IS NULL OR {below} IS NULL THEN 'couple_incomplet'",
            f"WHEN {below} = 0 THEN 'non_calculable'",
        ]
    needed = [column(name) for key, name in inputs.items() if key != "base"]
    branches = [f"WHEN {' OR '.join(f'{name} IS NULL' for name in needed)} THEN 'sans_reponse'"] if needed else []
    if estimator.family in ("typed", "networks"):
        return branches
    if excluded := estimator.set_aside():
        listed = ", ".join(map(literal, excluded))
        branches.append(f"WHEN {column(inputs['answer'])} IN ({listed}) THEN 'reponse_exclue'")
    return [*branches, f"WHEN NOT ({code(estimator, inputs).in_base}) THEN '{_uncounted(feeding, export)}'"]


def _uncounted(feeding: _Fed, export: Export) -> str:
    """Name what an input is that the estimator does not count."""
    inputs = feeding.feed.inputs
    field = export.field(inputs["answer"]) if "answer" in inputs else None
    if field is not None and field.type not in NUMERIC:
        return "hors_liste"
    return "delai_negatif" if isinstance(feeding.indicator.estimator, declared.WithinDeadline) else "hors_echelle"


def _typed_branches(feeding: _Fed, source: Source) -> list[str]:
    """Return the branches of a typed value that can't be made, or that a later one of its year replaces."""
    value = typed_value(feeding.indicator.estimator, feeding.feed.inputs)
    branches = [f"WHEN {value} IS NULL THEN 'non_calculable'"]
    if feeding.indicator.year != "last" or (feeding.feed.frequency or source.export.period.frequency) != "year":
        return branches
    condition = f" AND {kept(feeding.feed)}" if feeding.feed.where else ""
    latest = f"max(_periode) FILTER ({value} IS NOT NULL{condition}) OVER (PARTITION BY {_PLACE})"
    return [*branches, f"WHEN _periode < {latest} THEN 'autre_periode'"]


def _network_branches(connection: duckdb.DuckDBPyConnection, feeding: _Fed, source: Source) -> list[str]:
    """Return the branches of rows of networks: without any site, or of a period that is not the last of its kind."""
    inputs, finest = feeding.feed.inputs, source.export.period.frequency
    branches = [f"WHEN NOT {column(inputs['sites'])} > 0 THEN 'non_calculable'"] if "sites" in inputs else []
    conditions = [f"{column(inputs['published'])} IS NOT NULL", *filter(None, [kept(feeding.feed)])]
    conditions += [f"{column(inputs['sites'])} > 0"] if "sites" in inputs else []
    rows = connection.execute(
        f"SELECT DISTINCT _periode FROM {source.file} WHERE {' AND '.join(conditions)} ORDER BY 1"
    ).fetchall()
    periods = [str(row[0]) for row in rows]
    latest = {
        (frequency, period_of(last_day(name), frequency)): name
        for frequency in (feeding.feed.frequency or finest, "year")
        for name in periods
    }  # the last one of each published period stays
    used = ", ".join(map(literal, sorted(set(latest.values())))) or "''"
    return [*branches, f"WHEN _periode NOT IN ({used}) THEN 'autre_periode'"]
