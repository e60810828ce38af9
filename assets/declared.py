"""What Dagster shows of a network before any run: what it sends, when, who answers for it, what is made of what."""

import warnings
from pathlib import Path
from typing import Any

import dagster as dg

from assets.jobs import stage_key
from assets.metadata import SCHEMA, export_columns, table_columns
from pipelines.declarations import Catalogue, Network
from pipelines.flow.preview_rows import observed_name, result_sources
from pipelines.portal.addresses import barometer_page, network_page


def declared_metadata(catalogue: Catalogue, network: str, stage: str, schemas: Path) -> dict[str, Any]:
    """Return what the declarations, in ``schemas``, say of a stage of a network, as metadata of its asset."""
    declared = catalogue.networks[network]
    kind = "barometers" if network in catalogue.barometers else "networks"
    kind = "experiences" if network in catalogue.experiences else kind
    place = _place(schemas / kind / f"{network}.yml")
    metadata: dict[str, Any] = {"producteur": declared.producer, "dagster/code_references": place}
    if stage == "observations":
        metadata[SCHEMA] = _observed_columns(declared)
    if stage == "resultats":
        metadata[SCHEMA] = table_columns(catalogue.tables["resultats"])
        metadata["dagster/column_lineage"] = _lineage(catalogue, network)
        metadata |= _page(catalogue, network)
    return metadata


def description(catalogue: Catalogue, network: str, stage: str) -> str:
    """Say what a stage of a network holds, and who hands it over by when (French)."""
    declared = catalogue.networks[network]
    exports = " ; ".join(export.title for export in declared.exports)
    day = f" avant le {'/'.join(reversed(declared.due.split('-')))} de l'année suivante" if declared.due else ""
    sent = f"Remis par : {declared.producer}{day}. Exports : {exports}."
    if stage == "recu":
        return f"{declared.title}, fichiers reçus. {sent}"
    if stage == "observations":
        return f"{declared.title}, lignes acceptées ; les autres sont refusées, avec leur raison. {sent}"
    titles = ", ".join(catalogue.titles_of(network).values())
    return f"{declared.title}, résultats : {titles or 'aucun indicateur ne lit ce réseau'}."


def _place(file: Path) -> dg.CodeReferencesMetadataValue:
    """Link to a file of declarations. Dagster calls this a beta: its version is pinned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        place = dg.LocalFileCodeReference(file_path=str(file.absolute()), line_number=1, label="déclaration")
        return dg.CodeReferencesMetadataValue(code_references=[place])


def _observed_columns(declared: Network) -> dg.TableSchema:
    """Return the columns of the observations; those of several exports are told apart by the export's name."""
    return dg.TableSchema([
        dg.TableColumn(observed_name(declared, export, item.name), item.type, item.description, item.constraints)
        for export in declared.exports
        for item in export_columns(export).columns
    ])  # fmt: skip


def _lineage(catalogue: Catalogue, network: str) -> dg.TableColumnLineage:
    key = stage_key(network, "observations")
    return dg.TableColumnLineage({
        name: [dg.TableColumnDep(key, source) for source in sources]
        for name, sources in result_sources(catalogue, network).items()
    })  # fmt: skip


def _page(catalogue: Catalogue, network: str) -> dict[str, Any]:
    """Link to the network's page on the public site, where a data set declares one."""
    sites = [dataset.site for dataset in catalogue.datasets.values() if dataset.site]
    if network in catalogue.experiences or not sites:
        return {}
    page = barometer_page(network) if network in catalogue.barometers else network_page(network)
    return {"page_publique": dg.MetadataValue.url(f"{sites[0]}/{page}")}
