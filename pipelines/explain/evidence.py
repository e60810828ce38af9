"""The accepted rows of an export, read again from the archived files, and what does not hold in them.

Which rows were accepted is what validation left (their numbers in the Parquet of observations); their values are read
again from the archive, corrected as declared, and compared with the observations.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.compile.exports import field_descriptor, label_of
from pipelines.explain.archived_files import ArchiveError, open_again
from pipelines.explain.cell_values import reasons_of, values_of
from pipelines.explain.coordinates import COORDINATES, with_places
from pipelines.flow.state import ExportVerdict

if TYPE_CHECKING:
    from pipelines.declarations import Catalogue, Correction, Export, Layout
    from pipelines.flow.state import ReleasedYear
    from pipelines.read import Archive


@dataclass(frozen=True)
class Corrected:
    """A declared correction and the rows that it changed, by file."""

    correction: Correction
    lines: dict[str, list[int]]


@dataclass(frozen=True)
class Evidence:
    """The accepted rows of an export and year, in the order of its observations.

    ``rows``: ``_export``, ``_fichier``, ``_ligne``, COORDINATES, the fields asked for, and ``_absence_<field>``.
    ``faults``: what does not hold between archive, report and observations, in French, without any value.
    """

    rows: pd.DataFrame
    corrected: list[Corrected] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def fields_used(catalogue: Catalogue, network: str, year: int, export: Export) -> list[str]:
    """Return the fields that bear on a result of the year: inputs, rows kept, place, weight, margins, enterprises."""
    named: set[str | None] = {name for name in export.referenced_fields().values() if name not in export.key}
    named |= {name for place, name in export.referenced_fields().items() if not place.startswith("key.")}
    for feed in catalogue.expected(network, year).values():
        if export.id in feed.export:
            named |= {*feed.inputs.values(), *feed.where, feed.contributor}
    return [item.name for item in export.fields if item.name in named and not item.personal]


def gather_evidence(
    catalogue: Catalogue, network: str, year: int, export: Export, kept: ReleasedYear, archive: Archive
) -> Evidence:  # fmt: skip
    """Read the accepted rows of an export again. Faults are told, never raised."""
    layout, verdict = export.layout(year), kept.known.of_export(export.id)
    assert layout is not None
    assert isinstance(verdict, ExportVerdict)  # asked only of an accepted export
    names = fields_used(catalogue, network, year, export)
    seen = _observations(kept.observations(export.id), names)
    if isinstance(seen, str):
        return Evidence(pd.DataFrame(columns=["_export", "_fichier", "_ligne", *COORDINATES, *names]), [], [seen])
    faults = []
    if len(seen) != verdict.accepted:
        faults.append(f"export {export.id} : les observations n'ont plus le nombre de lignes du rapport de contrôle")
    file_year = year if layout.one_file_per_year else None
    corrections = [
        item for item in catalogue.corrections.get(network, ())
        if item.status == "confirmed" and item.export == export.id
        and (item.year == year if file_year else item.year in layout.years)
    ]  # fmt: skip
    frames, start = [], 0
    corrected: dict[int, Corrected] = {}
    files = verdict.files
    for rank, file in enumerate(files):
        count = len(seen) - start if rank == len(files) - 1 else file["acceptees"]
        part, start = seen.iloc[start : start + count], start + count
        try:
            found = _file_rows(export, layout, file, part, names, corrections, corrected, file_year, archive)
            altered = _differ(found, part, names)
        except ArchiveError as error:
            faults.append(f"{file['fichier']} : {error}")
            continue
        except (ValueError, TypeError):  # the text may identify someone: it is not told
            faults.append(f"{file['fichier']} : une ligne acceptée ne se lit plus comme déclaré")
            continue
        frames.append(found)
        if altered:
            faults.append(f"{file['fichier']} : les observations ne disent plus ce que dit le fichier archivé")
    rows = pd.concat(frames, ignore_index=True) if frames else _no_rows(names)
    return Evidence(rows, list(corrected.values()), faults)


def _no_rows(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=["_export", "_fichier", "_ligne", *COORDINATES, *names], dtype="object")


def _observations(path: Path, names: list[str]) -> pd.DataFrame | str:
    try:
        return pd.read_parquet(path, columns=["_ligne", *COORDINATES, *names])
    except (OSError, ValueError, KeyError):
        return f"observations illisibles : {path.name}"


def _file_rows(
    export: Export, layout: Layout, file: dict[str, Any], seen: pd.DataFrame, names: list[str],
    corrections: list[Correction], corrected: dict[int, Corrected], file_year: int | None, archive: Archive,
) -> pd.DataFrame:  # fmt: skip
    """Return the typed and placed rows of one file; raises ArchiveError or ValueError."""
    numbers = [int(number) for number in seen["_ligne"]]
    opened = open_again(archive, file["sha256"], file["fichier"], export, layout, set(numbers))
    if set(numbers) - set(opened.rows):
        raise ArchiveError("des lignes acceptées n'y sont pas")
    labels = {_plain(label): index for index, label in reversed(list(enumerate(opened.header)))}
    needed = {*names, *(name for item in corrections for name in (item.field, *item.where))}
    texts = pd.DataFrame(index=pd.Index(numbers))
    for declared in export.fields:
        place = labels.get(_plain(label_of(declared, layout)))
        if declared.name in needed and place is not None:
            cells = (opened.rows[number] for number in numbers)
            texts[declared.name] = [row[place] if place < len(row) else "" for row in cells]
    _correct(texts, corrections, corrected, file["fichier"])
    columns: dict[str, Any] = {"_export": export.id, "_fichier": file["fichier"], "_ligne": texts.index}
    rows = pd.DataFrame(columns, index=texts.index)
    for declared in export.fields:
        if declared.name not in names:
            continue
        if declared.name not in texts:
            rows[declared.name] = pd.Series(None, index=rows.index, dtype="object")
            continue
        rows[declared.name] = values_of(texts[declared.name], field_descriptor(declared, layout))
        if declared.absences:
            rows[f"_absence_{declared.name}"] = reasons_of(
                texts[declared.name], rows[declared.name], declared.absences
            )  # fmt: skip
    return with_places(rows, export, file_year)


def _plain(label: str) -> str:
    return " ".join(unicodedata.normalize("NFC", label).split())


def _correct(texts: pd.DataFrame, corrections: list[Correction], corrected: dict[int, Corrected], path: str) -> None:
    """Put the declared values where the expected ones stand."""
    for item in corrections:
        if item.field not in texts:
            continue
        chosen = texts[item.field].str.strip() == item.expected
        for name, value in item.where.items():
            chosen &= texts[name].str.strip() == str(value) if name in texts else False
        if chosen.any():
            texts.loc[chosen, item.field] = item.value
            corrected.setdefault(id(item), Corrected(item, {})).lines[path] = texts.index[chosen].tolist()


def _differ(found: pd.DataFrame, seen: pd.DataFrame, names: list[str]) -> bool:
    """Tell whether any value read again is not the one that validation left."""
    for name in (*COORDINATES, *names):
        ours, theirs = found[name].reset_index(drop=True), seen[name].reset_index(drop=True)
        if pd.api.types.is_numeric_dtype(theirs) and not pd.api.types.is_bool_dtype(theirs):
            ours, theirs = ours.astype("float64"), theirs.astype("float64")
        else:
            ours, theirs = (column.astype("object").where(column.notna(), None) for column in (ours, theirs))
        same = (ours == theirs) | (ours.isna() & theirs.isna())
        if not same.all():
            return True
    return False
