"""The colours of charts, light and dark, and the style sheet made of them. Which mark has which is said by classes.

At most three colours stand beside one another, so that each has a contrast of 3:1 with the next and with the page; a
mark is never told by its colour alone (dashes, hollow points, hatches, labels).
"""

from __future__ import annotations

# name: (light, dark). ``paper`` is the page's own background.
COLOURS = {
    "paper": ("#ffffff", "#15181d"),
    "ink": ("#1d2229", "#eceff3"),
    "quiet": ("#59616c", "#a7afba"),  # axes, states: 4.5:1 with paper, as text must have
    "series": ("#0b5394", "#7fb8f0"),
    "reference": ("#9a4a00", "#f0a860"),
    "peers": ("#868d97", "#7b838e"),
    "low": ("#dfe8f2", "#222b36"),
    "middle": ("#5282b4", "#5f87b0"),
    "high": ("#0a3560", "#dcebfa"),
}
"""Text and marks; ``low``, ``middle`` and ``high`` are the classes of a map."""

WITH_CONTRAST = (
    ("ink", "paper", 4.5), ("quiet", "paper", 4.5), ("series", "paper", 4.5), ("reference", "paper", 4.5),
    ("low", "middle", 3.0), ("middle", "high", 3.0), ("quiet", "low", 3.0), ("high", "paper", 3.0),
    ("middle", "paper", 3.0), ("peers", "paper", 3.0),
)  # fmt: skip
"""Pairs that stand beside one another, with the contrast that WCAG 2.2 asks of them (text 4.5, marks 3)."""

_RULES = """
.chart{margin:0 0 1.5rem}
.chart svg{display:block;width:100%;max-width:27rem;height:auto;overflow:visible;font-family:inherit;font-size:11px}
.chart svg.carte{font-size:34px;max-width:34rem}
.chart svg text{fill:var(--c-ink);stroke:var(--c-paper);stroke-width:3px;stroke-linejoin:round;paint-order:stroke}
.chart svg .q{fill:var(--c-quiet)}
.chart svg .e{text-anchor:end}
.chart svg .m{text-anchor:middle}
.chart svg .v{fill:var(--c-series);font-weight:700;font-size:13px}
.chart svg .k{font-size:38px}
.chart svg .s{font-size:11px}
.chart svg .r{fill:var(--c-reference)}
.chart svg .grid{fill:none;stroke:var(--c-quiet);stroke-opacity:.25}
.chart svg .axis{fill:none;stroke:var(--c-quiet)}
.chart svg .band{fill:var(--c-series);fill-opacity:.15}
.chart svg .whisker{fill:none;stroke:var(--c-series)}
.chart svg .line{fill:none;stroke:var(--c-series);stroke-width:2.5;stroke-linejoin:round}
.chart svg .dot{fill:var(--c-series)}
.chart svg .open{fill:var(--c-paper);stroke:var(--c-series);stroke-width:2}
.chart svg .ref{fill:none;stroke:var(--c-reference);stroke-width:1.5;stroke-dasharray:5 3}
.chart svg .ref2{stroke-dasharray:1.5 3}
.chart svg .cut{fill:none;stroke:var(--c-ink);stroke-dasharray:2 2}
.chart svg .gone{fill:none;stroke:var(--c-quiet);stroke-width:4;stroke-dasharray:1 4}
.chart svg .fill{fill:var(--c-series)}
.chart svg .against{fill:var(--c-reference)}
.chart svg .half{fill-opacity:.6}
.chart svg .usual{fill:var(--c-quiet);fill-opacity:.18}
.chart svg .low{fill:var(--c-low)}
.chart svg .middle{fill:var(--c-middle)}
.chart svg .high{fill:var(--c-high)}
.chart svg .peers{fill:var(--c-peers)}
.chart svg .in{fill-opacity:.3}
.chart svg .land{stroke:var(--c-quiet);stroke-width:.8;stroke-linejoin:round}
.chart svg .land,.chart svg .box{vector-effect:non-scaling-stroke}
.chart svg .none{fill:var(--c-paper)}
.chart svg .hatch{fill:none;stroke:var(--c-quiet);stroke-width:5}
.chart svg .fine{stroke-width:2}
.chart svg .spot{fill:var(--c-quiet)}
.chart svg .box{fill:none;stroke:var(--c-quiet);stroke-width:.7}
.chart .vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.chart figcaption{margin:.5rem 0;max-width:42rem}
"""


_FORCED = {"paper": "Canvas", "low": "Canvas", "reference": "LinkText", "middle": "GrayText", "peers": "GrayText"}
"""Where readers force the colours of their system; the others are its text."""


def style() -> str:
    """Return the rules of charts for a style sheet: custom properties for light and dark pages, print in light."""
    light, dark = ("".join(f"--c-{name}:{shades[theme]};" for name, shades in COLOURS.items()) for theme in range(2))
    dark_rule = f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    forced = "".join(f"--c-{name}:{_FORCED.get(name, 'CanvasText')};" for name in COLOURS)
    forced_rule = f"@media (forced-colors:active){{:root{{{forced}}}}}"
    return f":root{{{light}}}{dark_rule}{forced_rule}{''.join(_RULES.splitlines())}"
