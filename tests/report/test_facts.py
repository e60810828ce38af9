"""What is known of a network-year, from what its stages left, and its lines of French for a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.declarations.statuses import Status
from pipelines.flow.state import ExportVerdict, LeftFile, NetworkYear, Reception, YearVerdict
from pipelines.flow.store import Store
from pipelines.read import Received
from pipelines.report.facts import missing, refusals, to_check
from pipelines.report.network_lines import network_lines

FILE = Received("avis.csv", "a" * 64, 10, "nouveau")
STORE = Store(Path("sortie"))


def received(**more: Any) -> Reception:
    return Reception(**{"fingerprint": "a", "exports": {"avis": (FILE,)}, **more})


def known(
    verdict: ExportVerdict | None = None, year: int = 2024, judged: str = "a", reception: Reception | None = None,
    findings: tuple[dict[str, Any], ...] = (),
) -> NetworkYear:  # fmt: skip
    """What is known of a network-year after a verdict on the reception ``judged``."""
    given = YearVerdict(
        fingerprint="v", reception=judged, exports={"avis": verdict} if verdict else {}, findings=findings
    )
    return NetworkYear(network="caf", year=year, reception=reception or received(), verdict=given)


def verdict(status: Status = Status.ACCEPTED, accepted: int = 0, refused: int = 0, why: str = "") -> ExportVerdict:
    return ExportVerdict(
        status=status, reason=None, explanation=why, read=accepted + refused, accepted=accepted, refused=refused,
        files=(),
    )  # fmt: skip


def anomaly(rule: str, severity: str, message: str, column: str | None, rows: int) -> dict[str, Any]:
    return {"export": "avis", "fichier": "avis.csv", "regle": rule, "severite": severity, "message": message,
            "colonne": column, "nombre": rows, "premiere_ligne": 2, "derniere_ligne": 9}  # fmt: skip


def test_codes_among_notes_and_amounts_are_to_be_checked():
    anomalies = (
        anomaly("hors-echelle", "avertissement", "La note n'est pas sur l'échelle.", "Note", 20),
        anomaly("type-error", "erreur", "La valeur n'a pas le type attendu.", "Jour", 1),
        anomaly("code-suspect", "avertissement", "La valeur ressemble à un code d'absence.", None, 1),
    )
    assert list(to_check(known(findings=anomalies))) == [
        "avis : La note n'est pas sur l'échelle. (colonne « Note ») 20 lignes",
        "avis : La valeur ressemble à un code d'absence. 1 ligne",
    ]
    assert list(to_check(known(findings=anomalies, judged="b"))) == []


@pytest.mark.parametrize(
    ("accepted", "refused", "told"),
    [
        (1, 0, "1 ligne acceptée"),
        (1200, 1, "1\u202f200 lignes acceptées, 1 refusée"),
        (2, 1000, "2 lignes acceptées, 1\u202f000 refusées"),
    ],
)
def test_rows_are_counted_in_french(accepted, refused, told):
    lines, count = network_lines(STORE, [known(verdict(accepted=accepted, refused=refused))])
    assert (lines[0], count) == (f"  2024  avis : {told}", refused)


def test_why_rows_were_refused_and_which_is_told_below():
    anomalies = (
        anomaly("type-error", "erreur", "La valeur n'a pas le type attendu.", "Jour", 3),
        anomaly("constraint-error", "erreur", "La valeur manque.", None, 1),
    )
    lines, _ = network_lines(STORE, [known(verdict(accepted=5, refused=4), findings=anomalies)])
    assert lines[1:3] == [
        "          - La valeur n'a pas le type attendu. (colonne « Jour ») 3 lignes, de la 2 à la 9",
        "          - La valeur manque. ligne 2",
    ]


def test_a_verdict_on_other_files_is_none():
    """What was received since has no verdict yet: neither accepted nor refused, and not the network's affair."""
    old = known(verdict(Status.REFUSED, why="80 lignes fausses"), judged="b")
    assert (old.judged, old.current, refusals(STORE, [old])) == (False, {}, [])
    assert network_lines(STORE, [old]) == (
        ["  2024  avis : ERREUR DE TRAITEMENT. Les fichiers reçus n'ont pas pu être contrôlés ; le réseau n'a rien à "
         "faire."],
        0,
    )  # fmt: skip


def test_one_content_refused_for_several_years_is_one_refusal():
    refused = verdict(Status.REFUSED, why="80 lignes fausses")
    years = [known(refused, year) for year in (2022, 2023, 2024)]
    other = known(refused, 2025, reception=received(exports={"avis": (Received("avis.csv", "b" * 64, 10, "nouveau"),)}))
    assert [item.years for item in refusals(STORE, [*years, other])] == [(2022, 2023, 2024), (2025,)]


def test_what_nobody_could_look_for_is_not_missing():
    absent = {"avis": ()}
    arriving = (LeftFile(export="avis", path="avis.csv", why="change encore"),)
    never = NetworkYear(network="caf", year=2024)
    looked = NetworkYear(network="caf", year=2024, reception=received(exports=absent))
    assert missing(looked) == ["avis"]
    assert missing(looked.model_copy(update={"reception_failed": True})) == []
    assert missing(looked.model_copy(update={"reception": received(exports=absent, left=arriving)})) == []
    assert missing(never) == []
