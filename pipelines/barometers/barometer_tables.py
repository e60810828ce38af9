"""The published tables of barometers: ``vagues``, ``questions`` and ``resultats_barometres``. Plain tables out.

What is known of each wave is given by the flow; what is hidden, compared and told of a figure is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipelines.barometers.comparisons import against_rest, against_wave, with_letters
from pipelines.barometers.crosstabs import FIGURES, SUMS, chosen, crosstabs, expressed, nested_cuts, who_is_asked
from pipelines.barometers.microdata import NONE, Answers
from pipelines.barometers.secrecy import THRESHOLD, hidden
from pipelines.compute.intervals import kish
from pipelines.compute.significance import LEVEL
from pipelines.declarations.barometer import Barometer, Question, Wave
from pipelines.declarations.statuses import FigureStatus
from pipelines.mechanics.french import listed

FEW = 30  # answers: under it a figure is told with a warning, and enters no test
CONVENTIONAL = "conventionnel (échantillon par quotas)"
RANDOM = "comme d'un échantillon tiré au hasard"
_REST = [f"{name}_reste" for name in (*SUMS, *FIGURES)]
_BLANKED = [*FIGURES, "n", "effet_de_plan", *_REST]
_WORKED = [*SUMS, "estimateur", "erreur_type", "fiable", "seuil_fiable", *_REST]  # not published
OTHER_WORDS = "différent : non comparé"
_KINDS = {"institute": "institut", "mode": "mode de recueil", "universe": "univers", "wording": "libellé"}


@dataclass(frozen=True)
class ReceivedWave:
    """What became of a wave: status and reason of its file, rows read and refused, answers when it was accepted."""

    status: str
    reason: str | None = None
    read: int | None = None
    refused: int | None = None
    answers: Answers | None = None
    synthetic: bool = False


def barometer_tables(
    barometers: Mapping[str, Barometer], received: Mapping[tuple[str, str], ReceivedWave]
) -> dict[str, pd.DataFrame]:
    """Return the tables by name. ``received``: by barometer and wave."""
    waves: list[dict[str, Any]] = []
    questions: list[dict[str, Any]] = []
    results: list[pd.DataFrame] = []
    for identifier, barometer in barometers.items():
        computed: dict[str, pd.DataFrame] = {}
        for wave in barometer.waves:
            wave_received = received[identifier, wave.id]
            place: dict[str, Any] = {"barometre": identifier, "annee": wave.year, "vague": wave.id}
            waves.append({**place, **_wave(barometer, wave, wave_received)})
            questions += [{**place, **line} for line in _questions(barometer, wave, wave_received)]
            if wave_received.answers is not None and not wave_received.answers.failure:
                computed[wave.id] = _results(barometer, wave, wave_received.answers, computed)
                results.append(_told(barometer, wave, wave_received, computed[wave.id]).assign(**place))
    return {
        "vagues": pd.DataFrame(waves),
        "questions": pd.DataFrame(questions),
        "resultats_barometres": pd.concat(results, ignore_index=True) if results else pd.DataFrame(),
    }


def _wave(barometer: Barometer, wave: Wave, wave_received: ReceivedWave) -> dict[str, Any]:
    weights = (
        wave_received.answers.weights if wave_received.answers and not wave_received.answers.failure else np.empty(0)
    )
    weights = weights if len(weights) >= THRESHOLD else np.empty(0)
    size = float(kish(np.array([weights.sum()]), np.array([(weights**2).sum()]))[0]) if len(weights) else None
    breaks = [f"{_KINDS[one.kind]} : {one.why}" for one in wave.breaks]
    return {
        "titre": barometer.title,
        "vague_titre": wave.title,
        "debut_terrain": wave.fieldwork.start,
        "fin_terrain": wave.fieldwork.end,
        "institut": wave.institute,
        "mode_recueil": wave.mode,
        "univers": wave.universe,
        "taille_annoncee": wave.sample_size,
        "quotas": ", ".join(wave.quotas) or None,
        "ponderation": _weighting(wave),
        "comparable_avec": wave.comparable_with,
        "ruptures": " ; ".join(breaks) or None,
        "etat": wave_received.status,
        "motif": (wave_received.answers.failure if wave_received.answers else "") or wave_received.reason,
        "lignes_lues": wave_received.read,
        "lignes_refusees": wave_received.refused,
        "lignes_sans_poids": wave_received.answers.rows - len(weights)
        if len(weights) and wave_received.answers
        else None,
        "effectif": len(weights) or None,
        "base_efficace": size,
        "effet_de_plan": len(weights) / size if size else None,
        "date_extraction": wave.extracted,
        "nature_donnees": _nature(wave_received),
    }


def _nature(wave_received: ReceivedWave) -> str:
    return "synthétiques" if wave_received.synthetic else "réelles"


def _weighting(wave: Wave) -> str:
    ways = [f"colonne « {wave.weight} »"] if wave.weight else []
    ways += [f"calage sur {listed([one.field for one in wave.margins])}"] if wave.margins else []
    return " ; ".join(ways) or f"aucune : {wave.unweighted}"


def _questions(barometer: Barometer, wave: Wave, wave_received: ReceivedWave) -> Iterator[dict[str, Any]]:
    for question in barometer.questions:
        wording = question.wording(wave.id)
        if wording is None:
            continue
        ballot = question.ballot
        for identifier, title, column in question.asked:
            yield {
                "question": identifier,
                "batterie": question.id if question.items else None,
                "titre": title,
                "libelle": wording.text,
                "nature": _nature_of(question),
                "reponses": _listed(question.modalities),
                "mises_a_part": _listed(question.set_aside) or None,
                "non_reponses": "comptées" if question.nonresponse == "include" else "à part",
                "filtre": _filter(barometer, question),
                "demi_echantillon": f"à qui a tiré « {ballot.value} » ({ballot.column})" if ballot else None,
                "libelle_compare": compared_wording(wave, question),
                **_counts(barometer, question, column, wave_received.answers),
            }


def _nature_of(question: Question) -> str:
    if question.multiple:
        most = question.multiple.max
        return f"choix multiple ({most} réponses au plus)" if most else "choix multiple"
    return "échelle" if question.scale else "choix unique"


def _listed(answers: Sequence[Any]) -> str:
    return " ; ".join(f"{one.code} = {one.label}" for one in answers)


def _filter(barometer: Barometer, question: Question) -> str | None:
    if question.filter is None or (other := barometer.question(question.filter.question)) is None:
        return None
    labels = [one.label for one in (*other.modalities, *other.set_aside) if one.code in question.filter.answers]
    return f"à qui a répondu « {listed(labels, 'ou')} » à « {other.title} »"


def compared_wording(wave: Wave, question: Question) -> str | None:
    """Say whether the words are those of the wave that this one is compared with."""
    if wave.comparable_with is None or (before := question.wording(wave.comparable_with)) is None:
        return None
    now = question.wording(wave.id)
    assert now is not None  # only questions of the wave are told
    if now.text == before.text:
        return "identique"
    return f"différent, de même sens : {now.same_meaning}" if now.same_meaning else OTHER_WORDS


def _counts(barometer: Barometer, question: Question, column: str, answers: Answers | None) -> dict[str, int | None]:
    """Count every row of weight once: not asked, no answer, set aside, too many answers, or in the base."""
    names = ("non_posee", "sans_reponse", "trop_de_reponses", "hors_base", "base")
    if answers is None or answers.failure:
        return dict.fromkeys(names)
    asked = who_is_asked(barometer, question, answers)
    if question.multiple:
        picked, answered, too_many = chosen(question, answers)
        offered = expressed(question, picked)
    else:
        ranks = answers.ranks[column]
        answered, offered = ranks != NONE, (ranks != NONE) & (ranks < len(question.modalities))
        too_many = np.zeros(len(ranks), dtype=bool)
    valid = asked & answered & ~too_many
    base = valid if question.nonresponse == "include" else valid & offered
    counts = (~asked, asked & ~answered, asked & answered & too_many, valid & ~base, base)
    if 0 < base.sum() < THRESHOLD:  # its figures are hidden: nothing of what is around it gives its size
        return dict.fromkeys(names)
    return {name: int(flags.sum()) for name, flags in zip(names, counts, strict=True)}


def _results(barometer: Barometer, wave: Wave, answers: Answers, computed: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the lines of a wave with all that is computed of them; what is hidden has no figure any more."""
    lines = crosstabs(barometer, wave, answers)
    out = hidden(lines, nested_cuts(barometer, answers)) if len(lines) else np.zeros(0, dtype=bool)
    lines["effet_de_plan"] = lines["n"] / lines["base_efficace"]
    by_base = np.where(lines["n"] < FEW, FigureStatus.LOW_BASE.value, FigureStatus.PUBLISHED.value)
    lines["statut"] = np.where(out, FigureStatus.SECRET.value, by_base)
    lines["fiable"] = lines["statut"].eq(FigureStatus.PUBLISHED.value)
    lines["seuil_fiable"] = FEW
    lines[_BLANKED] = lines[_BLANKED].astype("float64").mask(np.repeat(out[:, None], len(_BLANKED), axis=1))
    lines = with_letters(against_rest(lines))
    earlier = computed.get(wave.comparable_with or "")
    if earlier is None:
        return lines.assign(vague_comparee=None, ecart_vague=np.nan, p_vague=np.nan, p_vague_corrigee=np.nan)
    same = {
        identifier: (compared_wording(wave, question) or OTHER_WORDS) != OTHER_WORDS
        for question in barometer.questions
        if question.wording(wave.id)
        for identifier, _, _ in question.asked
    }
    return against_wave(lines, earlier, lines["question"].map(same)).assign(vague_comparee=wave.comparable_with)


