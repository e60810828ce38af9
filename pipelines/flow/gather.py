"""Gathers what every network-year left, and makes the national tables of it.

A network-year that is out of date counts as failed.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.compile.table_schema import TYPES
from pipelines.compute.network_year import RESULT_COLUMNS
from pipelines.declarations import Catalogue, Table
from pipelines.declarations.statuses import REASONS, Status
from pipelines.disclosure.audit import SECRET_FIGURES, secret_figures
from pipelines.disclosure.results_table import NUMBERS
from pipelines.disclosure.revised import KEPT_FROM
from pipelines.flow.barometer_waves import BAROMETER_TABLES, gather_barometers
from pipelines.flow.fingerprints import tables_declared
from pipelines.flow.protection import Protection, protecting
from pipelines.flow.state import ExportVerdict, National, NetworkYear, YearVerdict
from pipelines.flow.store import FRAMES, NATIONAL_ROOM, STATE_FILES, Store
from pipelines.flow.stored_files import read_frame, table_in_parts, write_table
from pipelines.mechanics.files import sha256
from pipelines.tables.correlations import CORRELATED
from pipelines.tables.national import COMMON, common_tables, safe_tables
from pipelines.tables.national_inputs import NationalInputs
from pipelines.tables.quality import COUNTS
from pipelines.tables.receptions import kept_figures
from pipelines.validate.messages import title

RESULTS = "resultats"
SECRETS = "secrets.parquet"  # what the tables hide: the audit reads it, and nobody else
_HIDDEN, _KNOWN = "secrets", "connu"
_FINDING = (
    *("reseau", "annee", "export", "fichier", "empreinte", "regle", "colonne", "severite", "nombre"),
    *("premiere_ligne", "derniere_ligne", "message"),
)
_GATHERED = "work/etat-national.json"  # alone, and small: it is looked at all day long
_MAY_BE_LEFT_OUT = frozenset({KEPT_FROM, "chiffres_conserves"})
_COUNTS = ("lignes_lues", "lignes_acceptees", "lignes_refusees")


class StaleError(Exception):
    """Network-years were computed under other declarations; says which, in French."""


class ColumnsError(Exception):
    """The columns of a table aren't those that are declared; says which, in French."""


def make_tables(catalogue: Catalogue, store: Store, statement: str | None) -> National:
    """Make the national tables, one network after the other, and keep them; return what is known of them.

    ``statement``: of the exports root in use, when it is synthetic. Raises StaleError, ColumnsError.
    """
    catalogue = catalogue.without_signals  # made apart, afterwards: see ``flow.voice``
    if stale := stale_network_years(catalogue, store):
        raise StaleError(f"Les déclarations ont changé depuis le calcul de : {stale}. Relancer ces réseaux.")
    state = national_state(catalogue, store)  # before anything is read: what changes meanwhile is seen afterwards
    results = catalogue.of_results
    with protecting(results, store) as protection, store.writing(NATIONAL_ROOM) as (folder,):
        with ExitStack() as files:
            writers = {
                name: files.enter_context(table_in_parts(folder / f"{name}.parquet", schema))
                for name, schema in _schemas(results).items()
            }
            nationals = [
                _add_network(alone(results, network), store, statement, protection, writers)
                for network in results.networks
            ]
        yearly = pd.DataFrame(columns=list(CORRELATED))
        if RESULTS in results.tables:
            yearly = read_frame(folder / f"{RESULTS}.parquet", CORRELATED, frequence="annuelle")
        common = common_tables(results, yearly)
        for name, frame in {**common, **gather_barometers(catalogue, store)}.items():
            if name in catalogue.tables:
                write_table(folder / f"{name}.parquet", declared_table(name, catalogue.tables[name], frame))
        made = National(
            synthetic=next((national.synthetic for national in nationals if national.synthetic), None),
            set_aside=tuple(aside for national in nationals for aside in national.set_aside),
            kept=tuple(kept for national in nationals for kept in national.kept),
        )
        store.tell_tables(made)
    store.keep(_GATHERED, state)
    return made


