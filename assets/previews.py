"""What the data team looks at in the Dagster UI: small tables and plots, as Markdown."""

import base64
import io

import dagster as dg
import pandas as pd


def preview(frame: pd.DataFrame, rows: int = 10) -> dg.MarkdownMetadataValue:
    """Show the first rows as a table."""
    shown = frame.head(rows).astype("object")
    shown = shown.where(shown.notna(), "")
    header = "| " + " | ".join(shown.columns) + " |"
    lines = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in shown.itertuples(index=False)]
    return dg.MetadataValue.md("\n".join([header, "|" + "---|" * len(shown.columns), *lines]))


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def plot_values(results: pd.DataFrame, title: str) -> dg.MarkdownMetadataValue:
    """Draw, for each indicator, the spread of the year's values over territories or offices, and the widest level's value."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  (half a second that most steps don't need)
    from matplotlib.figure import Figure  # noqa: PLC0415

    yearly = results[(results["frequence"] == "annuelle") & results["valeur"].notna()]
    names = sorted(yearly["indicateur"].unique())
    if not names:
        return dg.MetadataValue.md("*aucune valeur cette année*")
    figure = Figure(figsize=(8, 1.1 * len(names) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = figure.subplots(len(names), squeeze=False)[:, 0]
    for axis, name in zip(axes, names, strict=True):
        rows = yearly[yearly["indicateur"] == name]
        wide = rows[rows["maille"] == "national"]
        axis.plot(rows["valeur"], [0.0] * len(rows), "|", color="#000091", markersize=14, alpha=0.6)
        axis.plot(wide["valeur"], [0.0] * len(wide), "D", color="#c9191e")
        axis.set_yticks([0.0], [name])
    axes[-1].set_xlabel("valeurs de l'année (traits) et valeur nationale (losange)")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=72, metadata={"Software": None})
    encoded = base64.b64encode(stream.getvalue()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")
