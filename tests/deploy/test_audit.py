"""The audit of libraries: an advisory is told with what mends it; what could not be judged is never taken for safe."""

from __future__ import annotations

import runpy

from front import PROJECT

audit = runpy.run_path(str(PROJECT / ".ci" / "audit.py"))
ADVISORY = {"id": "PYSEC-1", "fix_versions": ["3.1.3", "4.0"], "aliases": [], "description": ""}


def test_what_is_known_and_what_is_not():
    found = [
        {"name": "a", "version": "1.0", "vulns": [ADVISORY, {**ADVISORY, "id": "PYSEC-2", "fix_versions": []}]},
        {"name": "b", "version": "2.0", "vulns": []},
        {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (1.0)"},
    ]
    told = ["a 1.0: PYSEC-1, mended in 3.1.3, 4.0", "a 1.0: PYSEC-2, mended in nothing yet"]
    assert audit["judge"](found) == (told, ["c"])


def test_an_audit_that_asked_nobody_is_no_success(monkeypatch, capsys):
    skipped = [{"name": "jinja2", "skip_reason": "not found"}]
    monkeypatch.setitem(audit["main"].__globals__, "ask", lambda _: skipped)
    monkeypatch.delenv("AUDIT_REQUIRED", raising=False)
    assert audit["main"]() == 0
    assert "SKIPPED" in capsys.readouterr().err
    monkeypatch.setenv("AUDIT_REQUIRED", "1")
    assert audit["main"]() == 1
