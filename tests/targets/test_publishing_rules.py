"""The small rules around a publication: acceptances, the lock, what is noted of it, addresses, previews."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from fixtures.made_results import DATASET

from pipelines.declarations import Catalogue
from pipelines.flow.publish import Publisher, kind_of
from pipelines.flow.store import Store
from pipelines.flow.stored_files import write_json
from pipelines.flow.waiting_plans import keep_waiting, waiting_plans
from pipelines.read import RootError
from pipelines.release.gates import Gate
from pipelines.release.refusals import ConcurrentPublicationError, PublicationError
from pipelines.release.release_folder import make_release
from pipelines.report.run_summary import dataset_lines
from pipelines.targets.folder.folder_target import EVERYTHING, NAME, FolderTarget
from pipelines.targets.plan import Plan, plan_text
from pipelines.targets.protocol import Report, Rooms, Source, TargetError
from pipelines.targets.publication import accept, accepted, one_publisher, publish, report_text
from pipelines.targets.udata.access import address
from pipelines.targets.udata.remote import VERSION, RemoteDataset, RemoteResource
from pipelines.targets.udata.server_state import note_published, page_last_published, previews

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
HASH = "a" * 64


def held(key: str | None = "k", name: str = "a.csv", **extras: object) -> RemoteResource:
    ours = {"resultats:key": key} if key else {}
    return RemoteResource("r1", "T", "", "main", name, "file", None, None, {}, {**ours, **extras}, "link", "2026")


def test_an_acceptance_is_kept_with_who_when_and_why_and_the_first_one_stays(tmp_path: Path):
    accept(tmp_path, HASH, "anne", NOW, "relu")
    accept(tmp_path, HASH, "paul", NOW, "autre")
    found = accepted(tmp_path, HASH)
    assert found is not None
    assert (found.who, found.when, found.reason) == ("anne", "2026-11-23T15:00:00+00:00", "relu")
    assert accepted(tmp_path, "b" * 64) is None


@pytest.mark.parametrize("text", ["", "abc", "../../x", HASH.upper()])
def test_only_a_hash_is_accepted(tmp_path: Path, text: str):
    with pytest.raises(PublicationError):
        accept(tmp_path, text, "anne", NOW, "")
    assert list(tmp_path.iterdir()) == []


def test_one_publisher_at_a_time_on_a_target(tmp_path: Path):
    refused = pytest.raises(ConcurrentPublicationError, match="attendre")
    with one_publisher(tmp_path / "x" / ".lock"), refused, one_publisher(tmp_path / "x" / ".lock"):
        raise AssertionError("two publishers")
    with one_publisher(tmp_path / "x" / ".lock"):
        pass


def test_a_publication_holds_the_lock_of_its_target(small: Catalogue, work: Rooms):
    target = folder(small, work)
    with one_publisher(work.lock(target.address)), pytest.raises(ConcurrentPublicationError):
        publish(target, EVERYTHING, work)
    assert not work.catalogue.exists()


def test_what_was_last_published_is_noted_for_one_address_and_can_be_lost(tmp_path: Path):
    path = tmp_path / "t" / "demo.json"
    note_published(
        path, "https://a", "jeu", RemoteDataset("d1", "page", {}, False, None, {VERSION: "1.2.0"}, (), (), ())
    )
    noted = {"page": "page", "version": "1.2.0"}  # what `resultats status` tells
    assert json.loads(path.read_text("utf-8")) == {"address": "https://a", "datasets": {"jeu": noted}}
    assert page_last_published(path, "https://a", "jeu") == "page"
    assert page_last_published(path, "https://a", "autre") == page_last_published(path, "https://b", "jeu") == ""
    path.write_text("{", encoding="utf-8")
    assert page_last_published(path, "https://a", "jeu") == ""


def test_targets_have_names_and_addresses():
    assert address("demo") == "https://demo.data.gouv.fr"
    assert address("http://127.0.0.1:7000/") == "http://127.0.0.1:7000"
    with pytest.raises(TargetError, match="« zut » inconnue"):
        address("zut")
    for safe in ("https://demo.data.gouv.fr", "http://127.0.0.1:7000", "http://localhost:7000", "http://[::1]:7000"):
        assert address(safe) == safe
    for clear in ("http://demo.data.gouv.fr", "http://127.0.0.1.example.org", "http://10.0.0.1"):
        with pytest.raises(TargetError, match="lisible en chemin"):
            address(clear)
    assert Rooms(Path()).record("https://demo.data.gouv.fr").name == "demo-data-gouv-fr.json"
    assert [kind_of(name).remote for name in (NAME, "demo", "https://udata.example")] == [False, True, True]


def test_previews_are_told_apart():
    found = previews(
        [
            held("ready", **{"analysis:parsing:parsing_table": "x"}),
            held("failed", **{"analysis:parsing:error": "trop gros", "analysis:parsing:parsing_table": "x"}),
            held("gone", **{"check:available": False, "check:status": 404}),
            held("waiting"),
            held("zip", "a.zip"),
            held(None),
            held("old", **{"resultats:superseded": "…"}),
        ]
    )
    assert [(item.key, item.state, item.failed) for item in found] == [
        ("ready", "aperçu prêt", False),
        ("failed", "analyse en échec", True),
        ("gone", "fichier injoignable", True),
        ("waiting", "pas encore analysé", False),
    ]


@pytest.fixture
def work(small: Catalogue, small_tables: dict[str, pd.DataFrame], tmp_path: Path) -> Rooms:
    make_release(DATASET, small, small_tables, tmp_path / "releases", synthetic=None)
    return Rooms(tmp_path)


def folder(catalogue: Catalogue, work: Rooms) -> FolderTarget:
    return FolderTarget(Source(catalogue, work))


def planned(catalogue: Catalogue, work: Rooms) -> Plan:
    prepared = folder(catalogue, work).prepare(EVERYTHING)
    assert prepared is not None
    return prepared.plan


def published(target: FolderTarget, agree: Callable[[Plan], bool] | None = None) -> Report:
    report = publish(target, EVERYTHING, target.source.rooms, agree=agree)
    assert report is not None
    return report


def publisher(catalogue: Catalogue, store: Store, name: str = NAME) -> Publisher:
    return Publisher(catalogue, store, name, {"RESULTATS_API_KEY": "udata_x", "RESULTATS_ORGANIZATION": "o"}.get)


def test_the_folder_catalogue_is_a_target_like_the_others(small: Catalogue, work: Rooms):
    plan = planned(small, work)
    assert {step.kind for step in plan.actions} == {"write"}
    assert not work.catalogue.exists()
    refused = published(folder(small, work), agree=lambda _: False)
    assert (refused.applied, work.catalogue.exists()) == (False, False)
    done = published(folder(small, work), agree=lambda _: True)
    assert done.succeeded
    assert len(done.done) == len(plan.actions)
    assert "publié et relu" in report_text(done)
    assert planned(small, work).empty


def test_what_a_killed_publication_left_in_the_folder_is_swept_by_the_next(small: Catalogue, work: Rooms):
    published(folder(small, work))
    left = [work.catalogue / place / ".en-cours-x" for place in ("", DATASET, f"{DATASET}/latest")]
    for path in left:
        path.write_text("coupé", encoding="utf-8")
    assert planned(small, work).empty
    assert published(folder(small, work)).succeeded
    assert not any(path.exists() for path in left)


def test_a_plan_of_the_folder_that_is_blocked_is_applied_once_accepted(small: Catalogue, work: Rooms):
    def judge(_: Catalogue, dataset: str, old: Path | None, new: Path) -> list[Gate]:
        assert (dataset, old, new.name) == (DATASET, None, "1.0.0")
        return [Gate("ampleur", False, "Trop de lignes changent.", ("12 lignes",))]

    target = replace(folder(small, work), judge=judge)
    held_back = published(target)
    assert (held_back.applied, work.catalogue.exists()) == (False, False)
    assert "12 lignes" in plan_text(held_back.plan)
    accept(work.acceptances, held_back.plan.hash, "anne", NOW, "voulu")
    assert published(target).succeeded


def test_a_plan_that_is_no_longer_the_same_after_the_answer_is_not_applied(small: Catalogue, work: Rooms):
    def agree(_: Plan) -> bool:
        work.catalogue.mkdir()
        (work.catalogue / DATASET).mkdir()
        (work.catalogue / DATASET / "dataset.json").write_text("à la main", encoding="utf-8")
        return True

    with pytest.raises(PublicationError, match="relire le plan"):
        published(folder(small, work), agree)
    assert not (work.catalogue / DATASET / "latest").exists()


def test_a_plan_waits_until_its_target_is_published_by_whatever_way(small: Catalogue, work: Rooms):
    store = Store(work.output)
    there = publisher(small, store)
    (plan,) = there.plans()
    assert plan.why == ("Version 1.0.0 (première). Première publication. Lignes : 7 ajoutées.",)
    elsewhere = replace(plan, target="https://demo.data.gouv.fr")
    keep_waiting(store, [plan, elsewhere])
    assert dataset_lines(store, DATASET, held_back=True)[1:] == [
        "    PAS ENCORE PUBLIÉE, elle attend un accord (ci-dessous) ; aucune n'est encore publiée"
    ]
    assert [report.applied for report in there.publish(lambda _: False)] == [False]
    assert len(waiting_plans(store)) == 2
    assert [report.applied for report in there.publish()] == [True]
    assert [item["target"] for item in waiting_plans(store)] == ["https://demo.data.gouv.fr"]
    (told,) = dataset_lines(store, DATASET, held_back=False)
    assert told.startswith(f"  {DATASET} 1.0.0 : ")


def test_an_accepted_plan_awaits_nobody_and_another_hash_is_none(small: Catalogue, work: Rooms):
    there = publisher(small, Store(work.output))
    (plan,) = there.plans()
    blocked = plan.judged([Gate("ampleur", False, "Trop de lignes changent.")])
    assert [there.awaits(plan), there.awaits(blocked)] == [False, True]
    assert not there.accept(HASH, "relu")
    assert there.accept(plan.hash, "relu")
    accept(work.acceptances, blocked.hash, "anne", NOW, "relu")
    assert not there.awaits(blocked)


def test_what_waits_is_forgotten_on_a_storage_without_touching_the_national_tables(
    small: Catalogue, work: Rooms, tmp_path: Path
):
    url = f"memory://{tmp_path.name}/sortie"
    (plan,) = publisher(small, Store(work.output)).plans()
    keep_waiting(Store(url), [plan])
    mine, other = Store(url), Store(url)
    assert mine.tables_made().synthetic is None  # as it was before a run elsewhere
    with other.writing("work/national") as (national_room,):
        write_json(national_room / "national.json", {"synthetic": "inventé"})
    with mine.releasing(DATASET) as releases:
        shutil.copytree(work.releases, releases, dirs_exist_ok=True)
    assert [report.applied for report in publisher(small, mine).publish()] == [True]
    after = Store(url)
    assert (waiting_plans(after), after.tables_made().synthetic) == ([], "inventé")


def test_nothing_is_planned_before_a_first_release(small: Catalogue, tmp_path: Path):
    store = Store(tmp_path)
    assert folder(small, Rooms(tmp_path)).prepare(EVERYTHING) is None
    with pytest.raises(RootError, match="rien n'a jamais été traité"):
        list(publisher(small, store).publish())
    (tmp_path / "work").mkdir()  # something was treated, and nothing released
    assert list(publisher(small, store).publish()) == []


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("http://demo.data.gouv.fr", "lisible en chemin"),
        ("https://moi:secret@demo.data.gouv.fr", "ni nom ni mot de passe"),
    ],
)
def test_no_key_goes_where_others_read_it(small: Catalogue, target: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=told) as refused:
        list(publisher(small, Store(tmp_path), target).plans())
    assert "secret" not in str(refused.value)


def test_a_release_altered_since_it_was_made_goes_nowhere(small: Catalogue, work: Rooms):
    table = work.releases / DATASET / "1.0.0" / "structures.csv"
    table.chmod(0o644)
    table.write_bytes(table.read_bytes() + b"\n")
    with pytest.raises(PublicationError, match=r"1\.0\.0, SHA256SUMS : l'empreinte de structures\.csv"):
        published(folder(small, work))
    assert not work.catalogue.exists()
    (work.releases / DATASET / "1.0.0" / "SHA256SUMS").unlink()
    with pytest.raises(PublicationError, match="SHA256SUMS : absent"):
        planned(small, work)
