"""Pictures, sentences and tables say the same: drawings are read back to the figures that they were made from."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_series import HOSTILE, VALUED, series, with_references

from pipelines.portal.charts.bars import bars
from pipelines.portal.charts.chart import Chart
from pipelines.portal.charts.curve import curve
from pipelines.portal.charts.peers import peer_groups
from pipelines.portal.charts.strip import distribution, strip
from pipelines.portal.charts.territories import CONTOURS, Area, areas_of_year, territory_map
from pipelines.portal.figures import Change, Figure, Indicator, Place, Series, State
from pipelines.portal.templates import TEMPLATES

SHARE = Indicator("csat", "Notes favorables", "", "%", 1, "hausse")
PLACE = Place("caf", "site", "X1", "CAF de l'Ain", "CAF", "01")
LARGE = {"milliers": 1e3, "millions": 1e6, "milliards": 1e9}


def figure(year: int, value: float | None, base: int | None = 100, **told: object) -> Figure:
    state = told.pop("state", State.PUBLISHED if value is not None else State.NOT_SENT)
    return Figure(year, value, told.pop("low", None), told.pop("high", None), base, state, **told)


def number(text: str) -> float:
    return float(re.sub(r"[\u202f\u00a0 ]", "", text).replace("−", "-").replace(",", "."))


def shown(one: Figure) -> float | None:
    return one.value if one.state in VALUED else None


def drawn(chart: Chart) -> ElementTree.Element:
    root = ElementTree.fromstring(chart.svg)
    assert (root.get("role"), root.get("focusable")) == ("img", "false")
    assert root.get("aria-label").endswith("description ci-dessus, tableau ci-dessous")
    assert {element.tag for element in root.iter()} <= {"svg", "path", "text", "circle", "pattern", "g", "title"}
    return root


def of_kind(root: ElementTree.Element, tag: str, kind: str) -> list[ElementTree.Element]:
    return [element for element in root.iter(tag) if element.get("class") == kind]


class Page(HTMLParser):
    """What a browser makes of a chart: tags in order, texts of cells, attributes of rows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.text: dict[str, str] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        inside = self.open[-1]
        self.text[inside] = self.text.get(inside, "") + data
        if inside in ("td", "th"):
            self.rows[-1][-1] += data

    def data_rows(self) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == "tr" and attributes]


def read(chart: Chart) -> Page:
    page = Page(chart.html("c1"))
    assert page.open == []
    tags = [tag for tag, _ in page.tags]
    assert tags[:3] == ["figure", "figcaption", "svg"]  # HTML wants a caption first or last; people read words first
    assert tags.index("svg") < tags.index("details") < tags.index("summary") < tags.index("table")
    assert "script" not in tags
    assert page.text["figcaption"] == chart.sentence
    assert page.text["caption"] == chart.table.caption
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.tags if tag == "th")
    assert all(len(row) == len(page.rows[0]) for row in page.rows)
    assert all(cell.strip() for row in page.rows for cell in row)
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    return page


# Curve


class Axes:
    """The scales of a curve, from its labels alone."""

    def __init__(self, root: ElementTree.Element) -> None:
        labels = of_kind(root, "text", "q e")
        named = next(text for text in of_kind(root, "text", "q") if text.get("x") == "4").text
        factor = LARGE.get(named.partition(" ")[0], 1)
        self.values = [(float(label.get("y")) - 4, number(label.text) * factor) for label in labels]
        years = [text for text in of_kind(root, "text", "q m") if re.fullmatch(r"\d{4}", text.text)]
        self.years = {round(float(text.get("x")), 1): int(text.text) for text in years}

    def value(self, y: float) -> float:
        (first_y, first), *_, (last_y, last) = self.values
        return first + (y - first_y) / (last_y - first_y) * (last - first)

    def tolerance(self) -> float:
        (first_y, first), *_, (last_y, last) = self.values
        return abs((last - first) / (last_y - first_y)) * 0.16 + 1e-9

    def year(self, x: float) -> int:
        if len(self.years) < 2:
            return self.years[round(x, 1)]
        (one_x, one), *_, (other_x, other) = sorted(self.years.items())
        return round(one + (x - one_x) / (other_x - one_x) * (other - one))


