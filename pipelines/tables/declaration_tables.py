"""The tables that come from the declarations: indicators, networks, structures, territories."""

from __future__ import annotations

import pandas as pd

from pipelines.compute.network_year import LEVEL_WORDS, YEAR_WORDS
from pipelines.declarations import Catalogue, Indicator
from pipelines.declarations.references import Geography
from pipelines.declarations.strict_model import LEVELS
from pipelines.disclosure.row_keys import of_each

_DIRECTIONS = {"higher": "hausse", "lower": "baisse", "neutral": "neutre"}


def indicators_table(catalogue: Catalogue) -> pd.DataFrame:
    """Return one line per declared indicator: what it measures, and how."""
    return pd.DataFrame([_indicator(catalogue, key, indicator) for key, indicator in catalogue.indicators.items()])


def _indicator(catalogue: Catalogue, identifier: str, indicator: Indicator) -> dict[str, object]:
    levels = sorted(indicator.levels.items(), key=lambda item: LEVELS.index(item[0]))
    rule = indicator.minimum_base
    return {
        "indicateur": identifier,
        "titre": indicator.title,
        "definition": indicator.definition,
        "type_indicateur": indicator.type,
        "population": {"users": "usagers", "staff": "agents"}[indicator.population],
        "unite": indicator.unit,
        "famille_unite": indicator.unit_family,
        "sens": _DIRECTIONS[indicator.direction],
        "estimateur": indicator.estimator.card.title,
        "mode_annuel": YEAR_WORDS[indicator.year],
        "mailles": " ; ".join(f"{level} : {LEVEL_WORDS[item.obtained]}" for level, item in levels),
        "effectif_minimal": rule.answers if rule else None,
        "motif_effectif_minimal": catalogue.reasons[rule.reason].label if rule else None,
        "engagement": catalogue.engagements[indicator.engagement].label if indicator.engagement else None,
        "codes_externes": ", ".join(indicator.codes) or None,
        "decimales": indicator.decimals,
        "reseaux": ", ".join(sorted(indicator.networks)),
        "ruptures": " ; ".join(_breaks(indicator)) or None,
        "evolution_plausible": _plausible(indicator),
    }


def _breaks(indicator: Indicator) -> list[str]:
    breaks = [f"{item.year} : {item.why}" for item in indicator.breaks]
    for network, feed in indicator.networks.items():
        breaks += [f"{item.year} ({network}) : {item.why}" for item in feed.breaks]
    return breaks


def _plausible(indicator: Indicator) -> str | None:
    """Tell the change in a year beyond which a value is said to be unusual, and why."""
    rule = indicator.plausible_change
    if rule is None:
        return None
    unit = "% de la valeur précédente" if rule.relative else indicator.unit
    levels = f", mailles {', '.join(rule.levels)}" if rule.levels else ""
    base = f", à partir de {rule.base} réponses" if rule.base else ""
    return f"{rule.max:g} ({unit}){levels}{base} : {rule.why}"


def networks_table(catalogue: Catalogue) -> pd.DataFrame:
    """Return one line per declared network."""
    return pd.DataFrame(
        [
            {
                "reseau": key,
                "titre": network.title,
                "producteur": network.producer,
                "description": network.description,
                "typologie": network.structure_type,
                "maille_fine": network.finest_level,
                "premiere_annee": network.years.first,
                "derniere_annee": network.years.last,
                "licence": "lov2",  # Licence Ouverte 2.0: the one of all that is published
                "source": network.source,
            }
            for key, network in catalogue.networks.items()
        ]
    )


def structures_table(catalogue: Catalogue, seen: pd.DataFrame) -> pd.DataFrame:
    """Return the tree of offices: each network is a root, the offices seen in its exports are below it.

    ``seen``: reseau, annee, structure_code, structure, territoire_code, maille. The latest year's name is kept.
    """
    roots = pd.DataFrame(
        [
            {
                "reseau": key,
                "structure_code": f"reseau:{key}",
                "structure": network.title,
                "structure_parente_code": None,
                "typologie": network.structure_type,
                "maille": "national",
                "territoire_code": "FR",
                "premiere_annee": None,
                "derniere_annee": None,
            }
            for key, network in catalogue.networks.items()
        ]
    )
    frames = [roots]
    if len(seen):
        ordered = seen.sort_values(["reseau", "structure_code", "annee"])
        grouped = ordered.groupby(["reseau", "structure_code"])
        offices = grouped[["structure", "territoire_code", "maille"]].last()
        offices["premiere_annee"], offices["derniere_annee"] = grouped["annee"].min(), grouped["annee"].max()
        offices = offices.reset_index()
        offices["typologie"] = offices["reseau"].map({k: n.structure_type for k, n in catalogue.networks.items()})
        offices["structure_parente_code"] = "reseau:" + offices["reseau"]
        offices["structure"] = offices["structure"].fillna(offices["structure_code"])
        frames.append(offices)
    found = pd.concat([frame.astype("object") for frame in frames], ignore_index=True)
    names = of_each(found, ["maille", "territoire_code"], Geography(catalogue.territories).name)
    return found.assign(territoire=names)


def territories_table(catalogue: Catalogue) -> pd.DataFrame:
    """Return the reference list of territories, with its vintage and source."""
    reference = catalogue.territories
    return pd.DataFrame(
        [
            {
                "maille": place.level,
                "territoire_code": place.code,
                "territoire": place.name,
                "nature": place.kind,
                "region_code": place.region,
                "premiere_annee": place.since,
                "derniere_annee": place.until,
                "millesime": reference.vintage,
                "source": reference.source,
            }
            for place in reference.territories
        ]
    )


def present_territories(territories: pd.DataFrame) -> pd.DataFrame:
    """Return the territories as they are now, one line per level and code: what results join without doubling."""
    present = territories[territories["derniere_annee"].isna()]
    return present.drop(columns=["premiere_annee", "derniere_annee"]).reset_index(drop=True)
