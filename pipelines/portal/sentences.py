"""Sentences about yearly figures, in French: value, interval, change, gap to a reference, absences, breaks.

A sentence is a reading of the figures given, with nothing beside them: a change is told where the release says that
it is established, a record where the years compare and the intervals do not touch. How pages lay them out is not here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pipelines.declarations.statuses import FigureStatus
from pipelines.mechanics.french import in_runs, listed, number_text, unit_text
from pipelines.portal.figures import Change, Figure, Indicator, Series, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NO_BREAK_SPACE, _NARROW_SPACE = "\u00a0", "\u202f"
_WITH_VALUE = {State.PUBLISHED, State.PROVISIONAL}
_FEWEST_YEARS_OF_A_RANGE = 3  # below, the range is the two values themselves
_OF_LEVEL = {"national": "Valeur nationale", "region": "Région", "departement": "Département"}


def shown_value(figure: Figure) -> float | None:
    """Return the value that may be shown, None where there is none: a secret one never is, whatever the row holds."""
    return figure.value if figure.state in _WITH_VALUE else None


def has_value(figure: Figure) -> bool:
    """Whether a figure may be shown with its value."""
    return shown_value(figure) is not None


def shown_interval(figure: Figure) -> tuple[float, float] | None:
    """Return the interval of a value that is shown, None where it says no more than the value."""
    if not has_value(figure) or figure.low is None or figure.high is None or figure.low >= figure.high:
        return None
    return figure.low, figure.high


def value_text(value: float, indicator: Indicator) -> str:
    """Write a value with its unit, in the singular below two: « 78 % », « 1,5 jour », « 4,2 sur 7 »."""
    return f"{number_text(value, indicator.decimals)}{NO_BREAK_SPACE}{unit_text(value, indicator.unit)}"


def interval_text(figure: Figure, indicator: Indicator) -> str:
    """Return « entre 74 et 81 % », or nothing where the figure has no interval."""
    interval = shown_interval(figure)
    if interval is None:
        return ""
    return f"entre {number_text(interval[0], indicator.decimals)} et {value_text(interval[1], indicator)}"


def cell_text(figure: Figure, indicator: Indicator) -> str:
    """Return the value with its unit, or else the state in words: what a cell holds, never blank and never 0."""
    value = shown_value(figure)
    return state_text(figure) if value is None else value_text(value, indicator)


def base_text(figure: Figure) -> str:
    """Return on how many answers or acts a figure rests: « 1 234 », « non publiée »."""
    return "non publiée" if figure.base is None else number_text(figure.base, 0)


def remarks(figure: Figure) -> list[str]:
    """Return what is said of a value that is shown: « provisoire », « révisé »."""
    return [
        *([str(figure.state)] if figure.state is State.PROVISIONAL else []),
        *([FigureStatus.REVISED.value] if figure.revised else []),
    ]


def figure_text(figure: Figure, indicator: Indicator) -> str:
    """Return a year in words: « 78 % en 2024 (provisoire), entre 74 et 81 % », « secret statistique en 2024 »."""
    words = f"{cell_text(figure, indicator)} en {figure.year}"
    if has_value(figure) and (marks := remarks(figure)):
        words += f" ({', '.join(marks)})"
    interval = interval_text(figure, indicator)
    return f"{words}, {interval}" if interval else words


def state_text(figure: Figure) -> str:
    """Return the state in words; a row that says « publié » without a value is « non disponible »."""
    return str(State.NOT_AVAILABLE if figure.state in _WITH_VALUE and figure.value is None else figure.state)


def better_sentence(indicator: Indicator) -> str:
    """Say whether higher is better."""
    if indicator.better == "hausse":
        return "Plus la valeur est haute, meilleur est le résultat."
    if indicator.better == "baisse":
        return "Plus la valeur est basse, meilleur est le résultat."
    return "Ni une valeur haute ni une valeur basse n'est meilleure en soi."


def trend(series: Series) -> str:
    """Say what may be told of the last year beside the year before, in a few words without a full stop."""
    *before, latest = series.figures
    if not has_value(latest):
        return f"pas de comparaison : {state_text(latest)} en {latest.year}"
    if not before:
        return "première année de la série"
    previous = before[-1]
    if latest.is_break:
        return f"rupture de série en {latest.year} : pas de comparaison avec {previous.year}"
    if not has_value(previous):
        return f"pas de comparaison : {state_text(previous)} en {previous.year}"
    if latest.change is None:
        return f"pas de comparaison publiée avec {previous.year}"
    return f"{latest.change} depuis {previous.year}{_judged(latest.change, series.indicator)}"


def latest_sentence(series: Series) -> str:
    """Say the last figure and its trend: « 78 % en 2024, entre 74 et 81 % ; pas de changement établi depuis 2023. »."""
    latest = series.latest
    words = figure_text(latest, series.indicator)
    if has_value(latest):
        return sentence(f"{words} ; {trend(series)}")
    published = [figure for figure in series.figures if has_value(figure)]
    if not published:
        return sentence(f"aucune valeur publiée : {_absences(series.figures)}")
    return sentence(f"{words} ; dernière valeur publiée : {figure_text(published[-1], series.indicator)}")


def gap_sentence(figure: Figure, reference: Figure, indicator: Indicator, name: str) -> str:
    """Say a reference of the same year (``name`` begins the sentence) and the gap to it; nothing without both values.

    The gap is between the values as published. Where intervals touch, the sentence says that they do not establish it.
    """
    value, other = shown_value(figure), shown_value(reference)
    if value is None or other is None or figure.year != reference.year:
        return ""
    words = f"{name} en {reference.year} : {value_text(other, indicator)} ; ici, "
    gap = round(value, indicator.decimals) - round(other, indicator.decimals)
    if not round(gap, indicator.decimals):
        return sentence(f"{words}la même valeur")
    unit = "points" if indicator.unit.startswith(("%", "sur ")) else indicator.unit
    amount = f"{number_text(abs(gap), indicator.decimals)}{NO_BREAK_SPACE}{unit_text(gap, unit)}"
    words += f"{amount} de {'plus' if gap > 0 else 'moins'}"
    if _touch(figure, reference, indicator.decimals):
        words += ", écart non établi (les intervalles se recouvrent)"
    return sentence(words)


def reference_name(series: Series) -> str:
    """Return how a sentence or a label names a reference: « Valeur nationale », « Région (Bretagne) »."""
    of_level = _OF_LEVEL.get(series.place.level, "")
    if not of_level:
        return series.place.name
    return of_level if series.place.level == "national" else f"{of_level} ({series.place.name})"


def history_sentences(series: Series) -> list[str]:
    """Say the range and the record of the years that compare with the last one, then breaks, then absences."""
    sentences = []
    run = _comparable_run(series.figures)
    if len(run) >= _FEWEST_YEARS_OF_A_RANGE:
        values = [figure.value for figure in run if figure.value is not None]
        low, high = min(values), max(values)
        same = round(low, series.indicator.decimals) == round(high, series.indicator.decimals)
        span = f"entre {number_text(low, series.indicator.decimals)} et {value_text(high, series.indicator)}"
        sentences.append(
            f"De {run[0].year} à {run[-1].year}, {f'toujours {value_text(high, series.indicator)}' if same else span}"
        )
        sentences[-1] += _record(run, series.indicator.decimals)
    sentences += [_break_text(figure) for figure in series.figures if figure.is_break]
    absent = [figure for figure in series.figures[:-1] if not has_value(figure)]
    if absent and any(has_value(figure) for figure in series.figures):
        sentences.append(_absences([figure for figure in absent if not _told_by_trend(figure, absent, series)]))
    return [sentence(text) for text in sentences if text]


def reading(series: Series, references: Sequence[Series] = ()) -> str:
    """Return what a curve shows, as one paragraph: last figure, trend, references, range, breaks, absences."""
    sentences = [latest_sentence(series)]
    for reference in references:
        same_year = next((one for one in reference.figures if one.year == series.latest.year), None)
        if same_year is not None:
            sentences.append(gap_sentence(series.latest, same_year, series.indicator, reference_name(reference)))
    return " ".join(one_sentence for one_sentence in (*sentences, *history_sentences(series)) if one_sentence)


def years_text(years: Sequence[int]) -> str:
    """Write years, three or more in a row as a range: « 2015, de 2018 à 2021 et 2023 »."""
    words = []
    for run in in_runs(years):
        words += [f"de {run[0]} à {run[-1]}"] if len(run) > 2 else [str(year) for year in run]
    return listed(words)


def _told_by_trend(figure: Figure, absent: Sequence[Figure], series: Series) -> bool:
    """Whether the trend has named this year's absence already, and no other absent year has the same to say."""
    if figure is not series.figures[-2] or not has_value(series.latest) or series.latest.is_break:
        return False
    return not any(one is not figure and state_text(one) == state_text(figure) for one in absent)


