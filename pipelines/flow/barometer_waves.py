"""Gathers the waves of barometers, as their files were received and judged, and has their tables made."""

import pandas as pd

from pipelines.barometers.barometer_tables import ReceivedWave, barometer_tables
from pipelines.barometers.microdata import read_answers
from pipelines.declarations import Catalogue
from pipelines.declarations.barometer import Barometer, Wave
from pipelines.declarations.statuses import Status
from pipelines.flow.state import ExportVerdict
from pipelines.flow.store import Store

BAROMETER_TABLES = ("vagues", "questions", "resultats_barometres")


def gather_barometers(catalogue: Catalogue, store: Store) -> dict[str, pd.DataFrame]:
    """Return the tables of all barometers, without a row when none is declared."""
    received = {
        (name, wave.id): _wave(catalogue, store, name, barometer, wave)
        for name, barometer in catalogue.barometers.items()
        for wave in barometer.waves
    }
    return barometer_tables(catalogue.barometers, received)


def _wave(catalogue: Catalogue, store: Store, name: str, barometer: Barometer, wave: Wave) -> ReceivedWave:
    network, export = (wave.source.network, wave.source.export) if wave.source else (name, wave.id)
    known = store.read(network, wave.year)
    state = known.of_export(export)
    read, refused = (state.read, state.refused) if isinstance(state, ExportVerdict) else (None, None)
    synthetic = bool(known.reception and known.reception.synthetic)
    declared = catalogue.networks[network].export(export)
    answers = None
    if state.status == Status.ACCEPTED and declared is not None:
        path = store.observations(network, wave.year) / f"{export}.parquet"
        # The wave alone says how its answers weigh, also those of an export that has other uses.
        weighed = declared.model_copy(update={"weight": wave.weight, "calibration": wave.calibration})
        answers = read_answers(path, weighed, wave.year, barometer.columns_of(wave))
    return ReceivedWave(state.status.value, state.reason, read, refused, answers, synthetic)