def _told(barometer: Barometer, wave: Wave, wave_received: ReceivedWave, computed: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of a wave in the columns that are published, but those that name the wave."""
    lines = computed[computed["n"].gt(0) | computed["statut"].eq(FigureStatus.SECRET.value)].reset_index(drop=True)
    for what in ("vague", "reste"):
        corrected = lines[f"p_{what}_corrigee"]
        lines[f"{what}_significatif"] = (corrected <= LEVEL).astype("object").where(corrected.notna(), None)
    return lines.assign(
        rang=np.arange(1, len(lines) + 1),
        base=lines["n"],
        intervalle=lines["borne_basse"].notna().map({True: CONVENTIONAL if wave.quotas else RANDOM, False: None}),
        motif=lines["statut"].map(
            {
                FigureStatus.SECRET.value: f"moins de {THRESHOLD} réponses, ou de quoi les retrouver",
                FigureStatus.LOW_BASE.value: f"moins de {FEW} réponses",
            }
        ),
        note=_rounding_notes(barometer, lines),
        nature_donnees=_nature(wave_received),
        lettre=lines["lettre"].where(lines["lettre"].ne(""), None),
        superieur_a=lines["superieur_a"].where(lines["superieur_a"].ne(""), None),
        vague_comparee=lines["vague_comparee"].where(lines["ecart_vague"].notna(), None),
    ).drop(columns=_WORKED)


def _rounding_notes(barometer: Barometer, results: pd.DataFrame) -> pd.Series[str]:
    """Say where rounded shares don't add up to the rounded sub-total, which is made of shares before rounding."""
    notes = pd.Series(None, index=results.index, dtype="object")
    parts = pd.DataFrame(_parts(barometer), columns=["question", "indicateur", "modalite"])
    place = ["question", "indicateur", "coupe", "groupe"]
    shares = results.loc[results["mesure"].eq("reponse"), ["question", "modalite", "coupe", "groupe", "valeur"]]
    rounded = parts.merge(shares.assign(entier=shares["valeur"].round(2).round()), on=["question", "modalite"])
    sums = rounded.groupby(place, sort=False)["entier"].agg(somme="sum", nombre="size")
    lines = results.loc[results["mesure"].eq("indicateur") & results["valeur"].notna()].rename(
        columns={"modalite": "indicateur"}
    )
    joined = lines[[*place, "valeur"]].join(sums, on=place)
    joined = joined.assign(total=joined["valeur"].round(2).round())
    joined = joined[(joined["nombre"] > 1) & (joined["somme"] != joined["total"])]
    notes[joined.index] = [
        f"Le total ({total:.0f}) est calculé avant l'arrondi ; ses parties arrondies font {parts:.0f}."
        for total, parts in zip(joined["total"], joined["somme"], strict=True)
    ]
    return notes


def _parts(barometer: Barometer) -> Iterator[tuple[str, str, str]]:
    """Yield each question, share and answer that is a part of it, when both are shares of the same base."""
    for indicator in barometer.indicators:
        question = barometer.question(indicator.question)
        if question and indicator.measure == "share" and indicator.nonresponse in (None, question.nonresponse):
            codes = indicator.answers or tuple(one.code for one in question.scale if one.polarity == "positive")
            yield from ((asked, indicator.id, code) for asked, _, _ in question.asked for code in codes)
