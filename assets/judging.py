"""Joins reading and validation for the files of an export, and remembers each file judged: it is not judged twice."""

import json
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assets.storage import Store, code_fingerprint, fingerprint, read_json, write_json, write_table
from pipelines.declarations import Catalogue, Export, Layout
from pipelines.read import UnusableFileError, read_cells
from pipelines.validate import (
    Finding,
    JudgedFile,
    RefusedRow,
    Validated,
    Verdict,
    judge,
    not_handed_over,
    observation_schema,
    protect,
    validate_cells,
)


def judge_network_year(
    catalogue: Catalogue, network: str, year: int, store: Store, reception: dict[str, Any]
) -> list[Verdict]:
    """Return the verdict on every export that the network owes for the year."""
    declared = catalogue.networks[network]
    verdicts = []
    for export in declared.exports:
        layout = export.layout(year)
        if layout is None:
            continue
        files = reception["exports"].get(export.id, [])
        if not files:
            verdicts.append(not_handed_over(export, year, layout.path))
            continue
        judged = [
            JudgedFile(file["path"], file["sha256"], _judged(catalogue, network, export, layout, year, store, file))
            for file in files
        ]
        verdicts.append(judge(export, year, declared.acceptance_of(export), judged))
    return verdicts


def _judged(
    catalogue: Catalogue, network: str, export: Export, layout: Layout, year: int, store: Store, file: dict[str, Any]
) -> Validated:
    """Judge a file, or recall the judgement of the same content under the same declarations and code."""
    file_year = year if layout.one_file_per_year else None
    corrections = [
        item for item in catalogue.corrections.get(network, ())
        if item.status == "confirmed" and item.export == export.id
        and item.year in (layout.years if file_year is None else (year,))
    ]  # fmt: skip
    key = fingerprint(
        file["sha256"], file["path"], file_year, export.model_dump(mode="json"), layout.model_dump(mode="json"),
        [(item.model_dump(mode="json"), item.place) for item in corrections],
        catalogue.territories.model_dump(mode="json"), code_fingerprint(),
    )  # fmt: skip
    remembered = _recall(store, key)
    if remembered is not None:
        return remembered
    try:
        cells = read_cells(store.archive.content(file["sha256"]), file["path"], layout)
        validated = validate_cells(
            cells.header, cells.rows, cells.first_row, export, layout, catalogue.territories,
            file=file["path"], file_year=file_year, corrections=corrections,
        )  # fmt: skip
    except UnusableFileError as error:
        empty = observation_schema(export).empty_table()
        validated = Validated(empty, [Finding(error.rule, str(error))], usable=False)
    validated = protect(validated, export, layout)
    _remember(store, key, validated)
    return validated


def _recall(store: Store, key: str) -> Validated | None:
    state = read_json(store.judged / f"{key}.json")
    if state is None:
        return None
    try:
        observations = pq.read_table(store.judged / f"{key}.parquet")
    except (OSError, pa.ArrowException):
        return None  # damaged: judge again
    refused = {None if year == "null" else int(year): count for year, count in state["refused"].items()}
    findings = [Finding(**item) for item in state["findings"]]
    rows = [RefusedRow(**item) for item in state["refused_rows"]]
    return Validated(observations, findings, refused, state["ignored"], state["usable"], state["header"], rows)


def _remember(store: Store, key: str, validated: Validated) -> None:
    write_table(store.judged / f"{key}.parquet", validated.observations)
    state = {
        "refused": {json.dumps(year): count for year, count in validated.refused.items()},
        "findings": [asdict(item) for item in validated.findings],
        "ignored": validated.ignored,
        "usable": validated.usable,
        "header": validated.header,
        "refused_rows": [asdict(item) for item in validated.refused_rows],
    }
    write_json(store.judged / f"{key}.json", state)
