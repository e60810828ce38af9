"""What is told of one published row, as plain data with stable French keys: from the value back to file and lines.

Of a hidden row nothing is told that depends on its rows: no figure, no count, no line, no correction, no comparison.
Of one that keeps the figure of an earlier release, nothing of today's rows: beside that figure, they would tell the few
people who moved it.
"""

from __future__ import annotations

import datetime
import hashlib
import math
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines.compile.exports import label_of
from pipelines.declarations.indicator import MinimumBase
from pipelines.declarations.statuses import REASONS, Status
from pipelines.declarations.yaml_source import Document, parse
from pipelines.disclosure.rules import DEFAULT_MINIMUM_BASE, SECRET
from pipelines.explain.accepted_rows import ObservedLines
from pipelines.explain.published_row import FIGURES, Row, as_published, is_hidden, kept_from, key_of, present

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from pipelines.declarations import Export, Indicator
    from pipelines.explain.explainer import Explainer, Traced

LISTED = 50  # line numbers told one by one; beyond, how many, the first and the last
MASKED = "(valeur masquée)"
_WHAT = (
    "reseau", "indicateur", "annee", "periode", "frequence", "maille", "territoire_code", "territoire",
    "structure_code", "structure", "unite", "statut_observation", "version_conservee", "statut_confidentialite",
    "motif_absence", "date_reference", "date_extraction", "nature_donnees",
)  # fmt: skip
_TOO_FEW = (SECRET, "base-insuffisante")  # reasons of a value that was computed, on too small a base
_NO_COMPARISON = "la valeur est secrète : le recalcul n'est ni montré ni comparé"
_KEPT = (
    "la valeur est provisoire, gardée de la version {0} (sa révision dirait trop de quelques répondants) : l'expliquer "
    "par --release {0} ; le recalcul d'aujourd'hui n'est ni montré ni comparé"
)
_STALE = "les déclarations ont changé depuis le calcul : le recalcul suit celles d'aujourd'hui"
_SYNTHETIC = "données synthétiques, inventées pour la démonstration"


def explanation(explainer: Explainer, row: Row, schemas: Path) -> dict[str, Any]:
    """Explain a row of the release. ``schemas`` is the folder of the declarations, for their lines and hashes.

    ``recalcul.accord`` is true, false, or null when the row is hidden (false too if its sources were altered).
    """
    network, year = row["reseau"], int(row["annee"])
    traced = explainer.trace(network, year, row["indicateur"])
    hidden = is_hidden(row)
    shown = _rows_shown(traced, row)
    touched = _corrections(traced, shown)
    return {
        "resultat": {
            **{name: _plain(row[name]) for name in _WHAT},
            **{name: None if hidden else _plain(row[name]) for name in FIGURES},
        },
        "estimateur": _estimator(traced, row),
        "absence": None if present(row["valeur"]) and not hidden else _absence(explainer, traced, row, hidden),
        "sources": [_source(traced, name, shown, hidden) for name in traced.feed.export],
        "hors_de_la_base": _outside(traced, row, shown),
        "corrections": touched,
        "declarations": _declarations(traced, row, schemas, [correction["declaration"] for correction in touched]),
        "publication": {
            "jeu_de_donnees": explainer.release.dataset,
            "version": explainer.release.version,
            "premiere_parution": _plain(row["version_publication"]),
            "fichiers": [{"fichier": name, "sha256": digest} for name, digest in explainer.release.files.items()],
            "intacte": not explainer.release.faults,
        },
        "recalcul": _check(explainer, traced, row, hidden),
    }


def _rows_shown(traced: Traced, row: Row) -> pd.DataFrame | None:
    """Return the rows that count in a unit, unless their number would tell a base that is not published."""
    line = traced.line(row)
    if is_hidden(row) or kept_from(row) or traced.lines is None or line is None:
        return None
    too_few = not present(row["valeur"]) and line["motif"] in (None, *_TOO_FEW)
    return None if too_few and not present(row["effectif"]) else traced.lines.counting(key_of(row))


