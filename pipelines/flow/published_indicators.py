"""What signals read of the published results, after their statistical secrecy: no value that isn't in a release."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.release import history

_TABLE = "resultats"
_TESTED = [
    *("reseau", "structure_code", "indicateur", "maille", "frequence", "periode", "unite"),
    *("valeur", "effectif", "numerateur", "denominateur"),
]


def office_results(release: Path) -> pd.DataFrame:
    """Return the values that are published of offices for less than a year."""
    wanted = (pc.field("maille") == "site") & (pc.field("frequence") != "annuelle") & pc.field("valeur").is_valid()
    return _read(release, _TESTED, wanted)


def office_names(release: Path, codes: Collection[str]) -> dict[tuple[str, str], str]:
    """Return the names of offices, by network and code: those that the latest year gives."""
    if not codes:
        return {}
    wanted = (pc.field("maille") == "site") & pc.field("structure_code").isin(sorted(codes))
    offices = _read(release, ["reseau", "structure_code", "structure", "annee"], wanted)
    offices = offices.dropna(subset="structure").drop_duplicates().sort_values("annee", kind="stable")
    lines = offices[["reseau", "structure_code", "structure"]].itertuples(index=False, name=None)
    return {(str(network), str(code)): str(name) for network, code, name in lines}


def yearly_indicators(release: Path) -> dict[str, list[str]]:
    """Return the indicators of each network that have a published value, with the last year of one: « csat 2024 »."""
    wanted = (pc.field("maille") == "national") & pc.field("valeur").is_valid()
    values = _read(release, ["reseau", "indicateur", "annee"], wanted)
    last = values.groupby(["reseau", "indicateur"])["annee"].max().reset_index()
    indicators: dict[str, list[str]] = {}
    for line in last.itertuples(index=False):
        indicators.setdefault(str(line.reseau), []).append(f"{line.indicateur} {line.annee}")
    return indicators


def _read(release: Path, columns: list[str], wanted: pc.Expression) -> pd.DataFrame:
    files = history.columnar_files(release, _TABLE)
    frame: pd.DataFrame = pq.read_table(files, columns=columns, filters=wanted).to_pandas()
    return frame
