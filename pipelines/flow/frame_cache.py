"""Frames remembered by what they were made of, in a folder: what is damaged, or of something else, is made again."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from pipelines.flow.fingerprints import fingerprint
from pipelines.flow.state import KeptFrames
from pipelines.flow.stored_files import read_frame, read_record, write_frame, write_record


def remembered(place: Path, key: str, made: Callable[[], Sequence[pd.DataFrame]]) -> list[pd.DataFrame]:
    """Return the frames kept at ``place`` if they were made of ``key`` and are whole; else make them, and keep them.

    ``place``: a path without suffix. ``key`` must tell all that ``made`` depends on. What was just made is read back,
    so that it never differs from what is remembered.
    """
    record = read_record(place.with_suffix(".json"), KeptFrames)
    if (
        record is None
        or record != _record(key, record.digests)
        or any(_digest(place.with_name(name)) != digest for name, digest in record.digests.items())
    ):
        frames = {f"{place.name}-{number}.parquet": frame for number, frame in enumerate(made())}
        for name, frame in frames.items():
            write_frame(place.with_name(name), frame)
        record = _record(key, {name: _digest(place.with_name(name)) for name in frames})
        write_record(place.with_suffix(".json"), record)
    return [read_frame(place.with_name(name)) for name in record.digests]


def _record(key: str, digests: dict[str, str]) -> KeptFrames:
    return KeptFrames(made_of=key, digests=digests, whole=fingerprint(key, digests))


def content(frame: pd.DataFrame) -> str:
    """Return what changes with the figures and texts of a frame, in their order, whatever holds them in memory."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    kinds = [pa.float64() if _is_number(field.type) else pa.string() for field in table.schema]
    digest = hashlib.sha256(fingerprint(table.column_names).encode())
    for column, kind in zip(table.columns, kinds, strict=True):
        batch = pa.record_batch([column.cast(kind).combine_chunks()], names=["c"])
        digest.update(batch.serialize())
    return digest.hexdigest()


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _digest(path: Path) -> str:
    """Return the sha256 of a file, empty when there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""
