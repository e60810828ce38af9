"""What publishing would do to a target: steps in French, what blocks them, and a hash by which a person accepts them.

Which steps are needed is decided by each target.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pipelines.release.gates import Gate

Kind = Literal[
    "create", "restore", "update", "upload", "adopt", "replace", "describe", "mark", "supersede", "order", "open",
    "seal", "write", "remove",
]  # fmt: skip
WORDS: Mapping[Kind, str] = {
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
    """A step: ``what`` and ``why`` in French; ``key`` is ours (empty for the dataset), ``id`` that of the target."""

    kind: Kind
    what: str
    why: str
    key: str = ""
    id: str | None = None
    sha1: str | None = None
    changes: tuple[Change, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The step in one line of French."""
        return f"{WORDS[self.kind]} {self.what} : {self.why}"

    def to_json(self) -> dict[str, Any]:
        """Return the step as plain data; empty properties are left out."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Plan:
    """What publishing would do to a target. ``why`` tells the versions that it lacks; ``notes`` block nothing."""

    target: str
    dataset: str
    version: str
    actions: tuple[Action, ...]
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.actions

    @property
    def refusals(self) -> tuple[Gate, ...]:
        """The gates that block it; none when there is nothing to do."""
        return () if self.empty else tuple(gate for gate in self.gates if not gate.passed)

    @property
    def hash(self) -> str:
        """Sha256 of what would be done and of what blocks it: an acceptance is of this very plan."""
        content = {name: value for name, value in self._content().items() if name not in ("notes", "why")}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def judged(self, gates: Iterable[Gate]) -> Plan:
        """Return the plan with gates on the release itself; what those that passed have to say becomes notes."""
        found = tuple(gates)
        told = [f"{gate.message_fr} {' ; '.join(gate.details)}" for gate in found if gate.passed and gate.details]
        return replace(self, gates=(*found, *self.gates), notes=(*self.notes, *told))

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data, with its hash."""
        return {"hash": self.hash, **self._content()}

    def _content(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "dataset": self.dataset,
            "version": self.version,
            "why": list(self.why),
            "actions": [action.to_json() for action in self.actions],
            "blocked_by": [
                {"gate": gate.name, "message": gate.message_fr, "details": list(gate.details)} for gate in self.refusals
            ],
            "notes": list(self.notes),
        }


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
