"""Situations seen in the field, where their files are at hand: a folder is run as it is, and comes out right."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

import pytest
from fixtures.small_networks import NOW

from assets.workspace import Workspace
from pipelines.declarations import load
from pipelines.flow.judge import judge_network_year
from pipelines.flow.kept_verdicts import keep_verdict
from pipelines.flow.receive import receive_exports
from pipelines.report.network_lines import network_lines

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the situations are not at hand")


def run(tmp_path, case, schemas, network, years=(2024,)):
    """Receive and judge what a situation holds; return what is told of it, and its reports."""
    (source,) = CASES.glob(f"{case}-*")
    exports = tmp_path / "exports"
    shutil.copytree(source, exports)
    for path in [exports, *exports.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (NOW.timestamp() - 86400, NOW.timestamp() - 86400))
    catalogue = load(CASES / "_schemas" / schemas)
    workspace = Workspace(exports=str(exports), output=str(tmp_path / "out"), schemas="")
    reports = {}
    for year in years:
        reception = receive_exports(catalogue.networks[network], network, year, workspace.store, workspace.root, NOW)
        verdicts = judge_network_year(catalogue, network, year, workspace.store, reception)
        keep_verdict(workspace.store, catalogue, network, year, verdicts, reception.fingerprint)
        reports[year] = {verdict.export: verdict for verdict in verdicts}
    return "\n".join(
        network_lines(workspace.store, [workspace.store.read(network, year) for year in years])[0]
    ), reports


def test_a_total_row_is_no_office(tmp_path):
    _, reports = run(tmp_path, "05", "mini", "essais")
    assert (reports[2024]["valeurs"].accepted, reports[2024]["valeurs"].refused) == (24, 1)


def test_the_same_file_under_two_names_counts_once(tmp_path):
    told, reports = run(tmp_path, "50", "mini2", "depots")
    assert (reports[2024]["actes"].state, reports[2024]["actes"].accepted) == ("accepté", 12)
    assert "actes-2024 (1).csv" in told


def test_files_of_systems_are_ignored(tmp_path):
    _, reports = run(tmp_path, "52", "mini2", "depots")
    assert {name: reports[2024][name].accepted for name in ("actes", "appels")} == {"actes": 12, "appels": 12}
    assert not any(reports[2024][name].refused for name in ("actes", "appels"))


def test_another_case_of_letters_is_found_and_told(tmp_path):
    told, reports = run(tmp_path, "53", "mini2", "depots")
    assert {verdict.accepted for verdict in reports[2024].values()} == {12}
    assert "« appels/Appels-2024.XLSX » est lu, mais « appels/*2024.xlsx » est attendu" in told


def test_a_cut_file_is_not_published(tmp_path):
    told, reports = run(tmp_path, "55", "mini2", "depots")
    assert reports[2024]["actes"].state == "rejeté"
    assert "semble coupé" in told


def test_names_of_macs_are_found(tmp_path):
    told, reports = run(tmp_path, "56", "mini2", "depots")
    assert reports[2024]["releves"].accepted == 12
    assert unicodedata.is_normalized("NFC", told)


def test_last_years_file_is_told(tmp_path):
    told, _ = run(tmp_path, "57", "mini", "essais", (2023, 2024))
    assert "« valeurs-2024.xlsx » a exactement le contenu de « valeurs-2023.xlsx »" in told


def test_a_duplicated_office_is_named_and_the_others_stay(tmp_path):
    told, reports = run(tmp_path, "84", "mini", "essais")
    assert (reports[2024]["valeurs"].accepted, reports[2024]["valeurs"].refused) == (28, 2)
    assert any("« G07 »" in item.message for _, _, item in reports[2024]["valeurs"].findings)
    assert "2 refusées" in told
