"""Estimators of the programme itself: typed values, progress towards a target, transparency of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pipelines.declarations.estimators.estimator import (
    NO_INTERVAL,
    Card,
    EstimatorModel,
    Family,
    LevelMethod,
    Worked,
    YearMethod,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class Declared(EstimatorModel):
    """A value typed by the network, with its base where it gives one. Never averaged without a base."""

    name: Literal["declared"]
    family: ClassVar[Family] = "typed"
    optional_inputs: ClassVar[tuple[str, ...]] = ("base",)
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("declared", "sum", "weighted_mean")
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("declared", "last", "sum", "weighted_mean")
    card: ClassVar[Card] = Card(
        title="valeur déclarée",
        definition="Valeur déclarée par le réseau, avec sa base s'il la donne. Jamais une moyenne sans base.",
        source="le réseau",
        unit="celle que déclare l'indicateur",
        range="celle que déclare l'indicateur",
        interval="aucun : le réseau ne donne pas de quoi le calculer",
        examples=(Worked({}, ({"value": 87.4},), 87.4, "telle quelle"),),
    )

    def counted(self, inputs: Mapping[str, str]) -> str:
        """Name the base that the network gives, or the value without one."""
        return f"typed {inputs.get('base', inputs['value'])}"


class ProgressRate(EstimatorModel):
    """(current - initial) / (target - initial), in %, clipped to 0-100: how much of the way is done."""

    name: Literal["progress_rate"]
    family: ClassVar[Family] = "typed"
    percent: ClassVar[bool] = True
    inputs: ClassVar[tuple[str, ...]] = ("current", "initial", "target")
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("declared",)
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("declared", "last")
    card: ClassVar[Card] = Card(
        title="taux d'avancement",
        definition="(valeur actuelle - valeur initiale) / (cible - valeur initiale), en %, ramené entre 0 et 100. "
        "Chaque ligne a sa propre cible : le taux d'un territoire n'est jamais fait de ceux de ses parties. Sans "
        "cible, ou cible égale au départ : aucune valeur.",
        source="baromètre des résultats de l'action publique, colonne pourcentage_cible (2023)",
        unit="%",
        range="0 à 100",
        interval=NO_INTERVAL,
        examples=(
            Worked({}, ({"current": 76, "initial": 6, "target": 100},), 74.468085106, "70 / 94 ; publié : 74"),
            Worked({}, ({"current": 8, "initial": 20, "target": 10},), 100, "une cible à la baisse, dépassée"),
            Worked({}, ({"current": 5, "initial": 5, "target": 5},), None, "aucun chemin à faire : pas de taux"),
        ),
    )  # fmt: skip


class TransparencyRate(EstimatorModel):
    """Transparency of networks, from how many of their sites publish, network by network and place by place.

    Level method ``network_share``: % of the networks of which more than ``threshold`` of the sites publish.
    ``network_mean``: unweighted mean, over the networks present in the place, of each one's share of sites that
    publish; a network whose rows are national is present everywhere.
    """

    name: Literal["transparency_rate"]
    threshold: float = Field(default=2 / 3, ge=0, lt=1)
    family: ClassVar[Family] = "networks"
    percent: ClassVar[bool] = True
    inputs: ClassVar[tuple[str, ...]] = ("network", "published")
    optional_inputs: ClassVar[tuple[str, ...]] = ("sites",)
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("network_share", "network_mean")
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("last",)
    card: ClassVar[Card] = Card(
        title="taux de transparence des réseaux",
        definition="network_share (national) : part des réseaux qui publient leurs résultats à leur maille la plus "
        "proche ; un réseau compte quand plus de threshold (deux tiers) de ses sites publient. network_mean "
        "(département) : moyenne simple, sur les réseaux présents, de la part de leurs sites qui publient ; un "
        "réseau national compte partout (100 s'il publie). Un site sans département (consulat) ne compte que dans "
        "le national. Entrées : le réseau, combien de sites publient, sur combien (sites ; sinon 1 par ligne).",
        source="baromètre des résultats de l'action publique, indicateur tx-transparence-resultats : 27, 36, 45 et "
        "79 % de 2019 à 2022",
        unit="% de réseaux",
        range="0 à 100",
        interval="aucun : tous les réseaux sont observés",
        examples=(
            Worked({}, ({"network": "a", "published": 3, "sites": 4}, {"network": "b", "published": 2, "sites": 3}), 50,
                   "a publie dans plus de deux tiers de ses sites ; b dans deux tiers juste, ce qui ne suffit pas"),
        ),
    )  # fmt: skip
