"""The values of a network over the years, for the Dagster UI: one small plot per indicator, and the figures below.

Drawn as SVG by hand: it is made for every network and year of a night, where a plotting library would take a tenth of a
second each time.
"""

import base64
from collections.abc import Mapping
from html import escape

import dagster as dg
import pandas as pd

from pipelines.declarations import Catalogue
from pipelines.disclosure import without_secrets
from pipelines.flow.store import Store, read_frame

_LEVELS = ("national", "region", "departement", "site")  # from the widest
_WIDTH, _HEIGHT, _PER_ROW, _MARGIN = 260, 110, 3, 26


def series_of(store: Store, catalogue: Catalogue, network: str) -> pd.DataFrame:
    """Return the yearly values at the widest level, years as columns and indicators as rows; nothing secret in it.

    The level of an indicator is the same for all years: where it has no value one year, there is none. Of a level of
    several places, the median is shown, and the indicator's name says so.
    """
    frames = []
    for year in catalogue.networks[network].years:
        path = store.network_year(network, year) / "results.parquet"
        if path.exists():
            found = without_secrets(read_frame(path))
            yearly = found[(found["frequence"] == "annuelle") & found["valeur"].notna()]
            frames.append(yearly[["indicateur", "maille", "valeur"]].assign(annee=year))
    values = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    if values.empty:
        return pd.DataFrame()
    rank = values["maille"].map({level: rank for rank, level in enumerate(_LEVELS)})
    widest = values[rank == rank.groupby(values["indicateur"]).transform("min")]
    names = widest["indicateur"].where(
        widest["maille"] == "national", widest["indicateur"] + " (médiane, " + widest["maille"] + ")"
    )
    return widest.assign(indicateur=names).pivot_table(
        index="indicateur", columns="annee", values="valeur", aggfunc="median"
    )


def plot_series(series: pd.DataFrame, title: str) -> dg.MarkdownMetadataValue:
    """Draw one small plot per indicator, and write the figures."""
    if series.empty:
        return dg.MetadataValue.md("*aucune valeur*")
    panels = [
        _panel(str(name), {int(str(year)): float(value) for year, value in row.dropna().items()}, place)
        for place, (name, row) in enumerate(series.iterrows())
    ]
    rows = -(-len(panels) // _PER_ROW)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH * _PER_ROW}" height="{_HEIGHT * rows}" '
        'font-family="sans-serif" font-size="10"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(panels)}</svg>"
    )
    image = f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
    years = list(series.columns)
    header = f"| indicateur | {' | '.join(map(str, years))} |\n|---|{'---|' * len(years)}"
    lines = [
        f"| {name} | {' | '.join('' if pd.isna(value) else f'{value:g}' for value in row)} |"
        for name, row in series.iterrows()
    ]
    return dg.MetadataValue.md("\n".join([image, "", header, *lines]))


def _panel(name: str, values: Mapping[int, float], place: int) -> str:
    left, top = (place % _PER_ROW) * _WIDTH, (place // _PER_ROW) * _HEIGHT
    title = f'<text x="{left + 6}" y="{top + 14}" font-weight="bold">{escape(name)}</text>'
    if not values:
        return title
    low, high, first, last = min(values.values()), max(values.values()), min(values), max(values)
    points = []
    for year, value in values.items():
        across = (year - first) / (last - first) if last > first else 0.5
        up = (value - low) / (high - low) if high > low else 0.5
        x = left + _MARGIN + across * (_WIDTH - 2 * _MARGIN)
        points.append((x, top + _HEIGHT - _MARGIN - up * (_HEIGHT - 2 * _MARGIN - 8)))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="#000091"/>' for x, y in points)
    ends = [(points[0], first, values[first]), (points[-1], last, values[last])][: len(points)]
    labels = "".join(
        f'<text x="{x:.1f}" y="{y - 6:.1f}" text-anchor="middle">{value:g}</text>'
        f'<text x="{x:.1f}" y="{top + _HEIGHT - 8}" text-anchor="middle" fill="#666">{year}</text>'
        for (x, y), year, value in ends
    )
    return f'{title}<polyline points="{line}" fill="none" stroke="#000091" stroke-width="1.5"/>{marks}{labels}'
