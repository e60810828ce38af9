"""``resultats validate`` and ``resultats template``: what a producer runs alone. Only arguments and exit codes."""

from __future__ import annotations

import datetime
import gc
import sys
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import Schemas, flag, known, known_network, load_or_stop, option
from pipelines.cli.terminal_output import Exit, StoppedError, not_written, print_json, tell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.cli.any_file import Asked
    from pipelines.declarations import Catalogue, Export

ERRORS = 1000  # errors listed by the general form, as frictionless does
FREE_ORDER = "avec --schema : colonnes dans un ordre libre, facultatives absentes, autres admises (comme Validata)"


def validate(
    file: Annotated[Path, typer.Argument(metavar="FICHIER", help="fichier à contrôler ; rien n'est envoyé")],
    schemas: Schemas,
    network: Annotated[str | None, option("RÉSEAU", "réseau qui remet le fichier")] = None,
    export: Annotated[str | None, option("EXPORT", "export du réseau (le type de fichier)")] = None,
    year: Annotated[int | None, option("ANNÉE", "année du fichier (défaut : celle de son nom)")] = None,
    letter: Annotated[Path | None, option("DOSSIER", "écrire la lettre et la copie annotée")] = None,
    schema: Annotated[Path | None, option("SCHEMA.json", "contrôler selon ce Table Schema")] = None,
    dialect: Annotated[Path | None, option("DIALECTE.json", "avec --schema : séparateur, en-tête…")] = None,
    encoding: Annotated[
        str | None, option("ENCODAGE", "avec --schema : encodage (défaut : UTF-8, sinon deviné)")
    ] = None,
    limit_errors: Annotated[int, option("N", f"avec --schema : erreurs listées ({ERRORS})")] = ERRORS,
    ordre_libre: Annotated[bool, flag("--ordre-libre", FREE_ORDER)] = False,
    json: Annotated[bool, flag("--json", "écrire le rapport en JSON (frictionless avec --schema)")] = False,
) -> int:
    """Judge a file: that of an export, or any with a Table Schema."""
    wrong = _misuse(schema, (network, export), (year, letter), (dialect, encoding, ordre_libre or None))
    if wrong or limit_errors < 1:
        raise StoppedError(wrong or "--limit-errors doit être au moins 1")
    if schema is not None:
        from pipelines.cli.any_file import Asked

        return _validate_any(Asked(file, schema, dialect, encoding, limit_errors, ordre_libre), json)
    if not file.is_file():
        raise StoppedError(f"fichier introuvable : {file}")
    return _validate_export(schemas, str(network), str(export), year, file, letter, json)


def _misuse(schema: Path | None, export: Sequence[object], more: Sequence[object], general: Sequence[object]) -> str:
    """Say which options don't go together, nothing when they do.

    ``export``: those that name an export; ``more``: those that go with it; ``general``: those that go with a schema.
    """
    if schema is None:
        if None in export:
            return "indiquez --network et --export, ou --schema"
        with_schema = any(item is not None for item in general)
        return "--dialect, --encoding et --ordre-libre vont avec --schema" if with_schema else ""
    return "--schema ne va pas avec --network, --export, --year ni --letter" if any((*export, *more)) else ""


def _validate_any(asked: Asked, json: bool) -> int:
    with _unsearched():
        from pipelines.cli.any_file import UNREADABLE, check_any_file

    for path in (asked.file, asked.schema, asked.dialect):
        if path is not None and not path.is_file():
            raise _absent(path, json)
    answer = check_any_file(asked)
    verdict = answer.verdict
    if json:
        print_json(verdict.report)
    if answer.refused:
        raise StoppedError(answer.refused)
    if json:
        why = f" ({verdict.why})" if verdict.why else ""
        for note in (f"contrôle {verdict.path}{why}", *answer.notes):
            tell(note)
    else:
        from pipelines.validate.verdict_screen import show_report

        show_report(verdict, str(asked.file), answer.notes, free_order=asked.free_order)
    types = {error["type"] for task in verdict.report["tasks"] for error in task["errors"]}
    types |= {error["type"] for error in verdict.report["errors"]}
    return Exit.USAGE if types & UNREADABLE or verdict.encoding_errors else Exit.DONE if verdict.valid else Exit.REFUSED


def _absent(path: Path, json: bool) -> StoppedError:
    told = f"fichier introuvable : {path}"
    if json:  # a program gets a report in every case
        from frictionless.errors import SchemeError

        from pipelines.validate.check import refusal

        print_json(refusal(told, kind=SchemeError).report)
    return StoppedError(told)


