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

from pipelines.validate.tabular.judge import judge_delimited, judge_parquet
from pipelines.validate.tabular.report import frictionless_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.validate.tabular.encoding import EncodingError


@dataclass(frozen=True)
class FileVerdict:
    """A report in frictionless's format, the path that was taken to it and why, and all encoding errors."""

    report: dict[str, Any]
    path: Literal["vectorised", "frictionless"]
    why: str = ""
    encoding_errors: list[EncodingError] = field(default_factory=list)

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
) -> FileVerdict:
    """Judge a file by the descriptors of its schema and dialect.

    CSV and Parquet go the vectorised way where they can, other formats to frictionless. Without an encoding,
    frictionless guesses it. At ``limit_errors`` errors (0: no limit) the reading stops. The report has no time: the
    clock is the caller's. Raises FileNotFoundError, and UnjudgeableCellError where frictionless itself fails.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        plain = _resource(path, schema, dialect, encoding)
    except FrictionlessException as exception:
        report = Report.from_validation(errors=exception.reasons or [exception.error])
        return FileVerdict(report.to_dict(), "frictionless", "the schema or the dialect is not valid")
    content: Path | None = None
    if path.suffix == ".parquet":
        judgement = judge_parquet(path, schema, references=references)
    elif plain.format == "csv" and not plain.compression:
        judgement = judge_delimited(path, schema, dialect, encoding=encoding, references=references)
        content = path
    else:
        kind = " ".join(filter(None, [plain.format, plain.compression]))
        return FileVerdict(plain.validate(limit_errors=limit_errors).to_dict(), "frictionless", f"the format {kind}")
    report = frictionless_report(
        judgement, name=str(plain.name), place=str(path), content=content, limit_errors=limit_errors
    )
    return FileVerdict(report.to_dict(), judgement.path, judgement.why, judgement.encoding_errors)


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
