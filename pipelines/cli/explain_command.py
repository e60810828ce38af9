"""``resultats explain``: joins what a run left and the archive. Arguments and exit codes only.

How a number is traced and computed again is in ``pipelines.explain``.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pipelines.cli.options import Json, Output, Schemas, known, known_network, load_or_stop, option
from pipelines.cli.terminal_output import Exit, StoppedError, print_json, steps

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue
    from pipelines.explain import Explainer, Release
    from pipelines.flow.store import Store

Level = Literal["site", "departement", "region", "national"]


def explain(
    indicator: Annotated[str, option("INDICATEUR", "indicateur, par son identifiant")],
    network: Annotated[str, option("RÉSEAU", "réseau, par son identifiant")],
    year: Annotated[int, option("ANNÉE", "année du résultat")],
    output: Output,
    schemas: Schemas,
    territory: Annotated[str | None, option("CODE_OU_NOM", "défaut : la maille la plus large")] = None,
    structure: Annotated[str | None, option("CODE", "une structure (caisse, agence…)")] = None,
    level: Annotated[Level | None, option("MAILLE", "national, region, departement ou site, si rien ne la dit")] = None,
    period: Annotated[str | None, option("PÉRIODE", "2024-T2, 2024-04… (défaut : l'année)")] = None,
    release: Annotated[str | None, option("VERSION", "une version antérieure (défaut : la dernière)")] = None,
    json: Json = False,
) -> int:
    """Tell where a published row comes from, and compute it again."""
    catalogue = load_or_stop(schemas)
    _check_names(catalogue, indicator, network)
    from pipelines.explain import NotFoundError, explanation, find_row

    try:
        with steps(2) as begin, tempfile.TemporaryDirectory() as folder:
            begin("lecture de la version")
            explainer = open_explainer(catalogue, output, Path(folder), release)
            row = find_row(
                explainer.release.results,
                indicator,
                network,
                year,
                territory=territory,
                structure=structure,
                level=level,
                period=period,
            )
            begin("lignes relues dans l'archive, calcul refait")
            told = explanation(explainer, row, schemas)
    except NotFoundError as error:
        raise StoppedError(error) from error
    if json:
        print_json(told)
    else:
        from pipelines.explain.explanation_screen import show

        show(told)
    return Exit.REFUSED if told["recalcul"]["accord"] is False else Exit.DONE


def _check_names(catalogue: Catalogue, indicator: str, network: str) -> None:
    """Raise StoppedError for a name that is not declared, or a network that doesn't feed the indicator."""
    known("indicateur", indicator, sorted(catalogue.indicators))
    known_network(catalogue, network)
    feeds = catalogue.indicators[indicator].networks
    if network not in feeds:
        raise StoppedError(f"« {network} » n'alimente pas cet indicateur ; réseaux : {', '.join(sorted(feeds))}")


def open_explainer(catalogue: Catalogue, output: str | Path, folder: Path, version: str | None = None) -> Explainer:
    """Return the explainer of a release of an output folder, the latest by default; raises NotFoundError without it.

    Files received since are not mistaken for those of the release: these are judged again, from the archive. What is
    read again is written in ``folder``, for as long as the explainer is used.
    """
    from pipelines.explain import Explainer
    from pipelines.flow.release_inputs import ReleasedYears
    from pipelines.flow.store import Store

    store = Store(str(output))
    release, latest = _release(catalogue, store, version)
    home = store.releases / release.dataset / release.version
    years = ReleasedYears(catalogue, store, home, release.results, latest, folder / "jugé")
    return Explainer(catalogue, release, years.kept, store.archive, folder)


def _release(catalogue: Catalogue, store: Store, version: str | None) -> tuple[Release, bool]:
    """Return the release meant, with the columns of today (empty where it had none), and whether it is the latest."""
    from pipelines.explain import NotFoundError, open_release
    from pipelines.release.history import versions

    for dataset, declared in catalogue.datasets.items():
        if "resultats" not in declared.tables or not (released := versions(store.releases, dataset)):
            continue
        wanted = version or released[-1]
        if wanted not in released:
            raise NotFoundError(f"version {wanted} inconnue ; il y a : {', '.join(released)}")
        found = open_release(dataset, store.release(dataset, wanted))
        new = [name for name in catalogue.tables["resultats"].names if name not in found.results]
        return replace(found, results=found.results.assign(**dict.fromkeys(new))), wanted == released[-1]
    raise NotFoundError(
        f"aucune version publiée dans {store.address(store.releases)} : lancer « resultats run », ou indiquer --output"
    )
