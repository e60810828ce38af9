"""What earlier releases have told: where their results are, and what may change since the latest of them."""

from pathlib import Path

import pandas as pd

from pipelines.declarations import Catalogue
from pipelines.release import history
from pipelines.release.inputs import inputs_of

_RESULTS = "resultats"


def earlier_results(catalogue: Catalogue, releases: Path, dataset: str | None = None) -> list[list[Path]]:
    """Return the files of results of every release, of ``dataset`` or of all datasets, oldest version first."""
    releases_files = []
    for name in [dataset] if dataset else catalogue.datasets:
        if _RESULTS in catalogue.datasets[name].tables:
            releases_files += [results_files(releases / name / version) for version in history.versions(releases, name)]
    return releases_files


def results_files(release: Path, file_format: str = "parquet") -> list[Path]:
    """Return the files that hold the results of a release, whatever its layout."""
    return [file.path for file in history.table_files(release, _RESULTS, file_format)]


def results_of(release: Path) -> pd.DataFrame:
    """Return the whole table of results of a release, in the order of its key."""
    results: pd.DataFrame = history.whole_table(release, _RESULTS).to_pandas()
    return results


def accepted_changes(catalogue: Catalogue, releases: Path) -> set[tuple[str, int]]:
    """Return the network-years whose changes since the latest release are published even if they tell of few people.

    Those that are closed, those computed under other declarations (all of it changed, as the data team wanted), and
    those that an explanation of the dataset names for the release to come: the team accepts them by that sentence.
    """
    years = {(network, year) for network, declared in catalogue.networks.items() for year in declared.years}
    accepted = {(network, year) for network, year in years if catalogue.networks[network].closed(year)}
    for name, dataset in catalogue.datasets.items():
        versions = history.versions(releases, name) if _RESULTS in dataset.tables else []
        if not versions:
            continue
        inputs = inputs_of(history.descriptor(releases / name / versions[-1]))
        explained = [explanation for explanation in dataset.explanations if explanation.after == versions[-1]]
        for network, year in years - accepted:
            before = inputs.reception(network, year) if inputs else None
            redeclared = before is not None and before.declarations != catalogue.fingerprint(network)
            if redeclared or any(
                network in explanation.networks and year in (explanation.years or (year,)) for explanation in explained
            ):
                accepted.add((network, year))
    return accepted
