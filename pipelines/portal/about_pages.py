"""Pages about the site: quality and coverage, accessibility, plan, what is gone; what robots read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from pipelines.declarations.statuses import Status
from pipelines.mechanics.french import day_text, listed
from pipelines.portal import addresses
from pipelines.portal.figures import State
from pipelines.portal.templates import MENU, File, menu

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.portal.open_release import Line
    from pipelines.portal.release_data import Reading
    from pipelines.portal.templates import Pages

NOT_FOUND = "404.html"
ADDRESSES_OF_A_MAP = 50_000  # the most that sitemaps.org allows in one file
CORRECTIONS_SHOWN = 100  # the page has a weight to hold; all are in the table
_CRITERIA = (
    ("note", "Note"), ("completude", "Complétude"), ("validite", "Validité"), ("couverture", "Couverture"),
    ("ponctualite", "Ponctualité"), ("precision", "Précision"),
)  # fmt: skip
_STATES = {
    State.NOT_SENT: "le réseau n'a pas transmis le fichier attendu pour cette année",
    State.REFUSED: "le fichier transmis a été refusé : illisible, ou trop de lignes refusées",
    State.SECRET: "la valeur porte sur trop peu de personnes, ou permettrait d'en retrouver une qui porte sur trop peu",
    State.SMALL_BASE: "trop peu de réponses pour que la valeur soit fiable",
    State.PROVISIONAL: "la valeur peut encore changer dans une version suivante",
    State.INCOMPLETE: "des périodes ou des lieux manquent, le total serait trompeur",
    State.NOT_FILLED: "le fichier a été reçu, cette valeur y est vide",
    State.NOT_SIGNIFICANT: "la source dit que la valeur n'est pas significative",
    State.NOT_AVAILABLE: "la source dit que la valeur n'est pas disponible",
    State.NOT_APPLICABLE: "la valeur n'a pas de sens ici",
    State.NO_ROW: "la version n'a aucune ligne de cette année",
    State.UNTREATED: "la chaîne n'a pas encore traité ce réseau pour cette année",
    State.FAILED: "le fichier a été reçu, mais le calcul a échoué",
}

LATE, AWAITED = "en retard", "attendu"
_WAITED = {
    AWAITED: "le fichier n'est pas encore dû : son échéance vient après la date à laquelle les données s'arrêtent",
    LATE: "le fichier était dû avant la date à laquelle les données s'arrêtent, et n'a pas été transmis",
}
"""What is said, in the matrix alone, of a file that has a due day and didn't come."""


class AboutPages:
    """The pages about the release itself."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.reading = pages, pages.reading

    def files(self) -> Iterator[File]:
        """Yield every page."""
        yield self._quality()
        yield self.pages.file(
            "accessibility.html",
            "accessibilite.html",
            "Accessibilité",
            date=None,
            contact=self.reading.contact,
            crumbs=[("Accessibilité", None)],
        )
        yield self._plan()
        if base := self.pages.site.address:  # what a server shows for an address without a page: links from any folder
            why = "Aucune page n'a cette adresse : elle est mal écrite, ou le lieu n'est pas dans la version publiée."
            yield self.pages.file("gone.html", NOT_FOUND, "Page introuvable", why=why, root=f"{base}/")

    def machines(self, online: Sequence[str]) -> Iterator[File]:
        """Yield the map of the site and what robots may read; the map needs the site's own address."""
        base = self.pages.site.address
        told = f"Sitemap: {base}/sitemap.xml\n" if base else ""
        yield File("robots.txt", f"User-agent: *\nAllow: /\n{told}")
        if base:
            yield from _site_map([self.pages.canonical(page) for page in sorted(online)], base)

    def gone(self, address: str) -> str:
        """Return the page that says that a page is no longer made."""
        why = (
            "Cette page a existé : la version publiée ne contient plus de résultat pour ce qu'elle montrait (lieu "
            "retiré, code changé ou indicateur arrêté). Son adresse est gardée pour que les liens anciens le disent."
        )
        return self.pages.render(
            "gone.html", address, f"Page retirée : {address.removesuffix('.html')}", heading="Page retirée", why=why
        )

    def _quality(self) -> File:
        latest = {
            row["reseau"]: row
            for row in sorted(self.reading.rows("qualite"), key=lambda row: row["annee"])
            if row["note"] is not None
        }
        corrections = self.reading.rows("corrections")
        return self.pages.file(
            "quality.html",
            "qualite.html",
            "Qualité et couverture",
            matrix=matrix(self.reading, last=12),
            late=self._late(),
            notes=[latest[code] for code in sorted(latest)],
            criteria=_CRITERIA,
            definitions=self.reading.rows("criteres_qualite"),
            corrections=corrections[:CORRECTIONS_SHOWN],
            others=len(corrections[CORRECTIONS_SHOWN:]),
            corrected="corrections.csv" in self.reading.files,
            states=[*((state.value, words) for state, words in _STATES.items()), *_WAITED.items()],
            crumbs=[("Qualité", None)],
        )

    def _late(self) -> list[str]:
        """Name the files that were due before the data of the release stop and had not come, in sentences."""
        return [
            f"{self.reading.networks[row['reseau']].title}, {row['titre']} {row['annee']} : attendu le "
            f"{day_text(row['echeance'])}, {Status.NOT_HANDED_OVER.value}"
            for row, word in _waited(self.reading)
            if word == LATE
        ]

    def _plan(self) -> File:
        reading, site = self.reading, self.pages.site
        tables = dict.fromkeys(row["table"] for row in reading.dictionary)
        sections = [
            ("Trouver", [("Accueil", "index.html"), ("Rechercher", "recherche.html"), *menu(site)[1:-2]]),
            ("Comprendre", [*MENU[-2:], ("Accessibilité", "accessibilite.html")]),
            ("Réseaux", [(one.title, addresses.page("reseaux", code)) for code, one in reading.networks.items()]),
            ("Tables", [(table, addresses.page("donnees", table)) for table in tables]),
        ]
        due = [section for section in sections if section[1]]
        return self.pages.file("plan.html", "plan.html", "Plan du site", sections=due, crumbs=[("Plan du site", None)])


