"""What the engine and plain frictionless each find in a case, in a form that can be compared."""

from __future__ import annotations

import copy
import datetime
import json
import math
from typing import Any

from frictionless import Dialect, FrictionlessException, Package, Schema
from frictionless.resources import TableResource
from random_tables import V2, V2_RESOURCE, Case

from pipelines.tabular import Judgement, judge_cells, judge_delimited

CRASH = "frictionless fails"


def version_of(schema: dict[str, Any]) -> dict[str, str]:
    """Give a resource the version of its schema, as frictionless's command does; by itself it imposes the first."""
    return {"schema_profile": V2_RESOURCE} if schema.get("$schema") == V2 else {}


def plain_resource(case: Case, *, cells: bool = False) -> TableResource:
    """The case as frictionless alone opens it."""
    options: dict[str, Any] = {"schema": Schema.from_descriptor(copy.deepcopy(case.schema)), **version_of(case.schema)}
    if cells:
        resource = TableResource(data=case.rows, dialect=Dialect.from_descriptor({"headerRows": [1]}), **options)
    else:
        dialect = Dialect.from_descriptor(copy.deepcopy(case.dialect))
        resource = TableResource(data=case.content, format="csv", encoding=case.encoding, dialect=dialect, **options)
    if case.references:
        Package(resources=[resource, *(TableResource(name=name, data=rows) for name, rows in case.references.items())])
    return resource


def plain_verdict(case: Case, *, cells: bool = False) -> Any:
    """Errors and values by frictionless alone."""
    values: dict[int, list[Any]] = {}

    def note(row: Any) -> None:
        if row.valid:
            values[row.row_number] = [(field.type, row[field.name]) for field in row.fields]

    try:
        report = plain_resource(case, cells=cells).validate(limit_errors=0, on_row=note)
    except FrictionlessException:
        raise
    except Exception:
        return CRASH
    return [_error(error) for error in report.task.errors], values


def engine_verdict(case: Case, *, cells: bool = False) -> Any:
    """Errors and values by the engine."""
    try:
        judgement = judge(case, cells=cells)
        blocks = list(judgement)
    except FrictionlessException:
        raise
    except Exception as error:
        if type(error).__name__ == "UnjudgeableCellError" or type(error).__module__ not in {"builtins", "pyarrow.lib"}:
            return CRASH
        if isinstance(error, NotImplementedError | AssertionError | KeyError | IndexError):
            raise
        return f"{CRASH}: {error!r}"
    errors = [*judgement.source_errors, *judgement.header_errors]
    values, unheld, texts = {}, set(), {}
    for block in blocks:
        errors += [error for row in block.refused for error in row.errors]
        for place, (number, row) in enumerate(zip(block.numbers.tolist(), block.accepted.to_pylist(), strict=True)):
            values[number] = list(row.values())
            texts[number] = [column[place].as_py() for column in block.texts.columns]
        unheld |= {(item.number, judgement.names.index(item.field)) for item in block.unheld}
    errors += judgement.end_errors
    assert judgement.rows == judgement.accepted + judgement.refused
    return [_error(error) for error in errors], values, unheld, judgement


def judge(case: Case, *, cells: bool = False) -> Judgement:
    """The engine's judgement of the case."""
    options: dict[str, Any] = {"references": case.references or None, "block_rows": case.block_rows}
    if cells:
        return judge_cells(case.rows[0], case.rows[1:], copy.deepcopy(case.schema), **options)
    return judge_delimited(
        case.content, copy.deepcopy(case.schema), copy.deepcopy(case.dialect), encoding=case.encoding, **options
    )


def difference(case: Case, *, cells: bool = False) -> str:
    """Say where the two differ; nothing when they agree."""
    expected, found = plain_verdict(case, cells=cells), engine_verdict(case, cells=cells)
    if isinstance(expected, str) or isinstance(found, str):
        return "" if str(found).startswith(str(expected)) else f"expected {expected!r:.500}, found {found!r:.500}"
    if expected[0] != found[0]:
        pairs = [(a, b) for a, b in zip(expected[0], found[0], strict=False) if a != b][:1]
        shown = pairs or (expected[0] + found[0])[-2:]
        return f"{len(expected[0])} errors against {len(found[0])}: {shown} ({found[3].why})"
    if expected[1].keys() != found[1].keys():
        return f"accepted {sorted(expected[1].keys() ^ found[1].keys())}"
    for number, row in expected[1].items():
        for place, ((kind, value), held) in enumerate(zip(row, found[1][number], strict=True)):
            if not same_value(kind, value, held, (number, place) in found[2]):
                return f"row {number}: {kind} {value!r} became {held!r}"
    return ""


def same_value(kind: str, value: Any, held: Any, unheld: bool) -> bool:
    """Compare frictionless's value with what the Arrow table holds."""
    if value is None or unheld:
        return held is None and (value is None or not _fits(kind, value))
    if kind == "number":
        return (math.isnan(float(value)) and math.isnan(held)) or float(value) == held
    if kind == "datetime" and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None) == held
    if kind in {"list", "array", "object", "geojson"}:
        return json.dumps(value, default=str) == json.dumps(json.loads(held))
    if kind == "yearmonth":
        return f"{value.year}-{value.month:02}" == held
    return isinstance(held, str) if kind in {"duration", "geopoint"} else type(value) is type(held) and value == held


def _fits(kind: str, value: Any) -> bool:
    if kind in {"integer", "year"}:
        return -(2**63) <= value < 2**63
    if kind == "number":
        try:
            return math.isfinite(value) and not math.isinf(float(value))
        except ValueError:  # a signalling nan
            return False
    return not (kind in {"time", "datetime"} and value.tzinfo is not None)


def _error(error: Any) -> Any:
    names = (
        "type", "row_number", "field_name", "field_number", "note", "cell", "cells", "label", "labels",
        "row_numbers",
    )  # fmt: skip
    return tuple(getattr(error, name, None) for name in names)
