"""What a run tells on one screen: each network by year, what was refused, where to look. The rest is in the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.declarations.status import Status
from pipelines.mechanics.french import counted, number
from pipelines.report.facts import missing, not_computed, refusals, to_check
from pipelines.report.network_lines import from_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.declarations import Catalogue
    from pipelines.flow.state import NetworkYear
    from pipelines.flow.store import Store
    from pipelines.report.facts import Refusal

ACCEPTED, TO_LOOK_AT, REFUSED, ABSENT, FAILED, UNDUE = "✓", "!", "✗", "–", "?", "·"
LEGEND = (
    f"  {ACCEPTED} accepté   {TO_LOOK_AT} lignes refusées, export manquant ou à vérifier   {REFUSED} export refusé\n"
    f"  {ABSENT} rien de transmis   {FAILED} erreur de traitement   {UNDUE} année non attendue"
)
_NAME_WIDTH = 34  # of a network's title: with fifteen years, a line is as wide as a terminal of 80 columns
_EXPLANATION_WIDTH = 160
_REFUSALS_SHOWN = 5


def year_mark(store: Store, known: NetworkYear) -> str:
    """Return the sign of a network-year: the worst of what its exports became."""
    reception = known.reception
    if reception is None or known.reception_failed or not_computed(store, known):
        return FAILED
    absent, handed_over = missing(known), [name for name, files in reception.exports.items() if files]
    if any(name not in known.current for name in handed_over):
        return FAILED
    verdicts = [known.current[name] for name in handed_over]
    if any(verdict.status == Status.REFUSED for verdict in verdicts):
        return REFUSED
    if not handed_over:
        return ABSENT
    doubtful = absent or any(verdict.refused for verdict in verdicts) or any(to_check(known))
    return TO_LOOK_AT if doubtful else ACCEPTED


def years_table(catalogue: Catalogue, store: Store, years: Sequence[NetworkYear]) -> list[str]:
    """Return the networks by year, a sign each; the years for which nobody sent anything aren't shown."""
    marks = {(known.network, known.year): year_mark(store, known) for known in years}
    shown = sorted({year for (_, year), mark in marks.items() if mark != ABSENT}) or sorted({y for _, y in marks})
    lines = [" " * (_NAME_WIDTH + 2) + " ".join(f"{year % 100:02d}" for year in shown)]
    for network in dict.fromkeys(known.network for known in years):
        cells = " ".join(f"{marks.get((network, year), UNDUE):>2}" for year in shown)
        lines.append(f"  {_cut(catalogue.networks[network].title, _NAME_WIDTH):<{_NAME_WIDTH}}{cells}")
    return [*lines, LEGEND]


def totals(years: Sequence[NetworkYear]) -> str:
    """Return how many rows were read, accepted and put aside, in one sentence (French)."""
    verdicts = [verdict for known in years for verdict in known.current.values()]
    read, refused = sum(verdict.read for verdict in verdicts), sum(verdict.refused for verdict in verdicts)
    aside = "aucune refusée" if not refused else counted(refused, "refusée")
    return f"{counted(read, 'ligne lue')} : {number(sum(v.accepted for v in verdicts))} acceptées, {aside}."


def refused_exports(store: Store, years: Sequence[NetworkYear]) -> list[str]:
    """Return the refused exports, three lines each: which, why, where its letter is."""
    refused = refusals(store, years)
    lines = [line for refusal in refused[:_REFUSALS_SHOWN] for line in _refusal_lines(refusal)]
    others = len(refused) - _REFUSALS_SHOWN
    more = [f"  … et {counted(others, 'autre')}, dans le compte rendu"] if others > 0 else []
    return [f"\n{counted(len(refused), 'EXPORT REFUSÉ', 'EXPORTS REFUSÉS')}", *lines, *more] if refused else []


def _refusal_lines(refusal: Refusal) -> Iterator[str]:
    years = ", ".join(str(year) for year in refusal.years)
    files = ", ".join(path for path, _ in refusal.files)
    yield f"  {REFUSED} {refusal.network} {years}, {refusal.export} : {files}"
    yield f"    {_cut(refusal.explanation, _EXPLANATION_WIDTH)}"
    if refusal.letter:
        yield f"    lettre : {from_here(refusal.letter)}"


def _cut(text: str, width: int) -> str:
    """Return the text within a width, cut between words."""
    if len(text) <= width:
        return text
    return text[: width - 1].rsplit(" ", 1)[0] + "…"
