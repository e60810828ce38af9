"""What the data team looks at in the Dagster UI: small tables and plots, as Markdown."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def preview(frame: pd.DataFrame, rows: int = 10) -> dg.MarkdownMetadataValue:
    """Show the first rows as a table."""
    shown = frame.head(rows).astype("object")
    shown = shown.where(shown.notna(), "")
    header = "| " + " | ".join(shown.columns) + " |"
    lines = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in shown.itertuples(index=False)]
    return dg.MetadataValue.md("\n".join([header, "|" + "---|" * len(shown.columns), *lines]))


def preview_rows(rows: Sequence[Mapping[str, object]], shown: int = 60) -> dg.MarkdownMetadataValue:
    """Show rows that all have the same names as a table."""
    return preview(pd.DataFrame(rows), shown) if rows else dg.MetadataValue.md("*rien*")


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def plot_values(results: pd.DataFrame, title: str) -> dg.MarkdownMetadataValue:
    """Draw the spread of the year's values of each indicator, from lowest to highest, and the national value."""
    # Matplotlib takes half a second to import, which most steps don't need.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    yearly = results[(results["frequence"] == "annuelle") & results["valeur"].notna()]
    names = sorted(yearly["indicateur"].unique(), reverse=True)
    if not names:
        return dg.MetadataValue.md("*aucune valeur cette année*")
    figure = Figure(figsize=(9, 0.45 * len(names) + 1.1))
    FigureCanvasAgg(figure)
    axis = figure.add_axes((0.3, 0.5 / (0.45 * len(names) + 1.1), 0.66, 1 - 1.0 / (0.45 * len(names) + 1.1)))
    for line, name in enumerate(names):
        _spread(axis, line, yearly[yearly["indicateur"] == name])
    axis.set(title=f"{title} : valeurs de l'année (traits), valeur nationale (losange)", xlim=(-0.12, 1.12),
             ylim=(-0.6, len(names) - 0.4), xticks=[])  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=72)
    encoded = base64.b64encode(stream.getvalue()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")


def _spread(axis: "Axes", line: int, rows: pd.DataFrame) -> None:
    low, high = float(rows["valeur"].min()), float(rows["valeur"].max())
    places = (rows["valeur"] - low) / (high - low) if high > low else rows["valeur"] * 0 + 0.5
    national = places[rows["maille"] == "national"]
    axis.plot(places, [line] * len(places), "|", color="#000091", markersize=14, alpha=0.6)
    axis.plot(national, [line] * len(national), "D", color="#c9191e")
    axis.text(-0.02, line, f"{low:g}", ha="right", va="center", fontsize=8)
    axis.text(1.02, line, f"{high:g}", ha="left", va="center", fontsize=8)
