"""The rehearsal with csv-detective installed, as those who take the extra `preview` have it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e

REHEARSED = """
import json, sys
from pathlib import Path
from pipelines.targets.udata.rehearsal import detected_types, rehearse
path = Path(sys.argv[1])
gates = rehearse([path])
told = [detail for gate in gates for detail in gate.details]
print(json.dumps({"types": detected_types(path), "passed": all(gate.passed for gate in gates), "told": told}))
"""


def test_columns_are_typed_as_the_crawler_does(tmp_path: Path, with_detector: Callable[[str, str], Any]) -> None:
    rows = (f"{n:02d},{n}.5,2024-01-{n:02d},{n % 2},{10 + n}\n" for n in range(1, 29))
    path = tmp_path / "essai.csv"
    path.write_text("mois,valeur,jour,atteint,rang\n" + "".join(rows), encoding="utf-8")
    found = with_detector(REHEARSED, str(path))
    assert found["passed"]
    assert found["types"] == {
        "mois": "string", "valeur": "float", "jour": "date", "atteint": "bool", "rang": "int",
    }  # fmt: skip
    assert "colonnes à deux valeurs lues comme vrai ou faux, essai.csv (atteint)" in found["told"]


def test_what_it_cannot_read_has_no_preview(tmp_path: Path, with_detector: Callable[[str, str], Any]) -> None:
    path = tmp_path / "essai.csv"
    path.write_text("a\n1\n", encoding="utf-8")
    found = with_detector(REHEARSED.replace("gates =", "import csv_detective; del csv_detective.routine; gates =")
                          .replace('detected_types(path)', "None"), str(path))  # fmt: skip
    assert not found["passed"]
    assert "csv-detective ne le lit pas" in found["told"][0]
