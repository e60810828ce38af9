"""Keys that are the same once places are written in one way (1 and 01, d01 and D01): frictionless sees two of them.

Keys written alike are frictionless's affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.validate.findings import Finding
from pipelines.validate.tabular.hashes import NULL, apart_from_null, combine, hash_floats, hash_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.declarations import Export
    from pipelines.validate.tabular.hashes import Hashes
    from pipelines.validate.typed_rows import TypedRows

MESSAGE = "Cette clé figure déjà plus haut dans le fichier."


class Twins:
    """Notes how each place is written; only those written in several ways can hide a key seen before."""

    def __init__(self, export: Export, present: Mapping[str, int], labels: Mapping[str, str]) -> None:
        self._key = list(export.key)
        self._labels = labels
        field = export.territory.field if export.territory else None
        self._field = field if field in self._key and set(self._key) <= set(present) else None
        self._written: dict[tuple[str, str | None], Any] = {}
        self._several: set[tuple[str, str | None]] = set()

    def note(self, accepted: pa.Table) -> None:
        """Note the places of accepted rows, as coordinates and as written."""
        if self._field is None:
            return
        places = accepted.select(["_maille", "_territoire", self._field])
        for level, code, text in zip(*_distinct(places), strict=True):
            if self._written.setdefault((level, code), text) != text:
                self._several.add((level, code))

    def found(self, rows: TypedRows) -> Iterator[tuple[int, Finding, int | None]]:
        """Yield row number, finding and year of every row whose key an earlier one has.

        A first pass keeps a hash for each suspected row; only the keys whose hash comes back are compared, in a second.
        """
        if not self._several:
            return
        names = list(dict.fromkeys(["_ligne", "_annee", "_maille", "_territoire", *self._key]))
        column = ", ".join(self._labels[name] for name in self._key)
        hashes = [self._hashes(self._suspected(batch)) for batch in rows.batches(names)]
        again = _repeated(np.concatenate(hashes)) if hashes else np.empty(0, np.uint64)
        seen: set[tuple[Any, ...]] = set()
        for batch, hashed in zip(rows.batches(names), hashes, strict=True):
            for row in self._suspected(batch).filter(pa.array(np.isin(hashed, again))).to_pylist():
                place = (row["_maille"], row["_territoire"])
                key = tuple(place if name == self._field else row[name] for name in self._key)
                if key in seen:
                    shown = ", ".join(str(row[name]) for name in self._key)
                    yield row["_ligne"], Finding("primary-key", MESSAGE, column=column, value=shown), row["_annee"]
                seen.add(key)

    def _hashes(self, batch: pa.RecordBatch) -> Hashes:
        names = ["_maille", "_territoire", *(name for name in self._key if name != self._field)]
        return combine([_hashed(batch.column(name)) for name in names])

    def _suspected(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        codes = pa.array(sorted({code for _, code in self._several if code is not None}), pa.string())
        wanted = pc.is_in(batch.column("_territoire"), codes)
        if any(code is None for _, code in self._several):
            wanted = pc.or_(wanted, pc.is_null(batch.column("_territoire")))
        return batch.filter(wanted)


def _hashed(column: pa.Array) -> Hashes:
    """Hash each value: equal ones have equal hashes, whatever the batch."""
    if pa.types.is_floating(column.type):
        hashed = hash_floats(column.fill_null(0).to_numpy(zero_copy_only=False))
    else:
        hashed = hash_texts(column.cast(pa.string()).fill_null(""))
    return np.where(column.is_null().to_numpy(zero_copy_only=False), NULL, apart_from_null(hashed))


def _repeated(hashes: Hashes) -> Hashes:
    """Return the hashes that come more than once."""
    ordered = np.sort(hashes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _distinct(table: pa.Table) -> list[list[Any]]:
    return [column.to_pylist() for column in table.group_by(table.column_names).aggregate([]).columns]
