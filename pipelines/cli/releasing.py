"""``resultats verify`` and ``resultats rollback``: releases proved, and gone back on. Arguments and exit codes only.

What a proof is, and what going back does, is in ``pipelines.release``; this room runs the pipeline again for it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.declared import DONE, OUTPUT_HELP, REFUSED, USAGE, load_or_tell, output_of_environment
from pipelines.cli.showing import add_json, print_json, steps
from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.declarations import Catalogue
    from pipelines.flow.store import Store


def add_commands(commands: Any, add_schemas: Callable[[argparse.ArgumentParser], None]) -> None:
    """Declare the commands."""
    verify = commands.add_parser(
        "verify",
        help="prouver les versions publiées : empreintes, chaîne, journaux, fichiers reçus, et une version refaite",
        epilog="Code de sortie : 0 tout est prouvé, 1 quelque chose ne l'est pas, 2 version inconnue ou mauvais usage.",
    )
    verify.add_argument("release", nargs="?", metavar="VERSION", help="la version à refaire (défaut : la dernière)")
    verify.add_argument(
        "--no-rebuild", action="store_true", help="ne rien refaire : empreintes, chaîne, journaux et archive seuls"
    )
    verify.set_defaults(command=_verify)
    rollback = commands.add_parser(
        "rollback", help="revenir à une version : une nouvelle version, avec ses tables et un motif"
    )
    rollback.add_argument("--to", required=True, metavar="VERSION", help="la version dont reprendre les tables")
    rollback.add_argument("--reason", required=True, metavar="TEXTE", help="pourquoi, en une phrase : elle est publiée")
    rollback.set_defaults(command=_rollback)
    for parser in (verify, rollback):
        parser.add_argument("--dataset", metavar="JEU", help="jeu de données (inutile s'il n'y en a qu'un)")
        parser.add_argument("--output", default=output_of_environment(), metavar="DOSSIER_OU_URL", help=OUTPUT_HELP)
        add_schemas(parser)
        add_json(parser)


def _verify(arguments: argparse.Namespace) -> int:
    from pipelines.release import history
    from pipelines.release.chain import chain_findings
    from pipelines.release.proof import archive_findings, release_proof

    found = _dataset(arguments)
    if found is None:
        return USAGE
    dataset, store = found
    releases = store.bring_releases()
    known = history.versions(releases, dataset)
    wanted = arguments.release or (known[-1] if known else "")
    if wanted not in known:
        print(f"{dataset} : version {wanted} inconnue ; publiées : {', '.join(known) or 'aucune'}", file=sys.stderr)
        return USAGE
    proved, rebuilt = [], None
    with steps(len(known) + 1 + (not arguments.no_rebuild)) as tell:
        findings, sound = [], []
        for version in known:
            tell(f"{version} : empreintes et journal")
            wrong = release_proof(releases, dataset, version)
            findings += wrong
            sound += [] if wrong else [version]
        findings += chain_findings(releases, dataset) if not findings else []
        tell("fichiers reçus, dans l'archive")
        findings += archive_findings(releases, dataset, sound, store.archive.fault)
        if not findings:
            what = f"{counted(len(known), 'version')}, empreintes, chaîne et journaux : conformes."
            proved = [f"{dataset} : {what} Fichiers reçus : tous dans l'archive."]
        if not findings and not arguments.no_rebuild:
            tell(f"{wanted} refaite depuis l'archive")
            findings, told = _rebuild(store, dataset, wanted)
            rebuilt, proved = wanted, [*proved, *told]
    if arguments.json:
        print_json({
            "jeu": dataset, "versions": known, "refaite": rebuilt, "conforme": not findings, "prouve": proved,
            "constats": findings,
        })  # fmt: skip
        return REFUSED if findings else DONE
    for line in proved:
        print(line)
    for finding in findings:
        print(finding, file=sys.stderr)
    return REFUSED if findings else DONE


def _rebuild(store: Store, dataset: str, version: str) -> tuple[list[str], list[str]]:
    """Make the release again from the archive; return what differs, and what was proved."""
    from pipelines.flow.replay import ReplayError, replay
    from pipelines.release import chain, history
    from pipelines.release.proof import rebuilt_findings, rendered_otherwise

    release = store.releases / dataset / version
    if went_back := history.descriptor(release).get("rollback"):
        same = chain.content_of(store.releases / dataset / went_back["to"]) == chain.content_of(release)
        if same:
            return [], [f"{dataset} {version} : retour à la version {went_back['to']}, mêmes tables."]
        return [f"{dataset} {version} : retour à la version {went_back['to']}, tables différentes"], []
    with tempfile.TemporaryDirectory() as folder:
        try:
            rebuilt = replay(store, dataset, version, Path(folder))
        except ReplayError as error:
            return [f"{dataset} {version} : impossible à refaire, {error}"], []
        findings = rebuilt_findings(release, rebuilt)
        if not findings:
            told = [f"{dataset} {version} : refaite depuis l'archive, identique."]
            for name in rendered_otherwise(release, rebuilt):
                told.append(f"  {name} : mêmes données, écrites par une autre version des bibliothèques")
            return [], told
        if _code(release) != _code(rebuilt):
            findings.append(
                "le code de calcul n'est pas celui de cette version : reprendre le code d'alors pour conclure"
            )
        return [f"{dataset} {version} : {finding}" for finding in findings], []


def _code(release: Path) -> str:
    from pipelines.release import history
    from pipelines.release.inputs import inputs_of

    inputs = inputs_of(history.descriptor(release))
    return inputs.code if inputs else ""


def _rollback(arguments: argparse.Namespace) -> int:
    from pipelines.operations.output_lock import alone_on

    found, catalogue = _dataset(arguments), load_or_tell(arguments.schemas)
    if found is None or catalogue is None:
        return USAGE
    dataset, store = found
    with alone_on(arguments.output, "resultats rollback"):
        return _go_back(arguments, catalogue, dataset, store)


def _go_back(arguments: argparse.Namespace, catalogue: Catalogue, dataset: str, store: Store) -> int:
    from pipelines.flow.publish import Publisher
    from pipelines.flow.replay import archived_catalogue
    from pipelines.flow.store import AlreadyReleasedError
    from pipelines.operations.settings import read_secret
    from pipelines.release.errors import PublicationError, ReleaseError
    from pipelines.release.rollback import rollback
    from pipelines.targets.folder.target import NAME

    store.bring_releases()
    with tempfile.TemporaryDirectory() as folder:
        then = archived_catalogue(store, store.releases / dataset / arguments.to, Path(folder)) or catalogue
    try:
        made = rollback(dataset, then, store.releases, arguments.to, arguments.reason)
        store.save_release(dataset, made.version)
        Publisher(catalogue, store, NAME, read_secret).impose()
    except (ReleaseError, AlreadyReleasedError, PublicationError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    if arguments.json:
        place = _shown(store, made.folder)
        print_json({"jeu": dataset, "version": made.version, "reprend": arguments.to, "dossier": place})
        return DONE
    print(f"{dataset} {made.version} : tables de la version {arguments.to}. {_shown(store, made.folder)}")
    print("Tant que les traitements redonnent les tables écartées, aucune nouvelle version n'est faite.")
    return DONE


def _shown(store: Store, folder: Path) -> str:
    return store.address(folder) if "://" in store.address(folder) else str(folder)


def _dataset(arguments: argparse.Namespace) -> tuple[str, Store] | None:
    """Return the dataset meant and the store that has its releases, or tell why none is."""
    from pipelines.declarations.problems import close_to
    from pipelines.flow.shared_store import open_store
    from pipelines.read import RootError

    try:
        store = open_store(arguments.output)
    except RootError as error:
        print(error, file=sys.stderr)
        return None
    releases = store.releases
    known = sorted(path.name for path in releases.iterdir() if path.is_dir()) if releases.is_dir() else []
    if not known:
        print(
            f"aucune version publiée dans {_shown(store, releases)} : lancer « resultats run », ou indiquer --output",
            file=sys.stderr,
        )
        return None
    if arguments.dataset is None and len(known) == 1:
        return known[0], store
    if arguments.dataset not in known:
        asked = (
            f"jeu de données « {arguments.dataset} » inconnu{close_to(arguments.dataset, known)}"
            if arguments.dataset
            else "préciser --dataset"
        )
        print(f"{asked} ; publiés : {', '.join(known)}", file=sys.stderr)
        return None
    return arguments.dataset, store
