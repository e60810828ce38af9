"""What a run tells at the end, network by network: what was accepted, refused and why, and where to look next.

On one screen: each network by year, what was refused, where to look; the rest is in the account.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.declarations import Catalogue
from pipelines.declarations.statuses import Status
from pipelines.flow.exports_folder import folder_lines, noted_folder
from pipelines.flow.output_folder import strangers
from pipelines.flow.publish import kind_of
from pipelines.flow.revisions import waiting_revisions
from pipelines.flow.state import ExportVerdict, NetworkYear
from pipelines.flow.store import Store
from pipelines.flow.waiting_plans import waiting_plans
from pipelines.mechanics.french import counted, number
from pipelines.release import history
from pipelines.report.facts import (
    Refusal,
    data_page,
    figures_kept,
    letter_of,
    missing,
    not_computed,
    refusals,
    to_check,
)
from pipelines.report.network_lines import from_here, network_lines

_NEXT_STEP = "  ces traitements dans Dagster : make ui, puis http://127.0.0.1:3000"
_ACCOUNT = "work/compte-rendu.txt"
_LINES_SHOWN = 5
_SCREEN = 24  # lines: an account as short as that is told whole


ACCEPTED, TO_LOOK_AT, REFUSED, ABSENT, FAILED, UNDUE = "✓", "!", "✗", "–", "?", "·"
LEGEND = (
    f"  {ACCEPTED} accepté   {TO_LOOK_AT} lignes refusées, export manquant ou à vérifier   {REFUSED} export refusé\n"
    f"  {ABSENT} rien de transmis   {FAILED} erreur de traitement   {UNDUE} année non attendue"
)
_NAME_WIDTH = 34  # of a network's title: with fifteen years, a line is as wide as a terminal of 80 columns
_EXPLANATION_WIDTH = 160


@dataclass(frozen=True)
class Summary:
    """One screen, the whole account, how many exports or rows were refused, the same as data with French names."""

    screen: str
    text: str
    refused: int
    facts: dict[str, Any]


@dataclass(frozen=True)
class RunOutcome:
    """What the runs gave: the network-years run, and whether the national job went well (else ``error`` says why).

    ``failures``: the steps that stopped on anything but a refusal, and why.
    """

    network_years: list[tuple[str, int]]
    succeeded: bool
    error: str = ""
    failures: tuple[str, ...] = ()


def summarise(catalogue: Catalogue, store: Store, outcome: RunOutcome) -> Summary:
    """Return the summary of the runs just made; the whole account is kept in the output, ``work/compte-rendu.txt``."""
    years = [store.read(network, year) for network, year in outcome.network_years]
    statement = store.tables_made().synthetic
    lines, refused = [], len(outcome.failures)
    for network in dict.fromkeys(network_year.network for network_year in years):
        network_told, count = network_lines(
            store, [network_year for network_year in years if network_year.network == network]
        )
        refused += count
        lines += [f"\n{catalogue.networks[network].title} ({network})", *network_told]
    notices = {
        "RÉVISIONS D'ANNÉES CLOSES À ACCEPTER (resultats revisions) :": [
            f"{revision.network} {revision.year} : {revision.fingerprint[:12]}" for revision in waiting_revisions(store)
        ],
        "DOSSIER D'EXPORTS, À REGARDER :": list(folder_lines(noted_folder(store))),
        "ERREURS DE TRAITEMENT :": list(outcome.failures),
    }
    ending = [*_strangers(store), *([f"\nATTENTION, DONNÉES SYNTHÉTIQUES. {statement}"] if statement else [])]
    ending += _datasets(catalogue, store) if outcome.succeeded else ["\nAUCUNE PUBLICATION :", outcome.error]
    account_lines = [*lines, *(line for title in notices for line in _section(title, notices[title]))]
    account = "\n".join([*account_lines, *ending])
    store.keep_text(_ACCOUNT, f"{account}\n")
    where = _shown(store, store.file(_ACCOUNT))
    shown = account_lines
    if account.count("\n") > _SCREEN:
        shown = [
            *refused_exports(store, years),
            *_section("SANS RÉSULTAT :", _shortened(_without_result(store, years))),
        ]
        shown += [line for title in notices for line in _section(title, _shortened(notices[title]))]
    screen = [*years_table(catalogue, store, years), "", totals(years), *shown, *ending]
    screen += [f"  compte rendu, réseau par réseau : {where}", *([_NEXT_STEP] if outcome.succeeded else [])]
    facts = _facts(catalogue, store, outcome, years) | {"refuses": refused, "donnees_synthetiques": statement}
    return Summary("\n".join(screen), account, refused, facts)


def _without_result(store: Store, years: list[NetworkYear]) -> list[str]:
    return [
        f"{network_year.network} {network_year.year}, {indicator} : {why}"
        for network_year in years
        for indicator, why in not_computed(store, network_year).items()
    ]


def _shortened(lines: list[str]) -> list[str]:
    others = len(lines) - _LINES_SHOWN
    return [*lines[:_LINES_SHOWN], f"… et {counted(others, 'autre')}, dans le compte rendu"] if others > 0 else lines


def _facts(catalogue: Catalogue, store: Store, outcome: RunOutcome, years: list[NetworkYear]) -> dict[str, Any]:
    return {
        "reussi": outcome.succeeded,
        "erreur": outcome.error,
        "erreurs_de_traitement": list(outcome.failures),
        "annees_de_reseau": [_network_year(store, known) for known in years],
        "dossier_d_exports": noted_folder(store),
        "revisions_a_accepter": [
            {"reseau": revision.network, "annee": revision.year, "empreinte": revision.fingerprint}
            for revision in waiting_revisions(store)
        ],
        "jeux_de_donnees": [
            {"id": dataset, "version": store.published(dataset).get("version")} for dataset in catalogue.datasets
        ],
        "publications_en_attente": [
            {"cible": plan["target"], "empreinte": plan["hash"], "a_accepter": bool(plan.get("blocked"))}
            for plan in waiting_plans(store)
        ],
    }


def _network_year(store: Store, network_year: NetworkYear) -> dict[str, Any]:
    return {
        "reseau": network_year.network,
        "annee": network_year.year,
        "recu": network_year.reception is not None and not network_year.reception_failed,
        "exports": {
            name: _export(verdict, letter_of(store, network_year, name))
            for name, verdict in network_year.current.items()
        },
        "a_verifier": list(to_check(network_year)),
        "calculs_impossibles": not_computed(store, network_year),
        "chiffres_conserves": figures_kept(store, network_year),
    }


def _export(verdict: ExportVerdict, letter: str | None) -> dict[str, Any]:
    facts = {
        "etat": verdict.status.value,
        "explication": verdict.explanation,
        "lignes_lues": verdict.read,
        "lignes_acceptees": verdict.accepted,
        "lignes_refusees": verdict.refused,
    }
    return facts | ({"lettre": letter} if letter else {})


def _section(title: str, content: Iterable[str]) -> list[str]:
    lines = [f"  {line}" for line in content]
    return [f"\n{title}", *lines] if lines else []


def _strangers(store: Store) -> list[str]:
    """Tell what the output holds that isn't ours: perhaps it was meant to be another folder."""
    names = strangers(store.output)
    shown = ", ".join(names[:5]) + ("…" if len(names) > 5 else "")
    return [f"\nLa sortie contient ce qui n'est pas de nous, et que rien ne touche : {shown}"] if names else []


