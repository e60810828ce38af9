"""Joins reading and validation for one file that a producer checks alone: no archive, no correction, no memory."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.read import UnusableFileError, read_cells
from pipelines.read.filled import is_workbook, read_filled
from pipelines.validate import (
    Finding,
    JudgedFile,
    Validated,
    Verdict,
    annotated_copy,
    judge,
    observation_schema,
    protect,
    validate_cells,
    write_letter,
)
from pipelines.validate.problems import Problem, grouped

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.declarations import Catalogue, Export, Layout


@dataclass(frozen=True)
class Checked:
    """A file checked: the verdict on it, its problems, and whether it could be read at all."""

    network: str
    export: Export
    layout: Layout
    year: int | None
    verdict: Verdict
    problems: list[Problem] = field(default_factory=list)
    unreadable: bool = False

    @property
    def valid(self) -> bool:
        """Whether the whole file is accepted; warnings don't count."""
        return self.verdict.state == "accepté" and not any(item.severity == "erreur" for item in self.problems)

    def descriptor(self) -> dict[str, Any]:
        """Return the report as plain data, with the keys of the published tables."""
        verdict = self.verdict
        return {
            "reseau": self.network,
            "export": self.export.id,
            "annee": self.year,
            "fichiers": verdict.files,
            "valide": self.valid,
            "etat": verdict.state,
            "explication": verdict.explanation,
            "lignes_lues": verdict.rows,
            "lignes_acceptees": verdict.accepted,
            "lignes_refusees": verdict.refused,
            "lignes_sans_observation": verdict.ignored,
            "regles": dict(Counter(item.rule for _, _, item in verdict.findings)),
            "problemes": [problem.descriptor() for problem in self.problems],
        }


def layout_of(export: Export, asked: int | None, name: str) -> tuple[Layout, int | None]:
    """Return the layout and year of a file: the year asked for, else the one in its name.

    A file of several years needs none: all its rows are judged. Raises ValueError when the year can't be known.
    """
    years = sorted({year for layout in export.layouts for year in layout.years})
    named = [int(text) for text in re.findall(r"(?<!\d)\d{4}(?!\d)", name) if int(text) in years]
    only = years[0] if len(years) == 1 else None
    year = asked if asked is not None else named[-1] if named else only
    if year is not None:
        layout = export.layout(year)
        if layout is None:
            raise ValueError(f"l'export « {export.id} » n'est pas attendu pour {year} ; années : {_listed(years)}")
        return layout, year if asked is not None or layout.one_file_per_year else None
    if len(export.layouts) == 1 and not export.layouts[0].one_file_per_year:
        return export.layouts[0], None
    raise ValueError(f"l'année n'est pas dans le nom du fichier : indiquez --year ({_listed(years)})")


def _listed(years: list[int]) -> str:
    return ", ".join(str(year) for year in years)


def check_export(
    catalogue: Catalogue, network: str, export: Export, layout: Layout, year: int | None, path: Path
) -> Checked:
    """Judge one file as the main job would, without the declared corrections."""
    content = path.read_bytes()
    unreadable = False
    try:
        filled = is_workbook(content) and layout.format not in ("xlsx", "ods")
        cells = read_filled(content, export, layout) if filled else read_cells(content, path.name, layout)
        validated = validate_cells(
            cells.header, cells.rows, cells.first_row, export, layout, catalogue.territories,
            file=path.name, file_year=year if layout.one_file_per_year else None,
        )  # fmt: skip
    except UnusableFileError as error:
        unreadable = True
        empty = observation_schema(export).empty_table()
        validated = Validated(empty, [Finding(error.rule, str(error))], usable=False)
    judged = JudgedFile(path.name, hashlib.sha256(content).hexdigest(), protect(validated, export, layout))
    verdict = judge(export, year, catalogue.networks[network].acceptance_of(export), [judged])
    return Checked(network, export, layout, year, verdict, grouped(verdict, export, layout, year), unreadable)


def write_letters(catalogue: Catalogue, checked: Checked, folder: Path) -> list[Path]:
    """Write the letter and the annotated copy of a file that has something to mend; return what was written."""
    if checked.verdict.clean:
        return []
    title = f"{catalogue.networks[checked.network].title}, {checked.export.title}"
    copy = annotated_copy(checked.verdict, checked.export, checked.layout, title)
    name = f"{checked.export.id}-lignes-refusees.xlsx"
    letter = write_letter(
        catalogue, checked.network, checked.year, checked.verdict, copy=name if copy is not None else None
    )
    contents = {f"{checked.export.id}-lettre.html": letter.html.encode("utf-8"),
                f"{checked.export.id}-lettre.txt": letter.text.encode("utf-8")}  # fmt: skip
    if copy is not None:
        contents[name] = copy
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    return [folder / file for file in contents]
