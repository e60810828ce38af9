"""What must hold inside a barometer, and between it and the networks: each fault is a key and its words, in French."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.declarations.problems import below, close_to, twins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.declarations.barometer import Barometer, BarometerIndicator, Question, Wave
    from pipelines.declarations.network import ExportField, Network
    from pipelines.declarations.problems import Fault
    from pipelines.declarations.yaml_source import Path

EVERYBODY = "ensemble"  # the cut of the whole sample


def barometer_faults(barometer: Barometer, networks: Mapping[str, Network]) -> Iterator[Fault]:
    """Yield what doesn't hold; ``networks``: those that are declared as such, whose exports may be waves."""
    for key in ("waves", "questions", "cuts", "indicators"):
        yield from twins((key,), (one.id for one in getattr(barometer, key)))
    yield from twins(("questions",), (one for question in barometer.questions for one, _, _ in question.asked))
    yield from _column_faults(barometer)
    for index, wave in enumerate(barometer.waves):
        yield from below(("waves", index), _wave_faults(barometer, index, wave, networks))
    for index, question in enumerate(barometer.questions):
        yield from below(("questions", index), _question_faults(barometer, question))
    for index, indicator in enumerate(barometer.indicators):
        yield from below(("indicators", index), _indicator_faults(barometer, indicator))
    for index, cut in enumerate(barometer.cuts):
        yield from twins(("cuts", index, "groups"), (group.code for group in cut.groups))


def _column_faults(barometer: Barometer) -> Iterator[Fault]:
    """Yield the columns whose codes are declared in two ways: an answer is found by its rank among them."""
    declared: dict[str, tuple[str, ...]] = {}
    for index, question in enumerate(barometer.questions):
        ballot = {question.ballot.column: question.ballot.values} if question.ballot else {}
        for column, codes in (*question.columns.items(), *ballot.items()):
            if declared.setdefault(column, codes) != codes:
                yield ("questions", index), f"la colonne « {column} » est déclarée ailleurs avec d'autres codes"
    for index, cut in enumerate(barometer.cuts):
        codes = tuple(group.code for group in cut.groups)
        if cut.id == EVERYBODY:
            yield ("cuts", index, "id"), f"« {EVERYBODY} » désigne tout l'échantillon : choisir un autre identifiant"
        if declared.setdefault(cut.column, codes) != codes:
            message = f"la colonne « {cut.column} » est celle d'une question : ses groupes en sont tous les codes"
            yield ("cuts", index, "column"), f"{message}, dans le même ordre ({', '.join(declared[cut.column])})"


def _wave_faults(barometer: Barometer, index: int, wave: Wave, networks: Mapping[str, Network]) -> Iterator[Fault]:
    if not (wave.weight or wave.margins or wave.unweighted):
        message = (
            f"la vague {wave.id} n'a pas de poids : indiquer weight (la colonne des poids), margins (les marges du "
            "calage), ou unweighted (pourquoi chaque réponse compte pour une)"
        )
        yield (), message
    if bool(wave.path) == bool(wave.source):
        yield (), "indiquer soit path (le fichier de la vague), soit source (l'export d'un réseau)"
    if index and wave.fieldwork.end <= barometer.waves[index - 1].fieldwork.end:
        yield ("fieldwork",), f"les vagues vont de la plus ancienne à la plus récente : {wave.id} n'est pas à sa place"
    if not any(question.wording(wave.id) for question in barometer.questions):
        yield (), f"aucune question n'est posée dans la vague {wave.id} (wordings)"
    yield from _comparison_faults(barometer, index, wave)
    if wave.source and not wave.path:
        yield from _source_faults(barometer, wave, networks)


def _comparison_faults(barometer: Barometer, index: int, wave: Wave) -> Iterator[Fault]:
    before = [one.id for one in barometer.waves[:index]]
    if wave.comparable_with is not None and wave.breaks:
        yield ("breaks",), "comparable_with et breaks se contredisent : une vague se compare, ou ne se compare pas"
    if wave.comparable_with == wave.id:
        yield ("comparable_with",), f"la vague {wave.id} ne peut être comparée à elle-même"
    elif wave.comparable_with is not None:
        yield from _unknown(("comparable_with",), wave.comparable_with, before, "vague antérieure")
    elif index and not wave.breaks:
        message = (
            f"la vague {wave.id} ne se compare à aucune autre : indiquer comparable_with, ou breaks (ce qui l'empêche, "
            "et pourquoi)"
        )
        yield (), message


