"""``resultats check`` and ``resultats editor-schemas``: the declarations judged; what helps to write them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from pipelines.cli.options import DONE, REFUSED, Json, Schemas, flag, load_or_tell
from pipelines.cli.terminal_output import print_json


def check(schemas: Schemas, json: Json = False) -> int:
    """Judge every declaration; tell every problem at once."""
    if json:
        return _check_for_programs(schemas)
    catalogue = load_or_tell(schemas)
    if catalogue is None:
        return REFUSED
    from pipelines.declarations.uses import uses

    datasets = len(catalogue.datasets)
    print(
        f"Déclarations valides : {len(catalogue.networks)} réseaux, {len(catalogue.indicators)} indicateurs, "
        f"{len(catalogue.tables)} tables, {datasets} jeu{'x' if datasets > 1 else ''} de données, "
        f"années {catalogue.years[0]}-{catalogue.years[-1]}."
    )
    counts = uses(catalogue)
    print(
        f"Clés facultatives : {sum(count > 0 for count in counts.values())} employées, "
        f"{sum(count == 0 for count in counts.values())} par aucune déclaration (--json les compte)."
    )
    return DONE


def _check_for_programs(schemas: Path) -> int:
    from pipelines.declarations import DeclarationError, load
    from pipelines.declarations.uses import uses

    try:
        found, problems = load(schemas), []
    except DeclarationError as error:
        found, problems = None, [vars(problem) for problem in error.problems]
    kinds = ("networks", "indicators", "tables", "datasets") if found else ()
    print_json({
        "valide": not problems, "problemes": problems, **{kind: sorted(getattr(found, kind)) for kind in kinds},
        "emplois": uses(found) if found else {},
    })  # fmt: skip
    return REFUSED if problems else DONE


def editor_schemas(
    schemas: Schemas,
    check: Annotated[bool, flag("--check", "ne rien écrire ; code de sortie 1 s'ils sont périmés")] = False,
) -> int:
    """Write the JSON Schemas of editors and the page of estimators, or tell that they are stale."""
    from pipelines.compile.editor import stale, write_editor_schemas
    from pipelines.compile.manual import estimators_manual

    folder, page = schemas / ".editor", schemas / "ESTIMATEURS.md"
    if check:
        written = page.read_text(encoding="utf-8") if page.exists() else None
        names = [*stale(folder), *([page.name] if written != estimators_manual() else [])]
        if names:
            print(f"JSON Schemas périmés : {', '.join(names)} (lancer : resultats editor-schemas)", file=sys.stderr)
        return REFUSED if names else DONE
    for path in write_editor_schemas(folder):
        print(f"écrit : {path}")
    page.write_text(estimators_manual(), encoding="utf-8")
    print(f"écrit : {page}")
    return DONE
