"""How much stands behind the figures: files received, response rates, quality of each network-year, what is kept.

The quality score is made of the criteria of ``references/qualite.yml``, each of which is published with what it counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pipelines.declarations import Catalogue, Export, Network
from pipelines.declarations.indicator import PlausibleChange
from pipelines.declarations.statuses import KeptYear, Status
from pipelines.disclosure.revised import KEPT_FROM
from pipelines.disclosure.rules import rules
from pipelines.disclosure.surveys import FREE
from pipelines.mechanics.french import decimal, first_few
from pipelines.tables.national_inputs import ROW_COUNTS, NationalInputs, Receipts

_PERSONS = "de moins de {0} réponses", "quand elle en changera {0} ou plus partout où elle change, "
_ENTERPRISES = "des montants sans qu'on sache combien d'entreprises les font", ""
_NAMED = 4  # indicators named in the sentence; the record has them all


def kept_figures(catalogue: Catalogue, results: pd.DataFrame) -> Iterator[KeptYear]:
    """Give what the table ``resultats`` keeps of earlier releases, by network, year and release."""
    kept_rows = results[results[KEPT_FROM].notna()]
    for place, rows in kept_rows.groupby(["reseau", "annee", KEPT_FROM]):
        network, year, version = str(place[0]), int(str(place[1])), str(place[2])
        names = tuple(sorted(rows["indicateur"].unique()))
        yield KeptYear(network, year, _why(catalogue, network, names, version), names, version)


def _why(catalogue: Catalogue, network: str, names: tuple[str, ...], version: str) -> str:
    ruled = rules(catalogue, network)
    fewest = max(ruled[network, name].minimum for name in names)
    moved, until = (text.format(fewest) for text in (_PERSONS if fewest else _ENTERPRISES))
    titles = first_few([catalogue.indicators[name].title for name in names], _NAMED)
    return (
        f"chiffres conservés de la version {version} ({titles}) : la révision change {moved} ; ils seront révisés "
        f"{until}à la clôture de l'année ou quand l'équipe l'accepte"
    )


def receipts_table(catalogue: Catalogue, inputs: NationalInputs) -> pd.DataFrame:
    """Return one line per file owed: received or not and why, rows refused, response rate where it is known."""
    receipts = Receipts(inputs)
    return pd.DataFrame(
        [
            _receipt(catalogue, network, declared, year, export, receipts)
            for network, declared in catalogue.networks.items()
            for year in declared.years
            for export in declared.exports
            if export.layout(year)
        ]
    )


def _receipt(
    catalogue: Catalogue, network: str, declared: Network, year: int, export: Export, receipts: Receipts
) -> dict[str, object]:
    receipt, rows = receipts.one(network, year, export.id), receipts.rows(network, year, [export.id])
    read, accepted, refused = (rows[name] for name in ROW_COUNTS)
    layout, solicited, reason = export.layout(year), export.solicited.get(year), receipt.get("motif")
    return {
        "reseau": network,
        "annee": year,
        "export": export.id,
        "titre": export.title,
        "nature": _KINDS[export.kind],
        "etat": receipt["etat"],
        "motif_absence": catalogue.reasons[reason].label if isinstance(reason, str) else None,
        **rows,
        "taux_refus": _percent(refused, read),
        "sollicites": solicited,
        # RR1 of AAPOR's Standard Definitions: complete answers over everybody who was asked
        "taux_reponse": _percent(accepted, solicited) if receipt["etat"] == Status.ACCEPTED else None,
        "echeance": declared.due_on(year),
        "date_extraction": layout.extracted if layout else None,
    }


_KINDS = {"survey": "enquête", "operations": "activité", "values": "valeurs"}


def _percent(part: int | None, whole: int | None) -> float | None:
    return round(100 * part / whole, 1) if part is not None and whole else None


def quality_table(catalogue: Catalogue, receipts: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """Return one line per network and year owed: what each criterion counts, its mark of 100, and their mean.

    ``receipts``: as ``receipts_table`` makes it. ``results``: the published rows, of which the yearly ones count.
    """
    values = _value_counts(catalogue, results[results["frequence"] == "annuelle"])
    files = dict(list(receipts.groupby(["reseau", "annee"])))
    reasons: dict[tuple[str, int], list[str]] = {}
    for kept_year in kept_figures(catalogue, results):
        reasons.setdefault((kept_year.network, kept_year.year), []).append(kept_year.why)
    lines = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            counts = {
                **_file_counts(files.get((network, year), receipts.iloc[:0])),
                **values.get((network, year), dict.fromkeys(_VALUES, 0)),
            }
            marks = {name: _percent(counts[part], counts[whole]) for name, (part, whole) in _CRITERIA.items()}
            lines.append(
                {
                    "reseau": network,
                    "annee": year,
                    "note": _score(catalogue, marks),
                    **marks,
                    **counts,
                    "chiffres_conserves": " ; ".join(reasons.get((network, year), [])) or None,
                }
            )
    return pd.DataFrame(lines)


_CRITERIA = {
    "completude": ("exports_acceptes", "exports_dus"),
    "validite": ("lignes_acceptees", "lignes_lues"),
    "couverture": ("valeurs_publiees", "valeurs_attendues"),
    "ponctualite": ("exports_a_temps", "exports_avec_echeance"),
    "precision": ("valeurs_precises", "valeurs_avec_intervalle"),
}


def _file_counts(files: pd.DataFrame) -> dict[str, int | None]:
    due = files[files["echeance"].notna()]
    accepted = due[(due["etat"] == Status.ACCEPTED) & due["date_extraction"].notna()]
    return {
        "exports_dus": len(files),
        "exports_acceptes": int((files["etat"] == Status.ACCEPTED).sum()),
        **{name: int(numbers.sum()) if len(numbers := files[name].dropna()) else None for name in ROW_COUNTS[:2]},
        "exports_avec_echeance": len(due),
        "exports_a_temps": int((accepted["date_extraction"] <= accepted["echeance"]).sum()),
    }


_VALUES = ("valeurs_publiees", "valeurs_attendues", "valeurs_avec_intervalle", "valeurs_precises")


def _value_counts(catalogue: Catalogue, rows: pd.DataFrame) -> dict[tuple[str, int], dict[str, int]]:
    """Count the yearly values of each network and year: those that secrecy or their meaning forbids aren't expected."""
    published = rows["valeur"].notna()
    forbidden = rows["statut_confidentialite"].ne(FREE) | (rows["statut_observation"] == "M")
    half = (rows["borne_haute"].astype("float64") - rows["borne_basse"].astype("float64")) / 2
    criterion = catalogue.quality.get("precision")
    share = (criterion.threshold if criterion else None) or 0.0  # of the range: the widest half that is precise
    widest = {
        key: share * (indicator.range[1] - indicator.range[0])
        for key, indicator in catalogue.indicators.items()
        if indicator.range
    }
    limits = rows["indicateur"].map(widest).astype("float64").where(published & half.notna())
    flags = published, published | ~forbidden, limits.notna(), half <= limits * (1 + 1e-9)
    place = ["reseau", "annee"]
    counted = rows[place].assign(**dict(zip(_VALUES, flags, strict=True))).groupby(place)[list(_VALUES)].sum()
    return dict(zip(counted.index, counted.to_dict("records"), strict=True))


