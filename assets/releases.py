"""What all networks give together: ``[national, tables]`` and ``[<dataset>, release]``. Publishing is not here.

These assets are in a job of their own: a network that failed leaves its reason in the tables, and stops nothing here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from assets.columns import SCHEMA, table_columns
from assets.previews import preview
from assets.resources import POOL, Workspace
from pipelines.declarations import Catalogue
from pipelines.disclosure import audit, disclosure_summary, refusals, secret_figures
from pipelines.flow.compute import write_set_aside
from pipelines.flow.exports_folder import folder_lines, note_folder
from pipelines.flow.gather import gather, keep_gathered, national_state, stale_network_years
from pipelines.flow.provenance import synthetic_statement
from pipelines.flow.release import (
    ColumnsError,
    accepted_changes,
    declared_columns,
    earlier_results,
    kept_statement,
    lost_by_damage,
    read_tables,
    release_inputs,
)
from pipelines.flow.store import Store, read_frame, write_frame, write_json
from pipelines.release.errors import ReleaseError
from pipelines.release.release import make_release
from pipelines.tables import safe_tables

TABLES = dg.AssetKey(["national", "tables"])
RESULTS = "resultats"
SECRETS = "secrets.parquet"  # what the tables hide: the audit reads it, and nobody else


def tables_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    """Return the asset that puts the national tables together."""

    @dg.asset(
        key=TABLES,
        deps=[dg.AssetKey([network, "results"]) for network in catalogue.networks],
        group_name="national",
        pool=POOL,
        description="Tables nationales : résultats, couverture, anomalies, écarts et listes de référence.",
        kinds={"pandas"},
        check_specs=[
            dg.AssetCheckSpec("couverture", asset=TABLES, description="Tout ce qui est attendu est publié"),
            dg.AssetCheckSpec("dossier", asset=TABLES, description="Le dossier d'exports ne tient rien d'inattendu"),
        ],
    )
    def tables(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        store = workspace.store
        yield _folder_check(note_folder(catalogue, store, workspace.root))
        if stale := stale_network_years(catalogue, store):
            raise dg.Failure(f"Les déclarations ont changé depuis le calcul de : {stale}. Relancer ces réseaux.")
        state = national_state(catalogue, store)  # before anything is read: what changes meanwhile is seen afterwards
        inputs, statement = gather(catalogue, store, synthetic_statement(workspace.root))
        told, accepted = earlier_results(catalogue, store.releases), accepted_changes(catalogue, store.releases)
        made, aside = safe_tables(catalogue, inputs, told, accepted)
        for item in aside:
            context.log.error(f"{item.network} {item.year} : {item.why}")
        write_frame(store.national / SECRETS, secret_figures(inputs.results, made[RESULTS]))
        for name in made.keys() & catalogue.tables.keys():
            try:
                found = declared_columns(name, catalogue.tables[name], made[name])
            except ColumnsError as error:
                raise dg.Failure(str(error)) from error
            write_frame(store.national / f"{name}.parquet", found)
        write_json(store.national / "provenance.json", {"synthetic": statement})
        write_set_aside(store, aside)
        store.save_room(store.national)
        keep_gathered(store, state)
        coverage = made["couverture"]
        absent = coverage[coverage["etat"] == "absent"]
        yield dg.AssetCheckResult(
            check_name="couverture",
            passed=absent.empty,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"absents": len(absent), "attendus": len(coverage)},
        )
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(made["resultats"]),
                SCHEMA: table_columns(catalogue.tables["resultats"]),
                **{f"lignes_{name}": len(frame) for name, frame in made.items()},
                "absents": preview(absent[["reseau", "annee", "indicateur", "motif_absence"]], rows=60),
                "mis_de_cote": " ; ".join(f"{item.network} {item.year} : {item.why}" for item in aside),
            }
        )

    return tables


def _folder_check(told: dict[str, Any]) -> dg.AssetCheckResult:
    lines = list(folder_lines(told))
    return dg.AssetCheckResult(
        check_name="dossier",
        asset_key=TABLES,
        passed=not lines,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "a_regarder": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines) or "*rien*"),
            "fichiers_inattendus": len(told["inattendus"]),
        },
    )


def release_asset(catalogue: Catalogue, dataset: str) -> dg.AssetsDefinition:
    """Return the asset that makes a release of ``dataset`` when its content changed."""
    key = dg.AssetKey([dataset, "release"])

    @dg.asset(
        key=key,
        deps=[TABLES],
        group_name="national",
        pool=POOL,
        description=f"{catalogue.datasets[dataset].title} : dossier immuable par version.",
        kinds={"csv", "parquet"},
        check_specs=[
            dg.AssetCheckSpec("contrats", asset=key, description="Contrats des tables et lecture indépendante"),
            dg.AssetCheckSpec("secret", asset=key, description="Aucun secret ne se déduit de ce qui est publié"),
        ],
    )
    def release(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        frames = read_tables(workspace.store, catalogue, dataset)
        if lost := lost_by_damage(catalogue, workspace.store, dataset):
            raise dg.Failure(f"{dataset} : version non faite. {lost}", allow_retries=False)
        yield (checked := _secret_check(catalogue, dataset, frames, workspace.store, key))
        if not checked.passed:
            where = checked.metadata["refuses"].value  # of what, never how closely: bounds are secret
            raise dg.Failure(
                f"{dataset} : un secret se déduit des chiffres, rien n'est publié. {where}.", allow_retries=False
            )
        try:
            made = make_release(
                dataset,
                catalogue,
                frames,
                workspace.store.releases,
                synthetic=kept_statement(workspace.store),
                inputs=release_inputs(catalogue, workspace.store, workspace.root, Path(workspace.schemas)),
            )
        except ReleaseError as error:
            yield dg.AssetCheckResult(check_name="contrats", passed=False, metadata={"constats": str(error)})
            raise dg.Failure(str(error), allow_retries=False) from error
        workspace.store.save_release(dataset, made.version)
        yield dg.AssetCheckResult(check_name="contrats", passed=True)
        news = "nouvelle version" if made.created else "retour en arrière maintenu" if made.held else "rien de nouveau"
        context.log.info(f"{dataset} {made.version} : {news}")
        yield dg.MaterializeResult(
            metadata={
                "version": made.version,
                "nouvelle": made.created,
                "retour_maintenu": made.held,
                "dossier": dg.MetadataValue.path(workspace.store.address(made.folder)),
                "lisez_moi": dg.MetadataValue.path(workspace.store.address(made.folder / "LISEZMOI.md")),
                SCHEMA: table_columns(catalogue.tables[catalogue.datasets[dataset].main_table]),
                "dagster/row_count": made.rows[catalogue.datasets[dataset].main_table],
                **{f"lignes_{kind}": count for kind, count in _french(made.counts).items()},
            },
            data_version=dg.DataVersion(made.version),
        )

    return release


def _secret_check(
    catalogue: Catalogue, dataset: str, frames: Mapping[str, pd.DataFrame], store: Store, key: dg.AssetKey
) -> dg.AssetCheckResult:
    """Bound what is about to be hidden, with what earlier releases told. Only counts are shown: bounds are secret."""
    if RESULTS not in frames:
        return dg.AssetCheckResult(check_name="secret", asset_key=key, passed=True)
    results = frames[RESULTS]
    secrets = _secrets(store, results)
    findings = audit(results, catalogue, secrets, earlier_results(catalogue, store.releases, dataset), frames)
    refused = refusals(findings)
    told = (
        refused.assign(indicateur=refused["indicateur"].fillna("")).groupby(["reseau", "indicateur", "constat"]).size()
    )
    summary = disclosure_summary(results)
    return dg.AssetCheckResult(
        check_name="secret",
        asset_key=key,
        passed=refused.empty,
        metadata={
            "refuses": " ; ".join(f"{' '.join(filter(None, place[:2]))} : {place[2]}" for place in told.index),
            "secret": int(summary["secret"].sum()),
            "constats": preview(
                findings.groupby(["constat", "reseau", "indicateur"]).size().reset_index(name="lignes")
            ),
            "masques": preview(summary, rows=60),
        },
    )


def _secrets(store: Store, results: pd.DataFrame) -> pd.DataFrame:
    """Return what the tables hide; tables of before there was such a file have to be made again."""
    path = store.national / SECRETS
    if path.is_file():
        return read_frame(path)
    if results["statut_confidentialite"].ne("F").any():
        raise dg.Failure("Les tables nationales datent d'avant ce contrôle du secret : les refaire (national/tables).")
    return results.iloc[:0]


def _french(counts: Mapping[str, int]) -> dict[str, int]:
    words = {"added": "ajoutees", "removed": "retirees", "changed": "modifiees"}
    return {words[kind]: count for kind, count in counts.items()}
