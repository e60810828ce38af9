"""Personal details out of a text, before anything else reads it: rules in order, over whole columns of texts.

What a rule masks is replaced by a word between brackets. Institutional addresses, numbers of services (3646, 0 809 …)
and SIRET stay. A number that its own check digits refuse is masked all the same, as a file number: people mistype.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.voice.identifier_rules import IDENTIFIERS
from pipelines.voice.name_rules import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = (*IDENTIFIERS, *PEOPLE)


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
