"""The header of a file against the declared columns: matched by label, whatever the order.

Cells are judged elsewhere.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.compile.exports import field_descriptor, is_optional, label_of
from pipelines.mechanics.plain_text import one_line, spelled
from pipelines.validate.findings import Finding
from pipelines.validate.garbled import damage
from pipelines.validate.messages import title
from pipelines.validate.near import differences, spoiled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.declarations import Export, ExportField, Layout

_GARBLED = (
    "Les accents de l'en-tête ne sont pas dans l'encodage du reste du fichier, ou ils ont été mal convertis. "
    "Enregistrez le fichier au format « CSV UTF-8 »."
)


@dataclass(frozen=True)
class MatchedHeader:
    """For each column of the file, its label and the declared field (None: unknown); what is wrong with the header."""

    columns: list[tuple[str, ExportField | None]]
    findings: list[Finding]

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
    labels = [normalise(label) for label in header]
    fields = {normalise(label_of(field, layout)): field for field in export.fields}
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


def recognised(export: Export, layout: Layout) -> Callable[[list[str]], list[Mapping[str, Any] | None]]:
    """Return what gives, for the labels of a header, the Table Schema field of each column (None: unknown)."""

    def fields(header: list[str]) -> list[Mapping[str, Any] | None]:
        columns = match_header(header, export, layout).columns
        return [field_descriptor(field, layout) if field else None for _, field in columns]

    return fields


def normalise(label: str) -> str:
    """Write a label in one way: NFC, no spaces at the ends, single spaces inside (non-breaking ones too)."""
    return " ".join(unicodedata.normalize("NFC", label).split())


def _missing(field: ExportField, layout: Layout, unknown: list[str], *, alone: bool) -> Finding:
    """Tell of a missing column, and of the unknown one that it may be: one that resembles it, or the only one."""
    label = label_of(field, layout)
    readable = [other for other in unknown if not damage(other)]
    alike = next((other for other in readable if differences(other, normalise(label))), "")
    close = [alike] if alike else difflib.get_close_matches(label, readable, n=1, cutoff=0.5)
    only = readable if alone and len(unknown) == 1 else []
    hint = f" Une colonne « {spelled(close[0], 60)} » y ressemble." if close else ""
    if only and not close:
        hint = f" La colonne « {spelled(only[0], 60)} », qui n'est pas attendue, est peut-être la même."
    how = ", ".join(differences(alike, normalise(label)))
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
