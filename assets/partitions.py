"""The partitions: reference years, the same for every network, so that one run can cover all networks of a year.

Assets and checks are declared elsewhere; here is what they share.
"""

import warnings

import dagster as dg

from pipelines.declarations import Catalogue


def years_of(catalogue: Catalogue) -> dg.StaticPartitionsDefinition:
    """Return the partitions made of every year that some network owes."""
    return dg.StaticPartitionsDefinition([str(year) for year in catalogue.years])


def yearly_check(catalogue: Catalogue, key: dg.AssetKey, name: str, description: str) -> dg.AssetCheckSpec:
    """Return a check that has a state for each year.

    Without years of its own, a check shows as "not evaluated" once a refused year and a good one were in the same
    backfill. Dagster calls this a preview: its version is pinned, and a browser test looks at what is shown.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(name, asset=key, description=description, partitions_def=years_of(catalogue))


def network_tags(network: str) -> dict[str, str]:
    """Return the tags by which the Dagster UI finds the assets of a network."""
    return {"reseau": network}
