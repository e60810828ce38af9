"""Statistical disclosure control of the results: what is hidden, what is hidden with it, and the attacker's audit.

Values are computed elsewhere; here they are only hidden.
"""

from pipelines.compute.disclosure.audit import audit, refusals
from pipelines.compute.disclosure.published import (
    disclosure_summary,
    protected,
    without_secret_parts,
    without_secrets,
)

__all__ = ["audit", "disclosure_summary", "protected", "refusals", "without_secret_parts", "without_secrets"]
