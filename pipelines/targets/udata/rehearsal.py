"""Rehearsal of the preview: files as hydra, the crawler of data.gouv.fr, will see them. Nothing is sent anywhere.

Limits are those of hydra's source in 2026. A file out of them is published all the same, but has no preview, no tabular
API and no Parquet twin: a gate, not a refusal. csv-detective, with which hydra types columns, is an optional extra.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module, util
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv, parquet

from pipelines.declarations.datasets import Budgets
from pipelines.release.gates import Gate
from pipelines.release.table_parts import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

LARGEST = {f".{ending}": size * MEGABYTE for ending, size in Budgets().model_dump().items()}
LONGEST_NAME = 63  # bytes of UTF-8: names of columns become those of PostgreSQL
DETECTOR = "csv_detective"
SHOWN = 10
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
# What turns a column of numbers into text there: codes for absence, %, spaces, decimal commas, exponents.
_NEARLY_NUMBER = re.compile(
    r"(?i:nc|nd|ns|so|na|n/a|n\.c\.|n\.d\.|s\.o\.|secret|-|\*+)"
    r"|[-+]?[\d \u00a0\u202f]+([.,]\d+)?\s*%?|[-+]?\d+(\.\d+)?e[-+]?\d+"
)
_BOOLEANS = ({"0", "1"}, {"O", "N"}, {"oui", "non"}, {"Oui", "Non"})
_ARROW_TYPES = (
    pa.types.is_signed_integer, pa.types.is_float32, pa.types.is_float64, pa.types.is_decimal, pa.types.is_boolean,
    pa.types.is_string, pa.types.is_large_string, pa.types.is_date, pa.types.is_timestamp, pa.types.is_dictionary,
    pa.types.is_list, pa.types.is_struct,
)  # fmt: skip


@dataclass
class _Seen:
    """What is wrong, by check; ``booleans`` and ``empty`` are worth knowing and stop nothing."""

    sizes: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    first_lines: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    booleans: list[tuple[str, str]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)


def rehearse(files: Sequence[Path], before: Path | None = None) -> tuple[Gate, ...]:
    """Judge CSV, Parquet and XLSX files as the crawler will; others have no preview and are left out.

    What it will merely show otherwise is told unless it was so in the files of the same names in ``before``.
    """
    seen = _looked_at(files)
    known = _looked_at(_earlier(files, before)) if before is not None and (seen.booleans or seen.empty) else _Seen()
    told = _shown_otherwise(
        [item for item in seen.booleans if item not in known.booleans],
        [item for item in seen.empty if item not in known.empty],
    )
    return (
        _gate("apercu_taille", seen.sizes, "Les fichiers ont une taille que data.gouv.fr sait montrer."),
        _gate("apercu_entetes", seen.headers, "Les en-têtes conviennent à data.gouv.fr."),
        _gate("apercu_premiere_ligne", seen.first_lines, "La première ligne de chaque CSV est son en-tête."),
        _gate("apercu_nombres", seen.numbers, "Les colonnes de nombres ne tiennent que des nombres."),
        _gate("apercu_types_parquet", seen.types, "Les types des fichiers Parquet sont connus de data.gouv.fr."),
        Gate("apercu_a_savoir", True, "Dans l'aperçu de data.gouv.fr :", told),
    )


def _earlier(files: Iterable[Path], before: Path) -> list[Path]:
    return [before / path.name for path in files if path.suffix == ".csv" and (before / path.name).is_file()]


def _shown_otherwise(booleans: Iterable[tuple[str, str]], empty: Sequence[str]) -> tuple[str, ...]:
    """Return what to know of the preview, in two short parts: columns by file, then files."""
    columns: dict[str, list[str]] = {}
    for name, column in booleans:
        columns.setdefault(name, []).append(column)
    places = ", ".join(f"{name} ({', '.join(found)})" for name, found in columns.items())
    told = [f"colonnes à deux valeurs lues comme vrai ou faux, {places}"] if places else []
    return (*told, *([f"fichiers vides, non montrés, {', '.join(empty)}"] if empty else []))


def _looked_at(files: Iterable[Path]) -> _Seen:
    seen = _Seen()
    for path in files:
        limit = LARGEST.get(path.suffix)
        if limit is None:
            continue
        if path.stat().st_size > limit:
            seen.sizes.append(f"{path.name} : {path.stat().st_size / MEGABYTE:.1f} Mo, au plus {limit / MEGABYTE:g} Mo")
        if path.suffix == ".csv":
            _csv(path, seen)
        elif path.suffix == ".parquet":
            seen.types += [f"{path.name}, {found}" for found in _unknown_types(path)]
    return seen


def detected_types(path: Path, rows: int = -1) -> dict[str, str] | None:
    """Return the type of each column of a CSV as csv-detective finds it on ``rows`` (all: -1), or None without it."""
    if util.find_spec(DETECTOR) is None:
        return None
    analysis: dict[str, Any] = import_module(DETECTOR).routine(str(path), num_rows=rows, save_results=False)
    return {name: column["python_type"] for name, column in analysis["columns"].items()}


def _csv(path: Path, seen: _Seen) -> None:
    with path.open("rb") as stream:
        head = stream.readline()
    if head.startswith((b"\xef\xbb\xbf", b"#", b"//", b"sep=")) or not head.strip():
        seen.first_lines.append(f"{path.name} : commence par {head[:20]!r}")
        return
    try:
        table = _texts(path)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        seen.first_lines.append(f"{path.name} : illisible en UTF-8 à virgules ({str(error).splitlines()[0]})")
        return
    seen.headers += [f"{path.name}, {found}" for found in _wrong_names(table.column_names)]
    if not table.num_rows:
        seen.empty.append(path.name)
        return
    try:
        detected = detected_types(path)
    except Exception as error:  # whatever stops it here stops the crawler
        told = str(error).replace(str(path), path.name)  # the place differs each time on a storage, and is hashed
        seen.first_lines.append(f"{path.name} : csv-detective ne le lit pas ({told})")
        return
    for name, column in zip(table.column_names, table.columns, strict=True):
        texts = {text for text in column.unique().to_pylist() if text}
        if strange := _not_numbers(texts):
            seen.numbers.append(f"{path.name}, {name} : « {'», «'.join(sorted(strange)[:3])} » parmi des nombres")
        if detected.get(name) == "bool" if detected else any(texts and texts <= pair for pair in _BOOLEANS):
            seen.booleans.append((path.name, name))


def _texts(path: Path) -> pa.Table:
    """Return a CSV as text columns, whatever they hold."""
    parsing = csv.ParseOptions(newlines_in_values=True)
    with csv.open_csv(path, parse_options=parsing) as reader:
        names = reader.schema.names
    as_text = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    return csv.read_csv(path, parse_options=parsing, convert_options=as_text)


def _wrong_names(names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if not name.strip():
            yield "une colonne n'a pas de nom"
        if count > 1:
            yield f"{name} : présente {count} fois"
        if "\n" in name or "\r" in name:
            yield f"{name!r} : retour à la ligne dans le nom"
        if len(name.encode()) > LONGEST_NAME:
            yield f"{name} : {len(name.encode())} octets, au plus {LONGEST_NAME}"


def _not_numbers(texts: set[str]) -> set[str]:
    """Return what keeps a column from being one of numbers, when all the rest of it is numbers or nearly."""
    others = {text for text in texts if not _NUMBER.fullmatch(text)}
    numbers = len(texts) > len(others)
    return others if numbers and all(_NEARLY_NUMBER.fullmatch(text) for text in others) else set()


def _unknown_types(path: Path) -> list[str]:
    """Return the columns whose Arrow type the crawler doesn't know; a typed column that is all null is known."""
    schema = parquet.read_schema(path)
    return [f"{item.name} : {item.type}" for item in schema if not any(known(item.type) for known in _ARROW_TYPES)]


def _gate(name: str, found: Sequence[str], passed: str) -> Gate:
    if not found:
        return Gate(name, True, passed)
    return Gate(
        name, False, "Un fichier au moins n'aura pas d'aperçu sur data.gouv.fr, ou un aperçu faux.", _shown(found)
    )


def _shown(found: Sequence[str]) -> tuple[str, ...]:
    rest = len(found) - SHOWN
    return (*found[:SHOWN], *([f"et {rest} autres"] if rest > 0 else []))
