"""``resultats validate`` and ``resultats template``: what a producer runs alone. Only arguments and exit codes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.declared import DONE, REFUSED, UNREADABLE, USAGE, load_or_tell
from pipelines.cli.showing import print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.cli.checking import Checked
    from pipelines.declarations import Catalogue, Export

ERRORS = 1000  # errors listed by the general form, as frictionless does


def add_commands(commands: Any, add_schemas: Callable[[argparse.ArgumentParser], None]) -> None:
    """Declare the two commands."""
    validate = commands.add_parser(
        "validate",
        help="contrôler un fichier : celui d'un export, ou tout fichier avec un Table Schema",
        epilog="Code de sortie : 0 valide, 1 non valide, 2 illisible ou mauvais usage.",
    )
    validate.add_argument("file", type=Path, metavar="FICHIER", help="fichier à contrôler ; rien n'est envoyé")
    validate.add_argument("--network", metavar="RÉSEAU", help="réseau qui remet le fichier")
    validate.add_argument("--export", metavar="EXPORT", help="export du réseau (le type de fichier)")
    validate.add_argument("--year", type=int, metavar="ANNÉE", help="année du fichier (défaut : celle de son nom)")
    validate.add_argument("--letter", type=Path, metavar="DOSSIER", help="écrire la lettre et la copie annotée")
    add_schemas(validate)
    validate.add_argument("--schema", type=Path, metavar="SCHEMA.json", help="contrôler selon ce Table Schema")
    validate.add_argument("--dialect", type=Path, metavar="DIALECTE.json", help="avec --schema : séparateur, en-tête…")
    validate.add_argument(
        "--encoding", metavar="ENCODAGE", help="avec --schema : encodage (défaut : UTF-8, sinon deviné)"
    )
    validate.add_argument(
        "--limit-errors", type=int, default=ERRORS, metavar="N", help=f"avec --schema : erreurs listées ({ERRORS})"
    )
    validate.add_argument(
        "--ordre-libre",
        action="store_true",
        help="avec --schema : colonnes dans un ordre libre, facultatives absentes, autres admises (comme Validata)",
    )
    validate.add_argument("--json", action="store_true", help="écrire le rapport en JSON (frictionless avec --schema)")
    validate.set_defaults(command=_validate)
    template = commands.add_parser("template", help="écrire le modèle XLSX d'un export et son Table Schema")
    template.add_argument("network", metavar="RÉSEAU")
    template.add_argument("export", metavar="EXPORT")
    template.add_argument("--year", type=int, metavar="ANNÉE", help="année du modèle (défaut : la dernière)")
    template.add_argument("--output", type=Path, default=Path(), metavar="DOSSIER", help="où écrire (défaut : ici)")
    add_schemas(template)
    template.set_defaults(public=True, command=_template)


def _validate(arguments: argparse.Namespace) -> int:
    if wrong := _misuse(arguments):
        return _usage(wrong)
    if arguments.schema is not None:
        return _validate_any(arguments)
    if not arguments.file.is_file():
        return _usage(f"fichier introuvable : {arguments.file}")
    return _validate_export(arguments)


def _misuse(arguments: argparse.Namespace) -> str:
    """Say which options don't go together, nothing when they do."""
    if arguments.schema is None:
        if arguments.network is None or arguments.export is None:
            return "indiquez --network et --export, ou --schema"
        if arguments.dialect is not None or arguments.encoding is not None or arguments.ordre_libre:
            return "--dialect, --encoding et --ordre-libre vont avec --schema"
    elif arguments.network or arguments.export or arguments.year or arguments.letter:
        return "--schema ne va pas avec --network, --export, --year ni --letter"
    return "--limit-errors doit être au moins 1" if arguments.limit_errors < 1 else ""


def _usage(message: str) -> int:
    print(f"resultats : {message}", file=sys.stderr)
    return USAGE


def _validate_any(arguments: argparse.Namespace) -> int:
    from pipelines.cli.any_file import Asked, check_any_file

    for path in (arguments.file, arguments.schema, arguments.dialect):
        if path is not None and not path.is_file():
            return _absent(arguments, path)
    answer = check_any_file(
        Asked(
            arguments.file, arguments.schema, arguments.dialect, arguments.encoding, arguments.limit_errors,
            arguments.ordre_libre,
        )
    )  # fmt: skip
    verdict = answer.verdict
    if arguments.json:
        print_json(verdict.report)
    if answer.refused:
        return _usage(answer.refused)
    if arguments.json:
        why = f" ({verdict.why})" if verdict.why else ""
        for note in (f"contrôle {verdict.path}{why}", *answer.notes):
            print(f"resultats : {note}", file=sys.stderr)
    if not arguments.json:
        from pipelines.validate.terminal import show_report

        show_report(verdict, str(arguments.file), answer.notes, free_order=arguments.ordre_libre)
    types = {error["type"] for task in verdict.report["tasks"] for error in task["errors"]}
    types |= {error["type"] for error in verdict.report["errors"]}
    return USAGE if types & UNREADABLE or verdict.encoding_errors else DONE if verdict.valid else REFUSED


