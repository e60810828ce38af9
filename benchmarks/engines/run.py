"""One engine on the benchmark's survey, in this process: prints CPU and wall seconds, peak memory, results and gap.

Every engine gives, for each indicator, year, level and place, the value and (but for medians, of which the peers give
no interval) its bounds at 95 %, from formulas written here for the peers and by the pipeline for itself.
"""

# Heavy imports stand inside the functions: what an engine imports is part of what it costs.
from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
Z = 1.959963984540054
TOP = ["Très satisfait", "Plutôt satisfait"]
BOTTOM = ["Plutôt mécontent", "Très mécontent"]
POINTS = {"Excellent": 10.0, "Bien": 7.5, "Moyen": 5.0, "Décevant": 2.5, "Mauvais": 0.0}
SHARES = ("satisfaction-globale", "csat")
NET_SCORES = ("taux-net-satisfaction", "nps")
KEY = ["indicateur", "annee", "maille", "place"]

# Indicator → SQL of the coded answer, for the hand-written peers.
CODED = {
    "satisfaction-globale": f"CASE WHEN satisfaction IN {tuple(TOP)} THEN 100.0 WHEN satisfaction IN {tuple(BOTTOM)} "
    "THEN 0.0 END",
    "taux-net-satisfaction": f"CASE WHEN satisfaction IN {tuple(TOP)} THEN 100.0 WHEN satisfaction IN {tuple(BOTTOM)} "
    "THEN -100.0 END",
    "csat": "CASE WHEN note >= 4 THEN 100.0 WHEN note >= 1 THEN 0.0 END",
    "nps": "CASE WHEN recommandation >= 9 THEN 100.0 WHEN recommandation >= 7 THEN 0.0 "
    "WHEN recommandation >= 0 THEN -100.0 END",
    "ces": "CAST(facilite AS DOUBLE)",
    "score-avis": "CASE avis " + " ".join(f"WHEN '{name}' THEN {points}" for name, points in POINTS.items()) + " END",
}


def declared() -> Any:
    """Return a catalogue of one network and seven indicators, as the data team would declare them."""
    import dataclasses
    from types import MappingProxyType

    from pipelines.declarations import Indicator, Network, load

    shipped = load(PROJECT / "schemas")
    numbers = [{"name": name, "type": "integer"} for name in ("note", "recommandation", "facilite", "delai")]
    names = ("satisfaction", "avis", "lieu", "bureau", "bureau_nom")
    survey = {
        "id": "enquete", "kind": "survey", "title": "Enquête", "level": "site",
        "fields": [*numbers, *({"name": name} for name in names)],
        "territory": {"field": "lieu", "codes": "departement"}, "structure": {"code": "bureau", "name": "bureau_nom"},
        "layouts": [{"years": "2020-2024", "path": "enquete-{year}.parquet", "format": "parquet"}],
    }  # fmt: skip
    network = Network.model_validate({
        "title": "Banc d'essai", "producer": "Banc d'essai", "description": "Banc d'essai", "structure_type": "Site",
        "finest_level": "site", "years": "2020-2024", "acceptance": {"max_refused_share": 0, "why": "essai"},
        "exports": [survey],
    })  # fmt: skip
    inputs = {"satisfaction-globale": {"answer": "satisfaction"}, "taux-net-satisfaction": {"answer": "satisfaction"},
              "csat": {"rating": "note"}, "nps": {"rating": "recommandation"}, "ces": {"rating": "facilite"},
              "score-avis": {"answer": "avis"}, "delai-median": {"value": "delai"}}  # fmt: skip
    levels = {name: {"obtained": "pooled"} for name in ("site", "departement", "region", "national")}
    indicators = {}
    for name, columns in inputs.items():
        whole = shipped.indicators[name].model_dump(mode="json", by_alias=True)
        feed = {"export": ["enquete"], "inputs": columns}
        changed = {"networks": {"banc": feed}, "levels": levels, "decimals": 6, "minimum_base": None}
        indicators[name] = Indicator.model_validate({**whole, **changed})
    return dataclasses.replace(shipped, networks=MappingProxyType({"banc": network}),
                               indicators=MappingProxyType(indicators))  # fmt: skip


def resultats(folder: Path) -> Any:
    """Run the pipeline's own computation, year by year."""
    sys.path.insert(0, str(PROJECT))
    import pandas as pd

    from pipelines.compute.network_year import compute_network_year

    catalogue = declared()
    years = range(2020, 2025)
    made = [compute_network_year(catalogue, "banc", y, {"enquete": folder / f"enquete-{y}.parquet"}) for y in years]
    assert not any(item.failures for item in made)
    found = pd.concat([item.results for item in made])
    found["place"] = found["structure_code"].where(found["maille"] == "site", found["territoire_code"])
    return found[[*KEY, "valeur", "borne_basse", "borne_haute"]]


def regions() -> dict[str, str]:
    """Return the région of each département."""
    sys.path.insert(0, str(PROJECT))
    from pipelines.declarations import load

    places = load(PROJECT / "schemas").territories.of_year(2024).territories
    return {place.code: place.region for place in places if place.level == "departement" and place.region}