def _judged(change: Change, indicator: Indicator) -> str:
    if change is Change.NONE or indicator.better not in ("hausse", "baisse"):
        return ""
    good = (change is Change.UP) == (indicator.better == "hausse")
    return " (amélioration)" if good else " (dégradation)"


def _comparable_run(figures: Sequence[Figure]) -> list[Figure]:
    """Return the last figures, each with a value, that the release says to compare each with the one before."""
    run: list[Figure] = []
    for figure in reversed(figures):
        if not has_value(figure):
            break
        run.insert(0, figure)
        if figure.is_break or figure.change is None:
            break
    return run


def _record(run: Sequence[Figure], decimals: int) -> str:
    """Say that the last value is the highest or lowest of the run, where no interval of another year reaches it."""
    *others, (low, high) = [_span(figure, decimals) for figure in run]
    if all(low > other_high for _, other_high in others):
        return f" ; la plus haute est celle de {run[-1].year}"
    if all(high < other_low for other_low, _ in others):
        return f" ; la plus basse est celle de {run[-1].year}"
    return ""


def _span(figure: Figure, decimals: int) -> tuple[float, float]:
    """Return from where to where a figure may lie, rounded as it is shown."""
    bounds = [round(bound, decimals) for bound in (figure.low, figure.value, figure.high) if bound is not None]
    return min(bounds), max(bounds)


