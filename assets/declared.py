"""What Dagster shows of a network before any run: what it sends, when, who answers for it, what is made of what."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets.jobs import stage_key
from assets.metadata import SCHEMA, export_columns, table_columns
from assets.step_failures import stage_of_step, step_name
from pipelines.declarations import Catalogue, Export, Network
from pipelines.portal import addresses

LINEAGE = "dagster/column_lineage"


def owners(catalogue: Catalogue) -> list[str]:
    """Return who answers for the assets: the contact of each data set."""
    return sorted({dataset.contact.email for dataset in catalogue.datasets.values()})


def sent(declared: Network) -> str:
    """Say what a network hands over, and by when (French)."""
    exports = " ; ".join(export.title for export in declared.exports)
    day = f" avant le {'/'.join(reversed(declared.due.split('-')))} de l'année suivante" if declared.due else ""
    return f"Remis par : {declared.producer}{day}. Exports : {exports}."


def described(spec: dg.AssetSpec, catalogue: Catalogue, network: str, schemas: Path) -> dg.AssetSpec:
    """Return the spec of a stage of a network with what the declarations, in ``schemas``, say of it."""
    declared, stage = catalogue.networks[network], stage_of_step("__".join(spec.key.path))[1]
    metadata: dict[str, Any] = {
        "producteur": declared.producer,
        "dagster/code_references": _place(schemas / _kind(catalogue, network) / f"{network}.yml"),
    }
    if stage == "observations":
        metadata |= {SCHEMA: _observed_columns(declared)}
    if stage == "resultats":
        metadata |= {SCHEMA: table_columns(catalogue.tables["resultats"]), LINEAGE: _lineage(catalogue, network)}
        metadata |= _page(catalogue, network)
    return spec.replace_attributes(
        description=_description(catalogue, network, stage),
        group_name=step_name(network),
        metadata={**spec.metadata, **metadata},
        tags={**spec.tags, "reseau": network},
    )


def _kind(catalogue: Catalogue, network: str) -> str:
    if network in catalogue.experiences:
        return "experiences"
    return "barometers" if network in catalogue.barometers else "networks"


def _place(file: Path) -> dg.CodeReferencesMetadataValue:
    """Link to a file of declarations. Dagster calls this a beta: its version is pinned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        place = dg.LocalFileCodeReference(file_path=str(file.absolute()), line_number=1, label="déclaration")
        return dg.CodeReferencesMetadataValue(code_references=[place])


def _description(catalogue: Catalogue, network: str, stage: str) -> str:
    declared = catalogue.networks[network]
    if stage == "recu":
        return f"{declared.title}, fichiers reçus. {sent(declared)}"
    if stage == "observations":
        return f"{declared.title}, lignes acceptées ; les autres sont refusées, avec leur raison. {sent(declared)}"
    titles = ", ".join(catalogue.titles_of(network).values())
    return f"{declared.title}, résultats : {titles or 'aucun indicateur ne lit ce réseau'}."


def _observed_columns(declared: Network) -> dg.TableSchema:
    """Return the columns of the observations; those of several exports are told apart by the export's name."""
    return dg.TableSchema([
        dg.TableColumn(_column(declared, export, column.name), column.type, column.description, column.constraints)
        for export in declared.exports
        for column in export_columns(export).columns
    ])  # fmt: skip


def _lineage(catalogue: Catalogue, network: str) -> dg.TableColumnLineage:
    """Return which columns of the observations each column of the results is made of."""
    key, made_of = stage_key(network, "observations"), dict[str, dict[str, None]]()
    for name, source in _sources(catalogue, network):
        made_of.setdefault(name, {})[source] = None
    return dg.TableColumnLineage({
        name: [dg.TableColumnDep(key, source) for source in sources] for name, sources in made_of.items()
    })  # fmt: skip


def _page(catalogue: Catalogue, network: str) -> dict[str, Any]:
    """Link to the network's page on the public site, where a data set declares one."""
    sites = [dataset.site for dataset in catalogue.datasets.values() if dataset.site]
    if network in catalogue.experiences:
        return {}
    page = addresses.page("barometres" if network in catalogue.barometers else "reseaux", network)
    return {"page_publique": dg.MetadataValue.url(f"{sites[0]}/{page}")} if sites else {}


def _sources(catalogue: Catalogue, network: str) -> Iterator[tuple[str, str]]:
    """Yield a column of the results and one of the observations that it is made of, as declared."""
    declared = catalogue.networks[network]
    for indicator in catalogue.indicators_of(network).values():
        feed = indicator.networks[network]
        for export in (item for item in declared.exports if item.id in feed.export):
            places = {"periode": export.period.field, "maille": export.level.field}
            places |= {"territoire_code": export.territory.field} if export.territory else {}
            if export.structure:
                places |= {"structure_code": export.structure.code, "structure": export.structure.name}
            places |= {"effectif_pondere": export.weight}
            for name, field in places.items():
                if field:
                    yield name, _column(declared, export, field)
            for field in (*feed.inputs.values(), *feed.where):
                yield "valeur", _column(declared, export, field)


def _column(declared: Network, export: Export, field: str) -> str:
    return field if len(declared.exports) == 1 else f"{export.id}.{field}"
