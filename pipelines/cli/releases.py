"""``resultats verify`` and ``resultats rollback``: releases proved, and gone back on. Arguments and exit codes only.

What a proof is, and what going back does, is in ``pipelines.release``; this room runs the pipeline again for it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import Dataset, Json, Output, Schemas, flag, load_or_stop, option
from pipelines.cli.terminal_output import Exit, StoppedError, answer, steps, tell_left_out
from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Catalogue
    from pipelines.flow.store import Store

RESULTS = "resultats"


def verify(
    output: Output,
    schemas: Schemas,  # noqa: ARG001 (taken, as by every command that reads an output)
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="la version à refaire (défaut : la dernière)")
    ] = None,
    no_rebuild: Annotated[
        bool, flag("--no-rebuild", "ne rien refaire : empreintes, chaîne, journaux et archive seuls")
    ] = False,
    wanted_dataset: Dataset = None,
    json: Json = False,
) -> int:
    """Prove the releases, and make one of them again."""
    from pipelines.release import history

    dataset, store = dataset_of(output, wanted_dataset)
    versions = history.versions(store.room("releases"), dataset)
    wanted = version or (versions[-1] if versions else "")
    if wanted not in versions:
        raise StoppedError(f"{dataset} : version {wanted} inconnue ; publiées : {', '.join(versions) or 'aucune'}")
    findings, proved, rebuilt = _proof(store, dataset, versions, None if no_rebuild else wanted)
    facts = {
        "jeu": dataset,
        "versions": versions,
        "refaite": rebuilt,
        "conforme": not findings,
        "prouve": proved,
        "constats": findings,
    }
    answer(facts, *proved, as_json=json)
    for finding in () if json else findings:
        print(finding, file=sys.stderr)
    return Exit.REFUSED if findings else Exit.DONE


def _proof(
    store: Store, dataset: str, versions: Sequence[str], to_rebuild: str | None
) -> tuple[list[str], list[str], str | None]:
    """Prove every release of a dataset; return what is wrong, what is proved, and the one that was made again."""
    from pipelines.release.integrity import chain_findings
    from pipelines.release.verification import archive_findings, release_proof

    findings: list[str] = []
    sound = []
    with steps(len(versions) + 1 + (to_rebuild is not None)) as begin:
        for version in versions:
            begin(f"{version} : empreintes et journal")
            wrong = release_proof(store.releases, dataset, version)
            findings += wrong
            sound += [] if wrong else [version]
        findings += chain_findings(store.releases, dataset) if not findings else []
        begin("fichiers reçus, dans l'archive")
        findings += archive_findings(store.releases, dataset, sound, store.archive.fault)
        if findings:
            return findings, [], None
        what = f"{counted(len(versions), 'version')}, empreintes, chaîne et journaux : conformes."
        proved = [f"{dataset} : {what} Fichiers reçus : tous dans l'archive."]
        if to_rebuild is None:
            return [], proved, None
        begin(f"{to_rebuild} refaite depuis l'archive")
        findings, lines = _rebuild(store, dataset, to_rebuild)
        return findings, [*proved, *lines], to_rebuild


def _rebuild(store: Store, dataset: str, version: str) -> tuple[list[str], list[str]]:
    """Make the release again from the archive; return what differs, and what was proved."""
    from pipelines.flow.replay import ReplayError, replay
    from pipelines.release import history
    from pipelines.release.verification import rebuilt_findings, rendered_otherwise

    release = store.releases / dataset / version
    if went_back := history.descriptor(release).get("rollback"):
        same = history.content_of(store.releases / dataset / went_back["to"]) == history.content_of(release)
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
            lines = [f"{dataset} {version} : refaite depuis l'archive, identique."]
            for name in rendered_otherwise(release, rebuilt):
                lines.append(f"  {name} : mêmes données, écrites par une autre version des bibliothèques")
            return [], lines
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


def rollback(
    output: Output,
    schemas: Schemas,
    to: Annotated[str, option("VERSION", "la version dont reprendre les tables")],
    reason: Annotated[str, option("TEXTE", "pourquoi, en une phrase : elle est publiée")],
    wanted_dataset: Dataset = None,
    json: Json = False,
) -> None:
    """Make a new release with the tables of an earlier one."""
    from pipelines.flow.store import AlreadyReleasedError
    from pipelines.operations.output_lock import alone_on
    from pipelines.release.refusals import PublicationError, ReleaseError

    catalogue = load_or_stop(schemas)
    dataset, store = dataset_of(output, wanted_dataset)
    try:
        with alone_on(output, "resultats rollback"):
            version, folder = _go_back(catalogue, dataset, store, to, reason)
    except (ReleaseError, AlreadyReleasedError, PublicationError) as error:
        raise StoppedError(error, Exit.REFUSED) from error
    place = _shown(store, folder)
    answer(
        {"jeu": dataset, "version": version, "reprend": to, "dossier": place},
        f"{dataset} {version} : tables de la version {to}. {place}",
        "Tant que les traitements redonnent les tables écartées, aucune nouvelle version n'est faite.",
        as_json=json,
    )


def _go_back(catalogue: Catalogue, dataset: str, store: Store, to: str, reason: str) -> tuple[str, Path]:
    """Make the release, publish it locally and on the site; return its version and its folder."""
    from pipelines.flow.public_site import follow_site
    from pipelines.flow.publish import Publisher
    from pipelines.flow.replay import archived_catalogue
    from pipelines.operations.settings import read_secret, theme_from_environment
    from pipelines.release.rollback import rollback
    from pipelines.targets.folder.folder_target import NAME

    store.room("releases")
    with tempfile.TemporaryDirectory() as folder:
        then = archived_catalogue(store, store.releases / dataset / to, Path(folder)) or catalogue
    with store.releasing(dataset) as releases:
        release = rollback(dataset, then, releases, to, reason)
    Publisher(catalogue, store, NAME, read_secret).impose()
    tell_left_out(follow_site(catalogue, store, theme_from_environment()))
    return release.version, release.folder


def _shown(store: Store, folder: Path) -> str:
    return store.address(folder) if "://" in store.address(folder) else str(folder)


def _has_results(store: Store, dataset: str) -> bool:
    """Whether a dataset is that of the yearly results: the one meant where several are published and none is named."""
    from pipelines.release import history

    versions = history.versions(store.releases, dataset)
    return bool(versions) and RESULTS in history.table_names(store.release(dataset, versions[-1]))


def dataset_of(output: str, wanted: str | None) -> tuple[str, Store]:
    """Return the dataset meant and the store that has its releases, or tell why none is and raise StoppedError."""
    from pipelines.declarations.problems import close_to
    from pipelines.flow.store import Store

    store = Store(output)
    releases = store.releases
    datasets = sorted(path.name for path in releases.iterdir() if path.is_dir()) if releases.is_dir() else []
    usual = datasets if len(datasets) == 1 else [name for name in datasets if _has_results(store, name)]
    if wanted is None and len(usual) == 1:
        return usual[0], store
    if wanted is not None and wanted in datasets:
        return wanted, store
    if not datasets:
        place = _shown(store, releases)
        message = f"aucune version publiée dans {place} : lancer « resultats run », ou indiquer --output"
    elif wanted:
        message = f"jeu de données « {wanted} » inconnu{close_to(wanted, datasets)} ; publiés : {', '.join(datasets)}"
    else:
        message = f"préciser --dataset ; publiés : {', '.join(datasets)}"
    raise StoppedError(message)
