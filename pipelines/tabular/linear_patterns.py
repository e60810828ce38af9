"""Patterns judged in linear time: what Python's ``re`` matches, told by RE2, which never tries the same text twice.

frictionless matches the pattern of a field with ``re``, whose time may double with each letter of a cell
(``([A-Z]+)*[0-9]``). Here such a pattern is read by Python's own parser and written again for RE2 (through Arrow),
class by class, so that both accept the same texts; what can't be written exactly (a look ahead, a reference to a
group…) stays with ``re``, and so do patterns that can't take long. Which cells are asked is decided elsewhere.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from types import SimpleNamespace
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from frictionless.schema import field as frictionless_field

Ranges = list[tuple[int, int]]

_LAST = sys.maxunicode
_MOST_REPEATS = 1000  # RE2's own limit
_FEW_WAYS = 256  # ways that re may try before it gives up, of a pattern that is left to it
_MANY_TIMES = 64  # of a repetition: more is taken for as many as the text has
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT)
_PLACES = {
    sre.AT_BEGINNING: r"\A", sre.AT_BEGINNING_STRING: r"\A",
    sre.AT_END: r"\n?\z", sre.AT_END_STRING: r"\z",  # Python's $ is also before a last line feed
}  # fmt: skip


class _Untranslatable(Exception):  # noqa: N818 (never seen outside)
    """The pattern says what RE2 can't, or not exactly."""


@dataclass(frozen=True)
class LinearPattern:
    """The pattern of a field, anchored as frictionless anchors it, for RE2.

    ``exact`` says of which texts RE2 gives the verdict of ``re``: all, or those of ASCII signs alone.
    """

    source: str
    exact: Literal["all", "ascii"]

    def matches(self, column: pa.Array) -> pa.Array:
        """Tell, for each text, whether it matches; surely so where the text is one of those told by ``exact``."""
        plain = pc.all(pc.string_is_ascii(column)).as_py()
        return pc.match_substring_regex(column, self._ascii if plain is not False else self._all)

    def match(self, cell: str) -> bool:
        """Tell whether a text matches, as ``re.Pattern.match`` does."""
        if self.exact == "ascii" and not cell.isascii():
            return re.match(_anchored(self.source), cell) is not None
        return bool(self.matches(pa.array([cell], pa.string()))[0].as_py())

    @cached_property
    def _all(self) -> str:
        return _translated(self.source, _LAST)[0]

    @cached_property
    def _ascii(self) -> str:
        return _translated(self.source, 127)[0]


@cache
def linear_pattern(pattern: str) -> LinearPattern | None:
    """Return the pattern for RE2, None when it can't be written for it; raises ``re.error`` when it is none at all."""
    try:
        expression, is_ascii = _translated(pattern, _LAST)
        pc.match_substring_regex(pa.array([""]), expression)
    except (_Untranslatable, pa.ArrowInvalid, RecursionError):
        return None
    return LinearPattern(pattern, "ascii" if is_ascii else "all")


@cache
def may_take_long(pattern: str) -> bool:
    """Tell whether ``re`` may need more than a time proportional to the text to refuse it."""
    try:
        ways, endless = _ways(sre_parser.parse(_anchored(pattern)))
    except (_Untranslatable, RecursionError):
        return True
    return ways > _FEW_WAYS or endless > 1


@contextmanager
def judged_in_linear_time() -> Iterator[None]:
    """Let the cell readers that frictionless makes meanwhile match their patterns in linear time, where they can.

    It compiles patterns by the ``re`` of its module: for that time, this one. Readers keep what they compiled.
    """
    module: Any = frictionless_field
    module.re = SimpleNamespace(compile=_compiled)
    try:
        yield
    finally:
        module.re = re


def _compiled(anchored: str) -> Any:
    pattern = anchored[1:-1]
    linear = linear_pattern(pattern) if may_take_long(pattern) else None
    return linear or re.compile(anchored)


def _anchored(pattern: str) -> str:
    return f"^{pattern}$"  # ungrouped, as frictionless has it


# How long re may take


def _ways(items: Iterable[Any]) -> tuple[int, int]:
    """Return in how many ways ``re`` may match a run of items but for its endless repetitions, and their number."""
    ways, endless = 1, 0
    for kind, value in items:
        inner = [_ways(part) for part in _inner(kind, value)]
        if kind in (*_REPEATS, sre.POSSESSIVE_REPEAT):
            least, most, _ = value
            if inner[0] != (1, 0):
                raise _Untranslatable  # choices within a repetition
            if most == least <= _MANY_TIMES:
                continue
            many = most is sre.MAXREPEAT or most > _MANY_TIMES
            endless, ways = endless + many, ways * (1 if many else most - least + 1)
        elif inner:
            ways *= sum(part[0] for part in inner)
            endless += max(part[1] for part in inner)
    return ways, endless


def _inner(kind: Any, value: Any) -> list[Any]:
    """Return the runs of items within an item."""
    if kind is sre.BRANCH:
        return list(value[1])
    if kind is sre.SUBPATTERN:
        return [value[3]]
    if kind in (*_REPEATS, sre.POSSESSIVE_REPEAT):
        return [value[2]]
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        return [value[1]]
    if kind in (sre.GROUPREF, sre.GROUPREF_EXISTS, sre.ATOMIC_GROUP):
        raise _Untranslatable
    return []


# From Python's tree to RE2's text


