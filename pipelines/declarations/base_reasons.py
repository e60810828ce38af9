"""Why an accepted row is in the base of an indicator, or out of it: a closed list of reasons, with their French words.

The names of the reasons are those of columns of the published table ``bases``. Rows are counted in compute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# A row is counted under the first reason that holds, in this order.
REASONS: dict[str, str] = {
    "autre_maille": "ligne d'une autre maille",
    "condition_non_remplie": "condition de l'indicateur non remplie",
    "sans_reponse": "sans réponse ou sans valeur",
    "couple_incomplet": "numérateur ou dénominateur absent",
    "reponse_exclue": "réponse que l'indicateur exclut",
    "hors_liste": "réponse d'aucune classe",
    "hors_echelle": "note hors de l'échelle",
    "delai_negatif": "délai négatif",
    "non_calculable": "dénominateur nul, ou cible égale au départ",
    "autre_periode": "valeur d'une période qu'une autre remplace",
    "poids_absent": "poids absent",
    "poids_nul": "poids nul",
}


@dataclass(frozen=True)
class Account:
    """What became of the accepted rows of one export for one indicator it feeds.

    ``accepted`` = ``base`` + the sum of ``outside``, by reason (those with rows). ``seen``: the values most often met
    under a reason, with their rows; they come from the file, and are only for its producer.
    """

    indicator: str
    accepted: int
    base: int
    outside: Mapping[str, int] = field(default_factory=dict)
    seen: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
