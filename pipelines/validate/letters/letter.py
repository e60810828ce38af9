"""The letter to the producer of a refused or incomplete export, as an HTML page and as plain text.

It says what was received, what is wrong and how to mend it, what is published meanwhile, how to check again, and where
to send the file, until when. No clock, no link, no value of a personal column.
"""

from __future__ import annotations

import shlex
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.compile.exports import workbooks_for
from pipelines.declarations.statuses import Status
from pipelines.mechanics.french import counted, day_in_words, number
from pipelines.mechanics.plain_text import one_line
from pipelines.validate.grouped_findings import grouped
from pipelines.validate.letters.row_accounts import account_text
from pipelines.validate.messages import UNREADABLE
from pipelines.validate.observations_writer import KEPT_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from jinja2 import Environment

    from pipelines.declarations import Catalogue, Export, Network
    from pipelines.declarations.statuses import Account
    from pipelines.validate.grouped_findings import Problem
    from pipelines.validate.verdict import Verdict

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 78
MOST_PROBLEMS = 60  # kinds of problems told in a letter: beyond, the file is not the right one
_MAY_WAIT = (
    "Si ces chiffres sont déjà publiés et que votre fichier n'y change que quelques réponses (moins que le seuil du "
    "secret statistique), ils restent ceux de la version précédente, dits provisoires, jusqu'à ce que d'autres "
    "réponses changent ou que l'année soit close."
)


@dataclass(frozen=True)
class Letter:
    """The same letter twice."""

    html: str
    text: str


def write_letter(
    catalogue: Catalogue,
    network: str,
    year: int | None,
    verdict: Verdict,
    *,
    copy: str | None = None,
    told_on: date | None = None,
) -> Letter:
    """Return the letter about an export.

    ``copy`` is the name of the annotated copy that goes with it, if any; ``told_on`` the day that it bears.
    """
    context = {**_context(catalogue, network, year, verdict, copy), **_sending(catalogue.networks[network], told_on)}
    templates = _environment()
    pages, text = (templates.get_template(f"letter.{kind}").render(context) for kind in ("html", "txt"))
    return Letter(pages, text)


@cache
def _environment() -> Environment:
    """Return what renders the letters: text in pages is escaped, in plain letters it isn't."""
    import jinja2  # noqa: PLC0415  (for letters alone)

    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {"count": number, "counted": counted, "fill": _fill}
    return found


