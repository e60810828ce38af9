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
from pipelines.declarations.statuses import REASONS, Status
from pipelines.mechanics.french import counted, day_in_words, decimal, number
from pipelines.mechanics.plain_text import one_line, spelled
from pipelines.validate.findings import MASKED
from pipelines.validate.grouped_findings import LONGEST_VALUE, grouped
from pipelines.validate.messages import UNREADABLE
from pipelines.validate.observations_writer import KEPT_ROWS
from pipelines.validate.personal import kinds

if TYPE_CHECKING:
    from datetime import date

    from jinja2 import Environment

    from pipelines.declarations import Catalogue, Network
    from pipelines.declarations.statuses import Account
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

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"count": number, "counted": counted, "fill": _fill}
    return environment


def _fill(text: str, first: str = "", others: str | None = None) -> str:
    """Wrap a paragraph at the width of the plain letter; French spaces don't break."""
    following = " " * len(first) if others is None else others
    for loose in (" :", " ;", " %", " »"):
        text = text.replace(loose, f"\u00a0{loose[1:]}")
    return textwrap.fill(
        text.replace("« ", "«\u00a0"),
        WIDTH,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )


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
    expected = layout.path.replace("{year}", str(year or "AAAA"))
    problems = grouped(verdict, export, layout, year)
    errors = [item for item in problems if item.severity == "erreur"]
    nothing_read = all(item.rule in UNREADABLE for item in errors)
    # Figures may be kept until more answers change: those of a survey of networks, not of a barometer.
    may_wait = export.kind == "survey" and verdict.state == Status.ACCEPTED and network not in catalogue.barometers
    share = decimal(100 * declared.acceptance_of(export).max_refused_share, 4)
    handed = verdict.files[0]["fichier"] if verdict.files else expected
    dated = ["--year", str(year)] if year else []
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
        "expected_file": one_line(expected, 200),
        "explanation": "" if not verdict.rows and problems else one_line(verdict.told_producer, 600),
        "problems": problems[:MOST_PROBLEMS],
        "left_out": max(0, len(problems) - MOST_PROBLEMS),
        "may_wait": _MAY_WAIT if may_wait else "",
        "consequences": consequences(catalogue, network, year, verdict),
        "expected_name": _expected_name(verdict, expected),
        "unreadable": [item for item in problems if item.rule in UNREADABLE] if errors and nothing_read else [],
        "command": shlex.join(
            ["resultats", "validate", _name(handed), "--network", network, "--export", export.id, *dated]
        ),
        "template": shlex.join(["resultats", "template", network, export.id, *dated]),
        "copy": copy,
        "kept": KEPT_ROWS,
        "limit": f"{share} %",
    }


def _state(verdict: Verdict) -> str:
    if verdict.state == Status.REFUSED:
        return "refusé"
    incomplete = verdict.state == Status.ACCEPTED and verdict.refused
    return f"{verdict.state}, incomplet" if incomplete else verdict.state


def _expected_name(verdict: Verdict, path: str) -> str:
    """Return the name that the file is sent again under: that of the workbook, for a filled template."""
    handed = [file_checked["fichier"].lower() for file_checked in verdict.files]
    filled = [
        name for name in workbooks_for(path) if any(file.endswith(name[name.rindex(".") :].lower()) for file in handed)
    ]
    return _name((filled or [path])[0])


def _name(path: str) -> str:
    return one_line(path.rsplit("/", 1)[-1], 200)


def consequences(catalogue: Catalogue, network: str, year: int | None, verdict: Verdict) -> list[dict[str, str]]:
    """Return what becomes of each indicator that the export feeds, in French: title, and what is published.

    A wave of a barometer feeds no indicator of networks, but all the tables of its barometer; texts feed voices.
    """
    declared = catalogue.networks[network]
    accounts = {account.indicator: account for account in verdict.accounts}
    if apart := catalogue.barometers.get(network) or catalogue.experiences.get(network):
        return [{"titre": apart.title, "publication": _published(verdict, [], None)}]
    by_indicator: dict[str, dict[str, str]] = {}
    for each in [year] if year is not None else list(declared.years):
        for identifier, feed in catalogue.expected(network, each).items():
            if verdict.export in feed.export and identifier not in by_indicator:
                others = [name for name in feed.export if name != verdict.export]
                publication = _published(verdict, others, accounts.get(identifier))
                title_of = catalogue.indicators[identifier].title
                by_indicator[identifier] = {"titre": title_of, "publication": publication}
    return list(by_indicator.values())


def _published(verdict: Verdict, others: list[str], account: Account | None) -> str:
    if account is not None:
        return _account_text(account)
    if verdict.state == Status.ACCEPTED:
        return f"calculé sur {counted(verdict.accepted, 'ligne acceptée' if verdict.refused else 'ligne')}"
    reason = verdict.state if verdict.state == Status.REFUSED else Status.NOT_HANDED_OVER
    if others:
        return f"calculé sans cet export, sur : {', '.join(others)} (absent si ces exports manquent aussi)"
    return f"absent, avec le motif « {reason} »"


def _account_text(account: Account) -> str:
    """Say what became of the accepted rows, reason by reason, with the values most often met."""
    if not account.accepted:
        return "aucune ligne de ses années dans ce fichier"
    if account.base == account.accepted:
        return f"calculé sur {counted(account.accepted, 'ligne')}, toutes dans la base"
    reasons = " ; ".join(_reason(account, reason) for reason in REASONS if account.outside.get(reason))
    inside = (
        f"calculé sur {number(account.base)} des {counted(account.accepted, 'ligne acceptée')}"
        if account.base
        else f"aucune ligne dans la base, sur {counted(account.accepted, 'ligne acceptée')}"
    )
    return f"{inside} ; hors de la base : {reasons}"


def _reason(account: Account, reason: str) -> str:
    """Say how many rows are out of the base for a reason; values come from the file, and are told to its producer."""
    rows, values_met = account.outside[reason], account.seen.get(reason, ())
    values = [f"{_value(value)} {number(count)}" for value, count in values_met]
    others = rows - sum(count for _, count in values_met)
    if values and others:
        values.append(f"autres {number(others)}")
    details = f" : {', '.join(values)}" if values else ""
    return f"{REASONS[reason]} ({number(rows)}{details})"


def _value(value: str) -> str:
    if not value:
        return "vide"
    return MASKED if kinds(value) else f"« {spelled(value, LONGEST_VALUE)} »"
