"""Estimators of amounts: means, quantiles, totals, ratios of sums, delays; typed values, progress, transparency.

Those of answers and notes are in ``opinions``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pipelines.declarations.estimators.estimator import (
    NORMAL,
    RANKS,
    WILSON,
    Bounds,
    Card,
    EstimatorModel,
    Family,
    InputType,
    LevelMethod,
    UnitBounds,
    Worked,
    YearMethod,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class Mean(EstimatorModel):
    """Mean of a value, weighted when the export declares a weight."""

    name: Literal["mean"]
    in_unit_of_value: ClassVar[bool] = True
    card: ClassVar[Card] = Card(
        title="moyenne",
        definition="Moyenne des valeurs, pondérée si l'export déclare un poids ou un calage ; les blancs n'entrent "
        "pas dans la base.",
        source="moyenne arithmétique ; pondérée : estimateur de Hájek Σwx/Σw",
        interval=NORMAL,
        examples=(
            Worked(
                {},
                ({"value": 2}, {"value": 4}, {"value": None}),
                3,
                "le blanc ne compte pas",
                bounds=(1.04003602, 4.95996398),
            ),
            Worked({}, ({"value": 2}, {"value": 4}), 3.5, "(2 + 3 × 4) / 4", weights=(1, 3)),
        ),
    )

    def unit_bounds(self, bounds: Bounds | None) -> UnitBounds:
        """Return the bounds of the indicator, where it has some."""
        return bounds or False


class Quantile(EstimatorModel):
    """The value that a share ``order`` of the rows does not exceed; weighted when the export declares a weight."""

    name: Literal["quantile"]
    order: float = Field(gt=0, lt=1, description="0.9: what nine in ten do not exceed")
    in_unit_of_value: ClassVar[bool] = True
    family: ClassVar[Family] = "quantile"
    card: ClassVar[Card] = Card(
        title="quantile",
        definition="Valeur que la part order des lignes ne dépasse pas (0,9 : le délai que neuf demandes sur dix ne "
        "dépassent pas). Milieu des deux valeurs possibles quand la part tombe juste.",
        source="Hyndman et Fan, « Sample Quantiles in Statistical Packages », The American Statistician, 1996, type 2",
        interval=RANKS,
        examples=(
            Worked({"order": 0.9}, tuple({"value": day} for day in range(1, 11)), 9.5, "entre la 9e et la 10e"),
            Worked(
                {"order": 0.75},
                ({"value": 1}, {"value": 5}),
                3,
                "à la valeur 1, juste trois quarts des poids",
                weights=(3, 1),
            ),
        ),
    )


class Median(EstimatorModel):
    """Median of a value, weighted when the export declares a weight."""

    name: Literal["median"]
    in_unit_of_value: ClassVar[bool] = True
    family: ClassVar[Family] = "quantile"
    order: ClassVar[float] = 0.5
    card: ClassVar[Card] = Card(
        title="médiane",
        definition="Valeur que la moitié des lignes ne dépasse pas : le quantile d'ordre 0,5.",
        source="Conover, Practical Nonparametric Statistics, 3e éd., 1999, § 3.2",
        interval=RANKS,
        examples=(
            Worked({}, ({"value": 30}, {"value": 2}, {"value": 5}), 5, "la ligne du milieu"),
            Worked(
                {},
                tuple({"value": day} for day in range(1, 11)),
                5.5,
                "rangs 2 et 9 sur 10 : couverture 97,9 %",
                bounds=(2, 9),
            ),
        ),
    )


class Sum(EstimatorModel):
    """Sum of a value; a year made of finer periods is published only when all of them are there."""

    name: Literal["sum"]
    in_unit_of_value: ClassVar[bool] = True
    family: ClassVar[Family] = "total"
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("sum",)
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("sum",)
    card: ClassVar[Card] = Card(
        title="somme",
        definition="Somme des valeurs, jamais pondérée ; absente si une partie (un office, un mois) connue dans "
        "l'année y manque.",
        source="totalisation",
        examples=(
            Worked({}, ({"value": 12}, {"value": 0}, {"value": 8}), 20, "zéro est une valeur"),
            Worked({}, ({"value": None},), None, "rien à additionner : aucune valeur, jamais 0"),
        ),
    )

    def counted(self, inputs: Mapping[str, str]) -> str:
        """Name what is summed."""
        return f"sum {inputs['value']}"


class Count(EstimatorModel):
    """Number of rows kept by ``where``; with an input, of those where it is not blank."""

    name: Literal["count"]
    family: ClassVar[Family] = "total"
    inputs: ClassVar[tuple[str, ...]] = ()
    optional_inputs: ClassVar[tuple[str, ...]] = ("value",)
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("sum",)
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("sum",)
    card: ClassVar[Card] = Card(
        title="dénombrement",
        definition="Nombre de lignes retenues (where) ; avec l'entrée value, de celles où elle n'est pas vide. "
        "Jamais pondéré.",
        source="dénombrement d'un registre exhaustif",
        unit="nombre",
        range="0 et plus",
        examples=(
            Worked({}, ({"value": "a"}, {"value": None}, {"value": "b"}), 2, "deux lignes renseignées"),
            Worked({}, ({"value": None},), 0, "un dénombrement peut être nul"),
        ),
    )

    @classmethod
    def input_type(cls, name: str) -> InputType:  # noqa: ARG003 (it has one input)
        """Return that it counts the filled cells of any column."""
        return "any"


class Ratio(EstimatorModel):
    """Ratio of sums: ``factor`` x sum of numerators / sum of denominators (rates: factor 100; mean delays: 1)."""

    name: Literal["ratio"]
    factor: float = Field(default=100, gt=0)
    family: ClassVar[Family] = "ratio"
    inputs: ClassVar[tuple[str, ...]] = ("numerator", "denominator")
    level_methods: ClassVar[tuple[LevelMethod, ...]] = ("ratio_of_sums",)
    year_methods: ClassVar[tuple[YearMethod, ...]] = ("ratio_of_sums",)
    card: ClassVar[Card] = Card(
        title="rapport de sommes",
        definition="factor × somme des numérateurs / somme des dénominateurs (taux : 100 ; délai moyen : 1), "
        "pondérées si l'export déclare un poids. Jamais une moyenne de taux. L'effectif est la somme (non pondérée) "
        "des dénominateurs. Une ligne de dénominateur nul est hors de la base, son numérateur avec elle.",
        source="programme Services Publics + : taux de décroché, respect du délai annoncé",
        unit="% (factor 100) ou celle du numérateur",
        range="0 à 100 pour un taux",
        interval="linéarisation de Taylor (Särndal, Swensson et Wretman, 1992, § 5.6), quand l'export est un "
        "échantillon, par la loi de Student s'il a un plan de sondage ; aucun pour un registre exhaustif",
        examples=(
            Worked(
                {},
                ({"numerator": 90, "denominator": 100}, {"numerator": 150, "denominator": 300}),
                60,
                "240 sur 400 ; la moyenne des deux taux (70) serait fausse",
            ),
            Worked({}, ({"numerator": 0, "denominator": 0},), None, "un dénominateur nul ne donne aucun taux"),
            Worked(
                {},
                ({"numerator": 3, "denominator": 4}, {"numerator": 1, "denominator": 0}),
                75,
                "la seconde ligne est hors de la base",
            ),
        ),
    )

    def counted(self, inputs: Mapping[str, str]) -> str:
        """Name the denominators, whose sum is the base."""
        return f"sum {inputs['denominator']}"

    def unit_bounds(self, bounds: Bounds | None) -> UnitBounds:
        """Return the bounds of the indicator, where it has some, as what one unit of denominator may bring."""
        return (bounds[0] / self.factor, bounds[1] / self.factor) if bounds else False


class WithinDeadline(EstimatorModel):
    """Share (%) of the events handled in at most ``within``: a duration, or the calendar days between two dates."""

    name: Literal["within_deadline"]
    within: float = Field(ge=0, description="in the unit of the delay column; calendar days between two dates")
    proportion: ClassVar[bool] = True
    percent: ClassVar[bool] = True
    inputs: ClassVar[tuple[str, ...]] = ("delay",)
    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (("start", "end"),)
    card: ClassVar[Card] = Card(
        title="part traitée dans le délai",
        definition="Part des événements traités en within au plus (délai atteint compris), parmi les événements "
        "traités : d'après une colonne de délai, ou deux dates (jours calendaires). Pas encore traité, ou délai "
        "négatif : hors de la base.",
        source="programme Services Publics + : respect du délai annoncé (traités dans le délai / traités)",
        unit="%",
        range="0 à 100",
        interval=WILSON,
        examples=(
            Worked(
                {"within": 10},
                ({"delay": 3}, {"delay": 10}, {"delay": 11}, {"delay": None}),
                66.666666667,
                "deux sur trois ; dix jours sont dans le délai de dix jours",
            ),
            Worked(
                {"within": 2},
                (
                    {"start": "2024-02-28", "end": "2024-03-01"},
                    {"start": "2024-03-01", "end": "2024-03-04"},
                    {"start": "2024-03-05", "end": None},
                    {"start": "2024-03-05", "end": "2024-03-04"},
                ),
                50,
                "2024 est bissextile : du 28 février au 1er mars il y a deux jours ; les deux dernières lignes "
                "sont hors de la base",
            ),
        ),
    )


class Declared(EstimatorModel):
    """A value typed by the network, with its base where it gives one. Never averaged without a base."""

    name: Literal["declared"]
    in_unit_of_value: ClassVar[bool] = True
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
        examples=(
            Worked({}, ({"current": 76, "initial": 6, "target": 100},), 74.468085106, "70 / 94 ; publié : 74"),
            Worked({}, ({"current": 8, "initial": 20, "target": 10},), 100, "une cible à la baisse, dépassée"),
            Worked({}, ({"current": 5, "initial": 5, "target": 5},), None, "aucun chemin à faire : pas de taux"),
        ),
    )


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
            Worked(
                {},
                ({"network": "a", "published": 3, "sites": 4}, {"network": "b", "published": 2, "sites": 3}),
                50,
                "a publie dans plus de deux tiers de ses sites ; b dans deux tiers juste, ce qui ne suffit pas",
            ),
        ),
    )
