"""The tables that say how much stands behind the figures: coverage, anomalies, discrepancies, corrections, bases."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from pipelines.declarations import Catalogue
from pipelines.declarations.references import Geography
from pipelines.declarations.statuses import REASONS, FigureStatus, Status
from pipelines.disclosure.row_keys import of_each
from pipelines.tables.national_inputs import NationalInputs, Receipts

_ANOMALY_COLUMNS = [
    "reseau", "annee", "export", "fichier", "empreinte", "regle", "colonne", "severite", "nombre", "premiere_ligne",
    "derniere_ligne", "message", "consequence",
]  # fmt: skip
_CORRECTION_COLUMNS = [
    "reseau", "numero", "annee", "export", "selection", "colonne", "valeur_attendue", "valeur_corrigee", "raison",
    "statut_correction", "date_correction", "etat",
]  # fmt: skip
_KEY = ["reseau", "annee", "indicateur"]
# The rules that readers of files name in English, as they are published; the others are ours, in French.
FRENCH_RULES = {
    "type-error": "type-inattendu", "constraint-error": "contrainte-non-tenue", "missing-cell": "cellule-manquante",
    "extra-cell": "cellule-en-trop", "blank-row": "ligne-vide", "primary-key": "cle-en-double",
    "unique-error": "valeur-en-double", "foreign-key": "reference-inconnue", "row-error": "ligne-fausse",
    "cell-error": "cellule-fausse", "row-constraint": "regle-de-ligne", "duplicate-row": "ligne-en-double",
    "ascii-value": "caractere-accentue", "deviated-cell": "longueur-inhabituelle", "deviated-value": "valeur-eloignee",
    "forbidden-value": "valeur-interdite", "required-value": "valeur-exigee", "sequential-value": "suite-rompue",
    "truncated-value": "valeur-tronquee", "blank-header": "en-tete-vide", "blank-label": "colonne-sans-nom",
    "duplicate-label": "colonne-en-double", "missing-label": "colonne-manquante", "extra-label": "colonne-en-trop",
    "incorrect-label": "colonne-mal-nommee", "unmatched-header": "en-tete-different", "header-error": "en-tete-faux",
    "label-error": "colonne-fausse", "table-error": "table-fausse", "field-count": "nombre-de-colonnes",
    "row-count": "nombre-de-lignes", "table-dimensions": "dimensions-de-table", "byte-count": "taille-de-fichier",
    "hash-count": "empreinte-de-fichier", "file-error": "fichier-faux", "data-error": "donnees-fausses",
    "source-error": "fichier-sans-table", "scheme-error": "adresse-illisible", "format-error": "format-illisible",
    "encoding-error": "encodage-illisible", "compression-error": "compression-illisible",
}  # fmt: skip
MASKED = "(valeur masquée)"
STATUSES = {"proposed": "proposée", "confirmed": "confirmée"}


def coverage_table(catalogue: Catalogue, inputs: NationalInputs, results: pd.DataFrame) -> pd.DataFrame:
    """Return one line per expected network × year × indicator: published, partial or absent, and why.

    The reason is what its exports say, else the one that most of its absent values have.
    """
    receipts = Receipts(inputs)
    usual = _usual_reasons(results)
    counted = results.assign(known=results["valeur"].notna()).groupby(_KEY)["known"]
    published_rows, total = counted.sum(), counted.size()
    lines = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            for identifier, feed in catalogue.expected(network, year).items():
                key = (network, year, identifier)
                published, rows = int(published_rows.get(key, 0)), int(total.get(key, 0))
                reason = receipts.reason(network, year, identifier, feed)
                lines.append(
                    {
                        "reseau": network,
                        "annee": year,
                        "indicateur": identifier,
                        "etat": _extent(published, rows),
                        "motif_absence": usual.get(key) if published or not reason else catalogue.reasons[reason].label,
                        "exports": ", ".join(feed.export),
                        **receipts.rows(network, year, feed.export),
                        "valeurs_publiees": published,
                        "valeurs_absentes": rows - published,
                    }
                )
    return pd.DataFrame(lines)


def _extent(published: int, rows: int) -> str:
    if not published:
        return "absent"
    return FigureStatus.PUBLISHED.value if published == rows else "partiel"


def _usual_reasons(results: pd.DataFrame) -> pd.Series[str]:
    """Return the reason that most absent values of each _KEY have, the first by alphabet of several."""
    absent = results[results["motif_absence"].notna()]
    counts = absent.groupby([*_KEY, "motif_absence"]).size().reset_index(name="rows")
    ordered = counts.sort_values(["rows", "motif_absence"], ascending=[False, True])
    return ordered.drop_duplicates(_KEY).set_index(_KEY)["motif_absence"]


def anomalies_table(inputs: NationalInputs, unusual: pd.DataFrame) -> pd.DataFrame:
    """Return what was wrong in the files, counted by rule and column, and the ``unusual`` changes of the results.

    No cell contents: they may identify someone.
    """
    frames = [frame.astype("object") for frame in (_of_files(inputs), unusual) if len(frame)]
    anomalies = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    anomalies = anomalies.reindex(columns=_ANOMALY_COLUMNS)
    return anomalies.assign(regle=anomalies["regle"].replace(FRENCH_RULES))


def _of_files(inputs: NationalInputs) -> pd.DataFrame:
    findings = inputs.findings
    if findings.empty:
        return pd.DataFrame()
    states = inputs.receipts.set_index(["reseau", "annee", "export"])["etat"]
    keys = pd.MultiIndex.from_frame(findings[["reseau", "annee", "export"]])
    state = pd.Series(states.reindex(keys).to_numpy(), index=findings.index)
    consequence = np.select(
        [state == Status.REFUSED, state == Status.NOT_HANDED_OVER, findings["severite"] == "avertissement"],
        ["export refusé pour l'année", "aucun résultat pour l'année", "aucune"],
        default="lignes refusées",
    )
    return findings.assign(consequence=consequence)[_ANOMALY_COLUMNS]


def discrepancies_table(catalogue: Catalogue, differences: pd.DataFrame) -> pd.DataFrame:
    """Return the differences between typed levels and the sums of their parts, those that lack a part not compared."""
    columns = [
        "reseau",
        "annee",
        "indicateur",
        "periode",
        "maille",
        "territoire_code",
        "territoire",
        "valeur_declaree",
        "valeur_calculee",
        "ecart",
        "ecart_relatif",
        "mode_calcul",
        "maille_des_parties",
        "parties_presentes",
        "parties_attendues",
        "comparaison",
    ]
    if differences.empty:
        return pd.DataFrame(columns=columns)
    geography = Geography(catalogue.territories)
    declared = differences["valeur_declaree"].where(differences["valeur_declaree"] != 0)
    return differences.assign(
        territoire=of_each(differences, ["maille", "territoire_code"], geography.name),
        ecart_relatif=(100 * differences["ecart"] / declared).round(4),
        mode_calcul="somme des parties déclarées",
    )[columns]


def corrections_table(catalogue: Catalogue, inputs: NationalInputs) -> pd.DataFrame:
    """Return the declared corrections and what became of each; values of personal columns are masked."""
    states = {(state["reseau"], state["numero"]): state["etat"] for state in inputs.corrections.to_dict("records")}
    lines = []
    for network, corrections in sorted(catalogue.corrections.items()):
        for number, correction in enumerate(corrections, start=1):
            export = catalogue.networks[network].export(correction.export)
            personal = {field.name for field in export.fields if field.personal} if export else set()
            hidden = correction.field in personal
            lines.append(
                {
                    "reseau": network,
                    "numero": number,
                    "annee": correction.year,
                    "export": correction.export,
                    "selection": ", ".join(
                        f"{name} = {MASKED if name in personal else value}" for name, value in correction.where.items()
                    ),
                    "colonne": correction.field,
                    "valeur_attendue": MASKED if hidden else correction.expected,
                    "valeur_corrigee": MASKED if hidden else correction.value,
                    "raison": correction.reason,
                    "statut_correction": STATUSES[correction.status],
                    "date_correction": correction.date,
                    "etat": states.get((network, number), "non appliquée"),
                }
            )
    return pd.DataFrame(lines, columns=_CORRECTION_COLUMNS)


_KEY = ["reseau", "annee", "indicateur"]
COUNTS = ["lignes_acceptees", "lignes_base", *REASONS]


def bases_table(catalogue: Catalogue, inputs: NationalInputs, secret: Collection[tuple[str, int, str]]) -> pd.DataFrame:
    """Return the rows accepted, in the base and out of it by reason, of all the exports of each indicator together.

    ``secret``: the (network, year, export) whose number of rows is no public knowledge, as ``secret_totals`` finds
    them. An account whose rows would tell a hidden base has no counts.
    """
    accounts = inputs.accounts
    if accounts.empty or inputs.results.empty:
        return pd.DataFrame(columns=[*_KEY, *COUNTS])
    computed = set(inputs.results[_KEY].drop_duplicates().itertuples(index=False, name=None))
    sums = accounts.groupby(_KEY, sort=True)[COUNTS].sum().reset_index()
    is_computed = [key in computed for key in sums[_KEY].itertuples(index=False, name=None)]
    sums = sums[is_computed].reset_index(drop=True).astype(dict.fromkeys(COUNTS, "object"))
    withheld = [
        any((network, year, export) in secret for export in catalogue.indicators[name].networks[network].export)
        for network, year, name in sums[_KEY].itertuples(index=False, name=None)
    ]
    sums.loc[withheld, COUNTS] = None
    return sums
