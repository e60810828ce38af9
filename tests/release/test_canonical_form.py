"""The canonical form: same values, same bytes, whatever frame they came in; what doesn't fit is named."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.compile.table_schema import arrow_schema
from pipelines.declarations import Table
from pipelines.release.canonical import canonical_table
from pipelines.release.column_texts import canonical
from pipelines.release.refusals import TableError
from pipelines.release.table_writers import csv_bytes, write_parquet

NAMES = {"cle": "string", "rang": "integer", "entier": "integer", "nombre": "number", "vrai": "boolean", "jour": "date"}
TABLE = Table.model_validate(
    {
        "title": "Essai",
        "description": "Essai",
        "key": ["cle", "rang"],
        "columns": [
            {"name": name, "title": name, "description": name, "type": kind}
            | ({"constraints": {"required": True}} if name == "rang" else {})
            | ({"decimals": 2} if name == "nombre" else {})
            for name, kind in NAMES.items()
        ],
    }
)


def build(**columns: list[Any]) -> pa.Table:
    size = len(next(iter(columns.values())))
    default: dict[str, list[Any]] = {name: [None] * size for name in NAMES}
    default["rang"] = list(range(size))
    return canonical_table("essai", TABLE, pd.DataFrame(default | columns, dtype=object))


def test_golden_bytes() -> None:
    table = build(
        cle=["b", None, 'a "cité", deux', "=1+1", "é\nligne"],
        rang=[1, 2, 3, 4, 5],
        entier=[2.0, None, -3, np.int64(2**62), 0],
        nombre=[1.005, -0.001, 1e21, 0.1 + 0.2, 100],
        vrai=[True, False, None, np.True_, None],
        jour=[date(2024, 2, 29), None, "2024-01-01", pd.Timestamp("2023-12-31"), datetime(999, 1, 1)],
    )
    assert csv_bytes(table).decode() == (
        "cle,rang,entier,nombre,vrai,jour\n"
        ",2,,0.0,false,\n"
        "'=1+1,4,4611686018427387904,0.3,true,2023-12-31\n"  # no spreadsheet runs a text of a table
        '"a ""cité"", deux",3,-3,1000000000000000000000.0,,2024-01-01\n'
        "b,1,2,1.0,true,2024-02-29\n"
        '"é\nligne",5,0,100.0,,0999-01-01\n'
    )


@pytest.mark.parametrize(
    ("number", "written"),
    [(0.00001, "0.00001"), (-0.0, "0"), (1e15, "1000000000000000"), (87.4, "87.4"), (1e-7, "0.0000001")],
)
def test_numbers_have_no_exponent(number: float, written: str) -> None:
    assert canonical(pa.chunked_array([[number + 0.0]])).to_pylist() == [written]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"entier": [1.5]}, "essai.entier, ligne 1 : nombre entier attendu, trouvé « 1.5 »"),
        ({"entier": [True]}, "essai.entier, ligne 1 : nombre entier attendu"),
        ({"entier": [2**63]}, "nombre entier attendu"),
        ({"nombre": ["12"]}, "essai.nombre, ligne 1 : nombre attendu, trouvé « 12 »"),
        ({"nombre": [float("inf")]}, "nombre fini attendu"),
        ({"vrai": [1]}, "booléen attendu"),
        ({"cle": [12]}, "texte attendu, trouvé « 12 »"),
        ({"cle": ["\ud800"]}, "caractère interdit"),
        ({"jour": ["31/12/2024"]}, "date attendue (AAAA-MM-JJ)"),
        ({"jour": [datetime(2024, 1, 1, 12)]}, "date sans heure attendue"),
        ({"rang": [None]}, "essai.rang, ligne 1 : valeur obligatoire absente"),
        ({"cle": ["a", "a"], "rang": [1, 1]}, "essai : clé présente plusieurs fois (cle=a, rang=1)"),
        ({"cle": [None, ""], "rang": [1, 1]}, "clé présente plusieurs fois"),
    ],
)
def test_what_does_not_fit_is_named(columns: dict[str, list[Any]], told: str) -> None:
    with pytest.raises(TableError, match=r".") as caught:
        build(**columns)
    assert told in str(caught.value)


def test_missing_and_unknown_columns_are_all_named() -> None:
    frame = pd.DataFrame({name: [None] for name in [*NAMES, "autre"] if name != "jour"})
    with pytest.raises(TableError) as caught:
        canonical_table("essai", TABLE, frame)
    assert caught.value.findings == (
        "essai.jour : colonne déclarée, absente des données",
        "essai.autre : colonne non déclarée",
    )


def test_many_findings_are_counted() -> None:
    with pytest.raises(TableError) as caught:
        build(nombre=["x"] * 12)
    assert caught.value.findings[-1] == "essai.nombre : et 7 autres cellules fausses"


def test_the_dtypes_of_the_frame_change_nothing() -> None:
    values = {"cle": ["a", None], "rang": [1, 2], "entier": [4, None], "nombre": [1.5, None], "vrai": [True, None]}
    plain = pd.DataFrame(values | {"jour": [date(2024, 1, 1), None]}, columns=list(NAMES))
    types = dict(zip(NAMES, ["string", "Int64", "Int64", "Float64", "boolean"], strict=False))
    nullable = plain.astype({name: kind for name, kind in types.items() if name != "jour"})
    nullable["jour"] = pd.to_datetime(nullable["jour"])
    arrow = arrow_schema(TABLE).empty_table().to_pandas(types_mapper=pd.ArrowDtype)
    as_arrow = pd.concat([arrow, plain.astype(arrow.dtypes)])
    bytes_of = [csv_bytes(canonical_table("essai", TABLE, frame)) for frame in (plain, nullable, as_arrow)]
    assert bytes_of[0] == bytes_of[1] == bytes_of[2]


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "cle": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
            "rang": st.integers(-(2**63), 2**63 - 1),
            "entier": st.none() | st.integers(-(2**63), 2**63 - 1),
            "nombre": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "vrai": st.none() | st.booleans(),
            "jour": st.none() | st.dates(),
        }
    ),
    max_size=8,
    unique_by=lambda row: (row["cle"] or None, row["rang"]),
)


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, seed=st.randoms())
def test_csv_and_parquet_give_back_the_table(rows: list[dict[str, Any]], seed: Any) -> None:
    table = canonical_table("essai", TABLE, pd.DataFrame(rows, columns=list(NAMES), dtype=object))
    assert table.schema.equals(arrow_schema(TABLE), check_metadata=True)

    shuffled = seed.sample(rows, len(rows))
    again = canonical_table("essai", TABLE, pd.DataFrame(shuffled, columns=list(NAMES), dtype=object))
    assert csv_bytes(again) == csv_bytes(table)

    assert _read_csv(csv_bytes(table)).equals(table)

    stream = io.BytesIO()
    pq.write_table(table, stream)
    assert pq.read_table(stream).equals(table)


def _read_csv(content: bytes) -> pa.Table:
    """Read the CSV with pandas as a reuser would: texts first, then the declared types."""
    found = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, lineterminator="\n", encoding="utf-8")
    readers = {"integer": int, "number": float, "boolean": lambda cell: cell == "true", "date": date.fromisoformat}
    for name, kind in NAMES.items():
        read = readers.get(kind, str)
        found[name] = pd.Series([read(cell) if cell else None for cell in found[name]], dtype=object)
    return canonical_table("essai", TABLE, found)


def test_parquet_holds_types_texts_and_no_pandas(tmp_path: Path) -> None:
    write_parquet(build(cle=["a"]), tmp_path / "t.parquet")
    parquet = pq.ParquetFile(tmp_path / "t.parquet")
    schema = parquet.schema_arrow
    assert b"pandas" not in (schema.metadata or {})
    assert schema.field("nombre").metadata[b"description"] == b"nombre"
    assert [str(field.type) for field in schema] == ["string", "int64", "int64", "double", "bool", "date32[day]"]
    assert parquet.metadata.row_group(0).column(0).compression == "ZSTD"
