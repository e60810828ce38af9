"""What is known of a network-year: typed records, never changed once made. Where they are kept is known to ``store``.

Keys are English; French values are those that are published or read by people.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from pipelines.declarations.statuses import Account, KeptYear, SetAsideYear, Status
from pipelines.read import Received

# As the files of earlier versions name what is named otherwise now: a closed year stays as it was accepted.
_EARLIER_NAMES = {
    "etat": "status",
    "motif": "reason",
    "explication": "explanation",
    "lignes_lues": "read",
    "lignes_acceptees": "accepted",
    "lignes_refusees": "refused",
    "fichiers": "files",
    "comptes": "accounts",
    "contenus": "contents",
    "doutes": "doubts",
    "anomalies": "findings",
    "genre": "kind",
    "bloque": "blocks",
    "report": "verdict",
}
_NO_LONGER_KEPT = ("without_observation", "lignes_sans_observation")


class Record(BaseModel):
    """A record of the state: frozen, and without a key that isn't declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _named_as_now(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        return {_EARLIER_NAMES.get(name, name): value for name, value in content.items() if name not in _NO_LONGER_KEPT}


class LeftFile(Record):
    """A file of an export that was still arriving, and why that was thought (French)."""

    export: str
    path: str
    why: str


class SameContent(Record):
    """A file received whose content is also that of the files ``same_as`` of other exports, years or networks."""

    export: str
    path: str
    same_as: tuple[str, ...]


class RenamedFile(Record):
    """A file found under another spelling (capitals) than the one declared."""

    export: str
    path: str
    expected: str


class Reception(Record):
    """What was received of a network-year: files by export, an empty list where one is owed and none came.

    ``received_on`` is the day on which these files were first seen so.
    ``fingerprint`` is empty as long as no reception came to its end; ``failed``: a later one did not. ``synthetic`` is
    the statement that goes with invented data. ``damaged`` says why what was received can't be judged, by our fault.
    """

    fingerprint: str = ""
    received_on: date | None = None
    synthetic: str | None = None
    exports: dict[str, tuple[Received, ...]] = {}
    left: tuple[LeftFile, ...] = ()
    twins: tuple[SameContent, ...] = ()
    renamed: tuple[RenamedFile, ...] = ()
    failed: bool = False
    damaged: str = ""

    @property
    def handed_over(self) -> bool:
        """Whether any file was received."""
        return any(self.exports.values())

    def still_arriving(self, export: str) -> list[str]:
        """Return the paths of an export's files that were still arriving."""
        return [file.path for file in self.left if file.export == export]

    def notices(self) -> list[str]:
        """Return what the data team is told of the files received, in French."""
        lines = []
        for left in self.left:
            copied = f"{left.export} : « {left.path} » est encore en cours de copie (il {left.why})"
            lines.append(f"{copied} ; laissé pour le prochain passage")
        for file in self.renamed:
            lines.append(f"{file.export} : « {file.path} » est lu, mais « {file.expected} » est attendu (majuscules)")
        return lines


class ExportState(Record):
    """What can be said of an export of a network-year; ``reason`` is the id of a reason for absence."""

    status: Status
    reason: str | None
    explanation: str


class ExportVerdict(ExportState):
    """The verdict on an export for a year; counts are rows."""

    read: int
    accepted: int
    refused: int
    files: tuple[dict[str, Any], ...]
    accounts: tuple[Account, ...] = ()


class ExportDoubt(Record):
    """A doubt about an export that may not be what it says: its kind, a French sentence, whether the export waits."""

    export: str
    kind: str
    message: str
    blocks: bool


