"""What came of a publication, and how plans and reports are told in French. What is done is decided elsewhere."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.mechanics.french import counted
from pipelines.targets.plan import Action, Change, Kind, Plan, alike, heading

WIDTH = 112  # characters of a line
_BEFORE_PUNCTUATION, _GLUE = re.compile("(?<=«) | (?=[:;»])"), "\ue000"
SHOWN = 70  # characters of a value that a line of plan shows
FEW = 10  # files listed of a group that says the same of each: a plan fits a screen; all are in the JSON
BRIEF: Mapping[Kind, int] = {"mark": 0}
# What a plan does, in the words of its first line; {} is a count of files.
SUMMARY: Mapping[Kind, str] = {
    "create": "créer le jeu de données",
    "restore": "restaurer le jeu de données supprimé",
    "update": "corriger sa description",
    "upload": "envoyer {}",
    "adopt": "reprendre {} d'un envoi interrompu",
    "replace": "remplacer {}",
    "describe": "décrire {}",
    "supersede": "retirer {}",
    "mark": "noter la version sur {} au contenu inchangé",
    "write": "écrire {}",
    "remove": "enlever {}",
    "open": "ouvrir au public",
}


@dataclass(frozen=True)
class Report:
    """What came of a publication. ``problems`` says what is not as it should be.

    ``applied`` is False when the plan waits for a person.
    """

    plan: Plan
    applied: bool
    done: tuple[Action, ...] = ()
    problems: tuple[str, ...] = ()
    page: str = ""
    quality: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the target now holds the offer, whole."""
        return self.applied and not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "plan": self.plan.to_json(),
            "applied": self.applied,
            "succeeded": self.succeeded,
            "done": [action.sentence for action in self.done],
            "problems": list(self.problems),
            "page": self.page,
            "quality": self.quality,
        }


def plan_text(plan: Plan) -> str:
    """Return the plan in French: what it does and why, what blocks it, its steps, its hash."""
    return "\n".join(_plan_lines(plan))


def report_text(report: Report) -> str:
    """Return what was done in French, without the steps, which were told as they went."""
    return "\n".join(_report_lines(report))


def _plan_lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.dataset} {plan.version} → {plan.target}"
    if plan.empty:
        yield "  rien à faire : la cible tient déjà cette version"
    else:
        yield from _wrapped(f"À faire : {_summary(plan)}.")
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
        count = len(plan.actions)
        yield f"  {counted(count, 'étape')}, empreinte du plan : {plan.hash}"


def _summary(plan: Plan) -> str:
    counts = Counter(action.kind for action in plan.actions)
    told = [words.format(counted(counts[kind], "fichier")) for kind, words in SUMMARY.items() if counts[kind]]
    rest = "remettre les fichiers dans l'ordre" if counts["order"] else "clore une publication interrompue"
    return ", ".join(told) or rest


def _group_lines(group: tuple[Action, ...]) -> Iterator[str]:
    yield from _wrapped(heading(group))
    shown = BRIEF.get(group[0].kind, FEW)
    for action in group[:shown]:
        if len(group) > 1:
            yield f"    {action.what}"
        if action.kind in ("describe", "update", "restore"):
            yield from (f"      {_change(change)}" for change in action.changes)
    if 0 < shown < len(group):
        yield f"    et {counted(len(group) - shown, 'autre')}"


def _wrapped(text: str, indent: int = 2) -> list[str]:
    """Return a sentence in lines that fit a terminal and the page of Dagster, those after the first set back."""
    held = _BEFORE_PUNCTUATION.sub(_GLUE, text)  # no line starts with a colon
    lines = textwrap.wrap(
        held, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 4), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace(_GLUE, " ") for line in lines]


def _report_lines(report: Report) -> Iterator[str]:
    plan = report.plan
    if not report.applied:
        yield f"{plan.dataset} {plan.version} : rien n'a été publié"
        return
    done = "déjà à jour, rien n'a été écrit" if plan.empty else f"publié et relu ({len(report.done)} étapes)"
    yield f"{plan.dataset} {plan.version} : {done}"
    if report.page:
        quality = "" if report.quality is None else f", note de qualité {report.quality:.2f}".replace(".", ",")
        yield f"  {report.page}{quality}"
    yield from (f"  PROBLÈME : {problem}" for problem in report.problems)


def _change(change: Change) -> str:
    return f"{change.name} : {_short(change.before)} → {_short(change.after)}"


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
