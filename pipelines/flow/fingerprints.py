"""What each stage depends on, as hashes: its inputs, its declarations and the code of its rooms.

A change elsewhere makes nothing again: the wording of a letter or of a screen judges no file anew, a rule of gathering
remakes the tables alone.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pipelines.declarations import Catalogue

PIPELINES = Path(__file__).resolve().parents[1]
# The rooms and modules of ``pipelines`` that a stage runs.
_DECLARED = ("mechanics", "declarations", "compile")
EVERYTHING = ("",)  # told in every release; it makes nothing again
JUDGING = (*_DECLARED, "read", "tabular", "validate", "flow/judge.py")
COMPUTING = (*_DECLARED, "compute", "disclosure", "flow/compute.py")
# Titles of findings, which are published.
_WORDS = ("validate/findings.py", "validate/messages.py", "validate/messages.yml")
_HIDING = ("flow/protection.py", "flow/earlier_releases.py")
GATHERING = (*COMPUTING, *_WORDS, "tables", "flow/gather.py", *_HIDING, "barometers", "flow/barometer_waves.py")
# Left out of those rooms: what only people read (letters, terminal, templates to fill), or only a command computes.
ONLY_READ = (
    *("validate/letters/letter.py", "validate/letters/annotated_copy.py", "validate/letters/templates/"),
    *("validate/grouped_findings.py", "validate/verdict_screen.py", "validate/check.py"),
    *("compile/template.py", "compile/workbook.py", "compile/editor.py", "declarations/uses.py"),
)


def fingerprint(*parts: object) -> str:
    """Hash (sha256) of plain data."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def verdict_version(declarations: str, reception: str) -> str:
    """Return the data version of a verdict: hash of its reception's, the network's declarations and the code."""
    code = code_of((*JUDGING, *COMPUTING, "flow/kept_verdicts.py"))  # it counts rows by indicator
    return fingerprint(reception, declarations, code)


def results_version(declarations: str, verdict: str) -> str:
    """Return the data version of results: hash of their verdict's, the network's declarations and the code."""
    return fingerprint(verdict, declarations, code_of(COMPUTING))


def tables_declared(catalogue: Catalogue) -> str:
    """Return what changes with the declarations of the national tables, or the code that makes them."""
    return fingerprint(
        [catalogue.fingerprint(network) for network in catalogue.networks],
        [barometer.model_dump(mode="json") for barometer in catalogue.barometers.values()],
        [value.model_dump(mode="json") for value in (*catalogue.datasets.values(), *catalogue.tables.values())],
        [value.model_dump(mode="json") for value in (*catalogue.engagements.values(), *catalogue.quality.values())],
        code_of(GATHERING),
    )


def code_of(parts: Iterable[str]) -> str:
    """Hash of the source of rooms and modules of ``pipelines``, texts and templates included."""
    return _hash_of(tuple(parts), PIPELINES)


@cache
def _hash_of(parts: tuple[str, ...], root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for part in parts for path in _sources(root / part)):
        name = path.relative_to(root).as_posix()
        if parts == EVERYTHING or not name.startswith(ONLY_READ):
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _sources(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    sources = (".py", ".yml")
    return [path for path in place.rglob("*") if path.suffix in sources or path.parent.name == "templates"]
