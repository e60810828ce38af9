"""Plans are pure: from what is offered and what is held, the steps, in an order that may be cut, and what blocks them.

A held state is played forward here as udata would make it, so that a plan applied leaves an empty plan.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.release.gates import Gate
from pipelines.release.refusals import PublicationError
from pipelines.targets.plan import Plan, plan_text
from pipelines.targets.udata.desired import DesiredDataset
from pipelines.targets.udata.remote import (
    CONTENT,
    DATASET,
    KEY,
    SHA1,
    SUPERSEDED,
    VERSION,
    RemoteDataset,
    RemoteResource,
)
from pipelines.targets.udata.resources import DesiredResource
from pipelines.targets.udata.server_state import RemoteState
from pipelines.targets.udata.udata_plan import PUBLIC, described_extras, make_plan

FIELDS = {
    "title": "Titre",
    "description": "d" * 200,
    "description_short": "court",
    "tags": ["satisfaction"],
    "license": "lov2",
    "frequency": "annual",
    "temporal_coverage": {"start": "2024-01-01", "end": "2024-12-31"},
    "spatial": {"zones": ["country:fr"], "granularity": "fr:departement"},
}
CONTACT = ("Équipe", "contact@example.org")


def file(key: str, content: str = "a", version: str = "1.0.0", **other: Any) -> DesiredResource:
    name = key.replace(":", "-") + ".csv"
    extras = {KEY: key, VERSION: version, "resultats:sha256": f"256{content}"}
    if key.startswith("archive:"):
        extras |= {SHA1: f"1{content}", CONTENT: f"content of {key}", VERSION: key.removeprefix("archive:")}
    sent = {"filename": name, "size": 1, "sha1": f"1{content}", "extras": extras}
    return DesiredResource(key, Path(name), f"Titre de {key}", "Texte", "main", **sent, **other)


def offer(*files: DesiredResource, version: str = "1.0.0", **other: Any) -> DesiredDataset:
    versions = tuple(dict.fromkeys(("1.0.0", version)))
    return DesiredDataset("jeu", Path("jeu") / version, versions, MappingProxyType(FIELDS), CONTACT, files, **other)


def state(held: RemoteDataset | None = None, **other: Any) -> RemoteState:
    return RemoteState("https://udata.example", "org", frozenset({"csv"}), frozenset({"lov2"}), held, **other)


def resource(item: DesiredResource, number: int, described: bool = True, **other: Any) -> RemoteResource:
    """A resource as udata holds it, described as offered or as an upload leaves it."""
    found = RemoteResource(
        id=f"r{number}",
        title=item.title if described else item.filename,
        description=item.description if described else "",
        type="main",
        filename=item.filename,
        filetype="file",
        sha1=item.sha1,
        size=item.size,
        schema={},
        extras=dict(item.extras) if described else {},
        latest=f"https://udata.example/r{number}",
        created_at=f"2026-01-01T00:00:{number:02}",
    )
    return replace(found, **other)


def dataset(*resources: RemoteResource, version: str | None = "1.0.0", **other: Any) -> RemoteDataset:
    extras = {DATASET: "jeu"} | ({VERSION: version} if version else {})
    found = RemoteDataset("d1", "page", dict(FIELDS), False, None, extras, (CONTACT,), ("c1",), resources)
    return replace(found, **other)


def held_as(offered: DesiredDataset) -> RemoteDataset:
    resources = [resource(item, number) for number, item in enumerate(offered.resources)]
    return dataset(*resources, version=offered.version)


def kinds(plan: Plan) -> list[str]:
    return [step.kind for step in plan.actions]


TWO = offer(file("a"), file("archive:1.0.0"))


def test_what_is_held_as_offered_gives_an_empty_plan_that_no_gate_blocks():
    plan = make_plan(TWO, state(held_as(TWO))).judged([Gate("essai", False, "refusé")])
    assert plan.empty
    assert plan.refusals == ()
    assert "rien à faire" in plan_text(plan)


def test_a_first_plan_creates_sends_archives_first_orders_opens_and_closes():
    plan = make_plan(TWO, state())
    assert kinds(plan) == ["create", "upload", "upload", "open", "seal"]
    assert [step.key for step in plan.actions if step.kind == "upload"] == ["archive:1.0.0", "a"]


def test_only_an_order_that_uploads_leave_wrong_needs_a_step():
    plan = make_plan(offer(file("b"), file("a")), state())
    assert kinds(plan)[-3:] == ["order", "open", "seal"]  # b is sent, then a, which comes before it


def test_a_changed_file_is_replaced_and_one_that_stayed_only_marked():
    new = offer(file("a", "new", "1.1.0"), file("b", version="1.1.0"), version="1.1.0")
    plan = make_plan(new, state(held_as(offer(file("a"), file("b")))))
    assert kinds(plan) == ["replace", "mark", "seal"]
    assert plan.actions[0].id == "r0"


def test_a_plan_is_told_for_people_what_and_why_first_alike_steps_together():
    new = offer(*(file(name, name + "x" * (name in "ab"), "1.1.0") for name in "abcde"), version="1.1.0")
    held = held_as(offer(*(file(name, name) for name in "abcde")))
    plan = replace(make_plan(new, state(held)), why=("Version 1.1.0 (mineure). Une année de plus.",))
    blocked = plan.judged([Gate("essai", False, "À regarder.")])
    lines = plan_text(blocked).splitlines()
    assert lines[1:4] == [
        "  À faire : remplacer 2 fichiers, noter la version sur 3 fichiers au contenu inchangé.",
        "  Version 1.1.0 (mineure). Une année de plus.",
        "  CE PLAN ATTEND UN ACCORD :",
    ]
    start = lines.index("  REMPLACER 2 fichiers : le contenu a changé, le lien permanent reste")
    assert ["a.csv" in lines[start + 1], "b.csv" in lines[start + 2]] == [True, True]
    assert lines[start + 3].startswith("  MARQUER 3 fichiers : ")
    assert lines[start + 4].startswith("  CLORE ")
    assert [step["kind"] for step in plan.to_json()["actions"]] == ["replace", "replace", *["mark"] * 3, "seal"]
    assert plan.hash == replace(plan, why=()).hash


def test_long_sentences_of_a_plan_are_cut_between_words_never_before_a_colon():
    causes = [f"fichier remplacé par le réseau : caf/enquete-{year}.csv" for year in range(9)]
    sentence = f"Révision : {' ; '.join(causes)}."
    lines = plan_text(replace(make_plan(TWO, state()), why=(sentence,))).splitlines()
    told = lines[2 : 1 + next(at for at, line in enumerate(lines) if line.endswith("8.csv."))]
    assert len(told) > 1
    assert " ".join(line.strip() for line in told) == sentence
    assert all(len(line) <= 112 and line.strip()[0] not in ":;»" for line in told)


def test_an_archive_compressed_otherwise_is_the_same_archive():
    other = offer(replace(file("archive:1.0.0"), sha1="other zlib", size=7))
    assert make_plan(other, state(held_as(TWO))).actions[0].kind != "replace"
    assert kinds(make_plan(replace(other, resources=(file("a"), *other.resources)), state(held_as(TWO)))) == []


def test_an_archive_of_other_content_waits_for_a_person():
    other = file("archive:1.0.0", "other")
    other = replace(other, extras={**other.extras, CONTENT: "another content"})
    plan = make_plan(offer(file("a"), other), state(held_as(TWO)))
    assert [gate.name for gate in plan.refusals] == ["archives"]


def test_an_upload_that_was_cut_is_taken_up_by_content_and_name():
    left = resource(file("b"), 7, described=False)
    plan = make_plan(offer(file("a"), file("b")), state(dataset(resource(file("a"), 0), left)))
    assert [(step.kind, step.id) for step in plan.actions] == [("adopt", "r7"), ("seal", "d1")]
    renamed = replace(left, title="Un titre donné par quelqu'un")
    assert kinds(make_plan(offer(file("a"), file("b")), state(dataset(resource(file("a"), 0), renamed))))[0] == "upload"


def test_a_cut_upload_of_an_earlier_version_is_taken_up_only_when_we_released_it():
    left = resource(file("b", "old"), 7, described=False)
    there = state(dataset(resource(file("a"), 0), left))
    wanted = offer(file("a"), file("b", "new"))
    assert kinds(make_plan(wanted, there, earlier={"1old"}))[0] == "replace"
    assert kinds(make_plan(wanted, there))[0] == "upload"


def test_two_copies_leave_the_oldest_and_mark_the_other_once():
    first, second = resource(file("a"), 1), resource(file("a"), 2)
    plan = make_plan(offer(file("a")), state(dataset(second, first)))
    assert [(step.kind, step.id) for step in plan.actions] == [("supersede", "r2"), ("order", None), ("seal", "d1")]
    marked = replace(second, extras={KEY: "double:r2", SUPERSEDED: "…"})
    assert make_plan(offer(file("a")), state(dataset(first, marked))).empty


def test_what_is_no_longer_offered_is_retired_once_but_archives_stay():
    old = [resource(file("a"), 0), resource(file("b"), 1), resource(file("archive:0.9.0"), 2)]
    plan = make_plan(offer(file("a")), state(dataset(*old)))
    assert [(step.kind, step.id) for step in plan.actions] == [("supersede", "r1"), ("order", None), ("seal", "d1")]
    assert plan.actions[1].order == ("a", "r2", "r1")
    marked = replace(old[1], extras={**old[1].extras, SUPERSEDED: "…"})
    assert make_plan(offer(file("a")), state(dataset(old[0], old[2], marked))).empty


def test_retiring_many_files_at_once_waits_for_a_person():
    old = [resource(file(name), number) for number, name in enumerate("abcdef")]
    assert [gate.name for gate in make_plan(offer(file("a")), state(dataset(*old))).refusals] == ["portée"]
    few = offer(*(file(name) for name in "abcde"))
    assert make_plan(few, state(dataset(*old))).refusals == ()


@pytest.mark.parametrize(
    ("there", "gate"),
    [
        (state(dataset(deleted="2026-01-02T00:00:00")), "supprimé"),
        (state(dataset(private=True)), "masqué"),
        (state(dataset(version="2.0.0")), "histoire"),
        (state(dataset(version="0.5.0")), "histoire"),
        (state(last_page="https://udata.example/datasets/d9"), "disparu"),
        (state(dataset(), others=("d2",)), "doublon"),
    ],
)
def test_what_looks_like_a_fault_or_a_decision_of_somebody_blocks(there: RemoteState, gate: str):
    assert [found.name for found in make_plan(offer(file("a")), there).refusals] == [gate]


def test_invented_data_do_not_go_to_the_public_platform_unseen():
    invented = offer(file("a"), synthetic=True)
    assert make_plan(invented, state()).refusals == ()
    public = replace(state(), address=PUBLIC)
    assert [gate.name for gate in make_plan(invented, public).refusals] == ["synthétique"]


def test_a_draft_in_the_making_is_no_decision_of_somebody():
    half = dataset(private=True, version=None)
    plan = make_plan(offer(file("a")), state(half))
    assert plan.refusals == ()
    assert kinds(plan) == ["upload", "open", "seal"]


def test_a_file_that_lacks_of_a_version_once_whole_tells_that_its_link_changes():
    (step, *_) = make_plan(offer(file("a"), file("b")), state(dataset(resource(file("a"), 0)))).actions
    assert (step.key, "son lien permanent change" in step.why) == ("b", True)
    new = offer(file("a", version="1.1.0"), file("b", version="1.1.0"), version="1.1.0")
    (step, *_) = make_plan(new, state(dataset(resource(file("a"), 0)))).actions
    assert (step.key, step.why) == ("b", "nouveau fichier")


def test_fields_changed_by_hand_are_restored():
    held = replace(held_as(TWO), fields={**FIELDS, "title": "À la main", "tags": []}, contacts=(("Autre", "a@b.c"),))
    plan = make_plan(TWO, state(held))
    assert [change.name for change in plan.actions[0].changes] == ["titre", "mots-clés", "contact"]
    assert "À la main" in plan_text(plan)


def test_a_schema_of_ours_is_linked_once_it_is_there():
    main, schema = file("t", schema_of="schema:t"), file("schema:t")
    first = make_plan(offer(main, schema), state())
    assert [step.key for step in first.actions if step.kind == "upload"] == ["schema:t", "t"]
    there = dataset(resource(main, 0), resource(schema, 1))
    (change,) = make_plan(offer(main, schema), state(there)).actions[0].changes
    assert change.after == {"url": "https://udata.example/r1"}


def test_documents_that_hold_links_are_sent_last_the_page_after_the_feed_that_it_links_to():
    offered = offer(file("reutiliser"), file("flux-versions"), file("a"), file("archive:1.0.0"))
    sent = [step.key for step in make_plan(offered, state()).actions if step.kind == "upload"]
    assert sent == ["archive:1.0.0", "a", "flux-versions", "reutiliser"]


def test_a_licence_unknown_to_the_target_stops_all():
    with pytest.raises(PublicationError, match="lov2"):
        make_plan(TWO, replace(state(), licences=frozenset({"fr-lo"})))


def test_the_hash_is_of_what_would_be_done_and_of_what_blocks_it():
    plan = make_plan(TWO, state())
    assert plan.hash == make_plan(TWO, state()).hash
    assert plan.hash != make_plan(offer(file("a", "b"), file("archive:1.0.0")), state()).hash
    assert plan.hash != plan.judged([Gate("essai", False, "refusé")]).hash
    assert plan.hash == plan.judged([Gate("essai", True, "À savoir :", ("rien",))]).hash
    assert plan.hash == make_plan(replace(TWO, omitted=("une note",)), state()).hash


def played(plan: Plan, offered: DesiredDataset, there: RemoteState) -> RemoteDataset:
    """Return what a target holds after a plan, by udata's rules: new files first, order only by its own step."""
    held = there.dataset or dataset(version=None, private=True)
    found = list(held.resources)
    at = {item.key: item.key for item in offered.resources}
    for number, step in enumerate(plan.actions, start=50):
        place = next((index for index, item in enumerate(found) if item.id == step.id), None)
        if step.kind == "upload":
            found.insert(0, resource(offered.resource(step.key), number))
        elif step.kind in ("replace", "adopt", "describe", "mark"):
            assert place is not None
            item, old = offered.resource(step.key), found[place]
            new = resource(item, 0, id=old.id, created_at=old.created_at)
            sent = item.sha1 if step.kind == "replace" else old.sha1
            extras = described_extras(item, replace(old, sha1=sent))
            found[place] = replace(new, sha1=sent, extras=extras)
        elif step.kind == "supersede":
            assert place is not None
            found[place] = replace(found[place], extras={**found[place].extras, KEY: step.key, SUPERSEDED: step.why})
        elif step.kind == "order":
            refs = {item.key if item.key in at else item.id: item for item in found}
            assert set(step.order) == set(refs)
            found = [refs[ref] for ref in step.order]
    return replace(
        held, private=False, deleted=None, fields=dict(FIELDS), resources=tuple(found),
        extras={DATASET: "jeu", VERSION: offered.version},
    )  # fmt: skip


