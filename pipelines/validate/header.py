"""The header of a file against the declared columns: matched by label, whatever the order.

Cells are judged elsewhere.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.compile.exports import is_optional, label_of
from pipelines.validate.findings import Finding
from pipelines.validate.messages import title

if TYPE_CHECKING:
    from pipelines.declarations import Export, ExportField, Layout


@dataclass(frozen=True)
class MatchedHeader:
    """For each column of the file, its label and the declared field (None: unknown); what is wrong with the header."""

    columns: list[tuple[str, ExportField | None]]
    findings: list[Finding]

    @property
    def usable(self) -> bool:
        """Whether every column that is needed was found, once."""
        return not any(finding.severity == "erreur" for finding in self.findings)


def match_header(header: list[str], export: Export, layout: Layout) -> MatchedHeader:
    """Match labels to fields. Unknown columns are warnings; missing or duplicate ones are errors that name the mend."""
    labels = [normalise(label) for label in header]
    fields = {normalise(label_of(field, layout)): field for field in export.fields}
    columns = [(label, fields.get(label)) for label in labels]
    unknown = [label for label, field in columns if field is None and label]
    findings = [_missing(field, layout, unknown) for label, field in fields.items()
                if label not in labels and not is_optional(field, layout)]  # fmt: skip
    if len(labels) == 1 and len(fields) > 1:
        findings.insert(0, _one_column(labels[0]))
    findings += [_unknown(label) for label in unknown]
    for label, count in Counter(labels).items():
        if count > 1 and label in fields:
            findings.append(Finding("duplicate-label", title("duplicate-label"), column=label))
    if "" in labels:
        findings.append(Finding("blank-label", title("blank-label"), severity="avertissement"))
    return MatchedHeader(columns, findings)


def normalise(label: str) -> str:
    """Write a label in one way: NFC, no spaces at the ends, single spaces inside (non-breaking ones too)."""
    return " ".join(unicodedata.normalize("NFC", label).split())


def _one_column(label: str) -> Finding:
    other = next((sign for sign in (";", ",", "\t", "|") if sign in label), "")
    shown = {"\t": "tabulation"}.get(other, other)
    hint = f" : il semble séparé par « {shown} »" if other else ""
    return Finding("missing-label", f"Le fichier n'a qu'une colonne{hint}. Vérifiez le séparateur et l'en-tête.")


def _missing(field: ExportField, layout: Layout, unknown: list[str]) -> Finding:
    label = label_of(field, layout)
    close = difflib.get_close_matches(label, unknown, n=1, cutoff=0.5)
    seen = close[0] if close else "le nouvel en-tête"
    hint = f" Une colonne « {seen} » y ressemble." if close else ""
    return Finding(
        "missing-label",
        f"La colonne « {label} » est absente du fichier.{hint} Remettez cet en-tête ; s'il a changé pour de bon, "
        "l'équipe données ajoute au layout : "
        f'fields: {{{field.name}: {{label: "{seen}"}}}}',
        column=label,
    )


def _unknown(label: str) -> Finding:
    return Finding(
        "extra-label",
        f"La colonne « {label} » n'est pas déclarée : elle est ignorée.",
        severity="avertissement",
        column=label,
    )