def _estimator(traced: Traced, row: Row) -> dict[str, Any]:
    indicator, year = traced.indicator, int(row["annee"])
    estimator, minimum = indicator.estimator, _minimum_of(indicator, traced.exports[0])
    return {
        "nom": estimator.name,
        "titre": estimator.card.title,
        "definition": estimator.card.definition,
        "titre_indicateur": indicator.title,
        "parametres": {
            name: _plain(value)
            for name, value in estimator.model_dump(mode="json").items()
            if name != "name" and value not in (None, [])
        },
        "entrees": [
            {"entree": name, "colonne": field, "en_tetes": _labels(traced, field, year)}
            for name, field in traced.feed.inputs.items()
        ],
        "lignes_retenues": {name: list(values) for name, values in traced.feed.where.items()},
        "poids": sorted({export.weight for export in traced.exports if export.weight}),
        "calage": [
            {"colonne": margin.field, "source": margin.source, "date": margin.date.isoformat()}
            for export in traced.exports
            if (margins := export.calibration_of(year))
            for margin in margins.margins
        ],
        "effectif_minimal": minimum and {"effectif": minimum.answers, "pourquoi": minimum.why},
        "mode_obtention": _plain(row["mode_obtention"]),
    }


def _minimum_of(indicator: Indicator, export: Export) -> MinimumBase | None:
    """Return the minimum base that holds for an indicator fed by ``export``."""
    if indicator.enterprises or indicator.minimum_base or export.kind != "survey":
        return None if indicator.enterprises else indicator.minimum_base
    why = "règle générale des enquêtes auprès de personnes"
    return MinimumBase(answers=DEFAULT_MINIMUM_BASE, reason=SECRET, why=why)


def _labels(traced: Traced, name: str, year: int) -> list[str]:
    labels = [
        label_of(field, layout)
        for export in traced.exports
        if (field := export.field(name)) and (layout := export.layout(year))
    ]
    return list(dict.fromkeys(labels))


def _source(traced: Traced, name: str, rows: pd.DataFrame | None, hidden: bool) -> dict[str, Any]:
    """Tell the files of an export, and the lines of each that count; of a hidden row, no lines."""
    state = traced.kept.known.of_export(name)
    received = traced.kept.known.reception.exports if traced.kept.known.reception else {}
    export = next(export for export in traced.exports if export.id == name)
    return {
        "export": name,
        "titre": export.title,
        "etat": state.status.value,
        "explication": "" if hidden else state.explanation,
        "fichiers": [
            {"fichier": file.path, "sha256": file.sha256, "lignes": _lines(rows, name, file.path)}
            for file in received.get(name, ())
        ],
    }


def _lines(rows: pd.DataFrame | None, export: str, path: str) -> dict[str, Any] | None:
    if rows is None:
        return None
    numbers = sorted(int(n) for n in rows.loc[(rows["_export"] == export) & (rows["_fichier"] == path), "_ligne"])
    summary: dict[str, Any] = {"nombre": len(numbers)}
    if numbers:
        summary |= {"premiere": numbers[0], "derniere": numbers[-1]}
    if len(numbers) <= LISTED:
        summary["numeros"] = numbers
    return summary


def _outside(traced: Traced, row: Row, rows: pd.DataFrame | None) -> list[dict[str, Any]] | None:
    """Tell the accepted rows of the unit that are in no base, by reason; None of a row of which no line is told."""
    if rows is None or not isinstance(traced.lines, ObservedLines):
        return None
    counts = traced.lines.outside(key_of(row))
    return [
        {"raison": name, "libelle": words, "nombre": counts[name]} for name, words in REASONS.items() if name in counts
    ]


