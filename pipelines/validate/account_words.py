"""An account of rows in French: how many are in the base of an indicator, how many out of it, and why.

The values that explain a reason come from the file: they are told to its producer alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.compile.plain_text import spelled
from pipelines.declarations.bases import REASONS
from pipelines.validate.findings import MASKED
from pipelines.validate.french import count_text, counted
from pipelines.validate.personal import kinds
from pipelines.validate.problems import LONGEST_VALUE

if TYPE_CHECKING:
    from pipelines.declarations.bases import Account


def account_text(account: Account) -> str:
    """Say what became of the accepted rows, reason by reason, with the values most often met."""
    if account.base == account.accepted:
        return f"calculé sur {counted(account.accepted, 'ligne')}, toutes dans la base"
    reasons = " ; ".join(_reason(account, reason) for reason in REASONS if account.outside.get(reason))
    inside = (
        f"calculé sur {count_text(account.base)} des {counted(account.accepted, 'ligne acceptée')}"
        if account.base
        else f"aucune valeur, aucune des {counted(account.accepted, 'ligne acceptée')} n'est dans la base"
    )
    return f"{inside} ; hors de la base : {reasons}"


def _reason(account: Account, reason: str) -> str:
    rows, seen = account.outside[reason], account.seen.get(reason, ())
    values = [f"{_value(value)} {count_text(count)}" for value, count in seen]
    others = rows - sum(count for _, count in seen)
    if values and others:
        values.append(f"autres {count_text(others)}")
    details = f" : {', '.join(values)}" if values else ""
    return f"{REASONS[reason]} ({count_text(rows)}{details})"


def _value(value: str) -> str:
    if not value:
        return "vide"
    return MASKED if kinds(value) else f"« {spelled(value, LONGEST_VALUE)} »"
