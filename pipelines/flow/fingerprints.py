"""What tells that something must be made again: hashes of what it is made from, code included."""

import hashlib
import json
from functools import cache
from pathlib import Path


def fingerprint(*parts: object) -> str:
    """Hash (sha256) of plain data."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


@cache
def code_fingerprint() -> str:
    """Hash of the source of ``pipelines``, texts included: a change of code recomputes what it made."""
    root = Path(__file__).resolve().parents[1]
    files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".yml"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def report_version(declarations: str, reception: str) -> str:
    """Return the data version of a report: hash of its reception's, the network's declarations and the code."""
    return fingerprint(reception, declarations, code_fingerprint())


def results_version(declarations: str, report: str) -> str:
    """Return the data version of results: hash of their report's, the network's declarations and the code."""
    return fingerprint(report, declarations, code_fingerprint())
