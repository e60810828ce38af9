"""An account of rows in French: how many are in the base of an indicator, how many out of it, and why.

The values that explain a reason come from the file: they are told to its producer alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.declarations.statuses import REASONS
from pipelines.mechanics.french import counted, number
from pipelines.mechanics.plain_text import spelled
from pipelines.validate.findings import MASKED, Finding
from pipelines.validate.grouped_findings import LONGEST_VALUE
from pipelines.validate.messages import title
from pipelines.validate.personal import kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Catalogue
    from pipelines.declarations.statuses import Account
    from pipelines.validate.verdict import Verdict

UNMET = "condition-jamais-remplie"


def account_text(account: Account) -> str:
    """Say what became of the accepted rows, reason by reason, with the values most often met."""
    if not account.accepted:
        return "aucune ligne de ses années dans ce fichier"
    if account.base == account.accepted:
        return f"calculé sur {counted(account.accepted, 'ligne')}, toutes dans la base"
    reasons = " ; ".join(_reason(account, reason) for reason in REASONS if account.outside.get(reason))
    inside = (
        f"calculé sur {number(account.base)} des {counted(account.accepted, 'ligne acceptée')}"
        if account.base
        else f"aucune ligne dans la base, sur {counted(account.accepted, 'ligne acceptée')}"
    )
    return f"{inside} ; hors de la base : {reasons}"


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
        message = f"{title(UNMET).rstrip('.')} ({wanted}, « {indicator.title} »)."
        found = Finding(UNMET, message, "avertissement", column=(field.label if field else None) or column)
        verdict.findings.append((verdict.files[0]["fichier"], verdict.files[0]["sha256"], found))


def _reason(account: Account, reason: str) -> str:
    rows, seen = account.outside[reason], account.seen.get(reason, ())
    values = [f"{_value(value)} {number(count)}" for value, count in seen]
    others = rows - sum(count for _, count in seen)
    if values and others:
        values.append(f"autres {number(others)}")
    details = f" : {', '.join(values)}" if values else ""
    return f"{REASONS[reason]} ({number(rows)}{details})"


def _value(value: str) -> str:
    if not value:
        return "vide"
    return MASKED if kinds(value) else f"« {spelled(value, LONGEST_VALUE)} »"