def _absent(arguments: argparse.Namespace, path: Path) -> int:
    told = f"fichier introuvable : {path}"
    if arguments.json:  # a program gets a report in every case
        from frictionless.errors import SchemeError

        from pipelines.validate.check import refusal

        print_json(refusal(told, kind=SchemeError).report)
    return _usage(told)


def _validate_export(arguments: argparse.Namespace) -> int:
    catalogue = load_or_tell(arguments.schemas)
    if catalogue is None:
        return USAGE
    try:
        export = _export(catalogue, arguments.network, arguments.export)
        from pipelines.cli.checking import check_export, layout_of, write_letters

        layout, year = layout_of(export, arguments.year, arguments.file.name)
    except ValueError as error:
        return _usage(str(error))
    from pipelines.read import TreatmentError
    from pipelines.validate.terminal import rows_counted

    try:
        with rows_counted() as progress:
            checked = check_export(catalogue, arguments.network, export, layout, year, arguments.file, progress)
    except TreatmentError as error:
        return _untreated(arguments, str(error))
    except OSError as error:
        return _untreated(arguments, f"le fichier n'a pas pu être lu sur cette machine ({error.strerror})")
    except MemoryError:
        return _untreated(arguments, "la mémoire de cette machine ne suffit pas pour juger ce fichier")
    if arguments.json:
        print_json(checked.descriptor())
    else:
        from pipelines.validate.letters.letter import consequences
        from pipelines.validate.terminal import show_verdict

        title = f"{catalogue.networks[arguments.network].title}, {export.title}"
        published = consequences(catalogue, arguments.network, checked.year, checked.verdict)
        show_verdict(checked.verdict, checked.problems, title, published if checked.verdict.accounts else ())
    if arguments.letter is not None:
        for path in write_letters(catalogue, checked, arguments.letter):
            print(f"écrit : {path}", file=sys.stderr)
    return _code(checked)


def _untreated(arguments: argparse.Namespace, reason: str) -> int:
    """Say that a file was not judged, by no fault of its own."""
    told = f"« {arguments.file.name} » n'a pas été contrôlé : {reason}"
    if arguments.json:
        print_json({"valide": None, "erreur": told})
    return _usage(told)


def _code(checked: Checked) -> int:
    if checked.unreadable:
        return USAGE
    return DONE if checked.valid else REFUSED


def _export(catalogue: Catalogue, network: str, export: str) -> Export:
    """Return the declared export, or raise ValueError with the names that exist."""
    from pipelines.declarations.problems import close_to

    if network not in catalogue.networks:
        known = ", ".join(sorted(catalogue.networks))
        raise ValueError(f"réseau « {network} » inconnu{close_to(network, catalogue.networks)} ; déclarés : {known}")
    declared = catalogue.networks[network]
    found = declared.export(export)
    if found is None:
        names = [item.id for item in declared.exports]
        raise ValueError(f"export « {export} » inconnu{close_to(export, names)} ; déclarés : {', '.join(names)}")
    return found


def _template(arguments: argparse.Namespace) -> int:
    catalogue = load_or_tell(arguments.schemas)
    if catalogue is None:
        return USAGE
    try:
        export = _export(catalogue, arguments.network, arguments.export)
    except ValueError as error:
        return _usage(str(error))
    year = arguments.year or max(layout.years.last for layout in export.layouts)
    layout = export.layout(year)
    if layout is None:
        return _usage(f"l'export « {export.id} » n'est pas attendu pour {year}")
    from pipelines.compile.template import template_schema, template_workbook

    name = f"modele-{arguments.network}-{export.id}-{year}"
    workbook = template_workbook(catalogue, arguments.network, export, layout, year)
    schema = json.dumps(template_schema(export, layout, year), ensure_ascii=False, indent=2) + "\n"
    try:
        arguments.output.mkdir(parents=True, exist_ok=True)
        for suffix, content in ((".xlsx", workbook), (".schema.json", schema.encode("utf-8"))):
            path = arguments.output / f"{name}{suffix}"
            path.write_bytes(content)
            print(f"écrit : {path}")
    except OSError as error:
        return _usage(f"impossible d'écrire dans {arguments.output} ({error.strerror})")
    return DONE
