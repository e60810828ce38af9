"""What commands share: exit codes, options, and the declarations or what is wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Catalogue
    from pipelines.declarations.problems import Problem
    from pipelines.portal.site import BuiltSite

DONE, REFUSED, USAGE = 0, 1, 2
# Rules that say that a file can't be read at all: ours, then frictionless's.
UNREADABLE = frozenset({
    "fichier-illisible", "fichier-vide", "fichier-coupe", "feuille-absente", "archive", "encodage", "scheme-error",
    "format-error", "encoding-error", "compression-error", "source-error", "resource-error",
})  # fmt: skip


def output_of_environment() -> str:
    """Return the output that the environment names, as the services read it."""
    from pipelines.operations.settings import place_from_environment

    return place_from_environment("RESULTATS_OUTPUT", "data/output")


def exports_of_environment() -> str:
    """Return the root of the exports that the environment names, likewise."""
    from pipelines.operations.settings import place_from_environment

    return place_from_environment("RESULTATS_EXPORTS", "data/samples")


def schemas_of_environment() -> Path:
    """Return the folder of declarations that the environment names, likewise."""
    from pipelines.operations.settings import place_from_environment

    return Path(place_from_environment("RESULTATS_SCHEMAS", "schemas"))


def option(metavar: str, told: str) -> Any:
    """Declare an option that takes a value."""
    return typer.Option(metavar=metavar, help=told)


def flag(name: str, told: str) -> Any:
    """Declare an option that takes none."""
    return typer.Option(name, help=told)


Json = Annotated[bool, flag("--json", "la réponse en JSON")]
Schemas = Annotated[
    Path,
    typer.Option(
        metavar="DOSSIER",
        default_factory=schemas_of_environment,
        help="dossier des déclarations (défaut : RESULTATS_SCHEMAS, sinon schemas)",
    ),
]
Exports = Annotated[
    str,
    typer.Option(
        metavar="DOSSIER_OU_URL",
        default_factory=exports_of_environment,
        help="racine des exports (défaut : RESULTATS_EXPORTS, sinon data/samples)",
    ),
]
Output = Annotated[
    str,
    typer.Option(
        metavar="DOSSIER_OU_URL",
        default_factory=output_of_environment,
        help="dossier ou URL de « resultats run » (défaut : RESULTATS_OUTPUT, sinon data/output)",
    ),
]


def tell(message: object, code: int) -> int:
    """Print what is wrong, in French, on the error stream; return ``code``."""
    print(f"resultats : {message}", file=sys.stderr)
    return code


def tell_left_out(built: BuiltSite | None) -> None:
    """Print what the site had to be made without, if anything."""
    for line in built.left_out if built else ():
        tell(line, DONE)


class StoppedError(Exception):
    """What stops a command, once people were told; ``code`` is its exit code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


def load_or_stop(schemas: Path, code: int = USAGE) -> Catalogue:
    """Load the declarations; prints every problem and raises StoppedError with ``code`` when there are some.

    What had to be left out of them, which no result is made of, is printed and stops nothing.
    """
    from pipelines.declarations import DeclarationError, load

    try:
        catalogue = load(schemas)
    except DeclarationError as error:
        tell_problems(schemas, error.problems)
        raise StoppedError(code) from error
    for problem in catalogue.left_out:
        tell(f"voix des usagers, fichier laissé de côté : {_placed_in(schemas, problem)}", DONE)
    return catalogue


def _placed_in(schemas: Path, problem: Problem) -> str:
    return f"{schemas / problem.file}{str(problem)[len(problem.file) :]}"


def unknown_network(catalogue: Catalogue, network: str) -> str:
    """Return what to say of a network that is not declared."""
    from pipelines.declarations.problems import close_to

    known = catalogue.networks
    return f"réseau « {network} » inconnu{close_to(network, known)} ; déclarés : {', '.join(sorted(known))}"


def tell_problems(schemas: Path, problems: Sequence[Problem]) -> None:
    """Print every problem of declarations on the error stream, with the line that it is about."""
    texts: dict[str, str] = {}
    for problem in problems:
        place = schemas / problem.file
        if problem.file not in texts:
            texts[problem.file] = place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""
        print(_placed_in(schemas, problem), file=sys.stderr)
        for line in problem.excerpt(texts[problem.file]):
            print(line, file=sys.stderr)
    print(f"{counted(len(problems), 'erreur')} dans les déclarations.", file=sys.stderr)
