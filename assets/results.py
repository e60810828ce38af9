"""Asset ``[network, results]``: the results of a network and year."""

import datetime
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.columns import SCHEMA, table_columns
from assets.partitions import network_tags, yearly_check, years_of
from assets.previews import plot_values, preview
from assets.resources import Workspace
from assets.series import plot_series, series_of
from pipelines.declarations import Catalogue
from pipelines.declarations.bases import REASONS
from pipelines.disclosure import without_secrets
from pipelines.flow.compute import compute_and_write, outside_range
from pipelines.flow.gather import accounts_of_report
from pipelines.flow.revisions import ACCEPT_JOB, settle, writing_store
from pipelines.flow.store import Store, read_frame, read_json


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
        outside = outside_range(catalogue, frame)
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
