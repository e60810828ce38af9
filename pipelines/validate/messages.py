"""The one catalogue of what rules are called in French: title, explanation, mend, by rule and kind of constraint.

The texts are in ``messages.yml``; titles hold no value and are published. Nothing is judged here.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml

from pipelines.compile.expected_cells import type_words
from pipelines.declarations.yaml_source import LOADER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.validate.findings import Finding

_TEXTS = Path(__file__).with_name("messages.yml")
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


@cache
def _read() -> dict[str, dict[str, Message]]:
    texts = yaml.load(_TEXTS.read_text(encoding="utf-8"), LOADER)
    return {part: {name: Message(**item) for name, item in found.items()} for part, found in texts.items()}


def rules() -> Mapping[str, Message]:
    """Return the message of every rule."""
    return _read()["rules"]


def constraints() -> Mapping[str, Message]:
    """Return the message of every kind of constraint."""
    return _read()["constraints"]


def why_told(rule: str) -> Told:
    """Return why the producer is written to about a rule that refuses nothing; nothing if they aren't."""
    return rules().get(rule, _UNKNOWN).told


def title(rule: str) -> str:
    """Return the published sentence of a rule."""
    return rules().get(rule, _UNKNOWN).title


def message_of(finding: Finding) -> Message:
    """Return the message of a finding: that of its kind of constraint when it is one."""
    if finding.rule == "constraint-error":
        return constraints().get(constraint_of(finding), rules()["constraint-error"])
    return rules().get(finding.rule, _UNKNOWN)


# Rules of a file that can't be read: what is wrong is told in one sentence, and what to do follows it.
UNREADABLE = frozenset({"fichier-illisible", "fichier-vide", "fichier-coupe", "feuille-absente", "archive"})


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
        return _with(title(rule), f"il faut : {type_words(kind[1], kind[2])}")
    if rule == "constraint-error" and (limit := _CONSTRAINT.fullmatch(note)):
        known = constraints().get(limit[1], rules()[rule])
        form = "forme attendue {}" if limit[1] == "pattern" and pattern else _LIMITS.get(limit[1])
        return _with(known.title, form.format(_listed(limit[2]))) if form else known.title
    if position := _POSITION.fullmatch(note):
        return _with(title(rule), f"comme à la ligne {position[1]}")
    return title(rule_of(rule, note))


def _with(sentence: str, detail: str) -> str:
    return f"{sentence.rstrip('.')} ({detail})."


def _listed(limit: str) -> str:
    """Write a list of Python as words."""
    try:
        values = ast.literal_eval(limit)
    except (ValueError, SyntaxError):
        return limit
    return ", ".join(str(value) for value in values) if isinstance(values, list) else limit
