"""Asset ``[network, observations]``: the files of a network and year judged, typed rows kept, the others told."""

import datetime
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets.columns import exports_columns
from assets.partitions import network_tags, yearly_check, years_of
from assets.previews import preview
from assets.resources import Workspace
from pipelines.declarations import Catalogue
from pipelines.flow.judge import judge_network_year, shown_columns, write_report
from pipelines.flow.letters import write_letters
from pipelines.flow.receive import note_damage
from pipelines.flow.revisions import settle, writing_store
from pipelines.flow.store import Store, read_json
from pipelines.read import DamagedArchiveError
from pipelines.validate import Verdict, count_findings
from pipelines.validate.personal import RULE as PERSONAL


def observations_asset(catalogue: Catalogue, network: str) -> dg.AssetsDefinition:
    """Return the asset that validates the exports of ``network``."""
    declared = catalogue.networks[network]
    key = dg.AssetKey([network, "observations"])

    @dg.asset(
        key=key,
        deps=[dg.AssetKey([network, "raw"])],
        group_name=network.replace("-", "_"),
        description=f"{declared.title} : lignes valides typées ; les autres sont mises de côté avec leur raison.",
        partitions_def=years_of(catalogue),
        tags=network_tags(network),
        kinds={"parquet"},
        code_version=catalogue.fingerprint(network)[:12],
        output_required=False,
        check_specs=[
            yearly_check(catalogue, key, "conformite", "Fichiers conformes aux déclarations"),
            yearly_check(catalogue, key, "vraisemblance", "Contenu neuf, nombre de lignes comme l'an passé"),
            yearly_check(
                catalogue, key, "donnees_personnelles", "Rien de personnel hors des colonnes déclarées telles"
            ),
        ],
    )
    def observations(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        year = int(context.partition_key)
        store = writing_store(workspace.store, catalogue, network, year)
        reception = read_json(store.network_year(network, year) / "reception.json")
        try:
            verdicts = judge_network_year(
                catalogue, network, year, store, reception, context.log.info,
                lambda path, sha256: store.archive.take_again(workspace.root, path, sha256),
            )  # fmt: skip
        except DamagedArchiveError as error:
            note_damage(store, network, year, str(error))
            raise
        version = write_report(store, catalogue, network, year, verdicts, reception["fingerprint"])
        for verdict in verdicts:
            if verdict.explanation:
                context.log.info(f"{verdict.export} : {verdict.state}. {verdict.explanation}")
        written = write_letters(store, catalogue, network, year, verdicts)
        store.save_network_year(network, year, "observations")
        metadata = {**_metadata(verdicts), **_links(store, written)}
        yield dg.AssetCheckResult(
            check_name="conformite",
            passed=all(verdict.state == "accepté" and not verdict.refused for verdict in verdicts),
            severity=_severity(verdicts),
            metadata=metadata,
        )
        yield _personal_check(verdicts)
        yield _doubts_check(verdicts)
        if not any(verdict.state == "accepté" for verdict in verdicts):
            if store.proposes:
                settle(workspace.store, catalogue, network, year, datetime.datetime.now(datetime.UTC))
            told = " ; ".join(f"{verdict.export} : {verdict.explanation}" for verdict in verdicts)
            if any(verdict.state == "rejeté" for verdict in verdicts):
                message = f"{declared.title}, {year} : rien n'est accepté. {told}"
                raise dg.Failure(message, metadata, allow_retries=False)
            return  # nothing was handed over for that year: no fault, and nothing to compute
        yield dg.MaterializeResult(
            metadata={**metadata, **_previews(catalogue, network, year, verdicts), **exports_columns(declared.exports)},
            data_version=dg.DataVersion(version),
        )

    return observations


def _severity(verdicts: list[Verdict]) -> dg.AssetCheckSeverity:
    refused = any(verdict.state == "rejeté" for verdict in verdicts)
    return dg.AssetCheckSeverity.ERROR if refused else dg.AssetCheckSeverity.WARN


def _metadata(verdicts: list[Verdict]) -> dict[str, Any]:
    lines = ["| export | état | lues | acceptées | refusées | explication |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {item.export} | {item.state} | {item.rows} | {item.accepted} | {item.refused} | {item.explanation} |"
        for item in verdicts
    ]
    found = ["| export | colonne | règle | nombre | lignes | message |", "|---|---|---|---|---|---|"]
    for item in count_findings(verdicts)[:50]:
        rows = f"{item['premiere_ligne'] or ''}–{item['derniere_ligne'] or ''}"
        cells = (item["export"], item["colonne"] or "", item["regle"], item["nombre"], rows, item["message"])
        found.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return {
        "verdict": dg.MetadataValue.md("\n".join(lines)),
        "anomalies": dg.MetadataValue.md("\n".join(found)),
        "regles": counts_by_rule(verdicts),
        "lignes_lues": sum(item.rows for item in verdicts),
        "lignes_acceptees": sum(item.accepted for item in verdicts),
        "lignes_refusees": sum(item.refused for item in verdicts),
    }


def counts_by_rule(verdicts: list[Verdict]) -> dict[str, int]:
    """Count the findings of every export by rule."""
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        for _, _, item in verdict.findings:
            counts[item.rule] += item.count
    return dict(sorted(counts.items()))


def _links(store: Store, written: dict[str, Path]) -> dict[str, Any]:
    """Return links to the letters and copies, or their places on disk: a browser opens none from a web page."""
    places = {name: store.letter(path) for name, path in written.items()}
    return {
        name: dg.MetadataValue.url(place) if "://" in place else dg.MetadataValue.path(place)
        for name, place in places.items()
    }


def _personal_check(verdicts: list[Verdict]) -> dg.AssetCheckResult:
    """Warn of columns that seem to hold personal data; columns and counts only."""
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        for _, _, item in verdict.findings:
            if item.rule == PERSONAL:
                counts[f"{verdict.export} : {item.column}"] += item.count
    return dg.AssetCheckResult(
        check_name="donnees_personnelles",
        passed=not counts,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"colonnes": ", ".join(sorted(counts)) or "aucune", "lignes": sum(counts.values())},
    )


def _doubts_check(verdicts: list[Verdict]) -> dg.AssetCheckResult:
    """Warn of exports that may not be what they say; they are published unless the declarations block them."""
    lines = [f"{verdict.export} : {item.message}" for verdict in verdicts for item in verdict.doubts]
    return dg.AssetCheckResult(
        check_name="vraisemblance",
        passed=not lines,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"a_verifier": dg.MetadataValue.md("\n".join(f"- {line}" for line in lines) or "*rien*")},
    )


def _previews(catalogue: Catalogue, network: str, year: int, verdicts: list[Verdict]) -> dict[str, Any]:
    found: dict[str, Any] = {"dagster/row_count": sum(item.accepted for item in verdicts)}
    for verdict in verdicts:
        export = catalogue.networks[network].export(verdict.export)
        if verdict.observations is None or export is None:
            continue
        shown = shown_columns(export, export.layout_or_last(year), verdict)
        table = verdict.observations.head(5).select(shown)
        found[f"apercu_{verdict.export.replace('-', '_')}"] = preview(table.to_pandas())
    return found
