"""The gate of our own damage: no release is made that loses a network-year because the archive can't be read."""

from assets.published import earlier_results
from assets.reception import last_reception
from assets.storage import Store, read_frame, read_json
from pipelines.declarations import Catalogue


def lost_by_damage(catalogue: Catalogue, store: Store, dataset: str) -> str:
    """Say which network-years the last release of ``dataset`` has that the next would lose by our fault, or nothing.

    A network-year whose file was withdrawn, refused or never came is no damage: it has its reason in the tables.
    """
    damaged = {
        (network, year): reception["damaged"]
        for network, declared in catalogue.networks.items()
        for year in declared.years
        if (reception := last_reception(store, network, year)) and reception.get("damaged")
        and not _is_judged(store, network, year, reception["fingerprint"])
    }  # fmt: skip
    if not damaged or not (earlier := earlier_results(catalogue, store.releases, dataset)):
        return ""
    last = read_frame(earlier[-1])
    there = set(zip(last["reseau"], last["annee"].astype(int), strict=True))
    lost = [f"{network} {year} ({why})" for (network, year), why in damaged.items() if (network, year) in there]
    if not lost:
        return ""
    return f"Elle perdrait, par notre seule faute, {' ; '.join(lost)}. La version précédente reste publiée."


def _is_judged(store: Store, network: str, year: int, reception: str) -> bool:
    report = read_json(store.network_year(network, year) / "report.json")
    return bool(report and report["reception"] == reception)
