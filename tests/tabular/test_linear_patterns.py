"""Patterns judged in linear time: the verdicts of Python's ``re`` as frictionless wraps it, and none that hangs."""

from __future__ import annotations

import random
import re
import time
import warnings

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from comparison import difference
from frictionless.schema import field as frictionless_field
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tables import Case

from pipelines.declarations.strict_model import check_pattern
from pipelines.tabular import judge_cells, judge_delimited
from pipelines.tabular.linear_patterns import linear_pattern, may_take_long

ATOMS = [
    "a", "b", "[ab]", "[^a]",
    ".", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "é", "[a-zé]", "\\.", "(a|b)", "(?:a|ab)", "(|a)",
    "(a*)", "(a?b??)", "^", "$", "\\b", "\\Z", "[^\\d]", "(?i:a)", "(?i:[^a])", "(?s:.)", "(?a:\\w)", "(?a:\\s)",
    "(?:ab)?",
    "(?:a*)*", "(?=a)", "(?<!a)", "[\\W\\d]", "x{2}", "1", "_", "(?:a|)", "(a|b)*", "(?:a$|b)",
    "(a)\\1", "(?>a+)", "a++",
]  # fmt: skip
REPEATS = ["", "", "", "", "*", "+", "?", "{2}", "{1,3}", "{,2}", "*?", "+?", "??"]
SIGNS = "aabbéx1 \n_.٣A\x1c\u00a0\u200bİıſK日"
HOPELESS = [
    "([A-Z]+)*[0-9]",
    "(A|A)*B",
    "(A*)*B",
    "A*A*A*A*A*A*A*A*B",
    "(.*A){12}B",
    "([A-Za-z]+\\s?)+[0-9]",
    "(\\w+\\b ?)*!",
]


def made(seed: int) -> tuple[str, random.Random]:
    chance = random.Random(seed)
    parts = (
        chance.choice(ATOMS) + chance.choice(REPEATS) + ("|" if chance.random() < 0.12 else "")
        for _ in range(chance.randint(1, 5))
    )
    return "".join(parts), chance


@settings(max_examples=400)
@given(st.integers(0, 2**48))
def test_a_linear_pattern_matches_what_re_matches(seed: int):
    pattern, chance = made(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = re.compile(f"^{pattern}$")
        except re.error:
            return
        linear = linear_pattern(pattern)
    if linear is None:
        return
    texts = ["".join(chance.choice(SIGNS) for _ in range(chance.randint(0, 7))) for _ in range(20)]
    assert {text: linear.match(text) for text in texts} == {text: expected.match(text) is not None for text in texts}, (
        pattern
    )


@settings(max_examples=300)
@given(st.integers(0, 2**48))
def test_what_declarations_accept_is_what_a_linear_engine_accepts(seed: int):
    pattern, _ = made(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            re.compile(f"^{pattern}$")
        except re.error:
            return
        try:
            accepted = bool(check_pattern(pattern))
        except ValueError:
            accepted = False
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
        known = True
    except pa.ArrowInvalid:
        known = "(?a:" in pattern or "\\Z" in pattern or "{,2}" in pattern  # written otherwise there
    assert accepted <= known, pattern


@pytest.mark.parametrize("pattern", ["CAF[0-9AB]{2,3}", "\\d{14}", "[A-Z]{1,3}-?\\d", "a|b", ".*", "(a|b)?c?"])
def test_usual_patterns_stay_with_re(pattern):
    assert not may_take_long(pattern)


@pytest.mark.parametrize("pattern", HOPELESS)
@pytest.mark.parametrize("cell", ["A" * 48, "Aa" * 5_000, "A" * 30_000])
def test_a_cell_never_hangs_a_judgement(pattern, cell):
    assert may_take_long(pattern)
    schema = {"fields": [{"name": "a", "constraints": {"pattern": pattern}}, {"name": "b"}]}
    before = time.process_time()
    for judgement in (
        judge_delimited(f"a,b\n{cell},1\n".encode(), schema),
        judge_cells(["a", "b"], [[cell, "1"]], schema),
    ):
        notes = [error.note for block in judgement for row in block.refused for error in row.errors]
        assert notes == [f'constraint "pattern" is "{pattern}"']
    assert time.process_time() - before < 5
    assert frictionless_field.re is re  # frictionless is left as it was


@pytest.mark.parametrize("pattern", ["([A-Z]+)*[0-9]", "(\\w+ ?)+", "(a|é)*b", "(é+)*$|x", "(\\w+\\b ?)*!"])
def test_verdicts_and_errors_are_those_of_frictionless(pattern):
    fields = [{"name": "a", "constraints": {"pattern": pattern}}, {"name": "b", "constraints": {"unique": True}}]
    cells = ["AB1", "AB", "", "é é", "aéb", "éé\n", "x", "un deux", "٣", "un!", "é!"]
    rows = [["a", "b"], *([cell, str(index)] for index, cell in enumerate(cells)), ["AB", "1"]]
    content = "".join('"{}",{}\n'.format(*row) for row in rows).encode()
    assert not difference(Case(rows, {"fields": fields}, content))
    assert not difference(Case(rows, {"fields": fields}, content), cells=True)
