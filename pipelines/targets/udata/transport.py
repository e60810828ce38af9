"""One HTTP exchange with udata, when it may be repeated, and what can go wrong. Which calls exist is in ``client``.

GET and PUT say the whole state that is wanted and may be repeated. POST is sent again only when nothing can have been
done (no connection, 429); otherwise whoever asked looks first. The API key goes to one host and is shown nowhere.
Decisions are taken on the status; the texts of the server are only shown.

``urllib3.Retry`` can't say this: it knows neither an answer that can't be read nor a server's own date.
"""

from __future__ import annotations

import email.utils
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from pipelines.release.refusals import PublicationError

T = TypeVar("T")
Read = Callable[[Any], T]  # what is read of an answer; any error that it raises says that it is no answer
Timeout = tuple[float, float]  # to connect, then between two bytes of the answer, in seconds
WAITS = (0.5, 1.0, 2.0)  # before each new attempt, in seconds
LONGEST_WAIT = 120.0  # a server that asks for more is left alone
SHOWN = 300  # characters of a server's text that are worth showing
_MISREAD = (KeyError, TypeError, ValueError, AttributeError)  # of an answer that is not of udata's shape
_HINTS = {
    401: (
        "la clé d'API est refusée ; en créer une dans son profil sur la plateforme et la mettre dans RESULTATS_API_KEY"
    ),
    403: "le compte de la clé d'API n'a pas ce droit ; demander le rôle d'éditeur de l'organisation",
    404: "introuvable sur la plateforme",
    410: "supprimé sur la plateforme",
    413: "fichier trop gros pour la plateforme ; demander sa limite au support, ou le découper",
    423: "la plateforme est en lecture seule ; relancer plus tard",
}


class UdataError(PublicationError):
    """Base of what the client raises."""


class UnreachableError(UdataError):
    """No connection was made: nothing was done."""


class NotUdataError(UdataError):
    """What answers is not the API of udata."""


class UnknownOutcomeError(UdataError):
    """The request left and no usable answer came back: it may have been done.

    ``working`` tells that the server may still be at work (time-outs): looking once does not prove that nothing will
    come.
    """

    def __init__(self, message: str, *, working: bool = False) -> None:
        super().__init__(message)
        self.working = working


