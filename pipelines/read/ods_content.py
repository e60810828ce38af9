"""The content of an ODS that says what is seen: its rows and cells, some repeated, and their styles."""

from __future__ import annotations

from bisect import bisect_right
from itertools import product
from typing import Any

from pipelines.mechanics import limits
from pipelines.read.native_cells import Look
from pipelines.read.xml_part import Sheet, XmlPart

_VALUES = {"office:value-type", "calcext:value-type"}
_VALUE_PLACES = {"date": "office:date-value", "time": "office:time-value", "boolean": "office:boolean-value"}


class OdsContent(XmlPart):
    """The content of an ODS (OpenDocument 1.3 part 3, 9.1): rows and cells follow each other, some repeated."""

    def listen(self, parser: Any) -> None:
        """Ask for elements and texts."""
        self._sheet = Sheet()
        self._row = self._column = self._rows = self._cells = self._look = 0
        self._is_error = self._holds = False
        self._text: list[str] = []
        self._styles = _OdsStyles()
        self._hidden_columns = 0
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table":
            self._sheet = self.sheets.setdefault(attributes.get("table:name", ""), Sheet())
            self._sheet.visible = self._styles.shows(attributes.get("table:style-name", ""))
            self._row = self._column = 0
            self._styles.lasts, self._styles.defaults = [], []
        elif tag == "table:table-column":
            self._start_column(attributes)
        elif tag == "table:table-row":
            self._rows, self._column = _times(attributes, "table:number-rows-repeated"), 0
            if attributes.get("table:visibility") in ("collapse", "filter"):
                self._sheet.hide(self._row + 1, self._rows)
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._start_cell(attributes)
        elif tag == "text:p":
            self._holds = True
        else:
            self._styles.start(tag, attributes)

    def _start_column(self, attributes: dict[str, str]) -> None:
        times = _times(attributes, "table:number-columns-repeated")
        if attributes.get("table:visibility") == "collapse" and len(self._sheet.hidden_columns) < limits.MOST_COLUMNS:
            self._sheet.hidden_columns.append((self._column, self._column + times - 1))
        self._column += times
        self._styles.lasts.append(self._column)
        self._styles.defaults.append(attributes.get("table:default-cell-style-name", ""))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._cells = _times(attributes, "table:number-columns-repeated")
        self._is_error = attributes.get("calcext:value-type") == "error"
        self._holds = not _VALUES.isdisjoint(attributes)
        self._text = []
        kind = attributes.get("office:value-type", "")
        self._look = 0
        # A cell holds the value of its type (19.385); a text may be in its paragraphs, or empty.
        has_result = kind == "string" or (kind and _VALUE_PLACES.get(kind, "office:value") in attributes)
        if "table:formula" in attributes and not self._is_error and not has_result:
            self._look, self._holds = Look.NO_VALUE, True
        elif kind == "percentage":
            self._look = Look.PERCENT
        elif kind in ("float", "time"):
            self._look = self._styles.look(attributes.get("table:style-name"), self._column)
        down = _times(attributes, "table:number-rows-spanned")
        right = _times(attributes, "table:number-columns-spanned")
        if down > 1 or right > 1:
            self._sheet.merge((self._row + 1, self._column + 1), (self._row + down, self._column + right))

    def _characters(self, text: str) -> None:
        if self._is_error:
            self._text.append(text)
        self._styles.characters(text)

    def _end(self, tag: str) -> None:
        if tag == "table:table-row":
            self._row += self._rows
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            if self._holds:
                self._end_held()
            self._column += self._cells
            self._is_error = self._holds = False
        else:
            self._styles.end(tag)

    def _end_held(self) -> None:
        """Note a cell that holds something, at each of its places, counted from 1."""
        bottom, right = self._row + self._rows, self._column + self._cells
        self._sheet.hold(bottom, right)
        if self._rows * self._cells > limits.MOST_ERRORS or not (self._is_error or self._look):
            return
        error = "".join(self._text)[: limits.LONGEST_CELL]
        for row, column in product(range(self._row + 1, bottom + 1), range(self._column + 1, right + 1)):
            if self._is_error:
                self._sheet.hold(row, column, error)
            else:
                self._sheet.look(row, column, self._look)


class _OdsStyles:
    """The styles of an ODS that change what is seen (16.27, 19): of cells, by name, and of hidden tables."""

    def __init__(self) -> None:
        self.lasts: list[int] = []  # of each run of columns, the number of the last one, from 1
        self.defaults: list[str] = []  # and its style
        self._data: dict[str, int] = {}
        self._cells: dict[str, int] = {}
        self._hidden: set[str] = set()
        self._style = self._format = ""
        self._parts: set[str] = set()
        self._in_text = False

    def shows(self, style: str) -> bool:
        """Tell whether a table of that style is shown."""
        return style not in self._hidden

    def look(self, style: str | None, column: int) -> int:
        """Return the look of a cell: that of its style, else of its column's."""
        if not self._cells:
            return Look.PLAIN
        if style is None:
            run = bisect_right(self.lasts, column)
            style = self.defaults[run] if run < len(self.defaults) else ""
        return self._cells.get(style, Look.PLAIN)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take what an element says of a style."""
        if tag == "style:style":
            self._style = attributes.get("style:name", "")
            look = self._data.get(attributes.get("style:data-style-name", ""))
            if look and len(self._cells) < limits.MOST_STYLES:
                self._cells[self._style] = look
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self._hidden.add(self._style)
        elif tag in ("number:number-style", "number:time-style"):
            self._format, self._parts = attributes.get("style:name", ""), set()
            if attributes.get("number:truncate-on-overflow") == "false":
                self._parts.add("elapsed")
        elif tag == "number:number" and self._format:
            self._start_number(attributes)
        elif tag in ("number:hours", "number:minutes", "number:seconds", "number:text"):
            self._parts.add(tag)
            self._in_text = tag == "number:text"

    def _start_number(self, attributes: dict[str, str]) -> None:
        digits, factor = attributes.get("number:min-integer-digits", ""), attributes.get("number:display-factor", "1")
        if factor not in ("1", "1.0"):
            self._data[self._format] = Look.SCALED
        elif digits.isdecimal() and 1 < int(digits[:4]) < 100 and attributes.get("number:decimal-places", "0") == "0":
            self._data[self._format] = Look.ZEROS + int(digits)

    def characters(self, text: str) -> None:
        """Take the signs that a format shows beside digits."""
        if self._in_text and text.strip():
            self._parts.add("signs")

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self._in_text = self._in_text and tag != "number:text"
        if tag == "number:number-style" and "signs" in self._parts and self._data.get(self._format) != Look.SCALED:
            self._data[self._format] = Look.WORDED
        if tag == "number:time-style" and "elapsed" not in self._parts:
            if "number:seconds" not in self._parts and "number:hours" in self._parts:
                self._data[self._format] = Look.HOURS_MINUTES
            elif "number:hours" not in self._parts and "number:seconds" in self._parts:
                self._data[self._format] = Look.MINUTES_SECONDS
        if tag in ("number:number-style", "number:time-style"):
            self._format = ""


def _times(attributes: dict[str, str], name: str) -> int:
    """Return how often a row or a cell is repeated: once unless it says more."""
    written = attributes.get(name, "1")
    return int(written) if written.isdecimal() and len(written) < 10 else 1
