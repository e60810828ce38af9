"""Sentences are true: every one is parsed back, and each of its claims computed again from the series by other code."""

from __future__ import annotations

import re

import pytest
from fixtures.made_release import made_release, row
from hypothesis import given, settings
from random_series import UNITS, VALUED, with_references

from assets.metadata import national_shown
from pipelines.portal.figures import Change, Figure, Indicator, Place, Series, State
from pipelines.portal.sentences import better_sentence, gap_sentence, latest_sentence, reading, trend, years_text

NUMBER = r"−?\d+(?: \d{3})*(?:,\d+)?"
VALUE = rf"({NUMBER}) (%(?: de réseaux)?|sur 10|[a-z]+(?: par mois)?)"
STATES = "|".join(sorted((str(state) for state in State), key=len, reverse=True))
FIGURE = rf"{VALUE} en (\d{{4}})(?: \(((?:provisoire|révisé)(?:, révisé)?)\))?(?:, entre ({NUMBER}) et {VALUE})?"
TREND = "|".join(
    (
        "première année de la série",
        rf"pas de comparaison : (?:{STATES}) en \d{{4}}",
        r"rupture de série en \d{4} : pas de comparaison avec \d{4}",
        r"pas de comparaison publiée avec \d{4}",
        r"(?:hausse établie|baisse établie|pas de changement établi) depuis \d{4}"
        r"(?: \((?:amélioration|dégradation)\))?",
    )
)
LATEST = re.compile(rf"{FIGURE} ; ({TREND})\.")
LAST_KNOWN = re.compile(rf"({STATES}) en (\d{{4}}) ; dernière valeur publiée : {FIGURE}\.", re.IGNORECASE)
NONE_KNOWN = re.compile(r"Aucune valeur publiée : (.+)\.")
GAP = re.compile(
    rf"(Valeur nationale|(?:Région|Département) \([^)]*\)) en (\d{{4}}) : {VALUE} ; ici, "
    rf"(?:la même valeur|{VALUE} de (plus|moins))(, écart non établi \(les intervalles se recouvrent\))?\."
)
RANGE = re.compile(
    rf"De (\d{{4}}) à (\d{{4}}), (?:entre ({NUMBER}) et|toujours) {VALUE}"
    r"(?: ; la plus (haute|basse) est celle de (\d{4}))?\."
)
BREAK = re.compile(
    r"Rupture de série en (\d{4})(?: \(([^)]*)\))? : les valeurs d'avant ne se comparent pas à celles d'après\."
)
YEARS = r"(?:en )?(?:de \d{4} à \d{4}|\d{4})(?:(?:, | et )(?:de \d{4} à \d{4}|\d{4}))*"
ABSENCES = re.compile(rf"((?:(?:{STATES}) {YEARS}(?: ; )?)+)\.", re.IGNORECASE)


def number(text: str) -> float:
    return float(text.replace(" ", "").replace("−", "-").replace(",", "."))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=\.) (?=[A-ZÉ])", plain(text))


def shown(figure: Figure) -> float | None:
    return figure.value if figure.state in VALUED else None


def check_value(text: str, unit: str, expected: float, indicator: Indicator) -> None:
    assert number(text) == pytest.approx(expected, abs=1e-9)
    assert len(text.partition(",")[2]) == indicator.decimals
    assert unit == UNITS[indicator.unit][abs(expected) >= 2]


def check_figure(groups: tuple[str | None, ...], figure: Figure, indicator: Indicator) -> None:
    value, unit, year, marks, low, high, high_unit = groups
    assert int(year) == figure.year
    check_value(value, unit, shown(figure), indicator)
    told = {figure.state.value} & {"provisoire"} | ({"révisé"} if figure.revised else set())
    assert set((marks or "").split(", ")) - {""} == told
    if figure.low is None or figure.low == figure.high:
        assert low is None
    else:
        assert number(low) == pytest.approx(figure.low)
        check_value(high, high_unit, figure.high, indicator)


def check_trend(text: str, series: Series) -> None:
    figures = {figure.year: figure for figure in series.figures}
    last = max(figures)
    before = figures.get(last - 1)
    if shown(figures[last]) is None:
        assert text == f"pas de comparaison : {absent(series)[last]} en {last}"
        return
    if "première année" in text:
        assert before is None
        return
    assert before is not None
    change = re.match(r"(hausse|baisse) établie depuis (\d{4})|pas de changement établi depuis (\d{4})", text)
    if not change:
        assert figures[last].is_break or shown(before) is None or figures[last].change is None
        assert text.startswith("rupture") == figures[last].is_break
        assert text.endswith(str(before.year))
        return
    assert not figures[last].is_break
    assert shown(before) is not None
    assert int(change[2] or change[3]) == before.year
    told = {"hausse": Change.UP, "baisse": Change.DOWN, None: Change.NONE}[change[1]]
    assert told is figures[last].change
    assert ("(amélioration)" in text) == (change[1] is not None and change[1] == series.indicator.better)
    assert ("(dégradation)" in text) == (
        change[1] is not None and series.indicator.better is not None and change[1] != series.indicator.better
    )


