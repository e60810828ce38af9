"""``resultats check`` and ``resultats editor-schemas``: the declarations judged; what helps to write them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import OUTPUT, Json, Schemas, flag, known_network, load_or_stop, tell_problems
from pipelines.cli.terminal_output import Exit, print_json
from pipelines.mechanics.french import counted, years_text

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue
    from pipelines.declarations.problems import Problem
    from pipelines.flow.declared_examples import WrongExample
    from pipelines.voice.themes import ExampleFault

_LATER = "Une fois corrigées : les renvois de ces fichiers seront contrôlés, et les exemples des indicateurs calculés."


def check(schemas: Schemas, json: Json = False) -> int:
    """Judge every declaration; tell every problem at once."""
    catalogue, problems = _judged(schemas)
    if json:
        return _told_to_programs(catalogue, problems)
    if catalogue is None or problems:
        tell_problems(schemas, problems)
        if catalogue is None:
            print(_LATER, file=sys.stderr)
        return Exit.REFUSED
    from pipelines.declarations.uses import unread_exports, uses

    print(
        f"Déclarations valides : {len(catalogue.networks)} réseaux, {len(catalogue.indicators)} indicateurs, "
        f"{len(catalogue.tables)} tables, {counted(len(catalogue.datasets), 'jeu de données', 'jeux de données')}, "
        f"années {catalogue.years[0]}-{catalogue.years[-1]}."
    )
    counts = uses(catalogue)
    print(
        f"Clés facultatives, dossiers, estimateurs : {sum(count > 0 for count in counts.values())} employés, "
        f"{sum(count == 0 for count in counts.values())} par aucune déclaration (--json les compte)."
    )
    for network, export in unread_exports(catalogue):
        told = "l'écrire sous « networks » d'un indicateur, ou le retirer"
        print(f"Attention : aucun indicateur ne lit l'export {export} de {network} ({told}).")
    for note in _unmet_notes(catalogue):
        print(f"Attention : cette note ne répond à aucun signal connu ({note}).")
    return Exit.DONE


def _unmet_notes(catalogue: Catalogue) -> list[str]:
    """Return the notes that meet none of the signals that the output of the environment knows."""
    if not catalogue.signal_notes:
        return []
    from pipelines.flow.store import Store
    from pipelines.flow.voice_facts import signals_made, unmet_notes
    from pipelines.operations.settings import place_from_environment

    made = signals_made(Store(place_from_environment(*OUTPUT)))
    return unmet_notes(catalogue, made) if made else []


def _judged(schemas: Path) -> tuple[Catalogue | None, list[Problem]]:
    """Return the declarations, None when they can't be read together, and all that is wrong with them."""
    from pipelines.declarations import DeclarationError, load

    try:
        catalogue = load(schemas)
    except DeclarationError as error:
        return None, list(error.problems)
    from pipelines.flow.declared_examples import wrong_examples
    from pipelines.voice.themes import example_faults

    of_themes = [_theme_problem(schemas, fault) for fault in example_faults(catalogue.themes)]
    of_indicators = [_example_problem(schemas, wrong) for wrong in wrong_examples(catalogue)]
    return catalogue, sorted([*catalogue.left_out, *of_indicators, *of_themes])


def _theme_problem(schemas: Path, fault: ExampleFault) -> Problem:
    place = ("themes", fault.theme, "examples", *fault.place)
    return _placed(schemas, f"themes/{fault.family}.yml", place, fault.message)


def _example_problem(schemas: Path, wrong: WrongExample) -> Problem:
    value, found = ("aucune valeur" if item is None else f"{item:g}" for item in (wrong.value, wrong.found))
    message = f"l'exemple annonce {value}, le calcul donne {found} : corriger l'un ou l'autre (lignes ou valeur)"
    return _placed(schemas, f"indicators/{wrong.indicator}.yml", ("examples", wrong.number, "value"), message)


def _placed(schemas: Path, file: str, place: tuple[str | int, ...], message: str) -> Problem:
    from pipelines.declarations.problems import placed
    from pipelines.declarations.yaml_source import parse

    return placed(file, parse((schemas / file).read_text(encoding="utf-8")), place, message)


def _told_to_programs(catalogue: Catalogue | None, problems: list[Problem]) -> int:
    from pipelines.declarations.uses import unread_exports, uses

    kinds = ("networks", "indicators", "tables", "datasets") if catalogue else ()
    print_json(
        {
            "valide": not problems,
            "problemes": [vars(problem) for problem in problems],
            **{kind: sorted(getattr(catalogue, kind)) for kind in kinds},
            "emplois": uses(catalogue) if catalogue else {},
            "exports_sans_indicateur": ["/".join(place) for place in unread_exports(catalogue)] if catalogue else [],
        }
    )
    return Exit.REFUSED if problems else Exit.DONE


def listing(
    schemas: Schemas,
    network: Annotated[str | None, typer.Argument(metavar="RÉSEAU", help="un réseau seulement")] = None,
    json: Json = False,
) -> None:
    """List the networks that are declared, their years, exports and indicators."""
    catalogue = load_or_stop(schemas)
    if network is not None:
        known_network(catalogue, network)
    chosen = [network] if network else list(catalogue.networks)
    if json:
        print_json({name: _declared(catalogue, name) for name in chosen})
        return
    print(f"Déclarations de {schemas}")
    for name in chosen:
        declared = catalogue.networks[name]
        print(f"\n{name} : {declared.title}, {years_text(list(declared.years))}")
        for export in declared.exports:
            print(f"  export {export.id} : {export.title}")
        if name in catalogue.experiences:
            print(f"  voix des usagers, sans indicateur : jeu {catalogue.signals or 'de signaux non déclaré'}")
            continue
        print(f"  indicateurs : {', '.join(catalogue.titles_of(name)) or 'aucun'}")


def _declared(catalogue: Catalogue, network: str) -> dict[str, object]:
    declared = catalogue.networks[network]
    return {
        "titre": declared.title,
        "annees": list(declared.years),
        "exports": {export.id: export.title for export in declared.exports},
        "indicateurs": catalogue.titles_of(network),
    }


def editor_schemas(
    schemas: Schemas,
    check: Annotated[bool, flag("--check", "ne rien écrire ; code de sortie 1 s'ils sont périmés")] = False,
) -> int:
    """Write the JSON Schemas of editors and the page of estimators, or tell that they are stale."""
    from pipelines.compile.editor import estimators_manual, stale, write_editor_schemas

    folder, page = schemas / ".editor", schemas / "ESTIMATEURS.md"
    if check:
        written = page.read_text(encoding="utf-8") if page.exists() else None
        names = [*stale(folder), *([page.name] if written != estimators_manual() else [])]
        if names:
            print(f"JSON Schemas périmés : {', '.join(names)} (lancer : resultats editor-schemas)", file=sys.stderr)
        return Exit.REFUSED if names else Exit.DONE
    for path in write_editor_schemas(folder):
        print(f"écrit : {path}")
    page.write_text(estimators_manual(), encoding="utf-8")
    print(f"écrit : {page}")
    return Exit.DONE
