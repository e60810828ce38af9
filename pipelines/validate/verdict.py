"""From what was found in the files of an export to the verdict on its year.

Accepted, refused, or not handed over, and why; the findings themselves come from ``file`` and ``whole_export``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.compile.exports import label_named
from pipelines.declarations.statuses import Status
from pipelines.mechanics.french import counted, decimal, number
from pipelines.mechanics.plain_text import one_line, table_text
from pipelines.validate.export_parts import Expected, JudgedFile, Part, Whole
from pipelines.validate.findings import EXPIRED, Finding, rows_told
from pipelines.validate.messages import title, why_told
from pipelines.validate.observations_writer import RefusedRow, observation_schema
from pipelines.validate.role_rules import has_weights
from pipelines.validate.typed_rows import TypedRows
from pipelines.validate.whole_export import judge_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from pipelines.declarations import Catalogue, Export, Layout
    from pipelines.declarations.network import Acceptance
    from pipelines.declarations.statuses import Account
    from pipelines.validate.plausibility import Doubt

Located = tuple[JudgedFile, Finding]
_UNMET = "condition-jamais-remplie"
_NOT_YOURS = (
    "L'équipe données avait corrigé une valeur de ce fichier, qui ne la contient plus : elle retire sa correction. "
    "Vous n'avez rien à faire pour cela."
)


@dataclass(frozen=True)
class SetAside:
    """The refused rows kept of a file, with its header, for the copy that the producer corrects.

    ``refused`` counts all of them, those that were not kept too.
    """

    file: str
    header: list[str]
    rows: list[RefusedRow]
    refused: int


@dataclass
class Verdict:
    """The verdict on an export for a year.

    ``reason`` is the id of a reason for absence; counts are rows of that year. ``explanation`` is for the data team;
    ``for_producer`` stands for it where a part of it is not the producer's affair. ``accounts``: what became of the
    accepted rows, indicator by indicator, once they were counted. ``companions`` counts the refused rows that are so
    only because another row has their key: the limit counts one fault for both. ``doubts`` are for the data team;
    ``digests`` tell what the rows of each file say, to know them again.
    """

    export: str
    state: Status
    reason: str | None
    explanation: str
    accepted: int = 0
    refused: int = 0
    ignored: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)
    findings: list[tuple[str, str, Finding]] = field(default_factory=list)
    observations: TypedRows | None = None
    set_aside: list[SetAside] = field(default_factory=list)
    for_producer: str = ""
    accounts: list[Account] = field(default_factory=list)
    companions: int = 0
    doubts: list[Doubt] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether the producer has nothing to mend: a correction that expired is the data team's affair."""
        rules = {
            finding.rule for _, _, finding in self.findings if finding.severity == "erreur" or why_told(finding.rule)
        }
        return not self.refused and (rules == {EXPIRED} or (self.state == Status.ACCEPTED and not rules))

    @property
    def told_producer(self) -> str:
        """The explanation, for the producer."""
        return self.for_producer or self.explanation

    @property
    def rows(self) -> int:
        """Rows read that carry an observation or should have."""
        return self.accepted + self.refused

    def tell(self, finding: Finding) -> None:
        """Add what concerns the whole export: it is told of its first file."""
        self.findings.append((self.files[0]["fichier"], self.files[0]["sha256"], finding))


def take_accounts(verdict: Verdict, accounts: Sequence[Account], catalogue: Catalogue, network: str) -> None:
    """Put what became of the accepted rows in their verdict, and tell the conditions that not one of them meets."""
    verdict.accounts = list(accounts)
    export = catalogue.networks[network].export(verdict.export)
    for account in accounts:
        others = set(account.outside) - {"autre_maille", "condition_non_remplie"}
        if account.base or others or "condition_non_remplie" not in account.outside or not verdict.files:
            continue
        indicator = catalogue.indicators[account.indicator]
        column, values = next(iter(indicator.networks[network].where.items()))
        field = export.field(column) if export else None
        wanted = ", ".join(f"« {value} »" for value in values[:3])
        message = title(_UNMET, f"{wanted}, « {indicator.title} »")
        verdict.tell(Finding(_UNMET, message, "avertissement", column=(field.label if field else None) or column))


def not_handed_over(export: Export, year: int, pattern: str, arriving: Sequence[str] = ()) -> Verdict:
    """Return the verdict on an export none of whose files was found, but for those that are still ``arriving``."""
    why = f"Aucun fichier « {pattern.replace('{year}', str(year))} » dans le dossier d'exports."
    if arriving:
        paths = ", ".join(f"« {path} »" for path in arriving)
        why = f"{paths} : encore en cours de copie ; laissé pour le prochain passage."
    return Verdict(export.id, Status.NOT_HANDED_OVER, "non-transmis", why)