def _site_map(pages: Sequence[str], base: str) -> Iterator[File]:
    """Yield the map of the site, in several files and their list where one would hold more than it may."""
    parts = [pages[at : at + ADDRESSES_OF_A_MAP] for at in range(0, len(pages), ADDRESSES_OF_A_MAP)]
    if len(parts) == 1:
        yield File("sitemap.xml", _map("urlset", "url", pages))
        return
    names = [f"sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
    yield File("sitemap.xml", _map("sitemapindex", "sitemap", [f"{base}/{name}" for name in names]))
    yield from (File(name, _map("urlset", "url", part)) for name, part in zip(names, parts, strict=True))


def _map(root: str, item: str, places: Sequence[str]) -> str:
    told = "".join(f"<{item}><loc>{escape(place)}</loc></{item}>\n" for place in places)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{told}</{root}>\n"


@dataclass(frozen=True)
class Matrix:
    """What is published, refused or missing, in words: years, and one row of cells for each network expected."""

    years: list[int]
    rows: list[tuple[str, list[str]]]


def matrix(reading: Reading, last: int) -> Matrix:
    """Return the matrix of the ``last`` years, from ``couverture``; empty when the release hasn't that table."""
    states = defaultdict[tuple[str, int], list[str]](list)
    waited = {(row["reseau"], row["annee"], row["export"]): word for row, word in _waited(reading)}
    for row in reading.rows("couverture"):
        states[row["reseau"], row["annee"]].append(_reason(row, waited) if row["etat"] == "absent" else "")
    years = sorted({year for _, year in states})[-last:]
    expected = {network for network, _ in states}
    networks = [code for code in reading.networks if code in expected]
    return Matrix(years, [(code, [_cell(states.get((code, year), [])) for year in years]) for code in networks])


def _waited(reading: Reading) -> list[tuple[Line, str]]:
    """Return the files that have a due day and didn't come, each with what it is: awaited, or late."""
    until = reading.date
    return [
        (row, LATE if row["echeance"].isoformat() < until else AWAITED)
        for row in reading.rows("receptions")
        if row["etat"] == Status.NOT_HANDED_OVER and row["echeance"] and until
    ]


def _reason(row: Line, waited: Mapping[tuple[str, int, str], str]) -> str:
    """Return why an indicator is absent: of a file that has a due day and didn't come, that it is late or awaited."""
    reason = str(row["motif_absence"])
    if reason != Status.NOT_HANDED_OVER:
        return reason
    exports = (export.strip() for export in row["exports"].split(","))
    words = {waited.get((row["reseau"], row["annee"], export)) for export in exports}
    return next((word for word in (LATE, AWAITED) if word in words), reason)


def _cell(reasons: list[str]) -> str:
    if not reasons:
        return "non attendu"
    missing = sorted({reason for reason in reasons if reason})
    count = sum(not reason for reason in reasons)
    if not missing:
        return State.PUBLISHED.value
    return f"{count} sur {len(reasons)} ({listed(missing)})" if count else listed(missing)
