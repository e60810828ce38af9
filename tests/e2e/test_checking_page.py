"""The page where a producer has a file judged, in a real Chromium and by plain requests: nothing kept nor told."""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines.cli.checking_page import AT_ONCE, WAITING, plain_name
from pipelines.mechanics.limits import LARGEST_CHECKED_ONLINE

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
AXE = PROJECT / ".cache" / "axe" / "node_modules" / "axe-core" / "axe.min.js"  # by .ci/run
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
RUN_AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(one => one.id)"""
HEADER = "Mois;Code CAF;Département;Appels présentés;Appels traités\n"
GOOD = HEADER + "01/2024;CAF30;30;2200;1581\n"
BAD = HEADER + "13/2024;CAF30;30;2200;1581\n02/2024;<b>x</b>;30;1;1\n" + "".join(
    f"{month:02d}/2024;CAF{place};{place};10;5\n" for month in range(1, 13) for place in (30, 31, 33, 35)
)  # fmt: skip


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The command, as its unit runs it; yields its port and process."""
    port = free_port()
    command = [sys.executable, "-m", "pipelines.cli", "door", "--port", str(port), "--temporary", str(folder)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for _ in range(600):
            with closing(socket.socket()) as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
            time.sleep(0.1)
        yield port, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[tuple[int, Path]]:
    folder = tmp_path_factory.mktemp("controle")
    with served(folder) as (port, _):
        yield port, folder


def form(name: str, content: bytes, export: str = "caf/telephone", year: str = "2024") -> tuple[bytes, str]:
    """What a browser sends."""
    boundary = "----limite"
    fields = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in (("export", export), ("annee", year))
    )
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="fichier"; filename="{name}"\r\n\r\n'
    return f"{fields}{head}".encode() + content + f"\r\n--{boundary}--\r\n".encode(), boundary


def ask(port: int, body: bytes | None = None, boundary: str = "", **headers: str) -> tuple[int, str, dict[str, str]]:
    """Send a request; return code, page and headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    if body is None:
        connection.request("GET", "/")
    else:
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        connection.request("POST", "/", body, {**kind, **headers})
    answer = connection.getresponse()
    with closing(connection):
        return answer.status, answer.read().decode(), dict(answer.getheaders())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        missing = "Chromium n'est pas installé (paquet chromium, voir .ci/run)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def test_a_file_is_dropped_the_letter_read_and_the_copy_taken(page, browser, tmp_path):
    port, folder = page
    path = tmp_path / "telephone-2024.csv"
    path.write_text(BAD, encoding="utf-8")
    context = browser.new_context(viewport={"width": 320, "height": 800}, java_script_enabled=True)
    shown = context.new_page()
    shown.goto(f"http://127.0.0.1:{port}/")
    shown.get_by_label("Réseau et export").select_option("caf/telephone")
    shown.get_by_label("Fichier").set_input_files(str(path))
    shown.get_by_role("button", name="Contrôler").click()
    main = shown.locator("main").inner_text()
    assert "il n'y a pas de mois 13" in main
    assert "<b>x</b>" in main  # as text
    assert shown.locator("main b").count() == 0
    assert shown.evaluate("document.documentElement.scrollWidth") <= 320
    with shown.expect_download() as waited:
        shown.get_by_text("Télécharger la copie annotée").click()
    copy = openpyxl.load_workbook(io.BytesIO(Path(waited.value.path()).read_bytes()))
    assert [row[0].value for row in copy.worksheets[0].iter_rows(min_row=2)] == [2, 3]
    assert list(folder.iterdir()) == []
    context.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_neither_page_breaks_a_rule_of_axe(page, browser, width):
    if not AXE.exists():
        pytest.skip("axe-core n'est pas là : npm install --prefix .cache/axe axe-core@4.14.1 (voir .ci/run)")
    axe = AXE.read_text(encoding="utf-8")
    assert hashlib.sha256(axe.encode()).hexdigest() == AXE_SHA256
    context = browser.new_context(viewport={"width": width, "height": 800})
    for content in (ask(page[0])[1], ask(page[0], *form("a.csv", BAD.encode()))[1],
                    ask(page[0], *form("a.csv", b"", "x/y"))[1]):  # fmt: skip
        shown = context.new_page()
        shown.set_content(content)
        shown.evaluate(axe)
        assert shown.evaluate(RUN_AXE) == []
    context.close()


def test_an_accepted_file_has_its_letter_too(page):
    code, told, headers = ask(page[0], *form("telephone-2024.csv", GOOD.encode()))
    assert code == 200
    assert "Fichier accepté." in told and "Rien n'est à corriger" in told.replace("&#39;", "'")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\x.csv", "<script>alert(1)</script>.csv", "a\0b.csv", ".", "", "x" * 5000 + ".csv"],
)
def test_no_name_of_a_file_is_more_than_a_name(page, name):
    port, folder = page
    code, told, _ = ask(port, *form(name, BAD.encode()))
    assert code == 200 and "mois 13" in told
    assert "<script" not in told
    assert list(folder.iterdir()) == []
    assert "/" not in plain_name(name) and plain_name(name).strip(".")


@pytest.mark.parametrize(
    ("body", "boundary", "code"),
    [
        (*form("a.csv", GOOD.encode(), "../caf/telephone"), 400),
        (*form("a.csv", GOOD.encode(), year="1999"), 400),
        (*form("a.csv", b""), 400),
        (b"n'importe quoi", "x", 400),
        (*form("a.csv", b"x" * (LARGEST_CHECKED_ONLINE + 100_000)), 413),
    ],
)
def test_what_can_not_be_judged_is_said(page, body, boundary, code):
    found, told, _ = ask(page[0], body, boundary)
    assert found == code
    assert 'role="alert"' in told


def test_a_form_of_another_site_is_refused(page):
    body, boundary = form("a.csv", GOOD.encode())
    assert ask(page[0], body, boundary, Origin="https://ailleurs.example")[0] == 403
    assert ask(page[0], body, boundary, Origin=f"http://127.0.0.1:{page[0]}")[0] == 200


def test_what_a_crash_left_is_erased_and_nothing_is_logged(tmp_path):
    folder = tmp_path / "controle"
    (folder / "tmpabc").mkdir(parents=True)
    (folder / "tmpabc" / "NOMS.csv").write_text("MARQUEUR")
    with served(folder) as (port, process):
        assert list(folder.iterdir()) == []
        ask(port, *form("MARQUEUR.csv", BAD.replace("CAF30", "MARQUEUR").encode()))
        ask(port, *form("MARQUEUR.csv", b"\xff\xfe\x00MARQUEUR"))
        process.send_signal(signal.SIGTERM)
        told = process.stdout.read()
    assert "MARQUEUR" not in told
    assert folder.stat().st_mode & 0o077 == 0


def test_too_many_files_at_once_are_asked_to_come_back(page):
    """Requests that stay open, their file unfinished, take the places; the others are told so."""
    port, _ = page
    body, boundary = form("a.csv", GOOD.encode())
    open_ones = []
    for _ in range(AT_ONCE + WAITING):
        waiting = socket.create_connection(("127.0.0.1", port), timeout=30)
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary={boundary}\r\n"
        waiting.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        open_ones.append(waiting)
    time.sleep(1)
    assert ask(port, body, boundary)[0] == 503
    for waiting in open_ones:
        waiting.close()
    time.sleep(1)
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(ask(port, body, boundary)[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 4
