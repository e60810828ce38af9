"""Invented answers to the barometers of opinion, drawn so that the shares of the whole sample are those wanted.

The layouts are in schemas/barometers. Groups differ by draws of their own; nobody real answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import draws
from generator.writers import Row, Sample, csv_bytes, xlsx_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

_TRUST = {2018: (12, 56, 21, 11), 2020: (14, 58, 18, 10), 2021: (17, 60, 15, 8)}
_SIZES = {2018: 1510, 2020: 2028, 2021: 2023}
_SATISFIED = {2022: (24.2, 43.8, 20, 8, 4), 2023: (25, 44, 20, 7.5, 3.5), 2024: (25.4, 43.1, 20.1, 7.8, 3.6)}
_REASONS = ("sanction", "demarche", "contact", "inutile", "rien")
_AGES = (0.11, 0.15, 0.25, 0.24, 0.25)


def samples() -> Iterator[Sample]:
    """Yield every wave of both barometers."""
    for year in _TRUST:
        yield _trust(year)
    for year in _SATISFIED:
        yield _services(year)


def _ranked(random: Random, weights: Sequence[float], liking: Sequence[float], shares: Sequence[float]) -> list[int]:
    """Return the rank of each person's answer: the weighted shares (of their sum) are those wanted, but for one person.

    ``liking``: how much more than others somebody likes the first answers, beside chance.
    """
    order = sorted(range(len(weights)), key=lambda one: -liking[one] - random.gauss(0, 1))
    total, limits = sum(weights), [sum(shares[: rank + 1]) / sum(shares) for rank in range(len(shares))]
    ranks, passed = [0] * len(weights), 0.0
    for one in order:
        middle = (passed + weights[one] / 2) / total
        ranks[one] = next((rank for rank, limit in enumerate(limits) if middle <= limit), len(shares) - 1)
        passed += weights[one]
    return ranks


def _set_aside(random: Random, codes: list[str], share: float, code: str) -> list[str]:
    return [code if random.random() < share else one for one in codes]


def _trust(year: int) -> Sample:
    path, size = f"barometres/confiance-{year}.csv", _SIZES[year]
    random = draws.seeded(path)
    sex = random.choices(["1", "2"], (48, 52), k=size)
    age = random.choices(list("12345"), _AGES, k=size)
    job = [_job(random, one) for one in age]
    internet = random.choices(["1", "2"], (14, 86), k=size)
    weights = [round(random.uniform(0.6, 1.2) + 0.12 * int(one), 3) for one in age]
    liking = [0.08 * int(a) - 0.5 * (i == "1") - 0.1 * (j == "4") for a, i, j in zip(age, internet, job, strict=True)]
    trust = [str(rank + 1) for rank in _ranked(random, weights, liking, _TRUST[year])]
    trust = _set_aside(random, _set_aside(random, trust, 0.02, "8"), 0.006, "9")
    contact = ["1" if random.random() < 0.93 else "2" for _ in range(size)]
    welcome = [[str(rank + 1) for rank in _ranked(random, weights, liking, shares)]
               for shares in ((20, 42, 25, 13), (25, 45, 20, 10), (22, 46, 22, 10))]  # fmt: skip
    welcome = [_set_aside(random, one, 0.02, "9") for one in welcome]
    simple = _set_aside(random, [str(r + 1) for r in _ranked(random, weights, liking, (12, 41, 17, 21, 9))], 0.02, "9")
    header = ["repondant", "sexe", "age", "profession", "internet", "contact", "confiance", "accueil_joindre",
              "accueil_ecoute", "accueil_clarte", "simplicite", "poids"]  # fmt: skip
    rows: list[Row] = []
    for one in range(size):
        asked = contact[one] == "1"
        rows.append([f"R{year}-{one + 1:05d}", sex[one], age[one], job[one], internet[one], contact[one], trust[one],
                     *(line[one] if asked else None for line in welcome), simple[one], weights[one]])  # fmt: skip
    if year == 2018:
        header = [{"repondant": "ID", "confiance": "Q1", "poids": "POIDS"}.get(name, name) for name in header]
        shows = "vague d'un autre institut : en-têtes à lui, pas encore de version A ou B ni de freins"
        return Sample(path, csv_bytes([header, *rows], french_cells=True, encoding="cp1252"), shows)
    header += ["version", "erreur_droit", "erreur_sanction", *(f"freins_{code}" for code in (*_REASONS, "nsp"))]
    rows = [[*row, *_later(random, year)] for row in rows]
    faults = [[*rows[40][:6], "5", *rows[40][7:]]] if year == 2021 else []  # fmt: skip
    for row in faults:
        row[0] = f"R{year}-90001"
    shows = "tirage A ou B, trois freins au plus (quelques réponses en ont quatre), « ne sait pas » à part"
    shows += " ; un code de confiance inconnu" if faults else ""
    return Sample(path, csv_bytes([header, *rows, *faults], french_cells=True), shows, refused=len(faults))


def _job(random: Random, age: str) -> str:
    chances = {"1": (0.5, 6, 12, 32, 50), "5": (0.3, 1, 1, 2, 96)}.get(age, (1.2, 24, 24, 44, 7))
    return random.choices(list("12345"), chances)[0]


def _later(random: Random, year: int) -> Row:
    """Draw what was asked from the second wave on: split ballot, and several reasons."""
    version = random.choice("AB")
    known = "1" if random.random() < (0.52 if version == "A" else 0.41) + 0.04 * (year == 2021) else "2"
    row: Row = [version, known if version == "A" else None, known if version == "B" else None]
    if random.random() < 0.03:
        return [*row, *("0" for _ in _REASONS), "1"]
    if random.random() < 0.12:
        return [*row, "0", "0", "0", "0", "1", "0"]
    count = random.choices((1, 2, 3, 4), (30, 40, 29, 1))[0]
    chosen = random.sample(_REASONS[:4], count)
    return [*row, *("1" if code in chosen else "0" for code in _REASONS), "0"]


def _services(year: int) -> Sample:
    place, size = f"barometres/services-publics-{year}", 1200
    random = draws.seeded(f"{place}.csv")
    sex = random.choices(["1", "2"], (45, 55), k=size)
    age = random.choices(list("1234"), (22, 27, 27, 24), k=size)
    town = random.choices(list("123"), (20, 50, 30), k=size)
    profile = random.choices(["rsa", "handicap", "autre"], (2.2, 5, 92.8), k=size)
    liking = [0.1 * int(a) - 0.4 * (p == "rsa") - 0.2 * (p == "handicap") for a, p in zip(age, profile, strict=True)]
    alike = [1.0] * size
    marks = [[str(rank + 1) for rank in _ranked(random, alike, liking, shares)]
             for shares in (_SATISFIED[year], (29, 42, 21, 5, 3), (18, 37, 22, 14, 9))]  # fmt: skip
    marks = [_set_aside(random, one, 0.01, "9") for one in marks]
    header = ["repondant", "sexe", "age", "agglomeration", "profil", "satisfaction", "relation", "delai"]
    rows: list[Row] = [[f"S{year}-{one + 1:05d}", sex[one], age[one], town[one], profile[one],
                        *(line[one] for line in marks)] for one in range(size)]  # fmt: skip
    shows = "pas de poids : ils sont faits par calage sur le sexe, l'âge et la taille d'agglomération"
    if year == 2022:
        told = "Réponses dans la seconde feuille"
        content = xlsx_bytes([header, *rows], sheet="Réponses", first=told)
        return Sample(f"{place}.xlsx", content, f"{shows} ; classeur dont une feuille tient les réponses")
    return Sample(f"{place}.csv", csv_bytes([header, *rows]), shows)
