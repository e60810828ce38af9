"""What a run tells at the end, network by network: what was accepted, refused and why, and where to look next."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.resources import Workspace
from assets.waiting import waiting_plans
from pipelines.declarations import Catalogue
from pipelines.declarations.roles import TOLD
from pipelines.flow.compute import failures_of
from pipelines.flow.exports_folder import folder_lines, noted_folder
from pipelines.flow.receive import last_reception, left_behind, told_of_reception
from pipelines.flow.revisions import waiting_revisions
from pipelines.flow.store import Store, read_json
from pipelines.mechanics.french import counted
from pipelines.release import history
from pipelines.targets.target import LOCAL
from pipelines.validate.verdict import TOLD_OF_FILES


@dataclass(frozen=True)
class Summary:
    """The text to print, how many exports or rows were refused, and the same as plain data with French names."""

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


def summarise(catalogue: Catalogue, workspace: Workspace, outcome: RunOutcome) -> Summary:
    """Return the summary of the runs just made."""
    store = workspace.store
    lines, refused = [], 0
    for network in dict.fromkeys(network for network, _ in outcome.network_years):
        years = [year for name, year in outcome.network_years if name == network]
        told, count = network_lines(store, network, years)
        refused += count
        lines += [f"\n{catalogue.networks[network].title} ({network})", *told]
    lines += [*_revisions(store), *_folder(store), *_strangers(store)]
    statement = (read_json(store.national / "provenance.json") or {}).get("synthetic")
    warning = [f"\nATTENTION, DONNÉES SYNTHÉTIQUES. {statement}"] if statement else []
    if outcome.failures:
        lines += ["\nERREURS DE TRAITEMENT :", *(f"  {failure}" for failure in outcome.failures)]
        refused += len(outcome.failures)
    end = (
        [*_places(catalogue, store), *_next_steps()] if outcome.succeeded else ["\nAUCUNE PUBLICATION :", outcome.error]
    )
    facts = _facts(catalogue, store, outcome) | {"refuses": refused, "donnees_synthetiques": statement}
    return Summary("\n".join([*lines, *warning, *end]), refused, facts)


def _facts(catalogue: Catalogue, store: Store, outcome: RunOutcome) -> dict[str, Any]:
    """Return what the runs just made gave, for programs."""
    return {
        "reussi": outcome.succeeded,
        "erreur": outcome.error,
        "erreurs_de_traitement": list(outcome.failures),
        "annees_de_reseau": [_network_year(store, network, year) for network, year in outcome.network_years],
        "dossier_d_exports": noted_folder(store),
        "revisions_a_accepter": [
            {"reseau": item.network, "annee": item.year, "empreinte": item.fingerprint}
            for item in waiting_revisions(store)
        ],
        "jeux_de_donnees": [
            {"id": dataset, "version": (read_json(store.catalogue / dataset / "dataset.json") or {}).get("version")}
            for dataset in catalogue.datasets
        ],
        "publications_en_attente": [
            {"cible": plan["target"], "empreinte": plan["hash"], "a_accepter": bool(plan.get("blocked"))}
            for plan in waiting_plans(store)
        ],
    }


def _network_year(store: Store, network: str, year: int) -> dict[str, Any]:
    folder = store.network_year(network, year)
    reception, report = last_reception(store, network, year), read_json(folder / "report.json")
    current = reception and report and report["reception"] == reception["fingerprint"]
    known = ("etat", "explication", "lignes_lues", "lignes_acceptees", "lignes_refusees")
    exports = {
        export: {key: receipt[key] for key in known}
        | ({"lettre": store.letter(letter)} if (letter := folder / f"{export}-lettre.html").exists() else {})
        for export, receipt in (report["exports"] if current else {}).items()
    }
    return {
        "reseau": network, "annee": year, "recu": bool(reception) and not (reception or {}).get("failed"),
        "exports": exports, "a_verifier": to_check(report, reception) if reception else [],
        "calculs_impossibles": failures_of(store, network, year),
    }  # fmt: skip


def _folder(store: Store) -> list[str]:
    """Tell what the exports folder holds that no declaration expects, or that was not followed."""
    lines = [f"  {line}" for line in folder_lines(noted_folder(store))]
    return ["\nDOSSIER D'EXPORTS, À REGARDER :", *lines] if lines else []


def _revisions(store: Store) -> list[str]:
    """Tell the revisions of closed years that wait to be accepted."""
    lines = [f"  {item.network} {item.year} : {item.fingerprint[:12]}" for item in waiting_revisions(store)]
    told = "\nRÉVISIONS D'ANNÉES CLOSES À ACCEPTER (resultats revisions) :"
    return [told, *lines] if lines else []


def _strangers(store: Store) -> list[str]:
    """Tell what the output holds that isn't ours: perhaps it was meant to be another folder."""
    found = store.strangers()
    told = f"\nLa sortie contient ce qui n'est pas de nous, et que rien ne touche : {', '.join(found[:5])}"
    return [f"{told}{'…' if len(found) > 5 else ''}"] if found else []


