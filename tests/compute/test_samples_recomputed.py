"""Yearly results over the shipped samples, against figures recomputed from the same files by plain pandas."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fixtures.all_tables import national_tables
from scipy.optimize import brentq
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from pipelines.compute.network_year import compute_network_year
from pipelines.declarations import Catalogue
from pipelines.declarations.references import Geography
from pipelines.disclosure.results_table import without_secrets
from pipelines.read import read_cells
from pipelines.tables.national_inputs import NationalInputs
from pipelines.validate import FileContext, JudgedFile, judge, validate_file

LEVELS = ["Très satisfait", "Plutôt satisfait", "Plutôt mécontent", "Très mécontent"]
ANSWERS = {*LEVELS, "Ne se prononce pas"}
NETWORK_YEARS = [
    ("caf", 2022), ("caf", 2023), ("caf", 2024), ("dgfip", 2022), ("france-travail", 2024), ("prefectures", 2022),
    ("prefectures", 2024),
]  # fmt: skip


@pytest.fixture(scope="module")
def computed(
    catalogue: Catalogue, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, int], pd.DataFrame]:
    """Results of a network and year, through reading, validation, judgement and computation; each made once."""
    made: dict[tuple[str, int], pd.DataFrame] = {}

    def results(network: str, year: int) -> pd.DataFrame:
        if (network, year) not in made:
            folder = tmp_path_factory.mktemp(f"{network}-{year}")
            made[network, year] = _results(catalogue, samples, folder, network, year)
        return made[network, year]

    return results


def _results(catalogue: Catalogue, samples: Path, folder: Path, network: str, year: int) -> pd.DataFrame:
    accepted = {}
    for export in catalogue.networks[network].exports:
        layout = export.layout(year)
        path = layout.path.replace("{year}", str(year))
        cells = read_cells((samples / path).read_bytes(), path, layout)
        validated = validate_file(cells, FileContext(export, layout, catalogue.territories, path, year))
        judged = JudgedFile(path, "0" * 64, validated)
        verdict = judge(export, year, catalogue.networks[network].acceptance_of(export), [judged])
        assert verdict.state == "accepté", verdict.explanation
        accepted[export.id] = folder / f"{export.id}.parquet"
        pq.write_table(verdict.observations.table(), accepted[export.id])
    return without_secrets(compute_network_year(catalogue, network, year, accepted).results)


# The same files, read with pandas alone. Rows that break a written rule are dropped here by hand.


def _text(path: Path, sep: str, skip: int = 0) -> pd.DataFrame:
    content = path.read_bytes()
    encoding = "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "cp1252"
    if b"\t" in content[:200] or (path.parent.name == "dgfip" and path.stem.startswith("telephone")):
        encoding = "utf-8"
    frame = pd.read_csv(
        path, sep=sep, encoding=encoding, dtype=str, skiprows=skip, on_bad_lines="skip", keep_default_na=False
    )
    frame.columns = [" ".join(name.split()) for name in frame.columns]
    return frame


def _number(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values.astype(str).str.replace(",", "."), errors="coerce")


def _place(values: pd.Series) -> pd.Series:
    return values.astype(str).str.strip().str.zfill(2)


@cache
def _caf_survey(samples: Path, year: int) -> pd.DataFrame:
    raw = _text(samples / "caf" / f"enquete-{year}.csv", ";")
    names = ["id", "date", "dep", "code", "nom", "sat", "effort", "nps", "note", "demarche", "poids"]
    raw.columns = names if len(raw.columns) == 11 else [*names[:9], "poids"]
    day = pd.to_datetime(raw["date"], format="%Y-%m-%d" if year == 2024 else "%d/%m/%Y", errors="coerce")
    notes = {"effort": (1, 7), "nps": (0, 10), "note": (1, 5), "demarche": (0, 10)}
    good = (day.dt.year == year) & raw["sat"].isin([*ANSWERS, ""]) & _number(raw["poids"]).notna()
    for name, (low, high) in notes.items():
        if name in raw:
            number = _number(raw[name])
            good &= (raw[name] == "") | (number.between(low, high) & (number % 1 == 0))
            raw[name] = number
    good &= ~_place(raw["dep"]).eq("99") & ~raw["id"].duplicated() & raw["id"].ne("")
    kept = raw[good]
    return kept.assign(dep=_place(kept["dep"]), poids=_number(kept["poids"]), site=None)


@cache
def _caf_calls(samples: Path, year: int) -> pd.DataFrame:
    raw = _text(samples / "caf" / f"telephone-{year}.csv", ";", skip=1)
    raw.columns = ["mois", "code", "dep", "presentes", "traites"]
    raw = raw[pd.to_datetime(raw["mois"], format="%m/%Y", errors="coerce").notna()]
    raw = raw.assign(presentes=_number(raw["presentes"]), traites=_number(raw["traites"])).dropna()
    return raw.assign(dep=_place(raw["dep"]), site=None)


@cache
def _caf_files(samples: Path, year: int) -> pd.DataFrame:
    raw = pd.read_excel(
        samples / "caf" / f"dossiers-{year}.xlsx", skiprows=5, header=None, dtype=object, engine="openpyxl"
    )
    raw = raw.iloc[:, :7].set_axis(["code", "nom", "dep", "mois", "traites", "dans", "cumul"], axis=1)
    for name in ("traites", "dans", "cumul"):
        raw[name] = pd.to_numeric(raw[name], errors="coerce")
    raw = raw.dropna(subset=["code", "mois", "traites", "dans", "cumul"])
    return raw.assign(dep=_place(raw["dep"]), mois=pd.to_datetime(raw["mois"]).dt.month, site=None)


@cache
def _dgfip_survey(samples: Path, year: int) -> pd.DataFrame:
    raw = pd.read_excel(
        samples / "dgfip" / f"enquete-{year}.xlsx", sheet_name="Réponses", dtype=object, engine="openpyxl"
    )
    raw.columns = ["id", "date", "site", "nom", "dep", "sat", "effort", "note"]
    effort, note = (pd.to_numeric(raw[name], errors="coerce") for name in ("effort", "note"))
    good = pd.to_datetime(raw["date"]).dt.year == year
    good &= raw["effort"].isna() | (effort.between(1, 7) & (effort % 1 == 0))
    good &= raw["note"].isna() | (note.between(1, 5) & (note % 1 == 0))
    good &= ~raw["id"].duplicated()
    kept = raw.assign(effort=effort, note=note, poids=1.0)[good]
    return kept.assign(dep=_place(kept["dep"]))


@cache
def _dgfip_delays(samples: Path, year: int) -> pd.DataFrame:
    raw = _text(samples / "dgfip" / f"delais-{year}.csv", ";")
    raw.columns = ["id", "date", "site", "dep", "delai", "dans", "nombre"]
    day = pd.to_datetime(raw["date"], format="%d/%m/%Y", errors="coerce")
    raw = raw.assign(
        delai=_number(raw["delai"]), dans=_number(raw["dans"]), un=_number(raw["nombre"]), dep=_place(raw["dep"])
    )
    return raw[(day.dt.year == year) & (raw["delai"] >= 0) & raw["dans"].isin([0, 1]) & (raw["un"] == 1)]


@cache
def _travail_survey(samples: Path, year: int) -> pd.DataFrame:
    raw = pd.read_parquet(samples / "france-travail" / f"enquete-{year}.parquet").astype(object)
    raw = raw.rename(
        columns={"agence_code": "site", "satisfaction": "sat", "recommandation": "nps", "note_demarche": "demarche"}
    )
    for name in ("nps", "demarche", "poids"):
        raw[name] = pd.to_numeric(raw[name], errors="coerce")
    good = (raw["sat"].isna() | raw["sat"].isin(ANSWERS)) & raw["reponse"].notna() & ~raw["reponse"].duplicated()
    good &= (raw["poids"] >= 0) & ~_place(raw["departement"]).eq("99")
    for name in ("nps", "demarche"):
        good &= raw[name].isna() | raw[name].between(0, 10)
    kept = raw[good]
    return kept.assign(dep=_place(kept["departement"]))


@cache
def _travail_activity(samples: Path, year: int) -> pd.DataFrame:
    raw = _text(samples / "france-travail" / f"activite-{year}.csv", "\t")
    raw.columns = ["mois", "site", "nom", "dep", "presentes", "traites", "demandes", "dans"]
    for name in ("presentes", "traites", "demandes", "dans"):
        raw[name] = _number(raw[name])
    return raw.assign(dep=_place(raw["dep"]), mois=raw["mois"].str[5:7])


@cache
def _prefectures(samples: Path, year: int) -> pd.DataFrame:
    raw = _text(samples / "prefectures" / f"resultats-{year}.csv", ";")
    raw.columns = ["site", "nom", "dep", "traites", "dans", "cumul"]
    for name in ("traites", "dans", "cumul"):
        raw[name] = _number(raw[name])
    return raw.assign(dep=_place(raw["dep"]))


@cache
def _prefecture_calls(samples: Path, year: int) -> pd.DataFrame:
    raw = _text(samples / "prefectures" / f"telephone-{year}.csv", ";")
    raw.columns = ["mois", "site", "nom", "dep", "presentes", "traites"]
    raw = raw.assign(presentes=pd.to_numeric(raw["presentes"], errors="coerce"), traites=_number(raw["traites"]))
    return raw[raw["site"].ne("") & raw["presentes"].notna() & raw["traites"].notna()].assign(dep=_place(raw["dep"]))


# Formulas, written anew. Each gives (value, base); a value on fewer than 11 is secret.


def _mean_of(name: str, coded: Callable[[object], float | None]) -> Callable[[pd.DataFrame], tuple[float, float]]:
    def value(rows: pd.DataFrame) -> tuple[float, float]:
        pairs = [(coded(answer), weight) for answer, weight in zip(rows[name], rows["poids"], strict=True)]
        pairs = [(code, weight) for code, weight in pairs if not pd.isna(code)]
        total = math.fsum(weight for _, weight in pairs)
        return (math.fsum(code * weight for code, weight in pairs) / total if total else math.nan), len(pairs)

    return value


def _ratio(above: str, below: str, factor: float = 100) -> Callable[[pd.DataFrame], tuple[float, float]]:
    def value(rows: pd.DataFrame) -> tuple[float, float]:
        kept = rows[rows[above].notna() & rows[below].notna()]
        total = kept[below].sum()
        return (factor * kept[above].sum() / total if total else math.nan), total

    return value


def _median(rows: pd.DataFrame) -> tuple[float, float]:
    return rows["delai"].median(), len(rows)


def _sum(name: str, months: int) -> Callable[[pd.DataFrame], tuple[float, float]]:
    """A sum over offices, all of whose months are known; ``inf`` stands for no minimum base."""

    def value(rows: pd.DataFrame) -> tuple[float, float]:
        offices = rows["code"] if "code" in rows else rows["site"]
        complete = rows[name].notna().sum() == offices.nunique() * months
        return (rows[name].sum() if complete else math.nan), math.inf

    return value


_satisfied = _mean_of("sat", lambda answer: 100.0 * (answer in LEVELS[:2]) if answer in LEVELS else None)
_net = _mean_of("sat", lambda answer: (100.0 if answer in LEVELS[:2] else -100.0) if answer in LEVELS else None)
_nps = _mean_of("nps", lambda note: None if pd.isna(note) else 100.0 * ((note >= 9) - (note <= 6)))
_csat = _mean_of("note", lambda note: None if pd.isna(note) else 100.0 * (note >= 4))
_effort = _mean_of("effort", lambda note: note)
_online = _mean_of("demarche", lambda note: None if pd.isna(note) else 100.0 * (note >= 8))
_points = {"Excellent": 10, "Bien": 7.5, "Moyen": 5, "Décevant": 2.5, "Mauvais": 0}


@dataclass(frozen=True)
class Figure:
    """An indicator of a network: its rows, its formula, the years recomputed, the minimum base."""

    network: str
    indicator: str
    rows: Callable[[Path, int], pd.DataFrame]
    formula: Callable[[pd.DataFrame], tuple[float, float]]
    minimum: int = 11


FIGURES = [
    Figure("caf", "satisfaction-globale", _caf_survey, _satisfied),
    Figure("caf", "taux-net-satisfaction", _caf_survey, _net),
    Figure("caf", "nps", _caf_survey, _nps),
    Figure("caf", "csat", _caf_survey, _csat),
    Figure("caf", "ces", _caf_survey, _effort),
    Figure("caf", "taux-decroche", _caf_calls, _ratio("traites", "presentes")),
    Figure("caf", "respect-delai-annonce", _caf_files, _ratio("dans", "traites")),
    Figure("caf", "delai-moyen", _caf_files, _ratio("cumul", "traites", 1)),
    Figure("caf", "dossiers-traites", _caf_files, _sum("traites", 12), 0),
    Figure("dgfip", "satisfaction-globale", _dgfip_survey, _satisfied),
    Figure("dgfip", "ces", _dgfip_survey, _effort),
    Figure("dgfip", "delai-median", _dgfip_delays, _median),
    Figure("dgfip", "delai-moyen", _dgfip_delays, _ratio("delai", "un", 1)),
    Figure("dgfip", "respect-delai-annonce", _dgfip_delays, _ratio("dans", "un")),
    Figure("france-travail", "satisfaction-globale", _travail_survey, _satisfied),
    Figure("france-travail", "nps", _travail_survey, _nps),
    Figure("france-travail", "qualite-demarches-en-ligne", _travail_survey, _online),
    Figure("france-travail", "score-avis", _travail_survey, _mean_of("avis", _points.get), 100),
    Figure("france-travail", "taux-decroche", _travail_activity, _ratio("traites", "presentes")),
    Figure("france-travail", "dossiers-traites", _travail_activity, _sum("demandes", 12), 0),
    Figure("prefectures", "dossiers-traites", _prefectures, _sum("traites", 1), 0),
    Figure("prefectures", "delai-moyen", _prefectures, _ratio("cumul", "traites", 1)),
    Figure("prefectures", "respect-delai-annonce", _prefectures, _ratio("dans", "traites")),
    Figure("prefectures", "taux-decroche", _prefecture_calls, _ratio("traites", "presentes")),
]
CASES = [
    pytest.param(figure, year, id=f"{figure.network}-{figure.indicator}-{year}")
    for figure in FIGURES
    for network, year in NETWORK_YEARS
    if network == figure.network
]


@pytest.mark.parametrize(("figure", "year"), CASES)
def test_yearly_results_are_as_recomputed(
    figure: Figure, year: int, computed: Callable[[str, int], pd.DataFrame], catalogue: Catalogue, samples: Path
) -> None:
    rows = figure.rows(samples, year)
    results = computed(figure.network, year)
    results = results[(results["indicateur"] == figure.indicator) & (results["frequence"] == "annuelle")]
    regions = rows["dep"].map(Geography(catalogue.territories).region)
    units = {("national", "FR"): rows}
    units |= {("region", code): part for code, part in rows.groupby(regions)}
    units |= {("departement", code): part for code, part in rows.groupby("dep")}
    if rows["site"].notna().any():
        units |= {("site", code): part for code, part in rows.groupby("site")}
    places = results["structure_code"].where(results["maille"] == "site", results["territoire_code"])
    found = dict(zip(zip(results["maille"], places, strict=True), results.itertuples(), strict=True))
    assert set(found) == set(units)
    assert len(found) == len(results)
    decimals = catalogue.indicators[figure.indicator].decimals
    for unit, part in units.items():
        value, base = figure.formula(part)
        if math.isnan(value) or base < figure.minimum:
            assert pd.isna(found[unit].valeur), unit
            assert isinstance(found[unit].motif, str), unit
        else:
            assert found[unit].valeur == pytest.approx(value, abs=0.5 * 10**-decimals + 1e-9), unit
            assert found[unit].valeur == round(found[unit].valeur, decimals)
            assert math.isinf(base) or found[unit].effectif == base, unit
            assert pd.isna(found[unit].motif), unit


@pytest.mark.parametrize(
    ("network", "year", "indicator", "place", "reason"),
    [
        ("caf", 2023, "dossiers-traites", "974", "donnees-incompletes"),
        ("caf", 2022, "qualite-demarches-en-ligne", None, None),
        ("prefectures", 2022, "respect-delai-annonce", "2A", "secret-statistique"),
    ],
)
def test_the_traps_of_the_samples(
    network: str, year: int, indicator: str, place: str | None, reason: str | None, computed
) -> None:
    results = computed(network, year)
    yearly = results[(results["indicateur"] == indicator) & (results["frequence"] == "annuelle")]
    if place is None:
        assert yearly.empty, "la question n'était pas encore posée"
        return
    line = yearly[(yearly["maille"] == "departement") & (yearly["territoire_code"] == place)].iloc[0]
    assert pd.isna(line["valeur"])
    assert line["motif"] == reason


def test_a_delay_that_is_not_available_says_so(computed) -> None:
    results = computed("prefectures", 2022)
    absent = results[(results["indicateur"] == "delai-moyen") & (results["motif"] == "non-disponible")]
    assert set(absent["maille"]) == {"site", "departement"}
    assert absent["valeur"].isna().all()


def test_the_same_inputs_give_the_same_results(catalogue: Catalogue, samples: Path, tmp_path: Path, computed) -> None:
    again = _results(catalogue, samples, tmp_path, "prefectures", 2022)
    pd.testing.assert_frame_equal(again, computed("prefectures", 2022))


def test_a_calibrated_survey_weighs_each_situation_as_its_margin(computed, samples: Path) -> None:
    """One margin only: the weight of an answer is the share of its situation over its share of the answers."""
    raw = pd.read_csv(samples / "assurance-maladie" / "enquete-2024.csv", sep=";", dtype=str, encoding="utf-8-sig")
    raw.columns = ["id", "date", "dep", "code", "nom", "profil", "sat", "note", "avis"]
    day = pd.to_datetime(raw["date"], format="%d/%m/%Y", errors="coerce")
    known = (raw["note"].isna() | raw["note"].isin([*"12345"])) & (raw["avis"].isna() | raw["avis"].isin(_points))
    rows = raw[day.notna() & known & raw["id"].notna()]
    shares = {"Salarié": 48, "Retraité": 30, "Indépendant ou maître d'œuvre": 9, "Étudiant": 13}
    weight = rows["profil"].map(shares) / 100 / (rows["profil"].map(rows["profil"].value_counts()) / len(rows))
    rated = rows["note"].notna()
    expected = 100 * weight[rated & rows["note"].isin(["4", "5"])].sum() / weight[rated].sum()
    results = computed("assurance-maladie", 2024)
    found = results[(results["indicateur"] == "csat") & (results["frequence"] == "annuelle")].set_index("maille")
    line = found.loc["national"]
    assert line["valeur"] == pytest.approx(expected, abs=0.05 + 1e-9)
    assert line["effectif"] == rated.sum()
    assert line["effectif_pondere"] == pytest.approx(weight[rated].sum(), abs=1e-3)


# Changes from one year to the next, recomputed from the same rows with scipy and statsmodels.


def _places(rows: pd.DataFrame, catalogue: Catalogue) -> dict[tuple[str, str], pd.DataFrame]:
    regions = rows["dep"].map(Geography(catalogue.territories).region)
    units = {("national", "FR"): rows}
    units |= {("region", code): part for code, part in rows.groupby(regions)}
    return units | {("departement", code): part for code, part in rows.groupby("dep")}


def _sample(rows: pd.DataFrame, coded: pd.Series) -> tuple[float, float, float]:
    """Weighted shares of answers coded 100 and -100, Kish's effective size."""
    kept, w = coded[coded.notna()], rows["poids"][coded.notna()]
    return w[kept == 100].sum() / w.sum(), w[kept == -100].sum() / w.sum(), w.sum() ** 2 / (w**2).sum()