def check_gap(found: re.Match[str], series: Series, reference: Series) -> None:
    _, year, value, unit, gap, gap_unit, way, unsure = found.groups()
    here = {figure.year: figure for figure in series.figures}[int(year)]
    there = {figure.year: figure for figure in reference.figures}[int(year)]
    check_value(value, unit, shown(there), series.indicator)
    power = 10**series.indicator.decimals
    difference = round(shown(here) * power) - round(shown(there) * power)
    assert (way is None) == (difference == 0)
    if way:
        assert round(number(gap) * power) == abs(difference)
        assert (way == "plus") == (difference > 0)
        family = "points" if series.indicator.unit in ("%", "% de réseaux", "sur 10") else series.indicator.unit
        assert gap_unit == UNITS[family][abs(difference) >= 2 * power]
    assert bool(unsure) == bool(difference and (spread(here) or spread(there)) and overlap(here, there))


def spread(figure: Figure) -> bool:
    return figure.low is not None and figure.low < figure.high


def span(figure: Figure) -> tuple[float, float]:
    return (figure.low, figure.high) if figure.low is not None else (figure.value, figure.value)


def overlap(one: Figure, other: Figure) -> bool:
    return max(span(one)[0], span(other)[0]) <= min(span(one)[1], span(other)[1])


def check_range(found: re.Match[str], series: Series) -> None:
    first, last, low, high, unit, side, at = found.groups()
    figures = {figure.year: figure for figure in series.figures}
    run = [figures[year] for year in range(int(first), int(last) + 1)]
    assert int(last) == max(figures)
    assert len(run) >= 3
    assert all(figure.change is not None and not figure.is_break for figure in run[1:])
    values = [shown(figure) for figure in run]
    assert None not in values
    check_value(high, unit, max(values), series.indicator)
    assert number(low or high) == pytest.approx(min(values))
    if side:
        assert int(at) == int(last)
        others = [bound for figure in run[:-1] for bound in (*span(figure), figure.value)]
        own = (*span(run[-1]), run[-1].value)
        assert (min(own) > max(others)) if side == "haute" else (max(own) < min(others))


def told_absences(text: str) -> dict[int, str]:
    found = {}
    for part in text.split(" ; "):
        state = re.match(STATES, part, re.IGNORECASE)[0].lower()
        for start, end, alone in re.findall(r"de (\d{4}) à (\d{4})|(\d{4})", part):
            for year in range(int(start or alone), int(end or alone) + 1):
                found[year] = state
    return found


def absent(series: Series) -> dict[int, str]:
    return {
        figure.year: "non disponible" if figure.state in VALUED else figure.state.value
        for figure in series.figures
        if shown(figure) is None
    }


@settings(max_examples=250, deadline=None)
@given(with_references())
def test_each_claim_of_a_reading_is_true(drawn):
    series, references = drawn
    told: dict[int, str] = {}
    breaks, ranges = [], 0
    waiting = comparable_references(series, references)
    for index, sentence in enumerate(sentences(reading(series, references))):
        if found := LATEST.fullmatch(sentence):
            assert index == 0
            check_figure(found.groups()[:7], series.figures[-1], series.indicator)
            check_trend(found[8], series)
            if absence := re.match(rf"pas de comparaison : ({STATES}) en (\d{{4}})", found[8]):
                told[int(absence[2])] = absence[1]
        elif found := LAST_KNOWN.fullmatch(sentence):
            told[int(found[2])] = found[1].lower()
            known = [figure for figure in series.figures if shown(figure) is not None]
            check_figure(found.groups()[2:], known[-1], series.indicator)
        elif found := NONE_KNOWN.fullmatch(sentence):
            told |= told_absences(found[1])
            assert set(told) == {figure.year for figure in series.figures}
        elif found := GAP.fullmatch(sentence):
            check_gap(found, series, waiting.pop(0))
        elif found := RANGE.fullmatch(sentence):
            check_range(found, series)
            ranges += 1
        elif found := BREAK.fullmatch(sentence):
            breaks.append((int(found[1]), found[2]))
        elif found := ABSENCES.fullmatch(sentence):
            told |= told_absences(found[1])
        else:
            pytest.fail(f"une phrase que personne ne vérifie : {sentence}")
    assert told == absent(series)
    reasons = [(figure.year, figure.break_reason) for figure in series.figures if figure.is_break]
    assert breaks == [(year, plain(reason) if reason else None) for year, reason in reasons]
    assert waiting == []
    assert ranges == bool(longest_run(series) >= 3)


def comparable_references(series: Series, references: tuple[Series, ...]) -> list[Series]:
    """The references whose value of the last year can be set beside the series' own."""
    last = series.figures[-1]
    return [
        one
        for one in references
        if any(figure.year == last.year and None not in (shown(figure), shown(last)) for figure in one.figures)
    ]


