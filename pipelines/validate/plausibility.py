"""Whether an export of a year is likely to be what it says: told to the data team, blocking where it is declared.

Nothing here is a fault of a row; each doubt is a sentence that a person answers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pipelines.mechanics.french import counted, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.declarations import Export
    from pipelines.declarations.network import Acceptance, DoubtKind
    from pipelines.validate.typed_rows import TypedRows

_SPREADSHEETS = (65_536, 1_048_576)  # rows that a sheet holds (XLS; XLSX and ODS)
_LIMITS = (*_SPREADSHEETS, *(figure * 10**power for power in (3, 4, 5, 6) for figure in (1, 2, 5)))  # of tools
_FAR_UNDER = 0.8  # of last year's rows
_FEW_ROWS, _MOST_ROWS = 5, 300_000
_FEWEST = 20  # rows of last year, for a fall to say anything


@dataclass(frozen=True)
class Doubt:
    """What makes a person look: its kind, a French sentence, and whether the export waits for it."""

    kind: DoubtKind
    message: str
    blocks: bool


@dataclass(frozen=True)
class Seen:
    """What is known of an export of a year: rows of each file (all years), rows of the year, and of the year before.

    ``twins``: for each file, the paths of other years, exports or networks where the same content is.
    ``rows_of``: likewise, the files and years of the same export whose rows say the same under other bytes.
    ``before`` is None where the year before was not accepted; ``partial``: the year isn't over.
    """

    year: int
    file_rows: Mapping[str, int]
    rows: int
    before: int | None
    twins: Mapping[str, Sequence[str]]
    rows_of: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    partial: bool = False


def rows_digest(rows: TypedRows, export: Export) -> str:
    """Return a hash of what the rows of a file say but of when: the same for last year's file saved or dated anew.

    Nothing for too few rows, which may be the same by right, and for surveys, where choices are few.
    """
    if export.kind == "survey" or not _FEW_ROWS <= rows.num_rows <= _MOST_ROWS:
        return ""
    import pandas as pd  # noqa: PLC0415  (a file that is checked alone has no other to be compared with)

    names = [name for name in rows.schema.names if not name.startswith("_") and name != export.period.field]
    frame = rows.table().select(names).to_pandas().astype("string").fillna("\0")
    hashes = np.asarray(pd.util.hash_pandas_object(frame, index=False), np.uint64)
    return hashlib.sha256(repr(names).encode() + hashes.tobytes()).hexdigest()


def doubts_of(seen: Seen, acceptance: Acceptance) -> list[Doubt]:
    """Return the doubts on an export that was accepted."""
    doubts: list[tuple[DoubtKind, str]] = []
    for path, others in seen.twins.items():
        same = " et de ".join(f"« {other} »" for other in others)
        doubts.append(("contenu-deja-recu", f"« {path} » a exactement le contenu de {same} : est-ce le bon fichier ?"))
    for path, earlier in seen.rows_of.items():
        same = " et ".join(f"« {other} » ({year})" for other, year in earlier)
        start = f"« {path} » a les mêmes lignes que {same}, dates mises à part : est-ce le bon fichier ?"
        doubts.append(("contenu-deja-recu", start))
    for path, rows in seen.file_rows.items():
        if limit := _limit(rows, seen.before):
            start = f"« {path} » a {counted(rows, 'ligne')}, une limite de logiciel ({number(limit)})"
            doubts.append(("lignes-rondes", f"{start} : l'extraction a-t-elle été coupée ?"))
    if seen.before and seen.before >= _FEWEST and not seen.partial:
        lost = 1 - seen.rows / seen.before
        if lost > acceptance.max_fall:
            doubts.append(
                (
                    "chute-de-lignes",
                    f"{counted(seen.rows, 'ligne')} en {seen.year}, contre {number(seen.before)} l'année précédente "
                    f"(-{round(100 * lost)} %) : le fichier est-il complet ?",
                )
            )
    return [Doubt(kind, message, kind in acceptance.blocking) for kind, message in doubts]


def _limit(rows: int, before: int | None) -> int | None:
    """Return the limit that a number of rows is at, its header counted or not, when that is no chance."""
    for limit in _LIMITS:
        if rows in (limit, limit - 1) and (limit in _SPREADSHEETS or (before and rows < _FAR_UNDER * before)):
            return limit
    return None
