"""Values that rest on too few enterprises, or nearly on one: who contributes what to each published unit.

The rule (a number of enterprises, a greatest share) is declared; what is hidden is decided in ``disclosure``.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from pipelines.compute.export_rows import CELL, Fed, code, kept
from pipelines.compute.export_rows import column as quoted
from pipelines.compute.units import UNIT, assign_units
from pipelines.declarations.references import Geography

FEW = "_peu_nombreux"


def told_by_few(
    connection: duckdb.DuckDBPyConnection, found: pd.DataFrame, fed: Fed, geography: Geography
) -> pd.DataFrame:
    """Add to results the column FEW: fewer enterprises than declared, or one whose share passes the dominance.

    A contribution is what an enterprise adds to the sum, or to the denominator of a ratio; for the other estimators,
    its number of rows. Rows without an enterprise are one by themselves, the most cautious reading. Source: INSEE,
    guide du secret statistique (three units, 85 %).
    """
    rule = fed.indicator.enterprises
    if rule is None or fed.feed.contributor is None or found.empty:
        return found
    cells = _contributions(connection, fed)
    placed = [
        assign_units(cells, level, frequency, geography)
        for level in found["maille"].unique()
        for frequency in found["frequence"].unique()
    ]
    parts = pd.concat(placed, ignore_index=True).groupby([*UNIT, "_entreprise"], dropna=False)["_part"].sum()
    units = parts[parts > 0].groupby(level=UNIT, dropna=False).agg(["count", "max", "sum"]).reset_index()
    units[FEW] = (units["count"] < rule.units) | (units["max"] > rule.dominance * units["sum"])
    few = dict(zip(_keys(units), units[FEW], strict=True))
    return found.assign(**{FEW: [bool(few.get(key, True)) for key in _keys(found)]})  # nobody: nothing to show


def _keys(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    text = frame[UNIT].astype("object")
    return list(text.where(text.notna(), "").astype(str).itertuples(index=False, name=None))


def _contributions(connection: duckdb.DuckDBPyConnection, fed: Fed) -> pd.DataFrame:
    coded, family = code(fed.indicator.estimator, fed.feed.inputs), fed.indicator.estimator.family
    part = f"abs(CAST({coded.y or coded.x} AS DOUBLE))" if family in ("total", "ratio") else "1"
    rows = []
    for source in fed.sources:
        weighs = f"{source.weight} > 0" if source.weight and family != "total" else None
        conditions = filter(None, [f"_maille = '{source.finest}'", coded.in_base, weighs, kept(fed.feed)])
        rows.append(
            f"SELECT {', '.join(CELL)}, _structure_nom, {_enterprise(str(fed.feed.contributor))} AS _entreprise, "
            f"{part} AS _part FROM {source.relation} WHERE {' AND '.join(conditions)}"
        )
    return connection.execute(f"""
        SELECT {", ".join(CELL)}, max(_structure_nom) AS _structure_nom, _entreprise, sum(_part) AS _part
        FROM ({" UNION ALL ".join(rows)}) GROUP BY ALL
    """).df()


def _enterprise(column: str) -> str:
    """Return the SQL of the number of an enterprise in one writing: one written in two ways would count as two."""
    plain = f"nfc_normalize(upper(CAST({quoted(column)} AS VARCHAR)))"
    bare = f"regexp_replace(regexp_replace({plain}, '[^\\p{{L}}\\p{{N}}.,]', '', 'g'), '[.,]0+$', '')"
    return f"nullif(ltrim({bare}, '0'), '')"