def longest_run(series: Series) -> int:
    length = 0
    for figure in series.figures:
        goes_on = length and not figure.is_break and figure.change is not None
        length = 0 if shown(figure) is None else length + 1 if goes_on else 1
    return length


@settings(max_examples=60, deadline=None)
@given(with_references())
def test_a_trend_says_what_is_established_and_no_more(drawn):
    series, _ = drawn
    check_trend(plain(trend(series)), series)


PLACE = Place("caf", "site", "X1", "CAF de l'Ain", "CAF", "01")
SHARE = Indicator("csat", "Notes favorables", "", "%", 0, "hausse")
TENTHS = Indicator("csat", "Notes favorables", "", "%", 1, "hausse")


def figure(
    year: int, value: float | None, low: float | None = None, high: float | None = None, **told: object
) -> Figure:
    return Figure(year, value, low, high, 100, State.PUBLISHED if value is not None else State.NOT_SENT, **told)


def test_the_sentence_of_an_office_reads_as_french():
    series = Series(SHARE, PLACE, (figure(2023, 77.0), figure(2024, 78.0, 74.0, 81.0, change=Change.NONE)))
    assert latest_sentence(series) == (
        "78\u00a0% en 2024, entre 74 et 81\u00a0%\u202f; pas de changement établi depuis 2023."
    )


@pytest.mark.parametrize(
    ("better", "words"),
    [("hausse", "Plus la valeur est haute, meilleur"), ("baisse", "Plus la valeur est basse"), (None, "Ni une valeur")],
)
def test_whether_higher_is_better_is_said(better, words):
    assert better_sentence(Indicator("x", "x", "", "jours", 1, better)).startswith(words)


def test_a_gap_within_intervals_says_that_it_is_not_established():
    near = gap_sentence(figure(2024, 78.0, 74.0, 81.0), figure(2024, 75.0), SHARE, "Valeur nationale")
    far = gap_sentence(figure(2024, 78.0, 74.0, 81.0), figure(2024, 70.0), SHARE, "Valeur nationale")
    assert plain(near) == (
        "Valeur nationale en 2024 : 75 % ; ici, 3 points de plus, écart non établi (les intervalles se recouvrent)."
    )
    assert plain(far) == "Valeur nationale en 2024 : 70 % ; ici, 8 points de plus."


@pytest.mark.parametrize(
    ("low", "high", "unsure"), [(74.0, 81.0, True), (75.0, 81.0, True), (75.1, 81.0, False), (None, None, False)]
)
def test_intervals_that_touch_do_not_establish_a_gap(low, high, unsure):
    told = gap_sentence(figure(2024, 78.0, low, high), figure(2024, 75.0), TENTHS, "Valeur nationale")
    assert ("écart non établi" in told) == unsure


@pytest.mark.parametrize(
    ("last", "record"),
    [
        (figure(2024, 80.0, 77.1, 83.0, change=Change.UP), "; la plus haute est celle de 2024"),
        (figure(2024, 80.0, 77.0, 83.0, change=Change.UP), ""),  # the interval of 2022 reaches it
        (figure(2024, 60.0, 57.0, 62.9, change=Change.DOWN), "; la plus basse est celle de 2024"),
        (figure(2024, 60.0, 57.0, 63.0, change=Change.DOWN), ""),
        (figure(2024, 70.0, change=Change.NONE), ""),
    ],
)
def test_a_record_is_said_where_no_other_interval_reaches_it(last, record):
    before = (figure(2022, 70.0, 63.0, 77.0), figure(2023, 71.0, change=Change.NONE))
    told = plain(reading(Series(TENTHS, PLACE, (*before, last))))
    assert re.search(r"De 2022 à 2024, entre [\d,]+ et [\d,]+ %( ?;.*)?\.", told)[1] == (
        f" {record}" if record else None
    )


def test_years_in_a_row_are_a_range():
    assert years_text([2015, 2018, 2019, 2020, 2023]) == "2015, de 2018 à 2020 et 2023"
    assert years_text([2018, 2019]) == "2018 et 2019"


def test_no_record_across_a_break():
    across = (
        figure(2021, 90.0),
        figure(2022, 70.0, is_break=True),
        figure(2023, 71.0, change=Change.NONE),
        figure(2024, 80.0, change=Change.UP),
    )
    told = plain(reading(Series(SHARE, PLACE, across)))
    assert "De 2022 à 2024, entre 70 et 80 % ; la plus haute est celle de 2024." in told
    assert "90" not in told


def test_dagster_shows_the_sentences_of_the_site(tmp_path):
    rows = [row(2023, 78.0), row(2024, 80.0, comparable=True, evolution=2.0, evolution_significative=True)]
    shown = national_shown(made_release(tmp_path, rows)).value
    assert plain(shown).endswith(": 80,0 % en 2024 ; hausse établie depuis 2023 (amélioration).")
    assert national_shown(tmp_path / "autre").value == "*rien*"
