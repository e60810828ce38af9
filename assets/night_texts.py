"""The record of an ended night as Markdown, for its file and for the UI. What it says is found in ``nights``.

The UI cuts no line of code, and hides behind a link a text of a thousand characters: hence lists, and a brief.
"""

import re
import textwrap
from collections.abc import Mapping
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.mechanics.french import counted

FINE = ("nouveaux résultats", "résultats inchangés")
_MARKS = re.compile(r"([\\`*\[\]<>])")  # that Markdown would take for its own
_LINK = re.compile(r"(.+) : (\S+://\S+/)([^/\s]+)")


def whole(catalogue: Catalogue, record: Mapping[str, Any]) -> str:
    """Return the whole summary of a night."""
    done = record["a_traiter"]
    lines = [f"# Nuit {record['nuit']}", "", *_incomplete(record)]
    if "erreur" in record:
        lines += [f"**La veille a échoué : rien n'a été traité, rien n'est changé.** {record['erreur']}", ""]
    else:
        lines += [
            f"- {record['reseaux']} réseaux, {record['annees_de_reseau']} années de réseau, {len(done)} à traiter.",
            f"- Tables nationales et publication : {' '.join(record['national'].split())}",
            "",
        ]
    if done:
        lines += ["| réseau | année | pourquoi | résultat |", "|---|---|---|---|"]
        lines += [f"| {x['network']} | {x['year']} | {_cell(x['why'])} | {_cell(x['resultat'])} |" for x in done]
        lines += ["", *_details(done)]
    if record["ignores"]:
        lines += ["Années closes, changements ignorés (rouvrir l'année ou déclarer une correction) :", ""]
        lines += [*(f"- {x['network']} {x['year']} : {x['why']}" for x in record["ignores"]), ""]
    quiet = [key for key in catalogue.networks if key not in {x["network"] for x in done}]
    if quiet and "erreur" not in record:
        lines += [f"Rien de nouveau : {', '.join(quiet)}.", ""]
    return "\n".join(lines)


def in_brief(record: Mapping[str, Any]) -> str:
    """Return the head of an ended night as Markdown, short enough (some 900 characters) for the UI to show it at once.

    Counts by outcome, then what needs to be looked at; the rest is in the whole summary.
    """
    done = record["a_traiter"]
    fine = [item for item in done if item["resultat"] in FINE]
    others = [f"- {x['network']} {x['year']} : {_short(x['resultat'], 90)}" for x in done if x not in fine]
    counts = {told: sum(item["resultat"] == told for item in fine) for told in FINE} | {"à regarder": len(others)}
    told = ", ".join(f"{count} × {words}" for words, count in counts.items() if count)
    lines = [f"**La veille a échoué.** {_short(record['erreur'], 300)}", ""] if "erreur" in record else []
    lines += [*_incomplete(record), f"- {len(done)} à traiter{f' : {told}' if told else ''}"]
    lines += [f"- tables nationales et publication : {_short(record['national'], 150)}", *others[:5]]
    return "\n".join([*lines, f"- et {counted(len(others) - 5, 'autre')} : voir `bilan`"] if len(others) > 5 else lines)


def _incomplete(record: Mapping[str, Any]) -> list[str]:
    """Say that a night isn't whole, and why; nothing when it is."""
    left = sum(not item["fait"] for item in record["a_traiter"])
    why = []
    if record["depassee_par"]:
        why.append(f"la nuit {record['depassee_par']} a commencé avant sa fin")
    if left:
        why.append(f"{counted(left, 'traitement')} sur {len(record['a_traiter'])} sans résultat")
    return [f"**Nuit inachevée : {' ; '.join(why)}.**", ""] if why else []


def _details(done: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    for item in done:
        if item["detail"]:
            found = [_listed(line, item["year"]) for line in item["detail"]]
            lines += [f"**{item['network']}, {item['year']}**", "", *found, ""]
    return lines


def _listed(line: str, year: int) -> str:
    """Write a line of the summary of a command as an item of a list: the UI cuts no line of a block of code."""
    text = line.strip().removeprefix(f"{year}  ").removeprefix("- ")
    link = _LINK.fullmatch(text)
    told = f"{link[1]} : [{link[3]}]({link[2]}{link[3]})" if link else _MARKS.sub(r"\\\1", text)
    return f"{'  ' if line.startswith(' ' * 4) else ''}- {told}"


def _short(text: str, longest: int) -> str:
    return textwrap.shorten(_cell(text), longest, placeholder="…")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
