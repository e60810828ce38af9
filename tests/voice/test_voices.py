"""The table of voices, from the rows of accepted files: what a voice says, months kept, campaigns, labels."""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.declarations.experiences import Typology
from pipelines.flow.replay import run_network_year
from pipelines.flow.store import Store
from pipelines.flow.voice_facts import (
    foreign_voices,
    foreign_voices_sentence,
    keep_texts_read,
    unknown_services,
    unknown_services_sentence,
)
from pipelines.mechanics.spelling import plain_form
from pipelines.read import ExportsRoot
from pipelines.voice.themes import told_words
from pipelines.voice.voices import VOICES, AcceptedYear, VoicesRead, crowded_days, limit_of, read_voices
from tests.voice.planted import FIRST as FIRST_OF_TESTS
from tests.voice.planted import SURNAMES as SURNAMES_OF_TESTS

PROJECT = Path(__file__).resolve().parents[2]
REAL = PROJECT.parent / "shared" / "real" / "experiences-2022" / "spplus-experiences-2022-annotees.csv.gz"
SOURCE = "services-publics-plus"


def row(number: int, text: str, day: date = date(2024, 3, 5), **other) -> dict[str, object]:
    return {
        "identifiant": str(number), "publication": day, "titre": "", "description": text, "ressenti": "Négatif",
        "typologie_1": "CAF", "_ligne": number, **other,
    }  # fmt: skip


@pytest.fixture
def voices(catalogue, tmp_path):
    """What is read of rows, with the same kept months from one call to the next."""

    def read(rows: list[dict[str, object]], form: str = "colonnes-2023", declared=catalogue) -> VoicesRead:
        names = list(dict.fromkeys(name for one in rows for name in one))
        held = pa.Table.from_pylist([dict.fromkeys(names) | one for one in rows])
        pq.write_table(held, tmp_path / "rows.parquet")
        return read_voices(declared, SOURCE, [AcceptedYear(tmp_path / "rows.parquet", form)], tmp_path / "kept")

    return read


def test_what_a_voice_says(voices):
    found = voices([
        row(1, "Personne ne répond au téléphone.", ecriture=date(2024, 3, 1), departement="Gard",
            canaux_1="Téléphone,,Accueil", structure_1="CAF du Gard"),
        row(2, "Très bon accueil", ressenti=None, poste_comme_ressenti="Usager\tPositif", typologie_1="pôle EMPLOI"),
    ])  # fmt: skip
    assert found.table.schema == VOICES
    first, second = found.table.to_pylist()
    assert (first["network"], first["service"], first["office"]) == (
        "caf",
        "Allocations familiales (CAF)",
        "CAF Gard",
    )
    assert (first["department"], first["feeling"], first["delay_days"]) == ("30", "negatif", 4)
    assert first["channels"] == ["Téléphone", "Accueil"]
    assert "joignabilite" in first["themes"] and "personne_répondre" in first["terms"]
    assert (second["network"], second["feeling"], second["office"]) == ("france-travail", "positif", None)
    assert second["department"] is None and second["delay_days"] is None


@pytest.mark.parametrize(
    ("code", "department"), [("30000", "30"), ("20000", "2A"), ("20200", "2B"), ("97400", "974"), ("abc", None)]
)
def test_a_postcode_gives_no_more_than_its_departement(voices, code, department):
    found = voices([row(1, "Merci", code_postal=code)], "colonnes-2022")
    assert found.table["department"].to_pylist() == [department]
    assert code not in str(found.table.to_pylist())


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("Téléphone,,E-mail", ["Téléphone", "E-mail"]),
        (",", []),
        ("réseaux sociaux , VISIO/Video", ["Réseaux Sociaux", "Visio/Video"]),
        ("Téléphone : Négatif, Accueil (Positif)", ["Téléphone", "Accueil"]),
        ("Tchat (messagerie instantanée), Téléphone,Téléphone", ["Tchat (messagerie instantanée)", "Téléphone"]),
        ("Pigeon", []),
    ],
)
def test_the_channels_of_a_cell(voices, catalogue, cell, told):
    assert voices([row(1, "Merci", canaux_1=cell)]).table["channels"].to_pylist() == [told]
    field = catalogue.networks[SOURCE].exports[0].field("canaux_1")
    assert bool(re.fullmatch(field.constraints.pattern, cell)) == (cell != "Pigeon")


TYPED = ("Mme Durand, guichet 3, 06 11 22 33 44", "Office du tourisme", "C.A.F")