def polylines(root: ElementTree.Element, kind: str) -> list[list[tuple[float, float]]]:
    return [
        [tuple(map(float, corner.split())) for corner in part.split("L")]
        for path in of_kind(root, "path", kind)
        for part in path.get("d").split("M")
        if "L" in part
    ]


def expected_segments(one: Series) -> list[list[int]]:
    segments, before = [], None
    for each in one.figures:
        if shown(each) is not None:
            if before is None or each.is_break:
                segments.append([])
            segments[-1].append(each.year)
        before = shown(each)
    return segments


@settings(max_examples=150, deadline=None)
@given(with_references())
def test_a_curve_is_its_series(drawing):
    one, references = drawing
    chart = curve(one, references)
    root = drawn(chart)
    values = {each.year: shown(each) for each in one.figures if shown(each) is not None}
    circles = list(root.iter("circle"))
    assert len(circles) == len(values)
    if not values:
        return
    axes = Axes(root)
    points = {axes.year(float(circle.get("cx"))): circle for circle in circles}
    assert set(points) == set(values)
    for year, circle in points.items():
        assert axes.value(float(circle.get("cy"))) == pytest.approx(values[year], abs=axes.tolerance())
    hollow = {year for year, circle in points.items() if circle.get("class") == "open"}
    assert hollow == {each.year for each in one.figures if each.state is State.PROVISIONAL and shown(each) is not None}
    for reference, kind in zip(references, ("ref", "ref ref2"), strict=False):
        known = {each.year: shown(each) for each in reference.figures}
        for x, y in (corner for line in polylines(root, kind) for corner in line):
            assert axes.value(y) == pytest.approx(known[axes.year(x)], abs=axes.tolerance())
    lines = [[axes.year(x) for x, _ in line] for line in polylines(root, "line")]
    assert lines == [segment for segment in expected_segments(one) if len(segment) > 1]
    whiskers = "".join(path.get("d") for path in of_kind(root, "path", "whisker"))
    spans = {
        axes.year(float(x)): (float(low), float(high))
        for x, low, high in re.findall(r"M(\S+) (\S+?)V([^M]+)", whiskers)
    }
    wanted = {
        each.year: each
        for each in one.figures
        if shown(each) is not None and each.low is not None and each.low < each.high
    }
    assert set(spans) == set(wanted)
    for year, (low, high) in spans.items():
        assert axes.value(low) == pytest.approx(wanted[year].low, abs=axes.tolerance())
        assert axes.value(high) == pytest.approx(wanted[year].high, abs=axes.tolerance())


@settings(max_examples=80, deadline=None)
@given(with_references())
def test_a_curve_writes_every_state_break_and_reference(drawing):
    one, references = drawing
    root = drawn(curve(one, references))
    words = [text.text for text in root.iter("text")]
    for each in one.figures:
        if shown(each) is None:
            state = "non disponible" if each.state in VALUED else each.state.value
            assert state in words
    assert words.count("rupture") == sum(each.is_break for each in one.figures[1:])
    years = {each.year for each in one.figures}
    labelled = [
        reference
        for reference in references
        if any(shown(each) is not None and each.year in years for each in reference.figures)
    ]
    assert len([text for text in root.iter("text") if text.get("class") == "r"]) == len(labelled)
    dashed = [path for path in root.iter("path") if (path.get("class") or "").startswith("ref")]
    assert len(dashed) == len(labelled)


@settings(max_examples=80, deadline=None)
@given(with_references())
def test_the_table_of_a_curve_is_its_series(drawing):
    one, references = drawing
    page = read(curve(one, references))
    rows = page.data_rows()
    assert [int(row["data-annee"]) for row in rows] == [each.year for each in one.figures]
    for row, cells, each in zip(rows, page.rows[1:], one.figures, strict=True):
        assert row.get("data-valeur") == (None if shown(each) is None else repr(each.value))
        assert row.get("data-effectif") == (None if each.base is None else str(each.base))
        assert row["data-etat"] == each.state.value
        assert cells[0] == str(each.year)
        if shown(each) is None:
            assert cells[1] in (each.state.value, "non disponible")
        else:
            assert number(re.match(r"[−\d\u202f,]+", cells[1])[0]) == pytest.approx(each.value, abs=1e-9)
        assert ("rupture de série" in cells[4]) == each.is_break
        assert (each.state is State.PROVISIONAL) <= ("provisoire" in cells[4])


