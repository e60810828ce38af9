"""The registry of estimators → the page that the data team reads: schemas/ESTIMATEURS.md.

The cards alone decide; nothing is worded here twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.declarations.estimators import ESTIMATORS, EstimatorModel, Worked, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_INTRODUCTION = """\
# Les estimateurs

*Page produite par `make editor-schemas` d'après `pipelines/declarations/estimators/` : ne pas la modifier ici.*

Un indicateur nomme un de ces estimateurs, jamais une formule. Les exemples sont calculés par les tests. Les intervalles
sont à 95 % et ne portent que sur des échantillons : un export `kind: survey` en est un, les autres sont des registres
exhaustifs, sans erreur de sondage (`collection: sample` ou `collection: census` dit autre chose). Les bornes publiées
sont coupées à l'étendue (`range`) que déclare l'indicateur ; celles des parts et des taux nets n'en sortent jamais.
Après un calage, l'effectif efficace de Kish ignore ce que le calage gagne : l'intervalle est en général trop large,
lecture prudente.

Avec un plan de sondage (`design`), erreurs, degrés de liberté et intervalles sont ceux du paquet `survey` de R. Deux
prudences : moins d'un degré de liberté (une seule grappe) ne donne pas d'intervalle ; l'effectif efficace d'une part
ou d'un taux net ne dépasse jamais le nombre de réponses, même quand quelques grappes se ressemblent par hasard. Où la
population est déclarée (`design.population`), la variance de chaque strate est réduite de 1 - n/N, et le plafond
devient n / (1 - n/N) : tirée en entier, une population n'a plus d'erreur de sondage.

La base ne compte que les lignes qui font la valeur : sans poids, de poids nul ou de dénominateur nul, une ligne n'est
ni dans l'effectif, ni dans l'effectif minimal du secret, ni dans l'intervalle, à aucune maille. Seuls les totaux
(`sum`, `count`), jamais pondérés, ne regardent pas les poids.
"""
_SHOWN = 6  # rows of an example; a longer one is told by its reason


def estimators_manual() -> str:
    """Return the page, in Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(estimator) for estimator in ESTIMATORS)])


def _section(estimator: type[EstimatorModel]) -> str:
    card = estimator.card
    parameters = [name for name in estimator.model_fields if name != "name"]
    sets = " ou ".join(
        ", ".join(f"`{name}`" for name in names) for names in (estimator.inputs, *estimator.alternatives)
    )
    optional = ", ".join(f"`{name}`" for name in estimator.optional_inputs)
    facts = {
        "Paramètres": ", ".join(f"`{name}`" for name in parameters) or "aucun",
        "Entrées": " ; facultatif : ".join(filter(None, [sets or "aucune", optional])),
        "Mailles (`obtained`)": ", ".join(f"`{method}`" for method in estimator.level_methods),
        "Année (`year`)": ", ".join(f"`{method}`" for method in estimator.year_methods),
        "Unité": card.unit,
        "Étendue": card.range,
        "Intervalle": card.interval,
        "Source": card.source,
    }
    lines = [f"## `{name_of(estimator)}` : {card.title}", "", card.definition, ""]
    lines += [f"- **{title}** : {text}" for title, text in facts.items()]
    return "\n".join([*lines, "", *(_example(item) for item in card.examples), ""])


def _example(worked: Worked) -> str:
    rows = " ; ".join(_written(row) for row in worked.rows) if len(worked.rows) <= _SHOWN else ""
    weights = f" (poids {', '.join(f'{weight:g}' for weight in worked.weights)})" if worked.weights else ""
    value = "aucune valeur" if worked.value is None else f"{worked.value:.6g}"
    bounds = f" [{worked.bounds[0]:.6g} ; {worked.bounds[1]:.6g}]" if worked.bounds else ""
    return f"- *Exemple* : {f'{rows}{weights} → ' if rows else ''}**{value}**{bounds} : {worked.why}."


def _written(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {'vide' if value is None else value}" for name, value in row.items())