def alone(catalogue: Catalogue, network: str) -> Catalogue:
    """Return the declarations as if no other network were declared."""
    corrections = {name: items for name, items in catalogue.corrections.items() if name == network}
    return replace(catalogue, networks={network: catalogue.networks[network]}, corrections=corrections)


def _schemas(catalogue: Catalogue) -> dict[str, pa.Schema]:
    """Return the Arrow schemas of the tables that networks add rows to, and of what these hide."""
    apart = {*COMMON, *BAROMETER_TABLES}
    secrets = pa.schema([(name, pa.float64() if name in NUMBERS else pa.string()) for name in SECRET_FIGURES])
    declared = {name: _schema(table) for name, table in catalogue.tables.items() if name not in apart}
    return {**declared, _HIDDEN: secrets}


def _schema(table: Table) -> pa.Schema:
    return pa.schema([(column.name, TYPES[column.type]) for column in table.columns])


def _add_network(
    catalogue: Catalogue,
    store: Store,
    statement: str | None,
    protection: Protection,
    writers: Mapping[str, pq.ParquetWriter],
) -> National:
    """Add the rows of the only network of a catalogue to the tables; return what is known of them.

    Its rows are remembered: they are made again when anything that they depend on changed.
    """
    owed = _owed(catalogue)
    depends = [_written(store, *place) for place in owed], tables_declared(catalogue), statement
    (network,) = catalogue.networks

    def made() -> dict[str, pa.Table]:
        return _network_tables(catalogue, store, statement, protection, writers[_HIDDEN].schema)

    tables = protection.tables(network, [year for _, year in owed], depends, made)
    known = National.model_validate_json(tables.pop(_KNOWN)[_KNOWN][0].as_py())
    for name, table in tables.items():
        writers[name].write_table(table)
    return known


def _network_tables(
    catalogue: Catalogue, store: Store, statement: str | None, protection: Protection, hidden: pa.Schema
) -> dict[str, pa.Table]:
    """Make the tables of the only network of a catalogue, what they hide, and what is known of them."""
    inputs, warning = gather(catalogue, store, statement, protection)
    frames, aside = safe_tables(catalogue, inputs, judge=protection.judge)
    secrets = inputs.results if inputs.secrets is None else inputs.secrets
    if aside:
        secrets = secret_figures(secrets, frames[RESULTS])
    national = National(synthetic=warning, set_aside=tuple(aside), kept=tuple(kept_figures(catalogue, frames[RESULTS])))
    return {
        _HIDDEN: pa.Table.from_pandas(secrets, hidden, preserve_index=False),
        _KNOWN: pa.table({_KNOWN: [national.model_dump_json()]}),
        **{
            name: declared_table(name, catalogue.tables[name], frame)
            for name, frame in frames.items()
            if name in catalogue.tables
        },
    }


def _written(store: Store, network: str, year: int) -> list[object]:
    """Return what changes with any file of a network and year that tables are made of."""
    folder = store.network_year(network, year)
    files = (folder / name for name in (*STATE_FILES.values(), *(f"{name}.parquet" for name in FRAMES)))
    return [network, year, *(sha256(file) if file.is_file() else None for file in files)]


def table_rows(catalogue: Catalogue, store: Store) -> dict[str, int]:
    """Return how many rows each national table has."""
    files = {name: store.national / f"{name}.parquet" for name in catalogue.without_signals.tables}
    return {name: pq.read_metadata(file).num_rows for name, file in files.items() if file.is_file()}


def national_state(catalogue: Catalogue, store: Store) -> dict[str, str]:
    """Return from what national tables would be made now: network-years (empty when none was run), declarations."""
    return {"etat": store.state(_owed(catalogue)), "declare": tables_declared(catalogue.without_signals)}


def gathered(store: Store) -> dict[str, str]:
    """Return from what the national tables were last made, as ``national_state`` says it."""
    return store.load(_GATHERED, dict[str, str]) or {}


def tables_are_current(catalogue: Catalogue, store: Store) -> bool:
    """Whether the national tables are here, made from what they would be made from now."""
    there = all((store.national / f"{name}.parquet").is_file() for name in catalogue.without_signals.tables)
    return there and gathered(store) == national_state(catalogue, store)