def _corrections(traced: Traced, rows: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Tell the declared corrections that changed a line that counts."""
    if rows is None:
        return []
    counted = set(zip(rows["_export"], rows["_fichier"], rows["_ligne"], strict=True))
    changes = []
    for name, evidence in traced.evidence.items():
        export = next(export for export in traced.exports if export.id == name)
        for applied in evidence.corrected:
            touched = {
                path: counting
                for path, numbers in applied.lines.items()
                if (counting := [number for number in numbers if (name, path, number) in counted])
            }
            if not touched:
                continue
            correction, field = applied.correction, export.field(applied.correction.field)
            personal = bool(field and field.personal)
            changes.append(
                {
                    "declaration": correction.place,
                    "colonne": correction.field,
                    "valeur_attendue": MASKED if personal else correction.expected,
                    "valeur_corrigee": MASKED if personal else correction.value,
                    "raison": correction.reason,
                    "date": correction.date.isoformat(),
                    "lignes": [{"fichier": path, "numeros": numbers} for path, numbers in touched.items()],
                }
            )
    return changes


def _absence(explainer: Explainer, traced: Traced, row: Row, hidden: bool) -> dict[str, Any]:
    label = row["motif_absence"]
    reasons = explainer.catalogue.reasons.values()
    details = _hidden_details(traced) if hidden else _details(traced, row)
    definition = next((reason.description for reason in reasons if reason.label == label), "")
    return {"motif": _plain(label), "definition": definition, "details": details}


def _hidden_details(traced: Traced) -> list[str]:
    """Tell the rule, and that it may be hidden for another one: which of both is nobody's business."""
    enterprises = traced.indicator.enterprises
    if enterprises is not None:
        return [
            f"Règle : aucune valeur faite par moins de {enterprises.units} entreprises, ni dont une seule fait plus de "
            f"{100 * enterprises.dominance:g} % ; {enterprises.why}.",
            _BESIDE,
        ]
    minimum = _minimum_of(traced.indicator, traced.exports[0])
    return [f"Règle : aucune valeur sous {minimum.answers} ; {minimum.why}.", _BESIDE] if minimum else [_BESIDE]


_BESIDE = "La règle la cache, ou bien une valeur qu'elle cache pourrait en être déduite ; rien ne dit lequel des deux."


def _details(traced: Traced, row: Row) -> list[str]:
    """Say what is behind an absence: the state of exports, what failed, what is missing, or too small a base."""
    if version := kept_from(row):
        return [f"Gardée de la version {version}."]
    if traced.reason is not None:
        states = [(name, traced.kept.known.of_export(name)) for name in traced.feed.export]
        states_told = [
            f"Export « {name} » : {state.status}. {state.explanation}".strip()
            for name, state in states
            if state.status != Status.ACCEPTED
        ]
        failure = traced.kept.known.failures.get(row["indicateur"])
        return [*states_told, *([f"Calcul impossible : {failure}"] if failure else [])]
    line = traced.line(row)
    if line is None or traced.lines is None:
        return ["Aucune ligne acceptée ne porte sur cet indicateur."]
    if line["motif"] == "donnees-incompletes":
        return [f"Manque {part}" for part in traced.lines.missing(key_of(row))]
    minimum = _minimum_of(traced.indicator, traced.exports[0])
    if line["motif"] in (None, *_TOO_FEW) and minimum:
        return [f"Règle : aucune valeur sous {minimum.answers} ; {minimum.why}."]
    return ["Aucune ligne acceptée n'entre dans la base."] if line["effectif"] == 0 else []


def _declarations(traced: Traced, row: Row, schemas: Path, corrections: list[str]) -> list[dict[str, Any]]:
    """Tell where the row is declared: file, its sha256, and line."""
    network = row["reseau"]
    places = [_declared(schemas, f"indicators/{row['indicateur']}.yml", ("networks", network), "indicateur")]
    for export in traced.exports:
        place = f"networks/{network}.yml"
        places.append(_declared(schemas, place, ("exports", export.id), f"export {export.id}"))
    for place in corrections:
        file, _, line = place.rpartition(":")
        places.append({**_declared(schemas, file, (), "correction"), "ligne": int(line)})
    return places


def _declared(schemas: Path, file: str, path: tuple[str, ...], what: str) -> dict[str, Any]:
    content = (schemas / file).read_bytes()
    document = _parsed(content)
    at: tuple[str | int, ...] = path
    if path[:1] == ("exports",):
        at = ("exports", next(i for i, export in enumerate(document.data["exports"]) if export["id"] == path[1]))
    return {"objet": what, "fichier": file, "sha256": hashlib.sha256(content).hexdigest(), "ligne": document.line(at)}


@cache
def _parsed(content: bytes) -> Document:
    return parse(content.decode("utf-8"))


def _check(explainer: Explainer, traced: Traced, row: Row, hidden: bool) -> dict[str, Any]:
    disagreements, line = explainer.disagreements(row), traced.line(row)
    warnings = [_SYNTHETIC] if row["nature_donnees"] == "synthétiques" else []
    warnings += traced.kept.since
    results = traced.kept.known.results
    if results and results.declarations not in ("", explainer.catalogue.fingerprint(row["reseau"])):
        warnings.append(_STALE)
    version = kept_from(row)
    figures = {} if hidden or version or line is None else as_published(row, line, traced.indicator)
    method = (
        "état des exports à la réception et au contrôle"
        if traced.reason
        else ("lignes acceptées relues dans le fichier archivé, recalculé avec les estimateurs du traitement")
    )
    return {
        "methode": _NO_COMPARISON if hidden else _KEPT.format(version) if version else method,
        "valeurs": {name: _plain(value) for name, value in figures.items()},
        "accord": None if disagreements is None else not disagreements,
        "desaccords": disagreements or [],
        "avertissements": warnings,
    }


def _plain(value: Any) -> Any:
    """Return a published value as JSON holds it."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return None if math.isnan(value) else int(value) if value.is_integer() and abs(value) < 1e15 else value
    return value
