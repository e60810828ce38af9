"""What people read of all versions: CHANGELOG.md and versions.csv, the newest release added to those before it.

Counts come from the difference, reasons from the journal; nothing is dated by the run's clock, only by the data.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd
from pyarrow import compute as pc

from pipelines.mechanics.french import counted
from pipelines.release import history
from pipelines.release.own_tables import VERSIONS
from pipelines.release.version import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pyarrow as pa

    from pipelines.release.difference import ReleaseDifference, TableState

CHANGELOG, VERSIONS_FILE = "CHANGELOG.md", "versions.csv"
REASONS_SHOWN = 6


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


def versions_frame(known: Iterable[Version]) -> pd.DataFrame:
    """Return versions.csv with the columns of ``VERSIONS``."""
    return pd.DataFrame([astuple(item) for item in known], columns=VERSIONS.names, dtype="object")


def known_versions(releases: Path, dataset: str) -> list[Version]:
    """Return all the versions that are there, oldest first; what the oldest ones did not record is empty."""
    found: list[Version] = []
    for version in history.versions(releases, dataset):
        folder = releases / dataset / version
        item = next((told for told in told_versions(folder) if told.version == version), None) or Version(
            0, version, found[-1].version if found else None, kind(version, first=not found),
            None, None, None, None, None, history.content_of(folder),
        )  # fmt: skip
        found.append(replace(item, rank=len(found) + 1, sha256=history.release_hash(folder)))
    return found


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
    held = list(states)
    for column in ("date_extraction", "date_reference"):
        days = [pc.max(item.texts(column)).as_py() or "" for item in held if column in item.types]
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


def section(item: Version, difference: ReleaseDifference, lines: pa.Table) -> str:
    """Return the section of CHANGELOG.md that tells one release."""
    title = f"## Version {item.version}" + (f" — données au {item.data_date}" if item.data_date else "")
    told = [title, ""]
    if item.previous is None:
        return "\n".join([*told, "Première publication.", ""])
    told += [f"Version {item.kind}, après la {item.previous}."]
    if difference.relabelled:
        told += ["", "La mention « données synthétiques » a été mise ou retirée."]
    told += _tables(difference)
    reasons = _by_reason(lines)
    if reasons:
        told += ["", "Motifs :", ""]
        told += [f"- {nature}, {counted(count, 'changement')} : {text}" for (nature, text), count in reasons]
    return "\n".join([*told, ""])


def changelog(title: str, newest: str, earlier: Path | None) -> str:
    """Return CHANGELOG.md: the newest section, then those of the release before it."""
    order = "De la plus récente à la première. Le détail de chaque changement est dans journal.csv."
    head = f"# {title} : versions\n\n{order}\n"
    return f"{head}\n{newest}" + (f"\n{_sections(earlier)}" if earlier else "")


def _sections(release: Path) -> str:
    path = release / CHANGELOG
    if not path.is_file():
        return f"## Version {release.name}\n\nSes changements n'ont pas été consignés.\n"
    text = path.read_text(encoding="utf-8")
    return text[text.index("\n## ") + 1 :]


def _by_reason(lines: pa.Table) -> list[tuple[tuple[str, str], int]]:
    """Return the reasons and how many lines of the journal each has; ties in the order of texts."""
    counts = lines.group_by(["nature", "motif"]).aggregate([([], "count_all")]).to_pylist()
    found = [((item["nature"], item["motif"]), item["count_all"]) for item in counts]
    return sorted(found, key=lambda item: (-item[1], item[0]))


def _tables(difference: ReleaseDifference) -> list[str]:
    told = [f"- {name} : table ajoutée" for name in difference.tables_added]
    told += [f"- {name} : table retirée" for name in difference.tables_removed]
    told += [f"- {one.table} : autres fichiers, {one.before} → {one.after}" for one in difference.moved]
    for name, table in difference.tables.items():
        columns = [f"colonne {column} ajoutée" for column in table.columns_added]
        columns += [f"colonne {column} retirée" for column in table.columns_removed]
        columns += [f"colonne {column} d'un autre type" for column in table.columns_retyped]
        rows = [(table.added, "ajoutée"), (table.removed, "retirée"), (table.changed, "modifiée")]
        counts = [f"{counted(len(found), f'ligne {word}')}" for found, word in rows if len(found)]
        texts = ["textes ou règles changés"] if table.redefined and not columns else []
        if parts := [*counts, *columns, *texts]:
            told.append(f"- {name} : {', '.join(parts)}")
    return ["", *told] if told else []


def _version(row: Mapping[str, str]) -> Version:
    added, removed, changed = (
        int(row[column]) if row[column] else None
        for column in ("lignes_ajoutees", "lignes_retirees", "lignes_modifiees")
    )
    return Version(
        int(row["rang"]), row["version"], row["precedente"] or None, row["nature"], row["motif"] or None,
        added, removed, changed, row["date_donnees"] or None, row["contenu"], row["sha256"] or None,
    )  # fmt: skip
