"""``resultats explain``: joins what a run left and the archive. Arguments and exit codes only.

How a number is traced and recomputed is in ``pipelines.explain``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.declared import DONE, OUTPUT_HELP, REFUSED, USAGE, load_or_tell, output_of_environment
from pipelines.cli.showing import add_json, print_json, steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.declarations import Catalogue
    from pipelines.explain import Explainer, Release
    from pipelines.flow.store import Store

_LEVELS = ("national", "region", "departement", "site")


def add_command(commands: Any, add_schemas: Callable[[argparse.ArgumentParser], None]) -> None:
    """Declare the command."""
    explain = commands.add_parser(
        "explain",
        help="remonter d'un résultat publié à ses lignes sources, et le recalculer",
        epilog="Code de sortie : 0 le recalcul confirme (ou la valeur est secrète), 1 il ne confirme pas, "
        "2 ligne introuvable ou mauvais usage.",
    )
    explain.add_argument("--indicator", required=True, metavar="INDICATEUR")
    explain.add_argument("--network", required=True, metavar="RÉSEAU")
    explain.add_argument("--year", required=True, type=int, metavar="ANNÉE")
    explain.add_argument("--territory", metavar="CODE_OU_NOM", help="défaut : la maille la plus large")
    explain.add_argument("--structure", metavar="CODE", help="une structure (caisse, agence…)")
    explain.add_argument("--level", choices=_LEVELS, help="maille, si le territoire ne suffit pas à la dire")
    explain.add_argument("--period", metavar="PÉRIODE", help="2024-T2, 2024-04… (défaut : l'année)")
    explain.add_argument("--release", metavar="VERSION", help="une version antérieure (défaut : la dernière)")
    explain.add_argument("--output", default=output_of_environment(), metavar="DOSSIER_OU_URL", help=OUTPUT_HELP)
    add_schemas(explain)
    add_json(explain)
    explain.set_defaults(command=_explain)


def _explain(arguments: argparse.Namespace) -> int:
    catalogue = load_or_tell(arguments.schemas)
    if catalogue is None:
        return USAGE
    if message := _unknown(catalogue, arguments):
        print(message, file=sys.stderr)
        return USAGE
    from pipelines.explain import NotFoundError, explanation, find_row

    try:
        with steps(2) as tell, tempfile.TemporaryDirectory() as folder:
            tell("lecture de la version")
            explainer = open_explainer(catalogue, arguments.output, Path(folder), arguments.release)
            row = find_row(
                explainer.release.results, arguments.indicator, arguments.network, arguments.year,
                territory=arguments.territory, structure=arguments.structure, level=arguments.level,
                period=arguments.period,
            )  # fmt: skip
            tell("lignes relues dans l'archive, calcul refait")
            found = explanation(explainer, row, arguments.schemas)
    except NotFoundError as error:
        print(error, file=sys.stderr)
        return USAGE
    if arguments.json:
        print_json(found)
    else:
        from pipelines.explain.terminal import show

        show(found)
    return REFUSED if found["recalcul"]["accord"] is False else DONE


def _unknown(catalogue: Catalogue, arguments: argparse.Namespace) -> str:
    from pipelines.declarations.problems import close_to

    for word, name, known in (
        ("indicateur", arguments.indicator, catalogue.indicators), ("réseau", arguments.network, catalogue.networks),
    ):  # fmt: skip
        if name not in known:
            return f"{word} « {name} » inconnu{close_to(name, known)} ; déclarés : {', '.join(sorted(known))}"
    feeds = catalogue.indicators[arguments.indicator].networks
    if arguments.network not in feeds:
        return f"« {arguments.network} » n'alimente pas cet indicateur ; réseaux : {', '.join(sorted(feeds))}"
    return ""


def open_explainer(
    catalogue: Catalogue, output: str | Path, folder: Path, version: str | None = None
) -> Explainer:  # fmt: skip
    """Return the explainer of a release of an output folder, the latest by default; raises NotFoundError without it.

    Files received since are not mistaken for those of the release: these are judged again, from the archive. What is
    read again is written in ``folder``, for as long as the explainer is used.
    """
    from pipelines.explain import Explainer
    from pipelines.flow.release_inputs import ReleasedYears
    from pipelines.flow.shared_store import open_store

    store = open_store(str(output))
    release, latest = _release(catalogue, store, version)
    home = store.releases / release.dataset / release.version
    years = ReleasedYears(catalogue, store, home, release.results, latest, folder / "jugé")
    return Explainer(catalogue, release, years.kept, store.archive, folder)


def _release(catalogue: Catalogue, store: Store, version: str | None) -> tuple[Release, bool]:
    """Return the release meant, with the columns of today (empty where it had none), and whether it is the latest."""
    from pipelines.explain import NotFoundError, open_release
    from pipelines.release.history import versions

    for dataset, declared in catalogue.datasets.items():
        if "resultats" not in declared.tables or not (known := versions(store.releases, dataset)):
            continue
        wanted = version or known[-1]
        if wanted not in known:
            raise NotFoundError(f"version {wanted} inconnue ; il y a : {', '.join(known)}")
        found = open_release(dataset, store.bring_release(dataset, wanted))
        new = [name for name in catalogue.tables["resultats"].names if name not in found.results]
        return replace(found, results=found.results.assign(**dict.fromkeys(new))), wanted == known[-1]
    raise NotFoundError(
        f"aucune version publiée dans {store.address(store.releases)} : lancer « resultats run », ou indiquer --output"
    )
