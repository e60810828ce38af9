"""Medians and quantiles with their intervals: in DuckDB, in statements of their own, over distinct values.

Value: Hyndman and Fan (1996), type 2. Interval: binomial ranks of the order statistics; with weights or a design,
Woodruff (1952): the bounds of the share F(q), turned back into values.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

from pipelines.compute.export_rows import CELL, Fed, Source, code, kept
from pipelines.compute.intervals import (
    Z95,
    Floats,
    around,
    binomial_ranks,
    critical,
    degrees_of_freedom,
    kish,
    linearised_variance,
)

_TIE = 1e-12  # a cumulated weight this near to the share reached (relatively) has reached it
_SAME_CELL = " AND ".join(f"v.{name} IS NOT DISTINCT FROM u.{name}" for name in CELL)


def quantiles(
    connection: duckdb.DuckDBPyConnection, fed: Fed, units: pd.DataFrame, strata: pd.DataFrame | None
) -> pd.DataFrame:
    """Return n, sw, valeur, borne_basse, borne_haute and degres_liberte per ``_unit``.

    ``units`` maps cells to published units; each level and frequency is a statement of its own: memory stays limited.
    ``strata``: as ``sums.strata_of`` gives them, when a design is declared.
    """
    order = float(getattr(fed.indicator.estimator, "order"))  # noqa: B009  (the quantile family alone comes here)
    by_design = ", _strate, _grappe" if strata is not None else ""
    rows = " UNION ALL ".join(_rows(fed, source, strata is not None) for source in fed.sources)
    connection.register("cellules", units.drop_duplicates("_cell")[[*CELL, "_cell"]])
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE valeurs AS
        SELECT _cell{by_design}, x, n, w, w2 FROM (
            SELECT {", ".join(CELL)}{by_design}, x, count(*) AS n, sum(w) AS w, sum(w * w) AS w2
            FROM ({rows}) WHERE x IS NOT NULL GROUP BY ALL
        ) AS v JOIN cellules AS u ON {_SAME_CELL}
    """)
    connection.unregister("cellules")
    found = []
    for _, group in units.groupby(["maille", "frequence"], sort=False):
        connection.register("unite_de_cellule", group[["_cell", "_unit"]])
        ranked = _ranked(connection, order)
        if fed.sampled:
            error = _of_design(connection, ranked, fed, strata) if strata is not None else None
            ranked = ranked.join(_bounds(connection, ranked, order, fed.weighted, error))
            ranked = ranked.join(error["degres_liberte"]) if error is not None else ranked
        found.append(ranked)
        connection.unregister("unite_de_cellule")
    connection.execute("DROP TABLE valeurs; DROP TABLE IF EXISTS rangs")
    columns = ["n", "sw", "valeur", "borne_basse", "borne_haute", "degres_liberte"]
    return pd.concat(found).sort_index().reindex(columns=columns)


def _rows(fed: Fed, source: Source, designed: bool) -> str:
    coded, weight = code(fed.indicator.estimator, fed.feed.inputs), source.weight or "CAST(1 AS DOUBLE)"
    conditions = [f"_maille = '{source.finest}'", f"({weight}) > 0", *filter(None, [kept(fed.feed)])]
    strata = f", {source.design_columns}" if designed else ""
    return f"""
        SELECT {", ".join(CELL)}, CAST({coded.x} AS DOUBLE) AS x, {weight} AS w{strata}
        FROM {source.relation} WHERE {" AND ".join(conditions)}
    """


def _ranked(connection: duckdb.DuckDBPyConnection, order: float) -> pd.DataFrame:
    """Cumulate the weights of the distinct values of each unit (table ``rangs``); return n, sw, sw2, valeur by unit."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE rangs AS
        SELECT *, sum(w) OVER (PARTITION BY _unit ORDER BY x) AS atteint, sum(w) OVER (PARTITION BY _unit) AS total
        FROM (
            SELECT _unit, x, sum(n) AS n, sum(w) AS w, sum(w2) AS w2
            FROM valeurs JOIN unite_de_cellule USING (_cell) GROUP BY _unit, x
        )
    """)
    reached, passed = f"atteint >= {order!r} * total * (1 - {_TIE})", f"atteint > {order!r} * total * (1 + {_TIE})"
    return (
        connection.execute(f"""
        SELECT _unit, CAST(sum(n) AS BIGINT) AS n, sum(w) AS sw, sum(w2) AS sw2,
               (min(x) FILTER ({reached}) + min(x) FILTER ({passed})) / 2 AS valeur
        FROM rangs GROUP BY _unit ORDER BY _unit
    """)
        .df()
        .set_index("_unit")
    )


def _bounds(
    connection: duckdb.DuckDBPyConnection,
    ranked: pd.DataFrame,
    order: float,
    weighted: bool,
    error: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return the values at the two cumulated weights that hold the quantile; NaN where there are none."""
    if weighted or error is not None:
        z: Floats | float = Z95
        if error is None:
            spread = order * (1 - order) / kish(ranked["sw"].to_numpy(float), ranked["sw2"].to_numpy(float))
        else:
            errors = error.reindex(ranked.index).astype("float64")
            spread, z = errors["variance"].to_numpy(float), critical(errors["degres_liberte"].to_numpy(float))
        low, high = around(np.full(len(ranked), order), spread, z)
        inside = (low > 0) & (high < 1)
        low, high = (np.where(inside, share, np.nan) * ranked["sw"].to_numpy(float) for share in (low, high))
    else:
        ranks = [binomial_ranks(int(n), order) or (np.nan, np.nan) for n in ranked["n"]]
        low, high = np.array(ranks, dtype=float).reshape(-1, 2).T
    targets = pd.DataFrame({"_unit": ranked.index, "bas": low, "haut": high}).dropna()
    connection.register("cibles", targets)
    found = (
        connection.execute(f"""
        SELECT _unit, min(x) FILTER (atteint >= bas * (1 - {_TIE})) AS borne_basse,
               min(x) FILTER (atteint >= haut * (1 - {_TIE})) AS borne_haute
        FROM rangs JOIN cibles USING (_unit) GROUP BY _unit
    """)
        .df()
        .set_index("_unit")
    )
    connection.unregister("cibles")
    return found


def _of_design(
    connection: duckdb.DuckDBPyConnection, ranked: pd.DataFrame, fed: Fed, strata: pd.DataFrame
) -> pd.DataFrame:
    """Return, by unit, ``variance`` of the share of weights at or under the quantile, and ``degres_liberte``."""
    connection.register("quantile_de_unite", ranked.reset_index()[["_unit", "valeur"]])
    parts = connection.execute("""
        SELECT _unit, _strate, _grappe, coalesce(sum(w) FILTER (x <= valeur), 0) AS a, sum(w) AS b,
               coalesce(sum(w2) FILTER (x <= valeur), 0) AS aa, coalesce(sum(w2) FILTER (x <= valeur), 0) AS ab,
               sum(w2) AS bb, CAST(sum(n) AS BIGINT) AS n
        FROM valeurs JOIN unite_de_cellule USING (_cell) JOIN quantile_de_unite USING (_unit)
        GROUP BY _unit, _strate, _grappe ORDER BY _unit, _strate, _grappe
    """).df()
    connection.unregister("quantile_de_unite")
    assert fed.design is not None  # strata are those of a design
    clustered = bool(fed.design.clusters)
    variance = linearised_variance(parts, strata, clustered, fed.design.single)
    return pd.DataFrame({"variance": variance, "degres_liberte": degrees_of_freedom(parts, clustered)})
