"""Tested months of users' voices → the published tables of signals → a release, with what is told of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.declarations import Catalogue, Table
from pipelines.declarations.references import SignalNote
from pipelines.declarations.statuses import FigureStatus, SignalState
from pipelines.flow.gather import declared_table
from pipelines.flow.published_indicators import office_names, yearly_indicators
from pipelines.flow.release import StoredTable
from pipelines.flow.store import Store
from pipelines.flow.stored_files import write_table
from pipelines.flow.voice import ROOM, VOICES, Months, findings_of, judge_months, known_months, power_measured
from pipelines.flow.voice_facts import SignalsMade, keep_signals_made, signals_made
from pipelines.mechanics import french
from pipelines.mechanics.french import month_in_words
from pipelines.portal.open_release import synthetic_statement
from pipelines.release import history
from pipelines.release.canonical import canonical_table
from pipelines.release.inputs import Inputs
from pipelines.release.refusals import TableError
from pipelines.release.release_folder import Release, make_release
from pipelines.signal_tables.revised_cards import Released
from pipelines.signal_tables.signal_cards import Words
from pipelines.signal_tables.tables_of_signals import SIGNAL_TABLES, signal_tables

_CARDS = "signaux"


def make_signal_tables(catalogue: Catalogue, store: Store) -> SignalsMade | None:
    """Make the published tables from the months that are kept, and keep them; None when there is no voice.

    A line that could not be published is left out and told: the others don't wait for it. Raises DamagedReleaseError
    when the release before can't be read.
    """
    months = known_months(store)
    if not months.depends:
        return None
    try:
        found = findings_of(store, months)
    except (OSError, pa.ArrowException):  # a file of a month that was not asked for was damaged since
        judge_months(catalogue, store)
        found = findings_of(store, months)
    notes = [note for held in catalogue.signal_notes.values() for note in held]
    synthetic = _synthetic(catalogue, store)
    before = _released(catalogue, store, synthetic)
    voices, words = pq.read_table(store.room(ROOM) / VOICES), _words(catalogue, store, found.tests, notes)
    made = signal_tables(voices, found, words, before)
    tables = {name: declared_table(name, catalogue.tables[name], made[name]) for name in SIGNAL_TABLES}
    tables, left = lines_that_fit(tables, catalogue.tables)
    with store.writing(ROOM) as (folder,):
        for name, table in tables.items():
            write_table(folder / f"{name}.parquet", table)
    made["signaux"] = made["signaux"][~made["signaux"].get("signal", pd.Series(dtype="str")).isin(left)]
    return _note_made(store, made, months, synthetic, left)


def lines_that_fit(
    tables: Mapping[str, pa.Table], declared: Mapping[str, Table]
) -> tuple[dict[str, pa.Table], list[str]]:
    """Return the tables without the lines that their declaration refuses, and the signals that are left out.

    A signal that is left out has no curve either. Where no line fits, the table is what is wrong: it stays as it is.
    """
    fitting = {name: _fitting(name, declared[name], table) or table for name, table in tables.items()}
    left = sorted(set(tables[_CARDS]["signal"].to_pylist()) - set(fitting[_CARDS]["signal"].to_pylist()))
    for name, table in fitting.items():
        if "signal" in table.column_names:
            fitting[name] = table.filter(pc.invert(pc.is_in(table["signal"], pa.array(left, pa.string()))))
    return fitting, left


def _fitting(name: str, declared: Table, table: pa.Table) -> pa.Table | None:
    """Return the lines that fit, in halves of halves; None when none does."""
    try:
        canonical_table(name, declared, table)
    except TableError:
        half = table.num_rows // 2
        parts = [_fitting(name, declared, part) for part in (table.slice(0, half), table.slice(half))] if half else []
        fitting = [part for part in parts if part is not None]
        return pa.concat_tables(fitting) if fitting else None
    return table


def _released(catalogue: Catalogue, store: Store, synthetic: str | None) -> Released | None:
    """Return what the latest release of signals told; None before there is any, or when it was of invented texts alone.

    Raises DamagedReleaseError when it can't be read.
    """
    versions = history.versions(store.releases, catalogue.signals) if catalogue.signals else []
    if not catalogue.signals or not versions:
        return None
    release = store.release(catalogue.signals, versions[-1])
    if bool(history.descriptor(release).get("synthetic")) != bool(synthetic):
        return None
    cards, curves = (history.whole_table(release, name).to_pandas() for name in ("signaux", "courbes_signaux"))
    return Released(release.name, cards, curves)


def _note_made(
    store: Store, made: dict[str, pd.DataFrame], months: Months, synthetic: str | None, left: Sequence[str]
) -> SignalsMade:
    cards, tests = made["signaux"].to_dict("records"), made["tests_signaux"]
    last = tests[tests["mois"] == months.last]
    kept = SignalsMade(
        dict(Counter(str(card["etat"]) for card in cards)),
        int(last["tests"].sum()),
        float(last["fausses_attendues"].sum()),
        months.last,
        tuple(
            {"signal": card["signal"], "titre": card["titre"], "etat": card["etat"], "chiffres": _figures(card)}
            for card in cards
            if card["etat"] in (SignalState.TO_CONFIRM, SignalState.CONFIRMED, SignalState.REVISED)
        ),
        tuple(str(card["signal"]) for card in cards),
        synthetic,
        power_measured(store, months),
        tuple(left),
    )
    keep_signals_made(store, kept)
    return kept


def _figures(card: Mapping[Any, Any]) -> str:
    if card["etat"] == SignalState.REVISED:
        return str(card["revision"])
    if card["statut"] != FigureStatus.PUBLISHED:
        return "nombre de voix secret"
    month = month_in_words(card["mois"])
    if pd.isna(card["attendu"]):
        return f"environ {card['voix']:.0f} voix en {month}" if pd.notna(card["voix"]) else f"vu en {month}"
    observed, expected = (french.decimal(card[name], 1) for name in ("observe", "attendu"))
    about, word = ("environ ", "attendue") if card["unite"] == "voix" else ("", "attendu")
    agreed = french.plural(int(round(card["attendu"], 1)), word)
    return f"{about}{observed} {card['unite']} en {month}, {expected} {agreed}"


def _words(catalogue: Catalogue, store: Store, tests: pd.DataFrame, notes: Sequence[SignalNote]) -> Words:
    release, indicators = store.published_release(catalogue.on_site), catalogue.indicators
    seen = tests[tests["signal"].astype(bool) & (tests["indicator"] != "")]
    return Words(
        themes={name: theme.label for family in catalogue.themes.values() for name, theme in family.themes.items()},
        titles={name: item.title for name, item in indicators.items()},
        indicators=yearly_indicators(release) if release else {},
        notes=notes,
        units={name: item.unit for name, item in indicators.items()},
        networks={name: network.title for name, network in catalogue.networks.items()},
        offices=office_names(release, set(seen["office"])) if release else {},
    )


def release_signals(catalogue: Catalogue, store: Store, inputs: Inputs) -> Release | None:
    """Make a release of the tables of signals if they changed; None before there is any voice to tell.

    Raises what ``make_release`` does.
    """
    dataset, folder = catalogue.signals, store.room(ROOM)
    if dataset is None or signals_made(store) is None:
        return None
    tables = {name: StoredTable(folder / f"{name}.parquet") for name in catalogue.datasets[dataset].tables}
    with store.releasing(dataset) as releases:
        return make_release(dataset, catalogue, tables, releases, synthetic=_synthetic(catalogue, store), inputs=inputs)


def _synthetic(catalogue: Catalogue, store: Store) -> str | None:
    """Return the warning that texts, or the results that were tested, came with when they are invented."""
    places = [(name, year) for name in catalogue.experiences for year in catalogue.networks[name].years]
    warnings = (known.reception.synthetic for known in store.read_all(places) if known.reception)
    results = store.published_release(catalogue.on_site)
    return next(filter(None, warnings), synthetic_statement(history.descriptor(results)) if results else None)