def _touch(one: Figure, other: Figure, decimals: int) -> bool:
    if not (shown_interval(one) or shown_interval(other)):
        return False
    (low, high), (other_low, other_high) = _span(one, decimals), _span(other, decimals)
    return low <= other_high and other_low <= high


def _break_text(figure: Figure) -> str:
    reason = f" ({figure.break_reason.strip().rstrip('.')})" if figure.break_reason else ""
    return f"rupture de série en {figure.year}{reason} : les valeurs d'avant ne se comparent pas à celles d'après"


def _absences(figures: Iterable[Figure]) -> str:
    years: dict[str, list[int]] = defaultdict(list)
    for figure in figures:
        years[state_text(figure)].append(figure.year)
    return " ; ".join(f"{state} {_in_years(years_of_state)}" for state, years_of_state in years.items())


def _in_years(years: Sequence[int]) -> str:
    words = years_text(years)
    return words if words.startswith("de ") else f"en {words}"


def sentence(text: str) -> str:
    """Make words a sentence: a capital, a full stop, the spaces that French has before a semicolon and a colon."""
    spaced = text.replace(" ;", f"{_NARROW_SPACE};").replace(" :", f"{NO_BREAK_SPACE}:")
    return f"{spaced[:1].upper()}{spaced[1:]}."
