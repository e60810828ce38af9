"""A judgement that this machine interrupts is no verdict: not remembered, not told to the producer, done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import xlsxwriter
from fixtures.small_networks import Small, small

from pipelines.cli import main
from pipelines.read import TreatmentError, spreadsheet

XLSX = '{years: 2023-2023, path: "alpha/guichet-{year}.xlsx", format: xlsx}'
CSV = '{years: 2023-2023, path: "alpha/guichet-{year}.csv", delimiter: ";", encoding: utf-8}'


def write_workbook(project: Small, rows: int = 20_000, length: int = 0) -> None:
    with xlsxwriter.Workbook(project.exports / "alpha" / "guichet-2023.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Jour", "Poste", "Avis"])
        for row in range(1, rows + 1):
            sheet.write_row(
                row,
                0,
                [f"{1 + row % 28:02d}/01/2023", f"P{row % 40}{'x' * length}", "content" if row % 3 else "mécontent"],
            )


JUDGED_ALONE = """
import sys
from pathlib import Path
from fixtures.small_networks import Small
from pipelines.declarations import load
from pipelines.mechanics import limits
from pipelines.read import TreatmentError

schemas, exports, output = (Path(folder) for folder in sys.argv[1:4])
setattr(limits, sys.argv[4], int(sys.argv[5]))
try:
    Small(schemas, exports, output, load(schemas)).judge("alpha", 2023)
except TreatmentError as error:
    print(error)