def test_labels_that_are_not_declared_are_one_service_and_shown_nowhere(voices):
    found = voices([row(rank, f"Texte numéro {rank}", typologie_1=label) for rank, label in enumerate(TYPED)])
    assert found.unmapped == {"(intitulé masqué)": 1, "Office du tourisme": 1, "C.A.F": 1}
    assert found.table["network"].unique().to_pylist() == ["autre-service"]
    assert found.table["service"].unique().to_pylist() == ["Autre service"]
    told = plain_form(str(found.table.to_pylist()))
    assert not any(word in told for word in ("durand", "guichet", "06 11", "tourisme", "c.a.f"))


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("CAF du Gard", "CAF Gard"),
        ("caf  -  GARD (30)", "CAF Gard"),
        ("CAF 01", "CAF Ain"),
        ("Caisse d'allocations familiales de l'Hérault", "Caisse d'allocations familiales Hérault"),
        ("CAF d'Île-de-France", "CAF Île-de-France"),
        ("Caf-du-Gard", "CAF Gard"),
        ("Caf de l’Ain", "CAF Ain"),
        ("CAF", None),  # it repeats its service
        ("C.A.F.", None),
        ("Antenne  de Nimes-Ouest", "Antenne de Nîmes Ouest"),  # declared, with other signs
        ("Mme Camille Durand 06 12 34 56 78", None),
        ("CAF Gard, Mme Durand", None),
        ("CAF du Gard (Mme Durand)", "CAF Gard"),
        ("CAF Durand", None),
        ("CPAM du Gard", None),  # of another service
        ("", None),
    ],
)
def test_no_office_is_named_but_those_declared(voices, catalogue, label, told):
    caf = catalogue.typologies["caf"].model_copy(update={"offices": ("Antenne de Nîmes Ouest",)})
    declared = replace(catalogue, typologies={**catalogue.typologies, "caf": caf})
    found = voices([row(1, "Merci", structure_1=label)], declared=declared)
    assert found.table["office"].to_pylist() == [told]
    assert "durand" not in plain_form(str(found.table.to_pylist()))


def test_a_label_of_no_known_service_names_no_office(voices):
    assert (
        voices([row(1, "Merci", typologie_1="Mairie", structure_1="Mairie du Gard")]).table["office"][0].as_py() is None
    )


NAMED = (
    "Sandrine du guichet a été formidable", "l'agent kervadec est formidable", "durand et martin, formidables",
    "mme blanc, marie, rose : formidables", "Petit et Pierre et berger", "hélène, zoé et françois",
    "l'agente claire le goff", "jamais vu sandrine", "aucun durand", "mon login est kervadec-le-goff",
)  # fmt: skip


def test_no_name_is_a_word_that_may_be_told(voices):
    """In small letters too, denied too, and those that are words of the language: none is kept among the terms."""
    found = voices([row(rank, f"{text}, passeport perdu, dossier numéro {rank}") for rank, text in enumerate(NAMED)])
    terms = {plain_form(word) for told in found.table["terms"].to_pylist() for word in told}
    assert {"formidable", "passeport", "perdre"} <= terms
    names = (
        "sandrine kervadec durand martin blanc marie marier rose petit pierre berger helene zoe francois claire goff"
    )
    assert not {name for name in names.split() if any(name in word for word in terms)}


def test_words_that_may_be_told_are_no_names(catalogue):
    told = told_words(catalogue.themes)
    assert len(told) > 2000 and {"passeport", "procuration", "panne", "carsat"} <= told
    assert not told & {plain_form(name) for name in (*SURNAMES_OF_TESTS, *FIRST_OF_TESTS)}


def test_a_label_declared_afterwards_makes_its_months_again(voices, catalogue):
    rows = [row(1, "Bonjour", typologie_1="Office du tourisme"), row(2, "Merci", date(2024, 4, 2))]
    assert voices(rows).unmapped == {"Office du tourisme": 1}
    tourism = Typology(service="Tourisme", labels=("Office du tourisme",))
    declared = replace(catalogue, typologies={**catalogue.typologies, "tourisme": tourism})
    found = voices(rows, declared=declared)
    assert found.months_made == ["2024-03", "2024-04"] and not found.unmapped
    assert found.table["service"].to_pylist() == ["Tourisme", "Allocations familiales (CAF)"]


@pytest.mark.parametrize(
    ("felt", "told"),
    [
        ({"ressenti": None}, ""),
        ({"ressenti": "  "}, ""),
        ({"ressenti": None, "poste_comme_ressenti": "Usager"}, ""),
        ({"ressenti": None, "poste_comme_ressenti": "Usager\t"}, ""),
        ({"ressenti": "Neutre"}, "neutre"),
        ({"ressenti": "POSITIF"}, "positif"),
    ],
)
def test_a_feeling_that_was_not_given_is_none_not_a_neutral_one(voices, felt, told):
    assert voices([row(1, "Merci", **felt)]).table["feeling"].to_pylist() == [told]


