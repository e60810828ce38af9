"""An invented file in the layout of the survey on the employment of graduates. No real university and no real value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import draws
from generator.writers import Cell, Row, Sample, csv_bytes

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

_PATH = "insertion-master/fr-esr-insertion_professionnelle-master.csv"
_HEADER = (
    "annee;diplome;numero_de_l_etablissement;etablissement;etablissementactuel;code_de_l_academie;academie;"
    "code_du_domaine;domaine;code_de_la_discipline;discipline;situation;remarque;nombre_de_reponses;taux_de_reponse;"
    "poids_de_la_discipline;taux_dinsertion;emplois_cadre_ou_professions_intermediaires;emplois_stables;"
    "emplois_a_temps_plein;salaire_net_median_des_emplois_a_temps_plein;salaire_brut_annuel_estime;"
    "de_diplomes_boursiers;taux_de_chomage_regional;salaire_net_mensuel_median_regional;emplois_cadre;"
    "emplois_exterieurs_a_la_region_de_luniversite;femmes;salaire_net_mensuel_regional_1er_quartile;"
    "salaire_net_mensuel_regional_3eme_quartile;cle_etab;cle_disc;id_paysage"
)
_UNIVERSITIES = [(f"000000{rank}{letter}", f"Université fictive {letter}") for rank, letter in enumerate("ABCDEF", 1)]
_ALL = ("UNIV", "Toutes universités et Établissements assimilés")
_DISCIPLINES = (
    ("DEG", "Droit, Économie et gestion", "disc01", "Ensemble formations juridiques, Économiques et de gestion"),
    ("LLA", "Lettres, langues, arts", "disc06", "Lettres, langues, arts"),
    ("SHS", "Sciences humaines et sociales", "disc07", "Ensemble sciences humaines et sociales"),
    ("STS", "Sciences, technologies et santé", "disc12", "Ensemble sciences, technologies et santé"),
    ("MEEF", "Masters enseignement", "disc18", "Masters enseignement"),
)
_FRAGILE = "Université dont les résultats sont plus fragiles (taux de réponse inférieur à\xa0 50%)"
_TOO_SMALL = (
    "Université ayant participé à\xa0 l'enquÃªte mais dont l'effectif est trop petit pour que les résultats soient "
    "jugés exploitables"
)
_UNDER = 30


def samples() -> Iterator[Sample]:
    """Yield the only file: 2015 to 2017, six invented universities and their total."""
    draw = draws.seeded(_PATH)
    rows = [
        _row(draw, year, university, discipline, months)
        for year in (2015, 2016, 2017)
        for university in (*_UNIVERSITIES, _ALL)
        for discipline in _DISCIPLINES
        for months in (18, 30)
    ]
    shows = "codes ns (moins de 30 réponses), nd et cellules vides ; ligne de total UNIV ; remarques mal décodées"
    yield Sample(_PATH, csv_bytes([_HEADER.split(";"), *rows], newline="\n"), shows)


def _row(
    draw: random.Random, year: int, university: tuple[str, str], discipline: tuple[str, str, str, str], months: int
) -> Row:
    code, name = university
    total = code == _ALL[0]
    answers = draw.randint(2000, 6000) if total else draw.choice((4, 18, 25, 45, 80, 120, 240))
    domain, domain_name, discipline_code, discipline_name = discipline
    academy: list[Cell] = [None, None] if total else ["A00", "Académie fictive"]
    remark = None if total or answers >= 45 else _TOO_SMALL if answers == 4 else _FRAGILE
    tail = (f"{name}_{months}", f"{discipline_code}_{months}", None if total else f"fic{code[-1]}")
    return [
        year, "MASTER ENS" if domain == "MEEF" else "MASTER LMD", code, name, None, *academy, domain, domain_name,
        discipline_code, discipline_name, f"{months} mois après le diplôme", remark,
        *_figures(draw, answers, months), *tail,
    ]  # fmt: skip


def _figures(draw: random.Random, answers: int, months: int) -> list[Cell]:
    """Return the columns from nombre_de_reponses to the regional quartiles."""
    answered, weight, scholars = draw.randint(45, 85), draw.randint(2, 30), draw.randint(20, 45)
    region: list[Cell] = [round(draw.uniform(7.0, 12.0), 1), 10 * draw.randint(165, 190)]
    if answers == 4:
        hidden: list[Cell] = [None] * 6
        return [None, answered, weight, *hidden, scholars, *region, "nd", "nd", "nd", None, None]
    ends: list[Cell] = [10 * draw.randint(140, 150), 10 * draw.randint(200, 230)]
    if answers < _UNDER:
        hidden = ["ns"] * 6
        return [answers, answered, weight, *hidden, scholars, *region, "ns", "ns", "ns", *ends]
    salary: Cell = "nd" if draw.random() < 0.1 else 10 * draw.randint(160, 215)
    yearly: Cell = salary if salary == "nd" else int(salary) * 12 * 13 // 10 // 100 * 100
    shares = [draw.randint(low, high) for low, high in ((60, 98), (40, 90), (70, 99), (30, 80), (15, 60), (30, 80))]
    rate = draw.randint(78, 90) + (4 if months == 30 else 0)
    return [
        answers, answered, weight, rate, *shares[:3], salary, yearly, scholars, *region, *shares[3:], *ends,
    ]  # fmt: skip
