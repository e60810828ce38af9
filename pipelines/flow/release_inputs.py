"""What each network-year of a release was made of, and what is left of it: its own files, or those of the archive.

The release itself says which files and declarations these were (``inputs`` of its descriptor).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.explain import Kept, Release
from pipelines.flow.compute import set_aside
from pipelines.flow.fingerprints import fingerprint
from pipelines.flow.judge import judge_network_year, write_report
from pipelines.flow.receive import last_reception
from pipelines.flow.store import Store, read_json
from pipelines.read import TreatmentError
from pipelines.release import history
from pipelines.release.inputs import Inputs, Reception, inputs_of

UNKNOWN = "les fichiers d'où vient cette version n'ont pas été notés : ceux d'aujourd'hui sont relus"
OTHER_FILES = "les fichiers reçus ont changé depuis cette version : ceux d'alors sont relus dans l'archive"
_JUDGED_AGAIN = "leurs lignes sont contrôlées par le code d'aujourd'hui"
_FAILED_THEN = "le traitement de cette version avait échoué"


class Origins:
    """What the network-years of one release were; ``folder`` takes what must be judged again."""

    def __init__(self, catalogue: Catalogue, store: Store, release: Release, latest: bool, folder: Path) -> None:
        self._catalogue, self._store, self._again = catalogue, store, Store(folder)
        self._release, self._latest = release, latest
        self._inputs = _told(store.releases / release.dataset / release.version)

    def kept(self, network: str, year: int) -> Kept:
        """Return what the release had of a network and year: what the last run left, or the archived files of then."""
        now = self._left(network, year)
        if self._inputs is None:
            return now if self._latest else Kept(now.reception, now.report, now.results, now.observations, (UNKNOWN,))
        places = {(item.network, item.year): item for item in self._inputs.receptions}
        then = places.get((network, year))
        if then is None:
            return Kept(None, None, None, self._nowhere)
        if now.reception and _files(now.reception) == _handed_over(then):
            results = {**(now.results or {}), "declarations": then.declarations} if then.declarations else None
            return Kept(now.reception, now.report, results, now.observations)
        return self._judged_again(then)

    def _left(self, network: str, year: int) -> Kept:
        folder, observations = self._store.network_year(network, year), self._store.observations(network, year)
        reception = last_reception(self._store, network, year)
        report, results = (read_json(folder / f"{name}.json") for name in ("report", "results"))
        if results and self._latest and (aside := set_aside(self._store, network, year)):
            whole = dict.fromkeys(self._catalogue.expected(network, year), next(iter(aside.values())))
            results = {**results, "failures": results["failures"] | whole}
        return Kept(reception, report, results, lambda export: observations / f"{export}.parquet")

    def _nowhere(self, export: str) -> Path:
        return self._again.output / export

    def _judged_again(self, then: Reception) -> Kept:
        network, year = then.network, then.year
        reception, folder = self._reception(then), self._again.network_year(network, year)
        since = (f"{OTHER_FILES} ; {_JUDGED_AGAIN}",)
        try:
            verdicts = judge_network_year(self._catalogue, network, year, self._store, reception)
        except TreatmentError as error:
            return Kept(reception, None, None, self._nowhere, (*since, str(error)))
        except (ValueError, OSError):  # the archive lost a file: which one is told by who reads it
            return Kept(reception, None, None, self._nowhere, since)
        report = write_report(self._again, self._catalogue, network, year, verdicts, reception["fingerprint"])
        observations: Callable[[str], Path] = lambda export: folder / "observations" / f"{export}.parquet"  # noqa: E731
        results = {"report": report, "declarations": then.declarations, "failures": self._failures(network, year)}
        made = read_json(folder / "report.json")
        return Kept(reception, made, results if then.declarations else None, observations, since)

    def _reception(self, then: Reception) -> dict[str, Any]:
        """Return what was received as a run notes it: files by export, none where one was owed and never came."""
        owed = [item.id for item in self._catalogue.networks[then.network].exports if item.layout(then.year)]
        exports: dict[str, list[dict[str, str]]] = {name: [] for name in owed}
        for file in then.files:
            exports.setdefault(file.export, []).append({"path": file.path, "sha256": file.sha256})
        return {"fingerprint": fingerprint(exports), "exports": exports}

    def _failures(self, network: str, year: int) -> dict[str, str]:
        """Return the indicators that the release says could not be computed."""
        rows, label = self._release.results, self._catalogue.reasons["erreur-traitement"].label
        failed = rows[(rows["reseau"] == network) & (rows["annee"] == year) & (rows["motif_absence"] == label)]
        return dict.fromkeys(failed["indicateur"], _FAILED_THEN)


def _told(release: Path) -> Inputs | None:
    """Return what a release says that it was made of, None for one made before network-years were told whole."""
    inputs = inputs_of(history.descriptor(release))
    return inputs if inputs and any(item.declarations for item in inputs.receptions) else None


def _files(reception: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(name, file["path"], file["sha256"]) for name, files in reception["exports"].items() for file in files}


def _handed_over(then: Reception) -> set[tuple[str, str, str]]:
    return {(file.export, file.path, file.sha256) for file in then.files}
