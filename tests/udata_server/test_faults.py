"""Each fault of the proxy is what it says, to a client of `requests` and to the server behind."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from udata_server.faults import AFTER, Fault, FaultyProxy, on_call

pytestmark = pytest.mark.e2e
ANSWER = {"checksum": {"type": "sha1", "value": "a" * 40}, "id": "1"}


class Upstream(BaseHTTPRequestHandler):
    """Remembers the bodies it was sent."""

    received: list[bytes]

    def do_POST(self) -> None:
        self.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        content = json.dumps(ANSWER).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultyProxy]:
    Upstream.received = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with FaultyProxy(f"http://127.0.0.1:{server.server_port}") as running:
        yield running
    server.shutdown()


def post(proxy: FaultyProxy, content: bytes = b"x", patience: float = 60) -> requests.Response:
    return requests.post(proxy.base_url + "/a/", data=content, timeout=patience)


def test_without_fault_calls_are_carried_and_counted(proxy: FaultyProxy):
    proxy.spoil()
    Upstream.received.clear()
    large = b"y" * 3_000_000
    assert [post(proxy, each).json() for each in (b"x", large)] == [ANSWER, ANSWER]
    assert Upstream.received == [b"x", large]
    assert [(call.number, call.method, call.path, call.status) for call in proxy.calls] == [
        (1, "POST", "/a/", 201),
        (2, "POST", "/a/", 201),
    ]


BROKEN = {
    Fault.REFUSED: requests.ConnectionError,
    Fault.RESET_BEFORE: requests.ConnectionError,
    Fault.RESET_AFTER: requests.ConnectionError,
    Fault.TIMEOUT_BEFORE: requests.ReadTimeout,
    Fault.TIMEOUT_AFTER: requests.ReadTimeout,
    Fault.TRUNCATED: (requests.exceptions.ChunkedEncodingError, requests.JSONDecodeError),
}
STATUS = {
    Fault.TOO_MANY_REQUESTS: 429,
    Fault.INTERNAL_ERROR: 500,
    Fault.INTERNAL_ERROR_AFTER: 500,
    Fault.BAD_GATEWAY: 502,
    Fault.BAD_GATEWAY_AFTER: 502,
    Fault.UNAVAILABLE: 503,
    Fault.TOO_LARGE: 413,
    Fault.HTML: 200,
    **dict.fromkeys((Fault.OBJECT, Fault.NULL, Fault.LIST, Fault.TEXT, Fault.NUMBER, Fault.NOTHING), 200),
    Fault.WRONG_SHA1: 201,
}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("number", [1, 2])
def test_a_fault_spoils_its_call_alone(proxy: FaultyProxy, fault: Fault, number: int):
    proxy.spoil(on_call(number, fault))
    Upstream.received.clear()
    for _ in range(1, number):
        assert post(proxy).json() == ANSWER
    if fault in BROKEN:
        with pytest.raises(BROKEN[fault]):
            post(proxy, patience=0.2 if BROKEN[fault] is requests.ReadTimeout else 60).json()
    else:
        assert post(proxy).status_code == STATUS[fault]
    assert len(Upstream.received) == number - 1 + (fault in AFTER)
    proxy.open()
    assert post(proxy).json() == ANSWER
    assert [call.fault for call in proxy.calls] == [None] * (number - 1) + [fault, None]


def test_every_fault_is_told_apart(proxy: FaultyProxy):
    assert set(BROKEN).isdisjoint(STATUS)
    assert set(BROKEN) | set(STATUS) == set(Fault)


def test_what_the_faulty_answers_hold(proxy: FaultyProxy):
    def answer(fault: Fault) -> requests.Response:
        proxy.spoil(on_call(1, fault))
        return post(proxy)

    assert answer(Fault.TOO_MANY_REQUESTS).headers["Retry-After"] == "1"
    assert answer(Fault.INTERNAL_ERROR).json() == {"message": "500 Internal Server Error"}
    assert answer(Fault.HTML).headers["Content-Type"].startswith("text/html")
    assert answer(Fault.WRONG_SHA1).json() == {**ANSWER, "checksum": {"type": "sha1", "value": "0" * 40}}


def test_a_refused_call_stays_refused_until_the_proxy_opens(proxy: FaultyProxy):
    proxy.spoil(on_call(1, Fault.REFUSED))
    for _ in range(2):
        with pytest.raises(requests.ConnectionError, match="refused"):
            post(proxy)
    proxy.spoil()
    assert post(proxy).json() == ANSWER