def _score(catalogue: Catalogue, marks: dict[str, float | None]) -> float | None:
    weights = {name: criterion.weight for name, criterion in catalogue.quality.items() if marks[name] is not None}
    total = sum(weights.values())
    return round(sum(weight * (marks[name] or 0.0) for name, weight in weights.items()) / total, 1) if total else None


def criteria_table(catalogue: Catalogue) -> pd.DataFrame:
    """Return the declared criteria of the quality score."""
    return pd.DataFrame(
        [
            (name, criterion.title, criterion.definition, criterion.weight, criterion.threshold, criterion.why)
            for name, criterion in catalogue.quality.items()
        ],
        columns=["critere", "titre", "definition", "poids", "seuil", "raison"],
    )


def unusual_changes(catalogue: Catalogue, results: pd.DataFrame) -> pd.DataFrame:
    """Return the lines that ``anomalies`` adds: changes beyond the declared threshold, counted by network-year."""
    lines = []
    unusual = results[results["evolution_inhabituelle"].eq(True)]
    for key, rows in unusual.groupby(["reseau", "indicateur", "annee"]):
        network, identifier, year = str(key[0]), str(key[1]), int(str(key[2]))
        indicator = catalogue.indicators[identifier]
        name = indicator.networks[network].export[0]
        export = catalogue.networks[network].export(name)
        layout = export.layout(year) if export else None
        lines.append(
            {
                "reseau": network,
                "annee": year,
                "export": name,
                "fichier": layout.path.replace("{year}", str(year)) if layout else name,
                "regle": "evolution-inhabituelle",
                "colonne": identifier,
                "severite": "avertissement",
                "nombre": len(rows),
                "message": _told(indicator.plausible_change, rows) if indicator.plausible_change else None,
                "consequence": "aucune",
            }
        )
    return pd.DataFrame(lines)


def _told(rule: PlausibleChange, rows: pd.DataFrame) -> str:
    """Tell the largest of the jumps, as the threshold measures it, and why the threshold: « Gard, +18,2 % »."""
    change = rows["evolution"]
    if rule.relative:
        change = (100 * change / rows["valeur_precedente"].abs()).round(1)
    at = int(change.abs().argmax())
    row = rows.iloc[at]
    unit = "% de la valeur précédente" if rule.relative else row["unite"]
    place = row["structure"] if isinstance(row["structure"], str) else row["territoire"]
    jump = f"{'+' if change.iloc[at] > 0 else ''}{decimal(change.iloc[at], 4)}"
    return (
        f"Évolution en un an de plus de {rule.max:g} ({unit}), publiée mais à vérifier ; la plus forte : {place}, "
        f"{jump}. Raison du seuil : {rule.why}."
    )
