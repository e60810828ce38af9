"""The Atom feed: what RFC 4287 asks, dates from the data only. The reuse page in Markdown: stable addresses only."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from fixtures.made_results import DATASET

from pipelines.declarations import Catalogue
from pipelines.release.changelog import NAMESPACE, Version, atom, known_versions
from pipelines.release.release_folder import make_release
from pipelines.release.reuse import reuse_page

ATOM = {"a": NAMESPACE}


def version(number: str, day: str | None, reason: str | None = "révision : x & y <z>.") -> Version:
    return Version(1, number, None, "corrective", reason, 3, 0, None, day, "sha256:0")


CONTACT = {"title": "Équipe", "email": "contact@resultats-services-publics.example"}


def parsed(*versions: Version, **descriptor: Any) -> ElementTree.Element:
    told = {"name": DATASET, "title": "Résultats", "contributors": [CONTACT]} | descriptor
    content = atom(versions, told, address="donnees.html", link=lambda number: f"donnees/versions/{number}.html")
    return ElementTree.fromstring(content)


def test_the_feed_has_what_readers_need() -> None:
    feed = parsed(version("1.0.0", "2024-05-02"), version("1.0.1", "2025-02-14"))
    assert feed.tag == f"{{{NAMESPACE}}}feed"
    for tag in ("id", "title", "updated"):
        assert all(len(place.findall(f"a:{tag}", ATOM)) == 1 for place in (feed, *feed.findall("a:entry", ATOM)))
    assert [feed.findtext(f"a:author/a:{tag}", "", ATOM) for tag in ("name", "email")] == list(CONTACT.values())
    assert feed.findtext("a:updated", "", ATOM) == "2025-02-14T00:00:00Z"
    entries = feed.findall("a:entry", ATOM)
    assert [entry.findtext("a:title", "", ATOM) for entry in entries] == [
        "Version 1.0.1 (corrective)", "Version 1.0.0 (corrective)"
    ]  # fmt: skip
    assert entries[0].findtext("a:summary", "", ATOM) == "révision : x & y <z>. Lignes : 3 ajoutées."
    assert [link.get("href") for link in entries[0].findall("a:link", ATOM)] == ["donnees/versions/1.0.1.html"]
    ids = [item.text for item in feed.iter(f"{{{NAMESPACE}}}id")]
    assert len(set(ids)) == 3
    assert ids[0] == f"tag:resultats-services-publics.example,2024-05-02:{DATASET}"


def test_a_release_that_names_nobody_has_a_feed_all_the_same() -> None:
    feed = parsed(version("1.0.0", None), contributors=[])
    assert feed.findtext("a:author/a:name", "", ATOM) == "Résultats"
    assert feed.findtext("a:id", "", ATOM) == f"tag:{DATASET},1970-01-01:{DATASET}"


def test_ids_of_old_entries_stay_when_versions_are_added() -> None:
    first, second = version("1.0.0", "2024-05-02"), version("1.0.1", "2025-02-14")
    before, after = parsed(first), parsed(first, second)
    ids = [[item.findtext("a:id", "", ATOM) for item in feed.findall("a:entry", ATOM)] for feed in (before, after)]
    assert ids[1][1:] == ids[0]


@pytest.mark.parametrize("day", ["2023-01-01", None])
def test_an_entry_is_never_older_than_the_one_before(day: str | None) -> None:
    feed = parsed(version("1.0.0", "2024-05-02"), version("1.0.1", day, None))
    days = [entry.findtext("a:updated", "", ATOM) for entry in feed.findall("a:entry", ATOM)]
    assert days == ["2024-05-02T00:00:00Z", "2024-05-02T00:00:00Z"]


def test_the_reuse_page_has_code_versions_and_dictionary(
    small: Catalogue, small_tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    make_release(DATASET, small, small_tables, tmp_path, synthetic="Inventées.")
    changed = small_tables | {"reseaux": small_tables["reseaux"].assign(description="A | B\nC")}
    latest = make_release(DATASET, small, changed, tmp_path, synthetic="Inventées.")
    known = known_versions(tmp_path, DATASET)
    text = reuse_page(small, DATASET, latest.folder, address=lambda name: f"https://example.org/r/{name}")
    assert text.startswith("# Réutiliser : DONNÉES SYNTHÉTIQUES")
    assert text.count("https://example.org/r/resultats-annuels.csv") == 4
    for part in ("```python", "```r", "```sql", "## Excel", "## Citer", f"version {latest.version}"):
        assert part in text
    assert f"| 1.0.1 | corrective | 2024-12-31 | 0 | 0 | 1 | {known[1].reason} |" in text
    columns = sum(len(small.tables[name].columns) for name in small.datasets[DATASET].tables)
    assert len([line for line in text.splitlines() if line.startswith("| `")]) == columns + 5  # resultats is two files