def width(words: str) -> float:
    """About how wide words are in a wide sans serif, in heights of letters."""
    return sum(0.3 if letter in "\u202f ,.:;il'" else 0.64 if letter.isdigit() else 0.58 for letter in words)


@settings(max_examples=80, deadline=None)
@given(with_references(names=HOSTILE))
def test_hostile_names_stay_text_and_inside_the_view(drawing):
    one, references = drawing
    chart = curve(one, references)
    root = drawn(chart)
    read(chart)
    assert "<script" not in chart.html("c1")
    left, top, wide, high = map(float, root.get("viewBox").split())
    for circle in root.iter("circle"):
        assert left <= float(circle.get("cx")) <= left + wide
        assert top <= float(circle.get("cy")) <= top + high
    for text in root.iter("text"):
        if text.get("transform"):
            continue
        assert top <= float(text.get("y")) <= top + high
        room = width(text.text) * (13 if text.get("class") == "v" else 11)
        start = float(text.get("x")) - {"e": room, "m": room / 2}.get((text.get("class") or "").split(" ")[-1], 0)
        assert left - 2 <= start
        assert start + room <= left + wide + 2


def test_large_amounts_are_written_in_thousands_or_millions():
    money = replace(SHARE, unit="euros", decimals=0)
    told = Series(money, PLACE, (figure(2023, 12_000_000.0), figure(2024, 14_500_000.0, change=Change.NONE)))
    texts = [text.text for text in drawn(curve(told)).iter("text")]
    assert "millions (euros)" in texts
    assert "14\u202f500\u202f000" in texts


def test_a_curve_of_eight_years_is_light():
    told = tuple(figure(year, 70.0 + year % 5, low=66.0, high=80.0) for year in range(2017, 2025))
    assert len(curve(Series(SHARE, PLACE, told)).svg) < 2_000


# Colours

STYLE = (TEMPLATES / "style.css").read_text(encoding="utf-8")
THEMES = [
    dict(re.findall(r"--c-([a-z]+):(#[0-9a-f]{6});", line))
    for line in STYLE.splitlines() if "--c-" in line and "root{" in line
]  # fmt: skip
# Pairs that stand beside one another, with the contrast that WCAG 2.2 asks of them (text 4.5, marks 3).
WITH_CONTRAST = (
    ("ink", "paper", 4.5), ("quiet", "paper", 4.5), ("series", "paper", 4.5), ("reference", "paper", 4.5),
    ("low", "middle", 3.0), ("middle", "high", 3.0), ("quiet", "low", 3.0), ("high", "paper", 3.0),
    ("middle", "paper", 3.0), ("peers", "paper", 3.0),
)  # fmt: skip


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("pair", WITH_CONTRAST, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def test_colours_beside_one_another_have_contrast(pair, theme):
    one, other, least = pair
    dark, light = sorted(luminance(THEMES[theme][name]) for name in (one, other))
    assert (light + 0.05) / (dark + 0.05) >= least


def test_the_style_sheet_names_only_colours_that_are_judged():
    used = set(re.findall(r"var\(--c-([a-z]+)\)", STYLE))
    assert used == set(THEMES[0]) == set(THEMES[1]) == {name for pair in WITH_CONTRAST for name in pair[:2]}


# A place among comparable ones

BASES = st.integers(20, 2000)


@st.composite
def offices(draw, least=1):
    count = draw(st.integers(least, 60))
    found = []
    for index in range(count):
        base = draw(BASES)
        value = draw(st.integers(0, 1000)) / 10
        state = draw(st.sampled_from([State.PUBLISHED] * 6 + [State.PROVISIONAL, State.SECRET, State.NOT_SENT]))
        given_value = value if state in VALUED else None
        found.append((replace(PLACE, code=f"S{index}"), figure(2024, given_value, base, state=state)))
    return found


def by_hand(group, one: Figure, normal: float) -> tuple[float, float] | None:
    """The funnel, written from the formulas: pooled share, trimmed z, moment estimate of the variance between."""
    known = [(each.value / 100, each.base) for each in group.figures]
    pooled = sum(value * base for value, base in known) / sum(base for _, base in known)
    if not 0 < pooled < 1 or len(known) < 5:
        return None
    errors = [math.sqrt(pooled * (1 - pooled) / base) for _, base in known]
    scores = sorted((value - pooled) / error for (value, _), error in zip(known, errors, strict=True))
    cut = int(0.1 * len(scores))
    held = [min(max(score, scores[cut]), scores[len(scores) - 1 - cut]) for score in scores]
    phi = sum(score**2 for score in held) / len(held)
    weights = [1 / error**2 for error in errors]
    spread = sum(weights) - sum(weight**2 for weight in weights) / sum(weights)
    between = max(0.0, (len(held) * phi - (len(held) - 1)) / spread)
    half = normal * math.sqrt(pooled * (1 - pooled) / one.base + between)
    return max(0.0, (pooled - half) * 100), min(100.0, (pooled + half) * 100)


@settings(max_examples=80, deadline=None)
@given(offices())
def test_every_published_office_is_in_one_group_of_its_size(observed):
    groups = peer_groups(observed, SHARE)
    known = {(place.network, place.code): one for place, one in observed if shown(one) is not None}
    assert set(groups) == set(known)
    apart = list({id(group): group for group in groups.values()}.values())
    assert sum(len(group.figures) for group in apart) == len(known)
    ranges = sorted((min(one.base for one in group.figures), max(one.base for one in group.figures)) for group in apart)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))
    assert all(one in groups[key].figures for key, one in known.items())


