"""Every fault on every call of a publication: it ends as if nothing had happened, now or at the next run; no duplicate.

`make test` takes each call with some faults and each fault with some calls; `make test-long` takes them all.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from campaign import STAGES, Campaign, Subject, without_sleep
from udata_server.faults import Choice, Fault, FaultyProxy, from_call, on_call
from udata_server.server import Udata

pytestmark = pytest.mark.e2e
LONG = bool(os.environ.get("RESULTATS_LONG"))
Chosen = Callable[[int, Fault], Choice]
SILENT = {Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER}


@pytest.fixture(scope="module")
def proxy(udata: Udata) -> Iterator[FaultyProxy]:
    with FaultyProxy(udata.base_url) as running:
        yield running


@pytest.fixture(scope="module")
def campaign(subject: Subject, udata: Udata, proxy: FaultyProxy) -> Campaign:
    return Campaign(subject, udata, proxy.base_url)


@dataclass
class Course:
    """A fault on one call after another of a publication."""

    campaign: Campaign
    proxy: FaultyProxy
    tell: Callable[[str, object], None]

    def run(self, stage: str, fault: Fault, chosen: Chosen) -> Counter[str]:
        """Return how the publications under the fault ended, by number; each was checked, then ended in peace."""
        calls, lasting = self.campaign.calls[stage], chosen is from_call
        every, first = (1, 0) if LONG else (len(Fault) * (1 + lasting), list(Fault).index(fault))
        outcomes = Counter(
            self._once(stage, fault, number, chosen, lasting=lasting) for number in range(1 + first, calls + 1, every)
        )
        told = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items()))
        self.tell("counts", f"{outcomes.total()} appels sur {calls} ({told}), 0 doublon")
        assert outcomes
        return outcomes

    def _once(self, stage: str, fault: Fault, number: int, chosen: Chosen, *, lasting: bool) -> str:
        campaign, proxy = self.campaign, self.proxy
        output = campaign.start(stage)
        proxy.spoil(chosen(number, fault))
        # A server that refused connections is there again when the client has slept, unless the fault lasts.
        campaign.on_sleep = without_sleep if lasting else lambda _: proxy.open()
        outcome = campaign.outcome(output, number if fault in SILENT else None)
        reached = any(call.fault for call in proxy.calls)
        proxy.spoil()
        if not reached:  # a slow server had some calls repeated when they were counted: there are fewer now
            assert campaign.sent < number <= campaign.calls[stage]
            return self._once(stage, fault, 1 + number % campaign.sent, chosen, lasting=lasting)
        campaign.check(stage, output, outcome)
        return outcome


@pytest.fixture
def course(
    campaign: Campaign,
    proxy: FaultyProxy,
    record_property: Callable[[str, object], None],
) -> Course:
    return Course(campaign, proxy, record_property)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", Fault)
def test_a_fault_on_each_call(course: Course, stage: str, fault: Fault):
    """The fault befalls one call; most are repeated, and the publication ends at once."""
    course.run(stage, fault, on_call)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in SILENT])
def test_a_fault_on_each_call_and_all_that_follow(course: Course, stage: str, fault: Fault):
    """The fault lasts as long as the run, which stops with an error of ours; the next run ends what it began."""
    outcomes = course.run(stage, fault, from_call)
    assert fault is Fault.WRONG_SHA1 or not outcomes["done"]
