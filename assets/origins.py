"""What each release was made of: files received and declarations, network-year by network-year, and what is left of it.

Kept in the work folder and never published; ``resultats explain --release`` reads it.
"""

from pathlib import Path
from typing import Any

from assets.storage import Store, read_json, write_json
from pipelines.declarations import Catalogue
from pipelines.explain import Kept

UNKNOWN = "les fichiers d'où vient cette version n'ont pas été notés : ceux d'aujourd'hui sont relus"
OTHER_FILES = "les fichiers reçus ont changé depuis cette version : ceux d'alors sont relus dans l'archive"
_JUDGED_AGAIN = "leurs lignes sont contrôlées par le code d'aujourd'hui"


def record_origins(catalogue: Catalogue, store: Store, dataset: str, version: str) -> None:
    """Note what a release just made rests on; what was noted of it already stays."""
    place = _place(store, dataset, version)
    if place.exists():
        return
    found: dict[str, dict[str, Any]] = {}
    store.bring((network, year) for network, declared in catalogue.networks.items() for year in declared.years)
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            folder = store.network_year(network, year)
            reception, results = (read_json(folder / f"{name}.json") for name in ("reception", "results"))
            if reception:
                found.setdefault(network, {})[str(year)] = {
                    "reception": {key: reception.get(key) for key in ("fingerprint", "exports", "failed")},
                    "results": results and {key: results[key] for key in ("declarations", "failures")},
                }
    write_json(place, found)
    store.save_room(store.room("work/origins"))


def _place(store: Store, dataset: str, version: str) -> Path:
    return store.room("work/origins") / dataset / f"{version}.json"


def kept_now(store: Store, network: str, year: int, since: tuple[str, ...] = ()) -> Kept:
    """Return what the last run left of a network and year."""
    folder = store.network_year(network, year)
    reception, report, results = (read_json(folder / f"{name}.json") for name in ("reception", "report", "results"))
    return Kept(
        reception, report, results, lambda export: store.observations(network, year) / f"{export}.parquet", since
    )


class Origins:
    """What the network-years of one release were; ``folder`` takes what must be judged again."""

    def __init__(
        self, catalogue: Catalogue, store: Store, dataset: str, version: str, latest: bool, folder: Path
    ) -> None:  # fmt: skip
        self._catalogue, self._store, self._again, self._latest = catalogue, store, Store(folder), latest
        self._noted = read_json(_place(store, dataset, version))

    def kept(self, network: str, year: int) -> Kept:
        """Return what the release had of a network and year: what the last run left, or the archived files of then."""
        if self._noted is None:
            return kept_now(self._store, network, year, () if self._latest else (UNKNOWN,))
        then = self._noted.get(network, {}).get(str(year))
        if then is None:
            return Kept(None, None, None, lambda export: self._again.output / export)
        now = kept_now(self._store, network, year)
        if now.reception and _files(now.reception) == _files(then["reception"]):
            declared = then["results"] and {"declarations": then["results"]["declarations"]}
            return Kept(
                now.reception, now.report, {**(now.results or {}), **(declared or {})} or None, now.observations
            )
        return self._judged_again(network, year, then)

    def _judged_again(self, network: str, year: int, then: dict[str, Any]) -> Kept:
        from assets.judging import judge_network_year  # noqa: PLC0415  (both are slow to import, and seldom needed)
        from assets.responses import write_report  # noqa: PLC0415

        reception, results, folder = then["reception"], then["results"], self._again.network_year(network, year)
        since = (f"{OTHER_FILES} ; {_JUDGED_AGAIN}",)
        try:
            verdicts = judge_network_year(self._catalogue, network, year, self._store, reception)
        except (ValueError, OSError):  # the archive lost a file: which one is told by who reads it
            return Kept(reception, None, None, lambda export: folder / export, since)
        report = write_report(self._again, self._catalogue, network, year, verdicts, reception["fingerprint"])
        made = {**results, "report": report} if results else None
        return Kept(
            reception, read_json(folder / "report.json"), made,
            lambda export: folder / "observations" / f"{export}.parquet", since,
        )  # fmt: skip


def _files(reception: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    exports = reception["exports"] or {}
    return {name: sorted((file["path"], file["sha256"]) for file in files) for name, files in exports.items()}
