"""What the client makes of answers and failures: which are repeated, which are looked into, and what people read.

The session here gives prepared answers of ``requests`` itself; a real server answers in tests/targets/udata.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from pipelines.release.refusals import PublicationError
from pipelines.targets.udata.client import Udata
from pipelines.targets.udata.remote import resource
from pipelines.targets.udata.transport import (
    BusyError,
    NotFoundError,
    NotUdataError,
    RefusedError,
    Transport,
    UnknownOutcomeError,
    UnreachableError,
    refusal,
)

KEY = "udata_secret"
REFUSED = requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "refused")))  # type: ignore[arg-type]
RESET = requests.ConnectionError("reset")


def answer(status: int = 200, body: Any = None, **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


class Prepared(requests.Session):
    """A session that gives answers prepared in advance, in turn."""

    def __init__(self, *answers: requests.Response | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        self.sent.append((method, url, options))
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def spoken(*answers: requests.Response | Exception) -> tuple[Udata, Prepared, list[float]]:
    session, slept = Prepared(*answers), []
    return Udata(Transport("https://udata.example", session, slept.append, KEY), chunk=4), session, slept


WHOLE = {"id": "d1", "private": True, "page": "https://udata.example/d1", "extras": {"a": "b"}, "resources": []}
RESOURCE = {"id": "r1", "title": "a", "type": "main", "filetype": "file", "latest": "x", "created_at": "2026"}
FOUND = resource({**RESOURCE, "id": "found"})
OK = answer(200, WHOLE)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"errors": {"title": ["trop long", "vide"]}}, " (title : trop long, vide)"),
        (
            {"errors": {"spatial": {"zones": "inconnue"}, "tags": "court"}, "message": "Non"},
            " (spatial : zones : inconnue; tags : court; Non)",
        ),
        ({"message": "Interdit"}, " (Interdit)"),
        ({"success": False, "error": "Chunk size mismatch", "message": ""}, " (Chunk size mismatch)"),
        (None, ""),
        (["x"], ""),
    ],
)
def test_all_shapes_of_errors_are_read(body, told):
    assert str(refusal(400, body, "PUT /x/")) == f"PUT /x/ : 400, demande refusée par la plateforme{told}"


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, RefusedError, "demande refusée"),
        (401, RefusedError, "RESULTATS_API_KEY"),
        (403, RefusedError, "rôle d'éditeur"),
        (404, NotFoundError, "introuvable"),
        (410, NotFoundError, "supprimé"),
        (413, RefusedError, "trop gros"),
        (423, RefusedError, "lecture seule"),
        (429, BusyError, "trop de requêtes"),
        (500, UnknownOutcomeError, "erreur de la plateforme"),
        (502, UnknownOutcomeError, "erreur de la plateforme"),
    ],
)
def test_every_status_has_a_type_and_a_sentence_with_the_findings(status, kind, advice):
    error = refusal(status, {"errors": {"title": ["trop long"]}}, "PUT /x/")
    assert type(error) is kind
    assert str(error).startswith(f"PUT /x/ : {status}, ")
    assert advice in str(error)
    assert "title : trop long" in str(error)


@pytest.mark.parametrize(
    "failure", [REFUSED, RESET, requests.ReadTimeout(), answer(502, b"<html>"), answer(200, b"<p>")]
)
def test_reads_and_whole_writes_are_repeated(failure):
    for call in (lambda client: client.dataset("d1"), lambda client: client.put_dataset("d1", {"title": "x"})):
        client, session, slept = spoken(failure, failure, OK)
        call(client)
        assert session.answers == []
        assert len(session.sent) == 3
        assert slept == [0.5, 1.0]


def test_after_the_last_attempt_the_error_says_what_to_do():
    client, session, _ = spoken(*[RESET] * 4)
    with pytest.raises(UnknownOutcomeError, match="relancer"):
        client.dataset("d1")
    assert session.answers == []


@pytest.mark.parametrize("failure", [RESET, answer(500, {}), answer(502, b"<html>"), answer(200, b'{"id": ')])
def test_a_creation_whose_answer_is_lost_is_looked_for_and_sent_again_only_when_not_there(failure):
    client, session, slept = spoken(failure)
    assert client.create_dataset({}, lambda: "found") == "found"
    assert len(session.sent) == 1
    client, session, slept = spoken(failure, OK)
    assert client.create_dataset({}, lambda: None) == "d1"
    assert len(session.sent) == 2
    assert slept == [1.2]


@pytest.mark.parametrize("failure", [requests.ReadTimeout(), answer(504, b"<html>")])
def test_a_server_that_may_still_be_at_work_is_looked_at_and_sent_nothing_more(failure):
    looks = iter([None, None, "late"])
    client, session, slept = spoken(failure)
    assert client.create_dataset({}, lambda: next(looks)) == "late"
    assert slept == [1.2, 3.0, 6.0]
    client, session, slept = spoken(failure)
    with pytest.raises(UnknownOutcomeError):
        client.create_dataset({}, lambda: None)
    assert len(session.sent) == 1


@pytest.mark.parametrize("failure", [REFUSED, answer(429, {}, Retry_After="7")])
def test_a_creation_that_was_surely_not_made_is_sent_again_without_looking(failure):
    client, _, slept = spoken(failure, OK)
    assert client.create_dataset({}, _never) == "d1"
    assert slept == [7.0 if isinstance(failure, requests.Response) else 0.5]


def test_a_refusal_is_never_repeated():
    client, session, slept = spoken(answer(400, {"message": "non"}))
    with pytest.raises(RefusedError):
        client.put_dataset("d1", {})
    assert (len(session.sent), slept) == (1, [])


def test_retry_after_may_be_a_date_and_too_long_a_wait_stops():
    later = answer(429, {}, Date="Mon, 23 Nov 2026 15:00:00 GMT", Retry_After="Mon, 23 Nov 2026 15:00:20 GMT")
    client, _, slept = spoken(later, OK)
    client.dataset("d1")
    assert slept == [20.0]
    client, session, slept = spoken(answer(429, {}, Retry_After="3600"))
    with pytest.raises(BusyError):
        client.dataset("d1")
    assert (len(session.sent), slept) == (1, [])


@pytest.mark.parametrize("there", ["https://ailleurs.example/", "http://udata.example/", "/ailleurs/"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_follows_no_redirection_and_no_post_becomes_a_get(status, there):
    client, session, _ = spoken(answer(status, {}, Location=there), answer(status, {}, Location=there))
    with pytest.raises(NotUdataError, match="comme cible"):
        client.dataset("d1")
    with pytest.raises(NotUdataError, match="comme cible"):
        client.create_dataset({}, _never)
    assert len(session.sent) == 2


@pytest.mark.parametrize("body", [{"message": f"clé {KEY} inconnue"}, {"errors": {"key": [KEY]}}])
def test_the_key_is_in_no_error_and_no_repr(body):
    client, session, _ = spoken(answer(401, body))
    with pytest.raises(RefusedError) as refused:
        client.dataset("d1")
    assert refused.value.status == 401
    assert session.sent[0][2]["headers"]["X-API-KEY"] == KEY
    assert KEY not in f"{refused.value} {refused.value.__dict__} {client!r}"


def test_every_call_has_a_time_limit():
    client, session, _ = spoken(OK, OK)
    client.dataset("d1")
    client.create_dataset({}, _never)
    assert all(options["timeout"] == (10.0, 60.0) for _, _, options in session.sent)


def test_pages_are_read_to_the_last():
    first = answer(200, {"data": [{"id": "1", "name": "a"}], "next_page": "…"})
    client, session, _ = spoken(first, answer(200, {"data": [{"id": "2", "name": "b"}], "next_page": None}))
    assert [item.id for item in client.contacts("o")] == ["1", "2"]
    assert [options["params"]["page"] for _, _, options in session.sent] == [1, 2]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(b"0123456789")
    return path


def test_a_large_file_goes_in_parts_and_a_lost_part_starts_again_under_a_new_name(large: Path):
    fine = answer(200, {"success": True})
    client, session, _ = spoken(fine, RESET, fine, fine, fine, answer(201, RESOURCE))
    assert client.upload("d1", large, "a.csv", _never).id == "r1"
    forms = [options["files"] for _, _, options in session.sent]
    parts = [(form["partindex"][1], form["chunksize"][1], form["file"][1]) for form in forms if "file" in form]
    wanted = [("0", "4", b"0123"), ("1", "4", b"4567"), ("2", "2", b"89")]
    assert parts == [*wanted[:2], *wanted]
    assert len({form["uuid"][1] for form in forms[:2]}) == 1
    assert len({form["uuid"][1] for form in forms[2:]}) == 1
    assert forms[0]["uuid"] != forms[2]["uuid"]
    assert "file" not in forms[-1]


def test_a_lost_last_answer_of_parts_is_looked_for(large: Path):
    fine = answer(200, {"success": True})
    client, session, _ = spoken(fine, fine, fine, answer(500, {}))
    assert client.upload("d1", large, "a.csv", lambda: FOUND) == FOUND
    assert session.answers == []


def _never() -> None:
    raise AssertionError("nothing was to be looked for")


def test_errors_are_of_one_family():
    kinds: list[Callable[..., Exception]] = [UnreachableError, NotUdataError, UnknownOutcomeError]
    assert all(isinstance(kind("x"), PublicationError) for kind in kinds)


SHAPES = [answer(200, body) for body in ({}, None, [], "ok", 1, [1], {"id": None}, {"data": None})] + [answer(200, b"")]
READS: dict[str, Callable[[Udata], object]] = {
    "organizations": lambda client: client.organizations(),
    "has_organization": lambda client: client.has_organization("o"),
    "extensions": lambda client: client.extensions(),
    "licences": lambda client: client.licences(),
    "dataset": lambda client: client.dataset("d1"),
    "resource": lambda client: client.resource("r1"),
    "contacts": lambda client: client.contacts("o"),
    "put_dataset": lambda client: client.put_dataset("d1", {}),
    "put_resource": lambda client: client.put_resource("d1", "r1", {}),
}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.text or "vide")
@pytest.mark.parametrize("call", READS.values(), ids=READS.keys())
def test_an_answer_of_another_shape_is_no_answer(call, shape):
    client, session, _ = spoken(*[shape] * 4)
    with pytest.raises(UnknownOutcomeError, match="n'a pas la forme") as told:
        call(client)
    assert session.answers == []
    assert "relancer" in str(told.value)


@pytest.mark.parametrize(
    "shape", [shape for shape in SHAPES if shape.text != "[]"], ids=lambda shape: shape.text or "vide"
)
def test_a_list_of_datasets_of_another_shape_is_none(shape):
    client, _, _ = spoken(*[shape] * 4)
    with pytest.raises(UnknownOutcomeError, match="n'a pas la forme"):
        client.datasets()


def test_an_empty_list_of_datasets_is_asked_for_again():
    one = {
        "id": "d1",
        "extras": {},
        "created_at": "2026",
        "deleted": None,
        "private": True,
        "organization": {"id": "o"},
    }
    client, session, _ = spoken(answer(200, []), answer(200, [one]))
    (found,) = client.datasets()
    assert (found.id, found.owner, found.deleted) == ("d1", "o", None)
    client, session, _ = spoken(answer(200, []), answer(200, []))
    assert client.datasets() == []
    assert len(session.sent) == 2


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.text or "vide")
def test_a_creation_answered_in_another_shape_is_looked_for(shape, tmp_path):
    client, session, _ = spoken(shape)
    assert client.create_dataset({}, lambda: "found") == "found"
    assert len(session.sent) == 1
    client, session, _ = spoken(shape)
    (tmp_path / "a.csv").write_bytes(b"01")
    assert client.replace("d1", "r1", tmp_path / "a.csv", "a.csv", lambda: FOUND) == FOUND


@pytest.mark.parametrize("field", ["id", "title", "type", "filetype", "latest", "created_at"])
def test_a_resource_that_lacks_a_field_is_none(field):
    client, _, _ = spoken(answer(200, {**WHOLE, "resources": [RESOURCE]}))
    assert client.dataset("d1").resources == (resource(RESOURCE),)
    client, _, _ = spoken(*[answer(200, {**WHOLE, "resources": [{**RESOURCE, field: None}]})] * 4)
    with pytest.raises(UnknownOutcomeError, match="n'a pas la forme"):
        client.dataset("d1")
