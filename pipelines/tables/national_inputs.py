"""What the network-years gave, from which the national tables are made, and why something of it is absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipelines.declarations import Feed
from pipelines.declarations.statuses import Status


@dataclass(frozen=True)
class NationalInputs:
    """What the network-years gave, one frame each (columns ``reseau`` and ``annee`` first).

    ``receipts``: export, etat (accepté, rejeté, non transmis), motif (id or None), lignes_lues, lignes_acceptees,
    lignes_refusees. ``results``, ``discrepancies``, ``structures``: as compute made them. ``findings``: export,
    fichier, empreinte, regle, colonne, severite, nombre, premiere_ligne, derniere_ligne, message. ``failed``:
    (network, year, indicator) whose computation failed. ``synthetic``: network-years whose exports are synthetic.
    ``corrections``: numero, etat, of the corrections that a report speaks of.
    ``calibrations``: as compute made them, where weights were brought to margins. ``accounts``: export, indicateur,
    lignes_acceptees, lignes_base and a count by reason, of each export and indicator.
    ``secrets``: what ``results`` hide (``disclosure.secret_figures``) once they went through disclosure control; None
    before: then whoever makes tables of them hides first.
    """

    receipts: pd.DataFrame
    results: pd.DataFrame
    discrepancies: pd.DataFrame
    structures: pd.DataFrame
    findings: pd.DataFrame
    failed: frozenset[tuple[str, int, str]]
    synthetic: frozenset[tuple[str, int]]
    corrections: pd.DataFrame = field(default_factory=pd.DataFrame)
    calibrations: pd.DataFrame = field(default_factory=pd.DataFrame)
    accounts: pd.DataFrame = field(default_factory=pd.DataFrame)
    secrets: pd.DataFrame | None = None


Receipt = dict[str, object]
ROW_COUNTS = ("lignes_lues", "lignes_acceptees", "lignes_refusees")
_RECEIVED = (Status.ACCEPTED, Status.REFUSED)


class Receipts:
    """The receipts by (network, year, export)."""

    def __init__(self, inputs: NationalInputs) -> None:
        self._receipts: dict[tuple[str, int, str], Receipt] = {
            (str(line["reseau"]), int(line["annee"]), str(line["export"])): {
                str(key): value for key, value in line.items()
            }
            for line in inputs.receipts.to_dict("records")
        }
        self._failed = inputs.failed

    def of(self, network: str, year: int, feed: Feed) -> list[Receipt]:
        """Return the receipts of the feed's exports; one never seen counts as not handed over."""
        return [self.one(network, year, export) for export in feed.export]

    def one(self, network: str, year: int, export: str) -> Receipt:
        """Return the receipt of one export."""
        return self._receipts.get(
            (network, year, export), {"etat": Status.NOT_HANDED_OVER.value, "motif": "non-transmis"}
        )

    def rows(self, network: str, year: int, exports: Sequence[str]) -> dict[str, int | None]:
        """Return ROW_COUNTS over exports; None when none of them was received, or when a count of one is withheld.

        An accepted row is one that results are made of: a refused file has none, however many of its rows are right.
        """
        received = [
            receipt for export in exports if (receipt := self.one(network, year, export))["etat"] in _RECEIVED
        ]  # fmt: skip
        return {name: _sum([_count(receipt, name) for receipt in received]) for name in ROW_COUNTS}

    def reason(self, network: str, year: int, indicator: str, feed: Feed) -> str | None:
        """Return the id of the reason why nothing could be computed, or None if everything was accepted."""
        reasons = [
            str(receipt["motif"]) for receipt in self.of(network, year, feed) if receipt["etat"] != Status.ACCEPTED
        ]
        if reasons:
            return "rejete" if "rejete" in reasons else reasons[0]
        return "erreur-traitement" if (network, year, indicator) in self._failed else None


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None


def _count(receipt: Receipt, name: str) -> int | None:
    """Return a count of a file received; None when it is withheld (secrecy), which is no 0 and can't be added up."""
    count = receipt.get(name)
    if not isinstance(count, int | float | np.integer) or pd.isna(count):
        return None
    return 0 if name == "lignes_acceptees" and receipt["etat"] != Status.ACCEPTED else int(count)
