"""Keys that are the same once written in one way (1 and 01, d01 and D01, R1 and R1 with a space).

frictionless sees two of them; keys written alike are its affair.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.tabular.hashes import NULL, apart_from_null, combine, hash_floats, hash_texts
from pipelines.validate.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.declarations import Export
    from pipelines.tabular.hashes import Hashes
    from pipelines.validate.typed_rows import TypedRows

MESSAGE = "Cette clé figure déjà plus haut dans le fichier."


class Twins:
    """Notes how each place is written; only those written in several ways can hide a key seen before.

    Texts with spaces at their ends, or with signs that can be composed in two ways, can hide one too.
    """

    def __init__(self, export: Export, present: Mapping[str, int], labels: Mapping[str, str]) -> None:
        self._key = list(export.key)
        self._labels = labels
        field = export.territory.field if export.territory else None
        self._held = bool(self._key) and set(self._key) <= set(present)
        self._field = field if field in self._key and self._held else None
        texts = [item.name for item in export.fields if item.type == "string" and item.name != field]
        self._texts = [name for name in texts if self._held and name in self._key]
        self._loose = False
        self._written: dict[tuple[str, str | None], Any] = {}
        self._several: set[tuple[str, str | None]] = set()

    def note(self, accepted: pa.Table) -> None:
        """Note the places of accepted rows, as coordinates and as written."""
        self._loose = self._loose or any(map(_is_loose, (accepted.column(name) for name in self._texts)))
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
        if not self._several and not self._loose:
            return
        names = list(dict.fromkeys(["_ligne", "_annee", "_maille", "_territoire", *self._key]))
        column = ", ".join(self._labels[name] for name in self._key)
        hashes = [self._hashes(self._suspected(batch)) for batch in rows.batches(names)]
        again = _repeated(np.concatenate(hashes)) if hashes else np.empty(0, np.uint64)
        seen: set[tuple[Any, ...]] = set()
        for batch, hashed in zip(rows.batches(names), hashes, strict=True):
            for row in self._suspected(batch).filter(pa.array(np.isin(hashed, again))).to_pylist():
                place = (row["_maille"], row["_territoire"])
                key = tuple(
                    place if name == self._field else in_one_writing(row[name]) if name in self._texts else row[name]
                    for name in self._key
                )
                if key in seen:
                    shown = ", ".join(str(row[name]) for name in self._key)
                    yield row["_ligne"], Finding("primary-key", MESSAGE, column=column, value=shown), row["_annee"]
                seen.add(key)

    def _hashes(self, batch: pa.RecordBatch) -> Hashes:
        names = ["_maille", "_territoire"] if self._field else []
        columns = [batch.column(name) for name in (*names, *(name for name in self._key if name != self._field))]
        return combine([_hashed(_loosened(column)) if self._loose else _hashed(column) for column in columns])

    def _suspected(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._loose:
            return batch
        codes = pa.array(sorted({code for _, code in self._several if code is not None}), pa.string())
        wanted = pc.is_in(batch.column("_territoire"), codes)
        if any(code is None for _, code in self._several):
            wanted = pc.or_(wanted, pc.is_null(batch.column("_territoire")))
        return batch.filter(wanted)


def in_one_writing(text: str | None) -> str | None:
    """Return a text with composed letters (NFC), no space at its ends and single plain ones inside."""
    return None if text is None else " ".join(unicodedata.normalize("NFC", text).split())


def _is_loose(column: pa.ChunkedArray) -> bool:
    """Tell whether a text of the column may be written in several ways."""
    return bool(pc.any(pc.match_substring_regex(column, r"^\s|\s$|\s\s|[^\x00-\x7f]")).as_py())


def _loosened(column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type):
        return column
    encoded = column.dictionary_encode()
    return pa.array(map(in_one_writing, encoded.dictionary.to_pylist()), pa.string()).take(encoded.indices)


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