def _validate_export(
    schemas: Path, network: str, identifier: str, year: int | None, file: Path, letter: Path | None, json: bool
) -> int:
    with _unsearched():
        from pipelines.cli.file_check import check_export, layout_of, write_letters
        from pipelines.read import TreatmentError
        from pipelines.validate.verdict_screen import rows_counted

        catalogue = load_or_stop(schemas)
    export = _export(catalogue, network, identifier)
    try:
        layout, year = layout_of(export, year, file.name)
    except ValueError as error:
        raise StoppedError(error) from error
    try:
        with rows_counted() as progress:
            checked = check_export(catalogue, network, export, layout, year, file, progress)
    except TreatmentError as error:
        raise _untreated(file, json, f"{error}. Le fichier n'est pas en cause") from error
    except OSError as error:
        from pipelines.mechanics.machine_faults import machine_fault

        reason = f"le fichier n'a pas pu être lu : {machine_fault(error) or error.strerror}"
        raise _untreated(file, json, reason) from error
    except MemoryError as error:
        raise _untreated(file, json, "la mémoire de cette machine ne suffit pas pour juger ce fichier") from error
    if json:
        print_json(checked.descriptor())
    else:
        from pipelines.validate.letters.letter import consequences
        from pipelines.validate.verdict_screen import show_verdict

        title = f"{catalogue.networks[network].title}, {export.title}"
        published = consequences(catalogue, network, checked.year, checked.verdict)
        show_verdict(checked.verdict, checked.problems, title, published if checked.verdict.accounts else ())
    if letter is not None:
        for path in write_letters(catalogue, checked, letter, datetime.date.today()):
            print(f"écrit : {path}", file=sys.stderr)
    return Exit.USAGE if checked.unreadable else Exit.DONE if checked.valid else Exit.REFUSED


@contextmanager
def _unsearched() -> Iterator[None]:
    """Let Python search for cycles neither while modules and declarations are read nor, later, in them: a fifth of all.

    DuckDB is imported later: it would say, at the end, that what is not searched has leaked.
    """
    gc.disable()
    try:
        yield
        if "duckdb" not in sys.modules:
            gc.freeze()
    finally:
        gc.enable()


def _untreated(file: Path, json: bool, reason: str) -> StoppedError:
    """Say that a file was not judged, by no fault of its own."""
    told = f"« {file.name} » n'a pas été contrôlé : {reason}"
    if json:
        print_json({"valide": None, "erreur": told})
    return StoppedError(told)


def _export(catalogue: Catalogue, network: str, export: str) -> Export:
    """Return the declared export, or raise StoppedError with the names that exist."""
    known_network(catalogue, network)
    exports = {item.id: item for item in catalogue.networks[network].exports}
    known("export", export, exports)
    return exports[export]


def template(
    network: Annotated[str, typer.Argument(metavar="RÉSEAU", help="réseau, par son identifiant")],
    export_id: Annotated[str, typer.Argument(metavar="EXPORT", help="export du réseau")],
    schemas: Schemas,
    year: Annotated[int | None, option("ANNÉE", "année du modèle (défaut : la dernière)")] = None,
    folder: Annotated[Path, option("DOSSIER", "où écrire (défaut : ici)")] = Path(),
) -> None:
    """Write the XLSX template of an export, and its Table Schema."""
    catalogue = load_or_stop(schemas)
    export = _export(catalogue, network, export_id)
    year = year or max(layout.years.last for layout in export.layouts)
    layout = export.layout(year)
    if layout is None:
        raise StoppedError(f"l'export « {export.id} » n'est pas attendu pour {year}")
    from pipelines.compile.template import template_schema, template_workbook

    name = f"modele-{network}-{export.id}-{year}"
    workbook = template_workbook(catalogue, network, export, layout, year)
    schema = dumps(template_schema(export, layout, year), ensure_ascii=False, indent=2) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, content in ((".xlsx", workbook), (".schema.json", schema.encode("utf-8"))):
            path = folder / f"{name}{suffix}"
            path.write_bytes(content)
            print(f"écrit : {path}")
    except OSError as error:
        raise not_written(folder, error) from error


def door(
    schemas: Schemas,
    port: Annotated[int, option("PORT", "port de cette machine où la page est servie")] = 3002,
    home: Annotated[str, option("CHEMIN", "où le serveur web montre la page")] = "/",
    temporary: Annotated[Path | None, option("DOSSIER", "où sont les fichiers pendant leur contrôle")] = None,
) -> None:
    """Serve the page where a file is judged without any installation, on this machine alone."""
    catalogue = load_or_stop(schemas)
    import tempfile

    from pipelines.cli.checking_page import checking_page
    from pipelines.operations.local_pages import served

    folder = temporary or Path(tempfile.gettempdir()) / f"resultats-controle-{port}"
    try:
        page = checking_page(catalogue, folder, home)
    except OSError as error:
        raise StoppedError(f"dossier temporaire inutilisable : {error}") from error
    print(f"Page de contrôle : http://127.0.0.1:{port} (Ctrl-C pour l'arrêter)", flush=True)
    if not served(page, port):
        raise StoppedError(f"le port {port} est pris : en donner un autre (--port)")
