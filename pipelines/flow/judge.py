"""Judges the files of a network-year: reading and validation joined, each content once, and the verdict kept.

A file judged is remembered by what the judgement depends on (content, declarations, code): it is not judged twice.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import validate
from pipelines.declarations import Catalogue, Export, Layout
from pipelines.declarations.roles import row_rules
from pipelines.declarations.statuses import Status
from pipelines.flow.fingerprints import JUDGING, code_of, fingerprint
from pipelines.flow.kept_verdicts import JudgedYear, keep_verdict
from pipelines.flow.receive import note_damage
from pipelines.flow.state import Reception, Record, YearVerdict
from pipelines.flow.store import Store
from pipelines.mechanics import limits
from pipelines.mechanics.files import replacing
from pipelines.mechanics.french import counted
from pipelines.read import (
    DamagedArchiveError,
    ExportsRoot,
    Received,
    TreatmentError,
    UnusableFileError,
    apart,
    layout_of_file,
    read_export,
)
from pipelines.validate import FileContext, Finding, JudgedFile, RefusedRow, Seen, TypedRows, Validated, Verdict


class _JudgedContent(Record):
    """What is remembered of a file judged, beside its typed rows: the fields of ``Validated``."""

    refused: tuple[tuple[int | None, int], ...]
    findings: tuple[Finding, ...]
    refused_rows: tuple[RefusedRow, ...]
    ignored: int
    usable: bool
    header: tuple[str, ...]
    path: str
    why: str
    sheet: str

    @classmethod
    def of(cls, validated: Validated) -> "_JudgedContent":
        """Return what is remembered of a judgement."""
        same = {name: getattr(validated, name) for name in cls.model_fields if name != "refused"}
        return cls(refused=tuple(validated.refused.items()), **same)

    def with_rows(self, rows: TypedRows) -> Validated:
        """Return the judgement, with its typed rows."""
        lists = {name: list(getattr(self, name)) for name in ("findings", "refused_rows", "header")}
        return Validated(rows, **{**dict(self), "refused": dict(self.refused), **lists})


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
    again = partial(store.archive.take_again, root)
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
            return validate.not_handed_over(export, self.year, layout.path, reception.still_arriving(export.id))
        judged = [JudgedFile(file.path, file.sha256, self._file(export, layout, file)) for file in files]
        expected = validate.expected_of(self.catalogue, self.network, export, layout, self.year)
        acceptance = self.catalogue.networks[self.network].acceptance_of(export)
        verdict = validate.judge(export, self.year, acceptance, judged, expected)
        if verdict.state == Status.ACCEPTED:
            verdict.digests = {file.path: validate.rows_digest(file.validated.observations, export) for file in judged}
            validate.doubt(verdict, validate.doubts_of(self._seen(export, judged, verdict, reception), acceptance))
        return verdict

    def _seen(self, export: Export, judged: list[JudgedFile], verdict: Verdict, reception: Reception) -> Seen:
        """Return what is known of an accepted export beside its rows: other contents received, other years."""
        declared = self.catalogue.networks[self.network]
        others = {
            other: known
            for other in declared.years
            if other != self.year and (known := self.store.read(self.network, other).verdict)
        }
        twins = {twin.path: twin.same_as for twin in reception.twins if twin.export == export.id}
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
            correction
            for correction in self.catalogue.corrections.get(self.network, ())
            if correction.status == "confirmed" and correction.export == export.id and correction.year in years
        ]
        rules = row_rules(self.catalogue, self.network, export, years)
        key = fingerprint(
            file.sha256,
            file.path,
            file_year,
            export.model_dump(mode="json"),
            layout.model_dump(mode="json"),
            [(correction.model_dump(mode="json"), correction.place) for correction in corrections],
            [asdict(rule) for rule in rules],
            self.catalogue.territories.model_dump(mode="json"),
            code_of(JUDGING),
        )
        remembered = _recall(self.store, key, validate.observation_schema(export))
        if remembered is not None:
            return remembered
        try:
            content = self._archived(file)
        except UnusableFileError as error:  # too large to be opened at all
            return validate.unusable(export, [Finding(error.rule, str(error))])
        place = self.store.judged / f"{key}.parquet"
        with replacing(place) as spill:
            context = FileContext(
                export, layout, self.catalogue.territories, file.path, file_year, corrections, rules, spill
            )
            try:
                validated = apart(
                    lambda tell: _judged_now(replace(context, progress=_every_million(file.path, tell)), content),
                    memory=limits.JUDGING_MEMORY,
                    seconds=limits.JUDGING_SECONDS,
                    tell=self.tell,
                )
            except TreatmentError as error:
                raise type(error)(f"« {file.path} » : {error}") from error
            finally:
                spill.with_suffix(".texte").unlink(missing_ok=True)
        validated.observations = TypedRows(validated.observations.schema, [place])
        self.store.remember(key, _JudgedContent.of(validated))
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


def _judged_now(context: FileContext, content: Path) -> Validated:
    """Read and judge a file whose typed rows go to the spill; they are left out of what is returned.

    Only what is found in the bytes is a judgement: what this machine lacks is raised.
    """
    export, declared, spill = context.export, context.layout, context.spill
    assert spill is not None  # given by the caller, who keeps it
    layout = layout_of_file(content, context.file, declared)
    context = replace(context, layout=layout)
    try:
        text, recognise = spill.with_suffix(".texte"), validate.recognised(export, layout)
        opened = read_export(content, context.file, layout, text, recognise, whole=bool(context.corrections))
        validated = validate.validate_file(opened, context)
    except UnusableFileError as error:
        validated = validate.unusable(export, [Finding(error.rule, str(error))])
    validated = validate.protect(validated, export, declared)
    if validated.observations.whole_file != spill:  # some rows were taken out once all were known
        validated.observations.write(spill)
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
    known, place = store.recall(key, _JudgedContent), store.judged / f"{key}.parquet"
    if known is None:
        return None
    try:
        whole = pq.read_schema(place) == schema
    except (OSError, pa.ArrowException):
        return None  # damaged: judge again
    return known.with_rows(TypedRows(schema, [place])) if whole else None
