"""Reports: the JSON of frictionless's own, times apart."""

from __future__ import annotations

import json

import pytest
from comparison import CRASH, judge, plain_resource, plain_verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tables import Case, make_case

from pipelines.tabular import frictionless_report

VOLATILE = {"seconds", "md5", "sha256", "bytes"}


def shown(report, *, whole: bool) -> object:
    """The report without what differs: times, and the fingerprints of a file that was not read to its end."""
    content = json.loads(report.to_json())
    for stats in (content["stats"], *(task["stats"] for task in content["tasks"])):
        for name in VOLATILE if not whole else {"seconds"}:
            stats.pop(name, None)
    return content


@settings(max_examples=60)
@given(st.integers(0, 2**48), st.sampled_from([0, 1, 3, 1000]))
def test_a_report_is_frictionless_s_own(seed: int, limit: int):
    case = make_case(seed)
    if plain_verdict(case) == CRASH:
        return
    expected = plain_resource(case).validate(limit_errors=limit)
    judgement = judge(case)
    found = frictionless_report(judgement, content=case.content, limit_errors=limit)
    whole = not expected.task.warnings and judgement.path == "vectorised"
    assert shown(found, whole=whole) == shown(expected, whole=whole), f"seed {seed}"


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_at_the_limit_the_reading_stops(limit: int):
    rows = b"a\n1\nx\n2\ny\nz\n"
    case = Case([], {"fields": [{"name": "a", "type": "integer"}]}, rows, {"delimiter": ";"}, block_rows=1)
    found = frictionless_report(judge(case), content=rows, limit_errors=limit)
    expected = plain_resource(case).validate(limit_errors=limit)
    assert shown(found, whole=False) == shown(expected, whole=False)
    assert len(found.task.errors) == min(limit, 3)
