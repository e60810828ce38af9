"""The pages of barometers, made from one published release of theirs and nothing else.

How a question is drawn is in ``charts.opinion``; the rest of the site is in the other modules of this room.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from markupsafe import Markup

from pipelines.portal import addresses
from pipelines.portal.charts.opinion import (
    WaveBreak,
    change_text,
    diverging,
    group_dots,
    opinion_data,
    opinion_figure,
    several_answers,
    slopes,
)
from pipelines.portal.templates import SidePages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.portal.charts.chart import Chart
    from pipelines.portal.open_release import Line
    from pipelines.portal.templates import Crumbs, File

INDEX = "barometres.html"
ALL = "ensemble"


class BarometerPages(SidePages):
    """Every page of the barometers of a release."""

    GROUP: ClassVar = "barometres"  # of the pages of the site
    TABLES: ClassVar = ("vagues", "questions", "resultats_barometres")
    FILES: ClassVar = "barometres/donnees"  # copies of the files of the release

    def _lines(self, table: str, order: str, **where: str) -> list[Line]:
        """Return rows of a table, those of each wave after those before it."""
        conditions = " AND ".join(f"told.{name} = ?" for name in where) or "true"
        return self.release.lines(
            f"SELECT told.* FROM {table} AS told JOIN vagues AS wave USING (barometre, vague) WHERE {conditions} "
            f"ORDER BY told.barometre, wave.fin_terrain, {order}",
            list(where.values()),
        )

    def files(self) -> Iterator[File]:
        """Yield the index, then each barometer and its questions."""
        waves = self._lines("vagues", "vague")
        barometers = {
            line["barometre"]: [one for one in waves if one["barometre"] == line["barometre"]] for line in waves
        }
        yield self.page(
            "barometers.html",
            INDEX,
            "Baromètres",
            barometers=barometers,
            files=self.release.files_at(self.FILES),
            headlines=self._headlines(barometers),
            questions_of=self._titles(),
            facts=_facts,
            shown=opinion_figure,
            changed=partial(_changed, barometers),
            wave_of=_wave_of,
            crumbs=[("Baromètres", None)],
        )
        for identifier, of_barometer in barometers.items():
            yield from self._barometer(identifier, of_barometer)

    def _titles(self) -> dict[tuple[str, str], str]:
        """Return the title of each question, by barometer and question."""
        return {(x["barometre"], x["question"]): x["titre"] for x in self._lines("questions", "told.question")}

    def _headlines(self, barometers: Mapping[str, Sequence[Line]]) -> dict[str, list[Line]]:
        """Return the indicators of everybody in the last wave that has some, by barometer."""
        found = {}
        for identifier, waves in barometers.items():
            lines = self._lines(
                "resultats_barometres", "told.rang", barometre=identifier, mesure="indicateur", coupe=ALL
            )
            last = next(
                (wave["vague"] for wave in reversed(waves) if any(x["vague"] == wave["vague"] for x in lines)), ""
            )
            found[identifier] = [line for line in lines if line["vague"] == last]
        return found

    def _barometer(self, identifier: str, waves: Sequence[Line]) -> Iterator[File]:
        asked = self._lines("questions", "told.question", barometre=identifier)
        questions: dict[str, list[Line]] = {}
        for line in asked:
            questions.setdefault(line["question"], []).append(line)
        title = waves[-1]["titre"]
        crumbs: Crumbs = [("Baromètres", INDEX), (title, None)]
        yield self.page(
            "barometer.html",
            addresses.page("barometres", identifier),
            title,
            waves=waves,
            questions=questions,
            identifier=identifier,
            wave_of=_wave_of,
            crumbs=crumbs,
        )
        for question, lines in questions.items():
            yield self._question(identifier, title, waves, question, lines)

    def _question(
        self, identifier: str, title: str, waves: Sequence[Line], question: str, asked: Sequence[Line]
    ) -> File:
        rows = self._lines("resultats_barometres", "told.rang", barometre=identifier, question=question)
        titles = {wave["vague"]: wave["vague_titre"] for wave in waves}
        whole = [line for line in rows if line["coupe"] == ALL]
        breaks = [WaveBreak(wave["vague"], wave["ruptures"]) for wave in waves if wave["ruptures"]]
        breaks += [
            WaveBreak(one["vague"], "mots de la question changés")
            for one in asked
            if (one["libelle_compare"] or "").endswith("non comparé")
        ]
        name = asked[-1]["titre"]
        places = list(dict.fromkeys((line["mesure"], line["modalite"]) for line in whole))
        followed = [place for place in places if place[0] == "indicateur"] or places[:1]
        draw = several_answers if asked[-1]["nature"].startswith("choix multiple") else diverging
        answers = draw(f"{name} : part de chaque réponse", titles, [x for x in whole if x["mesure"] == "reponse"])
        return self.page(
            "barometer_question.html",
            addresses.page("barometres", identifier, question),
            f"{name} ({title})",
            heading=name,
            asked=asked,
            titles=titles,
            answers=answers,
            notes=sorted({x["note"] for x in whole if x["note"] and x["vague"] == rows[-1]["vague"]}),
            curves=[_curve(titles, whole, one, breaks) for one in followed],
            cuts=list(_cuts(rows, followed[0])) if followed else [],
            last=rows[-1]["vague"] if rows else None,
            intervals=sorted({x["intervalle"] for x in rows if x["intervalle"]}),
            crumbs=[("Baromètres", INDEX), (title, addresses.page("barometres", identifier)), (name, None)],
        )


def _facts(line: Line) -> Markup:
    """Return a row's facts as attributes."""
    return Markup("".join(f' data-{name}="{value}"' for name, value in opinion_data(line)))


def _changed(barometers: Mapping[str, Sequence[Line]], line: Line) -> str:
    return change_text(line, {wave["vague"]: wave["vague_titre"] for wave in barometers[line["barometre"]]})


def _wave_of(waves: Sequence[Line], one: Line | str) -> str:
    """Return the title of the wave of a row, or of that identifier."""
    wanted = one if isinstance(one, str) else one["vague"]
    return next((str(wave["vague_titre"]) for wave in waves if wave["vague"] == wanted), str(wanted))


def _curve(
    titles: Mapping[str, str], whole: Sequence[Line], measure: tuple[str, str], breaks: Sequence[WaveBreak]
) -> Chart:
    lines = [line for line in whole if (line["mesure"], line["modalite"]) == measure]
    return slopes(f"{lines[-1]['libelle']}, vague par vague", titles, lines, breaks)


def _cuts(rows: Sequence[Line], measure: tuple[str, str]) -> Iterator[tuple[str, Chart]]:
    """Yield the groups of each cut in the last wave."""
    last = [x for x in rows if x["vague"] == rows[-1]["vague"] and (x["mesure"], x["modalite"]) == measure]
    whole = next((line for line in last if line["coupe"] == ALL), None)
    for cut in dict.fromkeys(line["coupe"] for line in last if line["coupe"] != ALL):
        if whole is not None:
            lines = [line for line in last if line["coupe"] == cut]
            yield cut, group_dots(f"{whole['libelle']} : {lines[0]['coupe_titre']}", lines, whole)
