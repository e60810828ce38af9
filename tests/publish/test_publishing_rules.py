"""The small rules around a publication: acceptances, the lock, the sign on the target, known ids, previews."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from made_results import DATASET

from assets.platforms import TargetError, open_platform, plans, publications, statement
from pipelines.declarations import Catalogue
from pipelines.flow.shared_store import SharedStore
from pipelines.flow.store import Store, write_json
from pipelines.flow.waiting_plans import keep_waiting, no_longer_waiting, waiting_plans
from pipelines.release.errors import ConcurrentPublicationError, PublicationError
from pipelines.release.gates import Gate
from pipelines.release.release import make_release
from pipelines.report.run_summary import dataset_lines
from pipelines.targets.acceptance import accept, accepted
from pipelines.targets.folder.target import plan_local, publish_to_folder
from pipelines.targets.lock import one_writer
from pipelines.targets.report import plan_text, report_text
from pipelines.targets.rooms import Rooms
from pipelines.targets.target import LOCAL, VERSION, RemoteDataset, RemoteResource, address, file_name, safe_for_a_key
from pipelines.targets.udata.known_ids import KnownIds, read_ids, write_ids
from pipelines.targets.udata.lease import LIFE, check_free, new_lease, read_lease
from pipelines.targets.udata.previews import previews

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


def test_one_writer_at_a_time(tmp_path: Path):
    refused = pytest.raises(ConcurrentPublicationError, match="attendre")
    with one_writer(tmp_path / "x" / ".lock"), refused, one_writer(tmp_path / "x" / ".lock"):
        raise AssertionError("two writers")
    with one_writer(tmp_path / "x" / ".lock"):
        pass


def test_a_sign_bars_the_way_to_others_for_a_while():
    sign = new_lease("moi", NOW)
    assert read_lease(str(sign)) == sign
    check_free(str(sign), "moi", NOW)  # one of ours that died
    check_free(None, "autre", NOW)
    check_free("illisible", "autre", NOW)
    check_free(str(sign), "autre", NOW + LIFE + timedelta(seconds=1))
    with pytest.raises(ConcurrentPublicationError, match="en cours"):
        check_free(str(sign), "autre", NOW + timedelta(minutes=5))


def test_known_ids_are_of_one_address_and_can_be_lost(tmp_path: Path):
    path = tmp_path / "t" / "demo.json"
    extras = {VERSION: "1.2.0"}
    write_ids(
        path, "https://a", "jeu", RemoteDataset("d1", "page", {}, False, None, extras, (), (), (held(), held(None)))
    )
    assert json.loads(path.read_text("utf-8"))["datasets"]["jeu"]["version"] == "1.2.0"  # what `resultats status` tells
    assert read_ids(path, "https://a", "jeu") == KnownIds("d1", "page", {"k": "r1"})
    assert read_ids(path, "https://b", "jeu") == KnownIds()
    path.write_text("{", encoding="utf-8")
    assert read_ids(path, "https://a", "jeu") == KnownIds()


def test_targets_have_names_and_addresses():
    assert address("demo") == "https://demo.data.gouv.fr"
    assert address("http://127.0.0.1:7000/") == "http://127.0.0.1:7000"
    assert address("zut") is None
    for safe in ("https://demo.data.gouv.fr", "http://127.0.0.1:7000", "http://localhost:7000", "http://[::1]:7000"):
        assert safe_for_a_key(safe), safe
    for clear in ("http://demo.data.gouv.fr", "http://127.0.0.1.example.org", "http://10.0.0.1", "http://"):
        assert not safe_for_a_key(clear), clear
    assert file_name("https://demo.data.gouv.fr") == "demo-data-gouv-fr"


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


def test_the_local_catalogue_is_a_target_like_the_others(small: Catalogue, work: Rooms):
    plan = plan_local(small, work, synthetic=None)
    assert plan is not None
    assert {step.kind for step in plan.actions} == {"write"}
    assert not work.catalogue.exists()
    refused = publish_to_folder(small, work, synthetic=None, agree=lambda _: False)
    assert refused is not None
    assert (refused.applied, work.catalogue.exists()) == (False, False)
    done = publish_to_folder(small, work, synthetic=None)
    assert done is not None
    assert done.succeeded
    assert len(done.done) == len(plan.actions)
    assert "publié et relu" in report_text(done)
    again = plan_local(small, work, synthetic=None)
    assert again is not None
    assert again.empty


def test_a_local_plan_that_is_blocked_is_applied_once_accepted(small: Catalogue, work: Rooms):
    def judge(dataset: str, old: Path | None, new: Path) -> list[Gate]:
        assert (dataset, old, new.name) == (DATASET, None, "1.0.0")
        return [Gate("ampleur", False, "Trop de lignes changent.", ("12 lignes",))]

    held_back = publish_to_folder(small, work, synthetic=None, judge=judge)
    assert held_back is not None
    assert (held_back.applied, work.catalogue.exists()) == (False, False)
    assert "12 lignes" in plan_text(held_back.plan)
    accept(work.acceptances, held_back.plan.hash, "anne", NOW, "voulu")
    done = publish_to_folder(small, work, synthetic=None, judge=judge)
    assert done is not None
    assert done.succeeded


def test_a_plan_waits_until_its_target_is_published_by_whatever_way(small: Catalogue, work: Rooms):
    store = Store(work.output)
    (plan,) = plans(small, LOCAL, store)
    assert plan.why == ("Version 1.0.0 (première). Première publication. Lignes : 7 ajoutées.",)
    elsewhere = replace(plan, target="https://demo.data.gouv.fr")
    keep_waiting(store, [plan, elsewhere])
    assert dataset_lines(store, DATASET, held_back=True)[1:] == [
        "    PAS ENCORE PUBLIÉE, elle attend un accord (ci-dessous) ; aucune n'est encore publiée"
    ]
    assert [report.applied for report in publications(small, LOCAL, store, lambda _: False)] == [False]
    assert len(waiting_plans(store)) == 2
    assert [report.applied for report in publications(small, LOCAL, store)] == [True]
    assert [item["target"] for item in waiting_plans(store)] == ["https://demo.data.gouv.fr"]
    (told,) = dataset_lines(store, DATASET, held_back=False)
    assert told.startswith(f"  {DATASET} 1.0.0 : ")


def test_what_waits_is_forgotten_on_a_storage_without_touching_the_national_tables(
    small: Catalogue, work: Rooms, tmp_path: Path
):
    url = f"memory://{tmp_path.name}/sortie"
    (plan,) = plans(small, LOCAL, Store(work.output))
    keep_waiting(SharedStore(url), [plan])
    mine, other = SharedStore(url), SharedStore(url)
    assert statement(mine) is None  # as it was before a run elsewhere
    write_json(other.national / "provenance.json", {"synthetic": "inventé"})
    other.save_room(other.national)
    no_longer_waiting(mine, plan.target, plan.dataset)
    after = SharedStore(url)
    assert (waiting_plans(after), statement(after)) == ([], "inventé")


def test_nothing_is_planned_before_a_first_release(small: Catalogue, tmp_path: Path):
    assert plan_local(small, Rooms(tmp_path), synthetic=None) is None


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("http://demo.data.gouv.fr", "lisible en chemin"),
        ("https://moi:secret@demo.data.gouv.fr", "ni nom ni mot de passe"),
    ],
)
def test_no_key_goes_where_others_read_it(
    target: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESULTATS_API_KEY", "udata_x")
    monkeypatch.setenv("RESULTATS_ORGANIZATION", "o")
    with pytest.raises(TargetError, match=told) as refused:
        open_platform(target, Rooms(tmp_path))
    assert "secret" not in str(refused.value)


def test_a_release_altered_since_it_was_made_goes_nowhere(small: Catalogue, work: Rooms):
    table = work.releases / DATASET / "1.0.0" / "structures.csv"
    table.chmod(0o644)
    table.write_bytes(table.read_bytes() + b"\n")
    with pytest.raises(PublicationError, match=r"1\.0\.0, SHA256SUMS : l'empreinte de structures\.csv"):
        publish_to_folder(small, work, synthetic=None)
    assert not work.catalogue.exists()
    (work.releases / DATASET / "1.0.0" / "SHA256SUMS").unlink()
    with pytest.raises(PublicationError, match="SHA256SUMS : absent"):
        plan_local(small, work, synthetic=None)
