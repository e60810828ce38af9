"""``resultats status``: what is published where, what is late, refused, or waits; as plain data and as French lines."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from pipelines.cli import main
from pipelines.declarations.statuses import Status
from pipelines.flow.state import ExportVerdict, Reception, YearVerdict
from pipelines.flow.store import Store
from pipelines.flow.stored_files import write_json
from pipelines.read import Received
from pipelines.report.status import status
from pipelines.targets.protocol import Rooms
from pipelines.targets.publication import accept

DATASET = "resultats-services-publics"
DAY = datetime.date(2025, 4, 10)


@pytest.fixture
def output(tmp_path) -> Path:
    """An output folder after two releases, of which a target has the first."""
    store = Store(tmp_path)
    for version in ("1.0.0", "1.1.0"):
        write_json(store.releases / DATASET / version / "datapackage.json", {})
    write_json(store.catalogue / DATASET / "dataset.json", {"version": "1.1.0"})
    write_json(tmp_path / "targets" / "demo.json", {
        "address": "https://demo.data.gouv.fr",
        "datasets": {DATASET: {"id": "abc", "page": "https://demo.data.gouv.fr/d/abc", "version": "1.0.0"}},
    })  # fmt: skip
    (tmp_path / "targets" / "casse.json").write_text("{", encoding="utf-8")
    write_json(tmp_path / "targets" / "autre.json", ["une forme inconnue"])
    store.write("caf", 2024, Reception(fingerprint="f", exports={"enquete": ()}))
    refused = store.network_year("dgfip", 2023)
    file = Received("dgfip/telephone-2023.csv", "a" * 64, 1, "nouveau")
    store.write("dgfip", 2023, Reception(fingerprint="f", exports={"telephone": (file,)}))
    verdict = ExportVerdict(
        status=Status.REFUSED, reason="rejete", explanation="80 lignes fausses", read=80, accepted=0, refused=80,
        files=(),
    )  # fmt: skip
    store.write("dgfip", 2023, YearVerdict(fingerprint="g", reception="f", exports={"telephone": verdict}))
    (refused / "telephone-lettre.html").touch()
    write_json(tmp_path / "work" / "revisions" / "caf" / "2022" / "revision.json", {
        "accepted": False, "fingerprint": "0123456789", "proposed_at": "2025-04-09T02:00:00",
        "network": "caf", "year": 2022, "base": "98", "declarations": "76", "differences": {"results": 2},
    })  # fmt: skip
    write_json(tmp_path / "work" / "revisions" / "caf" / "2021" / "revision.json", {"accepted": True})
    write_json(store.file("work/attente/publication.json"), [
        {"target": "local", "dataset": DATASET, "hash": name * 64, "blocked": name != "c", "text": ""} for name in "abc"
    ])  # fmt: skip
    accept(Rooms(tmp_path).acceptances, "b" * 64, "moi", datetime.datetime.now(datetime.UTC), "vu")
    return tmp_path


def of_results(found: dict[str, Any]) -> dict[str, Any]:
    """What is told of the data set of results; that of barometers has no release here."""
    return next(one for one in found["jeux_de_donnees"] if one["id"] == DATASET)


def test_everything_that_stands_is_told(catalogue, output):
    found = status(catalogue, output, DAY)
    dataset = of_results(found)
    assert (dataset["version"], dataset["versions"]) == ("1.1.0", 2)
    assert [(item["cible"], item["version"], item["a_jour"]) for item in dataset["cibles"]] == [
        ("catalogue local", "1.1.0", True), ("demo", "1.0.0", False),
    ]  # fmt: skip
    assert dataset["cibles"][0]["page"] == str(output / "catalogue" / DATASET)
    (late,) = found["retards"]
    assert (late["reseau"], late["annee"], late["attendu_le"], late["jours"]) == ("caf", 2024, "2025-03-31", 10)
    (refused,) = found["refuses"]
    assert refused["lettre"].endswith("dgfip/2023/telephone-lettre.html")
    plan, waiting = found["en_attente"]
    assert plan == {"genre": "publication", "cible": "local", "empreinte": "a" * 64}  # neither accepted nor unblocked
    assert (waiting["reseau"], waiting["annee"], waiting["empreinte"]) == ("caf", 2022, "0123456789")


def test_people_are_led_to_the_data_page_of_the_site_once_it_is_written(catalogue, output):
    page = output / "site" / "donnees.html"
    page.parent.mkdir()
    page.touch()
    dataset = of_results(status(catalogue, output, DAY))
    assert [item["page"] for item in dataset["cibles"]] == [str(page), "https://demo.data.gouv.fr/d/abc"]


def test_before_the_first_release_nothing_is_published(catalogue, tmp_path):
    (tmp_path / "work").mkdir()  # something was treated: where nothing ever was, ``status`` says so instead
    found = status(catalogue, tmp_path, DAY)
    assert [(item["version"], item["cibles"]) for item in found["jeux_de_donnees"]] == 3 * [(None, [])]
    assert found["retards"] == found["refuses"] == found["en_attente"] == []


def test_the_command_tells_it_in_french_and_in_json(output, capsys):
    assert main(["status", "--output", str(output)]) == 0
    told = capsys.readouterr().out
    assert "demo : 1.0.0, en retard d'une version ou plus  https://demo.data.gouv.fr/d/abc" in told
    assert "caf, 2024 : attendu le 31/03/2025" in told
    assert "publication vers local : aaaaaaaa" in told
    assert "révision de caf, 2022 : 01234567, depuis le 09/04/2025" in told
    assert main(["status", "--output", str(output), "--json"]) == 0
    assert of_results(json.loads(capsys.readouterr().out))["version"] == "1.1.0"


def test_late_files_follow_the_calendar_of_each_network(catalogue, output):
    calm = {key: network.model_copy(update={"due": None}) for key, network in catalogue.networks.items()}
    from dataclasses import replace

    assert status(replace(catalogue, networks=MappingProxyType(calm)), output, DAY)["retards"] == []
