"""``resultats site`` and ``resultats posters``: a release shown to the public. Arguments and exit codes only.

What a page or a poster says, and how it is made, is in ``pipelines.portal``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.options import Dataset, Json, Output, Schemas, known_network, load_or_stop, option
from pipelines.cli.publish_commands import nothing_released
from pipelines.cli.releases import dataset_of
from pipelines.cli.terminal_output import Exit, StoppedError, answer, steps, tell_left_out
from pipelines.mechanics.french import counted, number

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue
    from pipelines.flow.store import Store
    from pipelines.portal.posters.poster_files import Made

Version = Annotated[str | None, option("VERSION", "la version montrée (défaut : celle du catalogue local)")]
Folder = Annotated[Path | None, option("DOSSIER", "où écrire (défaut : le dossier site de la sortie)", "--site")]


def site(output: Output, schemas: Schemas, release: Version = None, folder: Folder = None, json: Json = False) -> None:
    """Write the public site of a published version: only the pages that differ."""
    catalogue = load_or_stop(schemas)
    from pipelines.flow.public_site import bring_site
    from pipelines.flow.store import Store
    from pipelines.operations.settings import theme_from_environment

    store = Store(output)
    store.must_have_begun()
    with steps() as begin:
        begin("pages du site")
        built = bring_site(catalogue, store, version=release, folder=folder, theme=theme_from_environment())
    if built is None:
        raise nothing_released(store, "site", json)
    tell_left_out(built)
    page = str(built.folder / "index.html")
    told = counted(len(built.written), "fichier écrit", "fichiers écrits")
    facts = {
        "site": page,
        "version": built.version,
        "fichiers": built.files,
        "ecrits": len(built.written),
        "retires": len(built.removed),
    }
    answer(facts, f"Version {built.version}, {told} sur {number(built.files)} : {page}", as_json=json)


def posters(
    network: Annotated[str, option("RÉSEAU", "réseau, par son identifiant")],
    output: Output,
    schemas: Schemas,
    structure: Annotated[str | None, option("CODE", "un seul guichet (défaut : tous, et leur zip)")] = None,
    release: Version = None,
    folder: Folder = None,
    dataset: Dataset = None,
    json: Json = False,
) -> int:
    """Make the posters of a network from a release."""
    catalogue = load_or_stop(schemas)
    known_network(catalogue, network)
    if folder is None and "://" in output:
        raise StoppedError("les affiches s'écrivent dans un dossier : le donner par --site")
    name, store = dataset_of(output, dataset or catalogue.on_site)
    declared = catalogue.datasets.get(name)
    if declared is None or declared.site is None:
        raise StoppedError(
            f"l'adresse du site n'est pas déclarée : écrire « site: https://… » dans {schemas}/datasets/{name}.yml ; "
            "c'est celle du code QR des affiches"
        )
    made = _make(catalogue, store, name, release, folder or Path(output) / "site", network, structure)
    _show(made, network, as_json=json)
    return Exit.REFUSED if made.refused else Exit.DONE


def _make(
    catalogue: Catalogue,
    store: Store,
    dataset: str,
    release: str | None,
    site: Path,
    network: str,
    structure: str | None,
) -> Made:
    """Make the posters, or raise StoppedError; a version that waits for somebody's agreement is on no wall."""
    from pipelines.portal.open_release import UnreadableReleaseError
    from pipelines.portal.posters.poster_files import NoPosterError, make_posters
    from pipelines.portal.release_data import Reading
    from pipelines.release.history import versions

    released = versions(store.releases, dataset)
    wanted = release or store.published(dataset).get("version")
    if wanted is None:
        raise StoppedError(
            f"aucune version de {dataset} n'est publiée : l'accepter (resultats publish), ou la donner par --release"
        )
    if wanted not in released:
        raise StoppedError(f"version {wanted} inconnue ; publiées : {', '.join(released)}")
    address = catalogue.datasets[dataset].site or ""
    try:
        with steps(1) as begin, Reading(store.release(dataset, wanted)) as reading:
            begin(f"affiches de {network}")
            return make_posters(site, reading, network, catalogue.networks[network], address, structure)
    except (NoPosterError, UnreadableReleaseError) as error:
        raise StoppedError(error) from error


def _show(made: Made, network: str, *, as_json: bool) -> None:
    """Tell what was made, and every poster that couldn't be."""
    facts = {
        "reseau": network,
        "faites": made.written,
        "inchangees": made.kept,
        "retirees": made.removed,
        "refusees": made.refused,
    }
    told = (
        f"{network} : {counted(len(made.written), 'affiche faite')}, {counted(len(made.kept), 'inchangée')}, "
        f"{counted(len(made.removed), 'retirée')}."
    )
    answer(facts, told, as_json=as_json)
    for fault in () if as_json else made.refused:
        print(fault, file=sys.stderr)
