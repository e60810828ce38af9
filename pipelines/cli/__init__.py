"""``resultats …``: the pipeline for people without Dagster. Only arguments and exit codes.

This is the one room of ``pipelines`` that joins the stages and calls ``assets``. It stays light so that help is
immediate: each command imports what it needs. What producers run is in ``producers``, the way back to the
source in ``explaining``, what is done with releases in ``releasing``, publication in ``publishing``, what operators
run in ``instance`` and ``operations``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli import explaining, instance, operations, producers, publishing, releasing
from pipelines.cli.declared import DONE, REFUSED, USAGE, load_or_tell, schemas_of_environment
from pipelines.cli.door import listened, run_command
from pipelines.cli.showing import add_json, print_json, steps
from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Catalogue


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code (0 done, 1 refused, 2 usage or broken declarations)."""
    with listened():
        return run_command(_parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="resultats",
        description="Résultats des services publics : contrôler les déclarations, traiter les exports, publier.",
    )
    parser.add_argument("--detail", action="store_true", help="montrer le détail technique d'une erreur")
    commands = parser.add_subparsers(required=True, metavar="COMMANDE")
    run = commands.add_parser(
        "run", help="traiter les exports : réception, validation, résultats, version, catalogue local"
    )
    run.add_argument(
        "--exports", required=True, metavar="DOSSIER_OU_URL", help="racine des exports (dossier ou URL fsspec)"
    )
    run.add_argument(
        "--output", required=True, metavar="DOSSIER_OU_URL", help="où écrire versions, catalogue et archive"
    )
    _add_schemas(run)
    run.add_argument("--network", action="append", default=[], metavar="RÉSEAU", help="ce réseau seulement (répétable)")
    run.add_argument(
        "--year", action="append", default=[], type=int, metavar="ANNÉE", help="cette année seulement (répétable)"
    )
    run.add_argument("--strict", action="store_true", help="code de sortie 1 si quoi que ce soit a été refusé")
    add_json(run)
    run.set_defaults(command=_run)
    check = commands.add_parser("check", help="contrôler toutes les déclarations, toutes les erreurs d'un coup")
    _add_schemas(check)
    add_json(check)
    check.set_defaults(command=_check)
    editor = commands.add_parser("editor-schemas", help="écrire les JSON Schemas pour les éditeurs de YAML")
    _add_schemas(editor)
    editor.add_argument("--check", action="store_true", help="ne rien écrire ; code de sortie 1 s'ils sont périmés")
    editor.set_defaults(command=_editor_schemas, public=True)
    explaining.add_command(commands, _add_schemas)
    producers.add_commands(commands, _add_schemas)
    publishing.add_commands(commands, _add_schemas)
    releasing.add_commands(commands, _add_schemas)
    instance.add_commands(commands)
    operations.add_commands(commands, _add_schemas)
    return parser


def _add_schemas(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--schemas",
        type=Path,
        default=schemas_of_environment(),
        metavar="DOSSIER",
        help="dossier des déclarations (défaut : RESULTATS_SCHEMAS, sinon schemas)",
    )


def _check(arguments: argparse.Namespace) -> int:
    if arguments.json:
        return _check_for_programs(arguments.schemas)
    catalogue = load_or_tell(arguments.schemas)
    if catalogue is None:
        return REFUSED
    datasets = len(catalogue.datasets)
    print(
        f"Déclarations valides : {len(catalogue.networks)} réseaux, {len(catalogue.indicators)} indicateurs, "
        f"{len(catalogue.tables)} tables, {counted(datasets, 'jeu', 'jeux')} de données, "
        f"années {catalogue.years[0]}-{catalogue.years[-1]}."
    )
    return DONE


def _check_for_programs(schemas: Path) -> int:
    from pipelines.declarations import DeclarationError, load

    try:
        found, problems = load(schemas), []
    except DeclarationError as error:
        found, problems = None, [vars(problem) for problem in error.problems]
    kinds = ("networks", "indicators", "tables", "datasets") if found else ()
    print_json({
        "valide": not problems, "problemes": problems, **{kind: sorted(getattr(found, kind)) for kind in kinds},
    })  # fmt: skip
    return REFUSED if problems else DONE


def _editor_schemas(arguments: argparse.Namespace) -> int:
    from pipelines.compile.editor import stale, write_editor_schemas
    from pipelines.compile.manual import estimators_manual

    folder, page = arguments.schemas / ".editor", arguments.schemas / "ESTIMATEURS.md"
    if arguments.check:
        written = page.read_text(encoding="utf-8") if page.exists() else None
        names = [*stale(folder), *([page.name] if written != estimators_manual() else [])]
        if names:
            print(f"JSON Schemas périmés : {', '.join(names)} (lancer : resultats editor-schemas)", file=sys.stderr)
        return REFUSED if names else DONE
    for path in write_editor_schemas(folder):
        print(f"écrit : {path}")
    page.write_text(estimators_manual(), encoding="utf-8")
    print(f"écrit : {page}")
    return DONE


def _run(arguments: argparse.Namespace) -> int:
    catalogue = load_or_tell(arguments.schemas)
    if catalogue is None:
        return USAGE
    if message := _unknown_choices(catalogue, arguments):
        print(message, file=sys.stderr)
        return USAGE
    from pipelines.flow.output_folder import tidy
    from pipelines.operations.output_lock import alone_on
    from pipelines.operations.settings import home_from_environment
    from pipelines.read import ExportsRoot

    home_from_environment()  # a wrong one is told before anything is written
    ExportsRoot(arguments.exports)
    try:
        _check_writable(arguments.output)
    except OSError as error:
        from pipelines.mechanics.machine_faults import machine_fault

        print(
            f"impossible d'écrire dans {arguments.output} : {machine_fault(error) or error.strerror}", file=sys.stderr
        )
        return USAGE
    with alone_on(arguments.output, "resultats run"):
        tidy(arguments.output)
        return _treat(catalogue, arguments)


def _treat(catalogue: Catalogue, arguments: argparse.Namespace) -> int:
    """Run the jobs, and tell what they gave."""
    from assets.resources import Workspace, publishing_from_environment
    from assets.run import run_jobs
    from pipelines.operations.settings import letters_from_environment
    from pipelines.report.run_summary import summarise

    exports, output = (
        place if "://" in place else str(Path(place).resolve()) for place in (arguments.exports, arguments.output)
    )
    workspace = Workspace(
        exports=exports,
        output=output,
        schemas=str(arguments.schemas.resolve()),
        letters=letters_from_environment(),
        **publishing_from_environment(),
    )
    with steps(len(set(arguments.year) or catalogue.years) + 1) as tell:
        outcome = run_jobs(catalogue, workspace, arguments.network, arguments.year, tell)
    summary = summarise(catalogue, workspace.store, outcome)
    if arguments.json:
        print_json(summary.facts)
    else:
        print(summary.text)
    if not outcome.succeeded or outcome.failures:
        return REFUSED
    return REFUSED if arguments.strict and summary.refused else DONE


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


def _unknown_choices(catalogue: Catalogue, arguments: argparse.Namespace) -> str:
    """Return a French sentence when a network or a year asked for is not declared, else nothing."""
    from pipelines.declarations.problems import close_to

    for network in arguments.network:
        if network not in catalogue.networks:
            declared = ", ".join(sorted(catalogue.networks))
            return f"réseau « {network} » inconnu{close_to(network, catalogue.networks)} ; déclarés : {declared}"
    for year in arguments.year:
        if year not in catalogue.years:
            return f"année {year} non déclarée ; déclarées : {catalogue.years[0]}-{catalogue.years[-1]}"
    return ""
