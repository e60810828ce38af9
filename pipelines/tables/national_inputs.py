"""What the network-years gave, from which the national tables are made, and why something of it is absent."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
    ``secrets``: what ``results`` hide (``secret_figures``) once they went through disclosure control; None
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


ROW_COUNTS = ("lignes_lues", "lignes_acceptees", "lignes_refusees")


class Receipts:
    """The receipts by (network, year, export)."""

    def __init__(self, inputs: NationalInputs) -> None:
        lines = inputs.receipts.to_dict("records")
        self._receipts = {(line["reseau"], line["annee"], line["export"]): line for line in lines}
        self._failed = inputs.failed

    def one(self, network: str, year: int, export: str) -> Mapping[Hashable, Any]:
        """Return the receipt of one export; one never seen counts as not handed over."""
        return self._receipts.get(
            (network, year, export), {"etat": Status.NOT_HANDED_OVER.value, "motif": "non-transmis"}
        )

    def rows(self, network: str, year: int, exports: Sequence[str]) -> dict[str, int | None]:
        """Return ROW_COUNTS over exports; None when none of them was received, or when a count of one is withheld.

        An accepted row is one that results are made of: a refused file has none, however many of its rows are right.
        """
        receipts = [self.one(network, year, export) for export in exports]
        received = [line for line in receipts if line["etat"] in (Status.ACCEPTED, Status.REFUSED)]
        sums: dict[str, int | None] = {}
        for name in ROW_COUNTS:
            counts = [_count(line, name) for line in received]
            known = [count for count in counts if count is not None]
            sums[name] = sum(known) if counts and len(known) == len(counts) else None
        return sums

    def reason(self, network: str, year: int, indicator: str, feed: Feed) -> str | None:
        """Return the id of the reason why nothing could be computed, or None if everything was accepted."""
        receipts = [self.one(network, year, export) for export in feed.export]
        reasons = [str(line["motif"]) for line in receipts if line["etat"] != Status.ACCEPTED]
        if reasons:
            return "rejete" if "rejete" in reasons else reasons[0]
        return "erreur-traitement" if (network, year, indicator) in self._failed else None


def _count(receipt: Mapping[Hashable, Any], name: str) -> int | None:
    """Return a count of a file received; None when it is withheld (secrecy), which is no 0 and can't be added up."""
    count = receipt.get(name)
    if not isinstance(count, int | float | np.integer) or pd.isna(count):
        return None
    return 0 if name == "lignes_acceptees" and receipt["etat"] != Status.ACCEPTED else int(count)