class YearVerdict(Record):
    """The verdicts on the exports of a network-year, given on the reception of that fingerprint.

    ``contents``: by export, what the rows of each file say, as a hash. ``findings`` and ``corrections`` are rows of the
    published tables ``anomalies`` and ``corrections``, in their columns.
    """

    fingerprint: str
    reception: str
    exports: dict[str, ExportVerdict]
    contents: dict[str, dict[str, str]] = {}
    doubts: tuple[ExportDoubt, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    corrections: tuple[dict[str, Any], ...] = ()

    @property
    def accepted(self) -> list[str]:
        """The exports accepted."""
        return [name for name, export in self.exports.items() if export.status == Status.ACCEPTED]


class Results(Record):
    """The results computed from the verdict of that fingerprint, under the network's ``declarations`` (a hash).

    ``failures``: the indicators that could not be computed, and why; ``outside``: how many values of an indicator are
    out of its range. The figures themselves are in Parquet files beside.
    """

    fingerprint: str
    verdict: str
    declarations: str
    failures: dict[str, str] = {}
    outside: dict[str, int] = {}

    @field_validator("outside", mode="before")
    @classmethod
    def _counted(cls, content: Any) -> Any:
        """Read what earlier versions kept as a list."""
        return {item["indicateur"]: item["nombre"] for item in content} if isinstance(content, list) else content


class NetworkYear(Record):
    """All that is known of a network-year; ``reception`` is the last that came to its end."""

    network: str
    year: int
    reception: Reception | None = None
    reception_failed: bool = False
    verdict: YearVerdict | None = None
    results: Results | None = None

    @property
    def judged(self) -> bool:
        """Whether the verdict is on the files last received."""
        return bool(self.reception and self.verdict and self.verdict.reception == self.reception.fingerprint)

    @property
    def current(self) -> dict[str, ExportVerdict]:
        """The verdicts on the files last received, by export; none when these have none yet."""
        return self.verdict.exports if self.judged and self.verdict else {}

    @property
    def computed(self) -> bool:
        """Whether the results are those of the verdict."""
        return bool(self.verdict and self.results and self.results.verdict == self.verdict.fingerprint)

    @property
    def failures(self) -> dict[str, str]:
        """The indicators that could not be computed, each with what went wrong."""
        return self.results.failures if self.results else {}

    def of_export(self, export: str) -> ExportState:
        """Return the verdict on an export, or what stands for it as long as there is none."""
        if self.reception is None or export not in self.reception.exports:
            return _UNTREATED
        if not self.reception.exports[export]:
            return _NOT_HANDED_OVER
        if not self.judged or self.verdict is None or export not in self.verdict.exports:
            return _FAILED
        return self.verdict.exports[export]

    @property
    def stands(self) -> bool:
        """Whether it went through to its end: a verdict, and results if anything was accepted."""
        if self.reception is None:
            return False
        if not self.reception.handed_over:
            return True  # nothing was handed over: that is how the year was closed
        return self.judged and self.verdict is not None and (not self.verdict.accepted or self.computed)


_UNTREATED = ExportState(
    status=Status.UNTREATED, reason="non-traite", explanation="La chaîne n'a pas traité cet export."
)
_NOT_HANDED_OVER = ExportState(
    status=Status.NOT_HANDED_OVER, reason="non-transmis", explanation="Aucun fichier n'a été reçu."
)
_FAILED = ExportState(status=Status.FAILED, reason="erreur-traitement", explanation="Le contrôle n'a pas abouti.")


@dataclass(frozen=True)
class ReleasedYear:
    """A network-year as a release had it: what is known of it, and where the Parquet of an accepted export is.

    ``since``: what changed since the release, in French.
    """

    known: NetworkYear
    observations: Callable[[str], Path]
    since: tuple[str, ...] = ()


class National(Record):
    """What is known of the national tables last made: the statement on invented data, what was left out, or kept."""

    synthetic: str | None = None
    set_aside: tuple[SetAsideYear, ...] = ()
    kept: tuple[KeptYear, ...] = ()

    def why_aside(self, network: str, year: int) -> dict[str, str]:
        """Return the indicators for which a network-year was left out, and why."""
        years = [aside for aside in self.set_aside if (aside.network, aside.year) == (network, year)]
        return {indicator: aside.why for aside in years for indicator in aside.indicators}


class KeptFrames(Record):
    """Frames that are remembered: ``made_of`` what (a hash), the sha256 of each file, and a hash of both."""

    made_of: str
    digests: dict[str, str]
    whole: str


class Proposal(Record):
    """A revision of a closed year: ``fingerprint`` names it, ``base`` what it would replace.

    ``differences`` count the rows that are on one side only, by table, and the exports whose verdict changes.
    """

    network: str
    year: int
    fingerprint: str
    base: str
    declarations: str
    differences: dict[str, int]
    proposed_at: str
    accepted: bool = False
    accepted_at: str = ""
