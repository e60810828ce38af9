"""Assembles the published tables from what each network-year gave. Plain tables in, plain tables out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pandas as pd

from pipelines.compute.calibration import DIAGNOSTICS
from pipelines.declarations import Catalogue
from pipelines.disclosure import (
    EXTREMES,
    coarsened,
    protected,
    secret_totals,
    unless_few,
    without_bounds,
    without_counts,
    without_secret_parts,
)
from pipelines.disclosure.earlier_marks import Earlier
from pipelines.tables.comparability import comparability_table
from pipelines.tables.correlations import correlations_table
from pipelines.tables.declaration_tables import (
    indicators_table,
    networks_table,
    present_territories,
    structures_table,
    territories_table,
)
from pipelines.tables.national_inputs import NationalInputs
from pipelines.tables.quality import (
    anomalies_table,
    bases_table,
    corrections_table,
    coverage_table,
    discrepancies_table,
)
from pipelines.tables.receptions import criteria_table, quality_table, receipts_table, unusual_changes
from pipelines.tables.results import results_table

COMMON = ("indicateurs", "territoires", "territoires_actuels", "criteres_qualite", "correlations")


def national_tables(
    catalogue: Catalogue,
    inputs: NationalInputs,
    earlier: Earlier = (),
    accepted: Collection[tuple[str, int]] = (),
) -> dict[str, pd.DataFrame]:
    """Return the published tables by name: ``network_tables``, and ``common_tables`` made of their results."""
    made = network_tables(catalogue, inputs, earlier, accepted)
    return {**made, **common_tables(catalogue, made["resultats"])}


def common_tables(catalogue: Catalogue, results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables that only all networks together give. ``results``: rows published, of which few are read."""
    return {
        "indicateurs": indicators_table(catalogue),
        "territoires": (territories := territories_table(catalogue)),
        "territoires_actuels": present_territories(territories),
        "criteres_qualite": criteria_table(catalogue),
        "correlations": correlations_table(catalogue, results),
    }


def network_tables(
    catalogue: Catalogue,
    inputs: NationalInputs,
    earlier: Earlier = (),
    accepted: Collection[tuple[str, int]] = (),
) -> dict[str, pd.DataFrame]:
    """Return the tables that no network needs another for: of one network, or of all together.

    ``earlier``: the tables ``resultats`` of earlier releases, for the secret.

    ``accepted``: the network-years whose changes are published however small (others wait, see ``unless_few``).

    Nothing secret passes: figures marked C, and those that would tell them, are blank before any table is made, unless
    they are already (``inputs.secrets``).
    """
    if inputs.secrets is None:
        results = unless_few(protected(inputs.results, catalogue, earlier), catalogue, earlier, accepted)
        inputs = replace(inputs, results=results)
    totals = secret_totals(inputs.results, catalogue)
    inputs = replace(
        inputs,
        receipts=without_counts(inputs.receipts, "receptions", totals),
        calibrations=without_counts(inputs.calibrations, "calages", totals),
        findings=without_bounds(inputs.findings, totals),
    )
    results = coarsened(results_table(catalogue, inputs))
    receipts, coverage = receipts_table(catalogue, inputs), coverage_table(catalogue, inputs, results)
    return {
        "resultats": results,
        "reseaux": networks_table(catalogue),
        "structures": structures_table(catalogue, inputs.structures),
        "receptions": receipts,
        "couverture": coverage,
        "bases": bases_table(catalogue, inputs, totals),
        "comparabilite": comparability_table(catalogue, results, coverage),
        "qualite": quality_table(catalogue, receipts, results),
        "anomalies": anomalies_table(inputs, unusual_changes(catalogue, results)),
        "ecarts": discrepancies_table(catalogue, without_secret_parts(inputs.discrepancies, inputs.results)),
        "corrections": corrections_table(catalogue, inputs),
        "calages": inputs.calibrations.reindex(columns=["reseau", "annee", *DIAGNOSTICS]).round(EXTREMES),
    }