@settings(max_examples=80, deadline=None)
@given(offices())
def test_a_strip_tells_the_usual_variation(observed):
    groups = peer_groups(observed, SHARE)
    for place, one in observed[:5]:
        group = groups.get((place.network, place.code))
        if shown(one) is None:
            assert group is None
            continue
        chart = strip(one, group, SHARE, place)
        drawn(chart)
        page = read(chart)
        said = chart.sentence.replace("\u00a0", " ").replace("\u202f", " ")
        inner, outer = by_hand(group, one, 1.959964), by_hand(group, one, 3.090232)
        if inner is None:
            assert "trop peu d'éléments" in said
            continue
        assert group.limits(one) == pytest.approx(inner)
        below, above = inner[0] > one.value, inner[1] < one.value
        assert ("au-dessous de la variation habituelle" in said) == below
        assert ("au-dessus de la variation habituelle" in said) == above
        assert ("dans la variation habituelle" in said) == (not below and not above)
        assert ("nettement" in said) == (outer[0] > one.value or outer[1] < one.value)
        low, high = re.search(r"\(de ([\d,]+) à ([\d,]+) %\)", said).groups()
        assert (number(low), number(high)) == pytest.approx(inner, abs=0.051)
        check_bins(page, chart, [each.value for each in group.figures])


def check_bins(page: Page, chart: Chart, values: list[float]) -> None:
    """Bars, the numbers above them and the rows of the table count the same values."""
    rows = [row for row in page.rows if re.match(r"De [−\d]", row[0])]
    counts = []
    last = len(rows) - 1
    for index, (span, told) in enumerate(rows):
        low, closed, high = re.fullmatch(r"De (\S+) à (moins de )?(\S+)", span).groups()
        low, high = number(low), number(high)
        inside = [value for value in values if low <= value < high or (not closed and index == last and value == high)]
        counts.append(len(inside))
        assert told.split()[0] == str(len(inside))
    assert sum(counts) == len(values)
    (bars_path,) = of_kind(drawn(chart), "path", "peers")
    heights = [float(height) for height in re.findall(r"v-([\d.]+)", bars_path.get("d"))]
    assert len(heights) == len(counts)
    for height, count in zip(heights, counts, strict=True):
        assert height == pytest.approx(max(1.5, count / max(counts) * 32), abs=0.06)


def test_no_strip_ranks_an_office():
    observed = [(replace(PLACE, code=f"S{index}"), figure(2024, 60.0 + index, 100 + index)) for index in range(20)]
    group = peer_groups(observed, SHARE)[("caf", "S3")]
    chart = strip(observed[3][1], group, SHARE, observed[3][0])
    assert not re.search(r"\brang|class(é|ement)|\d+e sur|premi[eè]r", chart.sentence + chart.html("c"))


