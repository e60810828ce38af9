"""The lists of French words of ``words.yml``: names of people, words that are none, words that link or may be told."""

from __future__ import annotations

from pathlib import Path

import yaml

_LISTS = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"))

FIRST_NAMES, SURNAMES, NOT_NAMES, LINKS, CARRIERS, TOLD, FAMOUS = (
    frozenset(str(_LISTS[name]).split())
    for name in ("first_names", "surnames", "not_names", "links", "carriers", "told", "famous")
)
MEANT: dict[str, str] = dict(_LISTS["meant"])