@pytest.mark.parametrize(
    ("cell", "department"),
    [
        ("Loire Atlantique", "44"), ("Loire-Atlantique", "44"), ("LOIRE  ATLANTIQUE", "44"), ("Loire", "42"),
        ("Lot et Garonne", "47"), ("Lot", "46"), ("Eure et Loir", "28"), ("Val d'Oise", "95"), ("Val d’Oise", "95"),
        ("Cotes d Armor", "22"), ("Corse du Sud", "2A"), ("La Réunion", "974"), ("Réunion", "974"), ("L'Ain", "01"),
        ("30", "30"), ("1", "01"), ("01", "01"), ("2a", "2A"), ("01 - Ain", "01"), ("30 - Gard", "30"),
        ("2B Haute Corse", "2B"), ("Gard (30)", "30"), ("974 La Réunion", "974"),
        ("Seine St Denis", "93"), ("Département du Rhône", "69"), ("13 ans", None), ("75 et 92", None),
        ("69 Lyon", None),
        ("Loire et Cher", None), ("Haute", None), ("Paris 14", None), ("1 rue du Lot", None), ("Belgique", None),
    ],
)  # fmt: skip
def test_a_departement_is_known_by_its_whole_name_or_its_code(voices, cell, department):
    assert voices([row(1, "Merci", departement=cell)]).table["department"].to_pylist() == [department]


def test_every_departement_is_known_without_its_hyphens_nor_apostrophes(voices, catalogue):
    places = {place.name: place.code for place in catalogue.territories.territories if place.level == "departement"}
    rows = [row(rank, "Merci", departement=re.sub("['-]", " ", name)) for rank, name in enumerate(places)]
    days = [one | {"publication": date(2024, 1, 1) + timedelta(days=rank)} for rank, one in enumerate(rows)]
    found = voices(days).table.to_pylist()
    assert [one["department"] for one in found] == list(places.values())


def test_the_team_is_told_how_many_labels_are_not_declared_and_not_which(voices, tmp_path):
    store = Store(tmp_path / "output")
    found = voices([row(rank, f"Texte numéro {rank}", typologie_1=label) for rank, label in enumerate(TYPED)])
    keep_texts_read(store, [found])
    assert unknown_services(store) == 3
    told = unknown_services_sentence(store)
    assert "3 intitulés non déclarés (3 textes" in told and not any(label in told for label in TYPED)
    kept = json.loads((tmp_path / "output/work/voix-intitules.json").read_text(encoding="utf-8"))
    assert set(kept) == {"Office du tourisme", "C.A.F", "(intitulé masqué)"}  # what is no label isn't kept
    keep_texts_read(store, [voices([row(1, "Bonjour")])])
    assert unknown_services(store) == 0 and unknown_services_sentence(store) is None


def test_a_text_sent_twice_is_one_voice_of_a_service(voices):
    text = "Le site ne fonctionne plus depuis trois semaines, je ne peux pas déclarer mes ressources et c'est long."
    rows = [
        row(1, text), row(2, text.upper(), date(2024, 3, 9)), row(3, text, typologie_1="Carsat"),
        row(4, text, date(2024, 4, 2)), row(5, "Merci"), row(6, "Merci", date(2024, 3, 6)), row(7, "merci !"),
    ]  # fmt: skip
    found = voices(rows).table.to_pylist()
    long = {(one["network"], str(one["day"])): one["repeats"] for one in found if "site" in one["terms"]}
    assert long == {("caf", "2024-03-05"): 2, ("retraite", "2024-03-05"): 1}  # April's is March's
    assert sorted(one["repeats"] for one in found if "site" not in one["terms"]) == [1, 2]  # « Merci » on two days


COPIED = (
    "Le site ne fonctionne plus depuis trois semaines, je ne peux pas déclarer mes ressources et personne ne répond au "
    "téléphone. J'ai écrit deux fois sans recevoir la moindre réponse, c'est vraiment décourageant pour une famille."
)


def test_a_text_copied_over_the_end_of_a_month_is_one_voice(voices):
    """From one year's file to the next too, step by step; after a month without it, it is a new voice."""
    days = [date(2023, 12, 30), date(2024, 1, 1), date(2024, 2, 3), date(2024, 4, 1)]
    rows = [row(rank, f"{COPIED} Merci !{'!' * rank}", day) for rank, day in enumerate(days)]
    march = row(10, "Rien à signaler, tout va bien avec mon dossier de ce mois de mars.", date(2024, 3, 5))
    found = voices([*rows, march])
    told = [str(one["day"]) for one in found.table.to_pylist() if "site" in one["terms"]]
    assert told == ["2023-12-30", "2024-04-01"]
    assert found.texts == 5
    again = voices([*rows, march])
    assert again.months_made == [] and again.table.equals(found.table)
    assert voices([*rows[1:], march]).table["day"][0].as_py() == days[1]  # without December's, January's is the voice


