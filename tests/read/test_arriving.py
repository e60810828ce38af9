"""Files that are still arriving are told from files that are there."""

from __future__ import annotations

import io
import os
import time
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations import Layout
from pipelines.read import ExportsRoot, UnusableFileError, read_cells
from pipelines.read.unfinished_files import FRESH, RECENT, cut_line, growing, unfinished

LAYOUT = Layout(years="2024", path="{year}.csv", delimiter=";")
ROWS = [f"G{row:02d};30;{1 + row % 12:02d}/2024;1234500" for row in range(12)]
TEXT = "\n".join(["Code;Dep;Mois;Actes", *ROWS])


@pytest.fixture
def root(tmp_path):
    (tmp_path / "2024.csv").write_text(TEXT)
    return ExportsRoot(str(tmp_path))


def test_a_file_that_changes_between_two_looks_is_growing(root, tmp_path):
    sources = root.find("{year}.csv", 2024)
    now = time.time()
    assert growing(root, sources, now, wait=lambda _: None) == set()

    def write(_seconds):
        with (tmp_path / "2024.csv").open("a") as stream:
            stream.write("0")

    assert growing(root, sources, now, wait=write) == {"2024.csv"}


def test_only_fresh_files_are_waited_for(root, tmp_path):
    os.utime(tmp_path / "2024.csv", (1, time.time() - FRESH - 60))

    def wait(_seconds):
        raise AssertionError("nothing is fresh")

    assert growing(root, root.find("{year}.csv", 2024), time.time(), wait=wait) == set()


def workbook() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "x" * 5000)
    return content.getvalue()


def parquet() -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(1000))}), content)
    return content.getvalue()


@pytest.mark.parametrize(("kind", "whole"), [("csv", TEXT.encode()), ("xlsx", workbook()), ("parquet", parquet())])
def test_a_recent_file_without_its_end_may_be_on_its_way(tmp_path, kind, whole):
    layout = LAYOUT.model_copy(update={"format": kind})
    for content, lacks in ((whole, False), (whole[:-4], True)):
        (tmp_path / "2024.csv").write_bytes(content)
        (source,) = ExportsRoot(str(tmp_path)).find("{year}.csv", 2024)
        assert unfinished(tmp_path / "2024.csv", source, layout, time.time()) is lacks
        assert not unfinished(tmp_path / "2024.csv", source, layout, time.time() + RECENT + 1)


def test_a_cut_file_that_stays_is_refused_with_its_last_line():
    assert cut_line(TEXT.encode(), LAYOUT) is None
    for cut, sign in ((4, "moitié"), (1, "plus court"), (8, "cellules"), (12, "cellules")):
        line = cut_line(TEXT[:-cut].encode(), LAYOUT)
        assert line is not None
        assert (line.sign, line.number) == (sign, 13)
    with pytest.raises(UnusableFileError, match=r"semble coupé.*la 13") as error:
        read_cells(TEXT[:-4].encode(), "2024.csv", LAYOUT)
    assert error.value.rule == "fichier-coupe"


@pytest.mark.parametrize("text", [
    TEXT, TEXT + "\n", TEXT[:-4] + "\n", TEXT[:-4] + "\r\n", "Code;Dep\nG1;3000\nG2;3", "", "a", "\n" * 20,
    TEXT + '\nG12;30;12/2024;"1"', "A;B\n" + "\n".join(f"x;{'abc'[: 1 + row % 3]}" for row in range(10)) + "\nx;a",
])  # fmt: skip
def test_whole_files_are_not_suspected(text):
    assert cut_line(text.encode(), LAYOUT) is None


@given(st.integers(0, len(TEXT)), st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_file_cut_anywhere_never_loses_its_last_figure_in_silence(size, end):
    """Of a file whose rows are of one length, any cut inside a row after the first ones is seen."""
    text = TEXT[:size]
    line = cut_line(text.replace("\n", end).encode(), LAYOUT)
    rows = text.split("\n")[1:]
    inside = len(rows) >= 6 and 0 < len(rows[-1]) < len(ROWS[0])
    assert (line is not None) == inside
    assert line is None or line.number == len(rows) + 1
