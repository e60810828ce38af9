"""What commands take: options, and the names that are declared, or what is wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.terminal_output import Exit, StoppedError, tell
from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.declarations import Catalogue
    from pipelines.declarations.problems import Problem

OUTPUT = ("RESULTATS_OUTPUT", "data/output")  # where the environment names the output, and what it is otherwise


def option(metavar: str, told: str, *names: str) -> Any:
    """Declare an option that takes a value; ``names``: where it isn't that of its parameter."""
    return typer.Option(*names, metavar=metavar, help=told)


def flag(name: str, told: str) -> Any:
    """Declare an option that takes none."""
    return typer.Option(name, help=told)


def _place(metavar: str, told: str, variable: str, usual: str) -> Any:
    """Declare an option that the environment gives when it isn't typed, as the services read it."""

    def of_environment() -> str:
        from pipelines.operations.settings import place_from_environment

        return place_from_environment(variable, usual)

    help_text = f"{told} (défaut : {variable}, sinon {usual})"
    return typer.Option(metavar=metavar, default_factory=of_environment, help=help_text)


Json = Annotated[bool, flag("--json", "la réponse en JSON")]
Schemas = Annotated[Path, _place("DOSSIER", "dossier des déclarations", "RESULTATS_SCHEMAS", "schemas")]
Exports = Annotated[str, _place("DOSSIER_OU_URL", "racine des exports", "RESULTATS_EXPORTS", "data/samples")]
Output = Annotated[str, _place("DOSSIER_OU_URL", "dossier ou URL de « resultats run »", *OUTPUT)]
Dataset = Annotated[str | None, option("JEU", "jeu de données (défaut : celui des résultats)", "--dataset")]


def load_or_stop(schemas: Path, code: Exit = Exit.USAGE) -> Catalogue:
    """Load the declarations; prints every problem and raises StoppedError with ``code`` when there are some.

    What had to be left out of them, which no result is made of, is printed and stops nothing.
    """
    from pipelines.declarations import DeclarationError, load

    try:
        catalogue = load(schemas)
    except DeclarationError as error:
        tell_problems(schemas, error.problems)
        raise StoppedError(code=code) from error
    for problem in catalogue.left_out:
        tell(f"voix des usagers, fichier laissé de côté : {_placed_in(schemas, problem)}")
    return catalogue


def _placed_in(schemas: Path, problem: Problem) -> str:
    return f"{schemas / problem.file}{str(problem)[len(problem.file) :]}"


def known(word: str, name: str, names: Iterable[str]) -> None:
    """Raise StoppedError when a name is none of those declared; ``word``: what it names, in French."""
    from pipelines.declarations.problems import close_to

    declared = list(names)
    if name not in declared:
        raise StoppedError(f"{word} « {name} » inconnu{close_to(name, declared)} ; déclarés : {', '.join(declared)}")


def known_network(catalogue: Catalogue, network: str) -> None:
    """Raise StoppedError when a network is not declared."""
    known("réseau", network, sorted(catalogue.networks))


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
