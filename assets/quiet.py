"""What a run of the command line has to do: only what would come out otherwise than the last time, as a night.

What a cron asks for several times a day would otherwise be made again each time, and leave events for ever that say
nothing. Whatever is new, or may be (a file, a declaration, the code, a year that never came to its end), is made.
"""

from collections.abc import Iterable
from pathlib import Path

from assets.national_assets import release_key
from assets.workspace import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.changes import look
from pipelines.flow.exports_folder import note_folder
from pipelines.flow.gather import tables_are_current
from pipelines.flow.release import nothing_yet, release_inputs, release_is_current
from pipelines.operations.instance import opened


def due_network_years(
    catalogue: Catalogue, workspace: Workspace, places: list[tuple[str, int]], home: Path | None
) -> list[tuple[str, int]]:
    """Return those of the network-years that must run; all of them where the instance of ``home`` knows of none.

    What the exports folder holds is noted on the way.
    """
    if home and not _traced(home, catalogue.without_signals.datasets):
        return places
    try:
        found = look(catalogue, workspace.store, workspace.root)
        note_folder(catalogue, workspace.store, workspace.root)
    except Exception:  # whatever the storage of the exports raises: the run meets it too, and tells it
        return places
    cells = {(cell.network, cell.year) for cell in found.cells}
    return [place for place in places if place in cells]


def national_due(catalogue: Catalogue, workspace: Workspace, datasets: Iterable[str]) -> bool:
    """Say whether the national tables, or the release of one of the datasets, would be made of anything new."""
    store = workspace.store
    if not tables_are_current(catalogue, store):
        return True
    inputs = release_inputs(catalogue, store, workspace.root, Path(workspace.schemas))
    return not all(
        nothing_yet(catalogue, store, dataset) or release_is_current(store, dataset, inputs) for dataset in datasets
    )


def _traced(home: Path, datasets: Iterable[str]) -> bool:
    """Say whether the instance knows of releases that were made: else its UI would have nothing to show."""
    with opened(home) as instance:
        return all(instance.get_latest_materialization_event(release_key(dataset)) for dataset in datasets)