def _datasets(catalogue: Catalogue, store: Store) -> list[str]:
    lines, waiting = ["\nJeux de données :"], waiting_plans(store)
    held_back = any(plan["blocked"] and not kind_of(plan["target"]).remote for plan in waiting)
    for dataset in catalogue.datasets:
        lines += dataset_lines(store, dataset, held_back=held_back)
    if store.site and (home := store.site / "index.html").exists():
        lines.append(f"  site public à ouvrir dans un navigateur : {_shown(store, home)}")
    for dataset in catalogue.datasets:
        if store.published(dataset):
            lines.append(f"  fichiers et permaliens : {_shown(store, data_page(catalogue, store, dataset))}")
    return [*lines, *(_waiting(store, plan) for plan in waiting)]


def dataset_lines(store: Store, dataset: str, *, held_back: bool) -> list[str]:
    """Tell the version made last, and the one that the local catalogue shows where it is another."""
    versions, shown = history.versions(store.releases, dataset), store.published(dataset).get("version")
    if not versions:
        return [f"  {dataset} : aucune version"]
    line = f"  {dataset} {versions[-1]} : {_shown(store, store.releases / dataset / versions[-1])}"
    if shown == versions[-1]:
        return [line]
    why = ", elle attend un accord (ci-dessous)" if held_back else ""
    before = f"publiée : {shown}" if shown else "aucune n'est encore publiée"
    return [line, f"    PAS ENCORE PUBLIÉE{why} ; {before}"]


