"""Which sheet of a workbook is read, and what must be told of it: the declared one, else a visible one.

Among several visible sheets, the one whose header has the most expected columns is read; the first one at equality.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.mechanics import limits
from pipelines.mechanics.french import first_few
from pipelines.mechanics.opened_files import Note
from pipelines.read.cells import compose_header, native_text
from pipelines.read.isolated import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.declarations import Layout
    from pipelines.read.cells import Recognise
    from pipelines.read.xml_part import Sheet

_PARTS = "xl/"  # a sheet that the workbook gives no name is known by its part
_EXAMPLES = "exemple"  # templates show right rows in such a sheet


def choose_sheet(
    content: bytes, layout: Layout, sheets: dict[str, Sheet], recognise: Recognise | None
) -> tuple[str, list[Note]]:
    """Return the name of the sheet to read (empty: the first one), and what must be told of that choice."""
    names = [name for name in sheets if not name.startswith(_PARTS) and len(name) <= limits.LONGEST_SHEET_NAME]
    if layout.sheet:
        hidden = layout.sheet in sheets and not sheets[layout.sheet].visible
        return layout.sheet, [_note(f"La feuille « {layout.sheet} » est lue alors qu'elle est masquée.")] * hidden
    visible = [name for name in names if sheets[name].visible] or names
    if not visible:
        return "", []
    if len(visible) == 1 or recognise is None:
        return visible[0], _told(visible[0], names, visible)
    known = _known_columns(content, layout, visible[: limits.MOST_SHEETS], recognise)
    chosen = max(known, key=lambda name: known[name], default=visible[0])
    alike = [name for name, columns in known.items()
             if name != chosen and columns == known[chosen] > 1 and not name.lower().startswith(_EXAMPLES)]  # fmt: skip
    unread = [
        Note("feuilles-non-lues",
             f"Seule la feuille « {chosen} » est lue ; {_listed(alike)} {'ont' if len(alike) > 1 else 'a'} les mêmes "
             "colonnes.")
    ]  # fmt: skip
    return chosen, [*_told(chosen, names, visible), *(unread if alike else [])]


def _told(chosen: str, names: Sequence[str], visible: Sequence[str]) -> list[Note]:
    """Tell a choice that isn't the first sheet of the workbook."""
    if chosen == names[0]:
        return []
    if chosen == visible[0]:
        return [_note(f"La feuille « {names[0]} » est masquée : la feuille lue est « {chosen} », la première visible.")]
    return [_note(f"La feuille lue est « {chosen} », celle qui a les colonnes attendues.")]


def _note(message: str) -> Note:
    return Note("feuille-lue", message)


def _known_columns(content: bytes, layout: Layout, names: list[str], recognise: Recognise) -> dict[str, int]:
    """Count the expected columns of each sheet; one without any row has none."""
    start = layout.skip_rows + layout.header_rows
    found = {}
    with rows_of(content, "tops", "\t".join(names)) as (known, tops):
        asked = [name for name in names if name in known]
        for name, rows in zip(asked, tops, strict=False):
            texts = [[native_text(value, layout.decimal_char) for value in row] for row in rows[:start]]
            fields = recognise(compose_header(texts[layout.skip_rows :])) if len(rows) > start else []
            found[name] = sum(field is not None for field in fields)
    return found


def _listed(names: Sequence[str]) -> str:
    return first_few([f"« {name} »" for name in names], 5)
