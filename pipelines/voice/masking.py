"""Personal details out of a text, before anything else reads it: rules in order, over whole columns of texts.

What a rule masks is replaced by a word between brackets. Institutional addresses, numbers of services (3646, 0 809 …)
and SIRET stay. A number that its own check digits refuse is masked all the same, as a file number: people mistype.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from pipelines.voice import identifier_checks, name_checks
from pipelines.voice.words import FIRST_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ACCENTS = {"a": "[aàâä]", "c": "[cç]", "e": "[eéèêë]", "i": "[iîï]", "o": "[oôö]", "u": "[uùûü]"}


@dataclass(frozen=True)
class Rule:
    """What is looked for (``pattern``), whether a match holds, the word put in its place (group « it », or the whole).

    ``likely``: a looser form of it, that Arrow looks for in whole columns. ``masked`` and ``kept``: invented examples.
    """

    kind: str
    likely: str
    pattern: re.Pattern[str]
    masked: tuple[str, ...]
    kept: tuple[str, ...]
    holds: Callable[[re.Match[str]], bool]

    def apply(self, text: str) -> tuple[str, int]:
        """Return a text without what the rule finds there, and how many it found."""
        count = 0

        def put(match: re.Match[str]) -> str:
            nonlocal count
            if not self.holds(match):
                return match[0]
            count += 1
            named = "it" in self.pattern.groupindex and match["it"] is not None
            before = match.start("it") - match.start() if named else 0
            return f"{match[0][:before]}[{self.kind}]"

        return self.pattern.sub(put, text), count


def _declared() -> Iterator[Rule]:
    """Yield the rules of ``masking_rules.yml``, their fragments in their places."""
    declared = yaml.safe_load(Path(__file__).with_name("masking_rules.yml").read_text(encoding="utf-8"))
    fragments = {"AT": identifier_checks.AT, "PARTICLE": name_checks.PARTICLE, "FIRST": _first_names()}
    checks = vars(identifier_checks) | vars(name_checks)

    def whole(expression: str) -> str:
        return re.sub("<([A-Z_]+)>", lambda match: fragments[match[1]], expression.replace("\n", ""))

    for name, fragment in declared["fragments"].items():
        fragments[name] = whole(fragment)
    for rule in declared["rules"]:
        holds = checks[rule["holds"]] if "holds" in rule else bool
        pattern = re.compile(whole(rule["pattern"]))
        yield Rule(rule["kind"], whole(rule["likely"]), pattern, tuple(rule["masked"]), tuple(rule["kept"]), holds)


def _first_names() -> str:
    """Return an expression that finds first names however they are accented."""
    names = sorted(FIRST_NAMES, key=len, reverse=True)
    return "|".join("".join(_ACCENTS.get(sign, sign) for sign in name) for name in names)


RULES = tuple(_declared())


def masked(text: str) -> tuple[str, Counter[str]]:
    """Return a normalised text without its personal details, and how many there were by kind."""
    texts, counts = mask_all([text])
    return texts[0], counts


def mask_all(texts: Sequence[str]) -> tuple[list[str], Counter[str]]:
    """Return normalised texts without their personal details, and how many there were by kind."""
    done, counts = list(texts), Counter[str]()
    column = pa.array(done, pa.large_string())
    for rule in RULES:
        places = pc.indices_nonzero(pc.match_substring_regex(column, rule.likely)).to_pylist()
        changed = False
        for place in places:
            text, found = rule.apply(done[place])
            if found:
                done[place], changed = text, True
                counts[rule.kind] += found
        if changed:
            column = pa.array(done, pa.large_string())
    return done, counts
