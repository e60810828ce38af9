"""Pages about the site: quality and corrections, accessibility, plan, what is gone; what robots read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from pipelines.portal import addresses
from pipelines.portal.figures import State
from pipelines.portal.matrix import WORDS, late, matrix
from pipelines.portal.templates import MENU, File, menu

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


class AboutPages:
    """The pages about the release itself."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.reading = pages, pages.reading

    def files(self) -> Iterator[File]:
        """Yield every page."""
        yield self._quality()
        yield self.pages.file(
            "accessibility.html", "accessibilite.html", "Accessibilité", date=None, contact=self.reading.contact,
            crumbs=[("Accessibilité", None)],
        )  # fmt: skip
        yield self._plan()
        yield from self._not_found()

    def _not_found(self) -> Iterator[File]:
        """Yield the page that a server shows for an address without a page: its links work from any folder."""
        if base := self.pages.site.address:
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
            "quality.html", "qualite.html", "Qualité et couverture", matrix=matrix(self.reading, last=12),
            late=late(self.reading), notes=[latest[code] for code in sorted(latest)], criteria=_CRITERIA,
            definitions=self.reading.rows("criteres_qualite"), corrections=corrections[:CORRECTIONS_SHOWN],
            others=len(corrections[CORRECTIONS_SHOWN:]), corrected="corrections.csv" in self.reading.files,
            states=[*((state.value, words) for state, words in _STATES.items()), *WORDS.items()],
            crumbs=[("Qualité", None)],
        )  # fmt: skip

    def _plan(self) -> File:
        reading, site = self.reading, self.pages.site
        tables = dict.fromkeys(row["table"] for row in reading.dictionary)
        sections = [
            ("Trouver", [("Accueil", "index.html"), ("Rechercher", "recherche.html"), *menu(site)[1:-2]]),
            ("Comprendre", [*MENU[-2:], ("Accessibilité", "accessibilite.html")]),
            ("Réseaux", [(one.title, addresses.network_page(code)) for code, one in reading.networks.items()]),
            ("Tables", [(table, addresses.table_page(table)) for table in tables]),
        ]  # fmt: skip
        return self.pages.file(
            "plan.html",
            "plan.html",
            "Plan du site",
            sections=[one for one in sections if one[1]],
            crumbs=[("Plan du site", None)],
        )


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
