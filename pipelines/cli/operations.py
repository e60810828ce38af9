"""``resultats backup``, ``restore``, ``doctor`` and ``status``: what operators run. Only arguments and exit codes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.declared import DONE, OUTPUT_HELP, REFUSED, USAGE, load_or_tell, output_of_environment
from pipelines.cli.showing import add_json, bytes_counted, print_json, steps

if TYPE_CHECKING:
    from collections.abc import Callable


def add_commands(commands: Any, add_schemas: Callable[[argparse.ArgumentParser], None]) -> None:
    """Declare the four commands."""
    backup = commands.add_parser(
        "backup",
        help="sauvegarder l'instance Dagster, l'archive, les traitements et les versions dans un fichier vérifié",
        epilog="Code de sortie : 0 sauvegardé et relu, 1 impossible pour l'instant, 2 mauvais usage.",
    )
    backup.add_argument("target", type=Path, metavar="CIBLE", help="fichier .tar.zst, ou dossier (le nom est daté)")
    _add_output(backup)
    backup.add_argument("--keep", type=int, metavar="N", help="dossier : ne garder que les N dernières sauvegardes")
    backup.add_argument("--running", action="store_true", help="même si des traitements sont en cours")
    add_json(backup)
    backup.set_defaults(command=_backup)
    restore = commands.add_parser(
        "restore",
        help="remettre une sauvegarde en place, vérifiée octet par octet",
        epilog="Services arrêtés. Code de sortie : 0 restauré, 1 rien n'a été changé, 2 mauvais usage.",
    )
    restore.add_argument("source", type=Path, metavar="SAUVEGARDE", help="fichier .tar.zst")
    _add_output(restore)
    restore.add_argument("--replace", action="store_true", help="mettre de côté ce qui se trouve déjà là")
    add_json(restore)
    restore.set_defaults(command=_restore)
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


def _backup(arguments: argparse.Namespace) -> int:
    if arguments.keep is not None and (arguments.keep < 1 or not arguments.target.is_dir()):
        return _say("--keep : au moins 1, et CIBLE doit être un dossier", USAGE)
    from assets.backup import BackupError, back_up, keep_latest
    from assets.backup_outputs import output_to_save
    from assets.faults import machine_fault
    from pipelines.operations.instance_place import NoInstanceError, prepared_place
    from pipelines.read import RootError

    try:
        output = output_to_save(arguments.output)
        with bytes_counted("sauvegarde") as progress:
            made = back_up(arguments.target, output, prepared_place(), running=arguments.running, progress=progress)
        removed = keep_latest(arguments.target, arguments.keep) if arguments.keep else []
    except (NoInstanceError, RootError) as error:
        return _say(str(error), USAGE)
    except (BackupError, OSError) as error:
        return _say(f"pas de sauvegarde : {machine_fault(error) or error}", REFUSED)
    files, size = made.counts
    if arguments.json:
        told = {"sauvegarde": str(made.path), "fichiers": files, "octets": size, "retirees": list(map(str, removed))}
        print_json(told)
    else:
        print(f"sauvegardé et relu : {made.path} ({files} fichiers, {size} octets)")
    return DONE


def _restore(arguments: argparse.Namespace) -> int:
    if not arguments.source.is_file():
        return _say(f"sauvegarde introuvable : {arguments.source}", USAGE)
    from assets.backup import BackupError
    from assets.backup_outputs import output_to_save
    from assets.faults import machine_fault
    from assets.restoring import InterruptedRestoreError, restore
    from pipelines.operations.instance_place import NoInstanceError, instance_place
    from pipelines.read import RootError

    try:
        output = output_to_save(arguments.output)
        with bytes_counted("restauration") as progress:
            put = restore(arguments.source, output, instance_place(), replace=arguments.replace, progress=progress)
    except (NoInstanceError, RootError) as error:
        return _say(str(error), USAGE)
    except InterruptedRestoreError as error:
        return _say(str(error), REFUSED)
    except (BackupError, OSError) as error:
        return _say(f"rien n'a été restauré : {machine_fault(error) or error}", REFUSED)
    files, size = put.counts
    if arguments.json:
        told = {
            "restauree": str(arguments.source),
            "faite_le": put.manifest["faite_le"],
            "fichiers": files,
            "octets": size,
        }
        print_json(told)
    else:
        print(f"restauré : {files} fichiers, {size} octets, tels qu'au {put.manifest['faite_le']}")
    return DONE


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
    from assets.resources import letters_from_environment
    from assets.standing import NothingHereError, standing

    try:
        with steps() as tell:
            tell("lecture de la sortie")
            found = standing(catalogue, arguments.output, letters=letters_from_environment())
    except NothingHereError as error:
        return _say(str(error), USAGE)
    if arguments.json:
        print_json(found)
    else:
        from pipelines.cli.tables import show_standing

        show_standing(found)
    return DONE


def _say(message: str, code: int) -> int:
    print(f"resultats : {message}", file=sys.stderr)
    return code
