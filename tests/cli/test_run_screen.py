"""One screen at the end of ``resultats run``: networks by years, refusals, where to look; the rest in the account."""

from __future__ import annotations

import re

import pytest
from fixtures.dagster_service import NETWORK, small_project, write_export

from pipelines.cli import main

NAMES = [f"r{rank}" for rank in range(6)]


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Networks of two years: ``r0`` whole, ``r1`` with a row put aside, ``r2`` unreadable, ``r3`` without 2023."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    schemas, exports = small_project(tmp_path, NAMES, range(2023, 2025))
    for rank, name in enumerate(NAMES):  # a file that is another network's would be doubted
        write_export(exports, name, 2023, unhappy=2 + 2 * rank)
        write_export(exports, name, 2024, unhappy=3 + 2 * rank)
    aside = exports / "r1" / "guichet-2024.csv"
    aside.write_text(aside.read_text(encoding="utf-8").replace("mécontent", "bof", 1), encoding="utf-8")
    for name in NAMES[2:]:
        (exports / name / "guichet-2024.csv").write_text(f"<html>{name}, page d'erreur</html>\n" * 9, encoding="utf-8")
    (exports / "r3" / "guichet-2023.csv").unlink()
    places = {"--exports": exports, "--output": tmp_path / "output", "--schemas": schemas}
    return ["run", *(str(part) for pair in places.items() for part in pair)]


def test_a_screen_tells_each_network_and_year_by_its_sign_and_all_when_asked(command, capsys, tmp_path):
    assert main(command) == 0
    screen = capsys.readouterr().out
    heading, *lines = screen.splitlines()
    assert heading.split() == ["23", "24"]
    signs = {line.split()[1]: line.split()[2:] for line in lines if line.startswith("  Guichets ")}
    refused = {name: ["✓", "✗"] for name in NAMES[2:]}
    assert signs == {"r0": ["✓", "✓"], "r1": ["✓", "!"], **refused, "r3": ["–", "✗"]}
    assert len(screen.splitlines()) <= 45
    assert "4 EXPORTS REFUSÉS\n" in screen
    assert re.search(r"  ✗ r2 2024, guichet : r2/guichet-2024\.csv\n    .+\n    lettre : .+lettre\.html\n", screen)
    account = (tmp_path / "output" / "work" / "compte-rendu.txt").read_text(encoding="utf-8")
    assert "work/compte-rendu.txt" in screen
    assert "119 lignes acceptées" in account
    assert main([*command, "--verbose"]) == 0  # the whole account, when asked
    assert capsys.readouterr().out == (tmp_path / "output" / "work" / "compte-rendu.txt").read_text(encoding="utf-8")
    assert main([*command, "--network", "r0"]) == 0
    assert "120 lignes acceptées" in capsys.readouterr().out  # an account that fits on the screen


SECRET = "minimum_base: {answers: 11, reason: secret-statistique, why: exemple}\n"


def test_a_network_declared_before_its_files_stops_nobody(tmp_path, capsys):
    """No release knows it, and it has figures that would be secret."""
    schemas, exports = small_project(tmp_path, ["alpha"], range(2024, 2025))
    indicator = schemas / "indicators" / "contents.yml"
    indicator.write_text(SECRET + indicator.read_text(encoding="utf-8"), encoding="utf-8")
    command = ["run", "--exports", str(exports), "--output", str(tmp_path / "output"), "--schemas", str(schemas)]
    assert main(command) == 0
    indicator.write_text(
        indicator.read_text(encoding="utf-8") + "  beta: {export: guichet, inputs: {answer: avis}}\n", encoding="utf-8"
    )
    added = NETWORK.format(name="beta", first=2024, last=2024, more="")
    (schemas / "networks" / "beta.yml").write_text(added, encoding="utf-8")
    capsys.readouterr()
    assert main(command) == 0, capsys.readouterr().out
    assert "resultats-services-publics 1.1.0" in capsys.readouterr().out
