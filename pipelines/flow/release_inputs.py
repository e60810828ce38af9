"""What each network-year of a release was made of, and what is left of it: its own files, or those of the archive.

The release itself says which files and declarations these were (``inputs`` of its descriptor).
"""

from pathlib import Path

import pandas as pd

from pipelines.declarations import Catalogue
from pipelines.flow.judge import judge_network_year
from pipelines.flow.kept_verdicts import keep_verdict
from pipelines.flow.receive import reception_fingerprint
from pipelines.flow.state import NetworkYear, ReleasedYear, Results
from pipelines.flow.state import Reception as Received
from pipelines.flow.store import Store
from pipelines.read import Received as ReceivedFile
from pipelines.read import TreatmentError
from pipelines.release import history
from pipelines.release.inputs import Inputs, Reception, inputs_of

UNKNOWN = "les fichiers d'où vient cette version n'ont pas été notés : ceux d'aujourd'hui sont relus"
OTHER_FILES = "les fichiers reçus ont changé depuis cette version : ceux d'alors sont relus dans l'archive"
_JUDGED_AGAIN = "leurs lignes sont contrôlées par le code d'aujourd'hui"
_FAILED_THEN = "le traitement de cette version avait échoué"


class ReleasedYears:
    """The network-years of one release (its folder, and its table of results), as they were.

    ``folder`` takes what must be judged again.
    """

    def __init__(
        self, catalogue: Catalogue, store: Store, release: Path, results: pd.DataFrame, latest: bool, folder: Path
    ) -> None:
        self._catalogue, self._store, self._again = catalogue, store, Store(folder)
        self._published, self._latest = results, latest
        self._inputs = _told(release)

    def kept(self, network: str, year: int) -> ReleasedYear:
        """Return what the release had of a network and year: what the last run left, or the archived files of then."""
        now = self._left(network, year)
        if self._inputs is None:
            return self._kept(now, since=() if self._latest else (UNKNOWN,))
        places = {(reception.network, reception.year): reception for reception in self._inputs.receptions}
        then = places.get((network, year))
        if then is None:
            return self._kept(NetworkYear(network=network, year=year))
        received = now.reception.exports if now.reception else {}
        files = {(name, file.path, file.sha256) for name, files in received.items() for file in files}
        if now.reception and files == {(file.export, file.path, file.sha256) for file in then.files}:
            return self._kept(now.model_copy(update={"results": _results_of(now, then.declarations)}))
        return self._judged_again(then)

    def _left(self, network: str, year: int) -> NetworkYear:
        """Return what the last run left; what the national tables left out of the latest release failed."""
        known = self._store.read(network, year)
        aside = self._store.tables_made().why_aside(network, year)
        if known.results is None or not self._latest or not aside:
            return known
        whole = dict.fromkeys(self._catalogue.expected(network, year), next(iter(aside.values())))
        failures = {**known.results.failures, **whole}
        return known.model_copy(update={"results": known.results.model_copy(update={"failures": failures})})

    def _kept(self, known: NetworkYear, store: Store | None = None, since: tuple[str, ...] = ()) -> ReleasedYear:
        folder = (store or self._store).observations(known.network, known.year)
        return ReleasedYear(known, lambda export: folder / f"{export}.parquet", since)

    def _judged_again(self, then: Reception) -> ReleasedYear:
        network, year = then.network, then.year
        reception = self._reception(then)
        known = NetworkYear(network=network, year=year, reception=reception)
        since = (f"{OTHER_FILES} ; {_JUDGED_AGAIN}",)
        try:
            verdicts = judge_network_year(self._catalogue, network, year, self._store, reception)
        except TreatmentError as error:
            return self._kept(known, self._again, (*since, str(error)))
        except (ValueError, OSError):  # the archive lost a file: which one is told by who reads it
            return self._kept(known, self._again, since)
        verdict = keep_verdict(self._again, self._catalogue, network, year, verdicts, reception.fingerprint).kept
        failures = self._failures(network, year)
        results = Results(
            fingerprint="", verdict=verdict.fingerprint, declarations=then.declarations, failures=failures
        )
        known = known.model_copy(update={"verdict": verdict, "results": results if then.declarations else None})
        return self._kept(known, self._again, since)

    def _reception(self, then: Reception) -> Received:
        """Return what was received as a run notes it: files by export, none where one was owed and never came."""
        owed = [export.id for export in self._catalogue.networks[then.network].exports if export.layout(then.year)]
        files: dict[str, list[ReceivedFile]] = {name: [] for name in owed}
        for file in then.files:
            files.setdefault(file.export, []).append(ReceivedFile(file.path, file.sha256, 0, "inchangé"))
        exports = {name: tuple(received) for name, received in files.items()}
        return Received(fingerprint=reception_fingerprint(exports), exports=exports)

    def _failures(self, network: str, year: int) -> dict[str, str]:
        """Return the indicators that the release says could not be computed."""
        rows, label = self._published, self._catalogue.reasons["erreur-traitement"].label
        failed = rows[(rows["reseau"] == network) & (rows["annee"] == year) & (rows["motif_absence"] == label)]
        return dict.fromkeys(failed["indicateur"], _FAILED_THEN)


def _told(release: Path) -> Inputs | None:
    """Return what a release says that it was made of, None for one made before network-years were told whole."""
    inputs = inputs_of(history.descriptor(release))
    return inputs if inputs and any(reception.declarations for reception in inputs.receptions) else None


def _results_of(now: NetworkYear, declarations: str) -> Results | None:
    """Return the results as they were under the declarations of a release; None when it had none of that year."""
    if not declarations:
        return None
    results = now.results or Results(fingerprint="", verdict="", declarations="")
    return results.model_copy(update={"declarations": declarations})
