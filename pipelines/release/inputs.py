"""What a release was made from: files received, declarations, code; written in its descriptor and read back.

Nothing is hashed or received here; the causes that two of them tell are found in ``reasons``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
        found = (item for item in self.receptions if (item.network, item.year) == (network, year))
        return next(found, None)

    def descriptor(self) -> dict[str, Any]:
        """Return the property ``inputs`` of the Data Package."""
        return {
            "declarations": {"archive": self.archive, "fingerprints": dict(sorted(self.declarations.items()))},
            "code": self.code,
            **({"synthetic": self.synthetic} if self.synthetic else {}),
            "receptions": [_reception(item) for item in self.receptions],
        }


def inputs_of(descriptor: Mapping[str, Any]) -> Inputs | None:
    """Return the inputs that a release recorded, or None for one that recorded nothing.

    Raises DamagedReleaseError on what is no longer in the form that they were written in.
    """
    content = descriptor.get("inputs")
    if content is None:
        return None
    try:
        return _inputs(content)
    except (AttributeError, KeyError, TypeError) as error:
        raise DamagedReleaseError("datapackage.json : ne dit plus de quels fichiers la version a été faite") from error


def _inputs(content: Mapping[str, Any]) -> Inputs:
    receptions = tuple(
        Reception(
            item["network"],
            item["year"],
            tuple(ReceivedFile(file["export"], file["path"], file["sha256"]) for file in item["files"]),
            item.get("synthetic"),
            item.get("declarations", ""),
        )
        for item in content["receptions"]
    )
    declared = content["declarations"]
    found = Inputs(receptions, declared["fingerprints"], declared["archive"], content["code"], content.get("synthetic"))
    contents = [declared["archive"], *(file.sha256 for item in receptions for file in item.files)]
    if not all(isinstance(sha256, str) for sha256 in contents):
        raise TypeError
    return found


def _reception(item: Reception) -> dict[str, Any]:
    files = [{"export": file.export, "path": file.path, "sha256": file.sha256} for file in item.files]
    told = {"synthetic": item.synthetic, "declarations": item.declarations}
    known = {name: value for name, value in told.items() if value}
    return {"network": item.network, "year": item.year, **known, "files": files}
