"""Export + layout + year → the template that a producer fills: an XLSX workbook, and the Table Schema of its columns.

It has the title rows and the header rows of the declared file (and its sheet, if that is a workbook), so that it takes
its place, filled; and its cells are formatted so that a spreadsheet that saves it as CSV writes what is declared.
"""

from __future__ import annotations

import datetime
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_col_to_name

from pipelines.compile.expected_cells import cell_example, example_rows, expected_words, shown, territory_codes
from pipelines.compile.exports import date_pattern, field_descriptor, is_optional, label_of, workbooks_for
from pipelines.compile.workbook import print_in_width, workbook, write_lines, write_text
from pipelines.declarations.network import WORKBOOKS
from pipelines.declarations.roles import row_rules
from pipelines.mechanics.durations import duration_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from pipelines.declarations import Catalogue, Export, ExportField, Layout, Territories

LAST_ROW = 100_000  # lists and checks are set down to this row
EXAMPLE, LISTS, NOTICE, COLUMNS = "Exemple", "Listes", "Lisez-moi", "Colonnes"
_LONGEST_MESSAGE, _LONGEST_TITLE = 255, 32  # of a check, in a spreadsheet
_FORMATS = {"string": "@", "integer": "0", "number": "General", "year": "0", "boolean": "General"}
_HEADER = {"bold": True, "bg_color": "#000091", "font_color": "#FFFFFF"}
# How the parts of a declared date are asked of a spreadsheet, which saves a CSV as its cells are shown.
_DATE_CODES = {"%d": "dd", "%m": "mm", "%Y": "yyyy", "%y": "yy", "%H": "hh", "%M": "mm", "%S": "ss"}
# Elapsed times: neither hours beyond 24 nor minutes beyond 60 are hidden.
_ELAPSED = {"h:mm:ss": "[h]:mm:ss", "h:mm": "[h]:mm", "mm:ss": "[mm]:ss"}


@dataclass(frozen=True)
class _Column:
    """A column of the template: how it is headed and described, an example, and the cells of its list if it has one."""

    field: ExportField
    label: str
    words: str
    described: str
    example: str
    descriptor: Mapping[str, Any]
    source: str = ""

    @property
    def native(self) -> bool:
        """Whether the template takes native cells (dates, numbers…): declared words for yes and no are texts."""
        return self.field.type != "boolean" or "trueValues" not in self.descriptor

    @property
    def number_format(self) -> str:
        """How a spreadsheet shows its cells."""
        if not self.native:
            return "@"
        if self.field.type == "duration":
            return _ELAPSED[self.descriptor["duration"]]
        if self.field.type != "date":
            return _FORMATS[self.field.type]
        code = date_pattern(self.descriptor)
        for part, shown_as in _DATE_CODES.items():
            code = code.replace(part, shown_as)
        return "dd/mm/yyyy" if "%" in code else code

    def number(self, text: str) -> int | float | None:
        """Return the number that a text of the column writes, if it is one."""
        group, point = self.descriptor.get("groupChar") or " ", self.descriptor.get("decimalChar") or "."
        try:
            number = float(text.replace(group, "").replace(point, "."))
        except ValueError:
            return None
        return int(number) if number.is_integer() else number


def template_schema(export: Export, layout: Layout, year: int) -> dict[str, Any]:
    """Return the Table Schema of the file as the layout writes it: fields are named by their headers."""
    columns = {field.name: _column(field, layout, cell_example(export, field, layout, year)) for field in export.fields}
    fields = []
    for column in columns.values():
        described = {"name": column.label, "title": column.label, "description": column.described}
        written = {key: value for key, value in column.descriptor.items() if key != "name"}
        numeric = column.field.type in ("integer", "number", "year")
        example = column.number(column.example) if numeric else column.example
        fields.append({**described, **written, **({} if example in (None, "") else {"example": example})})
    schema: dict[str, Any] = {"title": f"{export.title}, {year}", "fields": fields}
    if export.key:
        schema["primaryKey"] = [columns[name].label for name in export.key]
    return schema


