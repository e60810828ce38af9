"""What earlier releases have told: their tables of results, read back. Releases are made elsewhere."""

from pathlib import Path

import pandas as pd

from assets.storage import read_frame
from pipelines.declarations import Catalogue
from pipelines.publish import history

_RESULTS = "resultats"


def earlier_results(catalogue: Catalogue, releases: Path, dataset: str | None = None) -> list[pd.DataFrame]:
    """Return the results of every release there is, of ``dataset`` or of all datasets, oldest version first."""
    found = []
    for name in [dataset] if dataset else catalogue.datasets:
        if _RESULTS in catalogue.datasets[name].tables:
            folders = [releases / name / version for version in history.versions(releases, name)]
            found += [read_frame(folder / f"{_RESULTS}.parquet") for folder in folders]
    return found
