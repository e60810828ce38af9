"""What all networks give together: national tables, then a release of each dataset. Publishing is not here.

These assets are in a job of their own: a network that failed leaves its reason in the tables, and stops nothing here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets.jobs import now
from assets.metadata import ROWS, SCHEMA, declaring, lines_shown, national_shown, outcome, rows_shown, table_columns
from assets.step_failures import refusing, stage_key
from assets.workspace import POOL, Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.exports_folder import folder_lines, note_folder, synthetic_statement
from pipelines.flow.gather import RESULTS, ColumnsError, StaleError, make_tables, table_rows
from pipelines.flow.preview_rows import first_rows
from pipelines.flow.release import Audit, audited, lost_by_damage, nothing_yet, release_dataset, release_inputs
from pipelines.flow.stored_files import read_frame
from pipelines.release.refusals import ReleaseError
from pipelines.report.facts import known_years, late_files

TABLES = dg.AssetKey(["national", "tables"])
_CHECKS_OF_TABLES = {
    "couverture": "Tout ce qui est attendu est publié",
    "dossier": "Le dossier d'exports ne tient rien d'inattendu",
}
_CHECKS_OF_RELEASE = {
    "contrats": "Contrats des tables et lecture indépendante",
    "secret": "Aucun secret ne se déduit de ce qui est publié",
}


def tables_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    """Return the asset that puts the national tables together."""

    @declaring(
        TABLES,
        "Tables nationales : résultats, couverture, anomalies, écarts et listes de référence.",
        _CHECKS_OF_TABLES,
        deps=[stage_key(network, "resultats") for network in catalogue.networks],
        pool=POOL,
        kinds={"pandas"},
    )
    def tables(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        store = workspace.store
        yield _folder_check(note_folder(catalogue, store, workspace.root))
        with refusing(StaleError, ColumnsError):
            national = make_tables(catalogue, store, synthetic_statement(workspace.root))
        aside = [f"{year.network} {year.year} : {year.why}" for year in national.set_aside]
        for line in aside:
            context.log.error(line)
        coverage, rows = read_frame(store.national / "couverture.parquet"), table_rows(catalogue, store)
        absent = coverage[coverage["etat"] == "absent"]
        yield outcome("couverture", absent.empty, {"absents": len(absent), "attendus": len(coverage)})
        yield dg.MaterializeResult(
            metadata={
                ROWS: rows[RESULTS],
                SCHEMA: table_columns(catalogue.tables[RESULTS]),
                **{f"lignes_{name}": count for name, count in rows.items()},
                "absents": rows_shown(first_rows(absent[["reseau", "annee", "indicateur", "motif_absence"]], 60)),
                "mis_de_cote": " ; ".join(aside),
            }
        )

    return tables


def calendar_check(catalogue: Catalogue) -> dg.AssetChecksDefinition:
    """Return the check of the declared calendar, made each time that the national tables are."""

    @dg.asset_check(
        asset=TABLES, name="calendrier", description="Tous les réseaux ont remis leurs fichiers à la date déclarée"
    )
    def calendrier(workspace: Workspace) -> dg.AssetCheckResult:
        late = late_files(catalogue, known_years(workspace.store, catalogue), now().date())
        rows = [
            {
                "réseau": files.network,
                "année": files.year,
                "attendu le": f"{files.due:%d/%m/%Y}",
                "jours": files.days,
                "fichiers": ", ".join(files.files),
            }
            for files in late
        ]
        return outcome(None, not late, {"en_retard": len(late), "detail": rows_shown(rows)})

    return calendrier


def release_key(dataset: str) -> dg.AssetKey:
    """Return the key of the asset that makes the releases of a dataset."""
    return dg.AssetKey(["national", f"version_{dataset.replace('-', '_')}"])


def release_asset(catalogue: Catalogue, dataset: str) -> dg.AssetsDefinition:
    """Return the asset that makes a release of ``dataset`` when its content changed."""
    key = release_key(dataset)

    @declaring(
        key,
        f"{catalogue.datasets[dataset].title} : dossier immuable par version.",
        _CHECKS_OF_RELEASE,
        deps=[TABLES],
        pool=POOL,
        kinds={"csv", "parquet"},
    )
    def release(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        store = workspace.store
        if lost := lost_by_damage(catalogue, store, dataset):
            raise dg.Failure(f"{dataset} : version non faite. {lost}")
        with refusing(StaleError):
            audit = audited(catalogue, store, dataset)
        yield _secret_check(audit, key)
        if audit.refused:
            raise dg.Failure(f"{dataset} : un secret se déduit des chiffres, rien n'est publié. {audit.refused}.")
        if nothing_yet(catalogue, store, dataset):
            context.log.info(f"{dataset} : aucune ligne encore, aucune version")
            yield dg.AssetCheckResult(check_name="contrats", passed=True, metadata={"lignes": 0})
            yield dg.MaterializeResult(metadata={"version": "aucune : rien à publier encore", ROWS: 0})
            return
        inputs = release_inputs(catalogue, store, workspace.root, Path(workspace.schemas))
        try:
            made = release_dataset(catalogue, store, dataset, inputs)
        except ReleaseError as error:
            yield outcome("contrats", False, {"constats": str(error)}, error=True)
            raise dg.Failure(str(error)) from error
        yield outcome("contrats", True, {}, error=True)
        news = "nouvelle version" if made.created else "retour en arrière maintenu" if made.held else "rien de nouveau"
        context.log.info(f"{dataset} {made.version} : {news}")
        main_table = catalogue.datasets[dataset].main_table
        yield dg.MaterializeResult(
            metadata={
                "version": made.version,
                "nouvelle": made.created,
                "retour_maintenu": made.held,
                "dossier": dg.MetadataValue.path(store.address(made.folder)),
                "lisez_moi": dg.MetadataValue.path(store.address(made.folder / "LISEZMOI.md")),
                "valeurs_nationales": national_shown(made.folder),
                SCHEMA: table_columns(catalogue.tables[main_table]),
                ROWS: made.rows[main_table],
                "lignes_ajoutees": made.counts["added"],
                "lignes_retirees": made.counts["removed"],
                "lignes_modifiees": made.counts["changed"],
            },
            data_version=dg.DataVersion(made.version),
        )

    return release


def _folder_check(folder: dict[str, Any]) -> dg.AssetCheckResult:
    lines = list(folder_lines(folder))
    shown = {"a_regarder": lines_shown(lines), "fichiers_inattendus": len(folder["inattendus"])}
    return outcome("dossier", not lines, shown, TABLES)


def _secret_check(audit: Audit, key: dg.AssetKey) -> dg.AssetCheckResult:
    shown = {
        "refuses": audit.refused,
        "secret": audit.secret,
        "constats": rows_shown(audit.findings),
        "masques": rows_shown(audit.hidden),
    }
    return outcome("secret", not audit.refused, shown, key, error=True)
