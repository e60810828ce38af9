"""The reuse page of a dataset in Markdown: where the files are, code to read them, versions and why, dictionary.

Its HTML sister is the page of the local catalogue; both are filled from the same entry.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.compile.dictionary import dictionary_rows
from pipelines.release import history
from pipelines.release.changelog import known_versions
from pipelines.release.readme import LICENCE_TEXT, LIMITS, citation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.declarations import Catalogue

TEMPLATES = Path(__file__).parent / "templates"
REUSE = "reutiliser.md"
INVENTED = "Ces données sont inventées."


def reuse_page(
    catalogue: Catalogue,
    dataset_id: str,
    release: Path,
    *,
    address: Callable[[str], str],
    synthetic: str | None = None,
) -> str:
    """Return the page of the release in that folder.

    ``address`` gives the permalink of a file of the latest release, empty when the target doesn't hold it.
    """
    return reuse_text(facts(catalogue, dataset_id, release, synthetic), address)


def reuse_text(entry: Mapping[str, Any], address: Callable[[str], str]) -> str:
    """Return the page of what ``facts`` told."""
    pages = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    pages.filters["cell"] = _cell
    return pages.get_template("reuse.md").render(entry, address=address)


def facts(catalogue: Catalogue, dataset_id: str, release: Path, synthetic: str | None) -> dict[str, Any]:
    """Return what pages tell of a release: texts, tables with rows and columns, all versions newest first."""
    dataset, descriptor = catalogue.datasets[dataset_id], history.descriptor(release)
    marked = bool(descriptor.get("synthetic", False))
    warning = (synthetic or INVENTED) if marked or synthetic else None
    rows: Mapping[str, int] = history.row_counts(release)
    declared = {table: catalogue.tables[table] for table in dataset.tables if table in rows}
    return {
        "dataset": dataset,
        "title": descriptor["title"],
        "version": release.name,
        "main_table": dataset.main_table,
        "tables": declared,
        "rows": rows,
        "columns": {table: dictionary_rows({table: declared[table]}) for table in declared},
        "history": known_versions(release.parent.parent, dataset_id)[::-1],
        "citation": citation(dataset, release.name, warning),
        "licence": LICENCE_TEXT,
        "limits": LIMITS,
        "synthetic": warning,
    }


def _cell(text: str) -> str:
    """Return a text that fits in a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
