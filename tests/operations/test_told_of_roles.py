"""What the roles of columns tell without refusing a row is among what the data team is asked to look at."""

from __future__ import annotations

from typing import Any

from assets.summary import to_check

RECEPTION = {"fingerprint": "a"}


def anomaly(rule: str, severity: str, message: str, column: str | None, rows: int) -> dict[str, Any]:
    return {"export": "avis", "fichier": "avis.csv", "regle": rule, "severite": severity, "message": message,
            "colonne": column, "nombre": rows, "premiere_ligne": 2, "derniere_ligne": 9}  # fmt: skip


def test_codes_among_notes_and_amounts_are_to_be_checked():
    anomalies = [
        anomaly("hors-echelle", "avertissement", "La note n'est pas sur l'échelle.", "Note", 20),
        anomaly("type-error", "erreur", "La valeur n'a pas le type attendu.", "Jour", 1),
        anomaly("code-suspect", "avertissement", "La valeur ressemble à un code d'absence.", None, 1),
    ]
    assert to_check({"reception": "a", "anomalies": anomalies}, RECEPTION) == [
        "avis : La note n'est pas sur l'échelle. (colonne « Note ») 20 lignes",
        "avis : La valeur ressemble à un code d'absence. 1 ligne",
    ]
    assert to_check({"reception": "b", "anomalies": anomalies}, RECEPTION) == []