def judge(
    export: Export,
    year: int | None,
    acceptance: Acceptance,
    files: Sequence[JudgedFile],
    expected: Expected | None = None,
) -> Verdict:
    """Judge an export for a year from its files; what concerns other years of the same files is left out.

    Without a year, all that the files hold is judged. ``expected`` is what the declarations say of its rows (default:
    how they are written, and nothing more). A content that comes under several names counts once.
    """
    layout = export.layout_or_last(year)
    distinct, copies = _once(files)
    expected = expected or Expected(layout)
    parts = [Part(file, year, export, expected.layout) for file in distinct]
    whole = judge_whole(export, parts, expected)
    verdict = _gathered(whole, year)
    findings = [(part.file, finding) for part in parts for finding in part.findings]
    for part, refused, warnings in zip(parts, whole.refused, whole.told, strict=True):
        findings += [(part.file, finding) for finding in (*refused.values(), *warnings)]
    findings = [*_still_expired(findings, distinct), *copies]
    if whole.question:
        findings.append((distinct[0], Finding("deux-versions", whole.question, year=year)))
    verdict.findings = [(file.path, file.sha256, finding) for file, finding in findings]
    _decide(verdict, year, acceptance, whole.question, usable=all(file.validated.usable for file in distinct))
    if verdict.state == Status.ACCEPTED:
        _weigh(verdict, export, layout, year)
    return verdict


def _gathered(whole: Whole, year: int | None) -> Verdict:
    """Return a verdict that has the rows of all files, accepted and refused, and nothing decided yet."""
    export = whole.export
    verdict = Verdict(export.id, Status.ACCEPTED, None, "", companions=whole.companions)
    tables: list[pa.Table | Path] = []
    for part, refused in zip(whole.parts, whole.refused, strict=True):
        table, aside = part.table.without(list(refused)), _set_aside(part, list(refused))
        validated = part.file.validated
        tables += table.parts
        verdict.refused += aside.refused
        verdict.ignored += validated.ignored
        verdict.set_aside += [aside] if aside.refused else []
        verdict.files.append(
            {
                "fichier": part.file.path,
                "sha256": part.file.sha256,
                "lignes": table.num_rows + aside.refused,
                "acceptees": table.num_rows,
                "lu": validated.usable,
                "feuille": validated.sheet,
                "controle": validated.path,
                "controle_pourquoi": validated.why,
            }
        )
    verdict.observations = TypedRows(observation_schema(export), tables, year)
    verdict.accepted = verdict.observations.num_rows
    return verdict


def _once(files: Sequence[JudgedFile]) -> tuple[list[JudgedFile], list[Located]]:
    """Keep one file of each content, that of the plainest name; tell of the others."""
    plainest: dict[str, JudgedFile] = {}
    for file in sorted(files, key=lambda file: (len(file.path), file.path)):
        plainest.setdefault(file.sha256, file)
    copies = []
    for file in files:
        first = plainest[file.sha256]
        if first is not file:
            message = f"« {file.path} » a le même contenu que « {first.path} » : il n'est lu qu'une fois."
            copies.append((file, Finding("fichier-en-double", message, "avertissement")))
    return [file for file in files if plainest[file.sha256] is file], copies


def doubt(verdict: Verdict, doubts: Sequence[Doubt]) -> None:
    """Add doubts to an accepted verdict; those that block refuse it."""
    verdict.doubts = list(doubts)
    blocking = [one_doubt.message for one_doubt in doubts if one_doubt.blocks]
    if blocking:
        _refuse(verdict, " ".join(blocking))


def _set_aside(part: Part, again: list[int]) -> SetAside:
    """Return the refused rows of a file: those refused alone, and those that the whole export refuses ``again``."""
    rows = [*part.refused_rows]
    if again:
        rows += [RefusedRow(*row) for row in part.written_rows(again)]
        rows.sort(key=lambda row: row.number)
    return SetAside(part.file.path, part.file.validated.header, rows, part.refused + len(again))


def _still_expired(findings: list[Located], files: Sequence[JudgedFile]) -> list[Located]:
    """Drop the corrections that one of the files still needed: only those that no file needs have expired."""
    usable = sum(file.validated.usable for file in files)
    missed = Counter(finding.value for _, finding in findings if finding.rule == EXPIRED)
    return [entry for entry in findings if entry[1].rule != EXPIRED or missed[entry[1].value] >= usable]


