"""Export + layout + year → the template that a producer fills: an XLSX workbook, and the Table Schema of its columns.

For a layout that is itself a workbook, the template has its sheet, its title rows and its header rows, so that it can
take the file's place; for the others it has one header row, and validation reads it in place of the CSV.
"""

from __future__ import annotations

import datetime
import io
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_col_to_name

from pipelines.compile.expected import expected_words, shown
from pipelines.compile.exports import field_descriptor, is_optional, label_of
from pipelines.compile.samples import cell_example, example_rows, territory_codes
from pipelines.compile.workbook import workbook, write_lines, write_text
from pipelines.declarations.roles import row_rules
from pipelines.mechanics.durations import duration_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from pipelines.declarations import Catalogue, Export, ExportField, Layout, Territories

LAST_ROW = 100_000  # lists and checks are set down to this row
EXAMPLE, LISTS, NOTICE = "Exemple", "Listes", "Lisez-moi"
_FORMATS = {"string": "@", "integer": "0", "number": "General", "year": "0", "boolean": "General", "date": "dd/mm/yyyy"}
# Elapsed times: neither hours beyond 24 nor minutes beyond 60 are hidden.
_ELAPSED = {"h:mm:ss": "[h]:mm:ss", "h:mm": "[h]:mm", "mm:ss": "[mm]:ss"}


def template_schema(export: Export, layout: Layout, year: int) -> dict[str, Any]:
    """Return the Table Schema of the file as the layout writes it: fields are named by their headers."""
    labels = {field.name: label_of(field, layout) for field in export.fields}
    fields = []
    for field in export.fields:
        described = {"name": labels[field.name], "title": labels[field.name],
                     "description": _description(field, layout)}  # fmt: skip
        written = {key: value for key, value in field_descriptor(field, layout).items() if key != "name"}
        fields.append({**described, **written, **_schema_example(export, field, layout, year)})
    schema: dict[str, Any] = {"title": f"{export.title}, {year}", "fields": fields}
    if export.key:
        schema["primaryKey"] = [labels[name] for name in export.key]
    return schema


def template_workbook(catalogue: Catalogue, network: str, export: Export, layout: Layout, year: int) -> bytes:
    """Return the workbook: the sheet to fill first, then an example, the lists, and how to use it."""
    title = f"{catalogue.networks[network].title} : {export.title}, {year}"
    territories = catalogue.territories.of_year(year)
    lists = _lists(territories, export, layout)
    rows = example_rows(export, layout, territories, year, row_rules(catalogue, network, export, [year]))
    made = {field.name: cell_example(export, field, layout, year) for field in export.fields}
    examples = rows[0] if rows else made
    target = io.BytesIO()
    with workbook(title, target) as book:
        formats = {field.name: _format(book, field, layout) for field in export.fields}
        name = (layout.sheet if _is_workbook(layout) else None) or "Données"
        for sheet_name in (name, EXAMPLE if name != EXAMPLE else "Exemple de lignes"):
            sheet = book.add_worksheet(sheet_name)
            first = _header(book, sheet, export, layout, title, examples)
            for column, field in enumerate(export.fields):
                sheet.set_column(
                    column, column, max(14, min(40, len(label_of(field, layout)) + 4)), formats[field.name]
                )
                _checks(sheet, first, column, field, layout, lists)
            if sheet_name != name:
                for row, values in enumerate(rows, start=first):
                    for column, field in enumerate(export.fields):
                        _cell(sheet, row, column, values[field.name], field, layout, formats[field.name])
        _lists_sheet(book, lists, {field.name: label_of(field, layout) for field in export.fields})
        write_lines(book, NOTICE, title, _notice(network, export, layout, year, name, shows=bool(rows)))
    return target.getvalue()


def _is_workbook(layout: Layout) -> bool:
    return layout.format in ("xlsx", "ods")


def _native(field: ExportField, layout: Layout) -> bool:
    """Tell whether the template takes native cells (dates, numbers…): declared words for yes and no are texts."""
    return field.type != "boolean" or "trueValues" not in field_descriptor(field, layout)


