"""What is known of a network-year, from what its stages left, and its lines of French for a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.declarations.status import Status
from pipelines.flow.state import ExportVerdict, Reception, YearVerdict
from pipelines.flow.store import Store
from pipelines.read import Received
from pipelines.report.facts import NetworkYearFacts, network_year, refusals
from pipelines.report.terminal import network_lines

FILE = Received("avis.csv", "a" * 64, 12, "nouveau")


def left(folder, verdict: dict[str, Any] | None, year: int = 2024, **reception: Any) -> NetworkYearFacts:
    """What is known of a network-year whose stages left this."""
    store = Store(folder)
    store.write("caf", year, Reception(**{"fingerprint": "a", "exports": {"avis": (FILE,)}, **reception}))
    if verdict is not None:
        given = {"fingerprint": "v", "reception": "a", "exports": {}, **verdict}
        store.write("caf", year, YearVerdict(**given))
    return network_year(store, "caf", year)


def receipt(
    status: Status = Status.ACCEPTED, accepted: int = 0, refused: int = 0, explanation: str = ""
) -> ExportVerdict:
    return ExportVerdict(status=status, reason=None, explanation=explanation, read=accepted + refused,
                         accepted=accepted, refused=refused, without_observation=0, files=())  # fmt: skip


def anomaly(rule: str, severity: str, message: str, column: str | None, rows: int) -> dict[str, Any]:
    return {"export": "avis", "fichier": "avis.csv", "regle": rule, "severite": severity, "message": message,
            "colonne": column, "nombre": rows, "premiere_ligne": 2, "derniere_ligne": 9}  # fmt: skip


def test_codes_among_notes_and_amounts_are_to_be_checked(tmp_path):
    anomalies = [
        anomaly("hors-echelle", "avertissement", "La note n'est pas sur l'échelle.", "Note", 20),
        anomaly("type-error", "erreur", "La valeur n'a pas le type attendu.", "Jour", 1),
        anomaly("code-suspect", "avertissement", "La valeur ressemble à un code d'absence.", None, 1),
    ]
    assert left(tmp_path, {"findings": anomalies}).to_check == (
        "avis : La note n'est pas sur l'échelle. (colonne « Note ») 20 lignes",
        "avis : La valeur ressemble à un code d'absence. 1 ligne",
    )
    assert left(tmp_path, {"reception": "b", "findings": anomalies}).to_check == ()


@pytest.mark.parametrize(
    ("accepted", "refused", "told"),
    [
        (1, 0, "1 ligne acceptée"),
        (1200, 1, "1\u202f200 lignes acceptées, 1 écartée"),
        (2, 1000, "2 lignes acceptées, 1\u202f000 écartées"),
    ],
)
def test_rows_are_counted_in_french(tmp_path, accepted, refused, told):
    known = left(tmp_path, {"exports": {"avis": receipt(accepted=accepted, refused=refused)}})
    lines, count = network_lines([known])
    assert (lines[0], count) == (f"  2024  avis : {told}", refused)


def test_why_rows_were_refused_and_which_is_told_below(tmp_path):
    anomalies = [
        anomaly("type-error", "erreur", "La valeur n'a pas le type attendu.", "Jour", 3),
        anomaly("constraint-error", "erreur", "La valeur manque.", None, 1),
    ]
    known = left(tmp_path, {"exports": {"avis": receipt(accepted=5, refused=4)}, "findings": anomalies})
    assert network_lines([known])[0][1:3] == [
        "          - La valeur n'a pas le type attendu. (colonne « Jour ») 3 lignes, de la 2 à la 9",
        "          - La valeur manque. ligne 2",
    ]


def test_a_verdict_on_other_files_is_none(tmp_path):
    """What was received since has no verdict yet: neither accepted nor refused, and not the network's affair."""
    known = left(
        tmp_path, {"reception": "b", "exports": {"avis": receipt(Status.REFUSED, explanation="80 lignes fausses")}}
    )
    assert (known.judged, known.accepted, known.exports[0].state) == (False, False, None)
    assert refusals([known]) == []
    assert network_lines([known]) == (
        ["  2024  avis : ERREUR DE TRAITEMENT. Les fichiers reçus n'ont pas pu être contrôlés ; le réseau n'a rien à "
         "faire."],
        0,
    )  # fmt: skip


def test_one_content_refused_for_several_years_is_one_refusal(tmp_path):
    refused = {"exports": {"avis": receipt(Status.REFUSED, explanation="80 lignes fausses")}}
    years = [left(tmp_path, refused, year) for year in (2022, 2023, 2024)]
    other = left(tmp_path, refused, 2025, exports={"avis": (replace(FILE, sha256="b" * 64),)})
    assert [item.years for item in refusals([*years, other])] == [(2022, 2023, 2024), (2025,)]


def test_what_nobody_could_look_for_is_not_missing(tmp_path):
    nothing = {"exports": {"avis": []}}
    assert left(tmp_path, None, **nothing).missing == ["avis"]
    assert left(tmp_path, None, **nothing, failed=True).missing is None
    arriving = [{"export": "avis", "path": "avis.csv", "why": "change encore"}]
    assert left(tmp_path, None, **nothing, left=arriving).missing == []
    assert network_year(Store(tmp_path), "caf", 1999).missing is None