def network_lines(store: Store, network: str, years: list[int]) -> tuple[list[str], int]:
    """Return what to tell of the years of a network (French), and how many exports or rows were refused."""
    lines: list[str] = []
    refused = 0
    absent: dict[str, list[int]] = {}
    for year in years:
        folder = store.network_year(network, year)
        reception, report = last_reception(store, network, year), read_json(folder / "report.json")
        if not reception or reception.get("failed"):
            before = " ; ce qui suit date de la réception précédente, et reste publié" if reception else ""
            lines.append(f"  {year}  ERREUR : les fichiers n'ont pas pu être reçus{before}")
        if not reception:
            continue
        lines += [*_news(reception, year), *(f"  {year}  ATTENTION, {told}" for told in told_of_reception(reception))]
        lines += [f"  {year}  À VÉRIFIER, {told}" for told in to_check(report, reception)]
        current = report if report and report["reception"] == reception["fingerprint"] else None
        lines += [
            f"  {year}  {name} : CALCUL IMPOSSIBLE. {error}"
            for name, error in failures_of(store, network, year).items()
        ]
        for export, files in reception["exports"].items():
            receipt = current["exports"].get(export) if files and current else None
            if files and receipt is None:
                lines.append(f"  {year}  {export} : ERREUR DE TRAITEMENT. {_unjudged(reception)}")
                continue
            if not files and left_behind(reception, export):
                continue  # told above: it is there
            if receipt is None or receipt["etat"] == "non transmis":
                absent.setdefault(export, []).append(year)
                continue
            refused += receipt["lignes_refusees"] + (receipt["etat"] == "rejeté")
            lines += [f"  {year}  {export} : {_verdict(receipt)}", *_detail(store, report, export, receipt, folder)]
    return [*lines, *(f"  {_years(missing)}  {export} : NON TRANSMIS" for export, missing in absent.items())], refused


def to_check(report: Any, reception: dict[str, Any]) -> list[str]:
    """Return what the data team is asked to look at in files that were accepted as they are (French)."""
    if not report or report["reception"] != reception["fingerprint"]:
        return []
    doubts = [f"{item['export']} : {item['message']}" for item in report.get("doutes", ()) if not item["bloque"]]
    for item in report["anomalies"]:
        if item["regle"] in TOLD_OF_FILES and item["severite"] == "avertissement":
            row = f" (ligne {item['premiere_ligne']})" if item["premiere_ligne"] else ""
            doubts.append(f"{item['export']} : « {item['fichier']} »{row}. {item['message']}")
        elif item["regle"] in TOLD:
            column = f" (colonne « {item['colonne']} »)" if item["colonne"] else ""
            doubts.append(f"{item['export']} : {item['message']}{column} {counted(item['nombre'], 'ligne')}")
    return doubts


def _unjudged(reception: dict[str, Any]) -> str:
    """Say why files that were received have no verdict: it is never the network's fault."""
    return reception.get("damaged") or "Les fichiers reçus n'ont pas pu être contrôlés ; le réseau n'a rien à faire."


def _news(reception: dict[str, Any], year: int) -> list[str]:
    changed = [file for files in reception["exports"].values() for file in files if file["news"] == "modifié"]
    return [f"  {year}  NOUVEAU CONTENU sous le même nom : {file['path']}" for file in changed]


