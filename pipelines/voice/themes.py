"""Themes found in the lemmas of voices, by the patterns that are declared in ``schemas/themes``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.mechanics.spelling import unaccented
from pipelines.voice.lemmas import NEGATIONS, as_written, lemmas, normalised
from pipelines.voice.words import FIRST_NAMES, SURNAMES, TOLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.declarations.experiences import Theme, ThemeFamily

DENIED, GAP = "non_", "…"
_ANY_DENIAL = f"(?:{'|'.join(unaccented(word) for word in NEGATIONS)})_"
_BETWEEN = "(?: [^ ]+ ){0,4}"


@dataclass(frozen=True)
class ExampleFault:
    """A declared example that its theme treats as it must not, with where it stands and what is to be said."""

    family: str
    theme: str
    place: tuple[str, int]
    message: str


def expressions(families: Mapping[str, ThemeFamily]) -> dict[str, str]:
    """Return the expression of each theme of all families, by id, in order, over what ``lemmas.as_written`` gives.

    Regular expressions, of what both Python and RE2 know.
    """
    return {name: _expression(theme) for family in families.values() for name, theme in family.themes.items()}


def _expression(theme: Theme) -> str:
    return "|".join(f"(?:{_sequence(pattern)})" for pattern in theme.patterns)


def _sequence(pattern: str) -> str:
    parts = [_BETWEEN if part == GAP else f" (?:{'|'.join(map(_word, part.split('|')))}) " for part in pattern.split()]
    return "".join(parts)


def _word(word: str) -> str:
    denied = word.startswith(DENIED)
    plain = unaccented(word.removeprefix(DENIED))
    ending = "[^ ]*" if plain.endswith("*") else ""
    return (_ANY_DENIAL if denied else "") + re.escape(plain.removesuffix("*")) + ending


def told_words(families: Mapping[str, ThemeFamily]) -> frozenset[str]:
    """Return the words that may be published, without accents: common ones, and those that themes are made of.

    What else is written (a name, in small letters too) is in no list: it is neither kept, nor tested, nor told.
    """
    patterns = (
        pattern for family in families.values() for theme in family.themes.values() for pattern in theme.patterns
    )
    of_themes = {unaccented(word.removeprefix(DENIED)) for pattern in patterns for word in re.split("[ |]", pattern)}
    return (TOLD | of_themes) - FIRST_NAMES - SURNAMES


def example_faults(families: Mapping[str, ThemeFamily]) -> Iterator[ExampleFault]:
    """Yield the declared examples that their theme doesn't find, or finds and must leave."""
    for family, declared in families.items():
        for name, theme in declared.themes.items():
            pattern = re.compile(_expression(theme))
            for kind, wanted in (("found", True), ("left", False)):
                for index, example in enumerate(getattr(theme.examples, kind)):
                    seen = as_written(lemmas(normalised(example)))
                    if bool(pattern.search(seen)) != wanted:
                        told = "n'est pas trouvé" if wanted else "est trouvé à tort"
                        message = f"l'exemple « {example} » {told} par le thème {name} (lu : {' '.join(seen.split())})"
                        yield ExampleFault(family, name, (kind, index), message)
