"""Detectors of places, offices, words, rare counts beside a second path: published figures, integrals, brute force."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from pipelines.signals import emerging_terms, nb_cusum
from pipelines.signals.funnel import funnel
from pipelines.signals.laws import (
    counts_beyond,
    counts_quantile,
    drawn_beyond,
    gamma_below,
    normal_quantiles,
    student_beyond,
    student_quantile,
)
from pipelines.signals.shrinkage import RatioLaw, fitted_law
from pipelines.signals.spatial_scan import SIZES, WINDOWS, Scan, france, zones_of

# Hyper-parameters of the CAERS table, and two of its cells: openEBGM 0.9.1, vignettes.
CAERS = RatioLaw(3.25087, 0.39971, 2.02582, 1.90807, 0.06539)
CELLS = [(16, 0.40643623, 15.68, 23.26, 33.48), (19, 0.89690107, 11.65, 16.78, 23.55)]


@pytest.mark.parametrize(("count", "expected", "low", "middle", "high"), CELLS)
def test_shrunk_ratios_are_the_published_ones(count, expected, low, middle, high):
    known = CAERS.posterior(np.array([float(count)]), np.array([expected]))
    found = [known.quantile(0.05)[0], known.geometric_mean()[0], known.quantile(0.95)[0]]
    assert found == pytest.approx([low, middle, high], abs=0.011)


@pytest.mark.parametrize(("count", "expected"), [(0, 0.5), (1, 0.01), (3, 0.2), (16, 0.40643623), (250, 180.0)])
def test_shrunk_ratios_are_those_of_an_integral(count, expected):
    def density(ratio):
        first, second = (stats.gamma.pdf(ratio, shape, scale=1 / rate) for shape, rate in
                         ((CAERS.shape, CAERS.rate), (CAERS.second_shape, CAERS.second_rate)))  # fmt: skip
        return stats.poisson.pmf(count, ratio * expected) * (CAERS.part * first + (1 - CAERS.part) * second)

    known = CAERS.posterior(np.array([float(count)]), np.array([expected]))
    bounds = {"limit": 400, "epsabs": 0}
    whole = integrate.quad(density, 0, 60, **bounds)[0]
    logarithm = integrate.quad(lambda ratio: np.log(ratio) * density(ratio), 1e-12, 60, **bounds)[0]
    assert known.geometric_mean()[0] == pytest.approx(np.exp(logarithm / whole), rel=1e-5)
    for level in (0.05, 0.95):
        below = integrate.quad(density, 0, known.quantile(level)[0], **bounds)[0]
        assert below / whole == pytest.approx(level, abs=1e-5)


def log_likelihood(law, counts, expected):
    """Return the logarithm of the likelihood of a law, by scipy's negative binomials."""
    gammas = ((law.part, law.shape, law.rate), (1 - law.part, law.second_shape, law.second_rate))
    parts = [part * stats.nbinom.pmf(counts, shape, rate / (rate + expected)) for part, shape, rate in gammas]
    return np.log(sum(parts)).sum()


def test_the_law_of_ratios_is_the_likeliest():
    random = np.random.default_rng(4)
    expected = random.gamma(0.7, 3, 3000) + 0.01
    ratios = np.where(random.random(3000) < 0.1, random.gamma(3.2, 2.5, 3000), random.gamma(2, 0.5, 3000))
    counts = random.poisson(ratios * expected).astype(float)
    found = fitted_law(counts, expected)

    def unlikeliness(x):
        return -log_likelihood(RatioLaw(*np.exp(x[:4]), part=special.expit(x[4])), counts, expected)

    start = [*np.log([3.2, 0.4, 2, 2]), special.logit(0.1)]
    best = optimize.minimize(unlikeliness, start, method="Nelder-Mead", options={"maxiter": 4000, "fatol": 1e-8})
    assert log_likelihood(found, counts, expected) == pytest.approx(-best.fun, abs=1e-3)


