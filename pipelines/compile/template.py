"""Export + layout + year → the template that a producer fills: an XLSX workbook, and the Table Schema of its columns.

It has the title rows and the header rows of the declared file (and its sheet, if that is a workbook), so that it takes
its place, filled; and its cells are formatted so that a spreadsheet that saves it as CSV writes what is declared.
"""

from __future__ import annotations

import datetime
import io
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_col_to_name

from pipelines.compile.expected_cells import expected_words, shown
from pipelines.compile.exports import field_descriptor, is_optional, label_of, workbooks_for
from pipelines.compile.samples import cell_example, example_rows, territory_codes
from pipelines.compile.workbook import print_in_width, workbook, write_lines, write_text
from pipelines.declarations.roles import row_rules
from pipelines.mechanics.durations import duration_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from pipelines.declarations import Catalogue, Export, ExportField, Layout, Territories

LAST_ROW = 100_000  # lists and checks are set down to this row
EXAMPLE, LISTS, NOTICE, COLUMNS = "Exemple", "Listes", "Lisez-moi", "Colonnes"
_LONGEST_MESSAGE, _LONGEST_TITLE = 255, 32  # of a check, in a spreadsheet
_FORMATS = {"string": "@", "integer": "0", "number": "General", "year": "0", "boolean": "General"}
# How the parts of a declared date are asked of a spreadsheet, which saves a CSV as its cells are shown.
_DATE_CODES = {"%d": "dd", "%m": "mm", "%Y": "yyyy", "%y": "yy", "%H": "hh", "%M": "mm", "%S": "ss"}
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
        notice, columns, example = _free(name, NOTICE, COLUMNS, EXAMPLE)
        _sheet_to_fill(book, name, export, layout, title, examples, lists, formats)
        write_lines(book, notice, title, _notice(network, export, layout, year, name, shows=bool(rows)))
        _columns_sheet(book, columns, export, layout, examples)
        sheet, first = _sheet_to_fill(book, example, export, layout, title, examples, lists, formats)
        for row, values in enumerate(rows, start=first):
            for column, field in enumerate(export.fields):
                _cell(sheet, row, column, values[field.name], field, layout, formats[field.name])
        names = {place.code: place.name for place in territories.territories}
        _lists_sheet(book, lists, {field.name: label_of(field, layout) for field in export.fields}, export, names)
    return target.getvalue()


def _sheet_to_fill(
    book: Workbook,
    name: str,
    export: Export,
    layout: Layout,
    title: str,
    examples: Mapping[str, str],
    lists: dict[str, list[str]],
    formats: Mapping[str, Format],
) -> tuple[Worksheet, int]:
    """Add a sheet with the header, the formats and the checks of its columns; return it, and its first row to fill."""
    sheet = book.add_worksheet(name)
    print_in_width(sheet)
    first = _header(book, sheet, export, layout, title, examples)
    for column, field in enumerate(export.fields):
        width = max(14, min(40, len(label_of(field, layout)) + 4))
        sheet.set_column(column, column, width, formats[field.name])
        _checks(sheet, first, column, field, layout, lists)
    return sheet, first


def _free(taken: str, *names: str) -> list[str]:
    """Return names of sheets, changed where the sheet to fill has that name."""
    return [f"{name} (aide)" if name.casefold() == taken.casefold() else name for name in names]


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
    if field.type == "date":
        return book.add_format({"num_format": _date_code(field, layout)})
    return book.add_format({"num_format": _FORMATS[field.type]})


def _date_code(field: ExportField, layout: Layout) -> str:
    pattern = field_descriptor(field, layout).get("format", "default")
    code = "%Y-%m-%d" if pattern == "default" else pattern
    for part, shown_as in _DATE_CODES.items():
        code = code.replace(part, shown_as)
    return "dd/mm/yyyy" if "%" in code else code


def _header(
    book: Workbook, sheet: Worksheet, export: Export, layout: Layout, title: str, examples: Mapping[str, str]
) -> int:
    """Write title rows and header rows with a comment per column; return the first row to fill."""
    skipped, height = layout.skip_rows, layout.header_rows
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
    said = f"{field.description.rstrip('.')}. " if field.description else ""
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


