"""Any file against any Table Schema, reported in frictionless's own format: what a general tool needs.

The formats and the declarations of the project's networks do not belong here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from frictionless import Dialect, FrictionlessException, Report, Schema
from frictionless.resources import TableResource

from pipelines.tabular.judge import judge_delimited, judge_native, judge_parquet
from pipelines.tabular.linear_patterns import judged_in_linear_time
from pipelines.tabular.report import frictionless_report
from pipelines.tabular.sniffing import sniffed_in_linear_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.tabular.encoding import EncodingError
    from pipelines.tabular.report import RowCheck

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
        plain, told = _resource(content, schema, dialect, encoding), _resource(path, schema, dialect, encoding)
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
        return _by_frictionless(plain, told, path, limit_errors)
    report = frictionless_report(
        judgement,
        name=str(told.name),
        place=str(path),
        content=None if content.suffix == ".parquet" else path,
        limit_errors=limit_errors,
        check=check,
    )
    return FileVerdict(report.to_dict(), judgement.path, judgement.why, judgement.encoding_errors)


def _by_frictionless(plain: TableResource, told: TableResource, path: Path, limit_errors: int) -> FileVerdict:
    """Let frictionless alone read and judge, and tell the file by the name that it has."""
    kind = " ".join(filter(None, [told.format, told.compression]))
    with judged_in_linear_time(), sniffed_in_linear_time():
        report = plain.validate(limit_errors=limit_errors).to_dict()
    for task in report["tasks"]:
        task["name"] = told.name
        if plain.path != told.path:
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