def brute_force(counts, volumes, places):
    """The best log-likelihood ratio of every centre, neighbours and window, written without the first path."""
    names = list(places)
    whole = counts.sum()
    best = (0.0, None, None)
    for centre, size, months in itertools.product(names, SIZES, WINDOWS):
        nearest = sorted(names, key=lambda name: np.hypot(*np.subtract(places[name], places[centre])))[:size]
        inside = [names.index(name) for name in nearest]
        seen = counts[-months:, inside].sum()
        expected = whole * volumes[-months:, inside].sum() / volumes.sum()
        if not 0 < expected <= whole / 2 or seen <= expected:
            continue
        gain = special.xlogy(seen, seen / expected) + special.xlogy(whole - seen, (whole - seen) / (whole - expected))
        if gain > best[0] + 1e-9:
            best = (gain, frozenset(nearest), months)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_the_likeliest_cluster_is_that_of_brute_force(seed):
    random = np.random.default_rng(seed)
    places = {f"d{rank}": tuple(random.uniform(0, 100, 2)) for rank in range(7)}
    volumes = random.poisson(6, (8, 7)).astype(float) + 1
    counts = random.poisson(volumes / 3).astype(float)
    counts[-2:, :2] += 3
    drawn = zones_of(places)
    found = Scan(volumes, drawn).cluster(counts, random)
    gain, inside, months = brute_force(counts, volumes, places)
    assert found.gain == pytest.approx(gain, rel=1e-4)
    assert (frozenset(drawn.inside(found.zone)), found.months) == (inside, months)


def test_a_scan_of_nothing_is_seldom_sure():
    random = np.random.default_rng(8)
    volumes = random.poisson(4, (12, len(france().codes))).astype(float)
    shares = (volumes / volumes.sum()).ravel()
    drawn = [random.multinomial(40, shares).reshape(volumes.shape).astype(float) for _ in range(200)]
    chances = np.array([Scan(volumes, france()).cluster(counts, random).p_value for counts in drawn])
    for level in (0.05, 0.2):
        assert stats.binomtest(int((chances <= level).sum()), 200, level, "greater").pvalue > 1e-3


def test_a_planted_cluster_is_found_where_it_is():
    random = np.random.default_rng(9)
    volumes = random.poisson(20, (12, len(france().codes))).astype(float)
    counts = random.poisson(volumes / 10).astype(float)
    for code in ("35", "22", "56"):
        counts[-2:, france().codes.index(code)] += 8
    found = Scan(volumes, france()).cluster(counts, random)
    assert {"35", "22", "56"} <= set(france().inside(found.zone))
    assert found.months == 2
    assert found.p_value < 1e-3


def test_departements_overseas_are_alone():
    zones = [set(france().inside(rank)) for rank in range(len(france().codes) * len(SIZES))]
    for code in ("971", "972", "973", "974", "976"):
        assert all(held == {code} for held in zones if code in held)
    assert {"69", "01", "42", "38"} & set().union(*(held for held in zones if "69" in held and len(held) == 4))
    assert max(len(held) for held in zones) == 15


def test_log_odds_are_those_of_a_direct_computation():
    now, before, sizes, usual = np.array([12.0, 0.0]), np.array([5.0, 30.0]), (100.0, 900.0), np.array([0.02, 0.05])
    found = emerging_terms.log_odds(now, np.full(2, sizes[0]), before, np.full(2, sizes[1]), usual)
    for word in range(2):
        prior, whole = 100 * usual[word], 100.0
        odds = [(said + prior) / (voices + whole - said - prior) for said, voices in
                zip((now[word], before[word]), sizes, strict=True)]  # fmt: skip
        variance = 1 / (now[word] + prior) + 1 / (before[word] + prior)
        assert found.difference[word] == pytest.approx(np.log(odds[0]) - np.log(odds[1]))
        assert found.error[word] == pytest.approx(np.sqrt(variance))


def test_a_word_of_every_voice_is_said_no_more_than_before():
    now, before = np.array([40.0, 4.0]), np.array([360.0, 21.0])
    with np.errstate(all="raise"), warnings.catch_warnings(action="error"):
        found = emerging_terms.log_odds(now, np.full(2, 40.0), before, np.full(2, 360.0), np.array([1.0, 25 / 400]))
    assert found.difference[0] == 0
    assert np.isfinite(found.error).all() and found.difference[1] > 0
    assert emerging_terms.p_values(now, np.full(2, 40.0), before, np.full(2, 360.0))[0] == 1


def test_the_chance_of_a_word_is_that_of_permuted_dates():
    random = np.random.default_rng(5)
    says = np.arange(400) < 25
    drawn = np.array([random.permutation(says)[:40].sum() for _ in range(20_000)])
    for now in (4.0, 6.0, 8.0):
        found = emerging_terms.p_values(np.array([now]), np.array([40.0]), np.array([25 - now]), np.array([360.0]))[0]
        assert found == pytest.approx((drawn >= now).mean(), abs=4 * np.sqrt(found / 20_000) + 1e-4)


