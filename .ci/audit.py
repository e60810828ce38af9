"""``make audit``: the locked libraries against published advisories, by pip-audit. Says so when nobody can be asked.

It first asks about an old version that is known to be wrong: an index that finds nothing against it serves no advisory,
and a silence about ours would mean nothing. Exit code: 0 nothing known, or no source of advisories can be reached from
here (told on the error stream; 1 with AUDIT_REQUIRED=1), 1 something is known of a locked version.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
TOOL = "pip-audit==2.10.1"
KNOWN_WRONG = "jinja2==3.1.2"  # CVE-2024-22195 and others


def ask(requirements: Path) -> list[dict[str, Any]]:
    """Return what pip-audit says of each requirement; an empty list when it can't be asked."""
    options = ["--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off", "--timeout=15"]
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run(
        [str(uv), "tool", "run", "--from", TOOL, "pip-audit", "--requirement", str(requirements), *options],
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return []
    return found


def judge(found: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Return a line for each advisory, and the names of the libraries that could not be judged."""
    lines = [
        f"{item['name']} {item['version']}: {advisory['id']}, "
        f"mended in {', '.join(advisory['fix_versions']) or 'nothing yet'}"
        for item in found
        for advisory in item.get("vulns", ())
    ]
    return lines, [item["name"] for item in found if "vulns" not in item]


def main() -> int:
    """Audit, and tell."""
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "requirements.txt"
        probe.write_text(f"{KNOWN_WRONG}\n", encoding="utf-8")
        if not judge(ask(probe))[0]:
            print("audit SKIPPED, nothing was checked: no source of advisories is reached from here", file=sys.stderr)
            return int(os.environ.get("AUDIT_REQUIRED") == "1")
    found = ask(PROJECT / "requirements.lock")
    lines, unknown = judge(found)
    print("\n".join(lines) or f"audit: nothing known against {len(found) - len(unknown)} libraries")
    if unknown:
        print(f"not judged: {', '.join(unknown)}", file=sys.stderr)
    return int(bool(lines) or not found)


if __name__ == "__main__":
    sys.exit(main())
