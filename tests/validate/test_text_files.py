"""Delimited text judged as a stream: as its cells would be; what is refused before any row is judged."""

from __future__ import annotations

import csv
import io
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations import Correction, Layout
from pipelines.read import read_export
from pipelines.read.delimited import open_delimited
from pipelines.tabular import record_pieces
from pipelines.validate import FileContext, Finding, TypedRows, validate_file
from pipelines.validate.coordinates import RowPlacer
from pipelines.validate.equivalent_keys import EquivalentKeys
from pipelines.validate.findings import Tally
from pipelines.validate.observations_writer import BlankRows, observation_schema
from pipelines.validate.row_faults import Refusal

CELLS = st.sampled_from(
    ["S1", "S2", "", "15/03/2024", "01/01/2023", "SITE", "DEP", "NAT", "D01", "R84", "1,5", "ns", "nan", "x;y",
     'a"b', "é\nè"]
)  # fmt: skip


def written(rows, end="\r\n"):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";", lineterminator=end).writerows(rows)
    return stream.getvalue().encode()


def told(validated):
    found = [(item.rule, item.row, item.column, item.value, item.message) for item in validated.findings]
    return found, validated.refused, validated.ignored, validated.observations.table().to_pylist()


def as_text(essai, catalogue, content, file_year=2024, spill=None, **layout):
    declared = Layout.model_validate({**essai.export.layouts[0].model_dump(by_alias=True), **layout})
    opened = open_delimited(content, declared)
    context = FileContext(essai.export, declared, catalogue.territories, "essai.csv", file_year, spill=spill)
    return validate_file(opened, context)


@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=8), max_size=6),
    end=st.sampled_from(["\r\n", "\n"]),
    file_year=st.sampled_from([2024, None]),
)
def test_text_is_judged_as_its_cells(essai, catalogue, rows, end, file_year):
    content = written([essai.header, *rows], end)
    found = as_text(essai, catalogue, content, file_year)
    assert found.path == "vectorised"
    assert told(found) == told(essai.judge(rows, file_year=file_year))


def test_rows_before_the_header_are_no_rows(essai, catalogue):
    content = b"sep=;\nTitre\n" + written([essai.header, essai.row(), essai.row(Code="S2", Valeur="x")])
    found = as_text(essai, catalogue, content, skipRows=1)
    assert found.observations.table().column("_ligne").to_pylist() == [4]
    assert [item.row for item in found.findings] == [5]


def test_every_unreadable_byte_is_told(essai, catalogue):
    content = written([essai.header]) + b"S1;15/03/2024;SITE;D01;Caf\xe9;1\nS2;15/03/2024;SITE;D01;\xff\x81;2\n"
    found = as_text(essai, catalogue, content, encoding="utf-8")
    assert not found.usable
    assert [(item.rule, item.row) for item in found.findings] == [("encodage", None), ("encodage", 2), ("encodage", 3)]
    assert "2 passages illisibles" in found.findings[0].message
    assert "position 27 de la ligne (octets e9, sans doute « é »)" in found.findings[1].message
    assert as_text(essai, catalogue, content[:-20], encoding="cp1252").usable


@pytest.mark.parametrize("line", [0, 300])
def test_one_bad_byte_of_a_utf8_file_is_located_wherever_it_is(essai, catalogue, line):
    """It does not turn the whole file into another encoding, whose labels and values would be nonsense."""
    fields = [
        *essai.export.fields[:4],
        essai.export.fields[4].model_copy(update={"label": "Nom « été »"}),
        essai.export.fields[5],
    ]
    export = essai.export.model_copy(update={"fields": tuple(fields)})
    header = [*essai.header[:4], "Nom « été »", essai.header[5]]
    lines = written([header, *(essai.row(Code=f"S{n}", Nom="Nîmes") for n in range(400))]).split(b"\r\n")
    lines[line] = lines[line].replace("é".encode(), b"\xe9").replace("î".encode(), b"\xee")
    layout = essai.export.layouts[0]
    opened = open_delimited(b"\r\n".join(lines), layout)
    found = validate_file(opened, FileContext(export, layout, catalogue.territories, "x", 2024))
    assert {(item.rule, item.row) for item in found.findings} == {("encodage", None), ("encodage", line + 1)}
    assert "Ã" not in repr(found.findings)