def _source_faults(barometer: Barometer, wave: Wave, networks: Mapping[str, Network]) -> Iterator[Fault]:
    assert wave.source is not None
    path: Path = ("source", "network")
    if wave.source.network not in networks:
        yield from _unknown(path, wave.source.network, networks, "réseau")
        return
    network = networks[wave.source.network]
    export = network.export(wave.source.export)
    if export is None:
        yield from _unknown(("source", "export"), wave.source.export, (one.id for one in network.exports), "export")
        return
    if wave.year not in network.years or export.layout(wave.year) is None:
        yield path, f"le réseau {wave.source.network} n'attend pas d'export {export.id} pour {wave.year}"
    names = [field.name for field in export.fields]
    for column in [*barometer.columns_of(wave), *([wave.weight] if wave.weight else [])]:
        yield from _unknown(("source", "export"), column, names, f"champ de l'export {export.id}")
    for column, codes in barometer.columns_of(wave).items():
        if field := export.field(column):
            yield from _coded_field_faults(barometer, field, codes)


def _coded_field_faults(barometer: Barometer, field: ExportField, codes: tuple[str, ...]) -> Iterator[Fault]:
    """Yield why the field of an export can't hold the codes of a barometer: none may be lost without a word."""
    path: Path = ("source", "export")
    listed = [str(value) for value in field.constraints.enum or ()]
    if field.type not in ("string", "integer") or not listed:
        yield path, f"le champ « {field.name} » doit déclarer ses codes (constraints: enum), textes ou entiers"
    for code in listed:
        if code not in codes:
            yield path, f"le champ « {field.name} » admet « {code} », que le baromètre ne déclare pas"
    if field.name in {cut.column for cut in barometer.cuts} and not field.constraints.required:
        yield path, f"le champ « {field.name} » fait une coupe : il doit être obligatoire (constraints: required)"


def _question_faults(barometer: Barometer, question: Question) -> Iterator[Fault]:
    yield from twins(("scale" if question.scale else "answers",), question.codes)
    waves = [wave.id for wave in barometer.waves]
    for index, wording in enumerate(question.wordings):
        for wave in wording.waves:
            yield from _unknown(("wordings", index, "waves"), wave, waves, "vague")
    yield from twins(("wordings",), (wave for wording in question.wordings for wave in wording.waves))
    if question.filter:
        yield from _filter_faults(barometer, question)


def _filter_faults(barometer: Barometer, question: Question) -> Iterator[Fault]:
    assert question.filter is not None
    asked = barometer.question(question.filter.question)
    others = [one.id for one in barometer.questions if one.id != question.id]
    if asked is None or asked is question:
        yield from _unknown(("filter", "question"), question.filter.question, others, "autre question")
    elif question.id in (circle := _filters_above(barometer, question)) and question.id == min(circle):
        yield ("filter", "question"), f"« {question.id} » est filtrée par elle-même, de proche en proche"
    elif missing := [wave for wording in question.wordings for wave in wording.waves if not asked.wording(wave)]:
        yield ("filter", "question"), f"« {asked.id} » n'est pas posée dans la vague {', '.join(missing)}"
    elif asked.items or asked.multiple:
        yield ("filter", "question"), f"« {asked.id} » n'a pas de réponse unique : elle ne peut servir de filtre"
    else:
        for code in question.filter.answers:
            yield from _unknown(("filter", "answers"), code, asked.codes, f"réponse à « {asked.id} »")


def _filters_above(barometer: Barometer, question: Question) -> list[str]:
    """Return the questions by whose answers it is filtered, one after the other; it is among them in a circle."""
    filters: list[str] = []
    above = question.filter
    while above and above.question not in filters and (asked := barometer.question(above.question)):
        filters.append(asked.id)
        above = asked.filter
    return filters


def _indicator_faults(barometer: Barometer, indicator: BarometerIndicator) -> Iterator[Fault]:
    question = barometer.question(indicator.question)
    if question is None:
        yield from _unknown(("question",), indicator.question, (one.id for one in barometer.questions), "question")
        return
    for code in indicator.answers:
        yield from _unknown(("answers",), code, [one.code for one in question.modalities], "réponse")
    if question.multiple:
        yield ("question",), f"« {question.id} » est à choix multiple : ses réponses sont publiées une par une"
    elif not question.scale and (indicator.measure == "net" or not indicator.answers):
        message = f"« {question.id} » n'a pas d'échelle (scale) : seule une part de réponses nommées se calcule"
        yield ("measure",), message
    if indicator.measure == "mean" and any(one.points is None for one in question.scale):
        yield ("measure",), f"une moyenne demande « points » à chaque niveau de l'échelle de « {question.id} »"
    if indicator.measure != "share" and indicator.answers:
        yield ("answers",), "answers ne va qu'avec measure: share"
    if indicator.measure != "share" and indicator.nonresponse == "include":
        yield ("nonresponse",), "une réponse mise à part n'a pas de points : include ne va qu'avec measure: share"


def _unknown(path: Path, word: str, allowed: Iterable[str], what: str) -> Iterator[Fault]:
    names = list(allowed)
    if word not in names:
        declared = ", ".join(names) or "aucune"
        yield path, f"{what} « {word} » : inconnu ici{close_to(word, names)} ; possibles : {declared}"