def bounded(sums: Any) -> Any:
    """Turn n, s = Σx and ss = Σx² into value and bounds: Wilson for shares, Tango for net scores, else normal."""
    import numpy as np

    n, mean = sums["n"].astype("float64"), sums["s"] / sums["n"]
    share = sums["indicateur"].isin(SHARES)
    p = mean / 100
    centre, half = p + Z**2 / (2 * n), Z * np.sqrt((p * (1 - p)).clip(lower=0) / n + Z**2 / (4 * n**2))
    spread = Z * np.sqrt(((sums["ss"] / n - mean**2) / (n - 1)).clip(lower=0))
    low = np.where(share, 100 * (centre - half) / (1 + Z**2 / n), mean - spread)
    high = np.where(share, 100 * (centre + half) / (1 + Z**2 / n), mean + spread)
    net = sums["indicateur"].isin(NET_SCORES).to_numpy()
    if net.any():
        bounds = _tango(p[net].to_numpy(), (sums["ss"] / n / 100**2)[net].to_numpy(), n[net].to_numpy())
        low[net], high[net] = (100 * bound for bound in bounds)
    return sums.assign(valeur=mean, borne_basse=low, borne_haute=high)[[*KEY, "valeur", "borne_basse", "borne_haute"]]


def _tango(score: Any, told: Any, n: Any) -> list[Any]:
    """Return the bounds of Tango's score interval (1998) by halving, from the share of answers not neutral."""
    import numpy as np

    found = []
    above, below = (told + score) / 2, (told - score) / 2
    for end in (-1.0, 1.0):
        out, inside = np.full_like(score, end), score.copy()
        for _ in range(50):
            d = (out + inside) / 2
            b = (2 - above + below) * d - above - below
            least = (np.sqrt(np.maximum(b * b + 8 * below * d * (1 - d), 0)) - b) / 4
            refused = n * (score - d) ** 2 > Z**2 * (2 * least + d * (1 - d))
            out, inside = np.where(refused, d, out), np.where(refused, inside, d)
        found.append((out + inside) / 2)
    return found


def duckdb(folder: Path) -> Any:
    """Hand-written SQL: sums by site once, rolled up; one median statement by year and level."""
    import duckdb as engine
    import pandas as pd

    connection = engine.connect()
    connection.execute("SET threads = 2; SET memory_limit = '1GB'")
    codes = pd.DataFrame(regions().items(), columns=["departement", "region"])
    connection.register("codes", codes)
    sums = ", ".join(f"count(x{i}) AS n{i}, sum(x{i}) AS s{i}, sum(x{i} * x{i}) AS ss{i}" for i in range(len(CODED)))
    coded = ", ".join(f"{sql} AS x{i}" for i, sql in enumerate(CODED.values()))
    connection.execute(f"""
        CREATE TEMP TABLE sites AS SELECT _annee AS annee, _structure AS site, _territoire AS departement, {sums}
        FROM (SELECT _annee, _structure, _territoire, {coded} FROM '{folder}/enquete-*.parquet') GROUP BY ALL
    """)
    places = {"site": "site", "departement": "departement", "region": "region", "national": "'FR'"}
    frames = []
    for level, place in places.items():
        for i, name in enumerate(CODED):
            frames.append(connection.execute(f"""
                SELECT '{name}' AS indicateur, annee, '{level}' AS maille, {place} AS place,
                       sum(n{i}) AS n, sum(s{i}) AS s, sum(ss{i}) AS ss
                FROM sites JOIN codes USING (departement) GROUP BY ALL
            """).df())  # fmt: skip
    found = [bounded(pd.concat(frames, ignore_index=True))]
    for year in range(2020, 2025):
        for level, place in places.items():
            found.append(connection.execute(f"""
                SELECT 'delai-median' AS indicateur, {year} AS annee, '{level}' AS maille, {place} AS place,
                       median(delai) AS valeur
                FROM (SELECT _structure AS site, _territoire AS departement, delai
                      FROM '{folder}/enquete-{year}.parquet') JOIN codes USING (departement)
                GROUP BY ALL
            """).df())  # fmt: skip
    return pd.concat(found, ignore_index=True)