def _score_test(samples: list[tuple[float, float, float]]) -> float:
    """Rao's test of one net score for both samples; shares restricted to it as Tango (1998) writes them, by counts."""

    def restricted(favourable: float, unfavourable: float, n: float, common: float) -> float:
        b, c = favourable * n, unfavourable * n
        below = max(np.roots([2 * n, (2 * n - b + c) * common - b - c, -c * common * (1 - common)]).real)
        return float(2 * below + common - common**2) / n

    def slope(common: float) -> float:
        return sum((sample[0] - sample[1] - common) / restricted(*sample, common) for sample in samples)

    scores = sorted(favourable - unfavourable for favourable, unfavourable, _ in samples)
    common = brentq(slope, scores[0] + 1e-9, scores[1] - 1e-9, xtol=1e-14)
    return float(2 * norm.sf((scores[1] - scores[0]) / math.sqrt(sum(restricted(*one, common) for one in samples))))


@pytest.fixture(scope="module")
def changes(catalogue: Catalogue, computed) -> pd.DataFrame:
    results = pd.concat([computed("caf", year).assign(reseau="caf") for year in (2022, 2023, 2024)])
    receipts = pd.DataFrame(columns=["reseau", "annee", "export", "etat", "motif"])
    inputs = NationalInputs(receipts, results, pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), frozenset(), frozenset())
    found = national_tables(catalogue.of_results, inputs)["resultats"]
    return found[(found["reseau"] == "caf") & (found["frequence"] == "annuelle")]