class RefusedError(UdataError):
    """The server understood and refused: nothing was done."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotFoundError(RefusedError):
    """404 or 410: not there, or deleted."""


class BusyError(RefusedError):
    """429: too many requests; ``wait`` is what the server asks for, in seconds, when it says."""

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message, 429)
        self.wait = wait


@dataclass(frozen=True)
class Transport:
    """Where udata is and how it is spoken to; ``sleep`` is how one waits (seconds)."""

    base_url: str
    session: requests.Session
    sleep: Callable[[float], None]
    api_key: str | None = field(default=None, repr=False)
    timeout: Timeout = (10.0, 60.0)
    upload_timeout: Timeout = (10.0, 300.0)

    def get(
        self, path: str, read: Read[T], *, fields: str | None = None, params: Mapping[str, str | int] | None = None
    ) -> T:
        """Return what is read of the answer to a GET; ``fields`` is udata's mask of the fields wanted."""
        headers = {"X-Fields": fields} if fields else {}
        return self._repeat(lambda: self._exchange("GET", path, read, headers=headers, params=params), _repeatable)

    def put(self, path: str, read: Read[T], body: Any) -> T:
        """Send a whole wanted state; return what is read of the answer."""
        return self._repeat(lambda: self._exchange("PUT", path, read, json=body), _repeatable)

    def post(self, path: str, read: Read[T], body: Any) -> T:
        """Send once; return what is read of the answer. UnknownOutcomeError: it may have been done, look."""
        return self._repeat(lambda: self._exchange("POST", path, read, json=body), _surely_not_done)

    def post_form(self, path: str, read: Read[T], form: Mapping[str, str], file: tuple[str, bytes] | None) -> T:
        """Send a multipart form once, with at most one file (name, content); return what is read of the answer."""
        parts: dict[str, Any] = {name: (None, value) for name, value in form.items()}
        if file is not None:
            parts["file"] = file
        timeout = self.upload_timeout
        return self._repeat(lambda: self._exchange("POST", path, read, files=parts, timeout=timeout), _surely_not_done)

    def _repeat(self, send: Callable[[], T], may_repeat: Callable[[UdataError], bool]) -> T:
        for wait in WAITS:
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

    def _exchange(self, method: str, path: str, read: Read[T], **options: Any) -> T:
        call = f"{method} {path}"
        body = self._body(self._send(method, f"{self.base_url}{path}", call, **options), call)
        try:
            return read(body)
        except _MISREAD:
            hint = "relancer, la publication reprendra où elle en est ; si cela dure, vérifier l'adresse de la cible"
            message = f"{call} : la réponse n'a pas la forme de celles d'un udata (data.gouv.fr) ; {hint}"
            raise UnknownOutcomeError(message) from None

    def _send(self, method: str, url: str, call: str, **options: Any) -> requests.Response:
        key = {"X-API-KEY": self.api_key} if self.api_key else {}
        headers = {"Accept": "application/json", **key, **options.pop("headers", {})}
        options = {"timeout": self.timeout, **options}
        try:
            return self.session.request(method, url, headers=headers, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise self._failure(error, call) from None  # the chain would show headers in some tracebacks

    def _failure(self, error: requests.RequestException, call: str) -> UdataError:
        cause = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(error, requests.ConnectTimeout) or isinstance(cause, NewConnectionError):
            where = urlsplit(self.base_url).netloc
            return UnreachableError(f"{call} : {where} ne répond pas ; vérifier l'adresse et le réseau, puis relancer")
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
            return NotUdataError(f"{call} : l'adresse {self.base_url} n'est pas valable")
        if isinstance(error, requests.Timeout):
            hint = "pas de réponse à temps ; relancer, la publication reprendra où elle en est"
            return UnknownOutcomeError(f"{call} : {hint}", working=True)
        hint = f"connexion perdue ({type(error).__name__}) ; relancer, la publication reprendra où elle en est"
        return UnknownOutcomeError(f"{call} : {hint}")

    def _body(self, answer: requests.Response, call: str) -> Any:
        if 300 <= answer.status_code < 400:  # the key follows none
            there = urlsplit(answer.headers.get("Location", ""))
            raise NotUdataError(
                f"{call} : la cible renvoie vers {there.scheme}://{there.netloc} ; l'indiquer comme cible"
            )
        try:
            body = answer.json() if answer.content else None
        except ValueError:
            body = None
            if answer.status_code < 400:
                raise UnknownOutcomeError(
                    f"{call} : la réponse n'est pas du JSON ; la cible est-elle bien un udata (data.gouv.fr) ?"
                ) from None
        if answer.status_code >= 400:
            raise refusal(answer.status_code, self._scrub(body), call, _retry_after(answer))
        return body

    def _scrub(self, body: Any) -> Any:
        if isinstance(body, Mapping):
            return {name: self._scrub(value) for name, value in body.items()}
        if isinstance(body, list):
            return [self._scrub(value) for value in body]
        return self._scrubbed(body) if isinstance(body, str) else body

    def _scrubbed(self, text: str) -> str:
        return text.replace(self.api_key, "•••") if self.api_key else text


def refusal(status: int, body: Any, call: str, wait: float | None = None) -> UdataError:
    """Return the error of an answer of 400 or more; ``call`` is the method and path, ``wait`` its Retry-After."""
    findings = "; ".join(_findings(body))
    shown = f" ({findings[:SHOWN]})" if findings else ""
    if status >= 500:
        hint = "erreur de la plateforme ; relancer plus tard, la publication reprendra où elle en est"
        return UnknownOutcomeError(f"{call} : {status}, {hint}{shown}", working=status == 504)
    if status == 429:
        return BusyError(f"{call} : 429, trop de requêtes ; relancer plus tard{shown}", wait)
    kind = NotFoundError if status in (404, 410) else RefusedError
    return kind(f"{call} : {status}, {_HINTS.get(status, 'demande refusée par la plateforme')}{shown}", status)


def _findings(body: Any) -> Iterator[str]:
    """Yield what an error body says of each field, then its text; udata has four shapes of them.

    ``{"errors": {field: [..]}}``, the same with texts or nested objects and a ``message``, ``{"message"}``, and for
    uploads ``{"success": false, "error", "message": ""}``.
    """
    if not isinstance(body, Mapping):
        return
    errors = body.get("errors")
    if isinstance(errors, Mapping):
        for name, said in errors.items():
            yield f"{name} : {', '.join(_texts(said))}"
    if text := body.get("message") or body.get("error"):
        yield str(text)


def _texts(said: Any) -> list[str]:
    if isinstance(said, Mapping):
        return [f"{name} : {text}" for name, inner in said.items() for text in _texts(inner)]
    if isinstance(said, list | tuple):
        return [text for inner in said for text in _texts(inner)]
    return [str(said)]


def _repeatable(error: UdataError) -> bool:
    return _surely_not_done(error) or isinstance(error, UnknownOutcomeError)


def _surely_not_done(error: UdataError) -> bool:
    return isinstance(error, UnreachableError | BusyError)


def _retry_after(answer: requests.Response) -> float | None:
    """Return the seconds of Retry-After; a date is taken against the server's own Date, so no clock is read here."""
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdigit():
        return float(asked)
    then, now = (email.utils.parsedate_tz(text) for text in (asked, answer.headers.get("Date", "")))
    if then is None or now is None:
        return None
    return float(max(email.utils.mktime_tz(then) - email.utils.mktime_tz(now), 0))
