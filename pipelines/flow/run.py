"""The whole story without Dagster: a network-year through its stages, then the national tables and a release."""

from datetime import datetime
from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.flow.compute import compute_and_write
from pipelines.flow.gather import make_tables
from pipelines.flow.judge import judge_received
from pipelines.flow.provenance import synthetic_statement
from pipelines.flow.receive import receive
from pipelines.flow.release import audited, release_dataset, release_inputs
from pipelines.flow.revisions import settle, writing_store
from pipelines.flow.store import Store
from pipelines.read import ExportsRoot
from pipelines.release.refusals import ReleaseError
from pipelines.release.release_folder import Release


def run_network_year(
    catalogue: Catalogue, network: str, year: int, store: Store, root: ExportsRoot, now: datetime
) -> None:
    """Receive, judge and compute a network-year; of a closed one, make a revision that waits."""
    reception = receive(catalogue, network, year, store, root, now)
    if not reception.handed_over:
        return
    written = writing_store(store, catalogue, network, year)
    if judge_received(catalogue, network, year, written, root).kept.accepted:
        compute_and_write(written, catalogue, network, year)
    if written.proposes:
        settle(store, catalogue, network, year, now)


def run_dataset(catalogue: Catalogue, dataset: str, store: Store, root: ExportsRoot, schemas: Path) -> Release:
    """Make the national tables, then a release of a dataset if they changed.

    Raises what ``make_tables`` and ``release_dataset`` do, and ReleaseError when a secret would be told.
    """
    make_tables(catalogue, store, synthetic_statement(root))
    if refused := audited(catalogue, store, dataset).refused:
        raise ReleaseError("un secret se déduit des chiffres", [refused])
    return release_dataset(catalogue, store, dataset, release_inputs(catalogue, store, root, schemas))
