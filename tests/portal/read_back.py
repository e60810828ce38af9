"""Pages of the site read back by other code: their structure judged, their figures held against the release."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb

VOID = {"meta", "link", "br", "img", "input"}
WHOSE = ("reseau", "indicateur", "maille", "code")
HEAVIEST_PAGE, HEAVIEST_STYLE, HEAVIEST_SCRIPT, HEAVIEST_SHARD = 100_000, 15_000, 8_000, 15_000
Key = tuple[str, str, str, str, int]  # network, indicator, level, code, year


@dataclass(frozen=True)
class Told:
    """A figure as a page tells it: exact value and base (None: none), state, and the words shown."""

    value: float | None
    base: int | None
    state: str
    words: str


@dataclass
class _Open:
    tag: str
    facts: dict[str, str]
    text: list[str] = field(default_factory=list)
    own: bool = False


class Page(HTMLParser):
    """A page: its elements with attributes, its texts, and the figures that it tells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.figures: list[tuple[Key, Told]] = []
        self.texts: dict[str, list[str]] = {}
        self.faults: list[str] = []
        self._open: list[_Open] = []
        self.feed(text)
        self.close()
        if self._open:
            self.faults.append(f"jamais fermé : {[one.tag for one in self._open]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if len(attributes) != len(attrs):
            self.faults.append(f"attribut en double : {tag}")
        self.elements.append((tag, attributes))
        if tag in VOID:
            return
        facts = dict(self._open[-1].facts) if self._open else {}
        facts |= {name[5:]: value for name, value in attributes.items() if name.startswith("data-")}
        if tag == "data":
            facts["exact"] = attributes["value"]
        self._open.append(_Open(tag, facts, own="data-etat" in attributes))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.faults.append(f"mal imbriqué : {tag}")
            return
        closed = self._open.pop()
        words = "".join(closed.text)
        if tag != "title" or self._open[-1].tag == "head":  # marks of a map have titles too
            self.texts.setdefault(tag, []).append(words)
        if tag in ("td", "th"):
            self.handle_data(" | ")
        if closed.own:
            self._tell(closed.facts, words)

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def identifiers(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def _tell(self, facts: dict[str, str], words: str) -> None:
        missing = [name for name in (*WHOSE, "annee") if name not in facts]
        if missing:
            self.faults.append(f"chiffre sans {missing} : {words[:60]}")
            return
        value = float(facts["valeur"]) if "valeur" in facts else None
        if "exact" in facts and float(facts["exact"]) != value:
            self.faults.append(f"deux valeurs : {facts}")
        base = int(facts["effectif"]) if "effectif" in facts else None
        key = (facts["reseau"], facts["indicateur"], facts["maille"], facts["code"], int(facts["annee"]))
        self.figures.append((key, Told(value, base, facts["etat"], words)))


def site_pages(site: Path) -> Iterator[tuple[str, Page]]:
    """Yield the address and content of every page."""
    for path in sorted(site.rglob("*.html")):
        if "donnees/latest" not in path.as_posix():
            yield path.relative_to(site).as_posix(), Page(path.read_text(encoding="utf-8"))


def structural_faults(site: Path) -> list[str]:
    """Return every breach of the rules that all pages follow: structure, links, weight."""
    found, titles = [], dict[str, str]()
    identifiers: dict[str, set[str]] = {}
    links: list[tuple[str, str]] = []
    for address, page in site_pages(site):
        found += [f"{address} : {fault}" for fault in (*page.faults, *page_faults(page))]
        title = page.texts["title"][0]
        if title in titles:
            found.append(f"{address} : même titre que {titles[title]} : {title}")
        titles[title] = address
        if (site / address).stat().st_size >= HEAVIEST_PAGE:
            found.append(f"{address} : {(site / address).stat().st_size} octets")
        identifiers[address] = set(page.identifiers)
        links += [(address, one["href"]) for tag in ("a", "link") for one in page.all(tag)]
    found += _dead_links(site, identifiers, links)
    weights = [("style.css", HEAVIEST_STYLE), ("site.js", HEAVIEST_SCRIPT)]
    weights += [(path.relative_to(site).as_posix(), HEAVIEST_SHARD) for path in site.glob("recherche/*.js")]
    return found + [f"{name} : trop lourd" for name, most in weights if (site / name).stat().st_size > most]


def page_faults(page: Page) -> Iterator[str]:
    """Yield what is wrong in a page by itself."""
    yield from _outline_faults(page)
    yield from _naming_faults(page)
    yield from _script_faults(page)
    named = ("a", "button", "summary", "h1", "h2", "h3", "td", "th")
    if not all(words.strip() for tag in named for words in page.texts.get(tag, [])):
        yield "élément sans texte"


def _outline_faults(page: Page) -> Iterator[str]:
    if page.all("html") != [{"lang": "fr"}]:
        yield "langue"
    for tag in ("title", "h1", "main", "footer"):
        if len(page.texts.get(tag, [])) != 1:
            yield f"{len(page.texts.get(tag, []))} {tag}"
    if page.all("a")[0] != {"class": "skip", "href": "#contenu"} or page.all("main")[0].get("id") != "contenu":
        yield "lien d'évitement"
    if len(page.identifiers) != len(set(page.identifiers)):
        yield f"identifiants en double : {sorted(x for x in set(page.identifiers) if page.identifiers.count(x) > 1)}"
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    if levels[0] != 1 or any(after - before > 1 for before, after in pairwise(levels)):
        yield f"niveaux de titres : {levels}"


def _naming_faults(page: Page) -> Iterator[str]:
    if any("scope" not in one for one in page.all("th")):
        yield "th sans scope"
    captions = page.texts.get("caption", [])
    if len(captions) != len(page.all("table")) or len(set(captions)) != len(captions) or not all(captions):
        yield f"légendes : {captions}"
    for tag, one in page.elements:
        named = [*one.get("aria-labelledby", "").split(), *([one["for"]] if tag == "label" else [])]
        if not set(named) <= set(page.identifiers):
            yield f"renvoi à un identifiant absent : {named}"
        if "style" in one or any(name.startswith("on") for name in one):
            yield f"style ou script dans {tag}"
        if tag == "svg" and one.get("role") == "img" and not one.get("aria-label"):
            yield "image sans nom"


def _script_faults(page: Page) -> Iterator[str]:
    for one, text in zip(page.all("script"), page.texts.get("script", []), strict=True):
        if one.get("type") == "application/ld+json":
            if json.loads(text)["@type"] != "Dataset":
                yield "données liées"
        elif text or not one.get("src", "").endswith("site.js"):
            yield "script dans la page"
    empty = [
        words for tag in ("a", "button", "summary", "h1", "h2", "h3", "td", "th") for words in page.texts.get(tag, [])
    ]
    if not all(words.strip() for words in empty):
        yield "élément sans texte"


def _dead_links(site: Path, identifiers: dict[str, set[str]], links: list[tuple[str, str]]) -> Iterator[str]:
    there: dict[Path, bool] = {}
    for address, link in links:
        parts = urlsplit(link)
        if parts.scheme:
            if parts.scheme not in ("https", "mailto"):
                yield f"{address} : {link}"
            continue
        target = (site / address).parent / unquote(parts.path) if parts.path else site / address
        target = Path(*_plain(target))
        if target not in there:
            there[target] = target.is_file()
        if not there[target]:
            yield f"{address} : lien mort {link}"
        elif parts.fragment and parts.fragment not in identifiers.get(target.relative_to(site).as_posix(), set()):
            yield f"{address} : ancre absente {link}"


def _plain(path: Path) -> list[str]:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return parts


def release_figures(release: Path) -> dict[Key, tuple[float | None, int | None, str]]:
    """Return what the release says of every yearly row: value, base, state."""
    rows = duckdb.sql(
        "SELECT reseau, indicateur, maille, coalesce(structure_code, territoire_code, ''), annee, valeur, effectif, "
        "CASE WHEN valeur IS NULL THEN motif_absence WHEN statut_observation = 'P' THEN 'provisoire' ELSE 'publié' END "
        f"FROM read_parquet('{release / 'resultats*.parquet'}') WHERE frequence = 'annuelle'"
    ).fetchall()
    found = {row[:5]: row[5:] for row in rows}
    assert len(found) == len(rows)
    return found


def decimals(release: Path) -> dict[str, int]:
    """Return with how many decimals each indicator is shown."""
    rows = duckdb.sql(f"SELECT indicateur, decimales FROM read_parquet('{release / 'indicateurs.parquet'}')").fetchall()
    return {code: count or 0 for code, count in rows}


def figure_faults(site: Path, release: Path) -> list[str]:
    """Return where pages and release differ, both ways: a figure on a page, a yearly row that its page hasn't."""
    expected, shown = release_figures(release), decimals(release)
    found, seen = [], dict[str, set[Key]]()
    for address, page in site_pages(site):
        for key, told in page.figures:
            if key not in expected:
                found.append(f"{address} : {key} n'est pas dans la version")
            elif (told.value, told.base, told.state) != expected[key]:
                found.append(f"{address} : {key} dit {told}, la version {expected[key]}")
            elif not _says(told, shown[key[1]]):
                found.append(f"{address} : {key} vaut {told.value}, montré « {told.words} »")
        seen[address] = {key for key, _ in page.figures}
    places: dict[tuple[str, ...], set[Key]] = {}
    for key in expected:
        places.setdefault((key[0], key[2], key[3]), set()).add(key)
    for place, keys in places.items():
        there = set[Key]()
        for address in (
            own_page(*place),
            *(own_page(*place).replace(".html", f"~{number}.html") for number in range(2, 9)),
        ):
            there |= seen.get(address, set())
        found += [f"{own_page(*place)} : il manque {key}" for key in keys - there]
        found += _row_faults(site / own_page(*place).replace(".html", ".csv"), keys, expected)
    return found


def own_page(network: str, level: str, code: str) -> str:
    """Return where the rows of a place must be, as the manual says it."""

    def named(text: str) -> str:
        return (
            "".join(
                sign if re.fullmatch("[A-Za-z0-9_-]", sign) else "".join(f"~{byte:02X}" for byte in sign.encode())
                for sign in text
            )
            or "~"
        )

    return {
        "national": f"reseaux/{named(network)}.html",
        "site": f"structures/{named(network)}/{named(code)}.html",
        "region": f"regions/{named(code)}/{named(network)}.html",
        "departement": f"departements/{named(code)}/{named(network)}.html",
    }[level]


def _hexadecimal(sign: str) -> str:
    return "".join(f"~{byte:02X}" for byte in sign.encode())


def _row_faults(path: Path, keys: set[Key], expected: dict[Key, tuple[float | None, int | None, str]]) -> list[str]:
    """Return what is wrong in the rows beside a page."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    told = {
        (
            row["reseau"],
            row["indicateur"],
            row["maille"],
            row["structure_code"] or row["territoire_code"],
            int(row["annee"]),
        ): (
            float(row["valeur"]) if row["valeur"] else None,
            int(row["effectif"]) if row["effectif"] else None,
        )
        for row in rows
    }
    same = told == {key: expected[key][:2] for key in keys}
    return [] if same and len(told) == len(rows) else [f"{path.name} : ses lignes ne sont pas celles de la version"]


def _says(told: Told, shown: int) -> bool:
    """Tell whether the words hold the value rounded as the indicator says, or the state and no figure for it."""
    if told.value is None:
        return told.state in told.words
    words = told.words.replace("\u202f", "").replace("\u00a0", " ").replace("−", "-").replace(",", ".")
    wanted = f"{told.value:.{shown}f}"
    wanted = wanted.lstrip("-") if float(wanted) == 0 else wanted
    return re.search(rf"(?<![\d.-]){re.escape(wanted)}(?![\d.])", words) is not None
