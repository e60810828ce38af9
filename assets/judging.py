"""Joins reading and validation for the files of an export, and remembers each file judged: it is not judged twice."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assets.reception import left_behind
from assets.storage import Store, code_fingerprint, fingerprint, read_json, write_json
from pipelines.declarations import Catalogue, Correction, Export, Layout
from pipelines.declarations.roles import RowRule, row_rules
from pipelines.mechanics import limits
from pipelines.mechanics.files import replacing
from pipelines.mechanics.french import counted
from pipelines.read import DamagedArchiveError, TreatmentError, UnusableFileError, apart, read_export
from pipelines.validate import (
    Finding,
    JudgedFile,
    RefusedRow,
    Seen,
    TypedRows,
    Validated,
    Verdict,
    doubt,
    doubts_of,
    expected_of,
    judge,
    not_handed_over,
    observation_schema,
    protect,
    recognised,
    rows_digest,
    unusable,
    validate_opened,
    write_rows,
)


def judge_network_year(
    catalogue: Catalogue,
    network: str,
    year: int,
    store: Store,
    reception: dict[str, Any],
    tell: Callable[[str], None] | None = None,
    take_again: Callable[[str, str], bool] = lambda _path, _sha256: False,
) -> list[Verdict]:
    """Return the verdict on every export that the network owes for the year; ``tell`` hears of long files.

    ``take_again`` receives anew a file (path, content) whose archived copy is damaged, and says whether it could.
    """
    declared = catalogue.networks[network]
    verdicts = []
    for export in declared.exports:
        layout = export.layout(year)
        if layout is None:
            continue
        files = reception["exports"].get(export.id, [])
        if not files:
            verdicts.append(not_handed_over(export, year, layout.path, left_behind(reception, export.id)))
            continue
        judged = [
            JudgedFile(
                file["path"],
                file["sha256"],
                _judged(catalogue, network, export, layout, year, store, file, tell, take_again),
            )
            for file in files
        ]
        expected = expected_of(catalogue, network, export, layout, year)
        verdict = judge(export, year, declared.acceptance_of(export), judged, expected)
        if verdict.state == "accepté":
            verdict.digests = {file.path: rows_digest(file.validated.observations, export) for file in judged}
            seen = _seen(catalogue, network, export, year, store, judged, verdict, reception)
            doubt(verdict, doubts_of(seen, declared.acceptance_of(export)))
        verdicts.append(verdict)
    return verdicts


def _rows(validated: Validated) -> int:
    """Count the rows of a file, whatever their year and what was made of them."""
    return validated.observations.num_rows + sum(validated.refused.values()) + validated.ignored


def _seen(
    catalogue: Catalogue,
    network: str,
    export: Export,
    year: int,
    store: Store,
    judged: list[JudgedFile],
    verdict: Verdict,
    reception: dict[str, Any],
) -> Seen:
    """Return what is known of an accepted export beside its rows: other contents received, other years."""
    declared = catalogue.networks[network]
    others = {
        other: report
        for other in declared.years
        if other != year and (report := read_json(store.network_year(network, other) / "report.json"))
    }
    twins = {item["path"]: item["same_as"] for item in reception.get("twins", ()) if item["export"] == export.id}
    rows_of = {
        path: same
        for path, digest in verdict.digests.items()
        if digest and path not in twins and (same := _same_rows(others, export.id, path, digest))
    }
    before = others.get(year - 1, {"exports": {}})["exports"].get(export.id)
    return Seen(
        year=year,
        file_rows={file.path: _rows(file.validated) for file in judged},
        rows=verdict.rows,
        before=before["lignes_lues"] if before and before["etat"] == "accepté" else None,
        twins=twins,
        rows_of=rows_of,
        partial=year in declared.provisional_years,
    )


def _same_rows(reports: dict[int, dict[str, Any]], export: str, path: str, digest: str) -> list[tuple[str, int]]:
    return [
        (other, year)
        for year, report in reports.items()
        for other, known in report.get("contenus", {}).get(export, {}).items()
        if known == digest and other != path
    ]


def _judged(
    catalogue: Catalogue,
    network: str,
    export: Export,
    layout: Layout,
    year: int,
    store: Store,
    file: dict[str, Any],
    tell: Callable[[str], None] | None,
    take_again: Callable[[str, str], bool],
) -> Validated:
    """Judge a file, or recall the judgement of the same content under the same declarations and code."""
    file_year = year if layout.one_file_per_year else None
    corrections = [
        item for item in catalogue.corrections.get(network, ())
        if item.status == "confirmed" and item.export == export.id
        and item.year in (layout.years if file_year is None else (year,))
    ]  # fmt: skip
    rules = row_rules(catalogue, network, export, layout.years if file_year is None else (year,))
    key = fingerprint(
        file["sha256"], file["path"], file_year, export.model_dump(mode="json"), layout.model_dump(mode="json"),
        [(item.model_dump(mode="json"), item.place) for item in corrections],
        [asdict(rule) for rule in rules], catalogue.territories.model_dump(mode="json"), code_fingerprint(),
    )  # fmt: skip
    remembered = _recall(store, key, observation_schema(export))
    if remembered is not None:
        return remembered
    place = store.judged / f"{key}.parquet"
    try:
        content = _archived(store, file, take_again)
    except UnusableFileError as error:  # too large to be opened at all
        return unusable(export, [Finding(error.rule, str(error))])
    with replacing(place) as spill:

        def work(tell_rows: Callable[[str], None]) -> Validated:
            progress = _every_million(file["path"], tell_rows)
            return _judged_now(
                catalogue, export, layout, file["path"], content, spill,
                file_year=file_year, corrections=corrections, rules=rules, progress=progress,
            )  # fmt: skip

        try:
            validated = apart(work, memory=limits.JUDGING_MEMORY, seconds=limits.JUDGING_SECONDS, tell=tell)
        except TreatmentError as error:
            raise type(error)(f"« {file['path']} » : {error}") from error
        finally:
            spill.with_suffix(".texte").unlink(missing_ok=True)
    validated.observations = TypedRows(validated.observations.schema, [place])
    _remember(store, key, validated)
    return validated


def _judged_now(
    catalogue: Catalogue,
    export: Export,
    layout: Layout,
    name: str,
    content: Path,
    spill: Path,
    *,
    file_year: int | None,
    corrections: list[Correction],
    rules: tuple[RowRule, ...],
    progress: Callable[[int], None],
) -> Validated:
    """Read and judge a file whose typed rows go to ``spill``; they are left out of what is returned.

    Only what is found in the bytes is a judgement: what this machine lacks is raised.
    """
    try:
        opened = read_export(content, name, layout, spill.with_suffix(".texte"), recognised(export, layout))
        validated = validate_opened(
            opened, export, layout, catalogue.territories,
            file=name, file_year=file_year, corrections=corrections, rules=rules, spill=spill, progress=progress,
        )  # fmt: skip
    except UnusableFileError as error:
        validated = unusable(export, [Finding(error.rule, str(error))])
    validated = protect(validated, export, layout)
    if validated.observations.whole_file != spill:  # some rows were taken out once all were known
        write_rows(validated.observations, spill)
    validated.observations = TypedRows(validated.observations.schema)
    return validated


def _archived(store: Store, file: dict[str, Any], take_again: Callable[[str, str], bool]) -> Path:
    try:
        return store.archive.path(file["sha256"])
    except DamagedArchiveError as error:
        if take_again(file["path"], file["sha256"]):
            return store.archive.path(file["sha256"])
        raise DamagedArchiveError(error.sha256, [file["path"]]) from error


def _every_million(path: str, tell: Callable[[str], None]) -> Callable[[int], None]:
    told = 0

    def progress(rows: int) -> None:
        nonlocal told
        if rows // 1_000_000 > told:
            told = rows // 1_000_000
            tell(f"{path} : {counted(told, 'million')} de lignes contrôlées")

    return progress


def _recall(store: Store, key: str, schema: pa.Schema) -> Validated | None:
    store.bring_judged(key)
    state = read_json(store.judged / f"{key}.json")
    if state is None:
        return None
    place = store.judged / f"{key}.parquet"
    try:
        found = pq.read_schema(place)
    except (OSError, pa.ArrowException):
        return None  # damaged: judge again
    if found != schema:
        return None
    observations = TypedRows(schema, [place])
    refused = {None if year == "null" else int(year): count for year, count in state["refused"].items()}
    findings = [Finding(**item) for item in state["findings"]]
    rows = [RefusedRow(**item) for item in state["refused_rows"]]
    known = {name: state[name] for name in ("ignored", "usable", "header", "path", "why", "sheet")}
    return Validated(observations, findings, refused, refused_rows=rows, **known)


def _remember(store: Store, key: str, validated: Validated) -> None:
    state = {
        "refused": {json.dumps(year): count for year, count in validated.refused.items()},
        "findings": [asdict(item) for item in validated.findings],
        "ignored": validated.ignored,
        "usable": validated.usable,
        "header": validated.header,
        "path": validated.path,
        "why": validated.why,
        "sheet": validated.sheet,
        "refused_rows": [asdict(item) for item in validated.refused_rows],
    }
    write_json(store.judged / f"{key}.json", state)
    store.save_judged(key)
