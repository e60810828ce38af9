"""The accepted rows of an export, read again from the archived files, and what does not hold in them.

Which rows were accepted is what validation left (their numbers in the Parquet of observations); their values are read
again from the archive, by the declaration and nothing else, corrected as declared, and compared with the observations.
"""

from __future__ import annotations

import csv
import datetime
import itertools
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.compile.exports import field_descriptor, label_of
from pipelines.declarations.periods import period_of
from pipelines.flow.state import ExportVerdict
from pipelines.mechanics import limits
from pipelines.mechanics.durations import duration_value
from pipelines.mechanics.spelling import one_writing
from pipelines.read import DelimitedText, TreatmentError, UnusableFileError, apart, layout_of_file, read_export
from pipelines.read.delimited import open_text
from pipelines.validate import as_separated, recognised

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pipelines.declarations import Catalogue, Correction, Export, Frequency, Layout
    from pipelines.flow.state import ReleasedYear
    from pipelines.read import Archive

DAMAGED = "l'archive ne contient plus ce qui a été reçu"
COORDINATES = ("_annee", "_periode", "_maille", "_territoire", "_structure")
Opened = tuple[list[str], dict[int, list[str]]]
_TRUE = ("true", "True", "TRUE", "1")


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
    corrected: list[Corrected]
    faults: list[str]


class ArchiveError(Exception):
    """An archived file is absent, damaged or unreadable; the message, in French, says which."""


def is_held(archive: Archive, sha256: str) -> bool:
    """Tell whether the archive still holds a content as it was received."""
    try:
        archive.path(sha256)
    except (ValueError, OSError):
        return False
    return True


def gather_evidence(
    catalogue: Catalogue, network: str, year: int, export: Export, kept: ReleasedYear, archive: Archive
) -> Evidence:
    """Read the accepted rows of an export again. Faults are told, never raised."""
    layout, verdict = export.layout(year), kept.known.of_export(export.id)
    assert layout is not None
    assert isinstance(verdict, ExportVerdict)  # asked only of an accepted export
    names, path = _fields_used(catalogue, network, year, export), kept.observations(export.id)
    frames = [pd.DataFrame(columns=["_export", "_fichier", "_ligne", *COORDINATES, *names], dtype="object")]
    try:
        observed = pd.read_parquet(path, columns=["_ligne", *COORDINATES, *names])
    except (OSError, ValueError, KeyError):
        return Evidence(frames[0], [], [f"observations illisibles : {path.name}"])
    faults = []
    if len(observed) != verdict.accepted:
        faults.append(f"export {export.id} : les observations n'ont plus le nombre de lignes du rapport de contrôle")
    file_year = year if layout.one_file_per_year else None
    corrections = [
        correction
        for correction in catalogue.corrections.get(network, ())
        if correction.status == "confirmed"
        and correction.export == export.id
        and (correction.year == year if file_year else correction.year in layout.years)
    ]
    reader = _Reader(archive, export, layout, file_year, names, corrections)
    start = 0
    for file in verdict.files:
        count = len(observed) - start if file is verdict.files[-1] else file["acceptees"]
        part, start = observed.iloc[start : start + count], start + count
        try:
            rows = reader.rows(file, part)
            altered = _differ(rows, part, names)
        except ArchiveError as error:
            faults.append(f"{file['fichier']} : {error}")
            continue
        except (ValueError, TypeError):  # the text may identify someone: it is not told
            faults.append(f"{file['fichier']} : une ligne acceptée ne se lit plus comme déclaré")
            continue
        frames.append(rows)
        if altered:
            faults.append(f"{file['fichier']} : les observations ne disent plus ce que dit le fichier archivé")
    rows = pd.concat(frames[1:], ignore_index=True) if frames[1:] else frames[0]
    return Evidence(rows, list(reader.corrected.values()), faults)


def _fields_used(catalogue: Catalogue, network: str, year: int, export: Export) -> list[str]:
    """Return the fields that bear on a result of the year: inputs, rows kept, place, weight, margins, enterprises."""
    named: set[str | None] = {name for place, name in export.referenced_fields().items() if place[0] != "key"}
    for feed in catalogue.expected(network, year).values():
        if export.id in feed.export:
            named |= {*feed.inputs.values(), *feed.where, feed.contributor}
    return [candidate.name for candidate in export.fields if candidate.name in named and not candidate.personal]


