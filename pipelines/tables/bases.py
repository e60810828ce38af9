"""The table ``bases``: what became of the accepted rows, one line per network, year and indicator.

Only what stands behind results that were computed; counts of an export whose number of rows is secret are withheld.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.declarations.statuses import REASONS

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.declarations import Catalogue
    from pipelines.tables.national_inputs import NationalInputs

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
    found = accounts.groupby(_KEY, sort=True)[COUNTS].sum().reset_index()
    kept = [key in computed for key in found[_KEY].itertuples(index=False, name=None)]
    found = found[kept].reset_index(drop=True).astype(dict.fromkeys(COUNTS, "object"))
    withheld = [
        any((network, year, export) in secret for export in catalogue.indicators[name].networks[network].export)
        for network, year, name in found[_KEY].itertuples(index=False, name=None)
    ]
    found.loc[withheld, COUNTS] = None
    return found
