"""The accepted answers of a wave as arrays: what each row weighs, and the rank of the code that it gave to a question.

Weights are those of ``compute``: a declared column, brought to margins where some are declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.compute.calibration import calibrate
from pipelines.compute.export_rows import Source, column, connect, literal
from pipelines.compute.intervals import Floats
from pipelines.declarations import Export

Ranks = NDArray[np.int16]

NONE = -1  # the rank of a blank, or of a code that isn't declared


@dataclass(frozen=True)
class Answers:
    """``weights`` of the rows that weigh something; ``ranks``: by column, the rank of each row's code in its list.

    ``rows``: all accepted rows, those of no weight included. ``failure``: why they couldn't be brought to their
    margins, in French; there is then no row.
    """

    weights: Floats
    ranks: Mapping[str, Ranks]
    rows: int
    failure: str = ""


def read_answers(path: Path, export: Export, year: int, columns: Mapping[str, tuple[str, ...]]) -> Answers:
    """Return the answers of an accepted export (Parquet of observations) in ``columns``, each with its codes in order.

    Rows whose weight is absent or zero have no part in any figure: they are counted, and left out.
    """
    with connect() as connection:
        source = Source(path, export)
        if calibrated := calibrate(connection, source, year):
            source = calibrated.source
            if calibrated.failure:
                rows = int(str(calibrated.diagnostics["effectif"]))
                ranks = dict.fromkeys(columns, np.empty(0, dtype=np.int16))
                return Answers(np.empty(0), ranks, rows, calibrated.failure)
        weight = source.weight or "CAST(1 AS DOUBLE)"
        ranked = ", ".join(f"{_rank(name, codes)} AS {column(name)}" for name, codes in columns.items())
        found = connection.execute(f"SELECT {weight} AS _poids, {ranked} FROM {source.relation}").fetchnumpy()
    weights = np.ma.filled(np.ma.asarray(found["_poids"], dtype=np.float64), 0.0)
    held = weights > 0
    return Answers(weights[held], {name: np.asarray(found[name])[held] for name in columns}, len(weights))


def _rank(name: str, codes: tuple[str, ...]) -> str:
    branches = " ".join(f"WHEN {literal(code)} THEN {rank}" for rank, code in enumerate(codes))
    return f"CAST(CASE CAST({column(name)} AS VARCHAR) {branches} ELSE {NONE} END AS SMALLINT)"
