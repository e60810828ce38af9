"""Gathers what every network-year left in the store, for the national tables.

A network-year that is out of date counts as failed.
"""

from typing import Any

import pandas as pd

from assets.results import FRAMES
from assets.storage import Store, read_frame, read_json
from pipelines.compute.network_year import RESULT_COLUMNS
from pipelines.compute.tables import NationalInputs
from pipelines.declarations import Catalogue, Network
from pipelines.validate.messages import title

_FINDING = (
    "fichier",
    "empreinte",
    "regle",
    "colonne",
    "severite",
    "nombre",
    "premiere_ligne",
    "derniere_ligne",
    "message",
)
_RECEIPT = ("etat", "motif", "lignes_lues", "lignes_acceptees", "lignes_refusees")


def gather(catalogue: Catalogue, store: Store, *, synthetic: bool) -> NationalInputs:
    """Read receptions, reports and results of every network and year that is owed."""
    receipts: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    corrections: list[dict[str, Any]] = []
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in FRAMES}
    failed = set()
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            place = {"reseau": network, "annee": year}
            exports, anomalies, corrected = _receipts(store, declared, network, year)
            receipts += [{**place, "export": name, **receipt} for name, receipt in exports.items()]
            findings += [{**place, **item} for item in anomalies]
            corrections += [{"reseau": network, **item} for item in corrected]
            if not any(receipt["etat"] == "accepté" for receipt in exports.values()):
                continue
            if _results_are_current(store, network, year):
                folder = store.network_year(network, year)
                expected = catalogue.expected(network, year)
                for name in FRAMES:
                    frame = read_frame(folder / f"{name}.parquet").assign(reseau=network, annee=year)
                    if "indicateur" in frame:  # an older year may hold an indicator that is declared no more
                        frame = frame[frame["indicateur"].isin(list(expected))]
                    frames[name].append(frame)
            else:
                failed.add((network, year))
    joined = {name: _joined(found) for name, found in frames.items()}
    if joined["results"].empty:
        joined["results"] = pd.DataFrame(columns=["reseau", *RESULT_COLUMNS])
    return NationalInputs(
        receipts=pd.DataFrame(receipts, columns=["reseau", "annee", "export", *_RECEIPT]),
        findings=_findings(catalogue, findings, receipts),
        failed=frozenset(failed),
        synthetic=synthetic,
        corrections=pd.DataFrame(corrections, columns=["reseau", "numero", "etat"]),
        **joined,
    )


def _receipts(
    store: Store, declared: Network, network: str, year: int
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the receipt of each export owed, and the anomalies and corrections of the report if it is current."""
    folder = store.network_year(network, year)
    reception, report = read_json(folder / "reception.json"), read_json(folder / "report.json")
    owed = [export.id for export in declared.exports if export.layout(year) is not None]
    current = bool(reception and report and report["reception"] == reception["fingerprint"])
    receipts = {name: _receipt(name, reception, report if current else None) for name in owed}
    return (receipts, report["anomalies"], report.get("corrections", [])) if current else (receipts, [], [])


def _receipt(export: str, reception: Any, report: Any) -> dict[str, Any]:
    if reception is None or export not in reception["exports"]:
        return {"etat": "non traité", "motif": "non-traite"}
    if not reception["exports"][export]:
        return {"etat": "non transmis", "motif": "non-transmis"}
    if report is None or export not in report["exports"]:
        return {"etat": "erreur", "motif": "erreur-traitement"}
    return {key: report["exports"][export][key] for key in _RECEIPT}


def _results_are_current(store: Store, network: str, year: int) -> bool:
    folder = store.network_year(network, year)
    report, results = read_json(folder / "report.json"), read_json(folder / "results.json")
    return bool(report and results and results["report"] == report["fingerprint"])


def _findings(catalogue: Catalogue, findings: list[dict[str, Any]], receipts: list[dict[str, Any]]) -> pd.DataFrame:
    """Add, to what was found in files, the files that never came."""
    absent = [
        {
            "reseau": item["reseau"],
            "annee": item["annee"],
            "export": item["export"],
            "fichier": _expected_path(catalogue, item),
            "empreinte": None,
            "regle": "fichier-absent",
            "colonne": None,
            "severite": "erreur",
            "nombre": 1,
            "message": title("fichier-absent"),
        }
        for item in receipts
        if item["etat"] == "non transmis"
    ]
    return pd.DataFrame([*findings, *absent], columns=["reseau", "annee", "export", *_FINDING], dtype="object")


def _expected_path(catalogue: Catalogue, receipt: dict[str, Any]) -> str:
    export = catalogue.networks[receipt["reseau"]].export(receipt["export"])
    layout = export.layout(receipt["annee"]) if export else None
    return layout.path.replace("{year}", str(receipt["annee"])) if layout else ""


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