def _waiting(store: Store, plan: dict[str, Any]) -> str:
    waiting = f"\nPUBLICATION EN ATTENTE ({plan['target']}) :\n{plan['text']}"
    if not plan.get("blocked"):
        return waiting
    accepting = (
        f"resultats publish --target {plan['target']} --output {_shown(store, store.output)} --accept {plan['hash']}"
    )
    return f'{waiting}\n  Pour accepter ce plan, tel qu\'il est : {accepting} --reason "…"'


def _shown(store: Store, path: Path) -> str:
    return from_here(store.address(path))


def year_mark(store: Store, network_year: NetworkYear) -> str:
    """Return the sign of a network-year: the worst of what its exports became."""
    reception = network_year.reception
    if reception is None or network_year.reception_failed or not_computed(store, network_year):
        return FAILED
    absent, handed_over = missing(network_year), [name for name, files in reception.exports.items() if files]
    if any(name not in network_year.current for name in handed_over):
        return FAILED
    verdicts = [network_year.current[name] for name in handed_over]
    if any(verdict.status == Status.REFUSED for verdict in verdicts):
        return REFUSED
    if not handed_over:
        return ABSENT
    doubtful = absent or any(verdict.refused for verdict in verdicts) or any(to_check(network_year))
    return TO_LOOK_AT if doubtful else ACCEPTED


def years_table(catalogue: Catalogue, store: Store, years: Sequence[NetworkYear]) -> list[str]:
    """Return the networks by year, a sign each; the years for which nobody sent anything aren't shown."""
    marks = {(network_year.network, network_year.year): year_mark(store, network_year) for network_year in years}
    shown = sorted({year for (_, year), mark in marks.items() if mark != ABSENT}) or sorted({y for _, y in marks})
    lines = [" " * (_NAME_WIDTH + 2) + " ".join(f"{year % 100:02d}" for year in shown)]
    for network in dict.fromkeys(network_year.network for network_year in years):
        cells = " ".join(f"{marks.get((network, year), UNDUE):>2}" for year in shown)
        lines.append(f"  {_cut(catalogue.networks[network].title, _NAME_WIDTH):<{_NAME_WIDTH}}{cells}")
    return [*lines, LEGEND]


def totals(years: Sequence[NetworkYear]) -> str:
    """Return how many rows were read, accepted and put aside, in one sentence (French)."""
    verdicts = [verdict for network_year in years for verdict in network_year.current.values()]
    read, refused = sum(verdict.read for verdict in verdicts), sum(verdict.refused for verdict in verdicts)
    aside = "aucune refusée" if not refused else counted(refused, "refusée")
    return f"{counted(read, 'ligne lue')} : {number(sum(v.accepted for v in verdicts))} acceptées, {aside}."


def refused_exports(store: Store, years: Sequence[NetworkYear]) -> list[str]:
    """Return the refused exports, three lines each: which, why, where its letter is."""
    refused = refusals(store, years)
    if not refused:
        return []
    lines = [f"\n{counted(len(refused), 'EXPORT REFUSÉ', 'EXPORTS REFUSÉS')}"]
    for refusal in refused[:_LINES_SHOWN]:
        lines += _refusal_lines(refusal)
    if len(refused) > _LINES_SHOWN:
        lines.append(f"  … et {counted(len(refused) - _LINES_SHOWN, 'autre')}, dans le compte rendu")
    return lines


def _refusal_lines(refusal: Refusal) -> Iterator[str]:
    years = ", ".join(str(year) for year in refusal.years)
    files = ", ".join(path for path, _ in refusal.files)
    yield f"  {REFUSED} {refusal.network} {years}, {refusal.export} : {files}"
    yield f"    {_cut(refusal.explanation, _EXPLANATION_WIDTH)}"
    if refusal.letter:
        yield f"    lettre : {from_here(refusal.letter)}"


def _cut(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    return text[: width - 1].rsplit(" ", 1)[0] + "…"