def test_a_record_without_end_is_refused(essai, catalogue, monkeypatch):
    monkeypatch.setattr(record_pieces, "LONGEST_RECORD", 1 << 16)
    content = written([essai.header, essai.row()]) + b'S2;"' + b"x;y\n" * 3_000_000
    found = as_text(essai, catalogue, content)
    assert not found.usable
    assert "L'enregistrement de la ligne 3 est démesuré. Un guillemet" in found.findings[0].message


@pytest.mark.parametrize("column", [0, 5])
def test_a_cell_that_swallowed_the_rows_after_it_is_refused(essai, catalogue, column):
    row = ";".join([*essai.row()[:column], '"'])
    found = as_text(essai, catalogue, written([essai.header, essai.row()]) + row.encode() + b"x;y\n" * 10_000)
    assert not found.usable
    assert "Une cellule de la ligne 3 est démesurée. Un guillemet" in found.findings[0].message


def test_a_header_alone_has_no_rows(essai, catalogue):
    found = as_text(essai, catalogue, written([essai.header]))
    assert (found.usable, found.findings, found.observations.num_rows) == (True, [], 0)


def test_a_record_of_too_many_cells_is_refused(essai, catalogue):
    content = written([essai.header, essai.row()]) + b";" * 20_000 + b"\n" + written([essai.row(Code="S2")])
    found = as_text(essai, catalogue, content)
    assert "L'enregistrement de la ligne 3 est démesuré" in found.findings[0].message
    assert found.observations.num_rows == 0


def test_progress_is_told(essai, catalogue):
    rows = [essai.row(Code=f"S{number}") for number in range(100)]
    content, layout, seen = written([essai.header, *rows]), essai.export.layouts[0], []
    context = FileContext(essai.export, layout, catalogue.territories, "x", 2024, progress=seen.append)
    validate_file(open_delimited(content, layout), context)
    assert seen[-1] == 101


def test_observations_go_to_disk(essai, catalogue, tmp_path):
    place = tmp_path / "o.parquet"
    rows = [essai.row(Code=f"S{number}", Jour=f"01/01/{2023 + number % 2}") for number in range(9)]
    found = as_text(essai, catalogue, written([essai.header, *rows]), None, spill=place)
    assert found.observations.whole_file == place
    assert pq.read_table(place).equals(found.observations.table())
    year = found.observations.of_year(2023)
    assert (year.num_rows, year.whole_file, year.head(2).num_rows) == (5, None, 2)
    year.write(tmp_path / "2023.parquet")
    assert set(TypedRows(year.schema, [tmp_path / "2023.parquet"]).table().column("_annee").to_pylist()) == {2023}


def test_twins_by_place_are_told_whatever_separates_them(essai, catalogue, tmp_path):
    """d01 and D01 are one département: only keys that include it tell, and only once both were read."""
    export = essai.export.model_copy(update={"key": ("zone",)})
    rows = [essai.row(Code="S1", Zone="D01"), essai.row(Code="S2", Zone="D02"), essai.row(Code="S3", Zone="d01")]
    layout = export.layouts[0]
    opened = open_delimited(written([essai.header, *rows]), layout)
    context = FileContext(export, layout, catalogue.territories, "x", 2024, spill=tmp_path / "o.parquet")
    found = validate_file(opened, context)
    (finding,) = found.findings
    assert (finding.rule, finding.row, finding.value) == ("primary-key", 4, "d01")
    assert found.refused == {2024: 1}
    assert found.refused_rows[0].cells[0] == "S3"
    assert found.observations.table().column("_ligne").to_pylist() == [2, 3]


def test_a_gz_is_unpacked_on_disk(essai, catalogue, tmp_path):
    import gzip

    path, scratch = tmp_path / "e.csv.gz", tmp_path / "texte"
    path.write_bytes(gzip.compress(written([essai.header, essai.row()])))
    layout = essai.export.layouts[0]
    opened = read_export(path, path.name, layout, scratch)
    assert opened.source == scratch
    found = validate_file(opened, FileContext(essai.export, layout, catalogue.territories, "x", 2024))
    assert found.observations.num_rows == 1


@pytest.mark.parametrize(("count", "kept"), [(3, 3), (5, 3)])
def test_findings_alike_are_counted_once_enough_are_kept(count, kept):
    tally = Tally(kept)
    tally.add(Finding("type-error", "Non.", row=row, column="A", value="x") for row in range(2, 2 + count))
    found = tally.close()
    assert sum(item.count for item in found) == count
    assert len(found) == min(count, kept + 1)
    assert max(item.last or item.row for item in found) == count + 1


