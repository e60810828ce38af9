"""The header of a file against the declared columns: matched by label, whatever the order.

Cells are judged elsewhere.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pipelines.compile.exports import field_descriptor, is_optional, label_of
from pipelines.mechanics.plain_text import one_line, spelled
from pipelines.mechanics.spelling import one_writing
from pipelines.validate.distinct_rows import places_of
from pipelines.validate.findings import Finding
from pipelines.validate.garbled import damage
from pipelines.validate.messages import title
from pipelines.validate.near_misses import differences, spoiled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from pipelines.declarations import Export, ExportField, Layout

_GARBLED = (
    "Les accents de l'en-tête ne sont pas dans l'encodage du reste du fichier, ou ils ont été mal convertis. "
    "Enregistrez le fichier au format « CSV UTF-8 »."
)

HEADER_AGAIN = "entete-repete"
_LEAST_LABELS = 2  # labels in their columns: a single one may be a value


@dataclass(frozen=True)
class MatchedHeader:
    """For each column of the file, its label and the declared field (None: unknown); what is wrong with the header."""

    columns: list[tuple[str, ExportField | None]]
    findings: list[Finding]

    @cached_property
    def labels(self) -> list[str]:
        """The label of each column."""
        return [label for label, _ in self.columns]

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each declared field's column."""
        return {field.name: place for place, (_, field) in enumerate(self.columns) if field is not None}

    @property
    def usable(self) -> bool:
        """Whether every column that is needed was found, once."""
        return not any(finding.severity == "erreur" for finding in self.findings)

    @property
    def garbled(self) -> bool:
        """Whether its accents were turned into other signs."""
        return any(finding.rule == "encodage" for finding in self.findings)


def match_header(header: list[str], export: Export, layout: Layout) -> MatchedHeader:
    """Match labels to fields. Unknown columns are warnings; missing or duplicate ones are errors that name the mend."""
    labels = [one_writing(label) for label in header]
    fields = fields_by_label(export, layout)
    columns = [(label, fields.get(label)) for label in labels]
    unknown = [label for label, field in columns if field is None and label]
    for label in unknown:
        if meant := spoiled(label, fields):
            cause = f"« {spelled(label, 60)} » se lit sans doute « {meant} »"
            return MatchedHeader(columns, [Finding("encodage", _GARBLED, cause=cause)])
    missing = [field for label, field in fields.items() if label not in labels and not is_optional(field, layout)]
    findings = [_missing(field, layout, unknown, alone=len(missing) == 1) for field in missing]
    findings += [_unknown(label) for label in unknown]
    for label, count in Counter(labels).items():
        if count > 1 and label in fields:
            findings.append(Finding("duplicate-label", title("duplicate-label"), column=label))
    if "" in labels:
        findings.append(Finding("blank-label", title("blank-label"), severity="avertissement"))
    return MatchedHeader(columns, findings)


def fields_by_label(export: Export, layout: Layout) -> dict[str, ExportField]:
    """Return the fields by their labels, each in one writing."""
    return {one_writing(label_of(field, layout)): field for field in export.fields}


def recognised(export: Export, layout: Layout) -> Callable[[list[str]], list[Mapping[str, Any] | None]]:
    """Return what gives, for the labels of a header, the Table Schema field of each column (None: unknown)."""

    def fields(header: list[str]) -> list[Mapping[str, Any] | None]:
        columns = match_header(header, export, layout).columns
        return [field_descriptor(field, layout) if field else None for _, field in columns]

    return fields


class RepeatedHeader:
    """Looks for the labels of a file among its rows: files were put end to end, even where all columns are texts."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._wanted = max(_LEAST_LABELS, (len(labels) + 1) // 2)

    def is_again(self, cells: Sequence[str | None]) -> bool:
        """Tell whether a row holds most labels, each in its column."""
        pairs = zip(cells, self._labels, strict=False)
        alike = sum(bool(label) and one_writing(cell or "") == label for cell, label in pairs)
        return alike >= self._wanted

    def places(self, texts: pa.Table) -> list[int]:
        """Return the places of such rows in a block."""
        alike = np.zeros(texts.num_rows, np.int64)
        for label, column in zip(self._labels, texts.columns, strict=False):
            if label:
                alike += pc.equal(column, label).fill_null(False).to_numpy()
        return places_of(alike >= self._wanted)

    @staticmethod
    def finding() -> Finding:
        """Return what is told of such a row."""
        return Finding(HEADER_AGAIN, title(HEADER_AGAIN))


def _missing(field: ExportField, layout: Layout, unknown: list[str], *, alone: bool) -> Finding:
    """Tell of a missing column, and of the unknown one that it may be: one that resembles it, or the only one."""
    label = label_of(field, layout)
    readable = [other for other in unknown if not damage(other)]
    alike = next((other for other in readable if differences(other, one_writing(label))), "")
    close = [alike] if alike else difflib.get_close_matches(label, readable, n=1, cutoff=0.5)
    only = readable if alone and len(unknown) == 1 else []
    hint = f" Une colonne « {spelled(close[0], 60)} » y ressemble." if close else ""
    if only and not close:
        hint = f" La colonne « {spelled(only[0], 60)} », qui n'est pas attendue, est peut-être la même."
    how = ", ".join(differences(alike, one_writing(label)))
    seen = next(iter([*close, *only]), "le nouvel en-tête")
    return Finding(
        "missing-label",
        f"La colonne « {label} » est absente du fichier.{hint}",
        column=label,
        declare=f"{field.name}: {{label: {json.dumps(one_line(seen), ensure_ascii=False)}}}",
        cause=f"« {spelled(alike, 60)} » : {how} ; écrivez « {label} »" if alike else "",
    )


def _unknown(label: str) -> Finding:
    """Tell of a column that is not declared; its label is told by what it prints."""
    label = one_line(label)
    return Finding(
        "extra-label",
        f"La colonne « {label} » n'est pas déclarée : elle est ignorée.",
        severity="avertissement",
        column=label,
    )