def gather(
    catalogue: Catalogue, store: Store, current: str | None, protection: Protection | None = None
) -> tuple[NationalInputs, str | None]:
    """Read receptions, verdicts and results of every network and year that is owed.

    ``protection``: what hides results as they are read, one network and year at a time; without it they have all their
    figures. ``current`` is the statement of the exports root in use, if it is synthetic. Returns the inputs, and the
    statement that must go with them when any of their rows is synthetic, whatever root it came from.
    """
    receipts: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    corrections: list[dict[str, Any]] = []
    accounts: list[dict[str, Any]] = []
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in (*FRAMES, _HIDDEN)}
    failed: set[tuple[str, int, str]] = set()
    statements: dict[tuple[str, int], str | None] = {}
    for known in store.read_all(_owed(catalogue)):
        network, year = known.network, known.year
        place = {"reseau": network, "annee": year}
        verdict = known.verdict if known.judged else None
        statements[network, year] = known.reception.synthetic if known.reception else current
        declared = catalogue.networks[network].exports
        exports = {item.id: _receipt(item.id, known) for item in declared if item.layout(year) is not None}
        receipts += [{**place, "export": name, **receipt} for name, receipt in exports.items()]
        findings += [{**place, **item} for item in (verdict.findings if verdict else ())]
        corrections += [{"reseau": network, **item} for item in (verdict.corrections if verdict else ())]
        if any(receipt["etat"] == Status.ACCEPTED for receipt in exports.values()):
            without = _add_results(catalogue, store, known, frames, protection)
            failed |= {(network, year, indicator) for indicator in without}
            accounts += [{**place, **item} for item in accounts_of_verdict(known.verdict)]
            findings += _out_of_range(catalogue, known)
    joined = {name: _joined(found) for name, found in frames.items()}
    secrets = joined.pop(_HIDDEN)
    if joined["results"].empty:
        joined["results"] = pd.DataFrame(columns=["reseau", *RESULT_COLUMNS, KEPT_FROM])
    inputs = NationalInputs(
        receipts=pd.DataFrame(receipts, columns=["reseau", "annee", "export", "etat", "motif", *_COUNTS]),
        findings=_findings(catalogue, findings, receipts),
        failed=frozenset(failed),
        synthetic=frozenset(place for place, statement in statements.items() if statement),
        corrections=pd.DataFrame(corrections, columns=["reseau", "numero", "etat"]),
        accounts=pd.DataFrame(accounts, columns=["reseau", "annee", "export", "indicateur", *COUNTS]),
        **joined,
        secrets=secrets.reindex(columns=SECRET_FIGURES) if protection else None,
    )
    return inputs, next((statement for statement in statements.values() if statement), None)


def accounts_of_verdict(verdict: YearVerdict | None) -> list[dict[str, Any]]:
    """Return what became of the accepted rows: a line per export and indicator, with a count by reason."""
    return [
        {
            "export": name,
            "indicateur": account.indicator,
            "lignes_acceptees": account.accepted,
            "lignes_base": account.base,
            **{reason: account.outside.get(reason, 0) for reason in REASONS},
        }
        for name, export in (verdict.exports if verdict else {}).items()
        for account in export.accounts
    ]


def stale_network_years(catalogue: Catalogue, store: Store) -> str:
    """Name the open network-years whose results were computed under other declarations than today's, or nothing.

    Publishing them would put old values under new definitions. Those of a closed year stand as they were accepted
    until a revision is.
    """
    stale: dict[str, list[str]] = {}
    today = {network: catalogue.fingerprint(network) for network in catalogue.networks}
    for known in store.read_all(_owed(catalogue)):
        network, results = known.network, known.results
        if results and results.declarations != today[network] and not catalogue.networks[network].closed(known.year):
            stale.setdefault(network, []).append(str(known.year))
    return " ; ".join(f"{network} {', '.join(years)}" for network, years in stale.items())


