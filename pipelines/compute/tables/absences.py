"""Why an expected indicator has no result for a network and year: read from the receipts of its exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.compute.tables.national import NationalInputs
    from pipelines.declarations import Feed

Receipt = dict[str, object]


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
        return self._receipts.get((network, year, export), {"etat": "non transmis", "motif": "non-transmis"})

    def reason(self, network: str, year: int, indicator: str, feed: Feed) -> str | None:
        """Return the id of the reason why nothing could be computed, or None if everything was accepted."""
        reasons = [str(receipt["motif"]) for receipt in self.of(network, year, feed) if receipt["etat"] != "accepté"]
        if reasons:
            return "rejete" if "rejete" in reasons else reasons[0]
        return "erreur-traitement" if (network, year, indicator) in self._failed else None
