"""Asset ``[network, observations]``: the files of a network and year judged, typed rows kept, the others told."""

import csv
import datetime
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets.columns import exports_columns
from assets.judging import judge_network_year
from assets.letters import write_letters
from assets.partitions import network_tags, yearly_check, years_of
from assets.previews import preview
from assets.reception import note_damage
from assets.resources import Workspace
from assets.revisions import settle, writing_store
from assets.storage import Store, code_fingerprint, fingerprint, read_json, write_json, write_typed_rows
from pipelines.compile.exports import label_of
from pipelines.compute.accounts import accounts_of
from pipelines.declarations import Catalogue, Export, Layout
from pipelines.mechanics.files import write_whole
from pipelines.mechanics.plain_text import table_text
from pipelines.read import DamagedArchiveError
from pipelines.validate import Verdict, correction_states, count_findings
from pipelines.validate.account_words import take_accounts
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


def write_report(
    store: Store, catalogue: Catalogue, network: str, year: int, verdicts: list[Verdict], reception: str
) -> str:
    """Write accepted observations, refused rows, and last the report that makes them count; return its data version.

    The accepted rows are counted there, for each indicator that they feed: in its base, or out of it and why.
    """
    folder = store.network_year(network, year)
    version = report_version(catalogue.fingerprint(network), reception)
    for verdict in verdicts:
        place = folder / "observations" / f"{verdict.export}.parquet"
        export = catalogue.networks[network].export(verdict.export)
        if verdict.observations is not None and export is not None:
            write_typed_rows(place, verdict.observations)
            take_accounts(verdict, accounts_of(catalogue, network, export, [year], place), catalogue, network)
        write_whole(folder / f"{verdict.export}-anomalies.csv", _findings_csv(verdict))
    report = {
        "fingerprint": version,
        "reception": reception,
        "exports": {
            verdict.export: {
                "etat": verdict.state,
                "motif": verdict.reason,
                "explication": verdict.explanation,
                "lignes_lues": verdict.rows,
                "lignes_acceptees": verdict.accepted,
                "lignes_refusees": verdict.refused,
                "lignes_sans_observation": verdict.ignored,
                "fichiers": verdict.files,
                "comptes": [account.plain() for account in verdict.accounts],
            }
            for verdict in verdicts
        },
        "contenus": {verdict.export: verdict.digests for verdict in verdicts},
        "doutes": [
            {"export": verdict.export, "genre": item.kind, "message": item.message, "bloque": item.blocks}
            for verdict in verdicts
            for item in verdict.doubts
        ],
        "anomalies": count_findings(verdicts),
        "corrections": correction_states(catalogue, network, year, verdicts),
    }
    write_json(folder / "report.json", report)
    return version


def report_version(declarations: str, reception: str) -> str:
    """Return the data version of a report: hash of its reception's, the network's declarations and the code."""
    return fingerprint(reception, declarations, code_fingerprint())


def _findings_csv(verdict: Verdict) -> bytes:
    """Write the findings row by row for the producer and the data team: values included, hence never published.

    Values of personal columns are masked here too.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerow(["fichier", "ligne", "colonne", "valeur", "regle", "severite", "message"])
    for path, _, item in verdict.findings:
        rows = f"{item.row} à {item.last} ({item.count} lignes)" if item.last else item.row or ""
        texts = map(table_text, (item.column, item.value, item.rule, item.severity, item.told))
        writer.writerow([table_text(path), rows, *texts])
    return stream.getvalue().encode("utf-8-sig")


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
        shown = shown_columns(export, export.layout(year) or export.layouts[-1], verdict)
        table = verdict.observations.head(5).select(shown)
        found[f"apercu_{verdict.export.replace('-', '_')}"] = preview(table.to_pandas())
    return found


def shown_columns(export: Export, layout: Layout, verdict: Verdict) -> list[str]:
    """Return the columns to show: none that may hold personal data, nor any that is made of one."""
    labels = {item.column for _, _, item in verdict.findings if item.rule == PERSONAL}
    kept = [field for field in export.fields if not field.personal and label_of(field, layout) not in labels]
    names = {field.name for field in kept}
    made_of = {
        "_periode": export.period.field,
        "_maille": export.level.field,
        "_territoire": export.territory.field if export.territory else None,
        "_structure": export.structure.code if export.structure else None,
    }
    coordinates = [column for column, source in made_of.items() if source is None or source in names]
    return ["_ligne", "_annee", *coordinates, *(field.name for field in kept)]
