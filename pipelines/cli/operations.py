"""``resultats doctor`` and ``status``: what operators run. Only arguments and exit codes."""

from __future__ import annotations

import argparse
import datetime
import sys
from typing import TYPE_CHECKING, Any

from pipelines.cli.declared import DONE, OUTPUT_HELP, REFUSED, USAGE, load_or_tell, output_of_environment
from pipelines.cli.showing import add_json, print_json, steps

if TYPE_CHECKING:
    from collections.abc import Callable


def add_commands(commands: Any, add_schemas: Callable[[argparse.ArgumentParser], None]) -> None:
    """Declare both commands."""
    doctor = commands.add_parser(
        "doctor",
        help="dire si tout est prêt : installation, stockage, instance, clés, horloge, services",
        epilog="Code de sortie : 0 prêt (avertissements compris), 1 au moins une panne, 2 mauvais usage.",
    )
    _add_output(doctor)
    add_schemas(doctor)
    doctor.add_argument("--target", action="store_true", help="joindre aussi la cible de publication")
    doctor.add_argument("--mail", action="store_true", help="joindre aussi le serveur de courriel et le webhook")
    add_json(doctor)
    doctor.set_defaults(command=_doctor)
    status = commands.add_parser(
        "status", help="dire ce qui est publié et où, ce qui est en retard, ce qui attend un accord"
    )
    _add_output(status)
    add_schemas(status)
    add_json(status)
    status.set_defaults(command=_status)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        default=output_of_environment(),
        metavar="DOSSIER_OU_URL",
        help=OUTPUT_HELP,
    )


def _doctor(arguments: argparse.Namespace) -> int:
    catalogue = load_or_tell(arguments.schemas)
    if catalogue is None:
        return REFUSED
    from pipelines.operations.doctor import diagnose

    with steps() as tell:
        tell("contrôles")
        found = diagnose(arguments.output, target=arguments.target, mail=arguments.mail)
    failed = any(item.state == "panne" for item in found)
    if arguments.json:
        print_json({"pret": not failed, "constats": [vars(item) for item in found]})
    else:
        from pipelines.cli.tables import show_findings

        show_findings(found)
    return REFUSED if failed else DONE


def _status(arguments: argparse.Namespace) -> int:
    catalogue = load_or_tell(arguments.schemas)
    if catalogue is None:
        return USAGE
    from pipelines.operations.settings import letters_from_environment
    from pipelines.report.status import NothingHereError, status

    today = datetime.datetime.now().astimezone().date()
    try:
        with steps() as tell:
            tell("lecture de la sortie")
            found = status(catalogue, arguments.output, today, letters_from_environment())
    except NothingHereError as error:
        return _say(str(error), USAGE)
    if arguments.json:
        print_json(found)
    else:
        from pipelines.cli.tables import show_lines
        from pipelines.report.status import status_lines

        show_lines(status_lines(found))
    return DONE


def _say(message: str, code: int) -> int:
    print(f"resultats : {message}", file=sys.stderr)
    return code