def _format(book: Workbook, field: ExportField, layout: Layout) -> Format:
    if not _native(field, layout):
        return book.add_format({"num_format": "@"})
    if field.type == "duration":
        return book.add_format({"num_format": _ELAPSED[field_descriptor(field, layout)["duration"]]})
    return book.add_format({"num_format": _FORMATS[field.type]})


def _header(
    book: Workbook, sheet: Worksheet, export: Export, layout: Layout, title: str, examples: Mapping[str, str]
) -> int:
    """Write title rows and header rows with a comment per column; return the first row to fill."""
    skipped, height = (layout.skip_rows, layout.header_rows) if _is_workbook(layout) else (0, 1)
    head = book.add_format({"bold": True, "bg_color": "#000091", "font_color": "#FFFFFF", "num_format": "@"})
    if skipped:
        write_text(sheet, 0, 0, title, book.add_format({"bold": True}))
    for column, field in enumerate(export.fields):
        label = label_of(field, layout)
        parts = label.split(" / ", height - 1)
        for index, part in enumerate(parts):
            write_text(sheet, skipped + index, column, part, head)
        told = f"{_description(field, layout)}\nExemple : {examples[field.name] or '(aucun)'}"
        sheet.write_comment(skipped + len(parts) - 1, column, told, {"author": "Modèle", "x_scale": 2, "y_scale": 1.5})
    sheet.freeze_panes(skipped + height, 0)
    return skipped + height


def _description(field: ExportField, layout: Layout) -> str:
    said = f"{field.description}. " if field.description else ""
    optional = " La colonne peut manquer." if is_optional(field, layout) else ""
    personal = " Donnée personnelle : jamais publiée." if field.personal else ""
    words = expected_words(field, layout)
    return f"{said}{words[0].upper()}{words[1:]}.{optional}{personal}"


def _schema_example(export: Export, field: ExportField, layout: Layout, year: int) -> dict[str, Any]:
    text = cell_example(export, field, layout, year)
    if not text:
        return {}
    if field.type in ("integer", "number", "year"):
        value = _number(text, field, layout)
        return {"example": value} if value is not None else {}
    return {"example": text}


def _number(text: str, field: ExportField, layout: Layout) -> int | float | None:
    descriptor = field_descriptor(field, layout)
    plain = text.replace(descriptor.get("groupChar") or " ", "").replace(descriptor.get("decimalChar") or ".", ".")
    try:
        number = float(plain)
    except ValueError:
        return None
    return int(number) if number.is_integer() else number


def _cell(sheet: Worksheet, row: int, column: int, text: str, field: ExportField, layout: Layout, form: Format) -> None:
    """Write an example, native when the template takes native cells."""
    if not text or not _native(field, layout) or field.type == "string":
        write_text(sheet, row, column, text, form)
    elif field.type == "date":
        pattern = field_descriptor(field, layout).get("format", "default")
        day = datetime.datetime.strptime(text, "%Y-%m-%d" if pattern == "default" else pattern)
        sheet.write_datetime(row, column, day, form)
    elif field.type == "duration":
        seconds = duration_value(text, field_descriptor(field, layout)["duration"], "secondes")
        sheet.write_datetime(row, column, datetime.timedelta(seconds=seconds), form)
    elif field.type == "boolean":
        sheet.write_boolean(row, column, text == field_descriptor(field, layout).get("trueValues", ["true"])[0], form)
    elif (number := _number(text, field, layout)) is not None:
        sheet.write_number(row, column, number, form)
    else:
        write_text(sheet, row, column, text, form)


