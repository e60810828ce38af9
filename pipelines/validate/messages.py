"""The words of findings in French: what rules are called and how to mend them, and the hints that tell a cause.

The texts are in ``messages.yml`` (by rule and kind of constraint; titles hold no value and are published) and
``hints.yml``. Nothing is judged here: causes are looked for in cells by ``causes``, in texts by ``near_misses``.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from pipelines.compile.expected_cells import type_words
from pipelines.declarations.yaml_source import LOADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.validate.findings import Finding

_POSITION = re.compile(r"the same as in the row at position (\d+)")
_TYPE = re.compile(r'type is "([a-z]+)/(.*)"', re.DOTALL)
_CONSTRAINT = re.compile(r'constraint "(\w+)" is "(.*)"', re.DOTALL)
_LIMITS = {
    "minimum": "au moins {}",
    "maximum": "au plus {}",
    "exclusiveMinimum": "plus de {}",
    "exclusiveMaximum": "moins de {}",
    "minLength": "au moins {} caractères",
    "maxLength": "au plus {} caractères",
    "enum": "valeurs permises : {}",
}
# Rules of a file that can't be read: what is wrong is told in one sentence, and what to do follows it.
UNREADABLE = frozenset({"fichier-illisible", "fichier-vide", "fichier-coupe", "feuille-absente", "archive"})

Told = Literal["", "values", "file", "reading", "personal"]


@dataclass(frozen=True)
class Message:
    """What a rule is called (``title``, without any value), what it means, and how a producer mends it.

    ``example``: whether an example of a right cell helps. ``told``: why the producer is written to although the rule
    refuses nothing (see ``messages.yml``); nothing where there is no such reason.
    """

    title: str
    why: str
    mend: str
    example: bool = True
    told: Told = ""


_UNKNOWN = Message(
    "Une règle n'est pas respectée.", "La valeur ou la ligne n'est pas conforme.", "Comparez le fichier au modèle."
)


def _yaml(name: str) -> Any:
    return yaml.load(Path(__file__).with_name(name).read_text(encoding="utf-8"), LOADER)


@cache
def _messages() -> dict[str, dict[str, Message]]:
    parts = _yaml("messages.yml")
    return {part: {name: Message(**item) for name, item in messages.items()} for part, messages in parts.items()}


def rules() -> Mapping[str, Message]:
    """Return the message of every rule."""
    return _messages()["rules"]


def constraints() -> Mapping[str, Message]:
    """Return the message of every kind of constraint."""
    return _messages()["constraints"]


def why_told(rule: str) -> Told:
    """Return why the producer is written to about a rule that refuses nothing; nothing if they aren't."""
    return rules().get(rule, _UNKNOWN).told


def title(rule: str, detail: str = "") -> str:
    """Return the published sentence of a rule; with a detail in brackets, which is not."""
    return _detailed(rules().get(rule, _UNKNOWN).title, detail)


def message_of(finding: Finding) -> Message:
    """Return the message of a finding: that of its kind of constraint when it is one."""
    if finding.rule == "constraint-error":
        return constraints().get(constraint_of(finding), rules()["constraint-error"])
    return rules().get(finding.rule, _UNKNOWN)


def constraint_of(finding: Finding) -> str:
    """Return the kind of constraint that a finding tells, known by the title that begins its message; else nothing."""
    if finding.rule != "constraint-error":
        return ""
    stems = {kind: message.title.rstrip(".") for kind, message in constraints().items()}
    return next((kind for kind, stem in stems.items() if finding.message.startswith(stem)), "")


def rule_of(kind: str, note: str) -> str:
    """Return the rule that an error of frictionless is told under: its type, but for keys whose cells are all empty."""
    return "cle-vide" if kind == "primary-key" and "None" in note else kind


def sentence(rule: str, note: str, *, pattern: bool = False) -> str:
    """Return the sentence of an error of frictionless, with what its note adds, and no value of the file.

    ``pattern``: with the pattern that a value breaks, for those who wrote it.
    """
    if rule == "type-error" and (kind := _TYPE.fullmatch(note)):
        return title(rule, f"il faut : {type_words(kind[1], kind[2])}")
    if rule == "constraint-error" and (limit := _CONSTRAINT.fullmatch(note)):
        message = constraints().get(limit[1], rules()[rule])
        form = "forme attendue {}" if limit[1] == "pattern" and pattern else _LIMITS.get(limit[1], "")
        return _detailed(message.title, form.format(_listed(limit[2])))
    if position := _POSITION.fullmatch(note):
        return title(rule, f"comme à la ligne {position[1]}")
    return title(rule_of(rule, note))


def _detailed(sentence: str, detail: str) -> str:
    return f"{sentence.rstrip('.')} ({detail})." if detail else sentence


def _listed(limit: str) -> str:
    """Write a list of Python as words."""
    try:
        values = ast.literal_eval(limit)
    except (ValueError, SyntaxError):
        return limit
    return ", ".join(str(value) for value in values) if isinstance(values, list) else limit


_PART = re.compile(r"\\\{[a-z]+\\\}")


@dataclass(frozen=True)
class Hint:
    """A cause in words, where ``{…}`` is a part of the cell; what to do, or nothing where the rule says it well."""

    words: str
    mend: str = ""
    examples: tuple[tuple[str, str, str], ...] = ()

    @property
    def form(self) -> re.Pattern[str]:
        """What a cause that has this hint holds."""
        return re.compile(rf"(?<!\w){_PART.sub('.+?', re.escape(self.words))}(?!\w)")


@cache
def hints() -> Mapping[str, Hint]:
    """Return every hint by its name."""
    return {
        name: Hint(item["words"], item.get("mend", ""), tuple(map(tuple, item.get("examples", ()))))
        for name, item in _yaml("hints.yml").items()
    }


def words(name: str, **parts: object) -> str:
    """Return the words of a hint, its parts filled in."""
    return hints()[name].words.format(**parts)


def mend_of(causes: Iterable[str]) -> str:
    """Return what to do about causes: what their hint says if it is one, to follow each if they differ.

    Nothing where a value has no known cause, or where their hint leaves it to the rule.
    """
    distinct = set(causes)
    mends = {_mend(cause) for cause in distinct}
    if len(mends) == 1:
        return mends.pop()
    return "" if "" in distinct else "Corrigez chaque valeur selon sa cause."


@cache
def _forms() -> list[tuple[re.Pattern[str], str]]:
    return [(hint.form, hint.mend) for hint in hints().values()]


def _mend(cause: str) -> str:
    """Return the mend of a cause; none of one that has several, which what to write tells better."""
    seen = cause.partition(" ; ")[0]  # what follows is what to write
    mends = {mend for form, mend in _forms() if form.search(seen)}
    return mends.pop() if len(mends) == 1 else ""
