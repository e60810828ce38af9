"""Charts of the site: one call gives the picture (inline SVG), the sentence and the table, from the same figures.

``curve`` draws years, ``strip`` and ``distribution`` a place among comparable ones, ``bars`` a few values side by side,
``territory_map`` départements or régions. Pages are laid out elsewhere; nothing here reads a file of a release.
"""

from pipelines.portal.charts.bars import bars
from pipelines.portal.charts.chart import Chart, Row, Table
from pipelines.portal.charts.curve import curve
from pipelines.portal.charts.palette import style
from pipelines.portal.charts.peers import PeerGroup, peer_groups
from pipelines.portal.charts.strip import distribution, strip
from pipelines.portal.charts.territories import Area, areas_of_year, territory_map

__all__ = [
    "Area",
    "Chart",
    "PeerGroup",
    "Row",
    "Table",
    "areas_of_year",
    "bars",
    "curve",
    "distribution",
    "peer_groups",
    "strip",
    "style",
    "territory_map",
]