"""


class Killer(threading.Thread):
    """Kills, again and again, the processes below this one that a test chooses."""

    def __init__(self, chosen, number: int = signal.SIGKILL) -> None:
        super().__init__(daemon=True)
        self.chosen, self.number, self.killed, self.over = chosen, number, 0, False

    def run(self) -> None:
        me = psutil.Process()
        while not self.over:
            for child in me.children(recursive=True):
                try:
                    if self.chosen(child):
                        child.send_signal(self.number)
                        self.killed += 1
                except psutil.Error:
                    continue
            time.sleep(0.001)

    def __enter__(self) -> Killer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        self.join()


def is_judge(child: psutil.Process) -> bool:
    return child.ppid() == os.getpid()


@pytest.fixture
def project(tmp_path) -> Small:
    found = small(tmp_path, ("alpha", "beta"), range(2023, 2024))
    found.declare("alpha", CSV, XLSX)
    write_workbook(found)
    return found


def test_a_judgement_that_is_killed_leaves_nothing_and_the_next_one_is_right(project):
    project.receive("alpha", 2023)
    with Killer(is_judge) as killer, pytest.raises(TreatmentError, match=r"« alpha/guichet-2023\.xlsx » .*SIGKILL"):
        project.judge("alpha", 2023)
    assert killer.killed
    assert not project.store.judged.exists() or list(project.store.judged.iterdir()) == []
    assert not list(project.store.network_year("alpha", 2023).glob("*lettre*"))
    assert project.seen()["alpha", 2023] == "le contrôle précédent n'a pas abouti"
    assert project.judge("alpha", 2023)
    verdict = project.store.read("alpha", 2023).verdict
    assert verdict.exports["guichet"].status == "accepté"
    assert verdict.exports["guichet"].accepted == 20_000


@pytest.mark.e2e
def test_a_run_whose_reader_is_killed_says_an_error_of_treatment_and_the_others_go_on(project, capsys, monkeypatch):
    command = ["run", "--exports", str(project.exports), "--output", str(project.output)]
    command += ["--schemas", str(project.schemas), "--json"]
    with monkeypatch.context() as patched:  # what opens workbooks is killed; only alpha sends one
        patched.setattr(spreadsheet, "NativeWorkbook", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        assert main(command) == 1
    facts = json.loads(capsys.readouterr().out)
    assert "alpha/guichet-2023.xlsx" in facts["erreurs_de_traitement"][0]
    alpha, beta = facts["annees_de_reseau"]
    assert "accepté" in json.dumps(beta, ensure_ascii=False)
    assert "rejeté" not in json.dumps(alpha, ensure_ascii=False)
    assert not list(project.output.rglob("*-lettre.*"))
    releases = [path.read_text(encoding="utf-8") for path in (project.output / "releases").rglob("receptions.csv")]
    assert releases and not any("rejeté" in text for text in releases)
    assert main(command) == 0  # nothing was remembered
    facts = json.loads(capsys.readouterr().out)
    assert facts["erreurs_de_traitement"] == []
    assert [item["exports"]["guichet"]["etat"] for item in facts["annees_de_reseau"]] == ["accepté", "accepté"]


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "stopped"])
def test_an_interrupted_run_ends_there_and_makes_no_release_of_what_is_half_done(project, number):
    command = [sys.executable, "-m", "pipelines.cli", "run", "--exports", str(project.exports)]
    command += ["--output", str(project.output), "--schemas", str(project.schemas)]
    # A process of its own: this one hears signals for the tests, and a shell may have left them ignored.
    run = subprocess.Popen(
        ["env", "--default-signal=INT,TERM", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    judging = psutil.Process(run.pid)
    while not judging.children():
        assert run.poll() is None
        time.sleep(0.001)
    run.send_signal(number)
    _, told = run.communicate(timeout=120)
    assert run.returncode == 130
    assert "interrompu" in told
    assert not (project.output / "releases").exists()
    assert subprocess.run(command, check=False, capture_output=True, timeout=240).returncode == 0


def test_a_producer_is_told_that_his_file_was_not_judged(project, capsys, monkeypatch):
    path = str(project.exports / "alpha" / "guichet-2023.xlsx")
    command = ["validate", path, "--network", "alpha", "--export", "guichet", "--schemas", str(project.schemas)]
    with monkeypatch.context() as patched:
        patched.setattr(spreadsheet, "NativeWorkbook", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        assert main([*command, "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["valide"] is None
    assert "n'a pas été contrôlé" in told.err and "n'est pas en cause" in told.err
    assert main(command) == 0


@pytest.mark.parametrize(
    ("limit", "value", "length", "words"),
    [("JUDGING_SECONDS", 1, 0, "dépassé 1 secondes"), ("JUDGING_MEMORY", 1_000_000, 30_000, "mémoire")],
    ids=["time", "memory"],
)
def test_a_file_beyond_the_limits_stops_itself_alone(project, limit, value, length, words):
    write_workbook(project, 4_000 if length else 90_000, length)
    for network in ("alpha", "beta"):
        project.receive(network, 2023)
    folders = [str(folder) for folder in (project.schemas, project.exports, project.output)]
    # A process that has worked for long has memory to spare, which no limit on new memory keeps from being used.
    alone = subprocess.run(
        [sys.executable, "-c", JUDGED_ALONE, *folders, limit, str(value)],
        cwd=Path(__file__).resolve().parents[1], check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert words in alone.stdout
    assert project.judge("beta", 2023)
    assert project.judge("alpha", 2023)


def test_a_declared_pattern_does_not_hang_a_judgement(tmp_path):
    project = small(tmp_path, ("alpha",), range(2023, 2024))
    required = "{name: poste, label: Poste, constraints: {required: true"
    project.declare("alpha", required, f'{required}, pattern: "([A-Z]+)*[0-9]"')
    path = project.exports / "alpha" / "guichet-2023.csv"
    path.write_text(path.read_text(encoding="utf-8") + f"01/02/2023;{'A' * 48};content\n", encoding="utf-8")
    before = time.process_time()
    project.receive("alpha", 2023)
    assert project.judge("alpha", 2023)
    assert time.process_time() - before < 20
    assert project.store.read("alpha", 2023).verdict.exports["guichet"].refused == 1


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(?=.*[0-9])[A-Z0-9]+", "regarde en avant"),
        ("([A-Z])\\\\1", "rappelle un groupe"),
        ("[A-Z", "n'est pas un motif"),
        ("([A-Z]{100}){100}", "répétitions"),
    ],
)
def test_a_pattern_without_bounded_time_is_refused_where_it_is_declared(tmp_path, capsys, pattern, words):
    project = small(tmp_path, ("alpha",), range(2023, 2024))
    path = project.schemas / "networks" / "alpha.yml"
    text = path.read_text(encoding="utf-8")
    required = "label: Poste, constraints: {required: true"
    path.write_text(text.replace(required, f'{required}, pattern: "{pattern}"'), encoding="utf-8")
    assert main(["check", "--schemas", str(project.schemas)]) == 1
    told = capsys.readouterr().err
    assert "alpha.yml" in told and words in told and "pattern" in told
