"""Rehearsal of the preview: files as hydra, the crawler of data.gouv.fr, will see them. Nothing is sent anywhere.

Limits are those of hydra's source in 2026. A file out of them is published all the same, but has no preview, no tabular
API and no Parquet twin: a gate, not a refusal. csv-detective, with which hydra types columns, is an optional extra.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module, util
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet

from pipelines.declarations.datasets import Budgets
from pipelines.mechanics.french import decimal, fixed
from pipelines.release.gates import Gate, gate
from pipelines.release.table_parts import MEGABYTE

LARGEST = {f".{ending}": size * MEGABYTE for ending, size in Budgets().model_dump().items()}
LONGEST_NAME = 63  # bytes of UTF-8: names of columns become those of PostgreSQL
DETECTOR = "csv_detective"
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


_PASSED = {
    "apercu_taille": "Les fichiers ont une taille que data.gouv.fr sait montrer.",
    "apercu_entetes": "Les en-têtes conviennent à data.gouv.fr.",
    "apercu_premiere_ligne": "La première ligne de chaque CSV est son en-tête.",
    "apercu_nombres": "Les colonnes de nombres ne tiennent que des nombres.",
    "apercu_types_parquet": "Les types des fichiers Parquet sont connus de data.gouv.fr.",
}
_FAILED = "Un fichier au moins n'aura pas d'aperçu sur data.gouv.fr, ou un aperçu faux."


@dataclass
class _Preview:
    """What is wrong, by gate; ``booleans`` (file, column) and ``empty`` files are worth knowing and stop nothing."""

    wrong: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _PASSED})
    booleans: list[tuple[str, str]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)


def rehearse(files: Sequence[Path], before: Path | None = None) -> tuple[Gate, ...]:
    """Judge CSV, Parquet and XLSX files as the crawler will; others have no preview and are left out.

    What it will merely show otherwise is told unless it was so in the files of the same names in ``before``.
    """
    preview, known = _previewed(files), _Preview()
    if before is not None and (preview.booleans or preview.empty):
        names = [path.name for path in files if path.suffix == ".csv" and (before / path.name).is_file()]
        known = _previewed(before / name for name in names)
    details = _shown_otherwise(
        [column for column in preview.booleans if column not in known.booleans],
        [name for name in preview.empty if name not in known.empty],
    )
    wrong = [gate(name, preview.wrong[name], passed, _FAILED) for name, passed in _PASSED.items()]
    return (*wrong, Gate("apercu_a_savoir", True, "Dans l'aperçu de data.gouv.fr :", details))


def _shown_otherwise(booleans: Iterable[tuple[str, str]], empty: Sequence[str]) -> tuple[str, ...]:
    """Return what to know of the preview, in two short parts: columns by file, then files."""
    columns: dict[str, list[str]] = {}
    for name, column in booleans:
        columns.setdefault(name, []).append(column)
    details = []
    if columns:
        places = ", ".join(f"{name} ({', '.join(names)})" for name, names in columns.items())
        details.append(f"colonnes à deux valeurs lues comme vrai ou faux, {places}")
    if empty:
        details.append(f"fichiers vides, non montrés, {', '.join(empty)}")
    return tuple(details)


def _previewed(files: Iterable[Path]) -> _Preview:
    preview = _Preview()
    for path in files:
        limit = LARGEST.get(path.suffix)
        if limit is None:
            continue
        if (size := path.stat().st_size) > limit:
            told = f"{path.name} : {fixed(size / MEGABYTE, 1)} Mo, au plus {decimal(limit / MEGABYTE, 1)} Mo"
            preview.wrong["apercu_taille"].append(told)
        if path.suffix == ".csv":
            _csv(path, preview)
        elif path.suffix == ".parquet":
            preview.wrong["apercu_types_parquet"] += [f"{path.name}, {column}" for column in _unknown_types(path)]
    return preview


def detected_types(path: Path) -> dict[str, str] | None:
    """Return the type of each column of a CSV as csv-detective finds it, or None without it."""
    if util.find_spec(DETECTOR) is None:
        return None
    analysis: dict[str, Any] = import_module(DETECTOR).routine(str(path), num_rows=-1, save_results=False)
    return {name: column["python_type"] for name, column in analysis["columns"].items()}


def _csv(path: Path, preview: _Preview) -> None:
    first_lines = preview.wrong["apercu_premiere_ligne"]
    with path.open("rb") as stream:
        head = stream.readline()
    if head.startswith((b"\xef\xbb\xbf", b"#", b"//", b"sep=")) or not head.strip():
        first_lines.append(f"{path.name} : commence par {head[:20]!r}")
        return
    try:
        table = _texts(path)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        first_lines.append(f"{path.name} : illisible en UTF-8 à virgules ({str(error).splitlines()[0]})")
        return
    preview.wrong["apercu_entetes"] += [f"{path.name}, {fault}" for fault in _wrong_names(table.column_names)]
    if not table.num_rows:
        preview.empty.append(path.name)
        return
    try:
        detected = detected_types(path)
    except Exception as error:  # whatever stops it here stops the crawler
        told = str(error).replace(str(path), path.name)  # the place differs each time on a storage, and is hashed
        first_lines.append(f"{path.name} : csv-detective ne le lit pas ({told})")
        return
    for name, column in zip(table.column_names, table.columns, strict=True):
        texts = {text for text in column.unique().to_pylist() if text}
        if strange := _not_numbers(texts):
            shown = "», «".join(sorted(strange)[:3])
            preview.wrong["apercu_nombres"].append(f"{path.name}, {name} : « {shown} » parmi des nombres")
        if detected.get(name) == "bool" if detected else any(texts and texts <= pair for pair in _BOOLEANS):
            preview.booleans.append((path.name, name))


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
    return [
        f"{field.name} : {field.type}" for field in schema if not any(is_kind(field.type) for is_kind in _ARROW_TYPES)
    ]
