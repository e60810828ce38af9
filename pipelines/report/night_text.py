"""The record of an ended night as Markdown, for its file and for the UI. What it says is found in ``night``.

The UI cuts no line of code, and hides behind a link a text of a thousand characters: hence lists, and a brief.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from pipelines.mechanics.french import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.declarations import Catalogue

NEW, SAME = "nouveaux résultats", "résultats inchangés"
_MARKS = re.compile(r"([\\`*\[\]<>])")  # that Markdown would take for its own
_LINK = re.compile(r"(.+) : (\S+://\S+/)([^/\s]+)")
_OTHERS = 5  # outcomes to look at that a brief names


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
    told = ", ".join(f"{count} × {words}" for words, count in counts.items() if count)
    lines = [f"**La veille a échoué.** {_short(record['erreur'], 300)}", ""] if "erreur" in record else []
    lines += [*_incomplete(record), f"- {len(cells)} à traiter{f' : {told}' if told else ''}"]
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