def declared_table(name: str, table: Table, frame: pd.DataFrame) -> pa.Table:
    """Return the frame in the declared columns and types.

    Fails by name on a column that is declared but not made, or made but not declared; those that tell of kept figures
    may be left out by declarations older than them.
    """
    differ = (set(table.names) ^ set(frame.columns)) - (_MAY_BE_LEFT_OUT - set(table.names))
    if differ and len(frame):
        raise ColumnsError(f"Table {name} : colonnes déclarées et calculées diffèrent : {', '.join(sorted(differ))}.")
    cells = frame.reindex(columns=table.names)
    return pa.table([_cells(cells[field.name], field.type) for field in _schema(table)], schema=_schema(table))


def _cells(column: "pd.Series[Any]", kind: pa.DataType) -> pa.Array:
    """Return the cells of a column; one that nobody filled may be of any type in a frame."""
    return pa.nulls(len(column), kind) if column.isna().all() else pa.array(column, kind, from_pandas=True)


def _owed(catalogue: Catalogue) -> list[tuple[str, int]]:
    return [(network, year) for network, declared in catalogue.networks.items() for year in declared.years]


def _receipt(export: str, known: NetworkYear) -> dict[str, Any]:
    """Return the receipt of an export owed, in the columns of the published table."""
    state = known.of_export(export)
    receipt: dict[str, Any] = {"etat": state.status.value, "motif": state.reason}
    if isinstance(state, ExportVerdict):
        receipt |= dict(zip(_COUNTS, (state.read, state.accepted, state.refused), strict=True))
    return receipt


def _add_results(
    catalogue: Catalogue,
    store: Store,
    known: NetworkYear,
    frames: Mapping[str, list[pd.DataFrame]],
    protection: Protection | None,
) -> list[str]:
    """Add the frames of a network-year; return the indicators that failed."""
    expected = catalogue.expected(known.network, known.year)
    if not known.computed or known.results is None:
        return list(expected)
    for name in FRAMES:
        file = store.network_year(known.network, known.year) / f"{name}.parquet"

        def read(file: Path = file) -> pd.DataFrame:
            frame = read_frame(file)
            if "indicateur" in frame:  # a closed year may hold what is no longer declared
                frame = frame[frame["indicateur"].isin(list(expected))]
            return frame.assign(reseau=known.network, annee=known.year)

        if name == "results" and protection:
            results, secrets = protection.hidden(known.network, known.year, file, read)
            frames[name].append(results)
            frames[_HIDDEN].append(secrets)
        else:
            frames[name].append(read())
    return [name for name in known.results.failures if name in expected]


def _out_of_range(catalogue: Catalogue, known: NetworkYear) -> list[dict[str, Any]]:
    """Return the counts of values out of the range of their indicator, as rows of the table of findings."""
    if not known.computed or known.results is None:
        return []
    expected, rows = catalogue.expected(known.network, known.year), []
    for indicator, count in known.results.outside.items():
        if indicator in expected:
            export = catalogue.indicators[indicator].networks[known.network].export[0]
            row = _finding("valeur-hors-plage", catalogue, known.network, known.year, export)
            rows.append(row | {"colonne": indicator, "severite": "avertissement", "nombre": count})
    return rows


def _findings(catalogue: Catalogue, findings: list[dict[str, Any]], receipts: list[dict[str, Any]]) -> pd.DataFrame:
    """Add, to what was found in files, the files that never came."""
    absent = [
        _finding("fichier-absent", catalogue, receipt["reseau"], receipt["annee"], receipt["export"])
        for receipt in receipts
        if receipt["etat"] == Status.NOT_HANDED_OVER
    ]
    return pd.DataFrame([*findings, *absent], columns=_FINDING, dtype="object")


def _finding(rule: str, catalogue: Catalogue, network: str, year: int, export: str) -> dict[str, Any]:
    """Return a finding, an error unless told otherwise, of no row of the file that is declared for an export."""
    declared = catalogue.networks[network].export(export)
    layout = declared.layout(year) if declared else None
    path = layout.path.replace("{year}", str(year)) if layout else ""
    row: dict[str, Any] = dict.fromkeys(_FINDING)
    return row | {
        "reseau": network,
        "annee": year,
        "export": export,
        "fichier": path,
        "regle": rule,
        "severite": "erreur",
        "nombre": 1,
        "message": title(rule),
    }


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()
