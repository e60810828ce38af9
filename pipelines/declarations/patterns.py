"""What a declared pattern may say: only what an engine of linear time judges (RE2: no look around, no back reference).

Otherwise one cell of a producer could stop a night. How cells are judged is validation's affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

_MOST_REPEATS = 1000  # RE2's limit, of nested repetitions together
_WORDS = {
    sre.ASSERT: "il regarde en avant ou en arrière, (?=…) ou (?<=…)",
    sre.ASSERT_NOT: "il regarde en avant ou en arrière, (?!…) ou (?<!…)",
    sre.GROUPREF: "il rappelle un groupe, comme \\1",
    sre.GROUPREF_EXISTS: "il dépend d'un groupe, (?(1)…)",
    sre.ATOMIC_GROUP: "il a un groupe atomique, (?>…)",
    sre.POSSESSIVE_REPEAT: "il a une répétition possessive, comme a++",
}
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)


def check_pattern(pattern: str) -> str:
    """Return the pattern; raises ValueError, in French, when it is none, or when no linear time judges it."""
    try:
        re.compile(f"^{pattern}$")  # as it is judged
        tree = sre_parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"« {pattern} » n'est pas un motif ({error})") from error
    reason = _reason(tree, 1)
    if reason:
        raise ValueError(
            f"« {pattern} » ne peut être jugé en un temps borné : {reason}. Écrivez-le sans cela, ou avec enum, "
            "minLength, maxLength"
        )
    return pattern


def _reason(items: Iterable[Any], times: int) -> str:
    """Say what a linear engine does not have, nothing when it has all; ``times``: repetitions around these items."""
    for kind, value in items:
        if kind in _WORDS:
            return _WORDS[kind]
        inner, around = _inner(kind, value), times
        if kind in _REPEATS:
            least, most, _ = value
            around = times * max(1, least, 0 if most is sre.MAXREPEAT else most)
            if around > _MOST_REPEATS:
                return f"il a plus de {_MOST_REPEATS} répétitions"
        for part in inner:
            if reason := _reason(part, around):
                return reason
    return ""


def _inner(kind: Any, value: Any) -> list[Any]:
    if kind is sre.BRANCH:
        return list(value[1])
    if kind is sre.SUBPATTERN:
        return [value[3]]
    return [value[2]] if kind in _REPEATS else []
