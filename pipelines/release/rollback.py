"""Going back to an earlier version: a new release with its tables, and a reason. Nothing is ever taken away.

The runs that follow make no new release as long as their tables are those that were gone back on.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from pipelines.compile.table_schema import arrow_schema, table_schema
from pipelines.declarations import Catalogue
from pipelines.release import history
from pipelines.release.inputs import inputs_of
from pipelines.release.integrity import checksum_findings
from pipelines.release.reasons import Reason
from pipelines.release.refusals import ReleaseError
from pipelines.release.release_files import Origin
from pipelines.release.release_folder import Release, issue, withdrawn
from pipelines.release.reuse import INVENTED


def rollback(dataset: str, catalogue: Catalogue, releases: Path, to: str, reason: str) -> Release:
    """Make a release whose tables are those of version ``to``, for ``reason``; ``catalogue`` is that of ``to``.

    Raises ReleaseError when there is no such version, no reason, nothing to go back on, or an altered release.
    """
    home, versions = releases / dataset, history.versions(releases, dataset)
    refused = f"Retour de {dataset} à la version {to} refusé :"
    if to not in versions:
        raise ReleaseError(refused, [f"version inconnue ; publiées : {', '.join(versions) or 'aucune'}"])
    if not reason.strip():
        raise ReleaseError(refused, ["un motif est demandé : il sera publié"])
    target = home / to
    if altered := checksum_findings(target):
        raise ReleaseError(refused, altered)
    tables = _tables(dataset, catalogue, target, refused)
    descriptor, content = history.descriptor(target), history.content_of(target)
    if content == history.content_of(home / versions[-1]):
        raise ReleaseError(refused, [f"la dernière version, {versions[-1]}, a déjà ce contenu"])
    gone: set[str] = set()
    for version in versions[versions.index(to) + 1 :]:
        gone |= {history.content_of(home / version), *withdrawn(home / version)}
    because = Reason("correction", f"Retour à la version {to} : {reason.strip().rstrip('.')}.")
    inputs = inputs_of(descriptor)
    told = (reception.synthetic for reception in (inputs.receptions if inputs else ()) if reception.synthetic)
    origin = Origin(
        synthetic=next(told, INVENTED) if descriptor.get("synthetic") else None,
        inputs=inputs,
        because=because,
        rollback={"to": to, "from": versions[-1], "reason": reason.strip(), "withdrawn": sorted(gone - {content})},
    )
    return issue(dataset, catalogue, tables, releases, origin)


def _tables(dataset: str, catalogue: Catalogue, release: Path, refused: str) -> dict[str, pa.Table]:
    """Return the tables of a release in declared types; they must be declared today as they were then."""
    states, declared = history.states(release), catalogue.datasets[dataset].tables
    both = [name for name in declared if name in states]
    differ = sorted(set(declared) ^ states.keys())
    differ += [name for name in both if states[name].schema != table_schema(catalogue.tables[name])]
    if differ:
        message = f"tables déclarées autrement qu'alors : {', '.join(differ)} ; reprendre les déclarations d'alors"
        raise ReleaseError(refused, [message])
    return {name: history.whole_table(release, name).cast(arrow_schema(catalogue.tables[name])) for name in declared}
