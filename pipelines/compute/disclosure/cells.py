"""From rows of ``resultats`` to the attacker's problem: units, figures of each unit, links between places and periods.

Only tables with a secret cell are built. What is hidden, and how well, is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, vstack

from pipelines.compute.disclosure.kin import Kin, kin_of
from pipelines.compute.disclosure.rules import attributes, base_of, rows_of, rules
from pipelines.compute.disclosure.system import EPSILON, Problem
from pipelines.compute.units import Geography
from pipelines.declarations import estimators as declared
from pipelines.declarations.base import LEVELS

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from pipelines.declarations import Catalogue

KEY = ["reseau", "indicateur", "periode", "maille", "territoire_code", "structure_code"]
NUMBERS = ["valeur", "borne_basse", "borne_haute", "effectif", "effectif_pondere", "numerateur", "denominateur"]
# For tests of change, never published: raw value, effective size (shares, net), standard error (all but shares).
UNPUBLISHED = ["estimation", "effectif_efficace", "erreur_type"]
_PLACE = ["maille", "territoire_code", "structure_code"]
_UNIT = ["table", "frequence", "periode", *_PLACE]
_ADDITIVE = ("sum", "ratio_of_sums", "weighted_mean", "pooled")  # ways to make a year that add its periods up


@dataclass(frozen=True)
class Cells:
    """``figures``: a line per cell (``unit``, ``row``, ``kind``); ``rows``: every row with its unit; the problem.

    ``row`` is the position, in the frame that was asked about, of the row that publishes the figure. ``kind``: base,
    or a part of the numerator (favourable, unfavourable). ``rows`` are more: one base published alike by several
    indicators is one cell. ``shown`` rows have nothing to hide. ``kin``: the last links of the problem.
    """

    figures: pd.DataFrame
    rows: pd.DataFrame
    problem: Problem
    kin: Kin

    def hidden_cells(self) -> NDArray[np.bool_]:
        """Return which cells are published as hidden (A or D)."""
        return self.figures["concealed"].to_numpy(dtype=bool)

    def rows_of(self, units: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the positions of the rows to hide with these units."""
        hidden = units[self.rows["unit"]] & ~self.rows["shown"].to_numpy()
        return np.sort(self.rows.loc[hidden, "row"].to_numpy(dtype=np.int64))

    def tied_rows(self) -> NDArray[np.int64]:
        """Return the positions of the rows that would tell a base that is too small, of another question."""
        units = np.zeros(self.problem.units, dtype=bool)
        units[self.figures.loc[self.kin.tied, "unit"]] = True
        return self.rows_of(units)


def cells_of(
    results: pd.DataFrame,
    catalogue: Catalogue,
    public: NDArray[np.bool_] | None = None,
    every: Collection[str] = (),
    beside: NDArray[np.bool_] | None = None,
    caution: float = 1.0,
) -> Cells | None:
    """Return the cells of the tables that hold a secret row, or None when no row is secret.

    ``results``: the rows of all networks and years, with ``statut_confidentialite`` (A where the base is too small; D
    where hidden beside). Figures of rows A and D are never looked at. ``public``: rows that an earlier release has
    published as they stand, which hiding would not hide. ``every``: tables to build even without a secret.
    ``beside``: rows about to be hidden too, of which readers learn nothing. A table is what adds up: the indicators of
    a network and year that share their base. Tables of the same rows are linked where their bases are nearly equal.
    ``caution``: see ``kin``.
    """
    rows = _in_tables(results, catalogue, public, every)
    if rows.empty:
        return None
    rows["unit"] = rows.groupby(_UNIT, sort=True).ngroup()
    rows["spot"] = rows.groupby(["kin", *_UNIT[1:]], sort=True).ngroup()
    rows["visible"] = ~rows["concealed"] & ~(rows["row"].map(pd.Series(beside)) if beside is not None else False)
    grouped = rows.groupby("unit")
    units = grouped[_UNIT].first()
    units["cost"] = grouped["base"].max()
    units["seen"] = ~grouped["shown"].all()
    units["open"] = grouped["open"].max() & ~grouped["public"].any()
    cells = _distinct(_figures(rows, catalogue))
    links = _links(units, catalogue)
    kin = kin_of(cells, caution)
    return Cells(cells, rows, _problem(cells, units, links, kin, catalogue), kin)


