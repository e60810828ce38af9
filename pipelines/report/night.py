"""A night's record, ``work/nuits/<night>.json`` and ``.md``: what was to be done and why, then what came of it.

Begun by the look of the night, ended by whoever knows what became of its runs; no run is known here. The UI cuts no
line of code, and hides behind a link a text of a thousand characters: hence lists, and a brief.
"""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.flow.changes import Cell, Look
from pipelines.flow.revisions import waiting
from pipelines.flow.state import NetworkYear
from pipelines.flow.store import Store
from pipelines.mechanics.files import sha256
from pipelines.mechanics.french import counted
from pipelines.report.facts import figures_kept, not_computed
from pipelines.report.network_lines import NOT_RECEIVED, network_lines

NEW, SAME = "nouveaux résultats", "résultats inchangés"
_MARKS = re.compile(r"([\\`*\[\]<>])")  # that Markdown would take for its own
_LINK = re.compile(r"(.+) : (\S+://\S+/)([^/\s]+)")
_OTHERS = 5  # outcomes to look at that a brief names
_RECORD = "work/nuits/{}.json"
_LATEST = _RECORD.format("derniere")  # beside the records: which of them was begun last


@dataclass(frozen=True)
class Undone:
    """What became of a network-year that no run took to its end (French), and whether a run still ``goes_on``."""

    became: str
    goes_on: bool = False

    def sentence(self, following: Mapping[str, Any] | None) -> str:
        """Say what comes next; ``following``: the night that takes it up, if one does."""
        if self.goes_on:
            return f"{self.became} ; il va à son terme"
        if following:
            return f"{self.became} ; repris par la nuit {following['nuit']}"
        return f"{self.became} ; la prochaine veille le reprendra"


def begin_night(store: Store, night: str, look: Look, now: datetime, error: str | None = None) -> dict[str, Any]:
    """Write what the look of ``night`` found, and only then that it is the latest; return its record.

    ``error``: why the look itself failed. Nothing is run then, and what is published stays as it is.
    """
    record = {
        "nuit": night,
        "regardee_le": now.isoformat(timespec="seconds"),
        "reseaux": look.networks,
        "annees_de_reseau": look.network_years,
        "a_traiter": [{**cell.__dict__, "avant": _results_hash(store, cell.network, cell.year)} for cell in look.cells],
        "ignores": [cell.__dict__ for cell in look.ignored],
        "inachevees": _unfinished(store, night),
        "terminee_le": None,
    }
    if error is not None:
        record["erreur"] = error
    keep_night(store, record)
    store.keep(_LATEST, {"nuit": night})
    return record


def night_record(store: Store, night: str) -> dict[str, Any] | None:
    """Return the record of a night, or None."""
    return store.load(_RECORD.format(night), dict[str, Any])


def latest_night(store: Store) -> dict[str, Any] | None:
    """Return the record of the latest look, ended or not: the one that was named last, whatever any clock says."""
    named = store.load(_LATEST, dict[str, str]) or {}
    return night_record(store, named["nuit"]) if "nuit" in named else None


def cells_of(record: Mapping[str, Any]) -> list[Cell]:
    """Return the network-years that a night asks to run."""
    return [Cell(cell["network"], cell["year"], cell["why"]) for cell in record["a_traiter"]]


def end_night(
    store: Store,
    catalogue: Catalogue,
    record: dict[str, Any],
    errors: Mapping[tuple[str, int], str],
    national: str,
    now: datetime,
    *,
    undone: Mapping[tuple[str, int], Undone] | None = None,
    following: Mapping[str, Any] | None = None,
) -> str:
    """Complete the record of a night with what came of it, network by network; write and return it as Markdown.

    The record itself is for the caller to keep, once all is told: a night without an end is told again.

    ``errors``: network-years whose steps stopped on anything but a refusal, and why. ``national``: what became of the
    national tables and the release (French). ``undone``: network-years that no run took to their end.
    ``following``: the night that began before this one was over.
    """
    taken_up = {(cell.network, cell.year) for cell in cells_of(following)} if following else set()
    for entry in record["a_traiter"]:
        place = entry["network"], entry["year"]
        unended = (undone or {}).get(place)
        left = unended.sentence(following if place in taken_up else None) if unended else None
        network_year = store.read(*place)
        entry["fait"] = left is None
        entry["resultat"] = left or _outcome(store, catalogue, network_year, errors.get(place), entry["avant"])
        entry["detail"] = network_lines(store, [network_year])[0] if network_year.network in catalogue.networks else []
    record |= {
        "national": national,
        "depassee_par": following["nuit"] if following else None,
        "terminee_le": now.isoformat(timespec="seconds"),
    }
    text = night_text(catalogue, record)
    store.keep_text(f"work/nuits/{record['nuit']}.md", text)
    return text


def keep_night(store: Store, record: Mapping[str, Any]) -> None:
    """Write the record of a night as it is now."""
    store.keep(_RECORD.format(record["nuit"]), record)


def _outcome(
    store: Store, catalogue: Catalogue, network_year: NetworkYear, error: str | None, before: str | None
) -> str:
    """Say in French what became of a network-year: what went wrong first, then whether its results changed."""
    network, year = network_year.network, network_year.year
    declared = catalogue.networks.get(network)
    still_published = (
        " ; ce qui avait été reçu auparavant reste publié"
        if network_year.reception and network_year.reception_failed
        else ""
    )
    if error:
        return f"ERREUR : {error}{still_published}"
    if declared is None:
        return "réseau inconnu du service en marche : recharger les définitions"
    if declared.closed(year) and (proposal := waiting(store, network, year)):
        return f"année close : révision {proposal.fingerprint[:12]} à accepter"
    if fault := _fault(store, network_year):
        return f"{fault}{still_published}"
    if waiting_for_others := figures_kept(store, network_year):
        return f"résultats provisoires : {' ; '.join(waiting_for_others)}"
    return SAME if _results_hash(store, network, year) == before else NEW


