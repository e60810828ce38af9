"""A proxy between our client and a server that counts the calls and spoils those that a test chooses.

It speaks just enough HTTP to carry the calls of `requests` to the test server, one per connection. What must happen
after a fault is said by the tests; nothing here knows udata, except where an answer holds the sha1 of a file.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self
from urllib.parse import urlsplit


class Fault(Enum):
    """What may happen to a call. BEFORE: the server never saw it; AFTER: it did its work, and its answer was lost."""

    REFUSED = "connexion refusée"
    RESET_BEFORE = "connexion coupée avant"
    RESET_AFTER = "connexion coupée après"
    TIMEOUT_BEFORE = "silence avant"
    TIMEOUT_AFTER = "silence après"
    TOO_MANY_REQUESTS = "429"
    INTERNAL_ERROR = "500"
    INTERNAL_ERROR_AFTER = "500 après"
    BAD_GATEWAY = "502"
    BAD_GATEWAY_AFTER = "502 après"
    UNAVAILABLE = "503"
    TOO_LARGE = "413"
    TRUNCATED = "réponse tronquée"
    HTML = "HTML au lieu de JSON"
    OBJECT = "{} au lieu de la réponse"
    NULL = "null au lieu de la réponse"
    LIST = "[] au lieu de la réponse"
    TEXT = '"ok" au lieu de la réponse'
    NUMBER = "1 au lieu de la réponse"
    NOTHING = "réponse vide"
    WRONG_SHA1 = "sha1 faux"


AFTER = {
    Fault.RESET_AFTER,
    Fault.TIMEOUT_AFTER,
    Fault.INTERNAL_ERROR_AFTER,
    Fault.BAD_GATEWAY_AFTER,
    Fault.TRUNCATED,
    Fault.WRONG_SHA1,
}
"""The faults of calls that the server carried out."""

_PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"
_JSON = '{{"message": "{0}"}}'
_ANSWERS = {  # status line, content type, template of the body: as the front of the platform or udata would answer
    Fault.TOO_MANY_REQUESTS: ("429 Too Many Requests", "text/html", _PAGE),
    Fault.INTERNAL_ERROR: ("500 Internal Server Error", "application/json", _JSON),
    Fault.INTERNAL_ERROR_AFTER: ("500 Internal Server Error", "application/json", _JSON),
    Fault.BAD_GATEWAY: ("502 Bad Gateway", "text/html", _PAGE),
    Fault.BAD_GATEWAY_AFTER: ("502 Bad Gateway", "text/html", _PAGE),
    Fault.UNAVAILABLE: ("503 Service Unavailable", "text/html", _PAGE),
    Fault.TOO_LARGE: ("413 Request Entity Too Large", "text/html", _PAGE),
    Fault.HTML: ("200 OK", "text/html; charset=utf-8", _PAGE),
    Fault.OBJECT: ("200 OK", "application/json", "{{}}"),
    Fault.NULL: ("200 OK", "application/json", "null"),
    Fault.LIST: ("200 OK", "application/json", "[]"),
    Fault.TEXT: ("200 OK", "application/json", '"ok"'),
    Fault.NUMBER: ("200 OK", "application/json", "1"),
    Fault.NOTHING: ("200 OK", "application/json", ""),
}


@dataclass
class Call:
    """A call that went through the proxy: its number from 1, what was asked, and what befell it."""

    number: int
    method: str
    path: str
    fault: Fault | None = None
    status: int | None = None  # of the server; None when it never saw the call

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD"}

    def __str__(self) -> str:
        return f"{self.number} {self.method} {self.path}"


Choice = Callable[[Call], Fault | None]


def on_call(number: int, fault: Fault) -> Choice:
    """Choose one call by its number (from 1, since the last `spoil`)."""
    return lambda call: fault if call.number == number else None


def from_call(number: int, fault: Fault) -> Choice:
    """Choose a call by its number, and all that follow."""
    return lambda call: fault if call.number >= number else None


@dataclass
class FaultyProxy:
    """`with FaultyProxy(url) as proxy:` carries calls made to `proxy.base_url` to the server at `url`."""

    upstream: str
    calls: list[Call] = field(default_factory=list)
    base_url: str = ""
    _choice: Choice = field(default=lambda _: None)
    _refused: int | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._closed = _bound(0)
        self._port = self._closed.getsockname()[1]
        self._listening: asyncio.Server | None = None
        self.base_url = f"http://127.0.0.1:{self._port}"
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._closed.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def spoil(self, choice: Choice | None = None) -> None:
        """Forget the calls so far; from now on spoil those for which `choice` gives a fault (None: no call at all)."""
        self.open()
        self.calls = []
        self._choice = choice or (lambda _: None)
        self._refused = None
        self._do(self._refuse_if_chosen(1))

    def open(self) -> None:
        """Accept connections again after REFUSED, which lasts until then: a refused call can't be seen nor counted.

        First wait until the server has ended what it was asked, as one does by the time that a client tries again.
        """
        while any(call.fault in AFTER and call.status is None for call in self.calls):
            time.sleep(0.01)
        self._do(self._open())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _open(self) -> None:
        if self._listening is None:
            self._listening = await asyncio.start_server(self._serve, sock=self._closed, limit=2**26)

    async def _close(self) -> None:
        """Stop listening but hold the port: connections are then refused."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            self._closed = _bound(self._port)

    async def _refuse_if_chosen(self, number: int) -> None:
        """Stop listening before the call of this number, when its turn is to be refused. What it asks isn't known."""
        call = Call(number, "?", "?", Fault.REFUSED)
        if self._refused is None and self._choice(call) is Fault.REFUSED:
            self._refused = number
            self.calls.append(call)
            await self._close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            if request:
                await self._treat(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left, as one that was killed does
        finally:
            writer.close()

    async def _treat(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, path, _ = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        call = Call(len(self.calls) + 1, method, path)
        call.fault = self._choice(call)
        self.calls.append(call)
        answer = b""
        if call.fault is None or call.fault in AFTER:
            answer = await self._forward(request)
            call.status = int(answer.split(b" ", 2)[1])
        await self._refuse_if_chosen(len(self.calls) + 1)
        match call.fault:
            case Fault.RESET_BEFORE | Fault.RESET_AFTER:
                _reset(writer)
                return
            case Fault.TIMEOUT_BEFORE | Fault.TIMEOUT_AFTER:
                await reader.read()  # until the client is tired of waiting
                return
            case Fault.TRUNCATED:
                head, body = answer.split(b"\r\n\r\n", 1)
                answer = head + b"\r\n\r\n" + body[: len(body) // 2]
            case Fault.WRONG_SHA1:
                answer = _other_sha1(answer)
            case Fault():
                answer = _spoiled(call.fault)
        writer.write(answer)
        await writer.drain()

    async def _forward(self, request: bytes) -> bytes:
        to = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(to.hostname, to.port)
        try:
            writer.write(request)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()


def _bound(port: int) -> socket.socket:
    """Return a socket that holds the port and refuses connections until it listens."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", port))
    return held


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    """Return one whole request, its connection to be closed after the answer; nothing when none comes."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    if re.search(rb"\r\ntransfer-encoding:", head, re.IGNORECASE):
        raise NotImplementedError("the proxy carries bodies of a declared length only")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    head = re.sub(rb"\r\nconnection: [^\r]*", b"\r\nConnection: close", head, flags=re.IGNORECASE)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Drop the connection so that the client sees a reset, not an end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _spoiled(fault: Fault) -> bytes:
    status, kind, template = _ANSWERS[fault]
    body = template.format(status).encode()
    wait = "Retry-After: 1\r\n" if fault is Fault.TOO_MANY_REQUESTS else ""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{wait}Connection: close\r\n\r\n"
    )
    return head.encode() + body


def _other_sha1(answer: bytes) -> bytes:
    """Change the sha1 of every file that the answer describes, and not its length."""
    return re.sub(rb'("value": ?")[0-9a-f]{40}"', lambda found: found[1] + b"0" * 40 + b'"', answer)
