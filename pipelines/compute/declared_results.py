"""Results typed by the network (estimator ``declared``): taken as they are at the levels it types.

Other levels are made of them as the indicator declares; nothing is computed from rows of answers here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from pipelines.compute.units import parents, reason_where
from pipelines.declarations import Frequency, Level, LevelRule
from pipelines.declarations.estimators import YearMethod
from pipelines.declarations.periods import last_day, periods_of_year
from pipelines.declarations.references import Geography
from pipelines.declarations.strict_model import LEVELS

COMPLETE, PARTIAL = "complète", "incomplète"
_PLACE = ["maille", "territoire_code", "structure_code"]


class DuplicateValueError(ValueError):
    """Two typed values claim the same period and place: the declaration must tell them apart."""


def typed_values(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the typed rows in published names; a typed value without a value has a reason.

    Raises DuplicateValueError when two rows stand for the same period, level, territory and structure.
    """
    values = rows.rename(
        columns={
            "_periode": "periode",
            "_maille": "maille",
            "_territoire": "territoire_code",
            "_structure": "structure_code",
            "_structure_nom": "structure",
        }
    )
    values = values.assign(motif=reason_where(values["valeur"].isna(), values["motif"].fillna("non-renseigne")))
    twins = values.duplicated(["periode", *_PLACE], keep=False)
    if twins.any():
        first = values[twins].iloc[0]
        raise DuplicateValueError(
            f"deux valeurs pour {first['periode']}, {first['maille']} "
            f"{first['structure_code'] or first['territoire_code']} : préciser « where » dans l'indicateur"
        )
    return values


def typed_results(
    rows: pd.DataFrame,
    levels: Mapping[Level, LevelRule],
    year_method: YearMethod,
    finest: Frequency,
    published: Frequency,
    geography: Geography,
    not_applicable: Collection[str] = (),
) -> pd.DataFrame:
    """Return one line per unit: finer periods as typed, and the year made of them by ``year_method``.

    A part whose reason for absence is in ``not_applicable`` has nothing to give: totals do without it.
    """
    values = typed_values(rows)
    frames = []
    for level, rule in levels.items():
        if rule.obtained == "declared":
            at_level = values[values["maille"] == level]
        else:
            at_level = _from_parts(values, level, rule.obtained == "weighted_mean", geography, not_applicable)
        if at_level.empty:
            continue
        if published != "year":
            frames.append(at_level.assign(frequence=published, date_reference=at_level["periode"].map(last_day)))
        frames.append(_yearly(at_level, year_method, finest))
    if not frames:
        return pd.DataFrame()
    results = pd.concat(frames, ignore_index=True)
    blank = dict.fromkeys(["borne_basse", "borne_haute", "effectif_pondere", "numerateur", "denominateur"], np.nan)
    return results.assign(effectif=results["base"], **blank).drop(columns=["base"])


def _from_parts(
    values: pd.DataFrame, level: Level, weighted: bool, geography: Geography, not_applicable: Collection[str]
) -> pd.DataFrame:
    """Sum the finest typed rows below ``level``, or weigh them by their base.

    One absent part makes the total absent. A part is expected in every period of the year when it has a row in one of
    them.
    """
    below = [name for name in LEVELS[: LEVELS.index(level)] if (values["maille"] == name).any()]
    if not below:
        return values.iloc[:0]
    parts = values[values["maille"] == below[0]]
    parts = parts.assign(
        part=parts["territoire_code"].fillna("") + "|" + parts["structure_code"].fillna(""),
        territoire_code=parents(parts["territoire_code"], parts["maille"], level, geography),
    )
    parts = parts[parts["territoire_code"].notna()]
    expected = parts.groupby("territoire_code")["part"].nunique()
    idle = parts["motif"].isin(not_applicable)
    excused = parts[idle].groupby(["periode", "territoire_code"]).size()
    parts = parts[~idle]
    grouped = (
        parts.assign(weight=parts["base"] if weighted else 1.0)
        .assign(product=lambda frame: frame["valeur"] * frame["weight"])
        .groupby(["periode", "territoire_code"])
    )
    total = grouped["product"].sum(min_count=1)
    totals = pd.DataFrame({"valeur": total / grouped["weight"].sum() if weighted else total})
    totals["base"] = grouped["base"].sum(min_count=1)
    owed = expected.reindex(totals.index, level="territoire_code") - excused.reindex(totals.index, fill_value=0)
    complete = grouped["product"].count() == owed
    totals.loc[~complete, ["valeur", "base"]] = np.nan
    totals["motif"] = reason_where(totals["valeur"].isna(), np.where(complete, "non-renseigne", "donnees-incompletes"))
    totals["source"] = grouped["source"].agg(lambda names: ", ".join(sorted(set(names))))
    return totals.reset_index().assign(maille=level, structure_code=None, structure=None)