def _lists(territories: Territories, export: Export, layout: Layout) -> dict[str, list[str]]:
    """Return the values to choose from, by field: enumerations, levels, territories, words for yes and no."""
    lists: dict[str, list[str]] = {}
    for field in export.fields:
        descriptor = field_descriptor(field, layout)
        if field.type == "boolean" and "trueValues" in descriptor:
            lists[field.name] = [*descriptor["trueValues"], *descriptor.get("falseValues", [])]
        elif field.constraints.enum and field.type == "string":
            codes = [code for code in descriptor.get("missingValues", []) if code]
            lists[field.name] = [*map(shown, field.constraints.enum), *codes]
    if export.level.field and export.level.otherwise is None:
        lists.setdefault(export.level.field, list(export.level.values))
    if export.territory is not None:
        lists.setdefault(export.territory.field, territory_codes(export, territories))
    return lists


def _lists_sheet(book: Workbook, lists: dict[str, list[str]], labels: dict[str, str]) -> None:
    if not lists:
        return
    sheet = book.add_worksheet(LISTS)
    head, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    for column, (name, values) in enumerate(lists.items()):
        sheet.set_column(column, column, 26)
        write_text(sheet, 0, column, labels[name], head)
        for row, value in enumerate(values, start=1):
            write_text(sheet, row, column, value, text)


def _checks(
    sheet: Worksheet, first: int, column: int, field: ExportField, layout: Layout, lists: dict[str, list[str]]
) -> None:
    """Set what the spreadsheet itself checks: a list to choose from, or bounds, as a warning that can be overruled."""
    rule: dict[str, Any] = {"ignore_blank": True, "error_type": "warning", "error_title": "Valeur inattendue"}
    if field.name in lists:
        place = list(lists).index(field.name)
        letters = xl_col_to_name(place)
        source = f"={LISTS}!${letters}$2:${letters}${len(lists[field.name]) + 1}"
        rule |= {"validate": "list", "source": source}
    elif field.type in ("integer", "number") and _native(field, layout) and (bounds := _bounds(field)):
        rule |= {"validate": "integer" if field.type == "integer" else "decimal", **bounds}
    else:
        return
    sheet.data_validation(first, column, LAST_ROW, column, rule)


def _bounds(field: ExportField) -> dict[str, Any]:
    low, high = field.constraints.minimum, field.constraints.maximum
    if any(code for code in field.missing_values):
        return {}  # codes of absence are text: any cell may hold one
    if isinstance(low, int | float) and isinstance(high, int | float):
        return {"criteria": "between", "minimum": low, "maximum": high}
    if isinstance(low, int | float):
        return {"criteria": ">=", "value": low}
    return {"criteria": "<=", "value": high} if isinstance(high, int | float) else {}


def _notice(network: str, export: Export, layout: Layout, year: int, sheet: str, *, shows: bool) -> list[str]:
    expected = layout.path.replace("{year}", str(year))
    lines = [
        f"Remplissez la feuille « {sheet} », une ligne par observation, sous l'en-tête. Ne changez pas les en-têtes.",
        f"La feuille « {EXAMPLE} » montre des lignes justes (valeurs inventées)."
        if shows
        else f"La feuille « {EXAMPLE} » est vide : aucun exemple juste n'est déclaré.",
        "Le commentaire de chaque en-tête dit ce qui est attendu.",
    ]
    for field in export.fields:
        if field.type == "date":
            lines.append(f"« {label_of(field, layout)} » : une vraie date du tableur.")
        elif field.type == "duration":
            form = _ELAPSED[field_descriptor(field, layout)["duration"]]
            lines.append(f"« {label_of(field, layout)} » : une durée du tableur, au format {form}.")
    command = f"resultats validate FICHIER.xlsx --network {network} --export {export.id} --year {year}"
    sent = f"Renvoyez-le sous le nom : {expected}" if _is_workbook(layout) else (
        f"Le fichier attendu est {expected} : enregistrez la feuille dans ce format, ou convenez avec l'équipe données "
        "d'envoyer le classeur."
    )  # fmt: skip
    unknown = "Une valeur inconnue reste vide : n'écrivez ni 0, ni « ? »."
    return [*lines, unknown, f"Vérifiez le fichier rempli : {command}", sent]
