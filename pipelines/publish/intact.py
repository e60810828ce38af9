"""Releases looked at before they leave this folder: what was altered since it was made goes to no target.

Proving more (journals, a release made again) is what ``resultats verify`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import history
from pipelines.publish.chain import chain_findings
from pipelines.publish.errors import PublicationError
from pipelines.publish.verify import checksum_findings

if TYPE_CHECKING:
    from pathlib import Path


def check_intact(releases: Path, dataset: str) -> None:
    """Raise PublicationError when a file of a release of the dataset, or their chain, is not as it was made."""
    findings: list[str] = []
    for version in history.versions(releases, dataset):
        folder = releases / dataset / version
        findings += [f"{dataset} {version}, {finding}" for finding in checksum_findings(folder)]
    findings = findings or chain_findings(releases, dataset)
    if findings:
        told = "\n".join(f"- {finding}" for finding in findings)
        raise PublicationError(
            "Rien n'est publié : des versions ont été modifiées depuis qu'elles ont été faites ; les reprendre d'une "
            f"sauvegarde (resultats restore).\n{told}"
        )
