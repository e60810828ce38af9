"""Invented details written in many ways, by kind; what must not be left of each stands between ``<`` and ``>``.

Written apart from the rules of masking: it measures them, and is not what they were made on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

# `#` stands for a digit, `F`, `S`, `s` and `f` between braces for a first name or surname, with its capital or without.
FORMS: dict[str, tuple[str, ...]] = {
    "telephone": (
        "rappelez moi au <06########>", "mon portable est le <07 ## ## ## ##>", "tél. <06.##.##.##.##> après 18h",
        "joignable <06-##-##-##-##>", "<+33 7 ## ## ## ##>", "Tel: <+336########>", "<0033 6 ## ## ## ##>",
        "numéro <01 ## ## ## ##> (domicile)", "mon fixe : <04.##.##.##.##>", "<06 / ## / ## / ## / ##>",
        "(<06>) <## ## ## ##>",
        "au <06  ##  ##  ##  ##>", "je suis au <05 ######## >.", "mobile <06 ### ### ##>", "tel <07,##,##,##,##>",
        "portable: <06:##:##:##:##>", "appelez le <+590 690 ## ## ##>", "<06## ## ## ##>", "numero<06########>",
        "j'ai laissé le <06 ## ## ## ##>/<07 ## ## ## ##>",
    ),
    "courriel": (
        "mon mail <{f}.{s}@gmail.com>", "<{f}{s}##@yahoo.fr>", "écrire à <{s}.{f}@orange.fr> svp",
        "<{f}_{s}@hotmail.com>",
        "<{s}##@wanadoo.fr>", "<{f}.{s}@laposte.net>", "<{f}.{s} @ free.fr>", "<{f}.{s}(at)sfr.fr>",
        "<{f}{s} arobase gmail.com>",
        "<{f}.{s} [at] outlook.fr>", "<{f}.{s}@monentreprise.fr>", "<{f}-{s}@proton.me>", "<{F}.{S}@Gmail.Com>",
        "<{f}.{s}@gmail,com>", "l'agent <{f}.{s}@dgfip.finances.gouv.fr>", "<{f}.{s}@interieur.gouv.fr>",
        "<{s}@icloud.com>",
    ),
    "nir": (
        "mon n° de sécu : <1 ## 05 75 ### ### ##>", "numéro de sécurité sociale <2##0933######>",
        "nss <1 ## 11 2B ### ### ##>",
        "NIR <2.##.02.69.###.###.##>", "immatriculée <2##0613######>##", "sécu <1-##-12-59-###-###>",
        "<2 ## 07 99 ### ### / ##>",
        "n° <1##082A######> clé ##",
    ),
    "iban": (
        "IBAN <FR76 #### #### #### #### #### ###>", "rib <FR76#######################>",
        "iban : <fr76 #### #### #### #### #### ###>",
        "compte <##### ##### ########### ##>", "<BE68 #### #### ####>",
        "virement sur <FR76-####-####-####-####-####-###>",
        "IBAN<FR## #### #### #### #### #### ###>", "<FR76.####.####.####.####.####.###>",
    ),
    "carte": (
        "carte bleue <4### #### #### ####>", "CB n° <5###-####-####-####>", "<4###############>", "<3### ###### #####>",
        "ma carte <5### #### #### ####> est refusée",
    ),
    "plaque": (
        "immatriculé <AB-###-CD>", "véhicule <FG ### HJ>", "ma plaque <ET###XY>", "voiture <gk-###-lm>",
        "immatriculation : <#### QZ 34>",
        "le véhicule <### ABC 59>", "plaque d'immatriculation <BN.###.QR>", "ma voiture <cd ### fg>", "<DV - ### - KP>",
        "scooter <GH-###-JK>", "immatriculé <####VW13>", "camping-car <2###-TX-06>",
    ),
    "dossier": (
        "dossier n° <3######>", "mon numéro d'allocataire est le <1######>", "allocataire <4###### K>",
        "réf : <2023-#####>",
        "numéro fiscal <30 ## ### ### ###>", "identifiant France Travail <7######Y>", "n° de dossier <AB###### >",
        "ticket <SR-#######>",
        "référence <X#X#X#X#X#>", "demande n°<13######>", "matricule <5#####>", "passeport <##AK#####>",
        "carte d'identité <D2H6862M#>",
        "titre de séjour <99########>", "récépissé <75########>", "numéro étranger <7503######>",
        "permis n° <13AA#####>",
        "dossier <59/2022/####7>", "contrat <A-####-####-##>", "ANTS : dossier <HK4#J#L#Z>", "SIREN <8## ### ###>",
        "n° client <1#######>", "mon numéro de demandeur : <8######B>",
    ),
    "adresse": (
        "j'habite <#4 rue du Moulin Vert> à Rennes", "<12#, avenue Jean Jaurès>", "<7 bis impasse des Tilleuls>",
        "<3 allée des Roses>",
        "domicilié <##, bd Voltaire> 75011 Paris", "au <1# place de l'Église>", "<5 chemin de la Fontaine> 30000 Nîmes",
        "<2# RUE PASTEUR>", "<#8 quai de Bacalan>", "mon adresse : <4 lotissement Les Pins>", "<9 route de Lyon>",
        "<6 square Lamartine>",
        "<#2 av. du Général Leclerc>", "<15 cours Mirabeau>", "<8 ter rue des Écoles>", "<#, résidence du Parc>",
        "<21#B rue Nationale>",
        "j'habite au <trois rue des Acacias>", "<lieu-dit Le Guern>", "<1# r. de la Paix>",
    ),
    "naissance": (
        "né le <1#/0#/19##>", "née le <0#.1#.19##>", "né le <1# mai 19##>", "date de naissance : <2#-0#-19##>",
        "née un <2# juin 20##>",
        "DDN <1#/1#/20##>", "je suis né en <janvier 19##>", "ma mère, née le <1er avril 19##>",
        "mon fils est né le <#/#/201#>",
        "née le <0# 0# 19##>", "naissance le <12 septembre 19##>", "né(e) le <1#/12/##>", "née le <vingt mars 19##>",
    ),
    "civilite-nom": (
        "Madame <{S}> m'a aidé", "Mme <{S}>", "M. <{S}> du guichet", "Monsieur <{S}> a été parfait", "Mr <{S}>",
        "mme <{s}> ne répond pas",
        "MADAME <{SS}>", "Mlle <{S}>", "M <{S}>", "Mme <{F} {S}>", "Monsieur <{F} {S}>", "M.<{S}>", "Mme. <{S}>",
        "Mmes <{S}>",
        "le docteur <{S}>", "Maître <{S}>", "monsieur <{S}>", "madame <{S}>, conseillère", "Mme <{SS}>",
        "M. et Mme <{S}>",
        "Madame De <{S}>", "Mme la directrice <{S}>", "Dr <{S}>", "Madame <{S}-{S}>", "mr <{s}>",
    ),
}  # fmt: skip
# Told apart: nothing but a capital, a list or the words around says that these are names.
NAMES_ALONE = (
    "<{F}> m'a très bien reçu", "merci à <{F}>", "<{F} {S}> est formidable", "l'agent <{S}> m'a aidée",
    "ma conseillère <{F}>",
    "mon conseiller <{F} {S}>", "je m'appelle <{F} {S}>", "Cordialement, <{F} {S}>", "Cordialement\n<{S} {F}>",
    "cdlt <{S}>",
    "<{SS} {F}>", "nom : <{S}>", "mon mari <{F}>", "Bien à vous. <{F}>", "une dame prénommée <{F}>",
    "<{f} {s}> au téléphone",
)  # fmt: skip
SURNAMES = (
    "Lanoë", "Bouchareb", "Szymanski", "Le Bihan", "Rakotomalala", "Gouraud", "Tanguy", "Weissmann", "Carpentras",
    "Delmotte",
    "Ferrandi", "Goncalves", "Hamidou", "Izquierdo", "Jaouen", "Kaddouri", "Lavergne", "Mouquet", "Naudin", "Ogier",
)  # fmt: skip
FIRST = (
    "Sandrine", "Mathéo", "Fatoumata", "Jean-Marc", "Ghislaine", "Yasmine", "Loïc", "Aurélie", "Ahmed", "Bérengère",
    "Corentin", "Myriam", "Tiphaine", "Gérard", "Kylian",
)  # fmt: skip
CONTEXTS = (
    "{}",
    "Bonjour, {}, merci.",
    "J'attends depuis mars. {}",
    "{}\nC'est inadmissible",
    "Je vous écris car {} et voilà.",
)


def varied(forms: tuple[str, ...], each: int, seed: str) -> Iterator[tuple[str, list[str]]]:
    """Yield texts, each with its secrets, from every form ``each`` times."""
    source = Random(f"varied {seed}")
    for form in forms:
        for _ in range(each):
            first, last = source.choice(FIRST), source.choice(SURNAMES)
            names = {"F": first, "S": last, "f": first.lower(), "s": last.lower(), "SS": last.upper()}
            told = re.sub(r"\{(\w+)\}", lambda match, names=names: names[match[1]], form)
            if "@" in told or "(at)" in told or "[at]" in told or "arobase" in told:
                told = told.replace("Le B", "LeB").replace("le b", "leb")
            told = re.sub("#", lambda _: source.choice("123456789"), told)
            yield source.choice(CONTEXTS).format(re.sub("[<>]", "", told)), re.findall("<([^>]*)>", told)
