"""The assets of a network, by year: ``recu`` (its files), ``observations`` (files judged), ``resultats`` (figures)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from assets.jobs import ACCEPT_OP, STAGES, now
from assets.metadata import (
    ROWS,
    Declaring,
    declared_metadata,
    declaring,
    launch_shown,
    lines_shown,
    outcome,
    rows_shown,
    stage_description,
)
from assets.step_failures import retrying_transient_failures, stage_key
from assets.workspace import Workspace
from pipelines.declarations import Catalogue, Network
from pipelines.declarations.statuses import Status
from pipelines.flow import preview_rows
from pipelines.flow.compute import compute_and_write, outside_range, shown_results
from pipelines.flow.judge import judge_received
from pipelines.flow.receive import receive
from pipelines.flow.revisions import ACCEPT_JOB, settle, writing_store
from pipelines.flow.store import Store
from pipelines.report.facts import Awaited, awaited
from pipelines.validate import Verdict

SEEN = ["indicateur", "maille", "territoire_code", "structure_code", "valeur", "effectif"]  # what a page has room for
CLOSED = "Année {year} close : recalcul depuis les fichiers archivés ; ce qui change attendra d'être accepté."
_Declare = Callable[..., Declaring]  # ``_stage`` of a network
_RECEIVED = {"reception": "Tous les fichiers attendus sont là"}
_JUDGED = {
    "conformite": "Aucun export refusé, et moins de lignes refusées que "
    f"1/{preview_rows.WORTH_TELLING} de la limite déclarée (max_refused_share)",
    "vraisemblance": "Contenu neuf, nombre de lignes comme l'an passé",
    "donnees_personnelles": "Rien de personnel hors des colonnes déclarées telles",
}
_COMPUTED = {"plage": "Valeurs dans la plage de l'indicateur"}


def network_assets(catalogue: Catalogue, schemas: Path) -> list[dg.AssetsDefinition]:
    """Return the three assets of every network, which the folder ``schemas`` declares."""
    return [
        make(catalogue, network, partial(_stage, catalogue, network, schemas))
        for network in catalogue.networks
        for make in (_received, _observations, _results)
    ]


def _stage(
    catalogue: Catalogue, network: str, schemas: Path, stage: str, checks: Mapping[str, str], **options: Any
) -> Declaring:
    """Declare a stage of a network as an asset that has a state for each year, and comes after the stage before."""
    return declaring(
        stage_key(network, stage),
        stage_description(catalogue, network, stage),
        checks,
        dg.StaticPartitionsDefinition([str(year) for year in catalogue.networks[network].years]),
        deps=[stage_key(network, earlier) for earlier in STAGES[: STAGES.index(stage)][-1:]],
        metadata=declared_metadata(catalogue, network, stage, schemas),
        tags={"reseau": network},
        **options,
    )


def _received(catalogue: Catalogue, network: str, declare: _Declare) -> dg.AssetsDefinition:
    declared = catalogue.networks[network]

    @declare("recu", _RECEIVED, kinds={"file"}, output_required=False)
    def received(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        year = int(context.partition_key)
        if writing_store(workspace.store, catalogue, network, year).proposes:
            context.log.warning(CLOSED.format(year=year))
        with retrying_transient_failures():
            reception = receive(catalogue, network, year, workspace.store, workspace.root, datetime.now(UTC))
        missing = [name for name, files in reception.exports.items() if not files]
        due = awaited(catalogue, network, year, missing, now().date())
        yield _reception_check(due)
        context.log.info(f"{declared.title}, {year}. {due.sentence}")
        files = [file for received in reception.exports.values() for file in received]
        for file in files:
            if file.news == "modifié":
                context.log.warning(f"Fichier modifié sous le même nom : {file.path} ({file.before} → {file.sha256})")
        for notice in reception.notices():
            context.log.warning(notice)
        metadata: dict[str, Any] = {
            "a_retenir": due.sentence,
            "fichiers": rows_shown(preview_rows.file_rows(reception)),
            "nombre_de_fichiers": len(files),
            "octets": sum(file.size for file in files),
        }
        if files:
            yield dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(reception.fingerprint))
        else:  # seen, but no output: there is nothing to judge or to write a letter about
            key = stage_key(network, "recu")
            context.log_event(dg.AssetMaterialization(key, partition=str(year), metadata=metadata))

    return received


def _observations(catalogue: Catalogue, network: str, declare: _Declare) -> dg.AssetsDefinition:
    declared, code = catalogue.networks[network], catalogue.fingerprint(network)[:12]

    @declare("observations", _JUDGED, kinds={"parquet"}, code_version=code, output_required=False)
    def observations(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        year = int(context.partition_key)
        store = writing_store(workspace.store, catalogue, network, year)
        judged = judge_received(catalogue, network, year, store, workspace.root, context.log.info)
        verdicts = judged.verdicts
        for verdict in verdicts:
            if verdict.explanation:
                context.log.info(f"{verdict.export} : {verdict.state}. {verdict.explanation}")
        metadata = {**_verdict_metadata(verdicts), **_links(store, judged.letters)}
        yield _conformity_check(declared, verdicts, metadata)
        yield _personal_check(verdicts)
        yield _doubts_check(verdicts)
        if not judged.kept.accepted:
            if store.proposes:
                settle(workspace.store, catalogue, network, year, datetime.now(UTC))
            if any(verdict.state == Status.REFUSED for verdict in verdicts):
                reasons = " ; ".join(f"{verdict.export} : {verdict.explanation}" for verdict in verdicts)
                raise dg.Failure(f"{declared.title}, {year} : rien n'est accepté. {reasons}", metadata)
            return  # nothing was handed over for that year: no fault, and nothing to compute
        for verdict in verdicts:
            if rows := preview_rows.first_observations(catalogue, network, year, verdict):
                metadata[f"apercu_{verdict.export.replace('-', '_')}"] = rows_shown(rows)
        metadata[ROWS] = sum(verdict.accepted for verdict in verdicts)
        yield dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(judged.kept.fingerprint))

    return observations


def _results(catalogue: Catalogue, network: str, declare: _Declare) -> dg.AssetsDefinition:
    @declare("resultats", _COMPUTED, kinds={"duckdb"}, code_version=catalogue.fingerprint(network)[:12])
    def results(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        year = int(context.partition_key)
        store = writing_store(workspace.store, catalogue, network, year)
        computed, reused = compute_and_write(store, catalogue, network, year)
        for indicator, error in computed.failures.items():
            context.log.error(f"{indicator} : calcul impossible. {error}")
        frame = shown_results(store, network, year)
        outside = outside_range(catalogue, frame)[["indicateur", "periode", "maille", "valeur"]]
        yield outcome("plage", outside.empty, {"hors_plage": rows_shown(preview_rows.first_rows(outside))})
        yearly = frame[frame["frequence"] == "annuelle"].sort_values(["maille", "indicateur"])
        yield dg.MaterializeResult(
            metadata={
                "serie": rows_shown(preview_rows.series(workspace.store, catalogue, network)),
                ROWS: len(frame),
                "valeurs": int(frame["valeur"].notna().sum()),
                "valeurs_absentes": int(frame["valeur"].isna().sum()),
                "inchange": reused,
                "lignes": rows_shown(preview_rows.base_rows(catalogue, store, network, year)),
                "apercu": rows_shown(preview_rows.first_rows(yearly[SEEN])),
                "etendue": rows_shown(preview_rows.spread(frame)),
                **(_revision(context, workspace.store, catalogue, network, year) if store.proposes else {}),
            },
            data_version=dg.DataVersion(computed.fingerprint),
        )

    return results


def _reception_check(due: Awaited) -> dg.AssetCheckResult:
    """Tell what is not there: an error once it is late, a warning before, or when no date was declared."""
    shown = {
        "a_retenir": due.sentence,
        "absents": ", ".join(due.absent) or "aucun",
        "attendus": len(due.exports),
        "jours_de_retard": due.days,
        "producteur": due.declared.producer,
    }
    return outcome("reception", not due.absent, shown, error=bool(due.days))


def _verdict_metadata(verdicts: list[Verdict]) -> dict[str, Any]:
    return {
        "a_retenir": preview_rows.in_brief(verdicts),
        "verdict": rows_shown(preview_rows.verdict_rows(verdicts)),
        "anomalies": rows_shown(preview_rows.finding_rows(verdicts), 50),
        "lignes_lues": sum(verdict.rows for verdict in verdicts),
        "lignes_acceptees": sum(verdict.accepted for verdict in verdicts),
        "lignes_refusees": sum(verdict.refused for verdict in verdicts),
    }


def _links(store: Store, letters: dict[str, Path]) -> dict[str, Any]:
    """Return links to the letters and copies, or their places on disk: a browser opens none from a web page."""
    links: dict[str, Any] = {}
    for name, path in letters.items():
        place = store.letter(path)
        links[name] = dg.MetadataValue.url(place) if "://" in place else dg.MetadataValue.path(place)
    return links


def _conformity_check(declared: Network, verdicts: list[Verdict], metadata: dict[str, Any]) -> dg.AssetCheckResult:
    """Tell an error of a refused export, a warning of one that comes near the share of rows that would refuse it."""
    refused = any(verdict.state == Status.REFUSED for verdict in verdicts)
    near = any(preview_rows.near_its_limit(declared, verdict) for verdict in verdicts)
    return outcome("conformite", not refused and not near, metadata, error=refused)


def _personal_check(verdicts: list[Verdict]) -> dg.AssetCheckResult:
    """Warn of columns that seem to hold personal data; columns and counts only."""
    counts = preview_rows.personal_columns(verdicts)
    shown = {"colonnes": ", ".join(sorted(counts)) or "aucune", "lignes": sum(counts.values())}
    return outcome("donnees_personnelles", not counts, shown)


def _doubts_check(verdicts: list[Verdict]) -> dg.AssetCheckResult:
    """Warn of exports that may not be what they say; they are published unless the declarations block them."""
    lines = [f"{verdict.export} : {doubt.message}" for verdict in verdicts for doubt in verdict.doubts]
    return outcome("vraisemblance", not lines, {"a_verifier": lines_shown(lines)})


def _revision(
    context: dg.AssetExecutionContext, store: Store, catalogue: Catalogue, network: str, year: int
) -> dict[str, Any]:
    """Settle the revision of a closed year just computed; return what the UI shows of it."""
    proposal = settle(store, catalogue, network, year, datetime.now(UTC))
    if proposal is None:
        return {"revision": "aucune différence avec les résultats en place"}
    named = proposal.fingerprint[:12]
    context.log.warning(
        f"Révision proposée : {named}. Rien n'est remplacé : voir {ACCEPT_JOB} ou `resultats revisions`."
    )
    shown = launch_shown(ACCEPT_JOB, {ACCEPT_OP: {"network": network, "year": year, "revision": named}})
    return {"revision": named, "differences": proposal.differences, "a_accepter_par": ACCEPT_JOB, **shown}
