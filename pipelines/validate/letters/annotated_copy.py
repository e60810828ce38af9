"""The copy of the refused rows that goes back to the producer: bad cells coloured, marked and commented.

It holds the cells as they were sent, personal columns too (but those of users' experiences): a private file, never part
of a release.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pipelines.compile.exports import label_of
from pipelines.compile.workbook import print_in_width, workbook, write_lines, write_text
from pipelines.mechanics.french import counted, number
from pipelines.mechanics.limits import MOST_COLUMNS
from pipelines.mechanics.plain_text import one_line
from pipelines.mechanics.spelling import one_writing
from pipelines.validate.grouped_findings import once_a_row

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook

    from pipelines.declarations import Export, Layout
    from pipelines.validate.findings import Finding
    from pipelines.validate.observations_writer import RefusedRow
    from pipelines.validate.verdict import SetAside, Verdict

ROW_LABEL, PROBLEMS_LABEL = "Ligne du fichier", "Problèmes"
BAD = "#FFC7CE"
_MOST_CELLS = MOST_COLUMNS - 2


def annotated_copy(verdict: Verdict, export: Export, layout: Layout, title: str) -> bytes | None:
    """Return the workbook of the refused rows, or None when no row was refused."""
    shown_files = [part for part in verdict.set_aside if part.rows]
    if not shown_files:
        return None
    names = ["Lignes refusées"]
    if len(shown_files) > 1:
        names = [f"Lignes refusées {rank}" for rank in range(1, len(shown_files) + 1)]
    key = {one_writing(label_of(field, layout)) for field in export.fields if field.name in export.key}
    target = io.BytesIO()
    with workbook(title, target) as book:
        for name, part in zip(names, shown_files, strict=True):
            findings = [
                finding for file, _, finding in verdict.findings if file == part.file and finding.row is not None
            ]
            _sheet(book, name, part, findings, key)
        write_lines(book, "Lisez-moi", title, _introduction(names, shown_files, export.kind == "experiences"))
    return target.getvalue()


def _introduction(names: list[str], parts: list[SetAside], masked: bool) -> list[str]:
    personal = (
        "Les textes des usagers et ce qui peut les identifier y sont masqués : le fichier d'origine les garde."
        if masked
        else "Ce classeur contient les valeurs que vous avez envoyées, y compris les colonnes personnelles : "
        "ne le diffusez pas."
    )
    lines = [
        "Chaque ligne refusée du fichier est reprise telle quelle. La première colonne donne son numéro dans le "
        "fichier d'origine ; les colonnes du fichier suivent, dans leur ordre.",
        "Une cellule à reprendre a un fond rose, des caractères gras et un cadre ; son commentaire dit ce qui ne va "
        "pas. La dernière colonne le redit en toutes lettres.",
        "Corrigez ces lignes dans le fichier d'origine, et renvoyez-le entier (la lettre dit où et jusqu'à quand).",
        personal,
    ]
    for name, part in zip(names, parts, strict=True):
        line = f"Feuille « {name} » : {one_line(part.file, 200)}, {counted(part.refused, 'ligne refusée')}."
        if part.refused > len(part.rows):
            line += f" Seules les {number(len(part.rows))} premières sont reprises ici."
        lines.append(line)
    return lines


def _sheet(book: Workbook, name: str, part: SetAside, findings: list[Finding], key: set[str]) -> None:
    sheet = book.add_worksheet(name)
    print_in_width(sheet)
    text = book.add_format({"num_format": "@"})
    bad = book.add_format({"num_format": "@", "bg_color": BAD, "bold": True, "border": 2, "border_color": "#9C0006"})
    head = book.add_format({"bold": True, "bg_color": "#000091", "font_color": "#FFFFFF", "num_format": "@"})
    width = min(max([len(part.header), *(len(row.cells) for row in part.rows)]), _MOST_CELLS)
    header = [*part.header[:width], *[""] * (width - len(part.header))]
    for column, label in enumerate([ROW_LABEL, *header, PROBLEMS_LABEL]):
        write_text(sheet, 0, column, label, head)
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, width, 20)
    sheet.set_column(width + 1, width + 1, 80)
    places = {one_writing(label): index for index, label in enumerate(header)}
    by_row, told_by_row = _by_row(findings), _by_row(once_a_row(findings))
    for line, row in enumerate(part.rows, start=1):
        notes = _notes(row, by_row.get(row.number, []), places, key, len(part.header))
        sheet.write_number(line, 0, row.number)
        for column in range(width):
            cell = row.cells[column] if column < len(row.cells) else ""
            form: Format = bad if column in notes else text
            write_text(sheet, line, column + 1, cell, form)
            if column in notes:
                sheet.write_comment(line, column + 1, "\n".join(notes[column]), {"x_scale": 2, "author": "Contrôle"})
        sentences = [
            f"{finding.column} : {finding.told}" if finding.column else finding.told
            for finding in told_by_row.get(row.number, [])
        ]
        write_text(sheet, line, width + 1, " ".join(dict.fromkeys(sentences)), text)


def _by_row(findings: list[Finding]) -> dict[int, list[Finding]]:
    by_row: dict[int, list[Finding]] = {}
    for finding in findings:
        by_row.setdefault(finding.row or 0, []).append(finding)
    return by_row


def _notes(
    row: RefusedRow, findings: list[Finding], places: dict[str, int], key: set[str], width: int
) -> dict[int, list[str]]:
    """Return the messages by column; what concerns the whole row is on its key, else on its first cell."""
    notes: dict[int, list[str]] = {}
    for finding in findings:
        if finding.severity != "erreur" and finding.rule != "donnee-personnelle-possible":
            continue
        if finding.rule == "extra-cell":
            columns = list(range(width, max(len(row.cells), width + 1)))
        elif finding.rule in ("primary-key", "cle-vide"):
            columns = [places[label] for label in key if label in places]
        else:
            columns = [places[one_writing(finding.column)]] if one_writing(finding.column) in places else []
        for column in columns or [0]:
            of_column = notes.setdefault(min(column, _MOST_CELLS - 1), [])
            if finding.told not in of_column:
                of_column.append(finding.told)
    return notes