def _verdict(receipt: dict[str, Any]) -> str:
    if receipt["etat"] != "accepté":
        return f"{receipt['etat'].upper()}. {receipt['explication']}"
    refused = receipt["lignes_refusees"]
    aside = f", {counted(refused, 'écartée')}" if refused else ""
    return f"{counted(receipt['lignes_acceptees'], 'ligne acceptée')}{aside}"


def _detail(store: Store, report: dict[str, Any], export: str, receipt: dict[str, Any], folder: Path) -> list[str]:
    lines = []
    if receipt["lignes_refusees"]:
        lines = [*_reasons(report, export), f"          détail : {_shown(store, folder / f'{export}-anomalies.csv')}"]
    letter = folder / f"{export}-lettre.html"
    return [*lines, f"          lettre au réseau : {_from_here(store.letter(letter))}"] if letter.exists() else lines


def _years(years: list[int]) -> str:
    """Write years as ranges: 2010-2014, 2018."""
    ranges: list[list[int]] = []
    for year in years:
        if ranges and ranges[-1][-1] == year - 1:
            ranges[-1].append(year)
        else:
            ranges.append([year])
    return ", ".join(f"{group[0]}-{group[-1]}" if len(group) > 1 else str(group[0]) for group in ranges)


def _reasons(report: dict[str, Any], export: str) -> list[str]:
    found = []
    for item in report["anomalies"]:
        if item["export"] == export and item["severite"] == "erreur" and item["premiere_ligne"]:
            rows = f"ligne {item['premiere_ligne']}"
            if item["nombre"] != 1:
                rows = (
                    f"{counted(item['nombre'], 'ligne')}, de la {item['premiere_ligne']} à la {item['derniere_ligne']}"
                )
            column = f" (colonne « {item['colonne']} »)" if item["colonne"] else ""
            found.append(f"          - {item['message']}{column} {rows}")
    return found


def _places(catalogue: Catalogue, store: Store) -> list[str]:
    lines, waiting = ["\nJeux de données :"], waiting_plans(store)
    held_back = any(plan["target"] == LOCAL and plan["blocked"] for plan in waiting)
    for dataset in catalogue.datasets:
        lines += _versions(store, dataset, held_back)
    return [
        *lines,
        f"  catalogue à ouvrir dans un navigateur : {_shown(store, store.catalogue / 'index.html')}",
        *(_waiting(store, item) for item in waiting),
    ]


def _versions(store: Store, dataset: str, held_back: bool) -> list[str]:
    """Tell the version made last, and the one that the local catalogue shows where it is another."""
    published = (read_json(store.catalogue / dataset / "dataset.json") or {}).get("version")
    known = history.versions(store.releases, dataset)
    if not known:
        return [f"  {dataset} : aucune version"]
    told = f"  {dataset} {known[-1]} : {_shown(store, store.releases / dataset / known[-1])}"
    if published == known[-1]:
        return [told]
    shown = f"publiée : {published}" if published else "aucune n'est encore publiée"
    return [told, f"    PAS ENCORE PUBLIÉE{', elle attend un accord (ci-dessous)' * held_back} ; {shown}"]


def _waiting(store: Store, plan: dict[str, Any]) -> str:
    told = f"\nPUBLICATION EN ATTENTE ({plan['target']}) :\n{plan['text']}"
    if not plan.get("blocked"):
        return told
    accepting = (
        f"resultats publish --target {plan['target']} --output {_shown(store, store.output)} --accept {plan['hash']}"
    )
    return f'{told}\n  Pour accepter ce plan, tel qu\'il est : {accepting} --reason "…"'


def _next_steps() -> list[str]:
    return ["\nPour voir ces traitements dans Dagster : make ui, puis http://127.0.0.1:3000"]


def _shown(store: Store, path: Path) -> str:
    return _from_here(store.address(path))


def _from_here(place: str) -> str:
    """Show a path from the current folder when it is below it."""
    try:
        return str(Path(place).relative_to(Path.cwd())) if "://" not in place else place
    except ValueError:
        return place
