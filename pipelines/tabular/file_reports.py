"""Any file against any Table Schema, reported in frictionless's own format: what a general tool needs.

The formats and the declarations of the project's networks do not belong here.
"""

from __future__ import annotations

import copy
import hashlib
import io
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from frictionless import Dialect, FrictionlessException, Report, ReportTask, Schema
from frictionless.resources import TableResource

from pipelines.tabular.judgement import judge_delimited, judge_native, judge_parquet
from pipelines.tabular.linear_patterns import judged_in_linear_time
from pipelines.tabular.opening import sniffed_in_linear_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from frictionless import Error

    from pipelines.tabular.blocks import JudgedBlock, Judgement
    from pipelines.tabular.encoding import EncodingError

    RowCheck = Callable[[JudgedBlock], dict[int, list[Error]]]

_DELIMITED = ("csv", "txt")


@dataclass(frozen=True)
class FileVerdict:
    """A report in frictionless's format, the path that was taken to it and why, and all encoding errors.

    ``checked``: whether the rows were given to the check of rows that was asked for.
    """

    report: dict[str, Any]
    path: Literal["vectorised", "frictionless"]
    why: str = ""
    encoding_errors: list[EncodingError] = field(default_factory=list)
    checked: bool = True

    @property
    def valid(self) -> bool:
        """Whether the file has no error."""
        return bool(self.report["valid"])


def judge_file(
    path: Path,
    schema: dict[str, Any],
    dialect: dict[str, Any] | None = None,
    *,
    encoding: str | None = None,
    references: Mapping[str, Any] | None = None,
    limit_errors: int = 1000,
    unpacked: Path | None = None,
    rows: Iterable[Sequence[Any]] | None = None,
    check: RowCheck | None = None,
) -> FileVerdict:
    """Judge a file by the descriptors of its schema and dialect.

    CSV and Parquet go the vectorised way where they can, other formats to frictionless; a ``.txt`` is read as CSV.
    ``unpacked`` is where the content is when the file is an archive, ``rows`` the native cells of a sheet, whoever
    read them; ``check`` may add errors to rows. Without an encoding, frictionless guesses it. At ``limit_errors``
    errors (0: no limit) the reading stops. The report has no time: the clock is the caller's. Raises
    FileNotFoundError, and UnjudgeableCellError where frictionless itself fails.
    """
    content = unpacked or path
    if not content.is_file():
        raise FileNotFoundError(content)
    try:
        plain = _resource(content, schema, dialect, encoding)
        named = _resource(path, schema, dialect, encoding) if unpacked else plain
    except FrictionlessException as exception:
        report = Report.from_validation(errors=exception.reasons or [exception.error])
        return FileVerdict(report.to_dict(), "frictionless", "the schema or the dialect is not valid")
    if rows is not None:
        judgement = judge_native(rows, schema, dialect, references=references)
    elif content.suffix == ".parquet":
        judgement = judge_parquet(content, schema, references=references)
    elif plain.format in _DELIMITED and not plain.compression:
        judgement = judge_delimited(content, schema, dialect, encoding=encoding, references=references)
    else:
        return _by_frictionless(plain, named, path, limit_errors)
    report = frictionless_report(
        judgement,
        name=str(named.name),
        place=str(path),
        content=None if content.suffix == ".parquet" else path,
        limit_errors=limit_errors,
        check=check,
    )
    return FileVerdict(report.to_dict(), judgement.path, judgement.why, judgement.encoding_errors)


def _by_frictionless(plain: TableResource, named: TableResource, path: Path, limit_errors: int) -> FileVerdict:
    """Let frictionless alone read and judge, and tell the file by the name that it has."""
    kind = " ".join(filter(None, [named.format, named.compression]))
    with judged_in_linear_time(), sniffed_in_linear_time():
        report = plain.validate(limit_errors=limit_errors).to_dict()
    for task in report["tasks"]:
        task["name"] = named.name
        if plain.path != named.path:
            task["place"] = str(path)
    return FileVerdict(report, "frictionless", f"the format {kind}", checked=False)


def _resource(
    path: Path, schema: dict[str, Any], dialect: dict[str, Any] | None, encoding: str | None
) -> TableResource:
    return TableResource(
        path=path.name,
        basepath=str(path.absolute().parent),
        schema=Schema.from_descriptor(copy.deepcopy(schema)),
        dialect=Dialect.from_descriptor(copy.deepcopy(dialect or {})),
        encoding=encoding,
    )


def frictionless_report(
    judgement: Judgement,
    *,
    name: str = "memory",
    place: str = "<memory>",
    content: bytes | Path | None = None,
    limit_errors: int = 1000,
    check: RowCheck | None = None,
) -> Report:
    """Iterate a judgement and return its report; at ``limit_errors`` errors (0: no limit) the reading stops.

    ``check`` adds errors of its own to the rows of each block; ``content`` gives the size and the fingerprints, which
    only a report on a whole file has.
    """
    opened = judgement.opened
    errors: list[Error] = [*judgement.source_errors, *(judgement.header_errors if opened else [])]
    rows, stopped = 0, False
    full = 0 < limit_errors <= len(errors)  # by the header alone: frictionless still reads one row
    for number, row_errors in _rows(judgement, check):
        rows = min(number, 1) if full else number
        errors += row_errors
        if not number:
            continue
        if limit_errors and len(errors) >= limit_errors:
            errors, stopped = errors[:limit_errors], True
            break
    if not stopped:
        rows = judgement.rows
        errors += judgement.end_errors
    warnings = [f"reached error limit: {limit_errors}"] if stopped else []
    totals: dict[str, Any] = {"errors": len(errors), "warnings": len(warnings), "seconds": 0.0}
    stats = dict(totals)
    if opened and content is not None and not stopped:
        stats |= _fingerprints(content)
    stats |= {"fields": judgement.declared} if judgement.declared else {}
    stats |= {"rows": rows} if rows else {}
    task = ReportTask(
        valid=not errors,
        name=name,
        type="table",
        place=place,
        labels=judgement.header if opened else [],
        stats=stats,  # type: ignore[arg-type]
        errors=errors,
        warnings=warnings,
    )
    totals["tasks"] = 1
    return Report(valid=not errors, stats=totals, warnings=[], errors=[], tasks=[task])  # type: ignore[arg-type]


def _rows(judgement: Judgement, check: RowCheck | None) -> Iterator[tuple[int, list[Error]]]:
    """Yield, for each row with errors, how many rows were read so far; the other rows in one step."""
    read = 0
    for block in judgement:
        errors: dict[int, list[Error]] = {row.number: list(row.errors) for row in block.refused}
        for number, more in (check(block) if check else {}).items():
            errors[number] = [*errors.get(number, []), *more]
        numbers = np.sort(np.concatenate([block.numbers, [row.number for row in block.refused]]).astype(np.int64))
        for number in sorted(errors):
            yield read + int(np.searchsorted(numbers, number, side="right")), errors[number]
        read += len(numbers)
        yield read, []


def _fingerprints(content: bytes | Path) -> dict[str, Any]:
    stats: dict[str, Any] = {}
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as stream:
        for name in ("md5", "sha256"):
            stream.seek(0)
            stats[name] = hashlib.file_digest(stream, partial(hashlib.new, name, usedforsecurity=False)).hexdigest()
        size = stream.seek(0, io.SEEK_END)
    return stats | ({"bytes": size} if size else {})