def template_workbook(catalogue: Catalogue, network: str, export: Export, layout: Layout, year: int) -> bytes:
    """Return the workbook: the sheet to fill first, then an example, the lists, and how to use it."""
    title = f"{catalogue.networks[network].title} : {export.title}, {year}"
    territories = catalogue.territories.of_year(year)
    lists = _lists(territories, export, layout)
    rows = example_rows(export, layout, territories, year, row_rules(catalogue, network, export, [year]))
    examples = rows[0] if rows else {field.name: cell_example(export, field, layout, year) for field in export.fields}
    sources = {}
    for rank, (listed, cells) in enumerate(lists.items()):
        letters = xl_col_to_name(rank)
        sources[listed] = f"={LISTS}!${letters}$2:${letters}${len(cells) + 1}"
    columns = [_column(field, layout, examples[field.name], sources.get(field.name, "")) for field in export.fields]
    target = io.BytesIO()
    with workbook(title, target) as book:
        formats = [book.add_format({"num_format": column.number_format}) for column in columns]
        name = (layout.sheet if layout.format in WORKBOOKS else None) or "Données"
        notice, described, example = _free(name, NOTICE, COLUMNS, EXAMPLE)
        _sheet_to_fill(book, name, layout, title, columns, formats)
        write_lines(book, notice, title, _notice(network, export, layout, year, name, columns, shows=bool(rows)))
        _columns_sheet(book, described, columns)
        sheet = _sheet_to_fill(book, example, layout, title, columns, formats)
        for row, values in enumerate(rows, start=layout.skip_rows + layout.header_rows):
            for rank, column in enumerate(columns):
                _cell(sheet, row, rank, values[column.field.name], column, formats[rank])
        names = {place.code: place.name for place in territories.territories}
        _lists_sheet(book, {column.field.name: column.label for column in columns}, lists, export, names)
    return target.getvalue()


def _column(field: ExportField, layout: Layout, example: str, source: str = "") -> _Column:
    words = expected_words(field, layout)
    said = f"{field.description.rstrip('.')}. " if field.description else ""
    optional = " La colonne peut manquer." if is_optional(field, layout) else ""
    personal = " Donnée personnelle : jamais publiée." if field.personal else ""
    described = f"{said}{words[0].upper()}{words[1:]}.{optional}{personal}"
    return _Column(field, label_of(field, layout), words, described, example, field_descriptor(field, layout), source)


def _sheet_to_fill(
    book: Workbook, name: str, layout: Layout, title: str, columns: Sequence[_Column], formats: Sequence[Format]
) -> Worksheet:
    sheet = book.add_worksheet(name)
    print_in_width(sheet)
    _header(book, sheet, layout, title, columns)
    first = layout.skip_rows + layout.header_rows
    for rank, column in enumerate(columns):
        sheet.set_column(rank, rank, max(14, min(40, len(column.label) + 4)), formats[rank])
        sheet.data_validation(first, rank, LAST_ROW, rank, _check(column))
    return sheet


def _free(taken: str, *names: str) -> list[str]:
    """Return names of sheets, changed where the sheet to fill has that name."""
    return [f"{name} (aide)" if name.casefold() == taken.casefold() else name for name in names]


def _header(book: Workbook, sheet: Worksheet, layout: Layout, title: str, columns: Sequence[_Column]) -> None:
    skipped, height = layout.skip_rows, layout.header_rows
    head = book.add_format({**_HEADER, "num_format": "@"})
    if skipped:
        write_text(sheet, 0, 0, title, book.add_format({"bold": True}))
    for rank, column in enumerate(columns):
        parts = column.label.split(" / ", height - 1)
        for index, part in enumerate(parts):
            write_text(sheet, skipped + index, rank, part, head)
        comment = f"{column.described}\nExemple : {column.example or '(aucun)'}"
        sheet.write_comment(skipped + len(parts) - 1, rank, comment, {"author": "Modèle", "x_scale": 2, "y_scale": 1.5})
    sheet.freeze_panes(skipped + height, 0)


def _cell(sheet: Worksheet, row: int, rank: int, text: str, column: _Column, form: Format) -> None:
    """Write an example, native when the template takes native cells."""
    kind = column.field.type
    if not text or not column.native or kind == "string":
        write_text(sheet, row, rank, text, form)
    elif kind == "date":
        day = datetime.datetime.strptime(text, date_pattern(column.descriptor))
        sheet.write_datetime(row, rank, day, form)
    elif kind == "duration":
        seconds = duration_value(text, column.descriptor["duration"], "secondes")
        sheet.write_datetime(row, rank, datetime.timedelta(seconds=seconds), form)
    elif kind == "boolean":
        sheet.write_boolean(row, rank, text == "true", form)
    elif (number := column.number(text)) is not None:
        sheet.write_number(row, rank, number, form)
    else:
        write_text(sheet, row, rank, text, form)


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
    book: Workbook, labels: Mapping[str, str], lists: Mapping[str, list[str]], export: Export, names: Mapping[str, str]
) -> None:
    """Write the values of each list, in the column of its rank; last, the names of the places."""
    if not lists:
        return
    sheet = book.add_worksheet(LISTS)
    head, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    for rank, (name, values) in enumerate(lists.items()):
        sheet.set_column(rank, rank, 26)
        for row, value in enumerate([labels[name], *values]):
            write_text(sheet, row, rank, value, text if row else head)
    places = lists.get(export.territory.field, []) if export.territory else []
    named = [f"{value} : {names[code]}" for value in places if (code := value.lstrip("DR")) in names]
    for row, value in enumerate(["Codes et noms des lieux", *named] if named else []):
        write_text(sheet, row, len(lists) + 1, value, text if row else head)
    sheet.set_column(len(lists) + 1, len(lists) + 1, 40)


