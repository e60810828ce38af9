"""What is kept of a network-year once judged: observations, refused rows, letters, and last the verdict.

What the files are worth is decided in ``judge``. Letters and copies of refused rows go to producers alone: no asset
downstream reads them, and nothing of them is published.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.compute.accounts import accounts_of
from pipelines.declarations import Catalogue
from pipelines.flow.fingerprints import verdict_version
from pipelines.flow.state import ExportDoubt, ExportVerdict, YearVerdict
from pipelines.flow.store import Store
from pipelines.flow.stored_files import write_typed_rows
from pipelines.mechanics.files import write_whole
from pipelines.mechanics.plain_text import table_text
from pipelines.validate import Verdict, annotated_copy, correction_states, count_findings, write_letter
from pipelines.validate.verdict import take_accounts

_ENDINGS = ("lettre.html", "lettre.txt", "lignes-refusees.xlsx")


@dataclass(frozen=True)
class JudgedYear:
    """A network-year just judged: its verdicts, what is kept of them, and the letters and copies written, by name."""

    verdicts: list[Verdict]
    kept: YearVerdict
    letters: dict[str, Path]


def keep_verdict(
    store: Store, catalogue: Catalogue, network: str, year: int, verdicts: list[Verdict], reception: str
) -> JudgedYear:
    """Write accepted observations, refused rows, letters, and last the verdict that makes them count.

    The accepted rows are counted there, for each indicator that they feed: in its base, or out of it and why.
    """
    folder = store.network_year(network, year)
    for verdict in verdicts:
        place = folder / "observations" / f"{verdict.export}.parquet"
        export = catalogue.networks[network].export(verdict.export)
        if verdict.observations is not None and export is not None:
            write_typed_rows(place, verdict.observations)
            take_accounts(verdict, accounts_of(catalogue, network, export, [year], place), catalogue, network)
        write_whole(folder / f"{verdict.export}-anomalies.csv", _findings_csv(verdict))
    kept = YearVerdict(
        fingerprint=verdict_version(catalogue.fingerprint(network), reception),
        reception=reception,
        exports={verdict.export: _export_verdict(verdict) for verdict in verdicts},
        contents={verdict.export: verdict.digests for verdict in verdicts},
        doubts=tuple(
            ExportDoubt(export=verdict.export, kind=doubt.kind, message=doubt.message, blocks=doubt.blocks)
            for verdict in verdicts
            for doubt in verdict.doubts
        ),
        findings=tuple(count_findings(verdicts)),
        corrections=tuple(correction_states(catalogue, network, year, verdicts)),
    )
    letters = _write_letters(store, catalogue, network, year, verdicts)
    store.write(network, year, kept)
    return JudgedYear(verdicts, kept, letters)


def _export_verdict(verdict: Verdict) -> ExportVerdict:
    return ExportVerdict(
        status=verdict.state,
        reason=verdict.reason,
        explanation=verdict.explanation,
        read=verdict.rows,
        accepted=verdict.accepted,
        refused=verdict.refused,
        files=tuple(verdict.files),
        accounts=tuple(verdict.accounts),
    )


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


def _write_letters(
    store: Store, catalogue: Catalogue, network: str, year: int, verdicts: list[Verdict]
) -> dict[str, Path]:
    """Write the letters of the exports that have something to mend, remove those of the others; return them by name."""
    folder = store.network_year(network, year)
    reception = store.read(network, year).reception
    told_on = reception.received_on if reception else None
    written: dict[str, Path] = {}
    for verdict in verdicts:
        for ending, content in _letters_of(catalogue, network, year, verdict, told_on).items():
            path = folder / f"{verdict.export}-{ending}"
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write_whole(path, content)
                name = f"{verdict.export}_{ending.partition('.')[0]}_{path.suffix[1:]}".replace("-", "_")
                written[name] = path
    return written


def _letters_of(
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
