"""A copy of the shipped declarations that a test changes, and how what is wrong with it is asked for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from pipelines.declarations import DeclarationError, load
from pipelines.declarations.yaml_source import parse

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.declarations import Problem

INDICATOR = "indicators/taux-decroche.yml"
PARSE = lru_cache(maxsize=None)(parse)


def with_one_indicator(schemas: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave a single indicator, and have unchanged files parsed once: quick to read again and again."""
    monkeypatch.setattr("pipelines.declarations.loading.parse", PARSE)
    for path in (schemas / "indicators").glob("*.yml"):
        if path.name != INDICATOR.rpartition("/")[2]:
            path.unlink()
    for path in (schemas / "networks").glob("*.yml"):  # posters of the indicators that are gone
        text = re.sub(r"^poster:.*\n( .*\n)*", "", path.read_text(encoding="utf-8"), flags=re.M)
        path.write_text(text, encoding="utf-8")
    return schemas


def change(schemas: Path, file: str, old: str, new: str) -> int:
    """Replace the first occurrence of a text of a file; return its line."""
    path = schemas / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} n'est pas dans {file}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def problems(schemas: Path) -> tuple[Problem, ...]:
    """Return everything that is wrong."""
    with pytest.raises(DeclarationError) as refused:
        load(schemas)
    return refused.value.problems
