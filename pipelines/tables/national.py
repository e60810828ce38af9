"""Assembles the published tables from what each network-year gave. Plain tables in, plain tables out.

No network stops the others: one whose figures would tell a secret is set aside, by name. What a secret is, and what
tells it, is decided in ``disclosure``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from pipelines.compute.calibration import DIAGNOSTICS
from pipelines.declarations import Catalogue
from pipelines.declarations.statuses import SetAsideYear
from pipelines.disclosure.audit import Judge, audit, refusals, secret_figures
from pipelines.disclosure.results_table import (
    EXTREMES,
    coarsened,
    protected,
    secret_totals,
    without_bounds,
    without_counts,
    without_secret_parts,
)
from pipelines.disclosure.revised import KEPT_FROM
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


def common_tables(catalogue: Catalogue, results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables that only all networks together give. ``results``: rows published, of which few are read."""
    return {
        "indicateurs": indicators_table(catalogue),
        "territoires": (territories := territories_table(catalogue)),
        "territoires_actuels": present_territories(territories),
        "criteres_qualite": criteria_table(catalogue),
        "correlations": correlations_table(catalogue, results),
    }


def network_tables(catalogue: Catalogue, inputs: NationalInputs) -> dict[str, pd.DataFrame]:
    """Return the tables that no network needs another for: of one network, or of all together.

    Nothing secret passes: figures marked C, and those that would tell them, are blank before any table is made, unless
    they are already (``inputs.secrets``).
    """
    if inputs.secrets is None:
        inputs = replace(inputs, results=protected(inputs.results, catalogue).assign(**{KEPT_FROM: None}))
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


def safe_tables(
    catalogue: Catalogue, inputs: NationalInputs, judge: Judge | None = None
) -> tuple[dict[str, pd.DataFrame], list[SetAsideYear]]:
    """Return the tables of networks, and the network-years that had to be left out for them to tell no secret.

    ``judge``: as for ``audit``. What is left out is absent as anything that failed is, and tells no count.
    """
    aside: dict[tuple[str, int], SetAsideYear] = {}
    while True:
        inputs_left = _without(catalogue, inputs, aside)
        tables = network_tables(catalogue, inputs_left)
        secrets = (
            inputs_left.secrets
            if inputs_left.secrets is not None
            else secret_figures(inputs_left.results, tables["resultats"])
        )
        refused = refusals(audit(tables["resultats"], catalogue, secrets, others=tables, judge=judge))
        years = _at_fault(catalogue, refused, aside)
        if not years:
            return tables, list(aside.values())
        aside |= {(year.network, year.year): year for year in years}


def _at_fault(catalogue: Catalogue, findings: pd.DataFrame, aside: Iterable[tuple[str, int]]) -> list[SetAsideYear]:
    """Return the network-years of the findings, but those left out already: they can't be left out again."""
    years = findings["periode"].astype(str).str[:4].astype("int64")
    return [
        _set_aside(
            catalogue,
            str(place[0]),
            int(str(place[1])),
            lines["indicateur"].dropna().unique(),
            f"un secret se déduirait de ses chiffres ({', '.join(sorted(set(lines['constat'])))})",
        )
        for place, lines in findings.groupby([findings["reseau"], years])
        if place not in set(aside)
    ]


def _set_aside(catalogue: Catalogue, network: str, year: int, indicators: Iterable[str], cause: str) -> SetAsideYear:
    named = tuple(sorted(map(str, indicators)))
    feeds = [catalogue.indicators[name].networks[network] for name in named]
    exports = {name: catalogue.networks[network].export(name) for feed in feeds for name in feed.export}
    layouts = [layout for export in exports.values() if export and (layout := export.layout(year))]
    files = sorted({layout.path.replace("{year}", str(year)) for layout in layouts})
    where = f" ; fichiers à vérifier : {', '.join(files)}" if files else ""
    why = f"{cause} : {network} {year} est mis de côté en entier, les autres réseaux sont publiés{where}"
    return SetAsideYear(network, year, why, named)


def _without(catalogue: Catalogue, inputs: NationalInputs, aside: Iterable[tuple[str, int]]) -> NationalInputs:
    """Return the inputs without any figure nor count of rows of those network-years, which count as failed."""
    gone = list(aside)
    if not gone:
        return inputs

    def kept(frame: pd.DataFrame) -> pd.DataFrame:
        if frame.empty:
            return frame
        return frame[~pd.MultiIndex.from_frame(frame[["reseau", "annee"]]).isin(gone)].reset_index(drop=True)

    exports = {(network, year, export.id) for network, year in gone for export in catalogue.networks[network].exports}
    failed = {(network, year, name) for network, year in gone for name in catalogue.expected(network, year)}
    return replace(
        inputs,
        results=kept(inputs.results),
        discrepancies=kept(inputs.discrepancies),
        calibrations=kept(inputs.calibrations),
        receipts=without_counts(inputs.receipts, "receptions", exports),
        findings=without_bounds(inputs.findings, exports),
        failed=inputs.failed | failed,
    )
