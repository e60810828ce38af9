"""Which words are said by more voices of a service than in its twelve months before.

Monroe, Colaresi and Quinn (2008), "Fightin' words", Political Analysis 16(4): log-odds with an informative Dirichlet
prior, on how many voices say a word (words inside a text depend on one another). The ratio ranks; the test permutes the
dates within the service, all permutations at once: the count of the window is then hypergeometric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.signals.laws import drawn_beyond

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PRIOR_VOICES = 100.0  # voices of all services together that the prior weighs as much as


@dataclass(frozen=True, slots=True)
class LogOdds:
    """The logarithm of the odds ratio of each word, now to before, and its standard error."""

    difference: Floats
    error: Floats

    @property
    def z(self) -> Floats:
        """The difference in standard errors: the order in which words are told."""
        told: Floats = self.difference / self.error
        return told


def log_odds(now: Floats, voices_now: Floats, before: Floats, voices_before: Floats, usual: Floats) -> LogOdds:
    """Return the log-odds of words said by ``now`` of ``voices_now`` and ``before`` of ``voices_before``.

    ``usual``: the share of all voices, of all services, that say each word (more than 0, less than 1).
    """
    prior, other = PRIOR_VOICES * usual, PRIOR_VOICES * (1 - usual)
    odds_now = np.log(now + prior) - np.log(voices_now - now + other)
    odds_before = np.log(before + prior) - np.log(voices_before - before + other)
    return LogOdds(odds_now - odds_before, np.sqrt(1 / (now + prior) + 1 / (before + prior)))


def p_values(now: Floats, voices_now: Floats, before: Floats, voices_before: Floats) -> Floats:
    """Return the share of all permutations of dates in which as many voices of the window say the word; 1 if few."""
    more = now * voices_before > before * voices_now  # a word said no more than usual has no p-value below a half
    told = np.ones(len(now))
    told[more] = drawn_beyond(now[more], (now + before)[more], voices_now[more], (voices_now + voices_before)[more])
    return told
