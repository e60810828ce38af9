"""One HTTP exchange with udata, and when it may be repeated. Which calls exist is in ``client``.

GET and PUT say the whole state that is wanted and may be repeated. POST is sent again only when nothing can have been
done (no connection, 429); otherwise whoever asked looks first. The API key goes to one host and is shown nowhere.
"""

from __future__ import annotations

import email.utils
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from pipelines.targets.udata.errors import (
    BusyError,
    NotUdataError,
    UdataError,
    UnknownOutcomeError,
    UnreachableError,
    refusal,
)
from pipelines.targets.udata.shapes import Shape

Timeout = tuple[float, float]  # to connect, then between two bytes of the answer, in seconds
WAITS = (0.5, 1.0, 2.0)  # before each new attempt, in seconds
LONGEST_WAIT = 120.0  # a server that asks for more is left alone
REDIRECTS = 3
_KEEP_METHOD = frozenset({307, 308})
_REDIRECT = frozenset({301, 302, 303}) | _KEEP_METHOD


@dataclass(frozen=True)
class Transport:
    """Where udata is and how it is spoken to; ``sleep`` is how one waits (seconds)."""

    base_url: str
    session: requests.Session
    sleep: Callable[[float], None]
    api_key: str | None = field(default=None, repr=False)
    timeout: Timeout = (10.0, 60.0)
    upload_timeout: Timeout = (10.0, 300.0)
    waits: tuple[float, ...] = WAITS

    def get(
        self, path: str, shape: Shape, *, fields: str | None = None, params: Mapping[str, str | int] | None = None
    ) -> Any:
        """Return the JSON of a GET, of that shape; ``fields`` is udata's mask of the fields wanted."""
        headers = {"X-Fields": fields} if fields else {}
        return self._repeat(lambda: self._exchange("GET", path, shape, headers=headers, params=params), _repeatable)

    def put(self, path: str, shape: Shape, body: Any) -> Any:
        """Send a whole wanted state; return the JSON of the answer, of that shape."""
        return self._repeat(lambda: self._exchange("PUT", path, shape, json=body), _repeatable)

    def post(self, path: str, shape: Shape, body: Any) -> Any:
        """Send once; return the JSON of the answer. UnknownOutcomeError: it may have been done, look."""
        return self._repeat(lambda: self._exchange("POST", path, shape, json=body), _surely_not_done)

    def post_form(self, path: str, shape: Shape, form: Mapping[str, str], file: tuple[str, bytes] | None) -> Any:
        """Send a multipart form once, with at most one file (name, content); return the JSON of the answer."""
        parts: dict[str, Any] = {name: (None, value) for name, value in form.items()}
        if file is not None:
            parts["file"] = file
        send = lambda: self._exchange("POST", path, shape, files=parts, timeout=self.upload_timeout)  # noqa: E731
        return self._repeat(send, _surely_not_done)

    def _repeat(self, send: Callable[[], Any], may_repeat: Callable[[UdataError], bool]) -> Any:
        for wait in self.waits:
            try:
                return send()
            except UdataError as error:
                if not may_repeat(error):
                    raise
                asked = error.wait if isinstance(error, BusyError) else None
                if asked is not None and asked > LONGEST_WAIT:
                    raise
                self.sleep(wait if asked is None else max(asked, 0.0))
        return send()

    def _exchange(self, method: str, path: str, shape: Shape, **options: Any) -> Any:
        """Make one exchange, redirections on the same host followed with the same method and body."""
        url, call = f"{self.base_url}{path}", f"{method} {path}"
        for _ in range(REDIRECTS):
            answer = self._send(method, url, call, **options)
            if answer.status_code not in _REDIRECT:
                return _shaped(self._read(answer, call), shape, call)
            url = self._followed(answer, method, url, call)
        raise NotUdataError(f"{call} : trop de redirections ; vérifier l'adresse de la cible")

    def _send(self, method: str, url: str, call: str, **options: Any) -> requests.Response:
        key = {"X-API-KEY": self.api_key} if self.api_key else {}
        headers = {"Accept": "application/json", **key, **options.pop("headers", {})}
        options = {"timeout": self.timeout, **options}
        try:
            return self.session.request(method, url, headers=headers, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise self._failure(error, call) from None  # the chain would show headers in some tracebacks

    def _failure(self, error: requests.RequestException, call: str) -> UdataError:
        reason = self._scrubbed(type(error).__name__)
        if isinstance(error, requests.ConnectTimeout) or _not_connected(error):
            where = urlsplit(self.base_url).netloc
            return UnreachableError(f"{call} : {where} ne répond pas ; vérifier l'adresse et le réseau, puis relancer")
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
            return NotUdataError(f"{call} : l'adresse {self.base_url} n'est pas valable")
        if isinstance(error, requests.Timeout):
            hint = "pas de réponse à temps ; relancer, la publication reprendra où elle en est"
            return UnknownOutcomeError(f"{call} : {hint}", working=True)
        hint = f"connexion perdue ({reason}) ; relancer, la publication reprendra où elle en est"
        return UnknownOutcomeError(f"{call} : {hint}")

    def _read(self, answer: requests.Response, call: str) -> Any:
        try:
            body = answer.json() if answer.content else None
        except ValueError:
            body = None
            if answer.status_code < 400:
                raise UnknownOutcomeError(
                    f"{call} : la réponse n'est pas du JSON ; la cible est-elle bien un udata (data.gouv.fr) ?"
                ) from None
        if answer.status_code >= 400:
            raise refusal(answer.status_code, self._scrub(body), call, wait=_retry_after(answer))
        return body

    def _followed(self, answer: requests.Response, method: str, url: str, call: str) -> str:
        there = urljoin(url, answer.headers.get("Location", ""))
        old, new = urlsplit(url), urlsplit(there)
        same_host = new.netloc == old.netloc and new.scheme in ("https", old.scheme)
        if not same_host or (method != "GET" and answer.status_code not in _KEEP_METHOD):
            raise NotUdataError(f"{call} : la cible renvoie vers {new.scheme}://{new.netloc} ; l'indiquer comme cible")
        return there

    def _scrub(self, body: Any) -> Any:
        if isinstance(body, Mapping):
            return {name: self._scrub(value) for name, value in body.items()}
        if isinstance(body, list):
            return [self._scrub(value) for value in body]
        return self._scrubbed(body) if isinstance(body, str) else body

    def _scrubbed(self, text: str) -> str:
        return text.replace(self.api_key, "•••") if self.api_key else text


def _shaped(body: Any, shape: Shape, call: str) -> Any:
    """Return an answer as it is if its shape is that of udata's; it may have been done all the same."""
    if shape(body):
        return body
    hint = "relancer, la publication reprendra où elle en est ; si cela dure, vérifier l'adresse de la cible"
    raise UnknownOutcomeError(f"{call} : la réponse n'a pas la forme de celles d'un udata (data.gouv.fr) ; {hint}")


def _repeatable(error: UdataError) -> bool:
    return isinstance(error, UnreachableError | UnknownOutcomeError | BusyError)


def _surely_not_done(error: UdataError) -> bool:
    return isinstance(error, UnreachableError | BusyError)


def _not_connected(error: requests.RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _retry_after(answer: requests.Response) -> float | None:
    """Return the seconds of Retry-After; a date is taken against the server's own Date, so no clock is read here."""
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdigit():
        return float(asked)
    then, now = (email.utils.parsedate_tz(text) for text in (asked, answer.headers.get("Date", "")))
    if then is None or now is None:
        return None
    return float(max(email.utils.mktime_tz(then) - email.utils.mktime_tz(now), 0))
