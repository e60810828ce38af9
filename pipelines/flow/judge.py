"""Judges the files of a network-year: reading and validation joined, each content once, and the verdict kept.

A file judged is remembered by what the judgement depends on (content, declarations, code): it is not judged twice.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.compute.accounts import accounts_of
from pipelines.declarations import Catalogue, Correction, Export, Layout
from pipelines.declarations.roles import RowRule, row_rules
from pipelines.declarations.status import Status
from pipelines.flow.fingerprints import fingerprint, judging_code, verdict_version
from pipelines.flow.letters import write_letters
from pipelines.flow.receive import note_damage
from pipelines.flow.state import ExportDoubt, ExportVerdict, Reception, Record, YearVerdict
from pipelines.flow.store import Store
from pipelines.flow.stored_files import write_typed_rows
from pipelines.mechanics import limits
from pipelines.mechanics.files import replacing, write_whole
from pipelines.mechanics.french import counted
from pipelines.mechanics.plain_text import table_text
from pipelines.read import (
    DamagedArchiveError,
    ExportsRoot,
    Received,
    TreatmentError,
    UnusableFileError,
    apart,
    read_export,
)
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


class _JudgedContent(Record):
    """What is remembered of a file judged, beside its typed rows: the fields of ``Validated``, as plain data."""

    refused: tuple[tuple[int | None, int], ...]
    findings: tuple[dict[str, Any], ...]
    refused_rows: tuple[dict[str, Any], ...]
    ignored: int
    usable: bool
    header: tuple[str, ...]
    path: str
    why: str
    sheet: str


@dataclass(frozen=True)
class JudgedYear:
    """A network-year just judged: its verdicts, what is kept of them, and the letters and copies written, by name."""

    verdicts: list[Verdict]
    kept: YearVerdict
    letters: dict[str, Path]


def judge_received(
    catalogue: Catalogue,
    network: str,
    year: int,
    store: Store,
    root: ExportsRoot,
    tell: Callable[[str], None] | None = None,
) -> JudgedYear:
    """Judge what was received of a network-year, and keep the verdict, the observations and the letters.

    A damaged archive is noted, and raised when ``root`` hasn't the file any more. Raises ValueError when nothing was
    ever received.
    """
    reception = store.read(network, year).reception
    if reception is None:
        raise ValueError(f"{network} {year} : rien n'a encore été reçu")
    again: Callable[[str, str], bool] = lambda path, sha256: store.archive.take_again(root, path, sha256)  # noqa: E731
    try:
        verdicts = judge_network_year(catalogue, network, year, store, reception, tell, again)
    except DamagedArchiveError as error:
        note_damage(store, network, year, str(error))
        raise
    return keep_verdict(store, catalogue, network, year, verdicts, reception.fingerprint)


def judge_network_year(
    catalogue: Catalogue,
    network: str,
    year: int,
    store: Store,
    reception: Reception,
    tell: Callable[[str], None] | None = None,
    take_again: Callable[[str, str], bool] = lambda _path, _sha256: False,
) -> list[Verdict]:
    """Return the verdict on every export that the network owes for the year; ``tell`` hears of long files.

    ``take_again`` receives anew a file (path, content) whose archived copy is damaged, and says whether it could.
    """
    judging = _Judging(catalogue, network, year, store, tell, take_again)
    layouts = ((export, export.layout(year)) for export in catalogue.networks[network].exports)
    return [judging.verdict(export, layout, reception) for export, layout in layouts if layout is not None]


@dataclass(frozen=True)
class _Judging:
    """What the judgement of every file of a network-year shares."""

    catalogue: Catalogue
    network: str
    year: int
    store: Store
    tell: Callable[[str], None] | None
    take_again: Callable[[str, str], bool]

    def verdict(self, export: Export, layout: Layout, reception: Reception) -> Verdict:
        """Return the verdict on an export."""
        files = reception.exports.get(export.id, ())
        if not files:
            return not_handed_over(export, self.year, layout.path, reception.still_arriving(export.id))
        judged = [JudgedFile(file.path, file.sha256, self._file(export, layout, file)) for file in files]
        expected = expected_of(self.catalogue, self.network, export, layout, self.year)
        acceptance = self.catalogue.networks[self.network].acceptance_of(export)
        verdict = judge(export, self.year, acceptance, judged, expected)
        if verdict.state == Status.ACCEPTED:
            verdict.digests = {file.path: rows_digest(file.validated.observations, export) for file in judged}
            doubt(verdict, doubts_of(self._seen(export, judged, verdict, reception), acceptance))
        return verdict

    def _seen(self, export: Export, judged: list[JudgedFile], verdict: Verdict, reception: Reception) -> Seen:
        """Return what is known of an accepted export beside its rows: other contents received, other years."""
        declared = self.catalogue.networks[self.network]
        others = {
            other: known
            for other in declared.years
            if other != self.year and (known := self.store.read(self.network, other).verdict)
        }
        twins = {item.path: item.same_as for item in reception.twins if item.export == export.id}
        rows_of = {
            path: same
            for path, digest in verdict.digests.items()
            if digest and path not in twins and (same := _same_rows(others, export.id, path, digest))
        }
        before = others[self.year - 1].exports.get(export.id) if self.year - 1 in others else None
        return Seen(
            year=self.year,
            file_rows={file.path: _rows(file.validated) for file in judged},
            rows=verdict.rows,
            before=before.read if before and before.status == Status.ACCEPTED else None,
            twins=twins,
            rows_of=rows_of,
            partial=self.year in declared.provisional_years,
        )

    def _file(self, export: Export, layout: Layout, file: Received) -> Validated:
        """Judge a file, or recall the judgement of the same content under the same declarations and code."""
        file_year = self.year if layout.one_file_per_year else None
        years = layout.years if file_year is None else (self.year,)
        corrections = [
            item
            for item in self.catalogue.corrections.get(self.network, ())
            if item.status == "confirmed" and item.export == export.id and item.year in years
        ]
        rules = row_rules(self.catalogue, self.network, export, years)
        key = fingerprint(
            file.sha256, file.path, file_year, export.model_dump(mode="json"), layout.model_dump(mode="json"),
            [(item.model_dump(mode="json"), item.place) for item in corrections],
            [asdict(rule) for rule in rules], self.catalogue.territories.model_dump(mode="json"), judging_code(),
        )  # fmt: skip
        remembered = _recall(self.store, key, observation_schema(export))
        if remembered is not None:
            return remembered
        try:
            content = self._archived(file)
        except UnusableFileError as error:  # too large to be opened at all
            return unusable(export, [Finding(error.rule, str(error))])
        place = self.store.judged / f"{key}.parquet"
        with replacing(place) as spill:

            def work(tell_rows: Callable[[str], None]) -> Validated:
                progress = _every_million(file.path, tell_rows)
                return _judged_now(
                    self.catalogue, export, layout, file.path, content, spill,
                    file_year=file_year, corrections=corrections, rules=rules, progress=progress,
                )  # fmt: skip

            try:
                validated = apart(work, memory=limits.JUDGING_MEMORY, seconds=limits.JUDGING_SECONDS, tell=self.tell)
            except TreatmentError as error:
                raise type(error)(f"« {file.path} » : {error}") from error
            finally:
                spill.with_suffix(".texte").unlink(missing_ok=True)
        validated.observations = TypedRows(validated.observations.schema, [place])
        _remember(self.store, key, validated)
        return validated

    def _archived(self, file: Received) -> Path:
        archive = self.store.archive
        try:
            return archive.path(file.sha256)
        except DamagedArchiveError as error:
            if self.take_again(file.path, file.sha256):
                return archive.path(file.sha256)
            raise DamagedArchiveError(error.sha256, [file.path]) from error


def _rows(validated: Validated) -> int:
    """Count the rows of a file, whatever their year and what was made of them."""
    return validated.observations.num_rows + sum(validated.refused.values()) + validated.ignored


def _same_rows(verdicts: dict[int, YearVerdict], export: str, path: str, digest: str) -> list[tuple[str, int]]:
    return [
        (other, year)
        for year, known in verdicts.items()
        for other, held in known.contents.get(export, {}).items()
        if held == digest and other != path
    ]


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


def _every_million(path: str, tell: Callable[[str], None]) -> Callable[[int], None]:
    told = 0

    def progress(rows: int) -> None:
        nonlocal told
        if rows // 1_000_000 > told:
            told = rows // 1_000_000
            tell(f"{path} : {counted(told, 'million')} de lignes contrôlées")

    return progress


def _recall(store: Store, key: str, schema: pa.Schema) -> Validated | None:
    known = store.recall(key, _JudgedContent)
    if known is None:
        return None
    place = store.judged / f"{key}.parquet"
    try:
        found = pq.read_schema(place)
    except (OSError, pa.ArrowException):
        return None  # damaged: judge again
    if found != schema:
        return None
    return Validated(
        TypedRows(schema, [place]),
        [Finding(**item) for item in known.findings],
        dict(known.refused),
        refused_rows=[RefusedRow(**item) for item in known.refused_rows],
        header=list(known.header),
        **known.model_dump(include={"ignored", "usable", "path", "why", "sheet"}),
    )


def _remember(store: Store, key: str, validated: Validated) -> None:
    known = _JudgedContent(
        refused=tuple(validated.refused.items()),
        findings=tuple(asdict(item) for item in validated.findings),
        refused_rows=tuple(asdict(item) for item in validated.refused_rows),
        ignored=validated.ignored,
        usable=validated.usable,
        header=tuple(validated.header),
        path=validated.path,
        why=validated.why,
        sheet=validated.sheet,
    )
    store.remember(key, known)


def keep_verdict(
    store: Store, catalogue: Catalogue, network: str, year: int, verdicts: list[Verdict], reception: str
) -> JudgedYear:
    """Write accepted observations, refused rows, letters, and last the verdict that makes them count.

    The accepted rows are counted there, for each indicator that they feed: in its base, or out of it and why.
    """
    folder = store.network_year(network, year)
    for verdict in verdicts:
        place = folder / "observations" / f"{verdict.export}.parquet"
        export = catalogue.networks[network].export(verdict.export)
        if verdict.observations is not None and export is not None:
            write_typed_rows(place, verdict.observations)
            take_accounts(verdict, accounts_of(catalogue, network, export, [year], place), catalogue, network)
        write_whole(folder / f"{verdict.export}-anomalies.csv", _findings_csv(verdict))
    kept = YearVerdict(
        fingerprint=verdict_version(catalogue.fingerprint(network), reception),
        reception=reception,
        exports={verdict.export: _export_verdict(verdict) for verdict in verdicts},
        contents={verdict.export: verdict.digests for verdict in verdicts},
        doubts=tuple(
            ExportDoubt(export=verdict.export, kind=item.kind, message=item.message, blocks=item.blocks)
            for verdict in verdicts
            for item in verdict.doubts
        ),
        findings=tuple(count_findings(verdicts)),
        corrections=tuple(correction_states(catalogue, network, year, verdicts)),
    )
    letters = write_letters(store, catalogue, network, year, verdicts)
    store.write(network, year, kept)
    return JudgedYear(verdicts, kept, letters)


def _export_verdict(verdict: Verdict) -> ExportVerdict:
    return ExportVerdict(
        status=verdict.state,
        reason=verdict.reason,
        explanation=verdict.explanation,
        read=verdict.rows,
        accepted=verdict.accepted,
        refused=verdict.refused,
        without_observation=verdict.ignored,
        files=tuple(verdict.files),
        accounts=tuple(verdict.accounts),
    )


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
