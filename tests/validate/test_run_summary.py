"""The summary of a run is in whole French words."""

from __future__ import annotations

import pytest

from assets.summary import _verdict


@pytest.mark.parametrize(
    ("accepted", "refused", "told"),
    [
        (1, 0, "1 ligne acceptée"),
        (1200, 1, "1\u202f200 lignes acceptées, 1 écartée"),
        (2, 1000, "2 lignes acceptées, 1\u202f000 écartées"),
    ],
)
def test_rows_are_counted_in_french(accepted, refused, told):
    receipt = {"etat": "accepté", "lignes_acceptees": accepted, "lignes_refusees": refused, "explication": ""}
    assert _verdict(receipt) == told
