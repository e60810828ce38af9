"""Gathers what every network-year left in the store, for the national tables.

A network-year that is out of date counts as failed.
"""

from typing import Any

import pandas as pd

from pipelines.compute.network_year import RESULT_COLUMNS
from pipelines.declarations import Catalogue, Network
from pipelines.declarations.bases import REASONS
from pipelines.flow.fingerprints import code_fingerprint, fingerprint
from pipelines.flow.receive import last_reception
from pipelines.flow.store import FRAMES, Store, read_frame, read_json, write_json
from pipelines.tables import NationalInputs
from pipelines.tables.bases import COUNTS
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
_GATHERED = "work/etat-national.json"  # alone, and small: it is looked at all day long
_RECEIPT = ("etat", "motif", "lignes_lues", "lignes_acceptees", "lignes_refusees")


def declared_state(catalogue: Catalogue) -> str:
    """Return what changes with the declarations or the code."""
    return fingerprint(
        [catalogue.fingerprint(network) for network in catalogue.networks],
        [value.model_dump(mode="json") for value in (*catalogue.datasets.values(), *catalogue.tables.values())],
        [value.model_dump(mode="json") for value in (*catalogue.engagements.values(), *catalogue.quality.values())],
        code_fingerprint(),
    )


def national_state(catalogue: Catalogue, store: Store) -> dict[str, str]:
    """Return from what national tables would be made now: network-years (empty when none was run), declarations."""
    return {"etat": store.state(_owed(catalogue)), "declare": declared_state(catalogue)}


def gathered(store: Store) -> dict[str, str]:
    """Return from what the national tables were last made, as ``national_state`` says it."""
    return read_json(store.file(_GATHERED)) or {}


def keep_gathered(store: Store, state: dict[str, str]) -> None:
    """Keep from what the national tables were just made."""
    place = store.file(_GATHERED)
    write_json(place, state)
    store.save_file(place)


def gather(catalogue: Catalogue, store: Store, current: str | None) -> tuple[NationalInputs, str | None]:
    """Read receptions, reports and results of every network and year that is owed.

    ``current`` is the statement of the exports root in use, if it is synthetic. Returns the inputs, and the statement
    that must go with them when any of their rows is synthetic, whatever root it came from.
    """
    receipts: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    corrections: list[dict[str, Any]] = []
    accounts: list[dict[str, Any]] = []
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in FRAMES}
    failed: set[tuple[str, int, str]] = set()
    statements: dict[tuple[str, int], str | None] = {}
    store.bring(_owed(catalogue))
    for network, declared in catalogue.networks.items():
        for year in declared.years:
            place = {"reseau": network, "annee": year}
            reception = last_reception(store, network, year)
            statements[network, year] = reception.get("synthetic") if reception else current
            exports, anomalies, corrected = _receipts(store, declared, network, year)
            receipts += [{**place, "export": name, **receipt} for name, receipt in exports.items()]
            findings += [{**place, **item} for item in anomalies]
            corrections += [{"reseau": network, **item} for item in corrected]
            if any(receipt["etat"] == "accepté" for receipt in exports.values()):
                failures, outside = _add_results(catalogue, store, network, year, frames)
                failed |= {(network, year, indicator) for indicator in failures}
                accounts += [{**place, **item} for item in accounts_of_report(store, network, year)]
                findings += [{**place, **_out_of_range(catalogue, network, year, item)} for item in outside]
    joined = {name: _joined(found) for name, found in frames.items()}
    if joined["results"].empty:
        joined["results"] = pd.DataFrame(columns=["reseau", *RESULT_COLUMNS])
    inputs = NationalInputs(
        receipts=pd.DataFrame(receipts, columns=["reseau", "annee", "export", *_RECEIPT]),
        findings=_findings(catalogue, findings, receipts),
        failed=frozenset(failed),
        synthetic=frozenset(place for place, statement in statements.items() if statement),
        corrections=pd.DataFrame(corrections, columns=["reseau", "numero", "etat"]),
        accounts=pd.DataFrame(accounts, columns=["reseau", "annee", "export", "indicateur", *COUNTS]),
        **joined,
    )
    return inputs, next((statement for statement in statements.values() if statement), None)


