"""What Dagster's UI shows: assets and their checks, rows as Markdown, and of a network what is known before any run."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import dagster as dg
import yaml

from assets.step_failures import stage_key, step_name
from pipelines.declarations import Catalogue, Column, ExportField, Network, Table
from pipelines.flow.preview_rows import observed_name, result_sources
from pipelines.operations.settings import setting
from pipelines.portal import addresses
from pipelines.portal.open_release import UnreadableReleaseError
from pipelines.portal.release_data import Reading
from pipelines.portal.sentences import latest_sentence

SCHEMA = "dagster/column_schema"
ROWS = "dagster/row_count"
TO_PASTE = "Sa configuration est donnée, à coller, là où il est dit que quelque chose attend (« a_coller »)."

Declaring = Callable[[Callable[..., Any]], dg.AssetsDefinition]  # what makes an asset of a function
_NO_CHECKS: Mapping[str, str] = {}


def declaring(
    key: dg.AssetKey,
    description: str,
    checks: Mapping[str, str] = _NO_CHECKS,
    partitions_def: dg.PartitionsDefinition[Any] | None = None,
    **options: Any,
) -> Declaring:
    """Return what declares an asset, in the group that its key begins with, and its checks (name → description).

    The checks have, like the asset, a state for each partition, else one would show as "not evaluated" once a refused
    year and a good one were in the same backfill. Dagster calls this a preview: its version is pinned, and a browser
    test looks at what is shown.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        specs = [
            dg.AssetCheckSpec(name, asset=key, description=text, partitions_def=partitions_def)
            for name, text in checks.items()
        ]
    asset: Declaring = dg.asset(
        key=key,
        description=description,
        group_name=step_name(key.path[0]),
        check_specs=specs,
        partitions_def=partitions_def,
        **options,
    )
    return asset


def rows_shown(rows: Sequence[Mapping[str, object]], shown: int = 60) -> dg.MarkdownMetadataValue:
    """Show rows that all have the same names as a table."""
    if not rows:
        return dg.MetadataValue.md("*rien*")
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows[:shown]]
    return dg.MetadataValue.md("\n".join(lines))


def outcome(
    name: str | None, passed: bool, shown: Mapping[str, Any], asset: dg.AssetKey | None = None, *, error: bool = False
) -> dg.AssetCheckResult:
    """Return the outcome of a check: it warns, or tells an ``error``, where not ``passed``, and shows why."""
    severity = dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(check_name=name, passed=passed, severity=severity, metadata=shown, asset_key=asset)


def launch_shown(job: str, operations: Mapping[str, Mapping[str, object]]) -> dict[str, Any]:
    """Show how a job is launched with a configuration: the text to paste, and a link to its filled launchpad.

    The link is there where people's address of the UI is known (RESULTATS_UI_URL).
    """
    config = {"ops": {name: {"config": dict(values)} for name, values in operations.items()}}
    text = yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
    shown: dict[str, Any] = {"a_coller": text}
    if address := setting("RESULTATS_UI_URL"):
        page = f"{address.rstrip('/')}/locations/resultats/jobs/{job}/playground/setup"
        shown["a_lancer"] = dg.MetadataValue.url(f"{page}?{urlencode({'config': text})}")
    return shown


def lines_shown(lines: Iterable[str]) -> dg.MarkdownMetadataValue:
    """Show sentences as a list."""
    return dg.MetadataValue.md("\n".join(f"- {line}" for line in lines) or "*rien*")


def national_shown(release: Path) -> dg.MarkdownMetadataValue:
    """Show the national values of a release in the sentences that its public site says.

    Not their curves: Dagster's Markdown drops pictures that are not files of a web server.
    """
    try:
        with Reading(release) as reading:
            return lines_shown(
                f"{reading.networks[place.network].title}, {series.indicator.title} : {latest_sentence(series)}"
                for place, held in reading.place_series(level="national")
                for series in held
            )
    except UnreadableReleaseError:  # a data set without results
        return lines_shown(())


def table_columns(table: Table) -> dg.TableSchema:
    """Return the columns of a published table, with their French descriptions and what they must be."""
    return dg.TableSchema([_column(column, column.name) for column in table.columns])


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


def stage_description(catalogue: Catalogue, network: str, stage: str) -> str:
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
    """Return the columns of the observations, without personal ones, which are dropped."""
    columns = []
    for export in declared.exports:
        for field in (field for field in export.fields if not field.personal):
            columns.append(_column(field, observed_name(declared, export, field.name)))
    return dg.TableSchema(columns)


def _lineage(catalogue: Catalogue, network: str) -> dg.TableColumnLineage:
    key = stage_key(network, "observations")
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(key, source) for source in sources]
            for name, sources in result_sources(catalogue, network).items()
        }
    )


def _page(catalogue: Catalogue, network: str) -> dict[str, Any]:
    """Link to the network's page on the public site, where a data set declares one."""
    sites = [dataset.site for dataset in catalogue.datasets.values() if dataset.site]
    if network in catalogue.experiences or not sites:
        return {}
    page = addresses.page("barometres" if network in catalogue.barometers else "reseaux", network)
    return {"page_publique": dg.MetadataValue.url(f"{sites[0]}/{page}")}


def _column(declared: Column | ExportField, name: str) -> dg.TableColumn:
    limits = declared.constraints
    others = [f"{rule} : {value}" for rule, value in limits.descriptor().items() if rule not in ("required", "unique")]
    constraints = dg.TableColumnConstraints(nullable=not limits.required, unique=limits.unique, other=others)
    return dg.TableColumn(name, declared.type, declared.description, constraints)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
