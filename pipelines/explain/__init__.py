"""Any published number back to its source lines, and recomputed from them by a second, plain path.

What a run left is read here as plain data (Parquet, JSON, YAML); where it stands and how archived files are opened is
told by the caller. Nothing here imports the path that made the number.
"""

from pipelines.explain.evidence import ArchiveError, Kept, OpenedFile
from pipelines.explain.explainer import Explainer
from pipelines.explain.explanation import explanation
from pipelines.explain.published import NotFoundError, Release, find_row, open_release

__all__ = [
    "ArchiveError",
    "Explainer",
    "Kept",
    "NotFoundError",
    "OpenedFile",
    "Release",
    "explanation",
    "find_row",
    "open_release",
]  # fmt: skip