def test_texts_of_two_months_that_share_little_are_two_voices(voices):
    words = COPIED.split()
    other = " ".join([*words[: len(words) // 2], "mais mon rendez-vous au guichet s'est très bien passé"])
    found = voices(
        [row(1, COPIED), row(2, other, date(2024, 4, 2)), row(3, COPIED, date(2024, 4, 2), typologie_1="MSA")]
    )
    assert found.table.num_rows == 3  # nor are those of two services


def test_a_campaign_that_goes_on_after_the_end_of_a_month_is_told(voices):
    rows = [row(1, COPIED, date(2024, 3, 31)), *(row(rank, COPIED, date(2024, 4, 2)) for rank in range(2, 40))]
    found = [(one["campaign"], one["repeats"]) for one in voices(rows).table.to_pylist()]
    assert found == [(False, 1), (True, 38)]


@pytest.mark.parametrize(
    ("text", "french"),
    [
        ("Nobody answers the phone of the consulate, I have been waiting for three months.", False),
        ("Nadie contesta al teléfono del consulado, llevo tres meses esperando.", False),
        ("Niemand geht ans Telefon, ich warte seit drei Monaten auf eine Antwort.", False),
        ("انتظر منذ ثلاثة أشهر ولا أحد يجيب", False),
        ("👍👍👍", False),
        ("PERSONNE NE REPOND AU TELEPHONE DEPUIS TROIS MOIS", True),
        ("Personne ne répond au téléphone du consulat, j'attends le support hotline France Connect.", True),
        ("Appelez [Madame] Dupond au 06 39 98 12 34, personne ne répond", True),
        ("Merci", True),
    ],
)
def test_a_text_in_another_language_is_a_voice_without_theme_and_is_told(voices, tmp_path, text, french):
    found = voices([row(1, text)])
    (one,) = found.table.to_pylist()
    assert found.foreign == (not french)
    assert french or (one["themes"], one["terms"]) == ([], [])
    store = Store(tmp_path / "output")
    keep_texts_read(store, [found])
    assert foreign_voices(store) == (not french)
    assert (foreign_voices_sentence(store) is None) == french


def test_the_order_of_rows_changes_no_voice(voices):
    texts = [
        "Aucune réponse à mon courrier depuis deux mois, c'est trop long et je n'ai pas de solution.",
        "Merci",
        "Site en panne",
    ]
    rows = [row(rank, texts[rank % 3] + " !" * (rank % 2), date(2024, 3, 1 + rank % 5)) for rank in range(12)]
    mixed = random.Random(1).sample(rows, 12)
    assert voices(rows).table.equals(voices(mixed).table)


def test_a_month_added_costs_its_own_texts_only(voices):
    march = [row(rank, f"Bonjour, texte numéro {rank} de mars.") for rank in range(5)]
    april = [row(10 + rank, f"Texte {rank} d'avril.", date(2024, 4, 3)) for rank in range(3)]
    assert voices(march).months_made == ["2024-03"]
    both = voices([*march, *april])
    assert both.months_made == ["2024-04"] and both.texts == 8
    assert voices([*march, *april]).months_made == []
    # April is read again with March: a text that is no longer in March may have been copied in April.
    assert voices([*march[:-1], *april]).months_made == ["2024-03", "2024-04"]
    may = [row(20, "Texte de mai.", date(2024, 5, 3))]
    assert voices([*march[:-1], *april, *may]).months_made == ["2024-05"]
    assert voices([*march, *april, *may]).months_made == ["2024-03", "2024-04"]
    assert voices([*march, *april], "colonnes-2022").months_made == ["2024-03", "2024-04"]


def test_no_personal_detail_is_among_terms(voices):
    found = voices([row(1, "Appelez Madame Vandenbroucke au 06 39 98 12 34 ou camille.durand@exemple.fr.")])
    told = str(found.table.to_pylist())
    assert found.masked == {"nom": 1, "telephone": 1, "courriel": 1}
    assert not any(word in told.lower() for word in ("vandenbroucke", "durand", "exemple", "telephone]"))


def test_many_copies_in_a_day_are_a_campaign_counted_apart(voices):
    appeal = (
        "Nous demandons que les rendez-vous soient ouverts chaque semaine au consulat, pour les familles qui attendent."
    )
    rows = [row(rank, f"{appeal} Signé : parent {rank}", typologie_1="Consulat") for rank in range(30)]
    found = voices([*rows, row(99, "Le consulat est fermé le lundi.", typologie_1="Consulat")])
    assert [(one["campaign"], one["repeats"]) for one in found.table.to_pylist()] == [(True, 30), (False, 1)]


def test_a_crowded_day_is_a_campaign_but_a_slow_rise_is_not():
    days = np.arange(19_000, 19_400)
    source = np.random.default_rng(3)
    steady = source.poisson(20, 400)
    assert len(crowded_days(days, steady)) <= 2
    burst = steady.copy()
    burst[300:303] = (400, 900, 120)
    assert {19_300, 19_301, 19_302} <= crowded_days(days, burst)
    rising = source.poisson(np.linspace(10, 40, 400))
    assert len(crowded_days(days, rising)) <= 4
    assert crowded_days(days[:20], np.full(20, 500)) == set()  # too short a history


def test_the_limit_is_the_quantile_of_its_law():
    source = np.random.default_rng(5)
    for mean, spread in ((3.0, 0.0), (20.0, 0.4), (60.0, 0.8)):
        drawn = source.poisson(mean * np.exp(spread * source.normal(size=200_000) - spread**2 / 2))
        above = (drawn > limit_of(drawn[:50_000], 50_000)).mean()
        assert 0.0002 < above <= 0.002


def test_months_before_are_judged_without_those_after():
    days = np.arange(19_000, 19_200)
    counts = np.random.default_rng(7).poisson(15, 200)
    counts[150] = 300
    early = crowded_days(days[:120], counts[:120])
    assert early == {day for day in crowded_days(days, counts) if day < 19_120}


@pytest.mark.skipif(not REAL.exists(), reason="les textes réels ne sont pas ici")
def test_the_consular_burst_of_october_2021_is_a_campaign(voices):
    with gzip.open(REAL, "rt", encoding="utf-8", newline="") as file:
        told = [one for one in csv.DictReader(file) if one["date"]]
    rows = [
        row(
            rank,
            one["description"],
            date.fromisoformat(one["date"]),
            titre=one["titre"],
            typologie_1="Réseau consulaire",
        )
        for rank, one in enumerate(told)
    ]
    found = voices(rows).table
    burst = [date(2021, 10, 26) + timedelta(days=rank) for rank in range(3)]
    flags = {(one["day"], one["campaign"]) for one in found.to_pylist() if one["day"] in burst}
    assert flags == {(day, True) for day in burst}
    ordinary = [one for one in found.to_pylist() if one["day"].year == 2022]
    assert sum(one["campaign"] for one in ordinary) < 0.05 * len(ordinary)
    months = {}
    for one in found.to_pylist():
        for theme in one["themes"]:
            months[theme, str(one["day"])[:7]] = months.get((theme, str(one["day"])[:7]), 0) + 1
    assert months["procuration", "2022-04"] > 2 * months["procuration", "2022-02"]
    assert months["panne", "2022-04"] > 2 * months["panne", "2022-03"]


def test_the_samples_give_what_was_planted(catalogue, samples, tmp_path):
    store, root = Store(tmp_path / "output"), ExportsRoot(samples)
    years = catalogue.networks[SOURCE].years
    for year in years:
        run_network_year(catalogue, SOURCE, year, store, root, datetime(2025, 1, 2))
    accepted = [
        AcceptedYear(
            store.observations(SOURCE, year) / "experiences.parquet", catalogue.experiences[SOURCE].vintage(year)
        )
        for year in years
    ]
    found = read_voices(catalogue, SOURCE, accepted, tmp_path / "kept")
    told = found.table.to_pandas()
    assert found.texts > 3900 and not found.unmapped
    assert told.loc[~told["campaign"], "themes"].str.len().gt(0).mean() > 0.9
    assert set(told["form"]) == {"colonnes-2022", "colonnes-2023"}
    assert told.loc[told["campaign"], ["network", "repeats"]].values.tolist() == [["consulats", 75]]
    assert (told["repeats"] == 2).sum() >= 30
    assert {"courriel", "telephone", "securite-sociale", "iban", "plaque", "dossier", "adresse", "nom"} <= set(
        found.masked
    )
    calls = told[(told["network"] == "caf") & told["themes"].map(lambda names: "joignabilite" in names)]
    by_month = calls.groupby(told["day"].astype(str).str[:7]).size()
    assert by_month["2024-09":].mean() > 2 * by_month[:"2024-08"].mean()