def _lists_sheet(
    book: Workbook, lists: dict[str, list[str]], labels: dict[str, str], export: Export, names: Mapping[str, str]
) -> None:
    """Write the values of each list, in the column of its rank; last, the names of the places."""
    if not lists:
        return
    sheet = book.add_worksheet(LISTS)
    head, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    for column, (name, values) in enumerate(lists.items()):
        sheet.set_column(column, column, 26)
        for row, value in enumerate([labels[name], *values]):
            write_text(sheet, row, column, value, text if row else head)
    places = lists.get(export.territory.field, []) if export.territory else []
    told = [f"{value} : {names[code]}" for value in places if (code := value.lstrip("DR")) in names]
    for row, value in enumerate(["Codes et noms des lieux", *told] if told else []):
        write_text(sheet, row, len(lists) + 1, value, text if row else head)
    sheet.set_column(len(lists) + 1, len(lists) + 1, 40)


def _columns_sheet(book: Workbook, name: str, export: Export, layout: Layout, examples: Mapping[str, str]) -> None:
    """Write what each column asks, in the words of its declaration."""
    sheet = book.add_worksheet(name)
    print_in_width(sheet)
    head = book.add_format({"bold": True, "bg_color": "#000091", "font_color": "#FFFFFF"})
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    for column, (label, width) in enumerate((("Colonne", 26), ("Question ou contenu", 46), ("Attendu", 60),
                                             ("Exemple", 24))):  # fmt: skip
        write_text(sheet, 0, column, label, head)
        sheet.set_column(column, column, width)
    for row, field in enumerate(export.fields, start=1):
        cells = [label_of(field, layout), _asked(field, layout), expected_words(field, layout), examples[field.name]]
        for column, cell in enumerate(cells):
            write_text(sheet, row, column, cell, text)
    sheet.freeze_panes(1, 1)


def _asked(field: ExportField, layout: Layout) -> str:
    """Return the question that a column answers: its name in other years, and its description."""
    other = field.label if field.label and field.label != label_of(field, layout) else ""
    return ". ".join(part.rstrip(".") for part in (other, field.description or "") if part)


def _checks(
    sheet: Worksheet, first: int, column: int, field: ExportField, layout: Layout, lists: dict[str, list[str]]
) -> None:
    """Set what the spreadsheet itself checks: a list to choose from, or bounds, as a warning that can be overruled."""
    words = expected_words(field, layout)
    rule: dict[str, Any] = {
        "validate": "any", "ignore_blank": True, "error_type": "warning", "error_title": "Valeur inattendue",
        "error_message": _cut(f"« {label_of(field, layout)} » attend : {words}.", _LONGEST_MESSAGE),
        "input_title": _cut(label_of(field, layout), _LONGEST_TITLE),
        "input_message": _cut(f"{words[0].upper()}{words[1:]}.", _LONGEST_MESSAGE),
    }  # fmt: skip
    if field.name in lists:
        letters = xl_col_to_name(list(lists).index(field.name))
        source = f"={LISTS}!${letters}$2:${letters}${len(lists[field.name]) + 1}"
        rule |= {"validate": "list", "source": source}
        rule["error_message"] = _cut(
            f"« {label_of(field, layout)} » : choisissez une valeur de la liste (flèche à droite de la cellule), telle "
            f"quelle. Toutes sont dans la feuille « {LISTS} ».",
            _LONGEST_MESSAGE,
        )
    elif field.type in ("integer", "number") and _native(field, layout) and (bounds := _bounds(field)):
        rule |= {"validate": "integer" if field.type == "integer" else "decimal", **bounds}
    sheet.data_validation(first, column, LAST_ROW, column, rule)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


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
            code = _date_code(field, layout).replace("yyyy", "aaaa").replace("dd", "jj")
            lines.append(f"« {label_of(field, layout)} » : une date du tableur, affichée {code} ; gardez ce format.")
        elif field.type == "duration":
            form = _ELAPSED[field_descriptor(field, layout)["duration"]]
            lines.append(f"« {label_of(field, layout)} » : une durée du tableur, au format {form}.")
    lines.append("Une valeur inconnue reste vide : n'écrivez ni 0, ni « ? ».")
    sent = workbooks_for(expected) if not _is_workbook(layout) else [expected]
    lines.append(f"Envoyez ce classeur rempli, sous le nom : {(sent or [expected])[0].rsplit('/', 1)[-1]}")
    if layout.format == "csv":
        name = expected.rsplit("/", 1)[-1]
        lines.append(f"Un CSV convient aussi (Enregistrer sous, « CSV UTF-8 »), sous le nom : {name}")
    command = f"resultats validate FICHIER.xlsx --network {network} --export {export.id} --year {year}"
    return [*lines, f"Si vous avez l'outil de contrôle, vérifiez le fichier avant l'envoi : {command}"]
