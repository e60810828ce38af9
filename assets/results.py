"""Asset ``[network, results]``: the results of a network and year."""

import dataclasses
import datetime
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
import pandas as pd

from assets.columns import SCHEMA, table_columns
from assets.national import accounts_of_report
from assets.partitions import network_tags, yearly_check, years_of
from assets.previews import plot_values, preview
from assets.resources import Workspace
from assets.revisions import ACCEPT_JOB, settle, writing_store
from assets.series import plot_series, series_of
from assets.storage import FRAMES, Store, code_fingerprint, fingerprint, read_frame, read_json, write_frame, write_json
from pipelines.compute.network_year import compute_network_year
from pipelines.declarations import Catalogue
from pipelines.declarations.bases import REASONS
from pipelines.disclosure import without_secrets
from pipelines.tables import SetAside

_SET_ASIDE = "mis-de-cote.json"


def results_asset(catalogue: Catalogue, network: str) -> dg.AssetsDefinition:
    """Return the asset that computes the results of ``network``."""
    declared = catalogue.networks[network]
    key = dg.AssetKey([network, "results"])

    @dg.asset(
        key=key,
        deps=[dg.AssetKey([network, "observations"])],
        group_name=network.replace("-", "_"),
        description=f"{declared.title} : résultats par indicateur, maille et période.",
        partitions_def=years_of(catalogue),
        tags=network_tags(network),
        kinds={"duckdb"},
        code_version=catalogue.fingerprint(network)[:12],
        check_specs=[yearly_check(catalogue, key, "plage", "Valeurs dans la plage de l'indicateur")],
    )
    def results(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        year = int(context.partition_key)
        store = writing_store(workspace.store, catalogue, network, year)
        version, reused = compute_and_write(store, catalogue, network, year)
        state = read_json(store.network_year(network, year) / "results.json")
        for indicator, error in state["failures"].items():
            context.log.error(f"{indicator} : calcul impossible. {error}")
        frame = without_secrets(read_frame(store.network_year(network, year) / "results.parquet"))
        outside = _outside_range(catalogue, frame)
        yield dg.AssetCheckResult(
            check_name="plage",
            passed=outside.empty,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"hors_plage": preview(outside[["indicateur", "periode", "maille", "valeur"]])},
        )
        yearly = frame[frame["frequence"] == "annuelle"]
        revision = _revision(context, workspace.store, catalogue, network, year) if store.proposes else {}
        yield dg.MaterializeResult(
            metadata={
                "serie": plot_series(series_of(workspace.store, catalogue, network), f"{declared.title}, par année"),
                SCHEMA: table_columns(catalogue.tables["resultats"], list(frame.columns)),
                "dagster/row_count": len(frame),
                "valeurs": int(frame["valeur"].notna().sum()),
                "valeurs_absentes": int(frame["valeur"].isna().sum()),
                "inchange": reused,
                "lignes": _rows_table(catalogue, store, network, year),
                "apercu": preview(yearly.sort_values(["maille", "indicateur"])),
                "graphique": plot_values(frame, f"{declared.title}, {year}"),
                **revision,
            },
            data_version=dg.DataVersion(version),
        )

    return results


def _rows_table(catalogue: Catalogue, store: Store, network: str, year: int) -> dg.MetadataValue:
    """Tell, indicator by indicator, the rows accepted, in the base, and out of it and why."""
    lines = ["| indicateur | export | acceptées | dans la base | hors de la base |", "|---|---|---|---|---|"]
    for item in accounts_of_report(store, network, year):
        why = " ; ".join(f"{words} ({item[name]})" for name, words in REASONS.items() if item[name]) or "aucune"
        title = catalogue.indicators[item["indicateur"]].title if item["indicateur"] in catalogue.indicators else ""
        cells = (title or item["indicateur"], item["export"], item["lignes_acceptees"], item["lignes_base"], why)
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return dg.MetadataValue.md("\n".join(lines))


def _revision(
    context: dg.AssetExecutionContext, store: Store, catalogue: Catalogue, network: str, year: int
) -> dict[str, Any]:
    """Settle the revision of a closed year just computed; return what the UI shows of it."""
    proposal = settle(store, catalogue, network, year, datetime.datetime.now(datetime.UTC))
    if proposal is None:
        return {"revision": "aucune différence avec les résultats en place"}
    named = proposal.fingerprint[:12]
    context.log.warning(
        f"Révision proposée : {named}. Rien n'est remplacé : voir {ACCEPT_JOB} ou `resultats revisions`."
    )
    return {"revision": named, "differences": proposal.differences, "a_accepter_par": ACCEPT_JOB}


def compute_and_write(store: Store, catalogue: Catalogue, network: str, year: int) -> tuple[str, bool]:
    """Compute the results unless the same inputs, declarations and code made them already; return (version, reused)."""
    folder = store.network_year(network, year)
    report = read_json(folder / "report.json")
    version = results_version(catalogue.fingerprint(network), report["fingerprint"])
    state = read_json(folder / "results.json")
    if state and state["fingerprint"] == version:
        return version, True
    observations = {
        export: store.observations(network, year) / f"{export}.parquet"
        for export, receipt in report["exports"].items()
        if receipt["etat"] == "accepté"
    }
    made = compute_network_year(catalogue, network, year, observations)
    for name in FRAMES:
        frame = getattr(made, name).assign(reseau=network)
        if "annee" not in frame:
            frame = frame.assign(annee=year)
        write_frame(folder / f"{name}.parquet", frame)
    outside = _outside_range(catalogue, made.results).groupby("indicateur").size()
    state = {
        "fingerprint": version,
        "report": report["fingerprint"],
        "declarations": catalogue.fingerprint(network),
        "failures": made.failures,
        "outside": [{"indicateur": str(name), "nombre": int(count)} for name, count in outside.items()],
    }
    write_json(folder / "results.json", state)
    store.save_network_year(network, year, "results")
    return version, False


def results_version(declarations: str, report: str) -> str:
    """Return the data version of results: hash of their report's, the network's declarations and the code."""
    return fingerprint(report, declarations, code_fingerprint())


def failures_of(store: Store, network: str, year: int) -> dict[str, str]:
    """Return the indicators of a network-year that could not be computed, or that had it set aside, and why."""
    state = read_json(store.network_year(network, year) / "results.json")
    found: dict[str, str] = state["failures"] if state else {}
    return found | set_aside(store, network, year)


def write_set_aside(store: Store, aside: Iterable[SetAside]) -> None:
    """Keep which network-years the national tables had to leave out, and why."""
    write_json(store.national / _SET_ASIDE, {"annees_de_reseau": [dataclasses.asdict(item) for item in aside]})


def set_aside(store: Store, network: str, year: int) -> dict[str, str]:
    """Return the indicators for which the national tables left a network-year out, and why; none when they didn't."""
    kept = read_json(store.national / _SET_ASIDE) or {"annees_de_reseau": []}
    mine = [item for item in kept["annees_de_reseau"] if (item["network"], item["year"]) == (network, year)]
    return {indicator: item["why"] for item in mine for indicator in item["indicators"]}


def _outside_range(catalogue: Catalogue, frame: pd.DataFrame) -> pd.DataFrame:
    ranges = {key: item.range for key, item in catalogue.indicators.items() if item.range}
    low = frame["indicateur"].map({key: bounds[0] for key, bounds in ranges.items()}).astype("float64")
    high = frame["indicateur"].map({key: bounds[1] for key, bounds in ranges.items()}).astype("float64")
    outside: pd.DataFrame = frame[(frame["valeur"] < low) | (frame["valeur"] > high)]
    return outside
