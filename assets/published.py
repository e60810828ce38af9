"""What earlier releases have told: where their tables of results are. Releases are made elsewhere."""

from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.release import history

_RESULTS = "resultats"


def earlier_results(catalogue: Catalogue, releases: Path, dataset: str | None = None) -> list[Path]:
    """Return the files of results of every release, of ``dataset`` or of all datasets, oldest version first."""
    found = []
    for name in [dataset] if dataset else catalogue.datasets:
        if _RESULTS in catalogue.datasets[name].tables:
            folders = [releases / name / version for version in history.versions(releases, name)]
            found += [folder / f"{_RESULTS}.parquet" for folder in folders]
    return found
