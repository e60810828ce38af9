"""Small files of the state, and tables: each is written whole or not at all, and read back as what it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from pipelines.flow.state import Record
from pipelines.mechanics.files import replacing, write_whole

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.validate import TypedRows

Shape = TypeVar("Shape")


def read_shaped(path: Path, shape: type[Shape]) -> Shape | None:
    """Return the content of a JSON file as what it should be, or None if it is absent, was cut short or is not that.

    ``shape``: a record, a dataclass or a type. What another version of the product wrote is as if it had never been.
    """
    checked: TypeAdapter[Shape] = _adapter(cast("Hashable", shape))
    try:
        return checked.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


@cache
def _adapter(shape: Any) -> Any:
    return TypeAdapter(shape)


def write_json(path: Path, content: Any) -> None:
    """Write plain data as JSON, whole or not at all."""
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=1, default=str).encode())


def write_record(path: Path, record: Record) -> None:
    """Write a record whole or not at all."""
    write_whole(path, record.model_dump_json(indent=1).encode())


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet whole or not at all."""
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


@contextmanager
def table_in_parts(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """Give what writes a Parquet part after part, to be there whole or not at all."""
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        yield writer


def write_typed_rows(path: Path, rows: TypedRows) -> None:
    """Write typed rows as Parquet, whole or not at all; a file that holds just them is copied as it is."""
    with replacing(path) as temporary:
        if rows.whole_file is not None:
            shutil.copyfile(rows.whole_file, temporary)
        else:
            rows.write(temporary)


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame as Parquet; missing text stays null."""
    write_table(path, table_of_frame(frame))


def table_of_frame(frame: pd.DataFrame) -> pa.Table:
    """Return the rows of a frame, without its index nor what pandas tells of itself."""
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def is_whole(path: Path) -> bool:
    """Whether a table written here can be read: it is there, was not cut short nor damaged."""
    try:
        pq.read_table(path)
    except (OSError, pa.ArrowException):
        return False
    return True


def read_frame(path: Path, columns: Sequence[str] | None = None, **where: str) -> pd.DataFrame:
    """Return the rows of a table written here, all of them or those that hold that text in a column."""
    filters = [(name, "=", text) for name, text in where.items()] or None
    frame: pd.DataFrame = pq.read_table(path, columns=columns and list(columns), filters=filters).to_pandas()
    return frame
