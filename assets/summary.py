"""What a run tells at the end, network by network: what was accepted, refused and why, and where to look next."""

from dataclasses import dataclass
from pathlib import Path

from assets.releases import synthetic_statement
from assets.resources import Workspace
from assets.run import RunOutcome
from assets.storage import Store, read_json
from pipelines.declarations import Catalogue


@dataclass(frozen=True)
class Summary:
    """The text to print, and how many exports or rows were refused."""

    text: str
    refused: int


def summarise(catalogue: Catalogue, workspace: Workspace, outcome: RunOutcome) -> Summary:
    """Return the summary of the runs just made."""
    store = workspace.store
    lines, refused = [], 0
    for network in dict.fromkeys(network for network, _ in outcome.network_years):
        years = [year for name, year in outcome.network_years if name == network]
        told = [_network_year(store, network, year) for year in years]
        refused += sum(count for _, count in told)
        lines += [f"\n{catalogue.networks[network].title} ({network})", *(line for found, _ in told for line in found)]
    statement = synthetic_statement(workspace.root)
    warning = [f"\nATTENTION, DONNÉES SYNTHÉTIQUES. {statement}"] if statement else []
    if not outcome.succeeded:
        return Summary("\n".join([*lines, *warning, "\nAUCUNE PUBLICATION :", outcome.error]), refused)
    return Summary("\n".join([*lines, *warning, *_places(catalogue, store), *_next_steps()]), refused)


def _network_year(store: Store, network: str, year: int) -> tuple[list[str], int]:
    folder = store.network_year(network, year)
    reception, report = read_json(folder / "reception.json"), read_json(folder / "report.json")
    lines, refused = [], 0
    for news in (file for files in reception["exports"].values() for file in files if file["news"] == "modifié"):
        lines.append(f"  {year}  NOUVEAU CONTENU sous le même nom : {news['path']}")
    if not reception["exports"]:
        return [*lines, f"  {year}  rien n'est attendu"], 0
    if not any(reception["exports"].values()):
        return [*lines, f"  {year}  NON TRANSMIS : {', '.join(reception['exports'])}"], 0
    for export, receipt in report["exports"].items():
        line = f"  {year}  {export} : "
        if receipt["etat"] == "accepté":
            line += f"{receipt['lignes_acceptees']} lignes acceptées"
            refused += receipt["lignes_refusees"]
            if receipt["lignes_refusees"]:
                line += f", {receipt['lignes_refusees']} écartées"
        else:
            line += f"{receipt['etat'].upper()}. {receipt['explication']}"
            refused += receipt["etat"] == "rejeté"
        lines.append(line)
        lines += _reasons(report, export) if receipt["lignes_refusees"] else []
        if receipt["lignes_refusees"]:
            lines.append(f"          détail : {_shown(folder / f'{export}-anomalies.csv')}")
    return lines, refused


def _reasons(report: dict[str, list[dict[str, object]]], export: str) -> list[str]:
    found = []
    for item in report["anomalies"]:
        if item["export"] == export and item["severite"] == "erreur" and item["premiere_ligne"]:
            rows = f"ligne {item['premiere_ligne']}"
            if item["nombre"] != 1:
                rows = f"{item['nombre']} fois, lignes {item['premiere_ligne']} à {item['derniere_ligne']}"
            column = f" (colonne « {item['colonne']} »)" if item["colonne"] else ""
            found.append(f"          - {item['message']}{column} {rows}")
    return found


def _places(catalogue: Catalogue, store: Store) -> list[str]:
    lines = ["\nJeux de données publiés :"]
    for dataset in catalogue.datasets:
        folder = store.catalogue / dataset / "dataset.json"
        version = (read_json(folder) or {}).get("version", "?")
        lines.append(f"  {dataset} {version} : {_shown(store.releases / dataset / str(version))}")
    return [*lines, f"  catalogue à ouvrir dans un navigateur : {_shown(store.catalogue / 'index.html')}"]


def _next_steps() -> list[str]:
    return ["\nPour voir ces traitements dans Dagster : make ui, puis http://127.0.0.1:3000"]


def _shown(path: Path) -> str:
    """Show a path from the current folder when it is below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