@settings(max_examples=80, deadline=None)
@given(offices())
def test_a_distribution_counts_values_and_states(observed):
    figures = [one for _, one in observed]
    chart = distribution(figures, SHARE, 2024)
    drawn(chart)
    page = read(chart)
    values = [shown(one) for one in figures if shown(one) is not None]
    if values:
        check_bins(page, chart, values)
    for state in {one.state for one in figures if shown(one) is None}:
        count = sum(one.state is state for one in figures)
        assert f"{state.value}\u00a0: {count}" in chart.sentence
        assert [state.value, f"{count} structure{'s' if count > 1 else ''}"] in page.rows


@given(st.lists(st.tuples(HOSTILE, series()), min_size=1, max_size=8))
@settings(max_examples=80, deadline=None)
def test_bars_are_as_long_as_their_values(rows):
    held = [
        (replace(one.place, name=name, code=f"S{index}"), one.figures[-1]) for index, (name, one) in enumerate(rows)
    ]
    chart = bars("Titre <b>", held, SHARE)
    root = drawn(chart)
    page = read(chart)
    values = [shown(one) for _, one in held]
    paths = of_kind(root, "path", "fill")
    known = [value for value in values if value is not None]
    assert len(paths) == len(known)
    lengths = [
        float(end) - float(start)
        for start, end in (re.fullmatch(r"M(\S+) \d+H(.+?)v14H\S+z", path.get("d")).groups() for path in paths)
    ]
    longest = max(map(abs, known), default=0) and max([0, *known]) - min([0, *known])
    for length, value in zip(lengths, known, strict=True):
        assert length == pytest.approx(value / longest * 312 if longest else 0, abs=0.2)
    assert [row[0] for row in page.rows[1:]] == [place.name for place, _ in held]
    assert [row["data-code"] for row in page.data_rows()] == [place.code for place, _ in held]


# Maps


def territory(level: str, code: str, region: str | None = None, first: int | None = None, last: int | None = None):
    return {
        "maille": level, "territoire_code": code, "territoire": f"T{code}", "region_code": region,
        "premiere_annee": first, "derniere_annee": last,
    }  # fmt: skip


CODES = sorted(json.loads(CONTOURS.read_text(encoding="utf-8"))["departements"])


def rings(path: str) -> list[list[tuple[float, float]]]:
    found = []
    for part in path.split("z"):
        if not part:
            continue
        start, steps = part[1:].split("l")
        x, y = map(float, start.split())
        ring, numbers = [(x, y)], [float(step) for step in re.findall(r"-?\d+", steps)]
        for step_x, step_y in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + step_x, y + step_y
            ring.append((x, y))
        found.append(ring)
    return found


def surface(path: str) -> float:
    return abs(
        sum(
            (one[0] * other[1] - other[0] * one[1]) / 2
            for ring in rings(path)
            for one, other in zip(ring, ring[1:] + ring[:1], strict=True)
        )
    )


def shapes(chart: Chart) -> dict[str, list[ElementTree.Element]]:
    found: dict[str, list[ElementTree.Element]] = {}
    for path in drawn(chart).iter("path"):
        if path.find("title") is not None:
            found.setdefault(path.find("title").text.partition(" : ")[0], []).append(path)
    return found


def areas() -> list[Area]:
    return [Area(code, f"T{code}", (code,), figure(2024, 50.0)) for code in CODES]


def test_contours_are_light_and_name_their_source_and_licence():
    held = json.loads(CONTOURS.read_text(encoding="utf-8"))
    assert len(held["departements"]) == 101
    assert "IGN" in held["source"] and "Licence Ouverte 2.0" in held["source"]
    assert CONTOURS.stat().st_size <= 30_000


def test_every_departement_is_drawn_once_and_around_paris_twice():
    found = shapes(territory_map(areas(), SHARE, 2024, "departement"))
    twice = {f"T{code}" for code in ("75", "92", "93", "94")}
    assert {name: len(paths) for name, paths in found.items()} == {
        f"T{code}": 2 if f"T{code}" in twice else 1 for code in CODES
    }


TOLD = st.one_of(st.integers(0, 1000), st.sampled_from([state for state in State if state not in VALUED]))


