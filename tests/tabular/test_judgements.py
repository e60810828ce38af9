"""What a judgement tells beside errors: blocks, values, paths, counts, Parquet, keys over many blocks."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from comparison import difference
from hypothesis import given
from hypothesis import strategies as st
from random_tables import Case

from pipelines.tabular import UnjudgeableCellError, judge_cells, judge_delimited
from pipelines.tabular.doubts import RowJudge
from pipelines.tabular.hashes import NULL, hash_texts, hash_values
from pipelines.tabular.keys import Seen

SCHEMA = {
    "fields": [
        {"name": "id", "type": "string", "constraints": {"required": True}},
        {"name": "jour", "type": "date", "format": "%d/%m/%Y"},
        {"name": "note", "type": "number", "decimalChar": ","},
        {"name": "effectif", "type": "integer"},
    ],
    "primaryKey": ["id"],
}
ITSELF = {"fields": ["a"], "reference": {"resource": "", "fields": ["a"]}}
ROWS = "id;jour;note;effectif\na;5/3/2023;1,5;12\nb;31/02/2023;;1\n\nc;;-0,25;99999999999999999999\na;05/03/2023;1;2\n"


def judged(text: str = ROWS, schema: dict | None = None, **options):
    return judge_delimited(text.encode(), schema or SCHEMA, {"delimiter": ";"}, **options)


def test_values_are_those_that_frictionless_reads():
    judgement = judged()
    blocks = list(judgement)
    table = pa.concat_tables([block.accepted for block in blocks])
    assert table.column("id").to_pylist() == ["a", "c"]
    assert [str(day) for day in table.column("jour").to_pylist()] == ["2023-03-05", "None"]
    assert table.column("note").to_pylist() == [1.5, -0.25]
    assert [number for block in blocks for number in block.numbers.tolist()] == [2, 5]
    assert [(item.number, item.field, item.text) for block in blocks for item in block.unheld] == [
        (5, "effectif", "99999999999999999999")
    ]
    assert [(row.number, [error.type for error in row.errors]) for block in blocks for row in block.refused] == [
        (3, ["type-error"]), (4, ["blank-row", "primary-key"]), (6, ["primary-key"]),
    ]  # fmt: skip
    assert (judgement.rows, judgement.accepted, judgement.refused, judgement.errors) == (5, 2, 3, 4)
    assert judgement.path == "vectorised" and not judgement.valid


def test_texts_are_those_of_the_accepted_rows():
    texts = pa.concat_tables([block.texts for block in judged(block_rows=1)])
    assert texts.to_pylist()[0] == {"id": "a", "jour": "5/3/2023", "note": "1,5", "effectif": "12"}
    assert texts.num_rows == 2


def test_progress_tells_the_records_read():
    seen: list[int] = []
    list(judged(block_rows=1, progress=seen.append))
    assert seen == sorted(seen) and seen[-1] == 6


@pytest.mark.parametrize(
    ("schema", "options", "why"),
    [
        ({"fields": [{"name": "a", "type": "object", "constraints": {"unique": True}}]}, {}, "object"),
        ({"fields": [{"name": "a", "type": "string"}], "foreignKeys": [ITSELF]}, {}, "itself"),
        ({"fields": [{"name": "a", "type": "string"}]}, {"encoding": "ascii"}, "ascii"),
    ],
)  # fmt: skip
def test_what_is_not_covered_goes_to_frictionless_and_is_told(schema, options, why: str):
    judgement = judge_delimited("a\né\n".encode(), schema, **options)
    assert judgement.path == "frictionless" and why in judgement.why


def test_a_cell_on_which_frictionless_fails_is_told():
    schema = {"fields": [{"name": "a", "type": "number", "constraints": {"minimum": 0}}, {"name": "b"}]}
    with pytest.raises(UnjudgeableCellError, match="sNaN"):
        list(judge_delimited(b"a;b\nsNaN;1\n", schema, {"delimiter": ";"}))


def test_cells_keep_the_row_numbers_of_their_sheet_and_nulls_are_missing():
    rows = [["a", "1"], [None, "2"], ["a", None]]
    schema = {"fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "integer"}], "primaryKey": ["id"]}
    judgement = judge_cells(["id", "n"], rows, schema, first_row=7, block_rows=1)
    errors = [(row.number, error.note) for block in judgement for row in block.refused for error in row.errors]
    assert errors == [
        (8, 'cells composing the primary keys are all "None"'), (9, "the same as in the row at position 7"),
    ]  # fmt: skip


def test_repeated_keys_are_found_across_blocks_with_the_latest_earlier_row():
    chance = random.Random(1)
    values = [chance.randrange(3000) for _ in range(6000)]
    last: dict[int, int] = {}
    expected = []
    for number, value in enumerate(values, start=2):
        if value in last:
            expected.append((number, f"the same as in the row at position {last[value]}"))
        last[value] = number
    text = "id;n\n" + "".join(f"{value:0{4 + value % 3}d};x\n" for value in values)
    schema = {"fields": [{"name": "id", "type": "integer", "constraints": {"unique": True}}, {"name": "n"}]}
    judgement = judged(text, schema, block_rows=20)
    assert [
        (row.number, error.note) for block in judgement for row in block.refused for error in row.errors
    ] == expected


def test_equal_hashes_of_different_values_are_no_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipelines.tabular.columns.hash_texts", lambda column: np.full(len(column), 7, np.uint64))
    text = "id;n\n" + "".join(f"k{number};x\n" for number in [*range(50), 3])
    schema = {"fields": [{"name": "id", "type": "string", "constraints": {"unique": True}}, {"name": "n"}]}
    judgement = judged(text, schema, block_rows=2)
    assert [row.number for block in judgement for row in block.refused] == [52]


@given(st.lists(st.lists(st.integers(1, 60), max_size=30), max_size=30))
def test_a_row_whose_hash_was_seen_has_a_partner(blocks: list[list[int]]):
    seen, number, known = Seen(4), 0, dict[int, set[int]]()
    for block in blocks:
        numbers = np.arange(number, number + len(block))
        number += len(block)
        partners = seen.add(np.array(block, np.uint64), numbers)
        for value in set(block):
            mine = [int(item) for item, other in zip(numbers, block, strict=True) if other == value]
            found = [int(partner) for partner, other in zip(partners, block, strict=True) if other == value]
            earlier = known.setdefault(value, set())
            assert all(partner in earlier | set(mine) | {-1} for partner in found)
            assert found.count(-1) == (0 if earlier else 1)
            earlier.update(mine)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=30))
def test_texts_hash_alike_wherever_they_stand(texts: list[str]):
    column = pa.array(["x", *texts, "y"]).slice(1, len(texts))
    hashes = hash_texts(column)
    assert hashes.tolist() == [int(hash_texts(pa.array([text]))[0]) for text in texts]
    assert len(set(hashes.tolist())) == len(set(texts))


def test_no_value_has_the_hash_of_a_missing_one():
    assert hash_values([None, 0, 1, 2**70], "integer").tolist().count(int(NULL)) == 1


@pytest.mark.parametrize("cells", ["", ";", ";;", ";;;;"])
def test_empty_rows_are_asked_once_and_told_as_frictionless_does(cells, monkeypatch):
    asked, judge = [], RowJudge.judge
    monkeypatch.setattr(RowJudge, "judge", lambda self, number, row: asked.append(number) or judge(self, number, row))
    schema = {"fields": [{"name": "a"}, {"name": "b"}, {"name": "c"}], "primaryKey": ["a"]}
    content = "a;b;c\n1;2;3\n" + f"{cells}\n" * 50
    judgement = judge_delimited(content.encode(), schema, {"csv": {"delimiter": ";"}}, block_rows=3)
    refused = [row for block in judgement for row in block.refused]
    assert len(asked) < 10
    case = Case([], schema, content.encode(), {"csv": {"delimiter": ";"}})
    assert not difference(case)
    told = [error.row_number for row in refused for error in row.errors if error.type == "blank-row"]
    assert told == [*range(53 - len(told), 53)]
    assert len(told) >= 49


def test_empty_cells_that_are_values_are_asked_each_time():
    schema = {"fields": [{"name": "a", "missingValues": []}, {"name": "b", "type": "integer", "missingValues": []}]}
    assert not difference(Case([], schema, b"a;b\n" + b";\n" * 9, {"csv": {"delimiter": ";"}}))


def test_an_unjudgeable_cell_is_located_without_being_told():
    schema = {"fields": [{"name": "id"}, {"name": "n", "type": "number", "constraints": {"minimum": 0}}]}
    with pytest.raises(UnjudgeableCellError) as raised:
        list(judge_delimited(b"id,n\na,1\nb,sNaN\n", schema))
    error = raised.value
    assert (error.row, error.field, error.cell) == (3, "n", "sNaN")
    assert "sNaN" not in error.sentence()
    assert "ligne 3 (colonne « n »)" in error.sentence()
