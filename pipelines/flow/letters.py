"""Writes, beside the report of a network and year, what goes to producers: letters and copies of refused rows.

These files are private: no asset downstream reads them, and nothing of them is published.
"""

from datetime import date
from pathlib import Path

from pipelines.declarations import Catalogue
from pipelines.flow.store import Store
from pipelines.mechanics.files import write_whole
from pipelines.validate import Verdict, annotated_copy, write_letter

_ENDINGS = ("lettre.html", "lettre.txt", "lignes-refusees.xlsx")


def write_letters(
    store: Store, catalogue: Catalogue, network: str, year: int, verdicts: list[Verdict]
) -> dict[str, Path]:
    """Write the letters of the exports that have something to mend, remove those of the others; return them by name."""
    folder = store.network_year(network, year)
    reception = store.read(network, year).reception
    told_on = reception.received_on if reception else None
    written: dict[str, Path] = {}
    for verdict in verdicts:
        for ending, content in _contents(catalogue, network, year, verdict, told_on).items():
            path = folder / f"{verdict.export}-{ending}"
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write_whole(path, content)
                name = f"{verdict.export}_{ending.partition('.')[0]}_{path.suffix[1:]}".replace("-", "_")
                written[name] = path
    return written


def _contents(
    catalogue: Catalogue, network: str, year: int, verdict: Verdict, told_on: date | None
) -> dict[str, bytes | None]:
    declared = catalogue.networks[network]
    export = declared.export(verdict.export)
    layout = export.layout(year) if export else None
    if export is None or layout is None or verdict.clean:
        return dict.fromkeys(_ENDINGS)
    copy = annotated_copy(verdict, export, layout, f"{declared.title}, {export.title}, {year}")
    name = f"{verdict.export}-{_ENDINGS[2]}" if copy is not None else None
    letter = write_letter(catalogue, network, year, verdict, copy=name, told_on=told_on)
    contents = (letter.html.encode("utf-8"), letter.text.encode("utf-8"), copy)
    return dict(zip(_ENDINGS, contents, strict=True))
