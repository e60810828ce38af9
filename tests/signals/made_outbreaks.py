"""Weekly series with outbreaks, after the simulations of Noufaily et al. (2012): seven sets × season or not × trend.

Negative binomial counts of mean exp(θ + βt + season) and dispersion φ; outbreaks of k standard deviations, spread by a
log-normal law. Printed as columns for ``oracle/outbreaks.R``; drawn by numpy's frozen ``RandomState``.
"""

from __future__ import annotations

import itertools

import numpy as np

SETS = [
    (0.1, 0.0025, 0.6, 0.6, 1.5),
    (-2.0, 0.005, 0.1, 0.1, 2.0),
    (1.5, 0.003, 0.2, -0.4, 1.0),
    (0.5, 0.002, 0.5, 0.5, 5.0),
    (2.5, 0.001, 1.0, 0.1, 3.0),
    (3.75, 0.001, 0.1, -0.1, 1.1),
    (5.0, 0.0001, 0.05, 0.01, 1.2),
]
SCENARIOS = [(*values, season, trend) for values in SETS for season, trend in itertools.product((0, 1), repeat=2)]
EACH = 8  # series a scenario
WEEKS, JUDGED = 312, 49
SIZES = (2, 4, 6, 8)  # standard deviations, of the outbreak to be found
SETTINGS = {"years": 4, "per_year": 52, "half_window": 3, "seasons": 10, "left_out": 26}
ALPHA = 0.005


def series() -> tuple[np.ndarray, np.ndarray]:
    """Return counts (weeks × series) and how many of them are of the outbreak to be found."""
    random = np.random.RandomState(2012)
    made = [_series(random, scenario, SIZES[rank % len(SIZES)]) for scenario in SCENARIOS for rank in range(EACH)]
    return np.column_stack([counts for counts, _ in made]), np.column_stack([outbreak for _, outbreak in made])


def _series(random: np.random.RandomState, scenario: tuple[float, ...], size: int) -> tuple[np.ndarray, np.ndarray]:
    theta, beta, cosine, sine, phi, season, trend = scenario
    time = np.arange(1, WEEKS + 1)
    angle = 2 * np.pi * time / 52
    mean = np.exp(theta + trend * beta * time + season * (cosine * np.cos(angle) + sine * np.sin(angle)))
    counts = random.poisson(mean) if phi == 1 else random.negative_binomial(mean / (phi - 1), 1 / phi)
    deviation = np.sqrt(phi * mean)
    for start in random.randint(0, WEEKS - JUDGED - 10, 2):
        counts = counts + _outbreak(random, start, random.randint(1, 6) * deviation[start])
    start = WEEKS - JUDGED + random.randint(5, JUDGED - 10)
    outbreak = _outbreak(random, start, size * deviation[start])
    return counts + outbreak, outbreak


def _outbreak(random: np.random.RandomState, start: int, size: float) -> np.ndarray:
    weeks = start + np.floor(random.lognormal(0, 0.5, 1 + random.poisson(size))).astype(int)
    return np.bincount(np.minimum(weeks, WEEKS - 1), minlength=WEEKS)


if __name__ == "__main__":
    for line in series()[0]:
        print(*line)