def _in_tables(
    results: pd.DataFrame, catalogue: Catalogue, public: NDArray[np.bool_] | None, every: Collection[str]
) -> pd.DataFrame:
    """Return the rows of tables with a secret row: text keys, base, what is known, whether hiding may help."""
    columns = [*KEY, "annee", "frequence", *NUMBERS, "statut_confidentialite"]
    rows = results.reindex(columns=columns).reset_index(drop=True)  # an earlier release may lack a later column
    rows["row"] = np.arange(len(rows))
    rows["public"] = False if public is None else public
    pairs = pd.MultiIndex.from_frame(rows[["reseau", "indicateur"]])
    kinds = rows.groupby(pairs, sort=False).ngroup()
    first = rows.groupby(kinds)[["reseau", "indicateur"]].first()
    for name, told in (("table", base_of), ("kin", rows_of)):
        names = [
            f"{network}|{told(catalogue.indicators[key], network)}" for network, key in first.itertuples(index=False)
        ]
        rows[name] = kinds.map(dict(zip(first.index, names, strict=True))) + "|" + rows["annee"].astype(str)
    secret = rows["statut_confidentialite"].eq("A")
    rows = rows[rows["kin"].isin(rows.loc[secret, "kin"]) | rows["table"].isin(every)].copy()
    for name in _PLACE:
        rows[name] = rows[name].astype("object").where(rows[name].notna(), "").astype(str)
    rows["size"] = _bases(rows, catalogue)
    rows["secret"] = rows["statut_confidentialite"].eq("A")
    rows["concealed"] = rows["statut_confidentialite"].isin(["A", "D"])
    rows.loc[rows["concealed"], NUMBERS] = np.nan
    rows["base"] = _bases(rows, catalogue)
    rows["open"] = rows["valeur"].notna() | rows["base"].gt(0)
    rows["shown"] = ~rows["concealed"] & ~rows["open"]  # absent, or a base of nobody: nothing to hide
    return rows.sort_values([*_UNIT, "indicateur"], kind="stable").reset_index(drop=True)


def _bases(rows: pd.DataFrame, catalogue: Catalogue) -> pd.Series[float]:
    """Return what adds up of each row: its answers, a ratio's denominator, or the sum itself."""
    ratios = rows["indicateur"].isin(_named(catalogue, declared.Ratio))
    bases = rows["effectif"].astype("float64").mask(ratios & rows["denominateur"].notna(), rows["denominateur"])
    return bases.mask(rows["indicateur"].isin(_named(catalogue, declared.Sum)), rows["valeur"])


def _named(catalogue: Catalogue, kind: type) -> list[str]:
    return [key for key, item in catalogue.indicators.items() if isinstance(item.estimator, kind)]