def _add_results(
    catalogue: Catalogue, store: Store, network: str, year: int, frames: dict[str, list[pd.DataFrame]]
) -> tuple[list[str], list[dict[str, Any]]]:
    """Add the frames of a network-year; return the indicators that failed, and the counts of values out of range."""
    folder, expected = store.network_year(network, year), catalogue.expected(network, year)
    report, results = read_json(folder / "report.json"), read_json(folder / "results.json")
    if not (report and results and results["report"] == report["fingerprint"]):
        return list(expected), []
    for name in FRAMES:
        frame = read_frame(folder / f"{name}.parquet")
        if "indicateur" in frame:  # a closed year may hold what is no longer declared
            frame = frame[frame["indicateur"].isin(list(expected))]
        frames[name].append(frame.assign(reseau=network, annee=year))
    failures = [name for name in results["failures"] if name in expected]
    return failures, [item for item in results["outside"] if item["indicateur"] in expected]


def accounts_of_report(store: Store, network: str, year: int) -> list[dict[str, Any]]:
    """Return what became of the accepted rows: a line per export and indicator, with a count by reason."""
    report = read_json(store.network_year(network, year) / "report.json")
    return [
        {
            "export": export, "indicateur": item["indicator"], "lignes_acceptees": item["accepted"],
            "lignes_base": item["base"], **{name: item["outside"].get(name, 0) for name in REASONS},
        }
        for export, receipt in (report or {"exports": {}})["exports"].items()
        for item in receipt.get("comptes", [])
    ]  # fmt: skip


def _out_of_range(catalogue: Catalogue, network: str, year: int, item: dict[str, Any]) -> dict[str, Any]:
    export = catalogue.indicators[item["indicateur"]].networks[network].export[0]
    path = _expected_path(catalogue, {"reseau": network, "annee": year, "export": export})
    return {
        "export": export, "fichier": path, "empreinte": None, "regle": "valeur-hors-plage",
        "colonne": item["indicateur"], "severite": "avertissement", "nombre": item["nombre"], "premiere_ligne": None,
        "derniere_ligne": None, "message": title("valeur-hors-plage"),
    }  # fmt: skip


def _stale(catalogue: Catalogue, store: Store) -> dict[str, list[int]]:
    """Return the open network-years whose results were computed under other declarations than today's.

    Those of a closed year stand as they were accepted until a revision is.
    """
    found: dict[str, list[int]] = {}
    store.bring(_owed(catalogue))
    for network, declared in catalogue.networks.items():
        today = catalogue.fingerprint(network)
        for year in declared.years:
            results = read_json(store.network_year(network, year) / "results.json")
            if results and results["declarations"] != today and not declared.closed(year):
                found.setdefault(network, []).append(year)
    return found


def _owed(catalogue: Catalogue) -> list[tuple[str, int]]:
    return [(network, year) for network, declared in catalogue.networks.items() for year in declared.years]


def stale_network_years(catalogue: Catalogue, store: Store) -> str:
    """Name the stale network-years, or return nothing: publishing them would put old values under new definitions."""
    return " ; ".join(f"{network} {', '.join(map(str, years))}" for network, years in _stale(catalogue, store).items())


def stale_years(catalogue: Catalogue, store: Store) -> set[int]:
    """Return the years of which some network is stale."""
    return {year for years in _stale(catalogue, store).values() for year in years}


def _receipts(
    store: Store, declared: Network, network: str, year: int
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the receipt of each export owed, and the anomalies and corrections of the report if it is current."""
    folder = store.network_year(network, year)
    reception, report = last_reception(store, network, year), read_json(folder / "report.json")
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
