"""What the platform's crawler (hydra) made of our files after publication, read from the extras that it writes.

It comes within hours, and never stops a publication; what it will make of a file is rehearsed before.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.targets.protocol import Preview
from pipelines.targets.udata.remote import SUPERSEDED, RemoteResource

PREVIEWED = frozenset({"csv", "xlsx", "parquet"})
READY, WAITING, FAILED, UNAVAILABLE = "aperçu prêt", "pas encore analysé", "analyse en échec", "fichier injoignable"


def previews(resources: Iterable[RemoteResource]) -> list[Preview]:
    """Return the state of every file of ours that the platform should show as a table."""
    ours = [item for item in resources if item.key and SUPERSEDED not in item.extras]
    return [_preview(item) for item in ours if item.filename.rpartition(".")[2] in PREVIEWED]


def _preview(item: RemoteResource) -> Preview:
    extras = item.extras
    error = extras.get("analysis:parsing:error") or extras.get("analysis:error")
    if error:
        state, detail = FAILED, str(error)
    elif extras.get("check:available") is False:
        state, detail = UNAVAILABLE, str(extras.get("check:error") or extras.get("check:status") or "")
    elif extras.get("analysis:parsing:parsing_table"):
        state, detail = READY, ""
    else:
        state, detail = WAITING, ""
    return Preview(str(item.key), item.title, state, detail, failed=state in (FAILED, UNAVAILABLE))
