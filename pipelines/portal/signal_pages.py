"""The pages of the voice of users, made from one published release of signals, beside the yearly results.

Results of the same network are told beside a signal, from their own release, dated and under their own name: nothing of
one is counted in the other.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup

from pipelines.declarations.statuses import SignalState
from pipelines.mechanics.french import listed, month_in_words
from pipelines.portal import addresses
from pipelines.portal.charts.expected_voices import (
    FEELINGS,
    SECRET,
    expected_curve,
    signal_data,
    signal_sentence,
    voices_curve,
)
from pipelines.portal.open_release import OpenRelease
from pipelines.portal.templates import SidePages, published

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pipelines.portal.charts.chart import Chart
    from pipelines.portal.figures import Series
    from pipelines.portal.open_release import Line
    from pipelines.portal.templates import File

INDEX, METHOD = "signaux.html", "signaux/methode.html"
ALL = "tous"
INDICATOR = "indicateur"  # the nature of a signal that no voice gave
CARDS, LISTED, MONTHS, THEMES, PERIODS = 8, 150, 24, 6, 12  # shown on a page, which stays under 100 kB
METHODS = {
    "farrington": "comparaison aux mêmes mois des années d'avant (Farrington)",
    "ears": "comparaison aux mois juste avant (EARS)",
    "nb_cusum": "hausse lente (CUSUM)",
    "ebgm": "thème trop présent dans un service (EBGM)",
    "funnel": "part qui s'écarte de celle des autres (entonnoir)",
    "scan": "départements qui se détachent (Kulldorff)",
    "terms": "mot qui monte (rapport de cotes)",
}
_SUMMED = ("tests", "signaux", "fausses_attendues", "signaux_montres")
_CHECKS = {
    "volume": "Volume", "campagne": "Campagne", "moderation": "Modération", "formulaire": "Formulaire",
    "intitule": "Intitulé du service",
}  # fmt: skip


def voice_pages(folder: Path) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the pages of the services of each network, as a network's page links to them: title, address."""
    with OpenRelease(folder, SignalPages.TABLES) as release:
        return {
            network: tuple((service, addresses.page("voix", network, service)) for service in services)
            for network, services in _services(release).items()
        }


def _services(release: OpenRelease) -> dict[str, list[str]]:
    """Return the services that have voices, by network."""
    services: dict[str, list[str]] = defaultdict(list)
    for line in release.lines("SELECT DISTINCT reseau, service FROM themes_voix ORDER BY reseau, service"):
        services[line["reseau"]].append(line["service"])
    return services


