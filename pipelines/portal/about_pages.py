"""Pages about the data and the site: files, versions, columns, quality, accessibility, plan; feed and site map."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from pipelines.portal import addresses
from pipelines.portal.figures import State
from pipelines.portal.matrix import late, matrix
from pipelines.portal.templates import MENU, File
from pipelines.release.readme import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.portal.templates import Pages

LATEST = "donnees/latest"
_CRITERIA = (
    ("note", "Note"), ("completude", "Complétude"), ("validite", "Validité"), ("couverture", "Couverture"),
    ("ponctualite", "Ponctualité"), ("precision", "Précision"),
)  # fmt: skip
_STATES = {
    State.NOT_SENT: "le réseau n'a pas transmis le fichier attendu pour cette année",
    State.REFUSED: "le fichier transmis a été refusé : illisible, ou trop de lignes fausses",
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
        yield self._data()
        yield from self._tables()
        yield self._quality()
        yield self._page(
            "accessibility.html", "accessibilite.html", "Accessibilité", date=None, contact=self._contact,
            crumbs=[("Accessibilité", None)],
        )  # fmt: skip
        yield self._plan()
        yield File("nouveautes.atom", self._feed())
        yield File("versions.json", json.dumps(self.reading.versions, ensure_ascii=False, indent=1) + "\n")

    def machines(self, online: Sequence[str]) -> Iterator[File]:
        """Yield the map of the site and what robots may read; the map needs the site's own address."""
        base = self.pages.site.address
        told = f"Sitemap: {base}/sitemap.xml\n" if base else ""
        yield File("robots.txt", f"User-agent: *\nAllow: /\n{told}")
        if base:
            urls = "".join(f"<url><loc>{escape(self.pages.canonical(page))}</loc></url>\n" for page in sorted(online))
            head = (
                '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
            )
            yield File("sitemap.xml", f"{head}{urls}</urlset>\n")

    def gone(self, address: str) -> str:
        """Return the page that says that a page is no longer made."""
        why = (
            "Cette page a existé : la version publiée ne contient plus de résultat pour ce qu'elle montrait (lieu "
            "retiré, code changé ou indicateur arrêté). Son adresse est gardée pour que les liens anciens le disent."
        )
        return self.pages.render(
            "gone.html", address, f"Page retirée : {address.removesuffix('.html')}", heading="Page retirée", why=why
        )

    def _page(self, template: str, address: str, title: str, **told: Any) -> File:
        return File(address, self.pages.render(template, address, title, **told))

    @property
    def _contact(self) -> dict[str, str] | None:
        held = self.reading.descriptor.get("contributors", [])
        return held[0] if held else None

    def _data(self) -> File:
        folder, reading = self.reading.folder, self.reading
        files = [
            {"name": name, "bytes": (folder / name).stat().st_size, "digest": digest}
            for name, digest in reading.files.items()
        ]
        described = {row["table"] for row in reading.dictionary}
        resources = reading.descriptor["resources"]
        tables = [
            {
                "name": one["name"],
                "title": one.get("title"),
                "description": one.get("description"),
                "described": one["name"] in described,
            }
            for one in resources
        ]
        who = self._contact["title"] if self._contact else reading.title
        return self._page(
            "data.html", "donnees.html", "Données ouvertes", crumbs=[("Données", None)], files=files, tables=tables,
            paragraphs=str(reading.descriptor.get("description", "")).split("\n\n"), version_shown=reading.version,
            date=reading.date, contact=self._contact, history=reading.versions[::-1], limits=LIMITS,
            citation=f"{who}, « {reading.title} », version {reading.version}, Licence Ouverte 2.0.",
            base=f"{self.pages.site.address}/" if self.pages.site.address else "",
            description=f"Fichiers, versions, dictionnaire et licence : {reading.title}.",
        )  # fmt: skip

    def _tables(self) -> Iterator[File]:
        by_table: dict[str, list[dict[str, str]]] = {}
        for row in self.reading.dictionary:
            by_table.setdefault(row["table"], []).append(row)
        texts = {one["name"]: one for one in self.reading.descriptor["resources"]}
        for table, columns in by_table.items():
            yield self._page(
                "table.html", addresses.table_page(table), f"Table {table} : ses colonnes", columns=columns,
                table=texts.get(table, {"description": ""}), crumbs=[("Données", "donnees.html"), (table, None)],
            )  # fmt: skip

    def _quality(self) -> File:
        latest = {
            row["reseau"]: row
            for row in sorted(self.reading.rows("qualite"), key=lambda row: row["annee"])
            if row["note"] is not None
        }
        return self._page(
            "quality.html", "qualite.html", "Qualité et couverture", matrix=matrix(self.reading),
            late=late(self.reading), notes=[latest[code] for code in sorted(latest)], criteria=_CRITERIA,
            definitions=self.reading.rows("criteres_qualite"),
            states=[(state.value, words) for state, words in _STATES.items()], crumbs=[("Qualité", None)],
        )  # fmt: skip

    def _plan(self) -> File:
        reading = self.reading
        tables = dict.fromkeys(row["table"] for row in reading.dictionary)
        sections = [
            ("Trouver", [("Accueil", "index.html"), ("Rechercher", "recherche.html"), *MENU[1:6]]),
            ("Comprendre", [*MENU[6:], ("Accessibilité", "accessibilite.html")]),
            ("Réseaux", [(one.title, addresses.network_page(code)) for code, one in reading.networks.items()]),
            ("Tables", [(table, addresses.table_page(table)) for table in tables]),
        ]  # fmt: skip
        return self._page(
            "plan.html",
            "plan.html",
            "Plan du site",
            sections=[one for one in sections if one[1]],
            crumbs=[("Plan du site", None)],
        )

    def _feed(self) -> str:
        base = self.pages.site.address
        identity = base or f"urn:resultats:{self.reading.dataset}"
        entries = "".join(
            f"<entry><id>{escape(identity)}#version-{escape(row['version'])}</id>"
            f"<title>Version {escape(row['version'])}</title>"
            f"<updated>{row['date_donnees'] or '1970-01-01'}T00:00:00Z</updated>"
            f'<link href="{escape(base + "/" if base else "")}donnees.html#version-{escape(row["version"])}"/>'
            f"<summary>{escape(row['motif'] or 'Changements non consignés.')}</summary></entry>\n"
            for row in reversed(self.reading.versions)
        )
        last = self.reading.date or "1970-01-01"
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr">\n'
            f"<id>{escape(identity)}</id><title>{escape(self.pages.site.title)}</title><updated>{last}T00:00:00Z</updated>"
            f"<author><name>{escape(self.reading.title)}</name></author>\n{entries}</feed>\n"
        )
