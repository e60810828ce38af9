"""A field is judged once by its descriptor: the verdicts stay those of frictionless, whatever was judged before."""

from __future__ import annotations

import pytest
from frictionless import Schema

from pipelines.tabular import judge_cells


def described(**constraints: object) -> dict[str, object]:
    return {"fields": [{"name": "a", "type": "integer", "constraints": constraints}]}


def test_a_wrong_field_is_told_each_time_after_a_right_one_that_looks_like_it():
    assert list(judge_cells(["a"], [["1"]], described(minimum=1)))
    for _ in range(2):
        with pytest.raises(Exception, match="not supported by type"):
            judge_cells(["a"], [["1"]], described(minLength=1))


def test_the_version_of_the_standard_is_part_of_what_is_remembered():
    """A bound that version 2 allows is refused in version 1, though the field is the same."""
    v2 = {"$schema": "https://datapackage.org/profiles/2.0/tableschema.json", **described(exclusiveMinimum=0)}
    for _ in range(2):
        assert Schema.from_descriptor(dict(v2)).fields
        with pytest.raises(Exception, match="not valid"):
            Schema.from_descriptor(described(exclusiveMinimum=0))


def test_a_value_of_another_type_is_another_field():
    assert Schema.from_descriptor(described(required=True)).fields
    with pytest.raises(Exception, match="not valid"):
        Schema.from_descriptor(described(required=1))
