"""What can go wrong with udata, as types: nothing was done, something may have been done, or it was refused and why.

Decisions are taken on the status and on field names; the texts of the server are only shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.release.refusals import PublicationError

SHOWN = 300  # characters of a server's text that are worth showing
Fields = Mapping[str, tuple[str, ...]]


class UdataError(PublicationError):
    """Base of what the client raises."""


class UnreachableError(UdataError):
    """No connection was made: nothing was done."""


class NotUdataError(UdataError):
    """What answers is not the API of udata."""


class UnknownOutcomeError(UdataError):
    """The request left and no usable answer came back: it may have been done.

    ``status`` is that of a server error, None when no answer came. ``working`` tells that the server may still be at
    work (time-outs): looking once does not prove that nothing will come.
    """

    def __init__(self, message: str, *, status: int | None = None, working: bool = False) -> None:
        super().__init__(message)
        self.status, self.working = status, working


class RefusedError(UdataError):
    """The server understood and refused: nothing was done. ``fields`` holds its findings by field."""

    def __init__(self, message: str, *, status: int, fields: Fields) -> None:
        super().__init__(message)
        self.status, self.fields = status, fields


class KeyRefusedError(RefusedError):
    """401: the API key is wrong, expired or revoked."""


class ForbiddenError(RefusedError):
    """403: the key is good, the right is missing."""


class NotFoundError(RefusedError):
    """404 or 410: not there, or deleted."""


class TooLargeError(RefusedError):
    """413: the front of the platform refuses the size."""


class ReadOnlyError(RefusedError):
    """423: the platform is closed to writing for a while."""


class BusyError(RefusedError):
    """429: too many requests; ``wait`` is what the server asks for, in seconds, when it says."""

    def __init__(self, message: str, *, status: int, fields: Fields, wait: float | None) -> None:
        super().__init__(message, status=status, fields=fields)
        self.wait = wait


_KINDS: dict[int, tuple[type[RefusedError], str]] = {
    401: (
        KeyRefusedError,
        "la clé d'API est refusée ; en créer une dans son profil sur la plateforme et la mettre dans RESULTATS_API_KEY",
    ),
    403: (ForbiddenError, "le compte de la clé d'API n'a pas ce droit ; demander le rôle d'éditeur de l'organisation"),
    404: (NotFoundError, "introuvable sur la plateforme"),
    410: (NotFoundError, "supprimé sur la plateforme"),
    413: (TooLargeError, "fichier trop gros pour la plateforme ; demander sa limite au support, ou le découper"),
    423: (ReadOnlyError, "la plateforme est en lecture seule ; relancer plus tard"),
}


def refusal(status: int, body: Any, call: str, *, wait: float | None = None) -> UdataError:
    """Return the error of an answer of 400 or more; ``call`` is the method and path, ``wait`` its Retry-After."""
    fields, text = findings(body)
    told = "; ".join([*(f"{name} : {', '.join(said)}" for name, said in fields.items()), *([text] if text else [])])
    shown = f" ({told[:SHOWN]})" if told else ""
    if status >= 500:
        hint = "erreur de la plateforme ; relancer plus tard, la publication reprendra où elle en est"
        return UnknownOutcomeError(f"{call} : {status}, {hint}{shown}", status=status, working=status == 504)
    if status == 429:
        message = f"{call} : 429, trop de requêtes ; relancer plus tard{shown}"
        return BusyError(message, status=status, fields=fields, wait=wait)
    kind, hint = _KINDS.get(status, (RefusedError, "demande refusée par la plateforme"))
    return kind(f"{call} : {status}, {hint}{shown}", status=status, fields=fields)


def findings(body: Any) -> tuple[dict[str, tuple[str, ...]], str]:
    """Return what an error body says by field, and its text; udata has four shapes of them.

    ``{"errors": {field: [..]}}``, the same with texts or nested objects and a ``message``, ``{"message"}``, and for
    uploads ``{"success": false, "error", "message": ""}``.
    """
    if not isinstance(body, Mapping):
        return {}, ""
    errors = body.get("errors")
    fields = {str(name): tuple(_texts(said)) for name, said in errors.items()} if isinstance(errors, Mapping) else {}
    text = body.get("message") or body.get("error") or ""
    return fields, str(text)


def _texts(said: Any) -> list[str]:
    if isinstance(said, Mapping):
        return [f"{name} : {text}" for name, inner in said.items() for text in _texts(inner)]
    if isinstance(said, list | tuple):
        return [text for inner in said for text in _texts(inner)]
    return [str(said)]
