"""Joins reading and validation for one file that a producer checks alone: no archive, no correction, no memory."""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipelines.cli.any_file import UNREADABLE
from pipelines.declarations.roles import row_rules
from pipelines.declarations.statuses import Status
from pipelines.mechanics import limits
from pipelines.mechanics.files import sha256
from pipelines.read import UnusableFileError, apart, layout_of_file, read_export
from pipelines.read.archive import check_size
from pipelines.validate import (
    FileContext,
    Finding,
    JudgedFile,
    Verdict,
    annotated_copy,
    expected_of,
    judge,
    protect,
    recognised,
    unusable,
    validate_file,
    write_letter,
)
from pipelines.validate.grouped_findings import Problem, grouped
from pipelines.validate.verdict import take_accounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

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
        return self.verdict.state == Status.ACCEPTED and not any(item.severity == "erreur" for item in self.problems)

    def descriptor(self) -> dict[str, Any]:
        """Return the report as plain data, with the keys of the published tables."""
        verdict, rules = self.verdict, Counter[str]()
        for _, _, item in verdict.findings:
            rules[item.rule] += item.count
        return {
            "reseau": self.network,
            "export": self.export.id,
            "annee": self.year,
            "fichiers": verdict.files,
            "valide": self.valid,
            "etat": verdict.state,
            "explication": verdict.told_producer,
            "lignes_lues": verdict.rows,
            "lignes_acceptees": verdict.accepted,
            "lignes_refusees": verdict.refused,
            "lignes_sans_observation": verdict.ignored,
            "regles": dict(rules),
            "problemes": [problem.descriptor() for problem in self.problems],
            "indicateurs": [
                {
                    "indicateur": item.indicator,
                    "lignes_acceptees": item.accepted,
                    "lignes_base": item.base,
                    "hors_de_la_base": dict(item.outside),
                }
                for item in verdict.accounts
            ],
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
    catalogue: Catalogue,
    network: str,
    export: Export,
    layout: Layout,
    year: int | None,
    path: Path,
    progress: Callable[[int], None] | None = None,
) -> Checked:
    """Judge one file as the main job would, without the declared corrections.

    ``progress`` is told the number of rows judged so far.
    """
    _spare_memory()
    with tempfile.TemporaryDirectory() as folder:
        try:
            check_size(path)
            written = layout_of_file(path, path.name, layout)
            opened = apart(
                lambda _: read_export(path, path.name, written, Path(folder) / "texte", recognised(export, written)),
                memory=limits.JUDGING_MEMORY,
                seconds=limits.JUDGING_SECONDS,
            )
            context = FileContext(
                export,
                written,
                catalogue.territories,
                path.name,
                year if layout.one_file_per_year else None,
                rules=row_rules(catalogue, network, export, [year] if year is not None else layout.years),
                spill=Path(folder) / "observations.parquet",
                progress=progress,
            )
            validated = validate_file(opened, context)
        except UnusableFileError as error:
            validated = unusable(export, [Finding(error.rule, str(error))])
        judged = JudgedFile(path.name, sha256(path), protect(validated, export, layout))
        expected = expected_of(catalogue, network, export, layout, year)
        verdict = judge(export, year, catalogue.networks[network].acceptance_of(export), [judged], expected)
        if verdict.observations is not None and verdict.accepted:
            from pipelines.compute.accounts import accounts_of  # with DuckDB, which a refused file does without

            place = verdict.observations.whole_file or Path(folder) / "acceptees.parquet"
            if verdict.observations.whole_file is None:  # some rows were set aside once all were known
                verdict.observations.write(place)
            within = [year] if year is not None else layout.years
            take_accounts(verdict, accounts_of(catalogue, network, export, within, place), catalogue, network)
    unreadable = any(item.rule in UNREADABLE for _, _, item in verdict.findings)
    return Checked(network, export, layout, year, verdict, grouped(verdict, export, layout, year), unreadable)


class _NoPandas(MetaPathFinder):
    """Finds no pandas: Cython takes ``sys.modules["pandas"] = None`` for the module itself."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        """Leave other modules to the other finders."""
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


def _spare_memory() -> None:
    """Keep Arrow from loading pandas at its first array, and from holding memory in advance: one file takes little.

    It looks for pandas then, and again whenever a frame is asked for: what needs one still has it.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    if "pandas" not in sys.modules:
        hidden = _NoPandas()
        sys.meta_path.insert(0, hidden)
        pa.array([])
        sys.meta_path.remove(hidden)


def write_letters(catalogue: Catalogue, checked: Checked, folder: Path, told_on: date) -> list[Path]:
    """Write the letter and the annotated copy of a file that has something to mend; return what was written."""
    if checked.verdict.clean:
        return []
    contents = letters_of(catalogue, checked, told_on)
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    return [folder / file for file in contents]


def letters_of(catalogue: Catalogue, checked: Checked, told_on: date) -> dict[str, bytes]:
    """Return the letter of a file, as a page and as text, and the annotated copy of its refused rows, by file name."""
    title = f"{catalogue.networks[checked.network].title}, {checked.export.title}"
    copy = annotated_copy(checked.verdict, checked.export, checked.layout, title)
    name = f"{checked.export.id}-lignes-refusees.xlsx"
    letter = write_letter(
        catalogue,
        checked.network,
        checked.year,
        checked.verdict,
        copy=name if copy is not None else None,
        told_on=told_on,
    )
    contents = {
        f"{checked.export.id}-lettre.html": letter.html.encode("utf-8"),
        f"{checked.export.id}-lettre.txt": letter.text.encode("utf-8"),
    }
    return contents if copy is None else {**contents, name: copy}