def polars(folder: Path) -> Any:
    """Polars, lazy and streaming: one group_by per level."""
    import pandas as pd
    import polars as engine

    answer, review, note, nps = (engine.col(name) for name in ("satisfaction", "avis", "note", "recommandation"))
    when, col = engine.when, engine.col
    coded = {
        "satisfaction-globale": when(answer.is_in(TOP)).then(100.0).when(answer.is_in(BOTTOM)).then(0.0),
        "taux-net-satisfaction": when(answer.is_in(TOP)).then(100.0).when(answer.is_in(BOTTOM)).then(-100.0),
        "csat": when(note >= 4).then(100.0).when(note >= 1).then(0.0),
        "nps": when(nps >= 9).then(100.0).when(nps >= 7).then(0.0).when(nps >= 0).then(-100.0),
        "ces": col("facilite").cast(engine.Float64),
        "score-avis": review.replace_strict(POINTS, default=None, return_dtype=engine.Float64),
    }
    codes = regions()
    rows = engine.scan_parquet(folder / "enquete-*.parquet").select(
        annee="_annee", site="_structure", departement="_territoire",
        region=col("_territoire").replace_strict(codes, default=None), national=engine.lit("FR"), delai="delai",
        **{f"x{i}": expression for i, expression in enumerate(coded.values())},
    )  # fmt: skip
    sums = [
        made
        for i in range(len(coded))
        for made in (col(f"x{i}").count().alias(f"n{i}"), col(f"x{i}").sum().alias(f"s{i}"),
                     (col(f"x{i}") * col(f"x{i}")).sum().alias(f"ss{i}"))
    ]  # fmt: skip
    found = []
    for level in ("site", "departement", "region", "national"):
        made = rows.group_by("annee", level).agg(*sums, col("delai").median()).collect(engine="streaming").to_pandas()
        found += _long(made, level, list(coded))
    return pd.concat(found, ignore_index=True)


def pandas(folder: Path) -> Any:
    """Plain pandas: every year read whole, one groupby per level."""
    import numpy as np
    import pandas as pd

    columns = [
        "_annee",
        "_structure",
        "_territoire",
        "satisfaction",
        "avis",
        "note",
        "recommandation",
        "facilite",
        "delai",
    ]
    files = sorted(folder.glob("enquete-*.parquet"))
    rows = pd.concat([pd.read_parquet(path, columns=[*columns, "delai"]) for path in files],
                     ignore_index=True)  # fmt: skip
    rows = rows.rename(columns={"_annee": "annee", "_structure": "site", "_territoire": "departement"})
    rows["region"], rows["national"] = rows["departement"].map(regions()), "FR"
    top, bottom, nps = rows["satisfaction"].isin(TOP), rows["satisfaction"].isin(BOTTOM), rows["recommandation"]
    coded = {
        "satisfaction-globale": np.select([top, bottom], [100.0, 0.0], np.nan),
        "taux-net-satisfaction": np.select([top, bottom], [100.0, -100.0], np.nan),
        "csat": np.where(rows["note"].isna(), np.nan, np.where(rows["note"] >= 4, 100.0, 0.0)),
        "nps": np.select([nps >= 9, nps >= 7, nps >= 0], [100.0, 0.0, -100.0], np.nan),
        "ces": rows["facilite"].astype("float64"),
        "score-avis": rows["avis"].map(POINTS).astype("float64"),
    }
    for i, values in enumerate(coded.values()):
        rows[f"x{i}"], rows[f"xx{i}"] = values, values * values
    sums = {f"{letter}{i}": (f"{source}{i}", how) for i in range(len(coded))
            for letter, source, how in (("n", "x", "count"), ("s", "x", "sum"), ("ss", "xx", "sum"))}  # fmt: skip
    found = []
    for level in ("site", "departement", "region", "national"):
        made = rows.groupby(["annee", level]).agg(**sums, delai=("delai", "median")).reset_index()
        found += _long(made, level, list(coded))
    return pd.concat(found, ignore_index=True)


def _long(made: Any, level: str, names: list[str]) -> list[Any]:
    """Return the results of one level from its wide table of sums."""
    place = made.rename(columns={level: "place"}).assign(maille=level)
    frames = [
        bounded(place.rename(columns={f"n{i}": "n", f"s{i}": "s", f"ss{i}": "ss"}).assign(indicateur=name))
        for i, name in enumerate(names)
    ]
    medians = place.assign(indicateur="delai-median", valeur=place["delai"])
    return [*frames, medians[[*KEY, "valeur"]]]


def gap(folder: Path, found: Any) -> float:
    """Return the largest difference of a value or bound with the pipeline's, when it was run before."""
    import pandas as pd

    path = folder / "resultats.parquet"
    if not path.exists():
        return float("nan")
    ours = pd.read_parquet(path).set_index(KEY).sort_index()
    theirs = found.astype({"annee": "int64"}).set_index(KEY).reindex(ours.index)
    both = ours[["valeur", "borne_basse", "borne_haute"]] - theirs[["valeur", "borne_basse", "borne_haute"]]
    if theirs["valeur"].isna().any():
        return float("inf")  # a result that the engine does not have
    return float(both.abs().max().max())


def main(engine: str, folder: Path) -> None:
    """Run the engine and print one line of JSON."""
    start = time.perf_counter()
    found = {"resultats": resultats, "duckdb": duckdb, "polars": polars, "pandas": pandas}[engine](folder)
    wall, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    line = {"cpu": used.ru_utime + used.ru_stime, "wall": wall, "peak": used.ru_maxrss / 1024, "results": len(found)}
    line["gap"] = gap(folder, found)
    found.to_parquet(folder / f"{engine}.parquet")
    print(json.dumps(line))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
