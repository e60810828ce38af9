"""A dataset id and a maker of result rows, for the tests of this folder."""

from __future__ import annotations

from datetime import date

DATASET = "resultats-services-publics"


def result(code: str | None, value: float | None, **other: object) -> dict[str, object]:
    """One row of ``resultats``, for a département (or France when there is no code)."""
    return {
        "annee": 2024,
        "periode": "2024",
        "frequence": "annuelle",
        "reseau": "caf",
        "maille": "departement" if code else "national",
        "territoire_code": code or "FR",
        "territoire": f"Département {code}" if code else "France",
        "indicateur": "taux-de-decroche",
        "type_indicateur": "performance",
        "valeur": value,
        "unite": "%",
        "effectif": None if value is None else 40,
        "statut_observation": "A" if value is not None else "L",
        "statut_confidentialite": "F",
        "motif_absence": None if value is not None else "non transmis",
        "comparable": None,
        "mode_obtention": "rapport de sommes",
        "date_reference": date(2024, 12, 31),
        "nature_donnees": "réelles",
    } | other