def _fault(store: Store, network_year: NetworkYear) -> str:
    """Say why a network-year has no new results, or nothing when it has."""
    if network_year.reception is None or network_year.reception_failed:
        return NOT_RECEIVED
    if not network_year.reception.handed_over:
        return "rien n'a été transmis"
    if not network_year.judged or network_year.verdict is None:
        return "ERREUR : le contrôle n'a pas abouti"
    if not network_year.verdict.accepted:
        return "REJETÉ : voir la lettre"
    failures = not_computed(store, network_year)
    return f"ERREUR : calcul impossible de {', '.join(failures)}" if failures else ""


def _unfinished(store: Store, night: str) -> list[str]:
    """Name the nights before ``night`` that have no end yet: this one ends them, as incomplete."""
    before = latest_night(store)
    if before is None or before["terminee_le"]:
        return []
    names = (*before.get("inachevees", ()), before["nuit"])
    return [name for name in names if name != night]  # looked at again, it goes on


def _results_hash(store: Store, network: str, year: int) -> str | None:
    try:
        return sha256(store.network_year(network, year) / "results.parquet")
    except FileNotFoundError:
        return None


def night_text(catalogue: Catalogue, record: Mapping[str, Any]) -> str:
    """Return the whole summary of a night."""
    cells = record["a_traiter"]
    lines = [f"# Nuit {record['nuit']}", "", *_incomplete(record)]
    if "erreur" in record:
        lines += [f"**La veille a échoué : rien n'a été traité, rien n'est changé.** {record['erreur']}", ""]
    else:
        lines += [
            f"- {record['reseaux']} réseaux, {record['annees_de_reseau']} années de réseau, {len(cells)} à traiter.",
            f"- Tables nationales et publication : {' '.join(record['national'].split())}",
            "",
        ]
    if cells:
        lines += ["| réseau | année | pourquoi | résultat |", "|---|---|---|---|"]
        lines += [f"| {x['network']} | {x['year']} | {_cell(x['why'])} | {_cell(x['resultat'])} |" for x in cells]
        lines += ["", *_details(cells)]
    if record["ignores"]:
        lines += ["Années closes, changements ignorés (rouvrir l'année ou déclarer une correction) :", ""]
        lines += [*(f"- {x['network']} {x['year']} : {x['why']}" for x in record["ignores"]), ""]
    quiet = [key for key in catalogue.networks if key not in {x["network"] for x in cells}]
    if quiet and "erreur" not in record:
        lines += [f"Rien de nouveau : {', '.join(quiet)}.", ""]
    return "\n".join(lines)


def night_brief(record: Mapping[str, Any]) -> str:
    """Return the head of an ended night as Markdown, short enough (some 900 characters) for the UI to show it at once.

    Counts by outcome, then what needs to be looked at; the rest is in the whole summary.
    """
    cells = record["a_traiter"]
    others = [x for x in cells if x["resultat"] not in (NEW, SAME)]
    counts = {words: sum(x["resultat"] == words for x in cells) for words in (NEW, SAME)} | {"à regarder": len(others)}
    outcomes = ", ".join(f"{count} × {words}" for words, count in counts.items() if count)
    lines = [f"**La veille a échoué.** {_short(record['erreur'], 300)}", ""] if "erreur" in record else []
    lines += [*_incomplete(record), f"- {len(cells)} à traiter{f' : {outcomes}' if outcomes else ''}"]
    lines.append(f"- tables nationales et publication : {_short(record['national'], 150)}")
    lines += [f"- {x['network']} {x['year']} : {_short(x['resultat'], 90)}" for x in others[:_OTHERS]]
    if len(others) > _OTHERS:
        lines.append(f"- et {counted(len(others) - _OTHERS, 'autre')} : voir `bilan`")
    return "\n".join(lines)


def _incomplete(record: Mapping[str, Any]) -> list[str]:
    """Say that a night isn't whole, and why; nothing when it is."""
    left = sum(not cell["fait"] for cell in record["a_traiter"])
    why = []
    if record["depassee_par"]:
        why.append(f"la nuit {record['depassee_par']} a commencé avant sa fin")
    if left:
        why.append(f"{counted(left, 'traitement')} sur {len(record['a_traiter'])} sans résultat")
    return [f"**Nuit inachevée : {' ; '.join(why)}.**", ""] if why else []


def _details(cells: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    for cell in cells:
        if cell["detail"]:
            listed = [_listed(line, cell["year"]) for line in cell["detail"]]
            lines += [f"**{cell['network']}, {cell['year']}**", "", *listed, ""]
    return lines


def _listed(line: str, year: int) -> str:
    """Write a line of the summary of a command as an item of a list: the UI cuts no line of a block of code."""
    text = line.strip().removeprefix(f"{year}  ").removeprefix("- ")
    link = _LINK.fullmatch(text)
    shown = f"{link[1]} : [{link[3]}]({link[2]}{link[3]})" if link else _MARKS.sub(r"\\\1", text)
    return f"{'  ' if line.startswith(' ' * 4) else ''}- {shown}"


def _short(text: str, longest: int) -> str:
    return textwrap.shorten(_cell(text), longest, placeholder="…")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
