"""Which surveys of a release keep the figures of an earlier one, and what is told of it to whoever waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.declarations.statuses import KeptYear
from pipelines.disclosure import KEPT_FROM, rules
from pipelines.mechanics.french import first_few

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from pipelines.declarations import Catalogue

_PERSONS = "de moins de {0} réponses", "quand elle en changera {0} ou plus partout où elle change, "
_ENTERPRISES = "des montants sans qu'on sache combien d'entreprises les font", ""
_NAMED = 4  # indicators named in the sentence; the record has them all


def kept_figures(catalogue: Catalogue, results: pd.DataFrame) -> Iterator[KeptYear]:
    """Give what the table ``resultats`` keeps of earlier releases, by network, year and release."""
    kept = results[results[KEPT_FROM].notna()]
    for place, rows in kept.groupby(["reseau", "annee", KEPT_FROM]):
        network, year, version = str(place[0]), int(str(place[1])), str(place[2])
        names = tuple(sorted(rows["indicateur"].unique()))
        yield KeptYear(network, year, _why(catalogue, network, names, version), names, version)


def _why(catalogue: Catalogue, network: str, names: tuple[str, ...], version: str) -> str:
    ruled = rules(catalogue, network)
    fewest = max(ruled[network, name].minimum for name in names)
    moved, until = (text.format(fewest) for text in (_PERSONS if fewest else _ENTERPRISES))
    titles = first_few([catalogue.indicators[name].title for name in names], _NAMED)
    return (
        f"chiffres conservés de la version {version} ({titles}) : la révision change {moved} ; ils seront révisés "
        f"{until}à la clôture de l'année ou quand l'équipe l'accepte"
    )