def _translated(pattern: str, last: int) -> tuple[str, bool]:
    """Return the pattern for RE2, for texts whose signs go up to ``last``, and whether it is exact on ASCII only."""
    tree = sre_parser.parse(_anchored(pattern))
    writer = _Writer(last)
    return rf"\A(?:{writer.run(tree, tree.state.flags, tail=True)})", writer.is_ascii


class _Writer:
    """Writes items of Python's tree for RE2 (https://github.com/google/re2/wiki/Syntax)."""

    def __init__(self, last: int) -> None:
        self._last = last
        self.is_ascii = False

    def run(self, items: Any, flags: int, *, tail: bool) -> str:
        """Write a run of items; ``tail``: nothing follows it."""
        listed = list(items)
        ends = (sre.AT_END, sre.AT_END_STRING)
        last = next((place for place in reversed(range(len(listed))) if listed[place][1] not in ends), -1)
        return "".join(
            self._item(kind, value, flags, tail=tail and place >= last) for place, (kind, value) in enumerate(listed)
        )

    def _item(self, kind: Any, value: Any, flags: int, *, tail: bool) -> str:
        if kind is sre.AT:
            return self._place(value, flags, tail=tail)
        if kind is sre.BRANCH:
            return "(?:" + "|".join(self.run(branch, flags, tail=tail) for branch in value[1]) + ")"
        if kind is sre.SUBPATTERN:
            _, added, taken, inner = value
            return f"(?:{self.run(inner, (flags | added) & ~taken, tail=tail)})"
        if kind in _REPEATS:
            least, most, inner = value
            if least > _MOST_REPEATS or (most is not sre.MAXREPEAT and most > _MOST_REPEATS):
                raise _Untranslatable
            written = self.run(inner, flags, tail=tail and most == 1)
            return f"(?:{written}){{{least},{'' if most is sre.MAXREPEAT else most}}}"
        return self._sign(kind, value, flags)

    def _place(self, where: Any, flags: int, *, tail: bool) -> str:
        if flags & sre.SRE_FLAG_MULTILINE or (where is sre.AT_END and not tail):
            raise _Untranslatable
        if where in (sre.AT_BOUNDARY, sre.AT_NON_BOUNDARY):
            self.is_ascii = True  # RE2's words are of ASCII letters
            return r"\b" if where is sre.AT_BOUNDARY else r"\B"
        return _PLACES[where]

    def _sign(self, kind: Any, value: Any, flags: int) -> str:
        """Write what matches one sign."""
        ignoring_case = bool(flags & sre.SRE_FLAG_IGNORECASE)
        if ignoring_case and (kind is sre.NOT_LITERAL or (kind is sre.IN and value[0][0] is sre.NEGATE)):
            raise _Untranslatable  # all but a letter and its pair
        if kind is sre.ANY:
            allowed = [(0, _LAST)] if flags & sre.SRE_FLAG_DOTALL else _complement([(10, 10)])
        elif kind is sre.LITERAL:
            allowed = [(value, value)]
        elif kind is sre.NOT_LITERAL:
            allowed = _complement([(value, value)])
        elif kind is sre.IN:
            allowed = _class(value, flags)
        else:
            raise _Untranslatable
        written = _listed(allowed, self._last)
        if not ignoring_case:
            return written
        self.is_ascii = True  # beyond, each has pairs of letters of its own
        return f"(?i:{written})"


def _class(items: list[Any], flags: int) -> Ranges:
    ranges: Ranges = []
    for kind, value in items:
        if kind is sre.LITERAL:
            ranges.append((value, value))
        elif kind is sre.RANGE:
            ranges.append(value)
        elif kind is sre.CATEGORY:
            ranges += _category(value, bool(flags & sre.SRE_FLAG_ASCII))
        elif kind is not sre.NEGATE:
            raise _Untranslatable
    return _complement(ranges) if items[0][0] is sre.NEGATE else _joined(ranges)


_KINDS: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdecimal,
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_WORD: lambda sign: sign.isalnum() or sign == "_",
}
_OPPOSITES = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
}


@cache
def _category(kind: Any, is_ascii: bool) -> Ranges:
    """Return the signs that Python has for a digit, a blank or a letter of words, or for their opposites."""
    if kind in _OPPOSITES:
        return _complement(_category(_OPPOSITES[kind], is_ascii))
    if kind not in _KINDS:
        raise _Untranslatable
    if is_ascii and kind is sre.CATEGORY_SPACE:  # re.ASCII leaves the separators of files out
        return [(9, 13), (32, 32)]
    test, limit = _KINDS[kind], 127 if is_ascii else _LAST
    return _joined([(code, code) for code in range(limit + 1) if test(chr(code))])


def _joined(ranges: Ranges) -> Ranges:
    joined: Ranges = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return joined


def _complement(ranges: Ranges) -> Ranges:
    gaps, low = [], 0
    for first, last in [*_joined(ranges), (_LAST + 1, _LAST + 1)]:
        if first > low:
            gaps.append((low, first - 1))
        low = last + 1
    return gaps


def _listed(ranges: Ranges, last: int) -> str:
    """Write a class of RE2; one that holds nothing matches nothing."""
    signs = "".join(rf"\x{{{low:x}}}-\x{{{min(high, last):x}}}" for low, high in ranges if low <= last)
    return f"[{signs}]" if signs else r"[^\x{0}-\x{10ffff}]"