def _figures(rows: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Return one line per figure of each row: the base, and the two parts of the numerator where its limits are known.

    Numerators between ``least`` and ``greatest`` times the denominator make two quantities that are never negative:
    numerator - least × denominator, and greatest × denominator - numerator. Both add up as numerators do.
    """
    ruled = rules(catalogue)
    rule = [ruled[pair] for pair in zip(rows["reseau"], rows["indicateur"], strict=True)]
    minimum = np.array([item.minimum for item in rule], dtype=float)
    width = np.array([item.width for item in rule], dtype=float)
    margin = np.array([item.margin for item in rule])
    size = rows["size"].fillna(0.0).to_numpy(dtype=float)  # unknown to whoever audits: there, any doubt is enough
    width = np.where(margin > 0, margin * np.abs(size), width)
    line = rows[["table", "unit", "row", "indicateur", "secret", "concealed", "shown", "spot", "visible", "public"]]
    line = line.assign(kin=rows["kin"].where(margin == 0, ""))  # nothing is known of a magnitude beforehand
    bases = line.assign(kind="base", quantity=rows["base"], minimum=minimum, width=width)
    frames = [bases]
    for indicator, group in rows.groupby("indicateur", sort=True):
        limits = attributes(catalogue.indicators[str(indicator)])
        if limits is False or group["numerateur"].isna().all():
            continue
        least, greatest = limits
        denominator, empty = group["denominateur"], group["effectif"].eq(0)
        span = greatest - least if greatest is not None else 1.0  # in answers: two codings of one question are twins
        parts = {"favourable": (group["numerateur"] - least * denominator) / span}
        if greatest is not None:
            parts["unfavourable"] = (greatest * denominator - group["numerateur"]) / span
        for kind, part in parts.items():
            quantity = part.where(~empty, 0.0).clip(lower=0)
            frames.append(line.loc[group.index].assign(kind=kind, quantity=quantity, minimum=0.0, width=0.0))
    return pd.concat(frames, ignore_index=True)


def _distinct(figures: pd.DataFrame) -> pd.DataFrame:
    """Keep one of the figures that are published alike everywhere in a table: they are the same unknowns.

    One with a rule of its own is preferred, since its rule bounds it. Figures are numbered by ``layer``.
    """
    figures["layer"] = figures.groupby(["table", "indicateur", "kind"], sort=True).ngroup()
    told = figures["unit"].astype(str) + "=" + figures["quantity"].round(6).fillna(-1.0).astype(str)
    ranked = figures[["layer", "table", "minimum"]].assign(told=told)
    whole = ranked.groupby("layer").agg({"table": "first", "minimum": "max", "told": "|".join})
    whole = whole.reset_index().sort_values(["table", "minimum", "layer"], ascending=[True, False, True])
    twins = whole[whole.duplicated(["table", "told"])]["layer"]
    kept = figures[~figures["layer"].isin(twins)]
    return kept.sort_values(["layer", "unit"], kind="stable").reset_index(drop=True)


def _links(units: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Return ``link``, ``unit``, ``sign`` and ``family`` of every link between units.

    Families: parts of a place (``place``), periods of a year (``sum``), the period that the year repeats (``last``).
    """
    years = _year_of(units)
    observed = np.where(units["seen"], years, -1)
    last = np.full(len(units), -1, dtype=np.int64)
    for position in np.flatnonzero(observed >= 0):  # units are in the order of their periods
        last[observed[position]] = position
    repeated = np.full(len(units), -1, dtype=np.int64)
    repeated[last[last >= 0]] = np.flatnonzero(last >= 0)
    families = {"place": _place_parents(units, Geography(catalogue.territories)), "sum": years, "last": repeated}
    frames, start = [], 0
    for family, parent in families.items():
        child = np.flatnonzero(parent >= 0)
        totals, link = np.unique(parent[child], return_inverse=True)
        frames.append(pd.DataFrame({"link": start + link, "unit": child, "sign": 1.0, "family": family}))
        total = {"link": start + np.arange(len(totals)), "unit": totals, "sign": -1.0, "family": family}
        frames.append(pd.DataFrame(total))
        start += len(totals)
    return pd.concat(frames, ignore_index=True)


def _place_parents(units: pd.DataFrame, geography: Geography) -> NDArray[np.int64]:
    """Return, per unit, the unit of the nearest wider level published for the same period; -1 for none."""
    keys = ["table", "frequence", "periode", "maille", "territoire_code"]
    wide = units[units["maille"] != "site"]
    index = pd.MultiIndex.from_frame(wide[keys])
    positions = np.flatnonzero((units["maille"] != "site").to_numpy())
    found = np.full(len(units), -1, dtype=np.int64)
    rank = units["maille"].map({level: number for number, level in enumerate(LEVELS)}).to_numpy()
    codes = units["territoire_code"]
    dated = pd.Series(list(zip(codes, units["periode"].str[:4].astype(int), strict=True)), index=codes.index)
    regions = dated.map({place: geography.region(*place) or "" for place in dated.unique()})
    above = {
        "departement": codes,
        "region": regions.where(rank < LEVELS.index("region"), codes),
        "national": pd.Series("FR", index=codes.index),
    }
    for level, code in above.items():
        asked = pd.MultiIndex.from_frame(units.assign(maille=level, territoire_code=code)[keys])
        at = index.get_indexer(asked)
        known = (found < 0) & (rank < LEVELS.index(level)) & (at >= 0)
        found[known] = positions[at[known]]
    return found


def _year_of(units: pd.DataFrame) -> NDArray[np.int64]:
    """Return, per unit of a finer period, the unit of the same place's year; -1 for none."""
    yearly = units["frequence"].eq("annuelle").to_numpy()
    keys = ["table", *_PLACE]
    index = pd.MultiIndex.from_frame(units.loc[yearly, keys])
    at = index.get_indexer(pd.MultiIndex.from_frame(units[keys]))
    positions = np.flatnonzero(yearly)
    return np.where(~yearly & (at >= 0), positions[at] if len(positions) else -1, -1)


def _problem(cells: pd.DataFrame, units: pd.DataFrame, links: pd.DataFrame, kin: Kin, catalogue: Catalogue) -> Problem:
    matrix, tolerance = _matrix(cells, links, catalogue)
    minimum, base = cells["minimum"].to_numpy(dtype=float), cells["kind"].eq("base").to_numpy()
    width = cells["width"].to_numpy(dtype=float)
    ruled = base & (minimum > 0)
    rest = (cells["quantity"] - cells["quantity"].round()).abs()
    part = rest.groupby(cells["layer"]).transform("max").gt(EPSILON).to_numpy() / 2  # rounded for the rule, not here
    zeros, endless = np.zeros(len(cells)), np.full(len(cells), np.inf)
    some = np.where(base, 1.0, 10 * EPSILON)  # a person; of a numerator, that it is not known exactly
    nothing = len(units)  # the unit, never hidden, of cells that show nothing to hide
    return Problem(
        links=vstack([matrix, kin.links()], format="csr"),
        tolerance=np.concatenate([tolerance, kin.tolerance]),
        quantity=cells["quantity"].to_numpy(dtype=float),
        unit=np.where(cells["shown"], nothing, cells["unit"]).astype(np.int64),
        primary=cells["secret"].to_numpy(dtype=bool),
        low_a=np.where(ruled, 1.0 - part, zeros),
        high_a=np.where(ruled, np.maximum(minimum - 1, kin.ceiling) + part, endless),
        low_d=np.where(ruled, minimum - part, zeros),
        high_d=endless,
        width_a=np.where(ruled, width, np.maximum(width, some)),
        width_d=some,
        cost=np.append(units["cost"].fillna(0).to_numpy(dtype=float), 0.0),
        open_=np.append(units["open"].to_numpy(dtype=bool), False),
    )


def _matrix(cells: pd.DataFrame, links: pd.DataFrame, catalogue: Catalogue) -> tuple[csr_array, NDArray[np.float64]]:
    """Return the links of cells, and how far rounding may keep the sums of values (``sum``) from adding up."""
    layers = cells.groupby("layer")["indicateur"].first()
    year = layers.map({key: item.year for key, item in catalogue.indicators.items()})
    family = pd.Series(np.where(year.isin(_ADDITIVE), "sum", year), index=year.index)
    joined = links.merge(cells.reset_index(names="cell")[["unit", "layer", "cell", "quantity"]], on="unit")
    joined = joined[joined["family"].eq("place") | joined["family"].eq(joined["layer"].map(family))]
    grouped = joined.groupby(["link", "layer"])
    whole = (grouped["sign"].transform("min") < 0) & (grouped["sign"].transform("max") > 0)
    joined = joined[whole].reset_index(drop=True)
    if joined.empty:
        return coo_array((0, len(cells))).tocsr(), np.zeros(0)
    line = joined.groupby(["link", "layer"], sort=True).ngroup().to_numpy()
    count = int(line.max()) + 1
    matrix = coo_array((joined["sign"], (line, joined["cell"])), shape=(count, len(cells))).tocsr()
    summed = joined["layer"].map(layers).isin(_named(catalogue, declared.Sum)).to_numpy()
    digits = joined["layer"].map(layers).map({key: item.decimals for key, item in catalogue.indicators.items()})
    rounding = np.bincount(line, np.where(summed, 0.5 * 10.0 ** -digits.to_numpy(dtype=float), 0.0), count)
    gaps = np.nan_to_num(np.abs(matrix @ cells["quantity"].to_numpy(dtype=float)))
    layer = np.zeros(count, dtype=np.int64)
    layer[line] = joined["layer"]
    seen = np.zeros(int(layer.max()) + 1)
    np.maximum.at(seen, layer, np.minimum(gaps, rounding))
    return matrix, np.where(seen[layer] > EPSILON, np.minimum(rounding, seen[layer]), 0.0)
