"""What people and other programs do on the platform behind our back, and what the next publication makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from publishing_house import DATASET, House

from pipelines.targets.protocol import Report
from pipelines.targets.publication import accept

pytestmark = pytest.mark.e2e


def edit(house: House, **fields: object) -> None:
    """Change a dataset by hand, the tags and coverage kept as the site does."""
    held = house.held()
    kept = {name: held[name] for name in ("tags", "temporal_coverage", "private")}
    house.call("PUT", f"/api/1/datasets/{held['id']}/", json={**kept, **fields})


def kinds(report: Report) -> list[str]:
    return [step.kind for step in report.plan.actions]


def accepted(house: House) -> Report:
    accept(house.work.acceptances, house.plan().hash, "essai", datetime.now(UTC), "pour l'essai")
    return house.publish()


def test_a_title_edited_by_hand_is_restored(published: House):
    edit(published, title="Mon titre")
    report = published.publish()
    assert report.succeeded
    assert kinds(report) == ["update", "seal"]
    assert [(change.name, change.before) for change in report.plan.actions[0].changes] == [("titre", "Mon titre")]
    held = published.held()
    assert held["title"] == published.catalogue.datasets[DATASET].title
    assert held["tags"]
    assert held["temporal_coverage"]
    assert held["quality"]["score"] == 1


def test_a_file_deleted_by_hand_comes_back_and_the_plan_tells_that_its_link_changes(published: House):
    held, lost = published.held(), published.resources()["annee:2023"]
    published.call("DELETE", f"/api/1/datasets/{held['id']}/resources/{lost['id']}/")
    report = published.publish()
    assert report.succeeded
    assert kinds(report) == ["upload", "order", "seal"]
    assert "son lien permanent change" in report.plan.actions[0].why
    assert list(published.resources()).index("annee:2023") == [item["id"] for item in held["resources"]].index(
        lost["id"]
    )


def test_a_dataset_deleted_by_hand_waits_for_an_agreement_then_is_restored_with_its_links(published: House):
    held = published.held()
    published.call("DELETE", f"/api/1/datasets/{held['id']}/")
    report = published.publish()
    assert not report.applied
    assert [gate.name for gate in report.plan.refusals] == ["supprimé"]
    assert published.wire.writes == []
    report = accepted(published)
    assert report.succeeded, report.problems
    again = published.held()
    assert again["deleted"] is None
    assert [item["id"] for item in again["resources"]] == [item["id"] for item in held["resources"]]


def test_a_dataset_made_private_by_hand_is_not_opened_without_an_agreement(published: House):
    edit(published, private=True)
    assert [gate.name for gate in published.publish().plan.refusals] == ["masqué"]
    assert published.held()["private"]
    assert accepted(published).succeeded
    assert not published.held()["private"]


def test_a_dataset_whose_key_was_wiped_is_not_made_again_without_an_agreement(published: House):
    edit(published, extras={"autre": "outil"})
    report = published.publish()
    assert [gate.name for gate in report.plan.refusals] == ["disparu"]
    assert published.held()["uri"] in report.plan.refusals[0].message_fr  # it has no page on this server
    assert published.wire.writes == []
    edit(published, extras={"resultats:dataset": DATASET})
    report = published.publish()
    assert kinds(report) == ["seal"]
    assert report.succeeded


def test_files_added_and_moved_by_others_are_left_after_ours(published: House):
    held = published.held()
    files = {"file": ("autre.csv", b"a\n1\n")}
    added = published.call("POST", f"/api/1/datasets/{held['id']}/upload/", files=files)
    extras = {"analysis:parsing:parsing_table": "x", "autre": "y"}
    path = f"/api/1/datasets/{held['id']}/resources/{held['resources'][0]['id']}/"
    published.call("PUT", path, json={"extras": {**held["resources"][0]["extras"], **extras}, "title": "Autre titre"})
    report = published.publish()
    assert report.succeeded
    assert kinds(report) == ["describe", "order", "seal"]
    assert any(added["id"] in note for note in report.plan.notes)
    after = published.held()["resources"]
    assert [item["id"] for item in after] == [*(item["id"] for item in held["resources"]), added["id"]]
    assert after[0]["title"] == held["resources"][0]["title"]
    assert after[0]["extras"]["autre"] == "y"
    assert published.publish().plan.empty


def test_an_upload_that_was_never_described_is_taken_up(published: House, shelves: tuple[Path, Path]):
    """Both a file of the version to publish and one of the version before, which was replaced meanwhile."""
    held, resources = published.held(), published.resources()
    for key in ("annee:2023", "annee:2024"):
        published.call("DELETE", f"/api/1/datasets/{held['id']}/resources/{resources[key]['id']}/")
    folder = published.work.renditions / DATASET / "1.0.0"
    left = [
        published.call(
            "POST",
            f"/api/1/datasets/{held['id']}/upload/",
            files={"file": (path.name, path.read_bytes())},
        )["id"]
        for path in (folder / f"resultats-annuels-{year}.csv" for year in (2023, 2024))
    ]
    published.shelve(shelves[1])
    report = published.publish()
    assert report.succeeded, report.problems
    done = {step.key: step.kind for step in report.done}
    assert (done["annee:2023"], done["annee:2024"]) == ("adopt", "replace")
    after = published.resources()
    assert [after["annee:2023"]["id"], after["annee:2024"]["id"]] == left


def test_a_second_copy_of_a_file_is_marked_not_deleted(published: House):
    held = published.held()
    table = (published.work.releases / DATASET / "1.0.0" / "resultats-annuels.csv").read_bytes()
    files = {"file": ("resultats-annuels.csv", table)}
    copy = published.call("POST", f"/api/1/datasets/{held['id']}/upload/", files=files)
    report = published.publish()
    assert report.succeeded, report.problems
    assert kinds(report) == ["supersede", "order", "seal"]
    last = published.held()["resources"][-1]
    assert last["id"] == copy["id"]
    assert last["type"] == "other"
    assert last["title"].startswith("[Ancien fichier]")
    assert published.publish().plan.empty


def test_a_file_replaced_by_hand_is_replaced_again(published: House):
    held, item = published.held(), published.resources()["archive:1.0.0"]
    files = {"file": ("autre.zip", b"autre")}
    published.call("POST", f"/api/1/datasets/{held['id']}/resources/{item['id']}/upload/", files=files)
    assert [gate.name for gate in published.publish().plan.refusals] == ["archives"]
    report = accepted(published)
    assert report.succeeded, report.problems
    again = published.resources()["archive:1.0.0"]
    assert [again[name] for name in ("id", "checksum", "title")] == [item[name] for name in ("id", "checksum", "title")]


def test_a_folder_of_an_older_version_does_not_undo_a_newer_one(published: House, shelves: tuple[Path, Path]):
    published.shelve(shelves[1])
    assert published.publish().succeeded
    published.shelve(shelves[0])
    report = published.publish()
    assert [gate.name for gate in report.plan.refusals] == ["histoire"]
    assert not report.applied
    assert published.wire.writes == []
