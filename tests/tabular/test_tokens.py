"""Arrow's tokens against those of Python's csv reader, whatever the quotes, the line ends and the cutting."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.tabular import judge_delimited
from pipelines.tabular import record_pieces as text_module
from pipelines.tabular.record_pieces import Text, open_bytes
from pipelines.tabular.tokens import arrow_reads_alike, tokenised

BITS = [
    "a", "b", ";", ";", '"', '"', "\n", "\n", "\r", "\r\n", " ", '""', "é", "\0", "x;y\n", '"q";', "\u2028", ";;;\n",
]  # fmt: skip


class Options(csv.excel):
    delimiter = ";"
    escapechar = None


@settings(max_examples=400)
@given(st.lists(st.sampled_from(BITS), max_size=40).map("".join), st.integers(1, 3), st.integers(1, 30))
def test_tokens_are_those_of_the_csv_reader(text: str, width: int, size: int):
    expected = list(csv.reader(io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline=""), Options))
    source = Text(text.encode(), "utf-8", Options)
    found = {}
    for tokens in tokenised(source, size, width):
        found |= tokens.ragged
        alive = [True] * len(tokens.numbers) if tokens.alive is None else tokens.alive
        rows = tokens.rows(np.flatnonzero(alive))
        found |= rows
        assert tokens.count == len(rows) + len(tokens.ragged)
    assert [found[number] for number in sorted(found)] == expected
    assert [source.fetch(number) for number in range(1, len(expected) + 1)] == expected


def test_many_records_are_fetched_again_from_a_mapped_file():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        path.write_bytes(b"".join(b'%d;"x\n%d"\r\n' % (number, number) for number in range(1, 3001)))
        source = Text(open_bytes(path), "cp1252", Options)
        assert sum(tokens.count for tokens in tokenised(source, 5000, 2)) == 3000
        assert all(
            source.fetch(number) == [str(number), f"x\n{number}"] for number in (1, 64, 65, 128, 129, 1500, 3000)
        )


def test_dialects_that_arrow_reads_otherwise_are_told():
    class Escaped(Options):
        escapechar = "\\"

    class Spaced(Options):
        skipinitialspace = True

    class Wide(Options):
        delimiter = "§"

    assert not arrow_reads_alike(Options)
    assert all(arrow_reads_alike(options) for options in (Escaped, Spaced, Wide))


def test_a_mark_at_the_start_of_a_piece_is_a_character_of_its_cell():
    rows = 400
    content = b"t,n\n" + "\ufeffab,1\n".encode() * rows
    schema = {"fields": [{"name": "t", "constraints": {"maxLength": 2}}, {"name": "n", "type": "integer"}]}
    judgement = judge_delimited(content, schema, encoding="utf-8", block_rows=5)
    assert sum(len(block.refused) for block in judgement) == rows
    longer = {"fields": [{"name": "t"}, {"name": "n", "type": "integer"}]}
    texts = [text for block in judge_delimited(content, longer, block_rows=5) for text in block.texts["t"].to_pylist()]
    assert texts == ["\ufeffab"] * rows


def test_pieces_of_short_records_are_smaller(monkeypatch):
    monkeypatch.setattr(text_module, "_MOST_RECORDS", 100)
    content = b"a,b\n" + b",\n" * 1000 + b"1,2\n"
    blocks = list(judge_delimited(content, {"fields": [{"name": "a"}, {"name": "b"}]}))
    assert max(len(block.refused) for block in blocks) <= 101
    assert [row.number for block in blocks for row in block.refused] == list(range(2, 1002))
    assert [number for block in blocks for number in block.numbers.tolist()] == [1002]
