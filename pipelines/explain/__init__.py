"""Any published number back to its source lines, and computed again from them.

What a run left is read here as plain data (Parquet, JSON, YAML), the lines in the archive; the figures are those of the
pipeline's own estimators. A second, independent computation of each stands in ``tests/oracle``.
"""

from pipelines.explain.explainer import Explainer
from pipelines.explain.explanation import explanation
from pipelines.explain.published_row import NotFoundError, Release, find_row, open_release

__all__ = ["Explainer", "NotFoundError", "Release", "explanation", "find_row", "open_release"]
