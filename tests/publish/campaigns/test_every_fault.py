"""Every fault on every call of a publication: it ends as if nothing had happened, now or at the next run; no duplicate.

`make test` takes each call with some faults and each fault with some calls; `make test-long` takes them all.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from campaign import STAGES, Campaign, Subject
from udata_server.faults import Fault, FaultyProxy, on_call
from udata_server.server import Udata

pytestmark = pytest.mark.e2e
LONG = bool(os.environ.get("RESULTATS_LONG"))
HURRIED = 0.5  # seconds that the client waits for an answer, where the fault is silence
SILENT = {Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER}


@pytest.fixture(scope="module")
def proxy(udata: Udata) -> Iterator[FaultyProxy]:
    with FaultyProxy(udata.base_url) as running:
        yield running


@pytest.fixture(scope="module")
def campaign(subject: Subject, udata: Udata, proxy: FaultyProxy) -> Campaign:
    """The server is there again when the client has slept before trying again."""
    return Campaign(subject, udata, proxy.base_url, on_sleep=lambda _: proxy.open())


@pytest.fixture(scope="module")
def undisturbed(campaign: Campaign, proxy: FaultyProxy) -> dict[str, int]:
    """How many calls each stage takes when nothing disturbs it."""
    calls = {}
    for stage in STAGES:
        output = campaign.start(stage)
        proxy.spoil()
        assert campaign.publish(output).succeeded
        calls[stage] = len(proxy.calls)
    return calls


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", Fault)
def test_a_fault_on_each_call(
    campaign: Campaign,
    proxy: FaultyProxy,
    undisturbed: dict[str, int],
    stage: str,
    fault: Fault,
    record_property: Callable[[str, object], None],
):
    calls = undisturbed[stage]
    every, first = (1, 0) if LONG else (len(Fault), list(Fault).index(fault))
    outcomes: Counter[str] = Counter()
    for number in range(1 + first % every, calls + 1, every):
        output = campaign.start(stage)
        proxy.spoil(on_call(number, fault))
        outcome = campaign.outcome(output, *([HURRIED] if fault in SILENT else []))
        assert any(call.fault for call in proxy.calls)
        proxy.spoil()
        campaign.check(stage, output, outcome)
        outcomes[outcome] += 1
    assert sum(outcomes.values())
    told = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items()))
    record_property("counts", f"{sum(outcomes.values())} appels sur {calls} ({told}), 0 doublon")
