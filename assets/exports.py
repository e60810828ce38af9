"""Asset ``[network, raw]``: the files of a network for a year, found and archived."""

import datetime
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import dagster as dg

from assets.partitions import network_tags, yearly_check, years_of
from assets.provenance import synthetic_statement
from assets.reception import begin_reception, told_of_reception, write_reception
from assets.resources import Workspace
from assets.revisions import begin_revision, writing_store
from assets.storage import Store, fingerprint, read_json
from assets.transient import retrying_transient_failures
from pipelines.declarations import Catalogue, Layout, Network
from pipelines.read import DamagedArchiveError, Received, SourceFile
from pipelines.read.arriving import changed, growing, unfinished

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
            received = receive_again(begin_revision(workspace.store, network, year), network, year, workspace)
        else:
            with retrying_transient_failures():
                received = receive_exports(declared, network, year, workspace, datetime.datetime.now(datetime.UTC))
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
            data_version=dg.DataVersion(_fingerprint(received)),
        )

    return raw


def receive_exports(
    declared: Network, network: str, year: int, workspace: Workspace, now: datetime.datetime
) -> dict[str, list[Received]]:
    """Archive the files of every export owed for the year, and record what was received (``reception.json``).

    A file that is still arriving is left for the next time, and what was received of it before stands.
    """
    store, root = workspace.store, workspace.root
    before = begin_reception(store, network, year)
    owed = _owed(declared, year)
    listing = root.listing()
    found = {name: listing.find(layout.path, year) for name, layout in owed.items()}
    moving = growing(root, (file for files in found.values() for file in files), now.timestamp())
    received: dict[str, list[Received]] = {}
    left: list[dict[str, str]] = []
    for name, files in found.items():
        known = {file["path"]: file for file in before["exports"].get(name, ())}
        received[name] = []
        for file in files:
            why = "change encore" if file.path in moving else ""
            arrived = None if why else _arrived(workspace, file, owed[name], now)
            if arrived is None:
                left.append({"export": name, "path": file.name, "why": why or "n'a pas sa fin"})
                arrived = Received(**{**known[file.name], "news": "inchangé"}) if file.name in known else None
            received[name] += [arrived] if arrived else []
    state = {
        "fingerprint": _fingerprint(received),
        "synthetic": synthetic_statement(root),
        "exports": {name: [asdict(file) for file in files] for name, files in received.items()},
        "left": left,
        "twins": _twins(workspace, received),
        "renamed": [
            {"export": name, "path": file.name, "expected": file.expected}
            for name, files in found.items() for file in files if file.expected
        ],
    }  # fmt: skip
    write_reception(store, network, year, state)
    return received


def _owed(declared: Network, year: int) -> dict[str, Layout]:
    layouts = {export.id: export.layout(year) for export in declared.exports}
    return {name: layout for name, layout in layouts.items() if layout is not None and year in declared.years}


def _twins(workspace: Workspace, received: dict[str, list[Received]]) -> list[dict[str, Any]]:
    """Return the files whose content is also that of a file of another export, year or network."""
    found = []
    for name, files in received.items():
        paths = {file.path for file in files}
        for file in files:
            others = [path for path in workspace.store.archive.twins(workspace.root, file) if path not in paths]
            if others:
                found.append({"export": name, "path": file.path, "same_as": others})
    return found


def _arrived(workspace: Workspace, file: SourceFile, layout: Layout, now: datetime.datetime) -> Received | None:
    """Archive a file; return None when it changed meanwhile, or when its end is missing and may be on its way."""
    store, root = workspace.store, workspace.root
    received = store.archive.receive(root, file, now)
    if (
        file.modified is not None
        and received.news != "inchangé"
        and (changed(root, [file]) or unfinished(store.archive.held(received.sha256), file, layout, now.timestamp()))
    ):
        return None
    return received


def receive_again(store: Store, network: str, year: int, workspace: Workspace) -> dict[str, list[Received]]:
    """Return what was received for a closed year, as it was.

    What the archive lost is taken again from the exports root; raises DamagedArchiveError where it isn't there either.
    """
    reception = read_json(store.network_year(network, year) / "reception.json")
    received = {
        name: [Received(**{**file, "news": "inchangé", "before": None}) for file in files]
        for name, files in reception["exports"].items()
    }
    for file in (file for files in received.values() for file in files):
        try:
            store.archive.path(file.sha256)
        except DamagedArchiveError as error:
            if not store.archive.take_again(workspace.root, file.path, file.sha256):
                raise DamagedArchiveError(file.sha256, [file.path]) from error
    return received


def _fingerprint(received: dict[str, list[Received]]) -> str:
    return fingerprint({name: [(file.path, file.sha256) for file in files] for name, files in received.items()})


def _files_table(received: dict[str, list[Received]]) -> str:
    lines = ["| export | fichier | octets | nouvelle | empreinte |", "|---|---|---|---|---|"]
    for name, files in received.items():
        if not files:
            lines.append(f"| {name} | *absent* | | | |")
        lines += [f"| {name} | {file.path} | {file.size} | {file.news} | `{file.sha256[:12]}` |" for file in files]
    return "\n".join(lines)