def test_a_funnel_is_that_of_a_direct_computation():
    random = np.random.default_rng(6)
    sizes = random.integers(10, 200, 40).astype(float)
    counts = random.binomial(sizes.astype(int), random.beta(8, 12, 40)).astype(float)
    found = funnel(counts, sizes)
    whole = counts.sum() / sizes.sum()
    z = 2 * np.sqrt(sizes) * (np.arcsin(np.sqrt(counts / sizes)) - np.arcsin(np.sqrt(whole)))
    z = np.clip(z, *np.quantile(z, [0.1, 0.9]))
    phi, weights = np.mean(z**2), 4 * sizes
    between = (40 * phi - 39) / (weights.sum() - (weights**2).sum() / weights.sum())
    assert found.between == pytest.approx(between)
    assert between > 0
    error = np.sqrt(1 / weights + between)
    assert found.errors == pytest.approx(error)
    assert found.limit(0) == pytest.approx(np.full(40, whole))
    beyond = counts / sizes > found.limit(1.96)
    assert (found.p_values()[beyond] < 0.0251).all()
    assert (found.p_values()[~beyond] > 0.0249).all()


def test_like_offices_have_no_spread_of_their_own():
    assert funnel(np.array([30.0, 60.0, 90.0]), np.array([100.0, 200.0, 300.0])).between == 0


def test_rare_counts_that_add_up_have_the_chance_that_draws_give():
    random = np.random.default_rng(7)
    counts = random.poisson(0.4, (60, 3000)).astype(float)
    chances, _ = nb_cusum.p_values(counts, np.full_like(counts, 50.0))
    for level in (0.001, 0.01, 0.05, 0.1):
        held = stats.binomtest(int((chances <= level).sum()), 3000, level)
        assert held.pvalue > 1e-3, level


def test_laws_are_those_of_scipy():
    mean, dispersion = np.array([0.2, 3.0, 40.0, 900.0, 7.0]), np.array([1.0, 1.0, 2.5, 6.0, 1.0001])
    size = mean / np.maximum(dispersion - 1, 1e-9)
    for factor in (0.5, 1.0, 2.0):
        count = np.ceil(mean * factor)
        poisson, binomial = stats.poisson.sf(count - 1, mean), stats.nbinom.sf(count - 1, size, 1 / dispersion)
        expected = np.where(dispersion > 1, binomial, poisson)
        assert counts_beyond(count, mean, dispersion) == pytest.approx(expected, rel=1e-8, abs=1e-12)
    for level in (0.01, 0.5, 0.99, 0.999):
        expected = np.where(
            dispersion > 1, stats.nbinom.ppf(level, size, 1 / dispersion), stats.poisson.ppf(level, mean)
        )
        assert counts_quantile(level, mean, dispersion) == pytest.approx(expected)
    shape, value = np.meshgrid([0.01, 0.5, 3, 40, 2000], [1e-6, 0.3, 2, 50, 1950])
    assert gamma_below(shape, value) == pytest.approx(special.gammainc(shape, value), rel=1e-9, abs=1e-14)
    for found, marked, drawn, whole in ((3, 10, 20, 100), (0, 5, 4, 50), (9, 12, 30, 40), (400, 900, 3000, 9000)):
        told = drawn_beyond(*(np.array([float(value)]) for value in (found, marked, drawn, whole)))[0]
        assert told == pytest.approx(stats.hypergeom.sf(found - 1, whole, marked, drawn), rel=1e-8)
    assert student_beyond([-2.0, 0.0, 3.0], 6.0) == pytest.approx(stats.t.sf([-2.0, 0.0, 3.0], 6))


def test_quantiles_are_those_of_scipy():
    assert normal_quantiles(np.array([0.001, 0.5, 0.975, np.nan])) == pytest.approx(
        [*stats.norm.ppf([0.001, 0.5, 0.975]), np.nan], nan_ok=True
    )
    freedom = np.array([3.0, 25.0, np.nan, 60.0])
    assert student_quantile(0.9999, freedom) == pytest.approx(stats.t.ppf(0.9999, freedom), rel=1e-6, nan_ok=True)
