"""Asset ``[network, raw]``: the files of a network for a year, found and archived."""

import datetime
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.partitions import network_tags, yearly_check, years_of
from assets.resources import Workspace
from assets.transient import retrying_transient_failures
from pipelines.declarations import Catalogue
from pipelines.flow.receive import receive_again, receive_exports, reception_fingerprint, told_of_reception
from pipelines.flow.revisions import begin_revision, writing_store
from pipelines.flow.store import read_json
from pipelines.read import Received

CLOSED = "Année {year} close : recalcul depuis les fichiers archivés ; ce qui change attendra d'être accepté."


def raw_asset(catalogue: Catalogue, network: str) -> dg.AssetsDefinition:
    """Return the asset that receives the exports of ``network``."""
    declared = catalogue.networks[network]
    key = dg.AssetKey([network, "raw"])

    @dg.asset(
        key=key,
        group_name=network.replace("-", "_"),
        description=f"{declared.title} : fichiers reçus, archivés par empreinte.",
        partitions_def=years_of(catalogue),
        tags=network_tags(network),
        kinds={"file"},
        output_required=False,
        check_specs=[yearly_check(catalogue, key, "reception", "Tous les fichiers attendus sont là")],
    )
    def raw(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Any]:
        year = int(context.partition_key)
        store = writing_store(workspace.store, catalogue, network, year)
        if store.proposes:
            context.log.warning(CLOSED.format(year=year))
            received = receive_again(begin_revision(workspace.store, network, year), network, year, workspace.root)
        else:
            with retrying_transient_failures():
                now = datetime.datetime.now(datetime.UTC)
                received = receive_exports(declared, network, year, store, workspace.root, now)
        absent = [name for name, files in received.items() if not files]
        yield dg.AssetCheckResult(
            check_name="reception",
            passed=not absent,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "absents": ", ".join(absent) or "aucun",
                "attendus": len(received),
                "attendus_le": f"{year + 1}-{declared.due}" if declared.due else "sans date",
            },
        )
        for news in (file for files in received.values() for file in files if file.news == "modifié"):
            context.log.warning(f"Fichier modifié sous le même nom : {news.path} ({news.before} → {news.sha256})")
        reception = read_json(store.network_year(network, year) / "reception.json")
        for told in told_of_reception(reception):
            context.log.warning(told)
        if not any(received.values()):
            message = "aucun fichier transmis" if received else "aucun fichier n'est attendu cette année-là"
            context.log.info(f"{declared.title}, {year} : {message}")
            return
        yield dg.MaterializeResult(
            metadata={
                "fichiers": dg.MetadataValue.md(_files_table(received)),
                "nombre_de_fichiers": sum(len(files) for files in received.values()),
                "octets": sum(file.size for files in received.values() for file in files),
            },
            data_version=dg.DataVersion(reception_fingerprint(received)),
        )

    return raw


def _files_table(received: dict[str, list[Received]]) -> str:
    lines = ["| export | fichier | octets | nouvelle | empreinte |", "|---|---|---|---|---|"]
    for name, files in received.items():
        if not files:
            lines.append(f"| {name} | *absent* | | | |")
        lines += [f"| {name} | {file.path} | {file.size} | {file.news} | `{file.sha256[:12]}` |" for file in files]
    return "\n".join(lines)