@settings(max_examples=30, deadline=None)
@given(st.lists(TOLD, min_size=101, max_size=101))
def test_a_map_shows_each_class_and_state(held):
    told = dict(zip(CODES, held, strict=True))
    drawn_areas = [
        Area(
            code,
            f"T{code}",
            (code,),
            figure(2024, what / 10) if isinstance(what, int) else figure(2024, None, state=what),
        )
        for code, what in told.items()
    ]
    chart = territory_map(drawn_areas, SHARE, 2024, "departement")
    page, found = read(chart), shapes(chart)
    rows = {row["data-code"]: cells for row, cells in zip(page.data_rows(), page.rows[1:], strict=True)}
    assert set(rows) == set(CODES)
    fillings: dict[str, set[str]] = {}
    for code, what in told.items():
        (*_, path) = found[f"T{code}"]
        filling = path.get("fill") or path.get("class").split()[1]
        in_words = rows[code][3]
        fillings.setdefault(filling, set()).add(in_words)
        if isinstance(what, int):
            bounds = [number(text) for text in re.findall(r"[\d,]+", in_words)]
            value = what / 10
            if in_words.startswith("moins"):
                assert value < bounds[0]
            elif in_words.startswith("de "):
                assert bounds[0] <= value < bounds[1]
            elif in_words.endswith("et plus"):
                assert value >= bounds[0]
        else:
            assert filling.startswith("url(#")
            assert in_words == what.value == rows[code][1]
    assert len([filling for filling in fillings if not filling.startswith("url")]) <= 3
    legend = " ".join(text.text for text in drawn(chart).iter("text"))
    for words in set().union(*fillings.values()):
        count = sum(cells[3] == words for cells in rows.values())
        assert f"{words} ({count})" in legend
    patterns = {pattern.get("id") for pattern in drawn(chart).iter("pattern")}
    assert {filling[5:-1] for filling in fillings if filling.startswith("url")} <= patterns


def test_a_region_is_the_outline_of_its_departements():
    alone = {
        code: surface(shapes(territory_map(areas(), SHARE, 2024, "departement"))[f"T{code}"][0].get("d"))
        for code in CODES
    }
    for members in (("67", "68"), ("27", "76", "14", "50", "61"), ("75", "77", "78", "91", "92", "93", "94", "95")):
        region = Area("R", "Région", members, figure(2024, 50.0))
        (path,) = shapes(territory_map([region], SHARE, 2024, "region"))["Région"]
        assert surface(path.get("d")) == pytest.approx(sum(alone[code] for code in members))
        assert len(rings(path.get("d"))) == 1


def test_territories_are_those_of_the_year():
    rows = [
        territory("departement", "67", "42", None, 2015), territory("departement", "67", "44", 2016, None),
        territory("departement", "68", "42", None, 2015), territory("departement", "68", "44", 2016, None),
        territory("departement", "51", "21", None, 2015), territory("departement", "51", "44", 2016, None),
        territory("departement", "976", "06", 2011, None), territory("region", "06", None, 2011, None),
        territory("region", "42", None, None, 2015), territory("region", "21", None, None, 2015),
        territory("region", "44", None, 2016, None),
    ]  # fmt: skip
    before = areas_of_year(rows, "region", 2010, {})
    after = areas_of_year(rows, "region", 2024, {"44": figure(2024, 70.0)})
    assert {area.code: area.departments for area in before} == {"42": ("67", "68"), "21": ("51",)}
    assert {area.code: area.departments for area in after} == {"44": ("67", "68", "51"), "06": ("976",)}
    assert [area.figure.state for area in after if area.code == "06"] == [State.NO_ROW]
    assert "T976" not in shapes(territory_map(areas_of_year(rows, "departement", 2010, {}), SHARE, 2010, "departement"))
    words = [text.text for text in drawn(territory_map(after, SHARE, 2024, "region")).iter("text")]
    assert "Outre-mer, hors échelle" in words and "T06" in words


def test_a_territory_without_contour_is_told_not_lost():
    held = [
        *areas(),
        Area("975", "Saint-Pierre", ("975",), figure(2024, 66.0)),
        Area("988", "Nouvelle", ("988",), figure(2024, None, state=State.NO_ROW)),
    ]
    chart = territory_map(held, SHARE, 2024, "departement")
    assert "dans le tableau seulement, faute de contour\u00a0: Saint-Pierre." in chart.sentence
    assert ["Saint-Pierre", "66,0\u00a0%"] in [row[:2] for row in read(chart).rows]
    assert "Nouvelle" not in chart.html("c")
