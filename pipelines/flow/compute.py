"""Computes the results of a network-year from its observations, and keeps them with the indicators that failed."""

import pandas as pd

from pipelines.compute.network_year import compute_network_year
from pipelines.declarations import Catalogue
from pipelines.disclosure.results_table import without_secrets
from pipelines.flow.fingerprints import results_version
from pipelines.flow.state import Results
from pipelines.flow.store import FRAMES, Store
from pipelines.flow.stored_files import read_frame, write_frame


def compute_and_write(store: Store, catalogue: Catalogue, network: str, year: int) -> tuple[Results, bool]:
    """Compute the results unless the same verdict, declarations and code made them; return them, and whether they had.

    Raises ValueError when the network-year was never judged.
    """
    known = store.read(network, year)
    if known.verdict is None:
        raise ValueError(f"{network} {year} : les fichiers n'ont pas encore été contrôlés")
    declarations = catalogue.fingerprint(network)
    version = results_version(declarations, known.verdict.fingerprint)
    if known.results and known.results.fingerprint == version:
        return known.results, True
    observations = store.observations(network, year)
    computed = compute_network_year(
        catalogue, network, year, {export: observations / f"{export}.parquet" for export in known.verdict.accepted}
    )
    folder = store.network_year(network, year)
    for name in FRAMES:
        frame = getattr(computed, name).assign(reseau=network)
        if "annee" not in frame:
            frame = frame.assign(annee=year)
        write_frame(folder / f"{name}.parquet", frame)
    outside = outside_range(catalogue, computed.results).groupby("indicateur").size()
    results = Results(
        fingerprint=version,
        verdict=known.verdict.fingerprint,
        declarations=declarations,
        failures=computed.failures,
        outside={str(name): int(count) for name, count in outside.items()},
    )
    store.write(network, year, results)
    return results, False


def shown_results(store: Store, network: str, year: int) -> pd.DataFrame:
    """Return the results of a network-year as they may be shown: nothing secret in them; empty when there are none."""
    path = store.network_year(network, year) / "results.parquet"
    return without_secrets(read_frame(path)) if path.exists() else pd.DataFrame()


def outside_range(catalogue: Catalogue, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose value is out of the range of their indicator."""
    ranges = {key: indicator.range for key, indicator in catalogue.indicators.items() if indicator.range}
    low = frame["indicateur"].map({key: bounds[0] for key, bounds in ranges.items()}).astype("float64")
    high = frame["indicateur"].map({key: bounds[1] for key, bounds in ranges.items()}).astype("float64")
    outside: pd.DataFrame = frame[(frame["valeur"] < low) | (frame["valeur"] > high)]
    return outside
