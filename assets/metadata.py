"""How Dagster's UI shows tables: rows as Markdown, declared columns as ``dagster/column_schema``."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import dagster as dg
import yaml

from pipelines.declarations import Column, Export, ExportField, Table
from pipelines.operations.settings import setting
from pipelines.portal.open_release import UnreadableReleaseError
from pipelines.portal.release_data import Reading
from pipelines.portal.sentences import latest_sentence

SCHEMA = "dagster/column_schema"
ROWS = "dagster/row_count"
TO_PASTE = "Sa configuration est donnée, à coller, là où il est dit que quelque chose attend (« a_coller »)."


def rows_shown(rows: Sequence[Mapping[str, object]], shown: int = 60) -> dg.MarkdownMetadataValue:
    """Show rows that all have the same names as a table."""
    if not rows:
        return dg.MetadataValue.md("*rien*")
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows[:shown]]
    return dg.MetadataValue.md("\n".join(lines))


def warning(
    name: str | None, passed: bool, shown: Mapping[str, Any], asset: dg.AssetKey | None = None, *, error: bool = False
) -> dg.AssetCheckResult:
    """Return the result of a check that warns, or tells an ``error``, and shows why."""
    severity = dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(check_name=name, passed=passed, severity=severity, metadata=shown, asset_key=asset)


def launch_shown(job: str, operations: Mapping[str, Mapping[str, object]]) -> dict[str, dg.MetadataValue[Any]]:
    """Show how a job is launched with a configuration: the text to paste, and a link to its filled launchpad.

    The link is there where people's address of the UI is known (RESULTATS_UI_URL).
    """
    config = {"ops": {name: {"config": dict(values)} for name, values in operations.items()}}
    text = yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
    shown: dict[str, dg.MetadataValue[Any]] = {"a_coller": dg.MetadataValue.text(text)}
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
    return dg.TableSchema([_column(item) for item in table.columns])


def export_columns(export: Export) -> dg.TableSchema:
    """Return the columns of an export as observations hold them: personal ones are dropped."""
    return dg.TableSchema([_column(item) for item in export.fields if not item.personal])


def _column(declared: Column | ExportField) -> dg.TableColumn:
    limits = declared.constraints
    others = [f"{name} : {value}" for name, value in limits.descriptor().items() if name not in ("required", "unique")]
    constraints = dg.TableColumnConstraints(nullable=not limits.required, unique=limits.unique, other=others)
    return dg.TableColumn(declared.name, declared.type, declared.description, constraints)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
