"""``make audit``: the locked libraries against published advisories, by pip-audit. Says so when nobody can be asked.

Exit code: 0 nothing known, or no source of advisories can be reached from here (told on the error stream), 1 something
is known of a locked version, or pip-audit itself failed. With AUDIT_REQUIRED=1, an audit that can't be made fails too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TOOL = "pip-audit==2.10.1"


def main() -> int:
    """Audit, and tell."""
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run(
        [
            str(uv), "tool", "run", "--from", TOOL, "pip-audit", "--requirement", str(PROJECT / "requirements.lock"),
            "--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off", "--timeout=15",
        ],
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return _unable(done.stderr.strip().splitlines()[-1:] or ["pip-audit did not answer"])
    known = [item for item in found if item.get("vulns")]
    skipped = [item["name"] for item in found if "skip_reason" in item]
    for item in known:
        for advisory in item["vulns"]:
            fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
            print(f"{item['name']} {item['version']} : {advisory['id']}, mended in {fixed}")
    if known:
        return 1
    if len(skipped) == len(found):
        return _unable(["the package index serves no advisory"])
    told = f", {len(skipped)} unknown to the index: {', '.join(skipped)}" if skipped else ""
    print(f"audit: nothing known against {len(found) - len(skipped)} libraries{told}")
    return 0


def _unable(why: list[str]) -> int:
    print(f"audit SKIPPED, nothing was checked: {why[0]}", file=sys.stderr)
    return int(os.environ.get("AUDIT_REQUIRED") == "1")


if __name__ == "__main__":
    sys.exit(main())
