"""Delimited text (CSV), opened: encoding, separator, header. Its rows are split by whoever judges them.

Where all the cells are needed at once, Python's own csv reader splits them, the one that frictionless uses.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from contextlib import closing
from typing import TYPE_CHECKING

from pipelines.mechanics import limits
from pipelines.mechanics.opened_files import Cells, DelimitedText, Note
from pipelines.read.cells import UnusableFileError, compose_header
from pipelines.read.text import EXCEL_ENCODING, facts_of, open_text, utf16_of, whole_text
from pipelines.read.unfinished_files import CutLine, cut_line

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from pipelines.declarations import Layout

_EXCEL = "Les accents sont enregistrés comme le fait Excel sous « CSV », et non en « CSV UTF-8 » : ils sont lus ainsi."
_MARK = re.compile(r"\s*\"?sep=([^\"\r\n])\"?\1*[ \t]*[\r\n]*", re.IGNORECASE)


def open_delimited(source: bytes | Path, layout: Layout) -> DelimitedText:
    """Open a CSV as declared.

    A first line ``sep=;`` (Excel's; between quotes, or followed by separators, as other tools write it) tells the
    separator, and counts as a row before the header. Raises UnusableFileError on a text that was
    cut: what came after its last line isn't there.
    """
    if wide := utf16_of(source):  # what follows reads encodings whose line ends are bytes
        source = whole_text(source, wide).encode()
    facts = facts_of(source, layout.encoding)
    encoding = "utf-8" if wide else facts.encoding
    if facts.endless:  # it would be read whole
        raise _unreadable(
            f"la ligne {facts.endless} dépasse {limits.LONGEST_LINE} caractères ; les fins de ligne manquent sans doute"
        )
    with open_text(source, encoding, errors="replace") as stream:
        first = next(stream, "")
        mark = _MARK.fullmatch(first)
        above, delimiter = (1, mark[1]) if mark else (0, layout.delimiter)
        start = above + layout.skip_rows + layout.header_rows
        records = _records(itertools.chain([first], stream), delimiter)
        with closing(records):  # it has the limit of the whole process's csv in its hands
            before = list(itertools.islice(records, start))
    if len(before) < start or not any(any(cell.strip() for cell in row) for row in before[above:]):
        raise UnusableFileError("fichier-vide", "Le fichier est vide : il n'a même pas de ligne d'en-tête.")
    header = compose_header(before[above + layout.skip_rows :])
    notes = []
    if cut := cut_line(source, layout, delimiter, start):
        if cut.is_sure:
            raise UnusableFileError("fichier-coupe", _cut(cut))
        notes.append(Note("fichier-coupe", _cut(cut)))
    if encoding == EXCEL_ENCODING and layout.encoding != encoding:
        notes.append(Note("ecriture-comprise", _EXCEL))
    return DelimitedText(header, source, encoding, delimiter, start + 1, tuple(notes))


def read_delimited(text: DelimitedText) -> Cells:
    """Read all rows of a text; raises UnusableFileError. Blank rows at the end are kept, as where it is judged."""
    whole = io.StringIO(whole_text(text.source, text.encoding), newline="")
    rows = list(_records(whole, text.delimiter))
    start = text.first_row - 1
    return Cells(text.header, rows[start:], text.first_row, notes=text.notes, above=tuple(map(tuple, rows[:start])))


def _cut(cut: CutLine) -> str:
    sign = "a moins de cellules que les autres" if cut.sign == "cellules" else "finit plus court que toutes les autres"
    return (
        f"Le fichier {'semble coupé' if cut.is_sure else 'est peut-être coupé'} : sa dernière ligne (la {cut.number}) "
        f"{sign}, et n'a pas de fin de ligne. Déposez-le de nouveau en entier ; s'il l'était, ajoutez une fin de ligne."
    )


def _records(lines: Iterable[str], delimiter: str) -> Generator[list[str], None, None]:
    before = csv.field_size_limit(limits.LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter)
    cells, number = 0, 1
    try:
        for record in reader:
            cells += len(record)
            if len(record) > limits.MOST_COLUMNS:
                raise _unreadable(f"ligne {number} : {len(record)} colonnes (limite : {limits.MOST_COLUMNS})")
            if cells > limits.MOST_CELLS:
                raise _unreadable(f"il contient plus de {limits.MOST_CELLS} cellules ; découpez-le")
            yield record
            number = reader.line_num + 1
    except csv.Error as error:
        if "field larger" in str(error):
            raise _unreadable(
                f"la cellule qui commence à la ligne {number} dépasse {limits.LONGEST_CELL} caractères (limite "
                "d'Excel) ; un guillemet « \" » ouvert n'est sans doute pas refermé"
            ) from error
        raise _unreadable(str(error)) from error
    finally:
        csv.field_size_limit(before)  # it is the whole process's, frictionless's too


def _unreadable(reason: str) -> UnusableFileError:
    return UnusableFileError(
        "fichier-illisible",
        f"Le fichier n'est pas un CSV lisible : {reason}. Vérifiez le séparateur et les guillemets, puis exportez de "
        "nouveau.",
    )
