"""What people read of all versions: CHANGELOG.md and versions.csv, the newest added to those before it; their feed.

Counts come from the difference, reasons from the journal; nothing is dated by the run's clock, only by the data. The
feed is Atom (RFC 4287), for who wants to be told of a new version; where it stands, and the addresses of versions, are
given by the target that shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
from pyarrow import compute as pc

from pipelines.mechanics.french import counted
from pipelines.release import history
from pipelines.release.difference import ReleaseDifference, TableState, parse

CHANGELOG, VERSIONS_FILE = "CHANGELOG.md", "versions.csv"
REASONS_SHOWN = 6
SECTION = "\n## "
NAMESPACE = "http://www.w3.org/2005/Atom"
FEED = "versions.atom"
EARLIEST = "1970-01-01"  # of a release whose data have no date


@dataclass(frozen=True)
class Version:
    """One line of versions.csv, in the order of its columns; None is not known."""

    rank: int
    version: str
    previous: str | None
    kind: str
    reason: str | None
    added: int | None
    removed: int | None
    changed: int | None
    data_date: str | None
    content: str
    sha256: str | None = None


def known_versions(releases: Path, dataset: str) -> list[Version]:
    """Return all the versions that are there, oldest first; what the oldest ones did not record is empty."""
    known: list[Version] = []
    for name in history.versions(releases, dataset):
        folder, previous = releases / dataset / name, known[-1].version if known else None
        version = next((told for told in told_versions(folder) if told.version == name), None)
        if version is None:
            nature, content = kind(name, first=not known), history.content_of(folder)
            version = Version(0, name, previous, nature, None, None, None, None, None, content)
        known.append(replace(version, rank=len(known) + 1, sha256=history.release_hash(folder)))
    return known


def told_versions(release: Path) -> list[Version]:
    """Return the versions that a release tells, oldest first and itself last; none when it recorded none."""
    return [_version(row) for row in history.table_rows(release / VERSIONS_FILE)]


def told_changes(release: Path) -> dict[str, list[str]]:
    """Return what the CHANGELOG.md of a release says of each version: its lines, those of a list start with « - »."""
    path = release / CHANGELOG
    sections = path.read_text(encoding="utf-8").split("\n## Version ")[1:] if path.is_file() else []
    return {section.split()[0]: [line for line in section.splitlines()[1:] if line] for section in sections}


def row_counts(difference: ReleaseDifference, rows: Mapping[str, int]) -> dict[str, int]:
    """Return how many rows were added, removed and changed, all tables together; ``rows`` counts the new tables."""
    tables = difference.tables.values()
    return {
        "added": sum(len(table.added) for table in tables) + sum(rows[name] for name in difference.tables_added),
        "removed": sum(len(table.removed) for table in tables),
        "changed": sum(len(table.changed) for table in tables),
    }


def kind(version: str, *, first: bool) -> str:
    """Return what kind of version a number makes."""
    _, minor, patch = parse(version) or (0, 0, 0)
    if first:
        return "première"
    return "corrective" if patch else "mineure" if minor else "majeure"


def data_date(states: Iterable[TableState]) -> str | None:
    """Return the latest date of extraction of the tables, else of reference, as AAAA-MM-JJ."""
    tables = list(states)
    for column in ("date_extraction", "date_reference"):
        days = [pc.max(table.texts(column)).as_py() or "" for table in tables if column in table.types]
        if latest := max(days, default=""):
            return latest
    return None


def summary(lines: pa.Table, *, first: bool) -> str:
    """Return the reasons of a release in one sentence, the most frequent ones first."""
    if first:
        return "Première publication."
    reasons = [f"{nature} : {text.rstrip('.')}" for (nature, text), _ in _by_reason(lines)]
    rest = len(reasons) - REASONS_SHOWN
    more = f" ; et {counted(rest, 'autre motif')}" if rest > 0 else ""
    return " ; ".join(reasons[:REASONS_SHOWN]) + more + "."


def section(version: Version, difference: ReleaseDifference, lines: pa.Table) -> str:
    """Return the section of CHANGELOG.md that tells one release."""
    title = f"## Version {version.version}" + (f" — données au {version.data_date}" if version.data_date else "")
    if version.previous is None:
        return f"{title}\n\nPremière publication.\n"
    text = [title, "", f"Version {version.kind}, après la {version.previous}."]
    if difference.relabelled:
        text += ["", "La mention « données synthétiques » a été mise ou retirée."]
    if tables := list(_tables(difference)):
        text += ["", *tables]
    if reasons := _by_reason(lines):
        text += ["", "Motifs :", ""]
        text += [f"- {nature}, {counted(count, 'changement')} : {why}" for (nature, why), count in reasons]
    return "\n".join([*text, ""])


def changelog(title: str, newest: str, earlier: Path | None) -> str:
    """Return CHANGELOG.md: the newest section, then those of the release before it."""
    order = "De la plus récente à la première. Le détail de chaque changement est dans journal.csv."
    text = f"# {title} : versions\n\n{order}\n\n{newest}"
    if earlier is None:
        return text
    path = earlier / CHANGELOG
    if not path.is_file():
        return f"{text}\n## Version {earlier.name}\n\nSes changements n'ont pas été consignés.\n"
    before = path.read_text(encoding="utf-8")
    return f"{text}{before[before.index(SECTION) :]}"


def _by_reason(lines: pa.Table) -> list[tuple[tuple[str, str], int]]:
    """Return the reasons and how many lines of the journal each has; ties in the order of texts."""
    counts = lines.group_by(["nature", "motif"]).aggregate([([], "count_all")]).to_pylist()
    reasons = [((row["nature"], row["motif"]), row["count_all"]) for row in counts]
    return sorted(reasons, key=lambda reason: (-reason[1], reason[0]))


def _tables(difference: ReleaseDifference) -> Iterator[str]:
    yield from (f"- {name} : table ajoutée" for name in difference.tables_added)
    yield from (f"- {name} : table retirée" for name in difference.tables_removed)
    yield from (f"- {one.table} : autres fichiers, {one.before} → {one.after}" for one in difference.moved)
    for name, table in difference.tables.items():
        columns = [f"colonne {column} ajoutée" for column in table.columns_added]
        columns += [f"colonne {column} retirée" for column in table.columns_removed]
        columns += [f"colonne {column} d'un autre type" for column in table.columns_retyped]
        rows = [(table.added, "ajoutée"), (table.removed, "retirée"), (table.changed, "modifiée")]
        counts = [counted(len(places), f"ligne {word}") for places, word in rows if len(places)]
        texts = ["textes ou règles changés"] if table.redefined and not columns else []
        if parts := [*counts, *columns, *texts]:
            yield f"- {name} : {', '.join(parts)}"


def _version(row: Mapping[str, str]) -> Version:
    columns = ("lignes_ajoutees", "lignes_retirees", "lignes_modifiees")
    added, removed, changed = (int(row[column]) if row[column] else None for column in columns)
    return Version(
        int(row["rang"]),
        row["version"],
        row["precedente"] or None,
        row["nature"],
        row["motif"] or None,
        added,
        removed,
        changed,
        row["date_donnees"] or None,
        row["contenu"],
        row["sha256"] or None,
    )


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
    _text(feed, "updated", f"{(days or [EARLIEST])[-1]}T00:00:00Z")
    _text(feed, "rights", "Licence Ouverte 2.0")
    author = ElementTree.SubElement(feed, _name("author"))
    _text(author, "name", contact["title"])
    if email:
        _text(author, "email", email)
    _link(feed, "alternate", address)
    if own is not None:
        _link(feed, "self", own)
    for version, day in zip(reversed(versions), reversed(days), strict=True):
        entry = ElementTree.SubElement(feed, _name("entry"))
        _text(entry, "id", f"{identity}/{version.version}")
        _text(entry, "title", f"Version {version.version} ({version.kind})")
        _text(entry, "updated", f"{day}T00:00:00Z")
        _link(entry, "alternate", link(version.version))
        _text(entry, "summary", _told(version))
    ElementTree.indent(feed)
    content: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def news(versions: Sequence[Version], there: str | None) -> list[str]:
    """Return what each version after the one ``there`` is; where that one is not known, the latest alone."""
    names = [version.version for version in versions]
    new = versions[names.index(there) + 1 :] if there in names else versions[-1:]
    texts = [(version, _told(version)) for version in new]
    return [f"Version {version.version} ({version.kind}). {text[:1].upper()}{text[1:]}" for version, text in texts]


def _told(version: Version) -> str:
    """Return what a version is, in one paragraph: its reason and how many rows moved."""
    counts = [(version.added, "ajoutées"), (version.removed, "retirées"), (version.changed, "modifiées")]
    moved = ", ".join(f"{count} {word}" for count, word in counts if count)
    reason = version.reason or "Changements non consignés."
    return f"{reason} Lignes : {moved}." if moved else reason


def _days(versions: Sequence[Version]) -> list[str]:
    """Return the day of each version, oldest first, never before that of an earlier one (data may go back)."""
    days: list[str] = []
    for version in versions:
        days.append(max(version.data_date or EARLIEST, days[-1] if days else EARLIEST))
    return days


def _name(tag: str) -> str:
    return f"{{{NAMESPACE}}}{tag}"


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, _name(tag)).text = text


def _link(parent: ElementTree.Element, relation: str, address: str) -> None:
    ElementTree.SubElement(parent, _name("link"), {"rel": relation, "href": address})
