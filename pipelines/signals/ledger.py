"""One ledger of everything tested: how sure each signal is among all the tests made, and how many are likely false.

Benjamini and Hochberg (1995) within each detector and month; Benjamini and Yekutieli (2001), valid whatever the
dependence between tests, is told beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipelines.compute.significance import benjamini_hochberg

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEST = ["detector", "month", "network", "service", "office", "theme", "feeling", "territory", "term", "indicator"]
FAMILY = ["detector", "family", "month"]
SMALLEST = 1e-9  # the least p-value told: beyond, no law of ours says anything sure
NO_TEST = pd.DataFrame({"p_value": []})
_TEXTS = [*TEST, "family", "since"]
_NUMBERS = ["observed", "expected", "ratio", "ratio_low", "ratio_high", "upper", "p_value", "share"]
_COUNTS = ["voices", "days"]
COLUMNS = [*FAMILY, *TEST[2:], *_NUMBERS[:7], "q_value", "q_dependent", *_COUNTS, "share", "signal", "since"]


@dataclass(frozen=True, slots=True)
class Guards:
    """What a signal must hold, whatever its p-value: published as such.

    ``false_discovery``: the share of false alarms accepted among the signals; ``fewest_voices`` from
    ``fewest_days``; ``fewest_of_office``: voices (or base) below which an office is not named.
    """

    false_discovery: float = 0.10
    fewest_voices: int = 5
    fewest_days: int = 3
    fewest_of_office: int = 10


def entered(detector: str, month: str, tests: pd.DataFrame, family: str = "") -> pd.DataFrame:
    """Return the tests of one detector as the ledger holds them: every column, texts "" and numbers NaN when absent."""
    absent: dict[str, Any] = {
        **dict.fromkeys(_TEXTS, ""),
        **dict.fromkeys(_NUMBERS, np.nan),
        **dict.fromkeys(_COUNTS, 0),
    }
    absent |= {"eligible": True, "detector": detector, "family": family or detector, "month": month}
    held = {name: tests[name].to_numpy() if name in tests else value for name, value in absent.items()}
    frame = pd.DataFrame(held, index=range(len(tests))).astype(dict.fromkeys(_COUNTS, np.int64))
    frame[_NUMBERS] = frame[_NUMBERS].replace([np.inf, -np.inf], np.nan)  # a ratio to nothing says nothing
    return frame


def gathered(tests: list[pd.DataFrame]) -> pd.DataFrame:
    """Return all tests entered together; one whose p-value is unknown is no test, and left out."""
    held = pd.concat([one for one in tests if len(one)] or tests, ignore_index=True)
    return held[held["p_value"].notna()].reset_index(drop=True)


def judged(held: pd.DataFrame, guards: Guards) -> pd.DataFrame:
    """Return every test gathered, with q-values and ``signal``.

    ``eligible``: what the detector itself asks for besides (dropped).
    """
    families = np.asarray(held.groupby(FAMILY, sort=False).ngroup(), dtype=np.int64)
    held["p_value"] = np.maximum(held["p_value"], SMALLEST)
    corrected = benjamini_hochberg(held["p_value"].to_numpy(), families)
    held["q_value"] = corrected
    held["q_dependent"] = np.minimum(corrected * _harmonic(families), 1.0)
    enough = (held["voices"] >= guards.fewest_voices) & (held["days"] >= guards.fewest_days)
    enough |= (held["indicator"] != "") & (held["voices"] >= guards.fewest_of_office)
    held["signal"] = enough & (held["q_value"] <= guards.false_discovery) & held["eligible"]
    return held.sort_values(TEST, kind="stable", ignore_index=True)[COLUMNS]


def ledger(tests: pd.DataFrame, guards: Guards) -> pd.DataFrame:
    """Return, by detector, family and month, how many tests and signals, and how many of these are likely false."""
    counted = tests.groupby(FAMILY, as_index=False).agg(tests=("signal", "size"), signals=("signal", "sum"))
    return counted.assign(expected_false=counted["signals"] * guards.false_discovery)


def _harmonic(families: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return, for each test, 1 + 1/2 + … + 1/m of its family of m tests."""
    sizes = np.bincount(families, minlength=1)
    sums: NDArray[np.float64] = np.cumsum(1 / np.arange(1, sizes.max(initial=1) + 1))
    return sums[sizes[families] - 1]
