"""The partitions: reference years, the same for every network, so that one run can cover all networks of a year."""

import dagster as dg

from pipelines.declarations import Catalogue


def years_of(catalogue: Catalogue) -> dg.StaticPartitionsDefinition:
    """Return the partitions made of every year that some network owes."""
    return dg.StaticPartitionsDefinition([str(year) for year in catalogue.years])


def network_tags(network: str) -> dict[str, str]:
    """Return the tags by which the Dagster UI finds the assets of a network."""
    return {"reseau": network}
