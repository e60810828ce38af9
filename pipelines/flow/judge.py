"""Joins reading and validation for the files of an export, and remembers each file judged: it is not judged twice."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.compile.exports import label_of
from pipelines.compute.accounts import accounts_of
from pipelines.declarations import Catalogue, Correction, Export, Layout
from pipelines.declarations.roles import RowRule, row_rules
from pipelines.flow.fingerprints import code_fingerprint, fingerprint, report_version
from pipelines.flow.receive import left_behind
from pipelines.flow.store import Store, read_json, write_json, write_typed_rows
from pipelines.mechanics import limits
from pipelines.mechanics.files import replacing, write_whole
from pipelines.mechanics.french import counted
from pipelines.mechanics.plain_text import table_text
from pipelines.read import DamagedArchiveError, TreatmentError, UnusableFileError, apart, read_export
from pipelines.validate import (
    FileContext,
    Finding,
    JudgedFile,
    RefusedRow,
    Seen,
    TypedRows,
    Validated,
    Verdict,
    correction_states,
    count_findings,
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
    validate_file,
    write_rows,
)
from pipelines.validate.letters.accounts import take_accounts
from pipelines.validate.personal import RULE as PERSONAL


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
    context = FileContext(
        export, layout, catalogue.territories, name, file_year, corrections, rules, spill, progress
    )  # fmt: skip
    recognise = recognised(export, layout)
    try:
        text = spill.with_suffix(".texte")
        opened = read_export(content, name, layout, text, recognise, whole=bool(corrections))
        validated = validate_file(opened, context)
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


def write_report(
    store: Store, catalogue: Catalogue, network: str, year: int, verdicts: list[Verdict], reception: str
) -> str:
    """Write accepted observations, refused rows, and last the report that makes them count; return its data version.

    The accepted rows are counted there, for each indicator that they feed: in its base, or out of it and why.
    """
    folder = store.network_year(network, year)
    version = report_version(catalogue.fingerprint(network), reception)
    for verdict in verdicts:
        place = folder / "observations" / f"{verdict.export}.parquet"
        export = catalogue.networks[network].export(verdict.export)
        if verdict.observations is not None and export is not None:
            write_typed_rows(place, verdict.observations)
            take_accounts(verdict, accounts_of(catalogue, network, export, [year], place), catalogue, network)
        write_whole(folder / f"{verdict.export}-anomalies.csv", _findings_csv(verdict))
    report = {
        "fingerprint": version,
        "reception": reception,
        "exports": {
            verdict.export: {
                "etat": verdict.state,
                "motif": verdict.reason,
                "explication": verdict.explanation,
                "lignes_lues": verdict.rows,
                "lignes_acceptees": verdict.accepted,
                "lignes_refusees": verdict.refused,
                "lignes_sans_observation": verdict.ignored,
                "fichiers": verdict.files,
                "comptes": [account.plain() for account in verdict.accounts],
            }
            for verdict in verdicts
        },
        "contenus": {verdict.export: verdict.digests for verdict in verdicts},
        "doutes": [
            {"export": verdict.export, "genre": item.kind, "message": item.message, "bloque": item.blocks}
            for verdict in verdicts
            for item in verdict.doubts
        ],
        "anomalies": count_findings(verdicts),
        "corrections": correction_states(catalogue, network, year, verdicts),
    }
    write_json(folder / "report.json", report)
    return version


def _findings_csv(verdict: Verdict) -> bytes:
    """Write the findings row by row for the producer and the data team: values included, hence never published.

    Values of personal columns are masked here too.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerow(["fichier", "ligne", "colonne", "valeur", "regle", "severite", "message"])
    for path, _, item in verdict.findings:
        rows = f"{item.row} à {item.last} ({item.count} lignes)" if item.last else item.row or ""
        texts = map(table_text, (item.column, item.value, item.rule, item.severity, item.told))
        writer.writerow([table_text(path), rows, *texts])
    return stream.getvalue().encode("utf-8-sig")


def shown_columns(export: Export, layout: Layout, verdict: Verdict) -> list[str]:
    """Return the columns to show: none that may hold personal data, nor any that is made of one."""
    labels = {item.column for _, _, item in verdict.findings if item.rule == PERSONAL}
    kept = [field for field in export.fields if not field.personal and label_of(field, layout) not in labels]
    names = {field.name for field in kept}
    made_of = {
        "_periode": export.period.field,
        "_maille": export.level.field,
        "_territoire": export.territory.field if export.territory else None,
        "_structure": export.structure.code if export.structure else None,
    }
    coordinates = [column for column, source in made_of.items() if source is None or source in names]
    return ["_ligne", "_annee", *coordinates, *(field.name for field in kept)]