def _fill(text: str, first: str = "", others: str | None = None) -> str:
    """Wrap a paragraph at the width of the plain letter; French spaces don't break."""
    following = " " * len(first) if others is None else others
    for loose in (" :", " ;", " %", " »"):
        text = text.replace(loose, f"\u00a0{loose[1:]}")
    return textwrap.fill(
        text.replace("« ", "«\u00a0"), WIDTH, initial_indent=first, subsequent_indent=following,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _sending(network: Network, told_on: date | None) -> dict[str, Any]:
    """Return the day of the letter, where and until when the file is sent again, and whom to ask, as declared."""
    until = network.resend_by(told_on)
    within = f"sous {counted(network.resend_within, 'jour')}" if network.resend_within else ""
    return {
        "told_on": day_in_words(told_on) if told_on else "",
        "until": f"avant le {day_in_words(until)}" if until else within,
        "deposit": network.deposit or "là où vous l'avez déposé",
        "contact": network.contact or "l'équipe données, qui vous a transmis cette lettre",
    }


def _context(
    catalogue: Catalogue, network: str, year: int | None, verdict: Verdict, copy: str | None
) -> dict[str, Any]:
    declared = catalogue.networks[network]
    export = declared.export(verdict.export)
    assert export is not None  # a verdict is about a declared export
    layout = export.layout_or_last(year)
    problems = grouped(verdict, export, layout, year)
    return {
        "network": declared,
        "network_id": network,
        "export": export,
        "year": year,
        "verdict": verdict,
        "state": _state(verdict),
        "files": [
            {**item, "fichier": one_line(item["fichier"], 200), "feuille": one_line(item.get("feuille", ""), 60)}
            for item in verdict.files
        ],
        "expected_file": one_line(layout.path.replace("{year}", str(year or "AAAA")), 200),
        "explanation": "" if not verdict.rows and problems else one_line(verdict.told_producer, 600),
        "problems": problems[:MOST_PROBLEMS],
        "left_out": max(0, len(problems) - MOST_PROBLEMS),
        "errors": sum(item.severity == "erreur" for item in problems),
        "may_wait": _MAY_WAIT if _may_wait(catalogue, network, export, verdict) else "",
        "consequences": consequences(catalogue, network, year, verdict),
        "expected_name": _expected_name(verdict, layout.path.replace("{year}", str(year or "AAAA"))),
        "unreadable": [item for item in problems if item.rule in UNREADABLE] if _is_unreadable(problems) else [],
        "command": _command(network, export, year, verdict, layout.path),
        "template": shlex.join(["resultats", "template", network, export.id, *(["--year", str(year)] if year else [])]),
        "copy": copy,
        "kept": KEPT_ROWS,
        "limit": _limit(declared, export),
    }


def _state(verdict: Verdict) -> str:
    if verdict.state == Status.ACCEPTED:
        return f"{verdict.state}, incomplet" if verdict.refused else verdict.state
    return "refusé" if verdict.state == Status.REFUSED else verdict.state


def _expected_name(verdict: Verdict, path: str) -> str:
    """Return the name that the file is sent again under: that of the workbook, for a filled template."""
    handed = [item["fichier"].lower() for item in verdict.files]
    filled = [
        name for name in workbooks_for(path) if any(file.endswith(name[name.rindex(".") :].lower()) for file in handed)
    ]
    return one_line((filled or [path])[0].rsplit("/", 1)[-1], 200)


def _is_unreadable(problems: Sequence[Problem]) -> bool:
    """Tell whether there is nothing to correct, as no file could be read."""
    errors = [item for item in problems if item.severity == "erreur"]
    return bool(errors) and all(item.rule in UNREADABLE for item in errors)


def _limit(network: Network, export: Export) -> str:
    return f"{100 * network.acceptance_of(export).max_refused_share:g}".replace(".", ",") + " %"


def _command(network: str, export: Export, year: int | None, verdict: Verdict, expected: str) -> str:
    """Return the command by which the producer checks the file again."""
    path = verdict.files[0]["fichier"] if verdict.files else expected.replace("{year}", str(year or "AAAA"))
    name = one_line(path.rsplit("/", 1)[-1], 200)
    words = ["resultats", "validate", name, "--network", network, "--export", export.id]
    return shlex.join([*words, *(["--year", str(year)] if year else [])])


def _may_wait(catalogue: Catalogue, network: str, export: Export, verdict: Verdict) -> bool:
    """Tell whether figures may be kept until more answers change: those of a survey of networks, not of a barometer."""
    return export.kind == "survey" and verdict.state == Status.ACCEPTED and network not in catalogue.barometers


def consequences(catalogue: Catalogue, network: str, year: int | None, verdict: Verdict) -> list[dict[str, str]]:
    """Return what becomes of each indicator that the export feeds, in French: title, and what is published.

    A wave of a barometer feeds no indicator of networks, but all the tables of its barometer; texts feed voices.
    """
    declared = catalogue.networks[network]
    accounts = {account.indicator: account for account in verdict.accounts}
    found: dict[str, dict[str, str]] = {}
    for each in [year] if year is not None else list(declared.years):
        for identifier, feed in catalogue.expected(network, each).items():
            if verdict.export in feed.export and identifier not in found:
                others = [name for name in feed.export if name != verdict.export]
                told = _published(verdict, others, accounts.get(identifier))
                found[identifier] = {"titre": catalogue.indicators[identifier].title, "publication": told}
    if apart := catalogue.barometers.get(network) or catalogue.experiences.get(network):
        return [{"titre": apart.title, "publication": _published(verdict, [], None)}]
    return list(found.values())


def _published(verdict: Verdict, others: list[str], account: Account | None) -> str:
    if account is not None:
        return account_text(account)
    if verdict.state == Status.ACCEPTED:
        return f"calculé sur {counted(verdict.accepted, 'ligne acceptée' if verdict.refused else 'ligne')}"
    reason = verdict.state if verdict.state == Status.REFUSED else Status.NOT_HANDED_OVER
    if others:
        return f"calculé sans cet export, sur : {', '.join(others)} (absent si ces exports manquent aussi)"
    return f"absent, avec le motif « {reason} »"
