"""One office, one code: codes of a file that differ only by case, spaces, width of letters or leading zeros.

The writing that has the most rows stands; the rows of the others are refused, so that no office becomes several.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.validate.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.declarations import Export
    from pipelines.validate.typed_rows import TypedRows

_RULE = "code-plusieurs-ecritures"


class OfficeCodes:
    """Counts the rows of each code while rows are accepted."""

    def __init__(self, export: Export, labels: Mapping[str, str]) -> None:
        self._label = labels.get(export.structure.code, "") if export.structure else ""
        self._counts: Counter[str] = Counter()

    def note(self, accepted: pa.Table) -> None:
        """Count the codes of accepted rows."""
        if self._label:
            counts = accepted.column("_structure").drop_null().value_counts()
            self._counts.update({item["values"]: item["counts"] for item in counts.to_pylist()})

    def found(self, rows: TypedRows) -> Iterator[tuple[int, Finding, int | None]]:
        """Yield row number, finding and year of every row whose code another one writes better."""
        better = self._better()
        if not better:
            return
        codes = pa.array(list(better), pa.string())
        for batch in rows.batches(["_ligne", "_annee", "_structure"]):
            for row in batch.filter(pc.is_in(batch.column("_structure"), codes)).to_pylist():
                yield row["_ligne"], self._finding(row["_structure"], better[row["_structure"]]), row["_annee"]

    def _better(self) -> dict[str, str]:
        """Return, for each code that is written in a rarer way, the writing that stands."""
        alike: dict[str, list[str]] = {}
        for code in self._counts:
            alike.setdefault(_comparable(code), []).append(code)
        found: dict[str, str] = {}
        for codes in alike.values():
            first = max(codes, key=lambda code: (self._counts[code], *_writing(code)))
            found |= {code: first for code in codes if code != first}
        return found

    def _finding(self, code: str, better: str) -> Finding:
        message = (
            f"Ce code ne diffère de « {better} » que par les majuscules, les espaces ou les zéros de tête : "
            "c'est sans doute la même structure."
        )
        return Finding(_RULE, message, column=self._label, value=code)


def _writing(code: str) -> tuple[int, int, str]:
    """Rank the writings of a code that have as many rows: capitals first, then the zeros that others have lost."""
    return sum(map(str.isupper, code)), len(code) - len(code.lstrip("0")), code


def _comparable(code: str) -> str:
    text = "".join(unicodedata.normalize("NFKC", code).casefold().split()).lstrip("'’")
    return text.lstrip("0") or "0" if text.isdecimal() else text
