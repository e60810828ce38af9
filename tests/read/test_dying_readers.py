"""A reader that dies, whatever kills it, says nothing of the file: only an orderly « can't read » is a refusal."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from pipelines.declarations import Layout
from pipelines.mechanics import limits
from pipelines.mechanics.opened_files import Cells
from pipelines.read import TreatmentError, UnusableFileError, apart, read_cells, read_export

PROJECT = Path(__file__).resolve().parents[2]
ROWS = 30_000


@cache
def content_of(form: str, rows: int = ROWS) -> bytes:
    stream = io.BytesIO()
    if form == "parquet":
        pq.write_table(pa.table({name: [f"{name}{row}" for row in range(rows)] for name in "abcd"}), stream)
    elif form == "xlsx":
        with xlsxwriter.Workbook(stream) as book:
            sheet = book.add_worksheet()
            for row in range(rows):
                sheet.write_row(row, 0, [f"{name}{row}" for name in "abcd"])
    else:
        document, table = OpenDocumentSpreadsheet(), Table(name="Feuille")
        for row in range(rows // 10):
            line = TableRow()
            for name in "abcd":
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=f"{name}{row}"))
                line.addElement(cell)
            table.addElement(line)
        document.spreadsheet.addElement(table)
        document.write(stream)
    return stream.getvalue()


def layout(form: str) -> Layout:
    return Layout(years="2024", path=f"x.{form}", format=form)


class Killer(threading.Thread):
    """Kills the reader that this process starts, some moments after it was seen."""

    def __init__(self, number: int, wait: float) -> None:
        super().__init__(daemon=True)
        self.number, self.wait, self.killed, self.over = number, wait, False, False
        self.others = set(psutil.Process().children())  # servers of other tests

    def run(self) -> None:
        me = psutil.Process()
        while not self.over:
            for child in set(me.children()) - self.others:
                time.sleep(self.wait)
                with suppress(psutil.Error):
                    child.send_signal(self.number)
                    self.killed = True
                return
            time.sleep(0.001)


def read_apart(form: str, memory: int = limits.JUDGING_MEMORY) -> Cells:
    """The cells of a file, read as a judgement reads them: in a process apart."""
    content = content_of(form)
    return apart(lambda _: read_cells(content, f"x.{form}", layout(form)), memory=memory, seconds=60)


@pytest.mark.parametrize("form", ["xlsx", "ods", "parquet"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
@pytest.mark.parametrize("wait", [0, 0.05, 0.15])
def test_a_reader_killed_at_any_moment_is_no_refusal(form, number, wait):
    killer = Killer(number, wait)
    killer.start()
    try:
        read = read_apart(form)
    except TreatmentError as error:
        assert number.name in str(error)
    else:
        assert wait > 0  # it was killed too late, all was said
        assert len(read.rows) > 1_000
    finally:
        killer.over = True
        killer.join()
    if not wait:
        assert killer.killed


@pytest.mark.parametrize("form", ["xlsx", "ods", "parquet"])
def test_a_machine_with_lower_limits_still_reads(form):
    """The processor limit of the machine is below the reader's own: `ulimit -t 500`."""
    script = (
        "import sys; from pipelines.declarations import Layout; from pipelines.read import read_cells\n"
        "form = sys.argv[1]\n"
        "layout = Layout(years='2024', path='x', format=form)\n"
        "print(len(read_cells(sys.stdin.buffer.read(), 'x.' + form, layout).rows))"
    )
    command = f'ulimit -t 500; ulimit -v 3500000; exec "{sys.executable}" -c "$0" {form}'
    done = subprocess.run(
        ["bash", "-c", command, script], input=content_of(form), capture_output=True, cwd=PROJECT, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-800:]
    assert int(done.stdout) > 1_000


@pytest.mark.parametrize("form", ["xlsx", "ods", "parquet"])
@pytest.mark.parametrize("memory", [0, 1_000_000, 5_000_000, 20_000_000])
def test_a_machine_that_lacks_memory_refuses_no_file(form, memory):
    """Beyond what the process holds when it starts; a refusal would be raised as UnusableFileError."""
    try:
        assert len(read_apart(form, memory).rows) > 1_000
    except TreatmentError as error:
        assert re.search("mémoire|machine", str(error))


@pytest.mark.parametrize("form", ["xlsx", "ods", "parquet"])
def test_what_is_no_file_of_its_kind_stays_a_refusal(form):
    damaged = content_of(form)[:-300] + b"\0" * 296 + (b"PAR1" if form == "parquet" else b"")
    with pytest.raises(UnusableFileError):
        read_cells(damaged, f"x.{form}", layout(form))


def test_a_full_disk_says_nothing_of_the_archive(tmp_path):
    import gzip
    import zipfile

    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    text = b"a;b\n" + os.urandom(300_000).hex().encode()
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.csv", text)
    for name in ("x.csv.gz", "x.zip"):
        with pytest.raises(TreatmentError, match="sur cette machine"):
            read_export(tmp_path / name, name, Layout(years="2024", path=name), full)


# Work in a process apart


def test_work_apart_gives_its_result_and_tells_on_the_way():
    told: list[int] = []
    assert apart(lambda tell: [tell(1), tell(2), 3][-1], memory=1 << 30, seconds=60, tell=told.append) == 3
    assert told == [1, 2]


def test_what_work_apart_raises_is_raised_here_with_its_story():
    with pytest.raises(ZeroDivisionError) as raised:
        apart(lambda _: 1 // 0, memory=1 << 30, seconds=60)
    assert "Traceback" in str(raised.value.__cause__)
    with pytest.raises(UnusableFileError, match="b") as refused:
        apart(lambda _: (_ for _ in ()).throw(UnusableFileError("a", "b")), memory=1 << 30, seconds=60)
    assert refused.value.rule == "a"

    class LocalError(Exception):
        """An error that can't be sent as it is."""

    with pytest.raises(RuntimeError, match="LocalError: b"):
        apart(lambda _: (_ for _ in ()).throw(LocalError("b")), memory=1 << 30, seconds=60)


def _for_ever(_: object) -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (_for_ever, "dépassé 1 secondes de calcul"),
        (lambda _: b"x" * (1 << 31), "plus de mémoire que permis"),
        (lambda _: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
        (lambda _: os._exit(3), "code 3"),
    ],
)
def test_work_beyond_its_limits_is_told_and_this_process_goes_on(work, words):
    before = psutil.Process().children()  # servers of other tests
    with pytest.raises(TreatmentError, match=words):
        apart(work, memory=1 << 30, seconds=1)
    assert psutil.Process().children() == before


def test_work_that_stands_still_is_ended():
    """As after a fork while another thread held a lock: nobody will release it there."""
    before = psutil.Process().children()
    with pytest.raises(TreatmentError, match="n'avance plus"):
        apart(lambda _: time.sleep(60), memory=1 << 30, seconds=60, still=0.5)
    assert psutil.Process().children() == before
