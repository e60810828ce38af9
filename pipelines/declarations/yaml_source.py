"""YAML text to plain data that remembers its lines. No rule about what the data may say belongs here.

Scalars follow YAML 1.2 rather than PyYAML's 1.1: ``01`` stays the text "01" (a département), ``no`` stays text, dates
stay text until a model reads them. A key written twice is an error: the second would silently win.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from pipelines.mechanics.limits import DEEPEST_DECLARATION

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]+)?|-?(0|[1-9][0-9]*)[eE][-+]?[0-9]+")
# Controls, marks of direction, halves and private signs: declared texts are published, and shown on terminals.
_ACTING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ue000-\uf8ff"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML's own parser is ten times slower than libyaml's
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and the line of every key and item, from 1.

    ``problems``: lines where the YAML itself is wrong, and why.
    """

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of ``path``, or of its nearest ancestor that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def named(self, path: Path) -> str:
        """Write a path with the names of what stands in lists: « exports[enquete].layouts[2022-2024].path »."""
        words, at = "", self.data
        for part in path:
            if isinstance(part, int):
                at = at[part] if isinstance(at, list) and part < len(at) else None
                words += f"[{_name(at, part)}]"
            else:
                at = at.get(part) if isinstance(at, dict) else None
                words += f".{part}" if words else str(part)
        return words


def _name(listed: Any, position: int) -> str:
    """Return what one of a list is known by, its position (from 1) where nothing says it."""
    keys = ("id", "name", "years", "column", "code")
    names = [listed.get(key) for key in keys] if isinstance(listed, dict) else [listed]
    return next((str(name) for name in names if isinstance(name, str | int)), f"n° {position + 1}")


def parse(text: str) -> Document:
    """Parse one YAML document; syntax problems are collected, never raised."""
    document = Document()
    try:
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        document.problems.append(((mark.line if mark else 0) + 1, f"YAML illisible : {error.problem}"))
        return document
    except yaml.YAMLError as error:
        document.problems.append((1, f"YAML illisible : {error}"))
        return document
    document.data = _build(node, (), document)
    return document


def _build(node: yaml.Node | None, path: Path, document: Document) -> Any:
    if node is None:
        return None
    line = node.start_mark.line + 1
    if len(path) > DEEPEST_DECLARATION:
        document.problems.append((line, "une référence (&, *) se contient elle-même"))
        return None
    document.lines.setdefault(path, line)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, index), document) for index, item in enumerate(node.value)]
    if acting := _ACTING.search(str(node.value)):
        message = f"caractère de contrôle ou invisible (U+{ord(acting[0]):04X}) : retapez le texte"
        document.problems.append((line, message))
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: Path, document: Document) -> dict[Any, Any]:
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            document.problems.append((line, "une clé doit être un mot simple"))
        elif (key := _scalar(key_node)) in mapping:
            document.problems.append((line, f"clé « {key} » écrite deux fois"))
        else:
            document.lines[(*path, key)] = line
            mapping[key] = _build(value_node, (*path, key), document)
    return mapping


def _scalar(node: yaml.Node) -> Any:
    value = str(node.value)
    if getattr(node, "style", None):  # quoted or block text is text
        return value
    if value.lower() in _CONSTANTS:
        return _CONSTANTS[value.lower()]
    if _INTEGER.fullmatch(value):
        return int(value)
    if _FLOAT.fullmatch(value):
        return float(value)
    return value
