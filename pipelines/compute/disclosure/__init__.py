"""Statistical disclosure control of the results: what is hidden, what is hidden with it, and the attacker's audit.

Values are computed elsewhere; here they are only hidden.
"""

from pipelines.compute.disclosure.audit import audit, refusals
from pipelines.compute.disclosure.published import (
    EXTREMES,
    coarsened,
    disclosure_summary,
    protected,
    without_secret_parts,
    without_secrets,
)
from pipelines.compute.disclosure.totals import secret_totals, without_counts

__all__ = [
    "EXTREMES",
    "audit",
    "coarsened",
    "disclosure_summary",
    "protected",
    "refusals",
    "secret_totals",
    "without_counts",
    "without_secret_parts",
    "without_secrets",
]
