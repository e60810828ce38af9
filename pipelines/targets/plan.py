"""What publishing would do to a target: steps in French, what blocks them, and a hash by which a person accepts them.

Which steps are needed is decided by each target; how a plan is told in French is here.
"""

from __future__ import annotations

import hashlib
import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pipelines.mechanics.french import counted
from pipelines.release.gates import Gate

Kind = Literal[
    "create",
    "restore",
    "update",
    "upload",
    "adopt",
    "replace",
    "describe",
    "mark",
    "supersede",
    "order",
    "open",
    "seal",
    "write",
    "remove",
]
# Each kind of step: its verb, then what it does in the words of the first line of a plan; {} is a count of files.
WORDS: Mapping[Kind, tuple[str, str]] = {
    "create": ("CRÉER", "créer le jeu de données"),
    "restore": ("RESTAURER", "restaurer le jeu de données supprimé"),
    "update": ("MODIFIER", "corriger sa description"),
    "upload": ("ENVOYER", "envoyer {}"),
    "adopt": ("REPRENDRE", "reprendre {} d'un envoi interrompu"),
    "replace": ("REMPLACER", "remplacer {}"),
    "describe": ("DÉCRIRE", "décrire {}"),
    "supersede": ("RETIRER", "retirer {}"),
    "mark": ("MARQUER", "noter la version sur {} au contenu inchangé"),
    "write": ("ÉCRIRE", "écrire {}"),
    "remove": ("ENLEVER", "enlever {}"),
    "open": ("OUVRIR", "ouvrir au public"),
    "order": ("ORDONNER", ""),
    "seal": ("CLORE", ""),
}
WIDTH = 112  # characters of a line
_BEFORE_PUNCTUATION, _GLUE = re.compile("(?<=«) | (?=[:;»])"), "\ue000"
SHOWN = 70  # characters of a value that a line of plan shows
FEW = 10  # files listed of a group that says the same of each: a plan fits a screen; all are in the JSON


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
        return f"{WORDS[self.kind][0]} {self.what} : {self.why}"

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
        on_release = tuple(gates)
        notes = [f"{gate.message_fr} {' ; '.join(gate.details)}" for gate in on_release if gate.passed and gate.details]
        return replace(self, gates=(*on_release, *self.gates), notes=(*self.notes, *notes))

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
    return first.sentence if len(group) == 1 else f"{WORDS[first.kind][0]} {len(group)} fichiers : {first.why}"


def plan_text(plan: Plan) -> str:
    """Return the plan in French: what it does and why, what blocks it, its steps, its hash."""
    return "\n".join(_plan_lines(plan))


def _plan_lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.dataset} {plan.version} → {plan.target}"
    if plan.empty:
        yield "  rien à faire : la cible tient déjà cette version"
    else:
        counts = Counter(action.kind for action in plan.actions)
        parts = [words.format(counted(counts[kind], "fichier")) for kind, (_, words) in WORDS.items() if counts[kind]]
        rest = "remettre les fichiers dans l'ordre" if counts["order"] else "clore une publication interrompue"
        yield from _wrapped(f"À faire : {', '.join(filter(None, parts)) or rest}.")
    for line in plan.why:
        yield from _wrapped(line)
    if plan.refusals:
        yield "  CE PLAN ATTEND UN ACCORD :"
        for gate in plan.refusals:
            yield from _wrapped(f"{gate.name} : {gate.message_fr}", 4)
            for detail in gate.details:
                yield from _wrapped(f"- {detail}", 6)
    for group in alike(plan.actions):
        yield from _group_lines(group)
    for note in plan.notes:
        yield from _wrapped(f"à savoir : {note}")
    if not plan.empty:
        yield f"  {counted(len(plan.actions), 'étape')}, empreinte du plan : {plan.hash}"


def _group_lines(group: tuple[Action, ...]) -> Iterator[str]:
    yield from _wrapped(heading(group))
    shown = 0 if group[0].kind == "mark" else FEW
    for action in group[:shown]:
        if len(group) > 1:
            yield f"    {action.what}"
        if action.kind in ("describe", "update", "restore"):
            for change in action.changes:
                yield f"      {change.name} : {_short(change.before)} → {_short(change.after)}"
    if 0 < shown < len(group):
        yield f"    et {counted(len(group) - shown, 'autre')}"


def _wrapped(text: str, indent: int = 2) -> list[str]:
    """Return a sentence in lines that fit a terminal and the page of Dagster, those after the first set back."""
    glued = _BEFORE_PUNCTUATION.sub(_GLUE, text)  # no line starts with a colon
    lines = textwrap.wrap(
        glued,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ") for line in lines]


def _short(value: Any) -> str:
    text = " ".join(_words(value).split()) or "rien"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _words(value: Any) -> str:
    """Return a value as people write it: « 2022-01-01, 2024-12-31 » for a coverage, « a, b » for tags."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        value = list(value.values())
    return ", ".join(filter(None, map(_words, value))) if isinstance(value, list | tuple) else str(value)