@pytest.mark.parametrize("year", [2023, 2024])
@pytest.mark.parametrize("indicator", ["nps", "csat"])
def test_the_significance_of_a_change_is_as_recomputed(
    indicator: str, year: int, changes: pd.DataFrame, catalogue: Catalogue, samples: Path
) -> None:
    name, code = {
        "nps": ("nps", lambda note: 100.0 * ((note >= 9) * 1 - (note <= 6) * 1).where(note.notna())),
        "csat": ("note", lambda note: (100.0 * (note >= 4)).where(note.notna())),
    }[indicator]
    now, before = (_places(_caf_survey(samples, one), catalogue) for one in (year, year - 1))
    published = changes[(changes["indicateur"] == indicator) & (changes["annee"] == year)]
    published = published.set_index(["maille", "territoire_code"])
    earlier = changes[(changes["indicateur"] == indicator) & (changes["annee"] == year - 1)]
    statuses = pd.concat([published.reset_index(), earlier])
    statuses = statuses[statuses["statut_confidentialite"] != "F"]
    hidden = set(zip(statuses["maille"], statuses["territoire_code"], strict=True))
    for level in ("national", "region", "departement"):
        expected = {}
        for place in (one for one in now if one[0] == level):
            parts = [_sample(one[place], code(one[place][name])) for one in (now, before)]
            if place in hidden or min(one[place][name].notna().sum() for one in (now, before)) < 11:
                assert place in hidden
                assert published["valeur_p"].isna()[place], "no test of a hidden value"
            elif indicator == "csat":
                counts, sizes = zip(*((share * size, size) for share, _, size in parts), strict=True)
                expected[place] = proportions_ztest(counts, sizes)[1]
            else:
                expected[place] = _score_test(parts)
        corrected = dict(zip(expected, multipletests(list(expected.values()), method="fdr_bh")[1], strict=True))
        for place, p in expected.items():
            line = published.loc[place]
            assert line["valeur_p"] == pytest.approx(max(p, 1e-6), abs=1e-9), place
            assert line["valeur_p_corrigee"] == pytest.approx(max(corrected[place], 1e-6), abs=1e-9), place
            assert line["evolution_significative"] is bool(corrected[place] <= 0.05), place


def test_counted_from_every_call_a_change_needs_no_test(changes: pd.DataFrame) -> None:
    calls = changes[(changes["indicateur"] == "taux-decroche") & changes["evolution"].notna()]
    assert len(calls)
    assert calls[["valeur_p", "valeur_p_corrigee", "evolution_significative"]].isna().all(axis=None)
