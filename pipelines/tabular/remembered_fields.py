"""What frictionless finds again and again of the fields of a schema, found once.

To open a table, frictionless copies its fields a dozen times (for its header, its rows, each table that refers to it),
each time through their descriptors, which it validates anew by a JSON Schema: half of the time that a small table
takes. A descriptor found valid is remembered; whatever isn't, frictionless judges each time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from frictionless import Field
from frictionless.vendors import stringcase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from frictionless import Error

_MANY = 10_000  # descriptors, some hundred signs each


def remember_valid_fields() -> None:
    """Let frictionless remember, from now on, the descriptors of fields that it found valid, and names of properties.

    To be called once, when the module of frictionless is first used.
    """
    field, names = vars(Field), vars(stringcase)
    Field.metadata_validate = classmethod(_remembering(field["metadata_validate"].__func__))  # type: ignore[assignment]
    stringcase.snakecase = cache(names["snakecase"])


def _remembering(validate: Callable[..., Iterator[Error]]) -> Callable[..., Iterator[Error]]:
    valid: set[tuple[type, str | None, str]] = set()

    def validated(kind: type, descriptor: dict[str, Any], *, context: Any = None) -> Iterator[Error]:
        version = context.datapackage_version if context else None  # of the standard, which a table imposes on it
        found = kind, version, repr(descriptor)
        if found in valid:
            return
        errors = list(validate(kind, descriptor, context=context))
        if not errors and len(valid) < _MANY:
            valid.add(found)
        yield from errors

    return validated
