"""One step of a plan: what, why, on what, as plain data and in French. Which steps are needed is not decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "create", "restore", "update", "upload", "adopt", "replace", "describe", "mark", "supersede", "order", "open",
    "seal", "write", "remove",
]  # fmt: skip
WORDS: Mapping[str, str] = {
    "create": "CRÉER",
    "restore": "RESTAURER",
    "update": "MODIFIER",
    "upload": "ENVOYER",
    "adopt": "REPRENDRE",
    "replace": "REMPLACER",
    "describe": "DÉCRIRE",
    "mark": "MARQUER",
    "supersede": "RETIRER",
    "order": "ORDONNER",
    "open": "OUVRIR",
    "seal": "CLORE",
    "write": "ÉCRIRE",
    "remove": "ENLEVER",
}


@dataclass(frozen=True)
class Change:
    """A managed field that differs: its French name, what the target says, what we want."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Action:
    """A step: ``what`` and ``why`` in French; ``key`` is ours (empty for the dataset), ``id`` that of the target.

    ``draft``: the sha256 of a document that waits for links, without them; it has no sha1 yet.
    """

    kind: Kind
    what: str
    why: str
    key: str = ""
    id: str | None = None
    sha1: str | None = None
    changes: tuple[Change, ...] = ()
    order: tuple[str, ...] = ()
    draft: str | None = None

    @property
    def sentence(self) -> str:
        """The step in one line of French."""
        return f"{WORDS[self.kind]} {self.what} : {self.why}"

    def to_json(self) -> dict[str, Any]:
        """Return the step as plain data; empty properties are left out."""
        content = {
            "kind": self.kind,
            "what": self.what,
            "why": self.why,
            "key": self.key,
            "id": self.id,
            "sha1": self.sha1,
            "changes": [{"name": item.name, "before": item.before, "after": item.after} for item in self.changes],
            "order": list(self.order),
            "draft": self.draft,
        }
        return {name: value for name, value in content.items() if value}


def alike(actions: Iterable[Action]) -> list[tuple[Action, ...]]:
    """Return the steps in groups of one kind and one reason, in the order of the first of each."""
    groups: dict[tuple[str, str], list[Action]] = {}
    for action in actions:
        groups.setdefault((action.kind, action.why), []).append(action)
    return [tuple(group) for group in groups.values()]


def heading(group: tuple[Action, ...]) -> str:
    """Return a group of steps in one line of French."""
    first = group[0]
    return first.sentence if len(group) == 1 else f"{WORDS[first.kind]} {len(group)} fichiers : {first.why}"
