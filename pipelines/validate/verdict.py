"""From what was found in the files of an export to the verdict on its year.

Accepted, refused, or not handed over, and why; the findings themselves come from ``engine``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.validate.engine import observation_schema
from pipelines.validate.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.declarations import Export
    from pipelines.declarations.network import Acceptance
    from pipelines.validate.engine import Validated

State = Literal["accepté", "rejeté", "non transmis"]


@dataclass(frozen=True)
class JudgedFile:
    """A file of the export, by path and sha256, and what validation made of it."""

    path: str
    sha256: str
    validated: Validated


@dataclass
class Verdict:
    """The verdict on an export for a year.

    ``reason`` is the id of a reason for absence; counts are rows of that year.
    """

    export: str
    state: State
    reason: str | None
    explanation: str
    accepted: int = 0
    refused: int = 0
    ignored: int = 0
    files: list[dict[str, str]] = field(default_factory=list)
    findings: list[tuple[str, str, Finding]] = field(default_factory=list)
    observations: pa.Table | None = None

    @property
    def rows(self) -> int:
        """Rows read that carry an observation or should have."""
        return self.accepted + self.refused


def not_handed_over(export: Export, year: int, pattern: str) -> Verdict:
    """Return the verdict on an export none of whose files was found."""
    wanted = pattern.replace("{year}", str(year))
    return Verdict(export.id, "non transmis", "non-transmis", f"Aucun fichier « {wanted} » dans le dossier d'exports.")


def judge(export: Export, year: int, acceptance: Acceptance, files: Sequence[JudgedFile]) -> Verdict:
    """Judge an export for a year from its files; what concerns other years of the same files is left out."""
    tables, found = [], []
    refused = ignored = 0
    for file in files:
        validated = file.validated
        tables.append(validated.observations.filter(pc.equal(validated.observations["_annee"], year)))
        refused += validated.refused.get(year, 0) + validated.refused.get(None, 0)
        ignored += validated.ignored
        found += [(file.path, file.sha256, item) for item in validated.findings if item.year in (year, None)]
    observations = pa.concat_tables(tables) if tables else observation_schema(export).empty_table()
    verdict = Verdict(
        export.id, "accepté", None, "", observations.num_rows, refused, ignored, observations=observations
    )
    verdict.files = [{"fichier": file.path, "sha256": file.sha256} for file in files]
    verdict.findings = found
    return _decided(verdict, year, acceptance, all(file.validated.usable for file in files))


def _decided(verdict: Verdict, year: int, acceptance: Acceptance, usable: bool) -> Verdict:
    total = verdict.rows
    share = verdict.refused / total if total else 0.0
    expired = any(item.rule == "correction-perimee" for _, _, item in verdict.findings)
    if not usable:
        first = next(item for _, _, item in verdict.findings if item.severity == "erreur" and item.row is None)
        _refuse(verdict, f"Fichier inutilisable. {first.message}")
    elif expired:
        _refuse(verdict, "Une correction déclarée ne s'applique plus.")
    elif not total:
        verdict.state, verdict.reason = "non transmis", "non-transmis"
        verdict.explanation = f"Le fichier ne contient aucune ligne de {year}."
    elif not verdict.accepted:
        _refuse(verdict, f"Aucune ligne utilisable sur {total}.")
    elif share > acceptance.max_refused_share:
        _refuse(verdict, f"{verdict.refused} lignes fausses sur {total} ({_percent(share)}), au-delà de la limite de "
                         f"{_percent(acceptance.max_refused_share)} ({acceptance.why}).")  # fmt: skip
    elif verdict.refused:
        verdict.explanation = f"{verdict.refused} lignes écartées sur {total} ({_percent(share)})."
    return verdict


def _refuse(verdict: Verdict, explanation: str) -> None:
    verdict.state, verdict.reason, verdict.explanation = "rejeté", "rejete", explanation
    verdict.observations = None


def _percent(share: float) -> str:
    return f"{100 * share:.2f}".rstrip("0").rstrip(".").replace(".", ",") + " %"


def count_findings(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Count the findings by export, file, rule and column: what may be published, without any cell content."""
    lines = []
    for verdict in verdicts:
        rows: dict[tuple[str, str, str, str], list[int]] = {}
        messages: dict[tuple[str, str, str, str], Finding] = {}
        counts: Counter[tuple[str, str, str, str]] = Counter()
        headless = {path for path, _, item in verdict.findings if item.rule == "missing-label"}
        for path, sha256, item in verdict.findings:
            # Without its header, a file's first row stands for one: its unknown labels are cells, never published.
            column = "" if item.rule == "extra-label" and path in headless else item.column
            key = (path, sha256, item.rule, column)
            counts[key] += 1
            messages.setdefault(key, item)
            if item.row is not None:
                rows.setdefault(key, []).append(item.row)
        for key in sorted(counts):
            path, sha256, rule, column = key
            numbers = rows.get(key, [])
            lines.append({
                "export": verdict.export, "fichier": path, "empreinte": sha256, "regle": rule,
                "colonne": column or None, "severite": messages[key].severity,
                "nombre": len(set(numbers)) or counts[key],
                "premiere_ligne": min(numbers, default=None), "derniere_ligne": max(numbers, default=None),
                "message": PUBLIC_SENTENCES.get(rule, "Règle non respectée."),
            })  # fmt: skip
    return lines


# What the public is told of each rule: never a value, never a note that could hold one.
PUBLIC_SENTENCES = {
    "type-error": "La valeur n'a pas le type attendu.",
    "constraint-error": "La valeur ne respecte pas la règle de la colonne.",
    "missing-cell": "La ligne a moins de cellules que l'en-tête.",
    "extra-cell": "La ligne a plus de cellules que l'en-tête.",
    "blank-row": "La ligne est vide.",
    "primary-key": "La clé figure déjà dans le fichier, ou elle est vide.",
    "unique-error": "La valeur figure déjà dans la colonne.",
    "blank-label": "Une colonne n'a pas d'en-tête.",
    "duplicate-label": "Deux colonnes portent le même en-tête.",
    "missing-label": "Une colonne attendue est absente.",
    "extra-label": "Une colonne n'est pas déclarée : elle est ignorée.",
    "periode-absente": "La date est absente.",
    "hors-periode": "La date n'est pas dans l'année du fichier.",
    "maille-inconnue": "La maille n'est pas l'une des mailles prévues.",
    "territoire-absent": "Le code du territoire est absent.",
    "territoire-inconnu": "Le code n'est pas celui d'un territoire connu.",
    "structure-absente": "Le code de la structure est absent.",
    "formule": "Un texte commence comme une formule de tableur.",
    "caractere-interdit": "Un texte contient un caractère qui ne peut être publié.",
    "nombre-impossible": "Le nombre n'est pas utilisable.",
    "correction-perimee": "Une correction déclarée ne s'applique plus.",
    "encodage": "Un caractère du fichier est illisible.",
    "fichier-illisible": "Le fichier ne peut pas être lu.",
    "fichier-vide": "Le fichier est vide.",
    "feuille-absente": "La feuille attendue est absente.",
    "archive": "L'archive n'a pas le contenu attendu.",
}