def _decide(verdict: Verdict, year: int | None, acceptance: Acceptance, question: str, *, usable: bool) -> None:
    """Refuse an export for the first reason that holds; ``question``: which of two versions is the right one."""
    total = verdict.rows
    faults = verdict.refused - verdict.companions
    share = faults / total if total else 0.0
    expired = sorted({finding.value for _, _, finding in verdict.findings if finding.rule == EXPIRED})
    if not usable:
        _refuse_unusable(verdict)
    elif expired:
        _refuse(verdict, f"Une correction déclarée ne s'applique plus : supprimez-la ({', '.join(expired)}).")
        verdict.for_producer = _NOT_YOURS
    elif question:
        _refuse(verdict, question)
    elif not total:
        verdict.state, verdict.reason = Status.NOT_HANDED_OVER, "non-transmis"
        verdict.explanation = f"Le fichier ne contient aucune ligne{f' de {year}' if year else ''}."
    elif not verdict.accepted:
        _refuse(verdict, f"Aucune ligne utilisable sur {number(total)}.")
    elif share > acceptance.max_refused_share:
        wrong = counted(faults, "ligne refusée" if faults == verdict.refused else "faute")
        _refuse(
            verdict,
            f"{wrong} sur {number(total)} ({_percent(share)}), au-delà de la limite de "
            f"{_percent(acceptance.max_refused_share)} ({acceptance.why}).",
        )
    elif verdict.refused:
        aside = counted(verdict.refused, "ligne refusée")
        verdict.explanation = f"{aside} sur {number(total)} ({_percent(verdict.refused / total)})."


def _weigh(verdict: Verdict, export: Export, layout: Layout, year: int | None) -> None:
    """Refuse an export none of whose accepted rows has a weight above 0: nothing can be computed from it."""
    if export.weight is None or verdict.observations is None or has_weights(verdict.observations, export.weight):
        return
    column = label_named(export, layout, export.weight)
    verdict.tell(Finding("poids-nuls", title("poids-nuls"), column=column, year=year))
    _refuse(verdict, f"Tous les poids sont nuls ou absents (colonne « {column} ») : aucune réponse ne compte.")


def _refuse_unusable(verdict: Verdict) -> None:
    """Say why a file is unusable; the YAML that a change for good takes is for the data team."""
    first = next(finding for _, _, finding in verdict.findings if finding.severity == "erreur" and finding.row is None)
    why = f"Fichier inutilisable. {first.message}"
    declare = ", ".join(dict.fromkeys(finding.declare for _, _, finding in verdict.findings if finding.declare))
    if not declare:
        _refuse(verdict, why)
        return
    _refuse(verdict, f"{why} Si l'en-tête a changé pour de bon, ajoutez au layout : fields: {{{declare}}}")
    verdict.for_producer = why


def _refuse(verdict: Verdict, explanation: str) -> None:
    verdict.state, verdict.reason, verdict.explanation = Status.REFUSED, "rejete", one_line(explanation)
    verdict.observations = None


def _percent(share: float) -> str:
    return f"{decimal(100 * share, 2)} %"


def count_findings(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Count the findings by export, file, rule and column: what may be published, without any cell content."""
    lines = []
    for verdict in verdicts:
        groups: dict[tuple[str, str, str, str], list[Finding]] = {}
        headless = {path for path, _, finding in verdict.findings if finding.rule == "missing-label"}
        for path, sha256, finding in verdict.findings:
            # Without its header, a file's first row stands for one: its unknown labels are cells, never published.
            column = "" if finding.rule == "extra-label" and path in headless else finding.column
            groups.setdefault((path, sha256, finding.rule, column), []).append(finding)
        for (path, sha256, rule, column), alike in sorted(groups.items(), key=lambda group: group[0]):
            numbers = [row for finding in alike for row in finding.rows]
            lines.append(
                {
                    "export": verdict.export,
                    "fichier": table_text(path),
                    "empreinte": sha256,
                    "regle": rule,
                    "colonne": table_text(column) or None,
                    "severite": alike[0].severity,
                    "nombre": rows_told(alike),
                    "premiere_ligne": min(numbers, default=None),
                    "derniere_ligne": max(numbers, default=None),
                    "message": title(rule),
                }
            )
    return lines


def correction_states(
    catalogue: Catalogue, network: str, year: int, verdicts: Sequence[Verdict]
) -> list[dict[str, Any]]:
    """Return what became of the corrections of a network-year: ``numero`` (from 1, in the declared order) and state."""
    states = []
    usable = {verdict.export for verdict in verdicts if any(file["lu"] for file in verdict.files)}
    expired = {finding.value for verdict in verdicts for _, _, finding in verdict.findings if finding.rule == EXPIRED}
    for rank, correction in enumerate(catalogue.corrections.get(network, ()), start=1):
        if correction.year != year:
            continue
        tried = correction.status == "confirmed" and correction.export in usable
        state = "non appliquée" if not tried else "périmée" if correction.place in expired else "appliquée"
        states.append({"numero": rank, "etat": state})
    return states