def test_every_unreadable_byte_is_told_where_corrections_are_declared_too(essai, catalogue, tmp_path):
    content = written([essai.header]) + b"S1;15/03/2024;SITE;D01;Caf\xe9;1\nS2;15/03/2024;SITE;D01;\xff\x81;2\n"
    layout = Layout.model_validate({**essai.export.layouts[0].model_dump(by_alias=True), "encoding": "utf-8"})
    correction = Correction.model_validate(
        {
            "export": "essai",
            "year": 2024,
            "where": {"code": "S1"},
            "field": "nom",
            "expected": "x",
            "value": "Bourg",
            "reason": "Essai.",
            "date": "2024-01-01",
        }
    )
    path = tmp_path / "essai.csv"
    path.write_bytes(content)
    opened = read_export(path, path.name, layout, tmp_path / "texte", whole=True)
    context = FileContext(essai.export, layout, catalogue.territories, "essai.csv", 2024, corrections=[correction])
    found = validate_file(opened, context)
    assert [(item.rule, item.row) for item in found.findings] == [("encodage", None), ("encodage", 2), ("encodage", 3)]


def test_blank_rows_take_no_memory_and_only_those_before_content_are_refused(essai, catalogue):
    blank, rows = ";" * 5 + "\n", 30_000
    head = written([essai.header, essai.row()]).decode()
    last = written([essai.row(Code="S2")]).decode()
    tracemalloc.start()
    found = as_text(essai, catalogue, (head + blank * rows).encode())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.findings, found.refused, found.observations.num_rows) == ([], {}, 1)
    assert peak < rows * 1_000
    found = as_text(essai, catalogue, (head + blank * rows + last + blank).encode())
    assert found.refused == {2024: rows}
    assert sum(item.count for item in found.findings) == rows
    assert {item.rule for item in found.findings} == {"blank-row"}
    assert max(item.last or item.row for item in found.findings) == rows + 2


def test_blank_rows_come_back_in_order_whatever_their_kind():
    blank = BlankRows()
    for number, cell in enumerate("aabababb", start=1):
        blank.add(Refusal(number, [], [cell], None))

    def before(number):
        return [(row.number, *row.cells) for row in blank.before(number)]

    assert before(6) == [(1, "a"), (2, "a"), (3, "b"), (4, "a"), (5, "b")]
    assert before(8) == [(6, "a"), (7, "b")]
    assert before(9) == [(8, "b")]
    assert before(99) == []


def test_a_control_character_alone_in_the_last_row_is_no_blank(essai, catalogue):
    content = written([essai.header, essai.row()]) + b"\x1c;;;;;\n ;\xc2\xa0;;;;\n"
    found = as_text(essai, catalogue, content)
    assert {item.row for item in found.findings} == {3}
    assert found.refused


def test_twins_keep_a_hash_a_row(essai, catalogue):
    rows = 20_000
    schema = observation_schema(essai.export)
    export = essai.export.model_copy(update={"key": ("zone", "code")})
    codes = [f"S{number}" for number in range(rows)]
    table = pa.table({
        "_ligne": pa.array(range(rows + 1)), "_annee": pa.array([2024] * (rows + 1)), "_periode": ["2024"] * (rows + 1),
        "_maille": ["site"] * (rows + 1), "_territoire": ["D01"] * (rows + 1),
        "zone": ["D01"] * rows + ["d01"], "code": [*codes, "S7"],
    })  # fmt: skip
    names = {item.name: item.name for item in essai.export.fields}
    twins = EquivalentKeys(export, names, names)
    twins.note(table)
    tracemalloc.start()
    ((row, finding, year),) = twins.found(TypedRows(schema, [table]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (row, finding.value, year) == (rows, "d01, S7", 2024)
    assert peak < rows * 150


def test_a_placer_forgets_values(essai, catalogue):
    placer = RowPlacer(FileContext(essai.export, essai.export.layouts[0], catalogue.territories, "x", 2024))
    for number in range(40_000):
        placer._judge_territory(2024, "departement", f"z{number}")
    assert placer._judge_territory.cache_info().currsize <= 1 << 14
