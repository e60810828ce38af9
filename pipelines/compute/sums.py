"""Observations (Parquet) → sums per cell, by DuckDB: one scan for all the indicators that the same exports feed.

What sums mean is in ``observed_results``; quantiles, which no sums give, are in ``quantiles``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from pipelines.compute.export_rows import CELL, CELL_ORDER, Coded, Fed, Source, code, kept, typed_value
from pipelines.compute.export_rows import column as quoted
from pipelines.compute.units import Cells

DESIGN = ["_strate", "_grappe"]
SUMMED = ["sw", "sw2", "swx", "swx2", "saa", "sab", "base"]


@dataclass(frozen=True)
class Sums:
    """Sums of one indicator: ``sums``, by ``_cell`` of the ``cells`` of its scan, and, with a design, ``parts``.

    n: rows in the base, those that make a part of the value (a row without weight or of weight 0 makes none, nor does
    one of denominator 0), on which secrecy and intervals rest. Of these, with w the weight, x the coded value and y a
    ratio's denominator (1 elsewhere): sw = Σwy, sw2 = Σ(wy)², swx = Σwx, swx2 = Σwx², saa = Σ(wx)², sab = Σ(wx)(wy),
    base = Σy. ``motif``: the reason of the declared absences of the cell's inputs, when there is a single one.
    ``parts`` holds the same sums, cell by cell (``_cell`` is in both), of each stratum and cluster.
    """

    cells: Cells
    sums: pd.DataFrame
    parts: pd.DataFrame | None


def scan(connection: duckdb.DuckDBPyConnection, together: Mapping[str, Fed]) -> dict[str, Sums]:
    """Return the sums of every indicator (by id), all fed by the same exports, in one pass over the rows."""
    sources = next(iter(together.values())).sources
    designed = any(source.export.design for source in sources)
    plans = {identifier: _Plan(rank, fed) for rank, (identifier, fed) in enumerate(together.items())}
    keys = [*CELL, *(DESIGN if designed else [])]
    rows = " UNION ALL ".join(_rows(source, plans.values(), designed) for source in sources)
    aggregates = ", ".join(f"{sql} AS {name}" for plan in plans.values() for name, sql in plan.aggregates().items())
    query = f"""
        SELECT {", ".join(keys)}, max(_structure_nom) AS _structure_nom, {aggregates}
        FROM ({rows}) GROUP BY ALL ORDER BY {CELL_ORDER}{", _strate, _grappe" if designed else ""}
    """
    found = connection.execute(query).df()
    found["_cell"] = found.groupby(CELL, dropna=False, sort=False).ngroup() if designed else np.arange(len(found))
    cells = Cells(_keys(found) if designed else found[[*CELL, "_structure_nom"]])
    return {identifier: plan.sums(found, cells, designed) for identifier, plan in plans.items()}


def _keys(found: pd.DataFrame) -> pd.DataFrame:
    names = found.groupby("_cell")["_structure_nom"].max()
    return found.drop_duplicates("_cell")[CELL].reset_index(drop=True).assign(_structure_nom=names)


def _rows(source: Source, plans: Collection[_Plan], designed: bool) -> str:
    columns = [column for plan in plans for column in plan.columns(source)]
    if source.weight:
        columns.append(f"{source.weight} AS _poids")
    elif any(plan.weighted for plan in plans):
        columns.append("CAST(1 AS DOUBLE) AS _poids")
    if designed:
        columns.append(source.design_columns)
    return f"""
        SELECT {", ".join(CELL)}, _structure_nom, {", ".join(columns)}
        FROM {source.relation} WHERE _maille = '{source.finest}'
    """


class _Plan:
    """The columns and aggregates of one indicator in the shared scan; ``rank`` keeps their names apart."""

    def __init__(self, rank: int, fed: Fed) -> None:
        self.rank, self.feed, self.family = rank, fed.feed, fed.indicator.estimator.family
        self.coded: Coded = code(fed.indicator.estimator, fed.feed.inputs)
        self.weighted = self.family != "total" and fed.weighted  # rows of totals stand for themselves
        self.sampled = fed.sampled
        self.reasons = any(source.absence(fed.feed) for source in fed.sources)

    def name(self, letter: str) -> str:
        return f"{letter}{self.rank}"

    def columns(self, source: Source) -> list[str]:
        condition = kept(self.feed)
        guards = [condition] if condition else []
        guards += [f"{source.weight} > 0"] if self.weighted and source.weight else []
        guards += [self.coded.in_base] if self.coded.y else []

        def guarded(sql: str) -> str:
            return f"CASE WHEN {' AND '.join(guards)} THEN {sql} END" if guards else sql

        found = [f"{guarded(f'CAST({self.coded.x} AS DOUBLE)')} AS {self.name('x')}"]
        if self.coded.y:
            found.append(f"{guarded(f'CAST({self.coded.y} AS DOUBLE)')} AS {self.name('y')}")
        if condition:
            found.append(f"coalesce({condition}, false) AS {self.name('k')}")
        if self.reasons:
            absence = source.absence(self.feed) or "CAST(NULL AS VARCHAR)"
            found.append(f"{f'CASE WHEN {condition} THEN {absence} END' if condition else absence} AS {self.name('m')}")
        return found

    def aggregates(self) -> dict[str, str]:
        x, y, w = self.name("x"), self.name("y"), "_poids"
        sql = {"rows": f"count(*) FILTER ({self.name('k')})" if self.feed.where else "count(*)", "n": f"count({x})"}
        if self.reasons:
            sql["motif"] = f"CASE WHEN min({self.name('m')}) = max({self.name('m')}) THEN min({self.name('m')}) END"
        if self.family == "total":
            sql["swx"] = f"sum({x})"
        elif self.family == "mean":
            sql |= {"swx": f"sum({x})", "swx2": f"sum({x} * {x})"}
            if self.weighted:
                sql |= {
                    "swx": f"sum({w} * {x})",
                    "swx2": f"sum({w} * {x} * {x})",
                    "sw": f"sum({w}) FILTER ({x} IS NOT NULL)",
                    "sw2": f"sum({w} * {w}) FILTER ({x} IS NOT NULL)",
                    "sab": f"sum({w} * {w} * {x})",
                    "saa": f"sum({w} * {w} * {x} * {x})",
                }
        elif self.family == "ratio":
            by = f"{w} * " if self.weighted else ""
            sql |= {"sw": f"sum({by}{y})", "swx": f"sum({by}{x})", "base": f"sum({y})"}
            if self.sampled:
                by = f"{w} * {w} * " if self.weighted else ""
                sql |= {"sw2": f"sum({by}{y} * {y})", "sab": f"sum({by}{x} * {y})", "saa": f"sum({by}{x} * {x})"}
        return {self.name(f"{name}_"): expression for name, expression in sql.items()}

    def sums(self, found: pd.DataFrame, cells: Cells, designed: bool) -> Sums:
        """Take the indicator's columns out of the shared frame, without the cells of which it keeps no row."""
        there = found[self.name("rows_")].to_numpy() > 0
        sums = {
            name: found[self.name(f"{name}_")].to_numpy()[there]
            for name in ("n", *SUMMED)
            if self.name(f"{name}_") in found
        }
        none = np.zeros(int(there.sum()))
        for name, same in {"sw": "n", "sw2": "n", "sab": "swx", "saa": "swx2", "swx": "n", "base": "sw"}.items():
            if name not in sums:  # weights of one make these sums equal; what no estimator asks for is any number
                sums[name] = sums.get(same, none)
        sums.setdefault("swx2", none)
        for name in SUMMED:
            sums[name] = np.where(np.isnan(numbers := sums[name].astype(np.float64)), 0.0, numbers)
        reasons = found[self.name("motif_")].to_numpy()[there] if self.reasons else None
        frame = pd.DataFrame({"_cell": found["_cell"].to_numpy()[there], **sums}).assign(motif=reasons)
        if not designed:
            return Sums(cells, frame, None)
        parts = frame.assign(**{name: found[name].to_numpy()[there] for name in DESIGN})
        return Sums(cells, _added_up(parts), parts)


