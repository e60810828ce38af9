"""Statistical disclosure control of the results: what the rule hides, what is hidden with it, what a reader may know.

Values are computed elsewhere; here they are only hidden. Rows of ``resultats`` become arrays in ``surveys``;
``pattern`` decides on them what is hidden, ``bounds`` proves it by a formula.
"""

from pipelines.disclosure.audit import (
    AUDITED,
    SECRET_FIGURES,
    Judge,
    audit,
    findings_of_year,
    refusals,
    secret_figures,
    what_is_known,
)
from pipelines.disclosure.results_table import (
    EXTREMES,
    coarsened,
    disclosure_summary,
    protected,
    secret_totals,
    without_bounds,
    without_counts,
    without_secret_parts,
    without_secrets,
)
from pipelines.disclosure.revised import KEPT_FROM, unless_few
from pipelines.disclosure.rules import rules
from pipelines.disclosure.surveys import FREE, HIDDEN

__all__ = [
    "AUDITED",
    "EXTREMES",
    "FREE",
    "HIDDEN",
    "KEPT_FROM",
    "SECRET_FIGURES",
    "Judge",
    "audit",
    "coarsened",
    "disclosure_summary",
    "findings_of_year",
    "protected",
    "refusals",
    "rules",
    "secret_figures",
    "secret_totals",
    "unless_few",
    "what_is_known",
    "without_bounds",
    "without_counts",
    "without_secret_parts",
    "without_secrets",
]
