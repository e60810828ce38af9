"""The table ``resultats``: computed values, and absent ones with their reasons.

Names, targets and the value a year before are added here; no value is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.compute.network_year import LEVEL_WORDS, YEAR_WORDS
from pipelines.compute.tables.absences import Receipts
from pipelines.compute.units import Geography
from pipelines.declarations.base import LEVELS

if TYPE_CHECKING:
    from pipelines.compute.tables.national import NationalInputs
    from pipelines.declarations import Catalogue, Indicator

_SERIES = ["reseau", "indicateur", "maille", "territoire_code", "structure_code", "frequence"]


def results_table(catalogue: Catalogue, inputs: NationalInputs) -> pd.DataFrame:
    """Return every result and every expected absence, in the columns of the published table (but the version)."""
    absent = _absent_rows(catalogue, inputs)
    frames = [frame for frame in (inputs.results, absent) if len(frame)]
    found = pd.concat(frames, ignore_index=True)
    found["date_reference"] = found["date_reference"].astype("object").where(found["date_reference"].notna(), None)
    found = _with_statuses(found, catalogue)
    found = _with_names(found, catalogue)
    found = _with_previous(found, catalogue)
    found["valeur_cible"] = [
        _target(catalogue.indicators[indicator], network, year, level)
        for indicator, network, year, level in zip(
            found["indicateur"], found["reseau"], found["annee"], found["maille"], strict=True
        )
    ]
    places = zip(found["reseau"], found["annee"], strict=True)
    nature = ["synthétiques" if place in inputs.synthetic else "réelles" for place in places]
    return found.assign(nature_donnees=nature, version_publication="").drop(columns=["motif"])


def _absent_rows(catalogue: Catalogue, inputs: NationalInputs) -> pd.DataFrame:
    """Return a yearly row, at the widest level of the indicator, for each expected result that nothing gave."""
    receipts = Receipts(inputs)
    yearly = inputs.results[inputs.results["frequence"] == "annuelle"] if len(inputs.results) else inputs.results
    given = set(zip(yearly["reseau"], yearly["annee"], yearly["indicateur"], strict=True)) if len(yearly) else set()
    lines = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            for identifier, feed in catalogue.expected(network, year).items():
                if (network, year, identifier) in given:
                    continue
                levels = catalogue.indicators[identifier].levels_in(network)
                level = max(levels, key=LEVELS.index)
                lines.append({
                    "reseau": network, "annee": year, "periode": str(year), "frequence": "annuelle",
                    "indicateur": identifier, "maille": level, "territoire_code": "FR" if level == "national" else None,
                    "motif": receipts.reason(network, year, identifier, feed) or "non-renseigne",
                    "mode_obtention": LEVEL_WORDS[levels[level].obtained],
                    "source": ", ".join(f"{network}/{export}" for export in feed.export),
                })  # fmt: skip
    return pd.DataFrame(lines).reindex(columns=inputs.results.columns) if lines else inputs.results.iloc[:0]


def _with_statuses(found: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Give absent values the statuses of their reason, and its French label."""
    reasons = catalogue.reasons
    known = found["motif"].notna()
    motif = found["motif"].where(known, None)
    return found.assign(
        statut_observation=found["statut_observation"].where(
            ~known, motif.map({key: reason.observation_status for key, reason in reasons.items()})
        ),
        statut_confidentialite=found["statut_confidentialite"].where(
            ~known, motif.map({key: reason.confidentiality_status for key, reason in reasons.items()})
        ),
        motif_absence=motif.map({key: reason.label for key, reason in reasons.items()}),
    )


def _with_names(found: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    geography = Geography(catalogue.territories)
    indicators = catalogue.indicators
    levels = found["maille"].replace("site", "departement")
    return found.assign(
        territoire=geography.names(levels, found["territoire_code"]),
        type_indicateur=found["indicateur"].map({key: item.type for key, item in indicators.items()}),
        unite=found["indicateur"].map({key: item.unit for key, item in indicators.items()}),
    )


def _with_previous(found: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Add the value of the same series one year before, the change, and whether the two compare.

    They do when they were obtained in the same way, of the same month when the year takes its last value, and when no
    break is declared between them.
    """
    series = found[_SERIES].astype("object").fillna("").agg("|".join, axis=1) + "|" + found["periode"].str[4:]
    last = found["mode_obtention"].str.endswith(YEAR_WORDS["last"])
    months = pd.Series([f"|{day.month}" if day else "" for day in found["date_reference"]], index=found.index)
    method = found["mode_obtention"] + months.where(last, "")
    before = pd.DataFrame({"valeur": found["valeur"].to_numpy(), "method": method.to_numpy()},
                          index=pd.MultiIndex.from_arrays([series, found["annee"] + 1]))  # fmt: skip
    earlier = before.reindex(pd.MultiIndex.from_arrays([series, found["annee"]])).set_index(found.index)
    previous = earlier["valeur"].astype("float64")
    both = previous.notna() & found["valeur"].notna()
    same_mode = earlier["method"] == method
    breaks = {(key, item.year) for key, indicator in catalogue.indicators.items() for item in indicator.breaks}
    broken = pd.Series(
        [pair in breaks for pair in zip(found["indicateur"], found["annee"], strict=True)], index=found.index
    )
    comparable = pd.Series(None, index=found.index, dtype="object")
    comparable[both] = (same_mode & ~broken)[both].astype("object")
    change = (found["valeur"] - previous).round(6)
    return found.assign(valeur_precedente=previous, evolution=change.where(comparable.eq(True)), comparable=comparable)


def _target(indicator: Indicator, network: str, year: int, level: str) -> float | None:
    """Return the target declared for that very year and level."""
    declared = indicator.networks[network].targets
    return next((target.value for target in declared if (target.year, target.level) == (year, level)), None)
