"""``resultats run``: the whole treatment, from the exports to a release and the local catalogue."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.options import Exports, Json, Output, Schemas, flag, known_network, load_or_stop, option
from pipelines.cli.terminal_output import Exit, StoppedError, not_written, print_json, steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Catalogue
    from pipelines.report.run_summary import RunOutcome, Summary


def run(
    exports: Exports,
    output: Output,
    schemas: Schemas,
    network: Annotated[list[str] | None, option("RÉSEAU", "ce réseau seulement (répétable)")] = None,
    year: Annotated[list[int] | None, option("ANNÉE", "cette année seulement (répétable)")] = None,
    strict: Annotated[bool, flag("--strict", "code de sortie 1 si quoi que ce soit a été refusé")] = False,
    verbose: Annotated[bool, flag("--verbose", "tout dire, réseau par réseau, au lieu d'un écran")] = False,
    json: Json = False,
) -> int:
    """Treat what the exports hold of networks and years; tell what came of it."""
    catalogue = load_or_stop(schemas)
    networks, years = network or [], year or []
    _check_choices(catalogue, networks, years)
    from pipelines.flow.output_folder import tidy
    from pipelines.operations.output_lock import alone_on
    from pipelines.operations.settings import home_from_environment
    from pipelines.read import ExportsRoot

    home_from_environment()  # a wrong one is told before anything is written
    ExportsRoot(exports)
    try:
        _check_writable(output)
    except OSError as error:
        raise not_written(output, error) from error
    with alone_on(output, "resultats run"):
        tidy(output)
        outcome, summary = _treat(catalogue, exports, output, schemas, networks, years)
        if json:
            print_json(summary.facts)
        else:
            print(summary.text if verbose else summary.screen)
    if not outcome.succeeded or outcome.failures:
        return Exit.REFUSED
    return Exit.REFUSED if strict and summary.refused else Exit.DONE


def _treat(
    catalogue: Catalogue, exports: str, output: str, schemas: Path, networks: list[str], years: list[int]
) -> tuple[RunOutcome, Summary]:
    """Run the jobs; return how they ended, and what they gave."""
    from assets.local_run import run_jobs
    from assets.workspace import workspace_from_environment
    from pipelines.report.run_summary import summarise

    exports, output = (place if "://" in place else str(Path(place).resolve()) for place in (exports, output))
    workspace = workspace_from_environment(exports, output, str(schemas.resolve()))
    with steps(len(set(years) or catalogue.years) + 1) as tell:
        outcome = run_jobs(catalogue, workspace, networks, years, tell)
    return outcome, summarise(catalogue, workspace.store, outcome)


def _check_writable(output: str) -> None:
    """Raise OSError, or RootError for a URL, when nothing can be written there."""
    if "://" in output:
        from pipelines.read import ObjectStore

        ObjectStore(output).check()
        return
    from pipelines.flow.output_folder import make_output

    make_output(Path(output))
    with tempfile.TemporaryFile(dir=output):
        pass


def _check_choices(catalogue: Catalogue, networks: Sequence[str], years: Sequence[int]) -> None:
    """Raise StoppedError when a network or a year asked for is not declared."""
    for network in networks:
        known_network(catalogue, network)
    for year in years:
        if year not in catalogue.years:
            raise StoppedError(f"année {year} non déclarée ; déclarées : {catalogue.years[0]}-{catalogue.years[-1]}")
