"""The engine against plain frictionless, on random schemas and tables: zero differences."""

from __future__ import annotations

import os

import pytest
from comparison import difference, engine_verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tables import make_case

seeds = st.integers(0, 2**48)
FIRST = [band + chunk for band in (0, 1_000_000) for chunk in range(0, 1000, 200)]


@settings(max_examples=300)
@given(seeds)
def test_delimited_text_has_the_verdict_of_frictionless(seed: int):
    assert not difference(make_case(seed)), f"seed {seed}"


@settings(max_examples=100)
@given(seeds)
def test_cells_have_the_verdict_of_frictionless(seed: int):
    assert not difference(make_case(seed), cells=True), f"seed {seed}"


@pytest.mark.e2e
@pytest.mark.no_cover
@pytest.mark.parametrize("first", FIRST if os.environ.get("RESULTATS_LONG") else FIRST[::4])
def test_thousands_of_tables_have_the_verdict_of_frictionless(first: int):
    different = {
        (seed, cells): found
        for seed in range(first, first + 200)
        for cells in (False, True)
        if (not cells or seed % 4 == 0) and (found := difference(make_case(seed), cells=cells))
    }
    assert not different


def test_most_random_tables_go_the_vectorised_way_and_many_rows_are_accepted():
    # Some have a schema of Data Package v2, some of whose features only frictionless judges.
    verdicts = [found for seed in range(180) if not isinstance(found := engine_verdict(make_case(seed)), str)]
    judgements = [verdict[3] for verdict in verdicts]
    assert sum(judgement.path == "vectorised" for judgement in judgements) > 100
    assert sum(judgement.accepted for judgement in judgements) > 300
    assert all(judgement.why for judgement in judgements if judgement.path == "frictionless")
