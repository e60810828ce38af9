"""The table ``resultats``: computed values, and absent ones with their reasons.

Names and statuses are added here, what looks back at the year before in ``changes``; no value is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.compute.network_year import LEVEL_WORDS
from pipelines.declarations.references import Geography
from pipelines.declarations.strict_model import LEVELS
from pipelines.tables.absences import Receipts
from pipelines.tables.alike import of_each
from pipelines.tables.yearly_changes import with_changes

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue
    from pipelines.tables.national_inputs import NationalInputs


def results_table(catalogue: Catalogue, inputs: NationalInputs) -> pd.DataFrame:
    """Return every result and every expected absence, in the columns of the published table (but the version)."""
    absent = _absent_rows(catalogue, inputs)
    frames = [frame for frame in (inputs.results, absent) if len(frame)]
    found = pd.concat(frames, ignore_index=True)
    found["date_reference"] = found["date_reference"].astype("object").where(found["date_reference"].notna(), None)
    found = _with_statuses(found, catalogue)
    found = _with_names(found, catalogue)
    found = with_changes(found, catalogue)
    nature = of_each(
        found, ["reseau", "annee"], lambda *place: "synthétiques" if place in inputs.synthetic else "réelles"
    )
    return found.assign(nature_donnees=nature, version_publication="").drop(columns=["motif"])


def _absent_rows(catalogue: Catalogue, inputs: NationalInputs) -> pd.DataFrame:
    """Return a yearly row, at the widest level of the indicator, for each expected result that nothing gave."""
    receipts = Receipts(inputs)
    yearly = inputs.results[inputs.results["frequence"] == "annuelle"] if len(inputs.results) else inputs.results
    given = set(zip(yearly["reseau"], yearly["annee"], yearly["indicateur"], strict=True)) if len(yearly) else set()
    lines = []
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            for identifier, feed in catalogue.expected(network, year).items():
                if (network, year, identifier) in given:
                    continue
                levels = catalogue.indicators[identifier].levels_in(network)
                level = max(levels, key=LEVELS.index)
                lines.append({
                    "reseau": network, "annee": year, "periode": str(year), "frequence": "annuelle",
                    "indicateur": identifier, "maille": level, "territoire_code": "FR" if level == "national" else None,
                    "motif": receipts.reason(network, year, identifier, feed) or "non-renseigne",
                    "mode_obtention": LEVEL_WORDS[levels[level].obtained],
                    "source": ", ".join(f"{network}/{export}" for export in feed.export),
                })  # fmt: skip
    return pd.DataFrame(lines).reindex(columns=inputs.results.columns) if lines else inputs.results.iloc[:0]


def _with_statuses(found: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Give absent values the statuses of their reason, and its French label."""
    reasons = catalogue.reasons
    known = found["motif"].notna()
    motif = found["motif"].where(known, None)
    return found.assign(
        statut_observation=found["statut_observation"].where(
            ~known, motif.map({key: reason.observation_status for key, reason in reasons.items()})
        ),
        statut_confidentialite=found["statut_confidentialite"].where(
            ~known, motif.map({key: reason.confidentiality_status for key, reason in reasons.items()})
        ),
        motif_absence=motif.map({key: reason.label for key, reason in reasons.items()}),
    )


def _with_names(found: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    geography, indicators = Geography(catalogue.territories), catalogue.indicators
    return found.assign(
        territoire=of_each(found, ["maille", "territoire_code"], geography.name),
        type_indicateur=found["indicateur"].map({key: item.type for key, item in indicators.items()}),
        unite=found["indicateur"].map({key: item.unit for key, item in indicators.items()}),
    )
