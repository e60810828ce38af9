"""Invented experiences of users: texts put together from sentences, in the two known layouts of the real export.

Planted: a rise of unanswered calls at a service, one of kindness at another, a campaign, texts sent twice, and
invented personal details.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from generator import draws
from generator.places import PLACES
from generator.writers import Row, Sample, csv_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from generator.places import Place

YEARS = (2021, 2022, 2023, 2024)
RISE, KINDNESS = date(2024, 9, 1), date(2024, 3, 1)  # first days of what is planted
CAMPAIGN = (date(2023, 10, 17), date(2023, 10, 18), date(2023, 10, 19))
_CHANNELS = ("Démarche en ligne", "Téléphone", "E-mail", "Accueil", "Compte ou espace personnel", "Courrier")


@dataclass(frozen=True)
class _Service:
    """A service: its label in each layout, texts a month, what its users come for."""

    old: str
    new: str
    monthly: int
    errand: tuple[str, ...]


_SERVICES = (
    _Service(
        "CAF", "CAF", 24, ("ma demande d'aide au logement", "la prime d'activité", "ma déclaration trimestrielle")
    ),
    _Service("Pôle emploi", "France Travail", 18, ("mon inscription", "mon actualisation", "une formation")),
    _Service("DGFIP", "Impots.gouv.fr", 12, ("ma déclaration de revenus", "ma taxe foncière", "un remboursement")),
    _Service("Carsat", "Carsat", 10, ("ma demande de retraite", "mon relevé de carrière", "la pension de réversion")),
    _Service("ANTS", "ANTS", 8, ("une carte grise", "mon permis de conduire", "un changement d'adresse")),
    _Service(
        "Réseau consulaire", "Réseau consulaire", 7, ("un passeport", "une carte d'identité", "un acte d'état civil")
    ),
    _Service("GENDARMERIE NATIONALE", "Gendarmerie nationale", 4, ("un dépôt de plainte", "une déclaration de vol")),
)

# Sentences by theme; {e} is the errand. Those of the first list tell displeasure, those of the second one satisfaction.
_UNHAPPY: dict[str, tuple[str, ...]] = {
    "joindre": (
        "Impossible de joindre quelqu'un au téléphone pour {e}.",
        "Personne ne répond au téléphone, j'ai essayé toute la semaine.",
        "Le standard raccroche après vingt minutes d'attente.",
        "Votre ligne est injoignable le matin comme l'après-midi.",
        "On ne décroche jamais quand j'appelle au sujet de {e}.",
    ),
    "delai": (
        "Mon dossier est en attente depuis trois mois et rien n'avance.",
        "Le délai de traitement annoncé pour {e} n'est pas respecté.",
        "J'attends toujours une décision, c'est beaucoup trop long.",
        "Le traitement de {e} a pris un retard considérable.",
    ),
    "sans-reponse": (
        "Je n'ai reçu aucune réponse à mes trois messages.",
        "Mes courriels restent sans réponse depuis le printemps.",
        "Aucune nouvelle de vos services après mon courrier recommandé.",
    ),
    "panne": (
        "Le site est en panne dès que je veux valider {e}.",
        "Un message d'erreur s'affiche à la dernière étape du formulaire.",
        "Le service en ligne ne fonctionne pas depuis hier soir.",
    ),
    "connexion": (
        "Je n'arrive plus à me connecter à mon compte, le mot de passe est refusé.",
        "L'identification par FranceConnect échoue à chaque essai.",
    ),
    "complexe": (
        "La démarche pour {e} est trop compliquée, on s'y perd.",
        "On me demande sans cesse les mêmes pièces justificatives.",
        "C'est une usine à gaz, il faut recommencer le formulaire à chaque fois.",
    ),
    "information": (
        "Les informations données pour {e} sont contradictoires.",
        "Les explications du courrier sont incompréhensibles.",
        "Il manque des renseignements sur les documents à fournir.",
    ),
    "accueil": (
        "L'agent a été désagréable et m'a coupé la parole.",
        "L'accueil au guichet est froid, sans un bonjour.",
        "On m'a mal reçu alors que j'avais un rendez-vous.",
    ),
    "rendez-vous": (
        "Aucun rendez-vous disponible avant deux mois.",
        "Impossible d'obtenir un créneau pour {e}.",
    ),
    "paiement": (
        "Le versement de ce mois n'est pas arrivé.",
        "On me réclame un trop-perçu que je ne comprends pas.",
    ),
    "accessibilite": (
        "Le bureau le plus proche a fermé, il faut faire cinquante kilomètres.",
        "Je suis une personne âgée et je n'ai pas internet.",
    ),
}
_HAPPY: dict[str, tuple[str, ...]] = {
    "amabilite": (
        "La conseillère a été aimable et très à l'écoute.",
        "Un accueil chaleureux, merci pour votre gentillesse.",
        "Agent souriant et patient, il a pris le temps de tout expliquer.",
        "Merci à la personne du guichet, d'une grande bienveillance.",
    ),
    "rapide": (
        "Ma demande a été traitée très rapidement.",
        "Réponse rapide, en deux jours pour {e}.",
    ),
    "simple": (
        "La démarche en ligne est simple et claire.",
        "Tout est facile à remplir pour {e}.",
    ),
    "efficace": (
        "Service efficace, mon problème est résolu.",
        "Une équipe compétente et professionnelle.",
    ),
}
_OPENINGS = (
    "Bonjour,",
    "Madame, Monsieur,",
    "Je vous écris à propos de {e}.",
    "Voici mon expérience.",
    "J'ai contacté vos services pour {e}.",
    "",
    "Usager depuis plusieurs années,",
)
_MIDDLES = (
    "C'était au mois de {m}.",
    "J'ai dû poser une demi-journée.",
    "Je vis à {n} minutes du bureau.",
    "Mon conjoint a vécu la même chose.",
    "J'avais pourtant préparé {n} documents.",
    "On m'avait conseillé de passer par internet.",
    "Je travaille et mes horaires ne sont pas souples.",
    "C'était la première fois que je faisais cette démarche.",
    "Le bâtiment est bien indiqué.",
    "Il y avait {n} personnes avant moi.",
)
_ENDINGS = (
    "Cordialement.",
    "Merci d'avance.",
    "J'espère être entendu.",
    "Je vous remercie.",
    "",
    "Bonne journée.",
    "En espérant une amélioration.",
)
_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "septembre", "octobre", "novembre")
# Invented details that masking must take away; each is put at the end of a text of 2022 or 2024.
PERSONAL = (
    "Vous pouvez m'écrire à camille.durand@exemple.fr.",
    "Mon numéro est le 06 39 98 12 34.",
    "Rappelez-moi au +33 6 39 98 56 78 s'il vous plaît.",
    "Mon numéro de sécurité sociale : 2 84 05 30 189 123 28.",
    "Voici mon RIB : FR76 3000 6000 0112 3456 7890 189.",
    "Je suis allocataire, dossier n° 4821973.",
    "J'habite au 12 rue des Lilas à Nîmes.",
    "J'ai été reçue par Madame Vandenbroucke.",
    "Monsieur Kervadec n'a rien voulu savoir.",
    "Né le 14/03/1962, j'attends ma retraite.",
    "Ma voiture est immatriculée AB-123-CD.",
    "Cordialement, Camille Durand",
)
_APPEAL = (
    "Nous, Français de l'étranger, demandons que les rendez-vous pour un passeport soient ouverts chaque semaine au "
    "consulat. Il est impossible d'obtenir un créneau depuis des mois et les familles ne peuvent plus voyager. "
    "Nous demandons des moyens."
)
_SIGNATURES = (
    "Une mère de famille",
    "Un retraité",
    "Une étudiante",
    "Un couple",
    "Une enseignante",
    "Un ingénieur",
    "Deux parents",
)
_OLD = (
    "id",
    "etat_de_lexpérience",
    "date_de_publication",
    "écrit_le",
    "titre",
    "description",
    "ressenti_usager",
    "posté_comme",
    "pseudonyme_usager",
    "clé_de_tracking",
    "commune_usager",
    "code_postaux",
    "typologies",
    "structure",
    "evaluation_du_ressenti_par_canal_de_contact",
    "tags_généraux_réactivité",
)
_NEW = (
    "ID expérience",
    "Etat expérience",
    "Date de publication",
    "Titre",
    "Description",
    "Posté comme",
    "Ressenti usager",
    "Intitulé région usager",
    "Intitulé département usager",
    "Intitulé Typologie 1",
    "Canaux Typologie 1",
    "Intitulé structure 1",
    "Statut réponse structure 1",
    "Réponse structure 1",
    "Expériences Similaires",
)


@dataclass(frozen=True)
class _Text:
    """An experience, before it is written in a layout."""

    number: int
    day: date
    written: date | None
    title: str
    text: str
    feeling: str
    place: Place
    service: _Service
    channels: str


def samples() -> Iterator[Sample]:
    """Yield a file a year: two in the layout of 2022, two in the one after."""
    for year in YEARS:
        path = f"experiences/experiences-{year}.csv"
        random = draws.seeded(path)
        texts = _year(random, year)
        if year <= 2022:
            yield _old_file(path, random, texts)
        else:
            yield _new_file(path, texts, year)


def _year(random: Random, year: int) -> list[_Text]:
    texts: list[_Text] = []
    for month in range(1, 13):
        for service in _SERVICES:
            for _ in range(max(1, round(random.gauss(service.monthly, service.monthly**0.5)))):
                texts.append(_text(random, draws.some_day(random, year, month), service, year * 10_000 + len(texts)))
    texts += _copies(texts, year)
    if year == CAMPAIGN[0].year:
        texts += _campaign(random, year)
    if year in (2022, 2024):
        for rank, detail in enumerate(PERSONAL):
            held = texts[rank * 53 + 7]
            texts[rank * 53 + 7] = _changed(held, held.number, f"{held.text} {detail}")
    return sorted(texts, key=lambda text: (text.day, text.number))


def _text(random: Random, day: date, service: _Service, number: int) -> _Text:
    happy = random.random() < (0.55 if service.new == "France Travail" and day >= KINDNESS else 0.3)
    themes = _HAPPY if happy else _UNHAPPY
    chances = [_weight(theme, service, day) for theme in themes]
    chosen = list(dict.fromkeys(random.choices(list(themes), chances, k=random.choice((1, 1, 2, 2, 3)))))
    told = [random.choice(themes[theme]) for theme in chosen]
    order = [random.choice(_OPENINGS), *told, *random.sample(_MIDDLES, 2), random.choice(_ENDINGS)]
    errand = random.choice(service.errand)
    text = " ".join(sentence.format(e=errand, m=random.choice(_MONTHS), n=random.randint(2, 60)) for sentence in order)
    feeling = "Neutre" if random.random() < 0.12 else "Positif" if happy else "Négatif"
    delay = random.randint(1, 12)
    return _Text(
        number=number,
        day=day,
        written=day - timedelta(days=delay) if random.random() < 0.6 else None,
        title=f"{chosen[0].replace('-', ' ').capitalize()} : {errand}",
        text=text.strip(),
        feeling=feeling,
        place=random.choice(PLACES),
        service=service,
        channels=_channels(random),
    )


def _weight(theme: str, service: _Service, day: date) -> float:
    if theme == "joindre" and service.new == "CAF" and day >= RISE:
        return 9
    if theme == "amabilite" and service.new == "France Travail" and day >= KINDNESS:
        return 8
    return 2 if theme in ("delai", "amabilite") else 1


def _channels(random: Random) -> str:
    """Draw a cell of channels; some hold an empty one, as real exports do."""
    chosen = random.sample(_CHANNELS, random.choice((1, 1, 1, 2)))
    return random.choice((",".join(chosen), ",".join(chosen), ",".join([*chosen, ""]), ",".join(["", *chosen])))


def _copies(texts: list[_Text], year: int) -> list[_Text]:
    """Return texts sent again some days later, with a word or two that changed."""
    long = [text for text in texts if len(text.text) > 220 and text.day.day < 20][:10]
    return [
        _changed(text, year * 10_000 + 5_000 + rank, f"{text.text} Merci.", text.day + timedelta(days=rank % 4))
        for rank, text in enumerate(long)
    ]


def _campaign(random: Random, year: int) -> list[_Text]:
    service = next(one for one in _SERVICES if one.new == "Réseau consulaire")
    return [
        _Text(
            number=year * 10_000 + 6_000 + rank,
            day=CAMPAIGN[rank % 3],
            written=CAMPAIGN[0],
            title="Pour des rendez-vous au consulat",
            text=f"{_APPEAL} {random.choice(_SIGNATURES)}.",
            feeling="Négatif",
            place=random.choice(PLACES),
            service=service,
            channels="Démarche en ligne",
        )
        for rank in range(75)
    ]


def _changed(text: _Text, number: int, words: str, day: date | None = None) -> _Text:
    return _Text(
        number, day or text.day, text.written, text.title, words, text.feeling, text.place, text.service, text.channels
    )


def _old_file(path: str, random: Random, texts: list[_Text]) -> Sample:
    rows: list[Row] = [
        [
            str(text.number),
            "Traitée",
            text.day,
            text.written,
            text.title,
            text.text,
            text.feeling,
            "Particulier",
            f"usager{random.randint(1000, 9999)}",
            f"TRK{random.randint(10**7, 10**8)}",
            f"Commune fictive {random.randint(1, 90)}",
            _postcode(text.place, random),
            text.service.old,
            f"{text.service.old} {text.place.name} (fictif)",
            text.channels,
            text.feeling if random.random() < 0.3 else "",
        ]
        for text in texts
    ]
    rows[60][6] = "Mitigé"
    shows = (
        "expériences d'usagers, colonnes de 2022 ; un ressenti hors de la liste ; des détails personnels, tous inventés"
    )
    return Sample(path, csv_bytes([list(_OLD), *rows]), shows, refused=1)


def _new_file(path: str, texts: list[_Text], year: int) -> Sample:
    rows: list[Row] = [
        [
            str(text.number),
            "Traitée",
            f"{text.day.isoformat()}T09:30:00",
            text.title,
            text.text,
            "Particulier",
            text.feeling,
            "",
            text.place.name,
            text.service.new,
            text.channels,
            f"{text.service.new} {text.place.name} (fictif)",
            "Répondu",
            "Nous vous remercions de ce message.",
            "",
        ]
        for text in texts
    ]
    header: Row = list(_NEW)
    shows = "expériences d'usagers, colonnes d'après 2023, plusieurs canaux dans une cellule, dont des vides"
    if year == 2023:  # the tabulation of the real export: two columns in one
        header[5:7] = [f"{header[5]}\t{header[6]}"]
        for row in rows:
            row[5:7] = [f"{row[5]}\t{row[6]}"]
        shows += " ; une tabulation dans l'en-tête ; une campagne de textes presque pareils"
    return Sample(path, csv_bytes([header, *rows]), shows)


def _postcode(place: Place, random: Random) -> str:
    start = {"2A": "200", "2B": "202"}.get(place.code, f"{place.code}0"[:3])
    return f"{start}{random.randint(0, 99):02d}"
