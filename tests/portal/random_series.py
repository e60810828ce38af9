"""Random series as a release may hold them: states, breaks, intervals, one year, all absent, hostile names."""

from __future__ import annotations

from hypothesis import strategies as st

from pipelines.portal.figures import Change, Figure, Indicator, Place, Series, State

VALUED = (State.PUBLISHED, State.PROVISIONAL)
ABSENT = tuple(state for state in State if state not in VALUED)
# unit: (below two, from two on), by hand
UNITS = {
    "%": ("%", "%"),
    "points": ("point", "points"),
    "jours": ("jour", "jours"),
    "sur 10": ("sur 10", "sur 10"),
    "euros": ("euro", "euros"),
    "actes par mois": ("acte par mois", "actes par mois"),
    "mois": ("mois", "mois"),
    "% de réseaux": ("% de réseaux", "% de réseaux"),
}
PLAIN = st.text("abcdefghijklmnop é", min_size=1, max_size=20).map(str.strip).filter(bool)
HOSTILE = st.one_of(
    st.just("<script>alert('x')</script>"),
    st.just("\"'&<>" * 60),
    st.just("long " * 60),
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=300).filter(str.strip),
)


@st.composite
def indicators(draw, names=PLAIN):
    return Indicator(
        "csat", draw(names), "définition", draw(st.sampled_from(sorted(UNITS))), draw(st.integers(0, 2)),
        draw(st.sampled_from(["hausse", "baisse", None])),
    )  # fmt: skip


def places(names=PLAIN, levels=("site", "departement", "region", "national")):
    return st.builds(
        Place,
        network=st.just("caf"), level=st.sampled_from(levels), code=st.just("X1"), name=names,
        kind=st.sampled_from(["CAF", None]), territory=st.just("01"),
    )  # fmt: skip


@st.composite
def figures(draw, year, decimals, previous, reasons=PLAIN):
    state = draw(st.sampled_from([*VALUED * 12, *ABSENT]))
    number = st.integers(-300, 3000).map(lambda value: round(value / 10**decimals, decimals))
    value = draw(number) if state in VALUED or draw(st.integers(0, 5)) == 0 else None
    low = high = None
    if value is not None and draw(st.booleans()):
        low, high = (round(value + way * draw(st.integers(0, 40)) / 10**decimals, decimals) for way in (-1, 1))
    is_break = draw(st.integers(0, 7)) == 0
    compared = not is_break and state in VALUED and previous is not None and previous.state in VALUED
    return Figure(
        year, value, low, high, draw(st.one_of(st.none(), st.integers(0, 99_999))), state,
        is_break=is_break, break_reason=draw(st.one_of(st.none(), reasons)) if is_break else None,
        change=draw(st.sampled_from([*Change, None])) if compared else None,
        revised=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def series(draw, like: Series | None = None, names=PLAIN):
    indicator = like.indicator if like else draw(indicators(names))
    first = like.figures[0].year - 1 if like else draw(st.integers(2005, 2020))
    found: list[Figure] = []
    for year in range(first, first + draw(st.integers(1, 12))):
        found.append(draw(figures(year, indicator.decimals, found[-1] if found else None, names)))
    levels = ("national", "region", "departement") if like else ("site", "departement")
    return Series(indicator, draw(places(names, levels)), tuple(found))


@st.composite
def with_references(draw, names=PLAIN):
    one = draw(series(names=names))
    return one, tuple(draw(series(one, names)) for _ in range(draw(st.integers(0, 2))))
