"""Delimited text (CSV), opened: encoding, separator, header. Its rows are split by whoever judges them.

Where all the cells are needed at once, Python's own csv reader splits them, the one that frictionless uses. A text is
UTF-8 (BOM tolerated) where all of it is, or where most of what is not ASCII is; else of the declared encoding. Where
that is UTF-8 too, cp1252 if all that is not ASCII is then French: it is what Excel writes under « CSV ».
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.mechanics import limits
from pipelines.mechanics.files import LineMeter, chunks
from pipelines.mechanics.opened_files import Cells, DelimitedText, Note
from pipelines.read.cells import UnusableFileError, compose_header, open_binary
from pipelines.read.unfinished_files import CutLine, cut_line

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from pipelines.declarations import Layout

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD = 4096  # bytes that tell the encoding of a text without a mark
_EXCEL_ENCODING = "cp1252"
# What French texts hold beyond ASCII; letters of other encodings (MacRoman, cp850) become none of these signs alone.
_FRENCH = frozenset("àâäçéèêëîïôöùûüÿæœÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸÆŒ«»’°€\u00a0".encode(_EXCEL_ENCODING))
_LEAST_WIDE = 8  # bytes: fewer tell nothing
_EXCEL = "Les accents sont enregistrés comme le fait Excel sous « CSV », et non en « CSV UTF-8 » : ils sont lus ainsi."
_SEPARATOR = re.compile(r"\s*\"?sep=([^\"\r\n])\"?\1*[ \t]*[\r\n]*", re.IGNORECASE)


def open_delimited(source: bytes | Path, layout: Layout) -> DelimitedText:
    """Open a CSV as declared.

    A first line ``sep=;`` (Excel's; between quotes, or followed by separators, as other tools write it) tells the
    separator, and counts as a row before the header. Raises UnusableFileError on a text that was
    cut: what came after its last line isn't there.
    """
    if wide := _utf16_of(source):  # what follows reads encodings whose line ends are bytes
        source = _whole_text(source, wide).encode()
    encoding = encoding_of(source, layout.encoding)
    encoding = "utf-8" if wide else encoding
    with open_text(source, encoding, errors="replace") as stream:
        first = next(stream, "")
        mark = _SEPARATOR.fullmatch(first)
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
    if encoding == _EXCEL_ENCODING and layout.encoding != encoding:
        notes.append(Note("ecriture-comprise", _EXCEL))
    return DelimitedText(header, source, encoding, delimiter, start + 1, tuple(notes))


def read_delimited(text: DelimitedText) -> Cells:
    """Read all rows of a text; raises UnusableFileError. Blank rows at the end are kept, as where it is judged."""
    whole = io.StringIO(_whole_text(text.source, text.encoding), newline="")
    rows = list(_records(whole, text.delimiter))
    start = text.first_row - 1
    return Cells(text.header, rows[start:], text.first_row, notes=text.notes, above=tuple(map(tuple, rows[:start])))


def _utf16_of(source: bytes | Path) -> str | None:
    """Return the UTF-16 that a text is written in, by its mark or its null bytes, if it is."""
    with open_binary(source) as stream:
        head = stream.read(_HEAD)
    if head.startswith(_UTF16):
        return "utf-16"
    even, odd = head[::2], head[1::2]
    for nulls, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        # one byte of two is null in most of its characters
        if len(head) >= _LEAST_WIDE and 2 * nulls.count(0) > len(nulls) and not others.count(0):
            return encoding
    return None


def encoding_of(source: bytes | Path, declared: str) -> str:
    """Read a text once, and return its encoding; raises UnusableFileError when it is no text, or has an endless line.

    A few bad bytes don't make a UTF-8 file another one: its readers then say where they are, where the declared
    encoding would turn every accent into two signs. Whether the encoding reads the whole file is not checked here.
    """
    meter, accents = LineMeter(limits.LONGEST_LINE), _Accents()
    with open_binary(source) as stream:
        has_mark = stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
        stream.seek(0)
        for chunk in chunks(stream):
            if b"\0" in chunk:
                raise _not_text()
            meter.take(chunk)
            accents.take(chunk)
    accents.take(b"", last=True)
    if meter.endless:  # it would be read whole
        raise _unreadable(
            f"la ligne {meter.endless} dépasse {limits.LONGEST_LINE} caractères ; les fins de ligne manquent sans doute"
        )
    # In one-byte encodings of European texts, two accents that make right UTF-8 hardly ever follow each other.
    if has_mark or not accents.wrong or accents.right > accents.wrong:
        return "utf-8-sig"
    is_excel = declared == "utf-8" and not accents.right and accents.wrong_bytes <= _FRENCH
    return _EXCEL_ENCODING if is_excel else declared


class _Accents:
    """Counts the characters beyond ASCII that are right UTF-8, and the bytes that can't be read so."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.right = self.wrong = 0
        self.wrong_bytes: set[int] = set()

    def take(self, chunk: bytes, *, last: bool = False) -> None:
        text = self._decoder.decode(chunk, last)
        if text.isascii():
            return
        readable = len(text.encode("utf-8", "ignore").decode("utf-8"))
        self.wrong += len(text) - readable
        self.wrong_bytes.update(ord(sign) & 0xFF for sign in set(text) if "\udc80" <= sign <= "\udcff")
        self.right += readable - len(text.encode("ascii", "ignore"))


def open_text(source: bytes | Path, encoding: str, errors: str = "strict") -> io.TextIOWrapper:
    """Return the text as a stream, line ends as they are."""
    return io.TextIOWrapper(open_binary(source), encoding, errors=errors, newline="")


def _whole_text(source: bytes | Path, encoding: str) -> str:
    """Return a text; raises UnusableFileError with line, column and bytes where it can't be read."""
    content = source.read_bytes() if isinstance(source, Path) else source
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        octets = content[error.start : error.end].hex(" ")
        neither = "" if encoding.startswith("utf-8") else f", ni en {encoding}"
        raise UnusableFileError(
            "encodage",
            f"Caractère illisible ligne {line}, position {column} (octet {octets}) : le fichier n'est pas en UTF-8"
            f"{neither}. Enregistrez-le au format « CSV UTF-8 ».",
        ) from error
    if "\0" in text:
        raise _not_text()
    return text


def _not_text() -> UnusableFileError:
    return UnusableFileError(
        "fichier-illisible",
        "Le fichier contient des octets nuls : ce n'est pas un fichier texte (CSV). Exportez-le de nouveau.",
    )


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
