"""``resultats posters``: what the offices of a network hang on their walls. Arguments and exit codes only.

What a poster says, and how it is made, is in ``pipelines.portal.posters``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import (
    DONE,
    REFUSED,
    USAGE,
    Json,
    Output,
    Schemas,
    load_or_stop,
    option,
    tell,
    unknown_network,
)
from pipelines.cli.releases import Dataset, dataset_of
from pipelines.cli.terminal_output import print_json, steps
from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue
    from pipelines.flow.store import Store
    from pipelines.portal.posters import Made


def posters(
    network: Annotated[str, option("RÉSEAU", "réseau, par son identifiant")],
    output: Output,
    schemas: Schemas,
    structure: Annotated[str | None, option("CODE", "un seul guichet (défaut : tous, et leur zip)")] = None,
    release: Annotated[str | None, option("VERSION", "la version montrée (défaut : celle du catalogue local)")] = None,
    folder: Annotated[
        Path | None, typer.Option("--site", metavar="DOSSIER", help="où écrire (défaut : le dossier site de la sortie)")
    ] = None,
    dataset: Dataset = None,
    json: Json = False,
) -> int:
    """Make the posters of a network from a release."""
    catalogue = load_or_stop(schemas)
    if fault := _unknown(catalogue, network, output, folder):
        return tell(fault, USAGE)
    name, store = dataset_of(output, dataset or catalogue.on_site)
    declared = catalogue.datasets.get(name)
    if declared is None or declared.site is None:
        return tell(
            f"l'adresse du site n'est pas déclarée : écrire « site: https://… » dans {schemas}/datasets/{name}.yml ; "
            "c'est celle du code QR des affiches", USAGE,
        )  # fmt: skip
    made = _make(catalogue, store, name, release, folder or Path(output) / "site", network, structure)
    if isinstance(made, str):
        return tell(made, USAGE)
    _show(made, network, as_json=json)
    return REFUSED if made.refused else DONE


def _unknown(catalogue: Catalogue, network: str, output: str, folder: Path | None) -> str:
    """Say what can't be done as it is asked, nothing when all can."""
    if network not in catalogue.networks:
        return unknown_network(catalogue, network)
    if folder is None and "://" in output:
        return "les affiches s'écrivent dans un dossier : le donner par --site"
    return ""


def _make(
    catalogue: Catalogue, store: Store, dataset: str, release: str | None, site: Path, network: str,
    structure: str | None,
) -> Made | str:  # fmt: skip
    """Make the posters, or say why there are none; a version that waits for somebody's agreement is on no wall."""
    from pipelines.portal.posters import NoPosterError, make_posters
    from pipelines.portal.release_data import Reading, UnreadableReleaseError
    from pipelines.release.history import versions

    known = versions(store.releases, dataset)
    wanted = release or store.published(dataset).get("version")
    if wanted is None:
        return f"aucune version de {dataset} n'est publiée : l'accepter (resultats publish), ou la donner par --release"
    if wanted not in known:
        return f"version {wanted} inconnue ; publiées : {', '.join(known)}"
    address = catalogue.datasets[dataset].site or ""
    try:
        with steps(1) as begin, Reading(store.release(dataset, wanted)) as reading:
            begin(f"affiches de {network}")
            return make_posters(site, reading, network, catalogue.networks[network], address, structure)
    except (NoPosterError, UnreadableReleaseError) as error:
        return str(error)


def _show(made: Made, network: str, *, as_json: bool) -> None:
    """Tell what was made, and every poster that couldn't be."""
    if as_json:
        print_json({
            "reseau": network, "faites": made.written, "inchangees": made.kept, "retirees": made.removed,
            "refusees": made.refused,
        })  # fmt: skip
        return
    print(
        f"{network} : {counted(len(made.written), 'affiche faite')}, {counted(len(made.kept), 'inchangée')}, "
        f"{counted(len(made.removed), 'retirée')}."
    )
    for fault in made.refused:
        print(fault, file=sys.stderr)
