"""A publication killed at random moments, again and again, ends as if it had never been; nothing is double or lost.

`make test` kills a few publications, `make test-long` hundreds; the seed is fixed, the moments depend on the machine.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

import pytest
from campaign import STAGES, Campaign, Subject
from killed import publish_and_kill
from udata_server.server import Udata

pytestmark = pytest.mark.e2e
KILLS = 240 if os.environ.get("RESULTATS_LONG") else 24
IN_A_ROW = 5  # publications killed one after another, before one is left in peace


@pytest.mark.parametrize("stage", STAGES)
def test_killed_publications_converge(
    subject: Subject, udata: Udata, stage: str, record_property: Callable[[str, object], None]
):
    campaign = Campaign(subject, udata, udata.base_url)
    output, began = campaign.start(stage), time.monotonic()
    campaign.publish(output)
    lasts = time.monotonic() - began
    chance = random.Random(f"kills {stage}")
    kills = rounds = 0
    while kills < KILLS // len(STAGES):
        output = campaign.start(stage)
        for _ in range(IN_A_ROW):
            if not publish_and_kill(campaign, output, chance.uniform(0, lasts / 2)):
                break  # it had ended
            kills += 1
        campaign.check(stage, output, "killed")
        rounds += 1
    record_property("counts", f"{kills} SIGKILL, {rounds} publications, toutes menées à bien ensuite, 0 doublon")
