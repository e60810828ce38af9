"""The texts of a file that a conversion spoiled: which rows are refused for it, which told, and whether all of it is.

A name that is published must be right: its row is refused. Other texts are told. A file where several published names
are spoiled, and where no accent is right, was converted wrongly as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from pipelines.mechanics.french import counted
from pipelines.validate.distinct_rows import places_of
from pipelines.validate.findings import Finding
from pipelines.validate.garbled import SHAPE, Damage, damage, lost_letters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from pipelines.validate.file_context import FileContext

RULE = "texte-mal-converti"
_ACCENT = "[À-ÖØ-öø-ÿŒœ]"
_QUESTION = r"\?"
# Names, or share of the rows, that are spoiled where no accent is right: it is the file then, and not one of its names.
_SEVERAL, _SHARE = 2, 0.1


@dataclass
class SpoiledTexts:
    """Looks at the text columns of consecutive blocks, and remembers what concerns the file as a whole."""

    names: frozenset[str]  # fields that are published
    labels: Mapping[str, str]  # labels of the text columns, by field
    _spoiled: set[str] = field(default_factory=set)
    _rows: set[int] = field(default_factory=set)
    _seen: int = 0
    _is_right_somewhere: bool = False

    @classmethod
    def of(cls, context: FileContext, present: Collection[str]) -> SpoiledTexts:
        """Return what looks at the ``present`` columns of a file."""
        export = context.export
        published = {export.structure.code, export.structure.name} if export.structure else set()
        texts = [item.name for item in export.fields if item.type == "string" and item.name in present]
        return cls(frozenset(name for name in published if name), {name: context.label(name) for name in texts})

    def in_block(self, texts: pa.Table, numbers: NDArray[np.int64]) -> Iterator[tuple[int, Finding]]:
        """Yield what is wrong with the texts of accepted rows, by place in the block; row numbers are those given."""
        self._seen += len(numbers)
        for name in self.labels:
            column = texts.column(name)
            for place in self._suspects(name, column):
                if told := self.in_cell(name, column[place].as_py(), int(numbers[place])):
                    yield place, told

    def in_cell(self, name: str, text: str | None, row: int) -> Finding | None:
        """Return what is wrong with one text, if it is spoiled."""
        is_name = name in self.names
        known = (damage(text) or (lost_letters(text) if is_name else None)) if text else None
        if known is None or text is None:
            return None
        if is_name:
            self._spoiled.add(text)
            self._rows.add(row)
        return Finding(
            RULE, f"Des lettres sont mal converties ({known.cause}).", "erreur" if is_name else "avertissement",
            column=self.labels[name], value=text, cause=_likely(known),
        )  # fmt: skip

    def of_the_file(self) -> Finding | None:
        """Return the finding that refuses the whole file, once all of it was seen; nothing for a file that is right."""
        many = len(self._spoiled) >= _SEVERAL or len(self._rows) > max(1, _SHARE * self._seen)
        if self._is_right_somewhere or not many:
            return None
        return Finding(
            "encodage",
            f"Les accents du fichier sont mal convertis : {counted(len(self._rows), 'ligne')}, à partir de la ligne "
            f"{min(self._rows)}. Refaites l'extraction depuis la source d'origine (en « CSV UTF-8 » si c'est un CSV).",
        )

    def _suspects(self, name: str, column: pa.ChunkedArray) -> list[int]:
        shape = f"{SHAPE}|{_QUESTION}" if name in self.names else SHAPE
        likely = pc.match_substring_regex(column, shape)
        if not self._is_right_somewhere:
            accented = pc.and_(pc.match_substring_regex(column, _ACCENT), pc.invert(likely))
            self._is_right_somewhere = bool(pc.any(accented).as_py())
        return places_of(likely)


def _likely(known: Damage) -> str:
    return f"se lit sans doute « {known.likely} »" if known.likely else "les lettres d'origine sont perdues"
