"""What is wrong in the declarations, told as file, line, key, what was found and what is allowed.

In French: the data team reads it.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from pipelines.declarations.yaml_source import Document, Path


Fault = tuple["Path", str]  # a key of a file, and what is wrong there, in French
FORMS = {  # what each pattern of the models asks for, in words
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "minuscules sans accent, chiffres et tirets (exemple : france-travail)",
    r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$": "minuscules sans accent, chiffres et tirets bas (exemple : code_agence)",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "minuscules sans accent, chiffres et tirets (exemple : service-public)",
    r"^[^@\s]+@[^@\s]+$": "une adresse de courriel",
    r"^https?://[^\s/?#]+(/[^\s?#]*[^\s?#/])?$": "une adresse https://… sans barre à la fin",
    r"^(spplus|pilote|barometre):[A-Za-z0-9-]+$": "spplus:…, pilote:… ou barometre:… (exemple : pilote:IND-246)",
    r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$": "MM-JJ, un jour de l'année (exemple : 03-31)",
    r"^(FR|\d{2,3}|2[AB])$": "FR, ou un code de département ou de région (exemples : 30, 2A, 974)",
    r"^\d+\.\d+\.\d+$": "un numéro de version (exemple : 1.2.0)",
}
_EXPECTED = {  # by the beginning of pydantic's name of an error
    "bool": "true ou false attendu",
    "int": "nombre entier attendu",
    "float": "nombre attendu",
    "dict": "bloc de clés attendu",
    "model": "bloc de clés attendu",
    "tuple": "liste attendue",
    "date": "date attendue sous la forme AAAA-MM-JJ",
}
_WIDTH, _BEFORE = 100, 60  # characters of a line that are shown, and how many of them before what is wrong
_NAMED_KEY = re.compile(r"([\w.-]+) : (.*)", re.DOTALL)


@dataclass(frozen=True, order=True)
class Problem:
    """One error: ``file`` relative to the declarations folder, ``line`` from 1, dotted ``key`` (may be empty).

    ``named`` is the key as people read it, with names where the key has positions in lists.
    """

    file: str
    line: int
    key: str
    message: str
    named: str = ""

    def __str__(self) -> str:
        where, what = f"{self.file}:{self.line}", self.named or self.key
        return f"{where}: {what}: {self.message}" if what else f"{where}: {self.message}"

    def excerpt(self, text: str) -> list[str]:
        """Return the line of ``text`` (the file's) that it is about, and a mark below what is wrong there."""
        lines = text.splitlines()
        if not 0 < self.line <= len(lines) or not lines[self.line - 1].strip():
            return []
        line = lines[self.line - 1]
        words = [*re.findall("« (.+?) »", self.message)[:1], self.key.rpartition(".")[2]]
        at, word = next(((line.find(word), word) for word in words if word and word in line), (0, ""))
        at, word = (at, word) if word else (len(line) - len(line.lstrip()), line.strip())
        start = max(0, at - _BEFORE)
        shown, number = line[start : start + _WIDTH], f"{self.line:>6} | "
        return [number + shown, " " * (len(number) + at - start) + "^" * min(len(word), _WIDTH - (at - start))]


class DeclarationError(Exception):
    """The declarations can't be used; ``problems`` holds every reason, in the order of files and lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def close_to(word: str, allowed: Iterable[str]) -> str:
    """Return a French hint naming the closest allowed word, or an empty text."""
    found = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f" ; vouliez-vous dire « {found[0]} » ?" if found else ""


def unknown(path: Path, word: str, allowed: Iterable[str] | None, what: str) -> Iterator[Fault]:
    """Yield the fault of a word that isn't declared; None: where it would be is broken, and told by itself."""
    names = [word] if allowed is None else sorted(allowed)
    if word not in names:
        yield path, f"{what} « {word} » inconnu{close_to(word, names)} ; déclarés : {', '.join(names) or 'aucun'}"


def twins(path: Path, names: Iterable[str], what: str = "") -> Iterator[Fault]:
    """Yield the fault of each name that stands more than once."""
    for name, count in Counter(names).items():
        if count > 1:
            yield path, f"{what} « {name} » déclaré {count} fois".lstrip()


def below(path: Path, faults: Iterable[Fault]) -> Iterator[Fault]:
    """Yield the faults of a part that stands at ``path`` of its file."""
    for place, message in faults:
        yield (*path, *place), message


def from_pydantic(file: str, document: Document, errors: list[ErrorDetails], model: type[BaseModel]) -> list[Problem]:
    """Translate pydantic's errors, each placed at the line of the key it speaks of."""
    problems = []
    for error in errors:
        if error["type"] == "too_short" and any(
            other["loc"][: len(error["loc"])] == error["loc"] != other["loc"] for other in errors
        ):
            continue  # what is wrong in its elements is told: they aren't missing
        path = _path_in_file(error["loc"], document)
        message = _message(error, model)
        named = _NAMED_KEY.match(message)
        if named and (*path, *named[1].split(".")) in document.lines:  # the model as a whole speaks of one of its keys
            path, message = (*path, *named[1].split(".")), named[2]
        problems.append(placed(file, document, path, message))
    return problems


def placed(file: str, document: Document, path: Path, message: str) -> Problem:
    """Return a problem of a place of a file."""
    key = ".".join(str(part) for part in path)
    return Problem(file, document.line(path), key, message, document.named(path))


def _path_in_file(location: tuple[int | str, ...], document: Document) -> Path:
    """Drop the parts that pydantic adds and the file does not hold (tags of unions, names of types)."""
    path: Path = ()
    for index, part in enumerate(location):
        if (*path, part) in document.lines or index == len(location) - 1:
            path = (*path, part)
    return path


def _message(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    messages: dict[str, str] = {
        "missing": "clé obligatoire absente",
        "literal_error": f"{_shown(found)} n'est pas permis{_nearest(found, context.get('expected'))}"
        f" ; permis : {_french_or(context.get('expected'))}",
        "union_tag_invalid": f"« {context.get('tag')} » n'est pas permis ; "
        f"permis : {_french_or(context.get('expected_tags'))}"
        f"{_nearest(context.get('tag'), context.get('expected_tags'))}",
        "union_tag_not_found": f"il manque « {str(context.get('discriminator')).strip(chr(39))} »",
        "string_pattern_mismatch": f"{_shown(found)} n'a pas la forme attendue : "
        f"{FORMS.get(context.get('pattern', ''), context.get('pattern'))}",
        "string_type": f"texte attendu, trouvé {_shown(found)} (mettre entre guillemets si c'est un code)",
        "string_too_short": f"texte trop court ({counted(context.get('min_length', 0), 'caractère')} au moins)",
        "string_too_long": f"texte trop long ({counted(context.get('max_length', 0), 'caractère')} au plus)",
        "too_long": f"{counted(context.get('max_length', 0), 'élément')} au plus",
        "too_short": f"{counted(context.get('min_length', 0), 'élément')} au moins",
        "greater_than": f"{_shown(found)} doit dépasser {context.get('gt')}",
        "less_than": f"{_shown(found)} doit rester sous {context.get('lt')}",
        "greater_than_equal": f"{_shown(found)} est sous le minimum {context.get('ge')}",
        "less_than_equal": f"{_shown(found)} dépasse le maximum {context.get('le')}",
        "value_error": str(context.get("error", error["msg"])),
    }
    if kind == "extra_forbidden":
        allowed = _allowed_keys(model, error["loc"][:-1])
        hint = close_to(str(error["loc"][-1]), allowed)
        return f"clé inconnue{hint}" + (f" ; clés permises : {', '.join(allowed)}" if allowed else "")
    if expected := _EXPECTED.get(kind.partition("_")[0]):
        return f"{expected}, trouvé {_shown(found)}"
    return messages.get(kind, error["msg"])


def _french_or(words: object) -> str:
    return str(words).replace(" or ", " ou ")


def _nearest(found: object, expected: object) -> str:
    return close_to(str(found), re.findall("'([^']+)'", str(expected)))


def _shown(value: Any) -> str:
    text = "rien" if value is None else str(value)
    return f"« {text if len(text) <= 60 else text[:57] + '…'} »"


def _allowed_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Walk the model's JSON Schema down to ``location`` and list the keys allowed there."""
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    current: list[dict[str, Any]] = [schema]
    for part in location:
        expanded = [branch for node in current for branch in _branches(node, definitions)]
        tagged = [node for node in expanded if node.get("properties", {}).get("name", {}).get("const") == part]
        if tagged:
            current = tagged
            continue
        step = [child for node in expanded if (child := _child(node, part)) is not None]
        current = step or current
    keys = [key for node in current for branch in _branches(node, definitions) for key in branch.get("properties", {})]
    return list(dict.fromkeys(keys))


def _branches(node: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in node:
        return _branches(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
    choices = node.get("anyOf") or node.get("oneOf")
    return [leaf for choice in choices for leaf in _branches(choice, definitions)] if choices else [node]


def _child(node: dict[str, Any], part: int | str) -> dict[str, Any] | None:
    if isinstance(part, int):
        child = node.get("items")
    else:
        free = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
        child = node.get("properties", {}).get(part, free[0])
    return child if isinstance(child, dict) else None
