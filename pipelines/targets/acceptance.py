"""Plans that a person accepted, by their hash: who, when, why. Whether a plan needs one is said by its gates."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pipelines.mechanics.files import write_whole
from pipelines.release.errors import PublicationError

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Acceptance:
    """The agreement of a person to one plan; ``when`` is ISO 8601."""

    plan: str
    who: str
    when: str
    reason: str


def accept(folder: Path, plan: str, who: str, when: datetime, reason: str) -> Acceptance:
    """Keep an acceptance in ``folder``; the first one of a plan stays. Raises PublicationError on a malformed hash."""
    if not _HASH.fullmatch(plan):
        raise PublicationError(f"« {plan} » n'est pas l'empreinte d'un plan : la recopier entière depuis le plan.")
    known = accepted(folder, plan)
    if known is not None:
        return known
    made = Acceptance(plan, who, when.isoformat(timespec="seconds"), reason)
    write_whole(folder / f"{plan}.json", (json.dumps(asdict(made), ensure_ascii=False, indent=1) + "\n").encode())
    return made


def accepted(folder: Path, plan: str) -> Acceptance | None:
    """Return the acceptance of a plan, None when nobody accepted it."""
    path = folder / f"{plan}.json"
    return Acceptance(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
