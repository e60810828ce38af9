"""A judgement as frictionless's own report, the one of ``frictionless validate --json``.

Letters and readable outputs are made elsewhere.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from frictionless import Report, ReportTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from frictionless import Error

    from pipelines.tabular.blocks import JudgedBlock, Judgement

    RowCheck = Callable[[JudgedBlock], dict[int, list[Error]]]

_STEP = 1 << 22


def frictionless_report(
    judgement: Judgement,
    *,
    name: str = "memory",
    place: str = "<memory>",
    content: bytes | Path | None = None,
    limit_errors: int = 1000,
    seconds: float = 0.0,
    check: RowCheck | None = None,
) -> Report:
    """Iterate a judgement and return its report; at ``limit_errors`` errors (0: no limit) the reading stops.

    ``check`` adds errors of its own to the rows of each block.

    ``content`` gives the size and the fingerprints, which only a report on a whole file has. The time is the caller's.
    """
    opened = judgement.opened
    errors: list[Error] = [*judgement.source_errors, *(judgement.header_errors if opened else [])]
    rows, partial = 0, False
    full = 0 < limit_errors <= len(errors)  # by the header alone: frictionless still reads one row
    for number, found in _rows(judgement, check):
        rows = min(number, 1) if full else number
        errors += found
        if not number:
            continue
        if limit_errors and len(errors) >= limit_errors:
            errors, partial = errors[:limit_errors], True
            break
    if not partial:
        rows = judgement.rows
        errors += judgement.end_errors
    warnings = [f"reached error limit: {limit_errors}"] if partial else []
    stats: dict[str, Any] = {"errors": len(errors), "warnings": len(warnings), "seconds": seconds}
    if opened:
        stats |= _fingerprints(content) if content is not None and not partial else {}
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
    totals: Any = {"tasks": 1, "errors": len(errors), "warnings": len(warnings), "seconds": seconds}
    return Report(valid=not errors, stats=totals, warnings=[], errors=[], tasks=[task])


def _rows(judgement: Judgement, check: RowCheck | None) -> Iterator[tuple[int, list[Error]]]:
    """Yield, for each row with errors, how many rows were read so far; the other rows in one step."""
    read = 0
    for block in judgement:
        found: dict[int, list[Error]] = {row.number: list(row.errors) for row in block.refused}
        for number, more in (check(block) if check else {}).items():
            found[number] = [*found.get(number, []), *more]
        numbers = np.sort(np.concatenate([block.numbers, [row.number for row in block.refused]]).astype(np.int64))
        for number in sorted(found):
            yield read + int(np.searchsorted(numbers, number, side="right")), found[number]
        read += len(numbers)
        yield read, []


def _fingerprints(content: bytes | Path) -> dict[str, Any]:
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    for piece in _pieces(content):
        md5.update(piece)
        sha256.update(piece)
        size += len(piece)
    return {"md5": md5.hexdigest(), "sha256": sha256.hexdigest()} | ({"bytes": size} if size else {})


def _pieces(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        yield from iter(lambda: file.read(_STEP), b"")
