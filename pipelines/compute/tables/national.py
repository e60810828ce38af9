"""Assembles the published tables from what each network-year gave. Plain tables in, plain tables out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from pipelines.compute.calibration import DIAGNOSTICS
from pipelines.compute.disclosure import (
    EXTREMES,
    coarsened,
    protected,
    secret_totals,
    without_counts,
    without_secret_parts,
)
from pipelines.compute.tables.bases import bases_table
from pipelines.compute.tables.comparability import comparability_table
from pipelines.compute.tables.correlations import correlations_table
from pipelines.compute.tables.declared import indicators_table, networks_table, structures_table, territories_table
from pipelines.compute.tables.evidence import criteria_table, quality_table, receipts_table, unusual_changes
from pipelines.compute.tables.quality import anomalies_table, corrections_table, coverage_table, discrepancies_table
from pipelines.compute.tables.results import results_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.declarations import Catalogue


@dataclass(frozen=True)
class NationalInputs:
    """What the network-years gave, one frame each (columns ``reseau`` and ``annee`` first).

    ``receipts``: export, etat (accepté, rejeté, non transmis), motif (id or None), lignes_lues, lignes_acceptees,
    lignes_refusees. ``results``, ``discrepancies``, ``structures``: as compute made them. ``findings``: export,
    fichier, empreinte, regle, colonne, severite, nombre, premiere_ligne, derniere_ligne, message. ``failed``:
    (network, year, indicator) whose computation failed. ``synthetic``: network-years whose exports are synthetic.
    ``corrections``: numero, etat, of the corrections that a report speaks of.
    ``calibrations``: as compute made them, where weights were brought to margins. ``accounts``: export, indicateur,
    lignes_acceptees, lignes_base and a count by reason, of each export and indicator.
    """

    receipts: pd.DataFrame
    results: pd.DataFrame
    discrepancies: pd.DataFrame
    structures: pd.DataFrame
    findings: pd.DataFrame
    failed: frozenset[tuple[str, int, str]]
    synthetic: frozenset[tuple[str, int]]
    corrections: pd.DataFrame = field(default_factory=pd.DataFrame)
    calibrations: pd.DataFrame = field(default_factory=pd.DataFrame)
    accounts: pd.DataFrame = field(default_factory=pd.DataFrame)


def national_tables(
    catalogue: Catalogue, inputs: NationalInputs, earlier: Sequence[Path] | Sequence[pd.DataFrame] = ()
) -> dict[str, pd.DataFrame]:
    """Return the published tables by name. ``earlier``: the tables ``resultats`` of earlier releases, for the secret.

    Nothing secret passes: figures marked C, and those that would tell them, are blank before any table is made.
    """
    inputs = replace(inputs, results=protected(inputs.results, catalogue, earlier))
    totals = secret_totals(inputs.results, catalogue)
    inputs = replace(
        inputs,
        receipts=without_counts(inputs.receipts, "receptions", totals),
        calibrations=without_counts(inputs.calibrations, "calages", totals),
    )
    results = coarsened(results_table(catalogue, inputs))
    receipts, coverage = receipts_table(catalogue, inputs), coverage_table(catalogue, inputs, results)
    return {
        "resultats": results,
        "indicateurs": indicators_table(catalogue),
        "reseaux": networks_table(catalogue),
        "structures": structures_table(catalogue, inputs.structures),
        "territoires": territories_table(catalogue),
        "receptions": receipts,
        "couverture": coverage,
        "bases": bases_table(catalogue, inputs, totals),
        "comparabilite": comparability_table(catalogue, results, coverage),
        "qualite": quality_table(catalogue, receipts, results),
        "criteres_qualite": criteria_table(catalogue),
        "correlations": correlations_table(catalogue, results),
        "anomalies": anomalies_table(inputs, unusual_changes(catalogue, results)),
        "ecarts": discrepancies_table(catalogue, without_secret_parts(inputs.discrepancies, inputs.results)),
        "corrections": corrections_table(catalogue, inputs),
        "calages": inputs.calibrations.reindex(columns=["reseau", "annee", *DIAGNOSTICS]).round(EXTREMES),
    }
