"""A publication killed at random moments, again and again, ends as if it had never been; nothing is double or lost.

`make test` kills a few publications, `make test-long` hundreds; the seed is fixed, the moments depend on the machine.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable

import pytest
from campaign import STAGES, Campaign, Subject
from killed import publish_and_kill
from udata_server.server import Udata

pytestmark = pytest.mark.e2e
KILLS = 240 if os.environ.get("RESULTATS_LONG") else 24
LOST = 0.3  # share of the kills after which what is noted of publications is lost too
IN_A_ROW = 5  # publications killed one after another, before one is left in peace


@pytest.mark.parametrize("stage", STAGES)
def test_killed_publications_converge(
    subject: Subject, udata: Udata, stage: str, record_property: Callable[[str, object], None]
):
    campaign = Campaign(subject, udata, udata.base_url)
    chance = random.Random(f"kills {stage}")
    kills = rounds = 0
    while kills < KILLS // len(STAGES):
        output = campaign.start(stage)
        for _ in range(IN_A_ROW):
            if not publish_and_kill(campaign, output, chance.uniform(0, campaign.seconds[stage] / 2)):
                break  # it had ended
            kills += 1
            udata.settle()
            if chance.random() < LOST:
                shutil.rmtree(output / "targets", ignore_errors=True)
        campaign.check(stage, output, "killed")
        rounds += 1
    record_property("counts", f"{kills} SIGKILL, {rounds} publications, toutes menées à bien ensuite, 0 doublon")
