"""Commands of operators: the Dagster instance (made ready, recovered, purged), the revisions of closed years.

Only arguments and exit codes; what they do is in ``assets``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.declared import DONE, REFUSED, USAGE
from pipelines.cli.showing import add_json, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.flow.state import Proposal


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``instance`` and ``revisions``."""
    instance = commands.add_parser("instance", help="l'instance Dagster : préparer, reprendre après un arrêt, purger")
    actions = instance.add_subparsers(required=True, metavar="ACTION")
    _action(actions, "prepare", _prepare, "créer ou migrer le stockage, réparer un premier démarrage interrompu")
    _action(actions, "recover", _recover, "au démarrage du service : marquer en échec ce qui a été tué avec lui")
    purge = _action(actions, "purge", _purge, "supprimer les traitements anciens, avec événements et journaux")
    purge.add_argument("--days", type=int, metavar="JOURS", help="âge (défaut : RESULTATS_RETENTION_DAYS, sinon 90)")
    revisions = commands.add_parser("revisions", help="révisions d'années closes : lister, accepter")
    _output(revisions)
    revisions.add_argument(
        "--accept", nargs=3, metavar=("RÉSEAU", "ANNÉE", "RÉVISION"), help="mettre en place celle-ci"
    )
    add_json(revisions)
    revisions.set_defaults(command=_revisions)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: Callable[[argparse.Namespace], int],
    told: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=told)
    parser.add_argument("--home", type=Path, metavar="DOSSIER", help="défaut : DAGSTER_HOME")
    add_json(parser)
    parser.set_defaults(command=_with_home(command))
    return parser


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", required=True, metavar="DOSSIER_OU_URL", help="dossier ou URL des versions et de l'archive"
    )


def _with_home(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Refuse, with a sentence, a home that holds no ``dagster.yaml``."""

    def checked(arguments: argparse.Namespace) -> int:
        from pipelines.operations.settings import home_from_environment

        arguments.home = arguments.home or home_from_environment()
        if arguments.home is None or not (arguments.home / "dagster.yaml").is_file():
            print(
                "pas d'instance ici : donner --home ou DAGSTER_HOME, dossier qui contient dagster.yaml", file=sys.stderr
            )
            return USAGE
        return command(arguments)

    return checked


def _prepare(arguments: argparse.Namespace) -> int:
    from pipelines.operations.instance import prepare_instance

    done = prepare_instance(arguments.home.resolve())
    _answer(arguments, {"fait": done}, *done)
    return DONE


def _recover(arguments: argparse.Namespace) -> int:
    from pipelines.operations.instance import opened
    from pipelines.operations.lost_runs import fail_lost_runs

    with opened(arguments.home.resolve()) as instance:
        lost = fail_lost_runs(instance, nothing_runs=True)
    told = f"{len(lost)} traitements perdus marqués en échec" + (f" : {', '.join(lost)}" if lost else "")
    _answer(arguments, {"perdus": lost}, told)
    return DONE


def _purge(arguments: argparse.Namespace) -> int:
    from pipelines.operations.instance import opened
    from pipelines.operations.purge import purge_older
    from pipelines.operations.settings import retention_from_environment

    days = retention_from_environment() if arguments.days is None else arguments.days
    with opened(arguments.home.resolve()) as instance:
        gone = purge_older(instance, days)
    told = f"{len(gone)} traitements de plus de {days} jours supprimés"
    _answer(arguments, {"jours": days, "supprimes": gone}, told)
    return DONE


def _revisions(arguments: argparse.Namespace) -> int:
    from pipelines.flow.revisions import RevisionError, accept_revision, waiting_revisions
    from pipelines.flow.shared_store import open_store
    from pipelines.operations.output_lock import alone_on

    store = open_store(arguments.output)
    if arguments.accept is None:
        found = list(waiting_revisions(store))
        rows = [
            {"reseau": item.network, "annee": item.year, "empreinte": item.fingerprint,
             "proposee_le": item.proposed_at, "differences": item.differences}
            for item in found
        ]  # fmt: skip
        _answer(arguments, {"revisions": rows}, *(_told(item) for item in found))
        return DONE
    network, year, revision = arguments.accept
    try:
        with alone_on(arguments.output, "resultats revisions"):
            accept_revision(store, network, int(year), revision)
    except RevisionError as error:
        print(error, file=sys.stderr)
        return REFUSED
    except ValueError:
        print(f"année « {year} » : un nombre est attendu", file=sys.stderr)
        return USAGE
    told = f"{network} {year} : révision acceptée ; les tables nationales suivront"
    _answer(arguments, {"reseau": network, "annee": int(year), "acceptee": revision}, told)
    return DONE


def _told(item: Proposal) -> str:
    counts = ", ".join(f"{name} {count}" for name, count in item.differences.items() if count)
    return f"{item.network} {item.year} {item.fingerprint[:12]} proposée le {item.proposed_at} : {counts}"


def _answer(arguments: argparse.Namespace, content: dict[str, Any], *lines: str) -> None:
    """Print the answer as asked: JSON, or French lines."""
    if arguments.json:
        print_json(content)
    else:
        for line in lines:
            print(line)
