"""The results of a network-year: computed from its observations, kept with the indicators that failed."""

import dataclasses
from collections.abc import Iterable

import pandas as pd

from pipelines.compute.network_year import compute_network_year
from pipelines.declarations import Catalogue
from pipelines.flow.fingerprints import results_version
from pipelines.flow.store import FRAMES, Store, read_json, write_frame, write_json
from pipelines.tables import SetAside

_SET_ASIDE = "mis-de-cote.json"


def compute_and_write(store: Store, catalogue: Catalogue, network: str, year: int) -> tuple[str, bool]:
    """Compute the results unless the same inputs, declarations and code made them already; return (version, reused)."""
    folder = store.network_year(network, year)
    report = read_json(folder / "report.json")
    version = results_version(catalogue.fingerprint(network), report["fingerprint"])
    state = read_json(folder / "results.json")
    if state and state["fingerprint"] == version:
        return version, True
    observations = {
        export: store.observations(network, year) / f"{export}.parquet"
        for export, receipt in report["exports"].items()
        if receipt["etat"] == "accepté"
    }
    made = compute_network_year(catalogue, network, year, observations)
    for name in FRAMES:
        frame = getattr(made, name).assign(reseau=network)
        if "annee" not in frame:
            frame = frame.assign(annee=year)
        write_frame(folder / f"{name}.parquet", frame)
    outside = outside_range(catalogue, made.results).groupby("indicateur").size()
    state = {
        "fingerprint": version,
        "report": report["fingerprint"],
        "declarations": catalogue.fingerprint(network),
        "failures": made.failures,
        "outside": [{"indicateur": str(name), "nombre": int(count)} for name, count in outside.items()],
    }
    write_json(folder / "results.json", state)
    store.save_network_year(network, year, "results")
    return version, False


def outside_range(catalogue: Catalogue, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose value is out of the range of their indicator."""
    ranges = {key: item.range for key, item in catalogue.indicators.items() if item.range}
    low = frame["indicateur"].map({key: bounds[0] for key, bounds in ranges.items()}).astype("float64")
    high = frame["indicateur"].map({key: bounds[1] for key, bounds in ranges.items()}).astype("float64")
    outside: pd.DataFrame = frame[(frame["valeur"] < low) | (frame["valeur"] > high)]
    return outside


def failures_of(store: Store, network: str, year: int) -> dict[str, str]:
    """Return the indicators of a network-year that could not be computed, or that had it set aside, and why."""
    state = read_json(store.network_year(network, year) / "results.json")
    found: dict[str, str] = state["failures"] if state else {}
    return found | set_aside(store, network, year)


def write_set_aside(store: Store, aside: Iterable[SetAside]) -> None:
    """Keep which network-years the national tables had to leave out, and why."""
    write_json(store.national / _SET_ASIDE, {"annees_de_reseau": [dataclasses.asdict(item) for item in aside]})


def set_aside(store: Store, network: str, year: int) -> dict[str, str]:
    """Return the indicators for which the national tables left a network-year out, and why; none when they didn't."""
    kept = read_json(store.national / _SET_ASIDE) or {"annees_de_reseau": []}
    mine = [item for item in kept["annees_de_reseau"] if (item["network"], item["year"]) == (network, year)]
    return {indicator: item["why"] for item in mine for indicator in item["indicators"]}
