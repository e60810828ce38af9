"""``resultats explain``: joins what a run left, the archive and the second path. Arguments and exit codes only.

How a number is traced and recomputed is in ``pipelines.explain``.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.declared import DONE, REFUSED, USAGE, load_or_tell

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pipelines.declarations import Catalogue, Layout
    from pipelines.explain import Explainer, OpenedFile, Release
    from pipelines.read import Archive

_LEVELS = ("national", "region", "departement", "site")


def add_command(commands: Any, add_schemas: Callable[[argparse.ArgumentParser], None]) -> None:
    """Declare the command."""
    explain = commands.add_parser(
        "explain",
        help="remonter d'un résultat publié à ses lignes sources, et le recalculer par un second chemin",
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
    explain.add_argument(
        "--output", default="data/output", metavar="DOSSIER_OU_URL", help="dossier ou URL de « resultats run »"
    )
    add_schemas(explain)
    explain.add_argument("--json", action="store_true", help="l'explication en JSON")
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
        explainer = open_explainer(catalogue, arguments.output)
        row = find_row(
            explainer.release.results, arguments.indicator, arguments.network, arguments.year,
            territory=arguments.territory, structure=arguments.structure, level=arguments.level,
            period=arguments.period,
        )  # fmt: skip
    except NotFoundError as error:
        print(error, file=sys.stderr)
        return USAGE
    found = explanation(explainer, row, arguments.schemas)
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
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


def open_explainer(catalogue: Catalogue, output: str | Path) -> Explainer:
    """Return the explainer of the latest release of an output folder; raises NotFoundError when there is none."""
    from assets.shared import open_store
    from assets.storage import read_json
    from pipelines.explain import Explainer, Kept

    store = open_store(str(output))

    def kept(network: str, year: int) -> Kept:
        folder = store.network_year(network, year)
        reception, report, results = (read_json(folder / f"{name}.json") for name in ("reception", "report", "results"))
        return Kept(reception, report, results, lambda export: store.observations(network, year) / f"{export}.parquet")

    def held(sha256: str) -> bool:
        try:
            store.archive.path(sha256)
        except (ValueError, OSError):
            return False
        return True

    return Explainer(catalogue, _latest(catalogue, store.releases), kept, _reader(store.archive), held)


def _latest(catalogue: Catalogue, releases: Path) -> Release:
    from pipelines.explain import NotFoundError, open_release
    from pipelines.publish.history import versions

    for dataset, declared in catalogue.datasets.items():
        if "resultats" in declared.tables and (known := versions(releases, dataset)):
            return open_release(dataset, releases / dataset / known[-1])
    raise NotFoundError(f"aucune version publiée dans {releases} : lancer « resultats run », ou indiquer --output")


def _reader(archive: Archive) -> Callable[[str, str, Layout, Collection[int]], OpenedFile]:
    """Return the function that opens an archived file again, by the content it had when it was received."""
    from pipelines.explain import ArchiveError, OpenedFile
    from pipelines.explain.evidence import DAMAGED
    from pipelines.read import DelimitedText, UnusableFileError, read_export
    from pipelines.read.text import open_text

    def read(sha256: str, path: str, layout: Layout, wanted: Collection[int]) -> OpenedFile:
        try:
            place = archive.path(sha256)
        except (ValueError, OSError) as error:
            raise ArchiveError(DAMAGED) from error
        with tempfile.TemporaryDirectory() as folder:
            try:
                opened = read_export(place, path, layout, Path(folder) / "texte")
                if not isinstance(opened, DelimitedText):
                    numbered = enumerate(opened.rows, start=opened.first_row)
                    return OpenedFile(opened.header, {number: row for number, row in numbered if number in wanted})
                with open_text(opened.source, opened.encoding) as stream:
                    records = csv.reader(stream, delimiter=opened.delimiter, quotechar=opened.quote_char)
                    numbered = enumerate(itertools.islice(records, opened.first_row - 1, None), opened.first_row)
                    return OpenedFile(opened.header, {number: row for number, row in numbered if number in wanted})
            except (UnusableFileError, csv.Error, UnicodeDecodeError) as error:
                raise ArchiveError(f"le fichier archivé ne se lit plus ({error})") from error

    return read
