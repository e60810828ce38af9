"""The Atom feed of the versions of a dataset, for who wants to be told of a new one. Dated by the data, not a clock.

Atom is RFC 4287. Where the feed stands, and the addresses of versions, are given by the target that shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipelines.release.changelog import Version

NAMESPACE = "http://www.w3.org/2005/Atom"
FEED = "versions.atom"
EARLIEST = "1970-01-01"  # of a release whose data have no date


def atom(
    versions: Sequence[Version],
    descriptor: Mapping[str, Any],
    *,
    address: str,
    link: Callable[[str], str],
    own: str | None = None,
) -> bytes:
    """Return the feed, newest version first.

    ``descriptor`` is that of the latest release: its title tells invented data. ``address`` is the page of the dataset,
    ``link`` gives the page of a version; both may be relative to the feed, whose own address is ``own`` where it is
    known. An entry is never older than the one before it.
    """
    contact = next(iter(descriptor.get("contributors", [])), {"title": descriptor["title"]})
    name, email = descriptor["name"], contact.get("email", "")
    ElementTree.register_namespace("", NAMESPACE)
    feed = ElementTree.Element(_name("feed"), {"{http://www.w3.org/XML/1998/namespace}lang": "fr"})
    days = _days(versions)
    identity = f"tag:{email.rpartition('@')[2] or name},{(days or [EARLIEST])[0]}:{name}"
    _text(feed, "id", identity)
    _text(feed, "title", f"{descriptor['title']} : versions")
    _text(feed, "updated", _instant((days or [EARLIEST])[-1]))
    _text(feed, "rights", "Licence Ouverte 2.0")
    author = ElementTree.SubElement(feed, _name("author"))
    _text(author, "name", contact["title"])
    if email:
        _text(author, "email", email)
    _link(feed, "alternate", address)
    if own is not None:
        _link(feed, "self", own)
    for item, day in zip(reversed(versions), reversed(days), strict=True):
        entry = ElementTree.SubElement(feed, _name("entry"))
        _text(entry, "id", f"{identity}/{item.version}")
        _text(entry, "title", f"Version {item.version} ({item.kind})")
        _text(entry, "updated", _instant(day))
        _link(entry, "alternate", link(item.version))
        _text(entry, "summary", summary(item))
    ElementTree.indent(feed)
    content: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def summary(item: Version) -> str:
    """Return what a version is, in one paragraph: its reason and how many rows moved."""
    counts = [(item.added, "ajoutées"), (item.removed, "retirées"), (item.changed, "modifiées")]
    moved = ", ".join(f"{count} {word}" for count, word in counts if count)
    reason = item.reason or "Changements non consignés."
    return f"{reason} Lignes : {moved}." if moved else reason


def news(versions: Sequence[Version], there: str | None) -> list[str]:
    """Return what each version after the one ``there`` is; where that one is not known, the latest alone."""
    names = [item.version for item in versions]
    new = versions[names.index(there) + 1 :] if there in names else versions[-1:]
    told = [(item, summary(item)) for item in new]
    return [f"Version {item.version} ({item.kind}). {text[:1].upper()}{text[1:]}" for item, text in told]


def _days(versions: Sequence[Version]) -> list[str]:
    """Return the day of each version, oldest first, never before that of an earlier one (data may go back)."""
    days: list[str] = []
    for item in versions:
        days.append(max(item.data_date or EARLIEST, days[-1] if days else EARLIEST))
    return days


def _instant(day: str) -> str:
    return f"{day}T00:00:00Z"


def _name(tag: str) -> str:
    return f"{{{NAMESPACE}}}{tag}"


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, _name(tag)).text = text


def _link(parent: ElementTree.Element, relation: str, address: str) -> None:
    ElementTree.SubElement(parent, _name("link"), {"rel": relation, "href": address})
