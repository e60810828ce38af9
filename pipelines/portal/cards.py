"""A figure that other sites may show: a picture with its place, its value, its date and where it comes from."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pipelines.portal.charts.chart import shortened
from pipelines.portal.sentences import figure_text, has_value, latest_sentence, state_text, value_text
from pipelines.portal.site_folder import VERSION

if TYPE_CHECKING:
    from pipelines.portal.figures import Series

_STYLE = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;fill:#1d2229}"
    ".b{font-size:34px;font-weight:700;fill:#0b5394}.n{font-size:14px;font-weight:700}.q{font-size:12px;fill:#59616c}"
)


def card(series: Series, network: str) -> str:
    """Return the card of the last figure of a series, as an SVG file of its own."""
    shown = next((figure for figure in reversed(series.figures) if has_value(figure)), series.latest)
    one = series.indicator
    big = value_text(shown.value, one) if shown.value is not None and has_value(shown) else state_text(shown)
    notes = [
        f"en {shown.year}",
        "données synthétiques" if shown.synthetic else "",
        "provisoire" if shown.state == "provisoire" else "",
    ]
    lines = (
        ("n", 28, shortened(one.title, 42)), ("b", 72, shortened(big, 20)), ("q", 96, ", ".join(filter(None, notes))),
        ("q", 118, shortened(f"{series.place.name}, {network}", 52)),
        ("q", 138, f"Résultats des services publics, version {VERSION}"),
    )  # fmt: skip
    words = "".join(f'<text class="{kind}" x="16" y="{y}">{escape(line)}</text>' for kind, y, line in lines)
    label = escape(f"{one.title}, {series.place.name} : {latest_sentence(series)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="340" height="152" viewBox="0 0 340 152" role="img" '
        f'aria-label="{label}"><style>{_STYLE}</style>'
        f'<rect x=".5" y=".5" width="339" height="151" rx="8" fill="#fff" stroke="#c4cad2"/>{words}</svg>\n'
    )


def snippet(series: Series, picture: str, page: str) -> str:
    """Return the HTML to paste in another site, with the whole addresses of the picture and of its page."""
    figure = next((one for one in reversed(series.figures) if has_value(one)), series.latest)
    alternative = escape(f"{series.indicator.title}, {series.place.name} : {figure_text(figure, series.indicator)}")
    return f'<a href="{page}"><img src="{picture}" width="340" height="152" alt="{alternative}"></a>'
