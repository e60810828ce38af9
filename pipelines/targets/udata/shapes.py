"""What each answer of udata must look like for every field that publication reads to be there: looked at at the door.

An answer of another shape (``{}``, ``null``, ``[]``, a text) is no answer: the call may have been done all the same.
Nothing is read here; what the fields mean is in ``reading``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Shape = Callable[[Any], bool]
_RESOURCE = ("id", "title", "type", "filetype", "latest", "created_at")


def mapping(body: Any) -> bool:
    """Tell whether it is extras, of which any may be there."""
    return isinstance(body, Mapping)


def marked(body: Any) -> bool:
    """Tell whether it is the extras of a dataset of ours, which has our key."""
    return isinstance(body, Mapping) and bool(body)


def sequence(body: Any) -> bool:
    """Tell whether it is the list of what was put in order, of which nothing is read."""
    return isinstance(body, list) and bool(body)


def identified(body: Any) -> bool:
    """Tell whether it is something made or changed, of which the id alone is read."""
    return isinstance(body, Mapping) and isinstance(body.get("id"), str) and bool(body["id"])


def named(body: Any) -> bool:
    """Tell whether it is an organization of the account."""
    return identified(body) and isinstance(body.get("slug"), str)


def account(body: Any) -> bool:
    """Tell whether it is the account of a key."""
    return identified(body) and _all(body.get("organizations"), named)


def texts(body: Any) -> bool:
    """Tell whether it is the extensions that a server accepts; without any it would accept no file."""
    return bool(body) and _all(body, lambda item: isinstance(item, str))


def licences(body: Any) -> bool:
    """Tell whether it is the licences that a server knows: there is always one."""
    return bool(body) and _all(body, identified)


def listed(body: Any) -> bool:
    """Tell whether it is the datasets of an account, of which there may be none."""
    return _all(body, _listed)


def resource(body: Any) -> bool:
    """Tell whether it is a resource."""
    return (
        identified(body)
        and all(isinstance(body.get(name), str) for name in _RESOURCE)
        and all(isinstance(body.get(name) or {}, Mapping) for name in ("checksum", "schema", "extras"))
    )


def held(body: Any) -> bool:
    """Tell whether it is what udata tells of a resource asked for by its id."""
    return isinstance(body, Mapping) and resource(body.get("resource"))


def dataset(body: Any) -> bool:
    """Tell whether it is a whole dataset."""
    if not identified(body) or "private" not in body or not isinstance(body.get("page") or body.get("uri"), str):
        return False
    mappings = ("extras", "temporal_coverage", "spatial", "quality", "organization")
    return (
        all(isinstance(body.get(name) or {}, Mapping) for name in mappings)
        and _all(body.get("resources"), resource)
        and _all(body.get("contact_points") or [], contact)
    )


def contact(body: Any) -> bool:
    """Tell whether it is a contact point."""
    return identified(body) and isinstance(body.get("name"), str)


def contacts(body: Any) -> bool:
    """Tell whether it is a page of contact points."""
    return isinstance(body, Mapping) and _all(body.get("data"), contact)


def part(body: Any) -> bool:
    """Tell whether it says of a part of a file that it arrived."""
    return isinstance(body, Mapping) and body.get("success") is True


def _listed(body: Any) -> bool:
    return (
        identified(body)
        and isinstance(body.get("extras"), Mapping)
        and isinstance(body.get("created_at"), str)
        and {"deleted", "private"} <= body.keys()
        and isinstance(body.get("organization") or {}, Mapping)
    )


def _all(items: Any, shape: Shape) -> bool:
    return isinstance(items, list) and all(shape(item) for item in items)
