"""The accepted rows of an export, read again from the archived files, and what does not hold in them.

Which rows were accepted is what validation left (their numbers in the Parquet of observations); their values are read
again from the archive, by the declaration and nothing else, corrected as declared, and compared with the observations.
"""

from __future__ import annotations

import datetime
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import pandas as pd

from pipelines.compile.exports import field_descriptor, label_of
from pipelines.declarations.periods import period_of
from pipelines.explain.archived_files import ArchiveError, open_again
from pipelines.flow.state import ExportVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.declarations import Catalogue, Correction, Export, Frequency, Layout
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
    named: set[str | None] = {name for place, name in export.referenced_fields().items() if place[0] != "key"}
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


_TRUE = ("true", "True", "TRUE", "1")
_SECONDS = {"secondes": 1, "minutes": 60, "heures": 3600, "jours": 24 * 3600}


def values_of(texts: pd.Series[str], descriptor: Mapping[str, Any]) -> pd.Series[Any]:
    """Return the values of a column (None where missing) by its Table Schema field; raises ValueError on a text."""
    missing = {*descriptor.get("missingValues", ("",))}
    parse = _parser(descriptor)
    known = {text: None if text in missing else parse(text) for text in texts.unique()}
    return pd.Series([known[text] for text in texts], index=texts.index, dtype="object")


def reasons_of(texts: pd.Series[str], values: pd.Series[Any], reasons: Mapping[str, str]) -> pd.Series[Any]:
    """Return the declared reason of each absence, by what was written there."""
    found = [reasons.get(text) if value is None else None for text, value in zip(texts, values, strict=True)]
    return pd.Series(found, index=texts.index, dtype="object")


def _parser(descriptor: Mapping[str, Any]) -> Callable[[str], Any]:
    if "duration" in descriptor:
        return lambda text: _length(text, descriptor["duration"], descriptor["unit"])
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


def _length(text: str, form: str, unit: str) -> float:
    """Return a length of time, written with colons, as a number of its unit."""
    sign, parts = (-1, text.strip()[1:]) if text.strip().startswith("-") else (1, text.strip())
    numbers = [float(part.replace(",", ".")) for part in parts.split(":")]
    hours = numbers[0] if form.startswith("h") else 0.0
    minutes = numbers[1] if form.startswith("h") else numbers[0]
    seconds = numbers[-1] if form.endswith("ss") else 0.0
    return sign * (hours * 3600 + minutes * 60 + seconds) / _SECONDS[unit]


COORDINATES = ("_annee", "_periode", "_maille", "_territoire", "_structure")


def with_places(rows: pd.DataFrame, export: Export, file_year: int | None) -> pd.DataFrame:
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
        None if code is None or at in ("national", "region") else " ".join(normalize("NFC", str(code)).split()) or None
        for at, code in zip(levels, rows[office.code] if office else nothing, strict=True)
    ]
    columns: dict[str, Any] = {
        "_annee": [year for year, _ in when], "_periode": [name for _, name in when], "_maille": levels,
        "_territoire": codes, "_structure": offices,
    }  # fmt: skip
    return rows.assign(**{name: pd.Series(found, index=rows.index, dtype="object") for name, found in columns.items()})


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