KEYS = st.lists(st.sampled_from(["a", "b", "c", "archive:1.0.0", "archive:1.1.0"]), unique=True)


@given(data=st.data(), wanted=KEYS)
def test_a_plan_applied_leaves_nothing_to_do(data: st.DataObject, wanted: list[str]):
    """Whatever part of whatever version is there, described or not, double or foreign, in any order."""
    offered = offer(*(file(key, data.draw(st.sampled_from("xy")), "1.1.0") for key in wanted), version="1.1.0")
    there = []
    for number, key in enumerate(
        data.draw(st.lists(st.sampled_from(["a", "b", "c", "d", "archive:1.0.0"]), max_size=7))
    ):
        item = file(key, data.draw(st.sampled_from("xy")))
        there.append(resource(item, number, described=data.draw(st.booleans())))
    held = data.draw(st.sampled_from([None, dataset(*there), dataset(*there, version=None, private=True)]))
    first = state(held)
    plan = make_plan(offered, first, earlier={"1x", "1y"})
    after = state(played(plan, offered, first))
    again = make_plan(offered, after, earlier={"1x", "1y"})
    assert again.empty, plan_text(again)
    ids = {item.id for item in held.resources} if held else set()
    assert after.dataset is not None
    assert ids <= {item.id for item in after.dataset.resources}  # nothing is ever lost