@dataclass(frozen=True)
class _Reader:
    """Reads the accepted rows of the files of an export again, typed and placed."""

    archive: Archive
    export: Export
    layout: Layout
    file_year: int | None
    names: list[str]
    corrections: list[Correction]
    corrected: dict[int, Corrected] = field(default_factory=dict)

    def rows(self, file: Mapping[str, Any], observed: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of one file; raises ArchiveError or ValueError."""
        texts = self._texts(file, [int(number) for number in observed["_ligne"]])
        self._correct(texts, file["fichier"])
        columns: dict[str, Any] = {"_export": self.export.id, "_fichier": file["fichier"], "_ligne": texts.index}
        rows = pd.DataFrame(columns, index=texts.index)
        for declared in self.export.fields:
            name = declared.name
            if name not in self.names:
                continue
            if name not in texts:
                rows[name] = pd.Series(None, index=rows.index, dtype="object")
                continue
            rows[name] = values_of(texts[name], field_descriptor(declared, self.layout))
            if declared.absences:
                written = zip(texts[name], rows[name], strict=True)
                reasons = [declared.absences.get(text) if value is None else None for text, value in written]
                rows[f"_absence_{name}"] = pd.Series(reasons, index=texts.index, dtype="object")
        return _with_places(rows, self.export, self.file_year)

    def _texts(self, file: Mapping[str, Any], numbers: list[int]) -> pd.DataFrame:
        """Return the cells that are needed of rows, by field."""
        header, cells = self._opened(file["sha256"], file["fichier"], set(numbers))
        if set(numbers) - set(cells):
            raise ArchiveError("des lignes acceptées n'y sont pas")
        places = {one_writing(label): index for index, label in reversed(list(enumerate(header)))}
        needed = {
            *self.names,
            *(name for correction in self.corrections for name in (correction.field, *correction.where)),
        }
        texts = pd.DataFrame(index=pd.Index(numbers))
        for declared in self.export.fields:
            place = places.get(one_writing(label_of(declared, self.layout)))
            if declared.name in needed and place is not None:
                rows = (cells[number] for number in numbers)
                texts[declared.name] = [row[place] if place < len(row) else "" for row in rows]
        return texts

    def _opened(self, sha256: str, path: str, wanted: Collection[int]) -> Opened:
        """Return the labels of a file received at ``path``, and the rows ``wanted`` by their number in it."""
        try:
            place = self.archive.path(sha256)
        except (ValueError, OSError) as error:
            raise ArchiveError(DAMAGED) from error
        with tempfile.TemporaryDirectory() as folder:
            try:
                return apart(
                    lambda _: _read(place, path, self.export, self.layout, wanted, Path(folder) / "texte"),
                    memory=limits.JUDGING_MEMORY,
                    seconds=limits.JUDGING_SECONDS,
                )
            except TreatmentError as error:
                raise ArchiveError(str(error)) from error
            except (UnusableFileError, csv.Error, UnicodeDecodeError) as error:
                raise ArchiveError(f"le fichier archivé ne se lit plus ({error})") from error

    def _correct(self, texts: pd.DataFrame, path: str) -> None:
        """Put the declared values where the expected ones stand."""
        for correction in self.corrections:
            if correction.field not in texts:
                continue
            chosen = texts[correction.field].str.strip() == correction.expected
            for name, value in correction.where.items():
                chosen &= texts[name].str.strip() == str(value) if name in texts else False
            if chosen.any():
                texts.loc[chosen, correction.field] = correction.value
                corrected = self.corrected.setdefault(id(correction), Corrected(correction, {}))
                corrected.lines[path] = texts.index[chosen].tolist()


def _read(place: Path, path: str, export: Export, layout: Layout, wanted: Collection[int], scratch: Path) -> Opened:
    layout = layout_of_file(place, path, layout)
    opened = read_export(place, path, layout, scratch, recognised(export, layout))
    if not isinstance(opened, DelimitedText):
        return opened.header, _chosen(opened.rows, opened.first_row, wanted)
    opened = as_separated(opened, export, layout)
    with open_text(opened.source, opened.encoding) as stream:
        records = itertools.islice(csv.reader(stream, delimiter=opened.delimiter), opened.first_row - 1, None)
        return opened.header, _chosen(records, opened.first_row, wanted)


def _chosen(rows: Iterable[list[str]], first: int, wanted: Collection[int]) -> dict[int, list[str]]:
    return {number: row for number, row in enumerate(rows, start=first) if number in wanted}


def _differ(reread: pd.DataFrame, observed: pd.DataFrame, names: list[str]) -> bool:
    """Tell whether any value read again is not the one that validation left."""
    for name in (*COORDINATES, *names):
        ours, theirs = reread[name].reset_index(drop=True), observed[name].reset_index(drop=True)
        if pd.api.types.is_numeric_dtype(theirs) and not pd.api.types.is_bool_dtype(theirs):
            ours, theirs = ours.astype("float64"), theirs.astype("float64")
        else:
            ours, theirs = (column.astype("object").where(column.notna(), None) for column in (ours, theirs))
        same = (ours == theirs) | (ours.isna() & theirs.isna())
        if not same.all():
            return True
    return False


def values_of(texts: pd.Series[str], descriptor: Mapping[str, Any]) -> pd.Series[Any]:
    """Return the values of a column (None where missing) by its Table Schema field; raises ValueError on a text."""
    missing = {*descriptor.get("missingValues", ("",))}
    parse = _parser(descriptor)
    value_of = {text: None if text in missing else parse(text) for text in texts.unique()}
    return pd.Series([value_of[text] for text in texts], index=texts.index, dtype="object")


def _parser(descriptor: Mapping[str, Any]) -> Callable[[str], Any]:
    if "duration" in descriptor:
        return lambda text: duration_value(text, descriptor["duration"], descriptor["unit"])
    kind = descriptor["type"]
    if kind in ("integer", "year"):
        return lambda text: int(text.strip())
    if kind == "number":
        group, mark = descriptor.get("groupChar", ""), descriptor.get("decimalChar", ".")
        return lambda text: float(text.strip().replace(group, "").replace(mark, "."))
    if kind == "boolean":
        true = {*descriptor.get("trueValues", _TRUE)}
        return lambda text: text in true
    if kind == "date":
        form = descriptor.get("format", "%Y-%m-%d")
        return lambda text: datetime.datetime.strptime(text, form).date()
    return lambda text: text


def _with_places(rows: pd.DataFrame, export: Export, file_year: int | None) -> pd.DataFrame:
    """Add COORDINATES to rows of values."""
    period, level, place, office = export.period, export.level, export.territory, export.structure
    nothing = [None] * len(rows)
    when = [
        _when(value, period.frequency) for value in (rows[period.field] if period.field else [file_year] * len(rows))
    ]
    written = rows[level.field] if level.field else nothing
    levels = [level.values.get(str(value), level.otherwise) for value in written]
    codes = [
        "FR" if at == "national" else _code(code, place.codes) if place else None
        for at, code in zip(levels, rows[place.field] if place else nothing, strict=True)
    ]
    offices = [
        None if code is None or at in ("national", "region") else one_writing(str(code)) or None
        for at, code in zip(levels, rows[office.code] if office else nothing, strict=True)
    ]
    columns: dict[str, Any] = {
        "_annee": [year for year, _ in when],
        "_periode": [name for _, name in when],
        "_maille": levels,
        "_territoire": codes,
        "_structure": offices,
    }
    return rows.assign(
        **{name: pd.Series(values, index=rows.index, dtype="object") for name, values in columns.items()}
    )


def _when(value: Any, frequency: Frequency) -> tuple[int, str]:
    if isinstance(value, datetime.date):
        return value.year, period_of(value, frequency)
    return int(value), f"{int(value):04d}"


def _code(written: Any, codes: str) -> str | None:
    if written is None:
        return None
    text = str(written).strip().upper()
    if codes != "pilote":
        return text.zfill(2)
    return "FR" if text == "FRANCE" else text[1:]
