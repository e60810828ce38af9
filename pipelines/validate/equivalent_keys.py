"""Keys and codes of offices that are one, written in several ways (1 and 01, d01 and D01, R1 and R1 with a space).

frictionless sees two of them; keys written alike are its affair. What is one writing is decided in
``mechanics.spelling``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.mechanics.spelling import code_form, one_writing
from pipelines.validate.findings import Finding
from pipelines.validate.typed_rows import hash_rows, mapped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pipelines.declarations import Export
    from pipelines.tabular.hashes import Hashes
    from pipelines.validate.typed_rows import TypedRows

Found = tuple[int, Finding, int | None]  # of a row to refuse: its number, why, and its year

_MESSAGE = "Cette clé figure déjà plus haut dans le fichier."
_SEVERAL_WRITINGS = r"^\s|\s$|\s\s|[^\x00-\x7f]"  # of texts that may be written in several ways


class EquivalentKeys:
    """Notes how each place is written; only those written in several ways can hide a key seen before.

    Texts with spaces at their ends, or with signs that can be composed in two ways, can hide one too. ``held`` are the
    fields that observations have: a key with a personal column is frictionless's affair alone.
    """

    def __init__(self, export: Export, held: Collection[str], labels: Mapping[str, str]) -> None:
        self._key = list(export.key) if set(export.key) <= set(held) else []
        self._column = ", ".join(labels[name] for name in self._key)
        territory = export.territory.field if export.territory else None
        self._field = territory if territory in self._key else None
        texts = [item.name for item in export.fields if item.type == "string" and item.name != territory]
        self._texts = [name for name in texts if name in self._key]
        self._loose = False
        self._written: dict[tuple[str, str | None], Any] = {}
        self._several: set[tuple[str, str | None]] = set()

    def note(self, accepted: pa.Table) -> None:
        """Note the places of accepted rows, as coordinates and as written."""
        for name in () if self._loose else self._texts:
            self._loose |= bool(pc.any(pc.match_substring_regex(accepted.column(name), _SEVERAL_WRITINGS)).as_py())
        if self._field is None:
            return
        names = ["_maille", "_territoire", self._field]
        places = accepted.select(names).group_by(names).aggregate([])
        for level, code, text in zip(*(column.to_pylist() for column in places.columns), strict=True):
            if self._written.setdefault((level, code), text) != text:
                self._several.add((level, code))

    def found(self, rows: TypedRows) -> Iterator[Found]:
        """Yield every row whose key an earlier one has.

        A first pass keeps a hash for each suspected row; only the keys whose hash comes back are compared, in a second.
        """
        if not self._several and not self._loose:
            return
        names = list(dict.fromkeys(["_ligne", "_annee", "_maille", "_territoire", *self._key]))
        hashes = [self._hashes(self._suspected(batch)) for batch in rows.batches(names)]
        every, counts = np.unique(np.concatenate([*hashes, np.empty(0, np.uint64)]), return_counts=True)
        again = every[counts > 1]
        seen: set[tuple[Any, ...]] = set()
        for batch, hashed in zip(rows.batches(names), hashes, strict=True):
            for row in self._suspected(batch).filter(pa.array(np.isin(hashed, again))).to_pylist():
                key = tuple(self._compared(row, name) for name in self._key)
                if key in seen:
                    shown = ", ".join(str(row[name]) for name in self._key)
                    yield (
                        row["_ligne"],
                        Finding("primary-key", _MESSAGE, column=self._column, value=shown),
                        row["_annee"],
                    )
                seen.add(key)

    def _compared(self, row: Mapping[str, Any], name: str) -> Any:
        """Return a part of the key as it is compared: a place by its coordinates, a text in one writing."""
        if name == self._field:
            return row["_maille"], row["_territoire"]
        value = row[name]
        return one_writing(value) if name in self._texts and value is not None else value

    def _hashes(self, batch: pa.RecordBatch) -> Hashes:
        names = ["_maille", "_territoire"] if self._field else []
        columns = [batch.column(name) for name in (*names, *(name for name in self._key if name != self._field))]
        if self._loose:
            for place, column in enumerate(columns):
                if pa.types.is_string(column.type):
                    columns[place] = mapped(column, one_writing, pa.string())
        return hash_rows(columns)

    def _suspected(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._loose:
            return batch
        codes = pa.array(sorted({code for _, code in self._several if code is not None}), pa.string())
        wanted = pc.is_in(batch.column("_territoire"), codes)
        if any(code is None for _, code in self._several):
            wanted = pc.or_(wanted, pc.is_null(batch.column("_territoire")))
        return batch.filter(wanted)


class OfficeCodes:
    """Codes of offices that differ only by their writing: the one that most rows have stands, the others are refused.

    ``label`` is that of their column; nothing where an export has none.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._counts: Counter[str] = Counter()

    def note(self, accepted: pa.Table) -> None:
        """Count the codes of accepted rows."""
        if self._label:
            counts = accepted.column("_structure").drop_null().value_counts()
            self._counts.update({item["values"]: item["counts"] for item in counts.to_pylist()})

    def found(self, rows: TypedRows) -> Iterator[Found]:
        """Yield every row whose code another one writes better."""
        better = self._better()
        if not better:
            return
        codes = pa.array(list(better), pa.string())
        for batch in rows.batches(["_ligne", "_annee", "_structure"]):
            for row in batch.filter(pc.is_in(batch.column("_structure"), codes)).to_pylist():
                code = row["_structure"]
                message = (
                    f"Ce code ne diffère de « {better[code]} » que par les majuscules, les espaces ou les zéros de "
                    "tête : c'est sans doute la même structure."
                )
                finding = Finding("code-plusieurs-ecritures", message, column=self._label, value=code)
                yield row["_ligne"], finding, row["_annee"]

    def _better(self) -> dict[str, str]:
        """Return, for each code that is written in a rarer way, the writing that stands."""
        alike: dict[str, list[str]] = {}
        for code in self._counts:
            alike.setdefault(code_form(code), []).append(code)
        better: dict[str, str] = {}
        for codes in alike.values():
            first = max(codes, key=lambda code: (self._counts[code], *_rank(code)))
            better |= {code: first for code in codes if code != first}
        return better


def _rank(code: str) -> tuple[int, int, str]:
    """Rank the writings of a code that have as many rows: capitals first, then the zeros that others have lost."""
    return sum(map(str.isupper, code)), len(code) - len(code.lstrip("0")), code
