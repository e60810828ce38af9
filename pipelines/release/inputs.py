"""What a release was made from: files received, declarations, code; written in its descriptor and read back.

Nothing is hashed or received here; the causes that two of them tell are found in ``reasons``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Any

from pydantic import ValidationError
from pydantic.dataclasses import dataclass

from pipelines.release.refusals import DamagedReleaseError


@dataclass(frozen=True)
class ReceivedFile:
    """A file that an export came in: its path below the exports root and the sha256 under which it is archived."""

    export: str
    path: str
    sha256: str


@dataclass(frozen=True)
class Reception:
    """What a network handed over for a year, nothing included; ``synthetic`` is the warning of its exports root.

    ``declarations`` is the fingerprint of those under which its results were computed, which a closed year may have
    kept from before; empty when nothing could be computed.
    """

    network: str
    year: int
    files: tuple[ReceivedFile, ...] = ()
    synthetic: str | None = None
    declarations: str = ""


@dataclass(frozen=True)
class Inputs:
    """The origin of a release.

    ``declarations`` are fingerprints by what they declare (``networks/caf``, ``indicators/nps``, ``corrections/caf``,
    ``references``); ``archive`` is the sha256 of the bundle of the YAML files in the archive. ``synthetic`` is the
    warning of the exports root that was in use, for networks and years never asked.
    """

    receptions: tuple[Reception, ...] = ()
    declarations: Mapping[str, str] = field(default_factory=dict)
    archive: str = ""
    code: str = ""
    synthetic: str | None = None

    def reception(self, network: str, year: int) -> Reception | None:
        """Return what the network handed over for that year, or None when it wasn't asked."""
        place = (network, year)
        return next((asked for asked in self.receptions if (asked.network, asked.year) == place), None)

    def descriptor(self) -> dict[str, Any]:
        """Return the property ``inputs`` of the Data Package."""
        return {
            "declarations": {"archive": self.archive, "fingerprints": dict(sorted(self.declarations.items()))},
            "code": self.code,
            **({"synthetic": self.synthetic} if self.synthetic else {}),
            "receptions": [_described(reception) for reception in self.receptions],
        }


def inputs_of(descriptor: Mapping[str, Any]) -> Inputs | None:
    """Return the inputs that a release recorded, or None for one that recorded nothing.

    Raises DamagedReleaseError on what is no longer in the form that they were written in.
    """
    content = descriptor.get("inputs")
    if content is None:
        return None
    try:
        declared, code = content["declarations"], content["code"]
        receptions, synthetic = content["receptions"], content.get("synthetic")
        return Inputs(receptions, declared["fingerprints"], declared["archive"], code, synthetic)
    except (KeyError, TypeError, ValidationError) as error:
        raise DamagedReleaseError("datapackage.json : ne dit plus de quels fichiers la version a été faite") from error


def _described(reception: Reception) -> dict[str, Any]:
    """Return a reception as it is written; what is not known of it is left out."""
    facts = asdict(reception)
    files = facts.pop("files")
    return {**{name: fact for name, fact in facts.items() if fact}, "files": list(files)}