def _yearly(values: pd.DataFrame, method: YearMethod, finest: Frequency) -> pd.DataFrame:
    """Make the year of each place: the last value observed, the sum of all periods, or the mean weighted by bases."""
    if finest == "year" and method != "weighted_mean":  # each value already is its year's
        return values.assign(frequence="year", date_reference=values["periode"].map(last_day))
    lines = []
    values = values.assign(annee=[period[:4] for period in values["periode"]])
    for (year, *place), group in values.sort_values("periode").groupby(["annee", *_PLACE], dropna=False, sort=True):
        line = {**dict(zip(_PLACE, place, strict=True)), "periode": year, "structure": group["structure"].iloc[-1]}
        lines.append({**line, **_year_value(group, method, len(periods_of_year(int(str(year)), finest)))})
    return pd.DataFrame(lines).assign(frequence="year")


def _year_value(group: pd.DataFrame, method: YearMethod, periods: int) -> dict[str, object]:
    known = group[group["valeur"].notna()]
    last = (known if len(known) else group).iloc[-1]
    year: dict[str, object] = {name: last[name] for name in ("valeur", "base", "motif", "source")}
    reference = last["periode"]
    if method in ("sum", "weighted_mean") and len(known):
        reference = known["periode"].iloc[-1]
        if method == "sum" and len(known) < periods:
            year |= {"valeur": np.nan, "base": np.nan, "motif": "donnees-incompletes"}
        elif method == "sum":
            year |= {"valeur": known["valeur"].sum(), "base": known["base"].sum(min_count=1)}
        elif known["base"].isna().any():
            year |= {"valeur": np.nan, "base": np.nan, "motif": "donnees-incompletes"}
        else:
            base = known["base"].sum()
            mean = (known["valeur"] * known["base"]).sum() / base if base else np.nan
            year |= {"valeur": mean, "base": base, "motif": None if base else "non-renseigne"}
    return {**year, "date_reference": last_day(str(reference))}


def discrepancies(
    rows: pd.DataFrame, levels: Mapping[Level, LevelRule], decimals: int, geography: Geography
) -> pd.DataFrame:
    """Compare each typed level that asks for it with the sum of its typed parts; return the differences only.

    A difference is what rounding to ``decimals`` can't explain. The sum of some parts is no sum of them all: where
    one is missing, the line says so (``comparaison``), with the parts present and expected, and has no ``ecart``.
    """
    values = typed_values(rows)
    values = values[values["valeur"].notna()]
    frames = []
    for level, rule in levels.items():
        if not rule.compare:
            continue
        totals = values[values["maille"] == level]
        for parts_level in ("departement", "region"):
            if LEVELS.index(parts_level) < LEVELS.index(level):
                parts = values[values["maille"] == parts_level]
                frames.append(_compared(totals, parts, level, parts_level, geography))
    differences = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    if differences.empty:
        return differences
    beyond: pd.DataFrame = differences[differences["ecart"].abs() > 0.5 * 10**-decimals].reset_index(drop=True)
    return beyond.assign(ecart=beyond["ecart"].where(beyond["comparaison"] == COMPLETE))


def _compared(
    totals: pd.DataFrame, parts: pd.DataFrame, level: Level, parts_level: Level, geography: Geography
) -> pd.DataFrame:
    codes = ["FR" if level == "national" else geography.region(code) for code in parts["territoire_code"]]
    placed = parts.assign(part=parts["territoire_code"], territoire_code=pd.Series(codes, index=parts.index))
    summed = placed.groupby(["periode", "territoire_code"]).agg(sum=("valeur", "sum"), there=("part", frozenset))
    joined = totals.merge(summed.reset_index(), on=["periode", "territoire_code"])
    expected = [
        geography.parts_of(level, code, parts_level) | there
        for code, there in zip(joined["territoire_code"], joined["there"], strict=True)
    ]
    return pd.DataFrame(
        {
            "periode": joined["periode"],
            "maille": level,
            "territoire_code": joined["territoire_code"],
            "valeur_declaree": joined["valeur"],
            "valeur_calculee": joined["sum"],
            "ecart": (joined["valeur"] - joined["sum"]).round(6),
            "maille_des_parties": parts_level,
            "parties_presentes": [len(there) for there in joined["there"]],
            "parties_attendues": [len(wanted) for wanted in expected],
            "comparaison": [
                COMPLETE if there == wanted else PARTIAL
                for there, wanted in zip(joined["there"], expected, strict=True)
            ],
        }
    )