def _added_up(parts: pd.DataFrame) -> pd.DataFrame:
    grouped = parts.groupby("_cell", sort=False)
    found = grouped[["n", *SUMMED]].sum()
    reasons = grouped["motif"].agg(["nunique", "first"])
    found["motif"] = reasons["first"].where(reasons["nunique"] == 1, None)
    return found.reset_index()


def strata_of(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], year: int) -> pd.DataFrame:
    """Return, by ``_strate`` of the whole sample of a year, how much was drawn and from how much.

    ``taille``: its clusters or, without clusters, its rows, be their weight 0; ``population``: how many the declaration
    says that there are, NaN when it says nothing. Raises ValueError when it doesn't suit the sample.
    """
    parts = []
    for source in sources:
        clustered = source.export.design and source.export.design.clusters
        parts.append(
            f"SELECT _strate, {'count(DISTINCT _grappe)' if clustered else 'count(*)'} AS taille FROM (SELECT "
            f"{source.design_columns} FROM {source.relation} WHERE _maille = '{source.finest}') GROUP BY _strate"
        )
    strata = connection.execute(" UNION ALL ".join(parts)).df().set_index("_strate")
    declared: dict[str, float] = {}
    for source in sources:
        if source.export.design and (population := source.export.design.population_of(year)):
            declared |= {f"{source.export.id}/{name}": float(size) for name, size in population.items()}
            _check_population(source, population, strata)
    return strata.assign(population=pd.Series(declared, dtype="float64").reindex(strata.index))


def _check_population(source: Source, population: Mapping[str, int], sample: pd.DataFrame) -> None:
    """Raise ValueError on a stratum of the sample that the declared population doesn't know, or that is larger."""
    prefix = f"{source.export.id}/"
    for stratum, drawn in sample.loc[sample.index.str.startswith(prefix), "taille"].items():
        name = str(stratum).removeprefix(prefix)
        where = f"strate « {name} »" if name else "échantillon"
        if name not in population:
            raise ValueError(f"plan de sondage de {source.export.id}, {where} : sa population n'est pas déclarée")
        if drawn > population[name]:
            less = f"{drawn} unités tirées, la population déclarée en a {population[name]}"
            raise ValueError(f"plan de sondage de {source.export.id}, {where} : {less}")


def declared_rows(connection: duckdb.DuckDBPyConnection, fed: Fed) -> pd.DataFrame:
    """Return the typed values: one line per row, with its level, value, base, reason of absence and export."""
    inputs, condition = fed.feed.inputs, kept(fed.feed)
    base = f"CAST({quoted(inputs['base'])} AS DOUBLE)" if "base" in inputs else "CAST(NULL AS DOUBLE)"
    parts = [
        f"""
            SELECT _annee, _periode, _maille, _territoire, _structure, _structure_nom,
                   {typed_value(fed.indicator.estimator, inputs)} AS valeur, {base} AS base,
                   CAST({source.absence(fed.feed) or "NULL"} AS VARCHAR) AS motif, '{source.export.id}' AS source
            FROM {source.file} {f"WHERE {condition}" if condition else ""}
        """
        for source in fed.sources
    ]
    order = "ORDER BY _periode, _maille, _territoire NULLS FIRST, _structure NULLS FIRST"
    return connection.execute(" UNION ALL ".join(parts) + order).df()