def _columns_sheet(book: Workbook, name: str, columns: Sequence[_Column]) -> None:
    """Write what each column asks, in the words of its declaration."""
    sheet = book.add_worksheet(name)
    print_in_width(sheet)
    head = book.add_format(_HEADER)
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    widths = {"Colonne": 26, "Question ou contenu": 46, "Attendu": 60, "Exemple": 24}
    for rank, (label, width) in enumerate(widths.items()):
        write_text(sheet, 0, rank, label, head)
        sheet.set_column(rank, rank, width)
    for row, column in enumerate(columns, start=1):
        for rank, cell in enumerate((column.label, _asked(column), column.words, column.example)):
            write_text(sheet, row, rank, cell, text)
    sheet.freeze_panes(1, 1)


def _asked(column: _Column) -> str:
    """Return the question that a column answers: its name in other years, and its description."""
    other = column.field.label if column.field.label != column.label else None
    return ". ".join(part.rstrip(".") for part in (other, column.field.description) if part)


def _check(column: _Column) -> dict[str, Any]:
    """Return what the spreadsheet itself checks: a list to choose from, or bounds, told as a warning."""
    rule: dict[str, Any] = {
        "validate": "any",
        "ignore_blank": True,
        "error_type": "warning",
        "error_title": "Valeur inattendue",
        "error_message": _cut(f"« {column.label} » attend : {column.words}.", _LONGEST_MESSAGE),
        "input_title": _cut(column.label, _LONGEST_TITLE),
        "input_message": _cut(f"{column.words[0].upper()}{column.words[1:]}.", _LONGEST_MESSAGE),
    }
    if column.source:
        message = (
            f"« {column.label} » : choisissez une valeur de la liste (flèche à droite de la cellule), telle quelle. "
            f"Toutes sont dans la feuille « {LISTS} »."
        )
        rule |= {"validate": "list", "source": column.source, "error_message": _cut(message, _LONGEST_MESSAGE)}
    elif column.field.type in ("integer", "number") and (bounds := _bounds(column.field)):
        rule |= {"validate": "integer" if column.field.type == "integer" else "decimal", **bounds}
    return rule


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


def _notice(
    network: str, export: Export, layout: Layout, year: int, sheet: str, columns: Sequence[_Column], *, shows: bool
) -> list[str]:
    expected = layout.path.replace("{year}", str(year))
    lines = [
        f"Remplissez la feuille « {sheet} », une ligne par observation, sous l'en-tête. Ne changez pas les en-têtes.",
        f"La feuille « {EXAMPLE} » montre des lignes justes (valeurs inventées)."
        if shows
        else f"La feuille « {EXAMPLE} » est vide : aucun exemple juste n'est déclaré.",
        "Le commentaire de chaque en-tête dit ce qui est attendu.",
    ]
    for column in columns:
        form = column.number_format
        if column.field.type == "date":
            code = form.replace("yyyy", "aaaa").replace("dd", "jj")
            lines.append(f"« {column.label} » : une date du tableur, affichée {code} ; gardez ce format.")
        elif column.field.type == "duration":
            lines.append(f"« {column.label} » : une durée du tableur, au format {form}.")
    lines.append("Une valeur inconnue reste vide : n'écrivez ni 0, ni « ? ».")
    sent = workbooks_for(expected) if layout.format not in WORKBOOKS else [expected]
    lines.append(f"Envoyez ce classeur rempli, sous le nom : {(sent or [expected])[0].rsplit('/', 1)[-1]}")
    if layout.format == "csv":
        name = expected.rsplit("/", 1)[-1]
        lines.append(f"Un CSV convient aussi (Enregistrer sous, « CSV UTF-8 »), sous le nom : {name}")
    command = f"resultats validate FICHIER.xlsx --network {network} --export {export.id} --year {year}"
    return [*lines, f"Si vous avez l'outil de contrôle, vérifiez le fichier avant l'envoi : {command}"]