class SignalPages(SidePages):
    """Every page of a release of signals."""

    GROUP: ClassVar = "voix"  # of the pages of the site
    TABLES: ClassVar = ("signaux", "courbes_signaux", "tests_signaux", "puissance_signaux", "themes_voix")
    FILES: ClassVar = "signaux/donnees"  # copies of the files of the release

    def files(self) -> Iterator[File]:
        """Yield the index, each signal, each service, and what is behind them."""
        signals, services = self._signals(), _services(self.release)
        yield self._index(signals, services)
        titles = {card["signal"]: card["titre"] for card in signals}
        for card in signals:
            yield self._signal(card, titles)
        for network, codes in services.items():
            for service in codes:
                mine = [card for card in signals if (card["reseau"], card["service"]) == (network, service)]
                yield self._service(network, service, mine)
        yield self.page(
            "signals_method.html",
            METHOD,
            "Comment les signaux sont trouvés, et ce qu'ils ne disent pas",
            ledger=self._ledger(),
            named=_method_in_words,
            power=self._power(),
            crumbs=[("Signaux", INDEX), ("Méthode et limites", None)],
        )

    def _signals(self) -> list[Line]:
        """Return the signals: the latest first, those that fell or were revised last."""
        return self.release.lines(
            f"SELECT * FROM signaux ORDER BY etat IN ('{SignalState.FALLEN}', '{SignalState.REVISED}'), "
            "coalesce(observe, voix) IS NULL, mois DESC, depuis DESC, signal"
        )

    def _index(self, signals: Sequence[Line], services: Mapping[str, Sequence[str]]) -> File:
        shown = [card for card in signals if card["etat"] not in (SignalState.FALLEN, SignalState.REVISED)][:CARDS]
        return self.page(
            "signals.html",
            INDEX,
            "Signaux de la voix des usagers",
            cards=[(card, self._curve(card, MONTHS)) for card in shown],
            listed=signals[:LISTED],
            others=max(0, len(signals) - LISTED),
            services=services,
            told=signal_sentence,
            last=self._last(),
            files=self.release.files_at(self.FILES),
            method=METHOD,
            facts=_card_facts,
            crumbs=[("Signaux", None)],
        )

    def _signal(self, card: Line, titles: Mapping[str, str]) -> File:
        return self.page(
            "signal.html",
            addresses.page("signaux", card["signal"]),
            f"Signal : {card['titre']}, {card['depuis']}",
            heading=card["titre"],
            card=card,
            curve=self._curve(card),
            told=signal_sentence(card),
            checks=_checks(card),
            same=self._same(card, titles),
            beside=self._beside(card["reseau"]),
            more=self._more(card),
            facts=_card_facts,
            methods=[_method_in_words(code) for code in card["detecteurs"].split(", ")],
            results_version=self.pages.reading.version,
            results_title=self.pages.reading.title,
            crumbs=[("Signaux", INDEX), (card["titre"], None)],
        )

    @staticmethod
    def _same(card: Line, titles: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the signals that may tell the same fact: title, address."""
        named = (card.get("voir_aussi") or "").split(" ; ")  # releases made before cards were linked have none
        return [(titles[name], addresses.page("signaux", name)) for name in named if name in titles]

    def _curve(self, card: Line, last: int | None = None) -> Chart | None:
        """Draw the months of a signal; None when none of them has a figure that is told."""
        asked = "SELECT * FROM courbes_signaux WHERE signal = ? ORDER BY mois"
        lines = self.release.lines(asked, [card["signal"]]) if card["etat"] != SignalState.REVISED else []
        if all(line["observe"] is None for line in lines):
            return None
        title = f"{card['titre']}, mois par mois"
        unit = {"unit": card["unite"]} if card["nature"] == INDICATOR else {}
        return expected_curve(title, lines[-last:] if last else lines, signal_sentence(card), **unit)

    def _more(self, card: Line) -> tuple[str, str] | None:
        """Return where more is told of what a signal is about: title, address; None when no page tells it."""
        if card["nature"] != INDICATOR:
            return "Tout ce que disent les usagers de ce service", addresses.page(
                "voix", card["reseau"], card["service"]
            )
        if card["reseau"] not in self.pages.reading.networks:
            return None
        return "Les résultats de ce réseau", addresses.page("reseaux", card["reseau"])

    def _beside(self, network: str) -> list[Series]:
        """Return the national results of the same network, from the release of results; none when it isn't there."""
        national = [
            series for _, of_place in self.pages.reading.place_series(network, "national") for series in of_place
        ]
        return [series for series in national if published(series)]

    def _service(self, network: str, service: str, signals: Sequence[Line]) -> File:
        power = [x for x in self._power() if (x["reseau"], x["service"]) == (network, service)]
        networks = self.pages.reading.networks
        heading = f"Ce que disent les usagers : {service}"
        return self.page(
            "voice.html",
            addresses.page("voix", network, service),
            f"{heading} ({network})",
            heading=heading,
            service=service,
            signals=signals,
            network=networks.get(network),
            method=METHOD,
            charts=list(self._themes(network, service)),
            power=power[0] if power else None,
            crumbs=[("Signaux", INDEX), (service, None)],
        )

    def _themes(self, network: str, service: str) -> Iterator[Chart]:
        """Yield a curve of all voices, then of the themes that are spoken of the most in the last months."""
        months = self._months(network, service)[-MONTHS:]
        voices = self.release.lines(
            "SELECT * FROM themes_voix WHERE reseau = ? AND service = ? AND mois >= ?", [network, service, months[0]]
        )
        spoken: dict[str, int] = defaultdict(int)
        for line in voices:
            spoken[line["theme"]] += (line["voix"] or 0) if line["ressenti"] != ALL else 0
        themes = sorted((theme for theme in spoken if theme != ALL), key=lambda theme: (-spoken[theme], theme))
        for theme in [ALL, *[theme for theme in themes if spoken[theme]][:THEMES]]:
            of_theme = [line for line in voices if line["theme"] == theme]
            label = of_theme[0]["theme_libelle"] if of_theme else theme
            lines = [_month_of_voices(network, service, theme, month, of_theme) for month in months]
            yield voices_curve(f"{label}, mois par mois", lines, _voices_told(label, lines[-1]))

    def _months(self, network: str, service: str) -> list[str]:
        """Return every month from the first voice of a service to the last of all."""
        span = self.release.lines(
            "SELECT min(mois) FILTER (reseau = ? AND service = ?) AS first, max(mois) AS last FROM themes_voix",
            [network, service],
        )[0]
        first, last = (int(span[name][:4]) * 12 + int(span[name][5:]) - 1 for name in ("first", "last"))
        return [f"{number // 12}-{number % 12 + 1:02d}" for number in range(first, last + 1)]

    def _last(self) -> Line | None:
        """Return what was tested in the last month, all families together."""
        tests = self.release.lines("SELECT * FROM tests_signaux WHERE mois = (SELECT max(mois) FROM tests_signaux)")
        names = [name for name in _SUMMED if tests and name in tests[0]]  # older releases don't say which have a card
        return {"mois": tests[0]["mois"]} | {name: sum(x[name] for x in tests) for name in names} if tests else None

    def _ledger(self) -> list[Line]:
        last = f"SELECT DISTINCT mois FROM tests_signaux ORDER BY mois DESC LIMIT {PERIODS}"
        return self.release.lines(
            f"SELECT * FROM tests_signaux WHERE mois IN ({last}) ORDER BY mois DESC, famille, methode"
        )

    def _power(self) -> list[Line]:
        return self.release.lines("SELECT * FROM puissance_signaux ORDER BY service, reseau")


def _method_in_words(method: str, family: str = "") -> str:
    """Return a method in words; ``family``: of the ledger, where tests of indicators are counted apart."""
    return METHODS.get(method, method) + (", indicateurs" if family not in {"", method} else "")


def _checks(card: Line) -> list[tuple[str, str]]:
    """Return what each counter-explanation gave, with its title; those of a revised signal are told no more."""
    checks = () if card["etat"] == SignalState.REVISED else _CHECKS.items()
    return [(title, card[name] or SECRET) for name, title in checks if name in card]


def _card_facts(card: Line) -> Markup:
    """Return the figures of a card as attributes."""
    names = ("observe", "attendu", "rapport", "valeur_q", "voix", "jours", "part", "periodes")
    facts = [*signal_data({**card, "limite": None})[:3], ("etat-signal", card["etat"])]
    facts += [(name, repr(card[name])) for name in names if card[name] is not None]
    return Markup("").join(Markup(' data-{}="{}"').format(name, Markup(value)) for name, value in facts)


def _month_of_voices(network: str, service: str, theme: str, month: str, voices: Sequence[Line]) -> Line:
    """Return the voices of each feeling in a month, 0 where the release has no row: a theme's total is then hidden."""
    counts = {line["ressenti"]: line["voix"] for line in voices if line["mois"] == month}
    absent = {ALL: 0 if theme == ALL else None}
    return {"reseau": network, "service": service, "theme": theme, "mois": month} | {
        feeling: counts.get(feeling, absent.get(feeling, 0)) for feeling in FEELINGS
    }


def _voices_told(label: str, last: Line) -> str:
    """Say the last month, feeling by feeling where it is told."""
    words = {"négatif": "négatives", "positif": "positives", ALL: "en tout"}
    counts = [f"environ {last[feeling]} {word}" for feeling, word in words.items() if last[feeling]]
    if any(last[feeling] is None for feeling in words if feeling != ALL):
        counts.append(
            "trop peu d'autres pour en donner le nombre" if counts else "trop peu de voix pour en donner le nombre"
        )
    return f"{label}, en {month_in_words(last['mois'])} : {listed(counts) or 'aucune voix'}."
