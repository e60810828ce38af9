"""Any file as frictionless judges it: CSV against its own reports, Parquet against its reading of native cells."""

from __future__ import annotations

import copy
import datetime
import json
import random
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import frictionless
import pyarrow as pa
import pytest
from comparison import CRASH, plain_verdict, version_of
from frictionless import Dialect, Package, Schema
from frictionless.resources import TableResource
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from random_tables import make_case

from pipelines.tabular import judge_file, judge_parquet

SCHEMA = {
    "fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string", "constraints": {"unique": True}}]
}
DAY = datetime.date(2023, 1, 5)
NATIVE: dict[str, tuple[pa.DataType, list[Any]]] = {
    "int": (pa.int64(), [0, 1, 1, 2, 3, -5, 2023, 10**15, 10**17, None]),
    "float": (pa.float64(), [0.0, -0.0, 1.0, 1.5, 0.3, 2023.0, float("nan"), float("inf"), None]),
    "bool": (pa.bool_(), [True, False, None]),
    "date": (pa.date32(), [DAY, datetime.date(2020, 2, 29), datetime.date(1, 1, 1), None]),
    "datetime": (pa.timestamp("us"), [datetime.datetime(2023, 1, 5, 10), datetime.datetime(2023, 1, 5), None]),
    "time": (pa.time64("us"), [datetime.time(10), datetime.time(12, 30, 1), None]),
    "decimal": (pa.decimal128(10, 2), [Decimal("1.50"), Decimal("1.00"), Decimal("0.30"), None]),
    "text": (pa.string(), ["a", "b", "1", "2023-01-05", "", "NA", "A1", "éééé", None]),
    "large": (pa.large_string(), ["a", "1.5", "", None]),
    "coded": (pa.dictionary(pa.int8(), pa.string()), ["a", "a", "AB12", None]),
    "none": (pa.null(), [None]),
    "list": (pa.list_(pa.int64()), [[1], [], None]),
}
KINDS = [*["int", "float", "bool", "date", "datetime", "time", "decimal", "text", "large", "coded"] * 4, "none", "list"]


def errors(report: Any) -> list[Any]:
    return json.loads(report.to_json())["tasks"][0]["errors"]


@settings(max_examples=30)
@given(st.integers(0, 2**48), st.sampled_from([0, 3, 1000]))
def test_a_csv_file_has_the_errors_that_frictionless_reports(seed: int, limit: int):
    case = make_case(seed)
    if plain_verdict(case) == CRASH:
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "Un fichier.csv")
        path.write_bytes(case.content)
        resource = TableResource(
            path=path.name, basepath=folder, encoding=case.encoding,
            schema=Schema.from_descriptor(copy.deepcopy(case.schema)), dialect=Dialect.from_descriptor(case.dialect),
            **version_of(case.schema),
        )  # fmt: skip
        if case.references:
            Package(
                resources=[resource, *(TableResource(name=name, data=rows) for name, rows in case.references.items())]
            )
        expected = resource.validate(limit_errors=limit)
        found = judge_file(
            path, case.schema, case.dialect, encoding=case.encoding, references=case.references, limit_errors=limit
        )
    assert found.report["tasks"][0]["errors"] == errors(expected), f"seed {seed}"
    assert found.report["valid"] == expected.valid == found.valid
    assert found.report["tasks"][0]["name"] == expected.tasks[0].name


@settings(max_examples=80)
@given(st.integers(0, 2**48))
def test_a_parquet_file_is_judged_on_its_native_cells(seed: int):
    chance = random.Random(seed)
    case = make_case(seed)
    if any(key["reference"]["resource"] == "" for key in case.schema.get("foreignKeys", [])):
        return
    columns, count = {}, chance.choice([1, 3, 10, 40])
    for field in case.schema["fields"]:
        kind, pool = NATIVE[field["type"] if field["type"] in KINDS and chance.random() < 0.5 else chance.choice(KINDS)]
        columns[field["name"]] = pa.array([chance.choice(pool) for _ in range(count)], kind)
    table = pa.table(columns)
    rows = [list(row.values()) for row in table.to_pylist()]
    resource = TableResource(
        data=[table.column_names, *rows], schema=Schema.from_descriptor(copy.deepcopy(case.schema)),
        dialect=Dialect.from_descriptor({"headerRows": [1]}), **version_of(case.schema),
    )  # fmt: skip
    if case.references:
        Package(resources=[resource, *(TableResource(name=name, data=rows) for name, rows in case.references.items())])
    try:
        expected = errors(resource.validate(limit_errors=0))
    except Exception:
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.parquet")
        parquet.write_table(table, path, row_group_size=chance.choice([2, 7, 1000]))
        judgement = judge_parquet(path, case.schema, references=case.references, block_rows=case.block_rows)
        if not judgement.opened:
            assert [json.loads(error.to_json()) for error in judgement.source_errors] == expected, f"seed {seed}"
            return
        blocks = list(judgement)
    found = [error for block in blocks for row in block.refused for error in row.errors]
    all_found = [*judgement.source_errors, *judgement.header_errors, *found, *judgement.end_errors]
    assert [json.loads(error.to_json()) for error in all_found] == expected, f"seed {seed}"
    assert sum(block.accepted.num_rows for block in blocks) == judgement.accepted
    nested = any(pa.types.is_nested(field.type) for field in table.schema)
    assert not nested or (judgement.path == "frictionless" and judgement.why)


def test_a_parquet_file_says_which_path_was_taken(tmp_path: Path):
    parquet.write_table(pa.table({"a": [1, 2, None], "b": ["x", "y", "x"]}), tmp_path / "a.parquet")
    verdict = judge_file(tmp_path / "a.parquet", SCHEMA)
    assert verdict.path == "vectorised"
    assert [(error["type"], error["rowNumber"], error["note"]) for error in verdict.report["tasks"][0]["errors"]] == [
        ("unique-error", 4, "the same as in the row at position 2")
    ]


@pytest.mark.parametrize(("name", "why"), [("a.tsv", "the format tsv"), ("a.json", "the format json")])
def test_other_formats_go_to_frictionless_and_it_is_told(tmp_path: Path, name: str, why: str):
    content = "a\tb\nx\t1\n" if name.endswith("tsv") else json.dumps([["a", "b"], ["x", "1"]])
    (tmp_path / name).write_text(content)
    verdict = judge_file(tmp_path / name, SCHEMA)
    assert (verdict.path, verdict.why) == ("frictionless", why)
    resource = TableResource(path=name, basepath=str(tmp_path), schema=Schema.from_descriptor(SCHEMA))
    assert verdict.report["tasks"][0]["errors"] == errors(frictionless.validate(resource))
    assert not verdict.valid


def test_a_schema_that_is_none_is_reported_as_such(tmp_path: Path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    verdict = judge_file(tmp_path / "a.csv", {"fields": [{"name": "a", "type": "nombre"}]})
    assert not verdict.valid and verdict.report["errors"] and "schema" in verdict.why
    with pytest.raises(FileNotFoundError):
        judge_file(tmp_path / "b.csv", SCHEMA)
