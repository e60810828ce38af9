"""A target of another kind needs no more than its own code and one line of ``KINDS``: here, a file that says a version.

It is planned, agreed to, applied and forgotten by what does so for the folder and for udata.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from fixtures.made_results import DATASET

from pipelines.declarations import Catalogue
from pipelines.flow.publish import KINDS, Publisher, publish_accepted, publish_night
from pipelines.flow.store import Store
from pipelines.flow.waiting_plans import keep_waiting, waiting_plans
from pipelines.release import history
from pipelines.release.gates import Gate
from pipelines.release.release_folder import make_release
from pipelines.targets.plan import Action, Plan
from pipelines.targets.protocol import Preview, Progress, Report, Secret, Source, TargetKind


@dataclass(frozen=True)
class Written:
    """The version of a dataset, to be written in a file."""

    place: Path
    plan: Plan

    def apply(self, progress: Progress) -> Report:
        for step in self.plan.actions:
            progress(step.sentence)
        self.place.write_text(self.plan.version, encoding="utf-8")
        return Report(self.plan, applied=True, done=self.plan.actions, page=str(self.place))


@dataclass(frozen=True)
class Sign:
    """A file beside the output that says which version is the latest."""

    place: Path
    source: Source
    address: str = "panneau"

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.source.catalogue.datasets)

    def prepare(self, part: str) -> Written | None:
        (version,) = history.versions(self.source.rooms.releases, part)
        said = self.place.read_text(encoding="utf-8") if self.place.exists() else ""
        steps = (Action("write", "le panneau", "nouvelle version"),) if said != version else ()
        gates = (Gate("panneau", False, "On le voit de loin."),)
        return Written(self.place, Plan(self.address, part, version, steps, gates))

    def previews(self, part: str) -> list[Preview]:
        return [Preview(part, "le panneau", "lisible")]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def opened(_name: str, source: Source, _secret: Secret) -> Sign:
        return Sign(tmp_path / "panneau.txt", source)

    monkeypatch.setitem(KINDS, "panneau", TargetKind(open=opened, remote=True))
    return tmp_path / "panneau.txt"


def test_a_target_of_another_kind_is_published_to_like_the_others(
    small: Catalogue, small_tables: dict[str, pd.DataFrame], tmp_path: Path, place: Path
):
    make_release(DATASET, small, small_tables, tmp_path / "sortie" / "releases", synthetic=None)
    store, steps = Store(tmp_path / "sortie"), list[str]()
    publisher = Publisher(small, store, "panneau", lambda _: None)
    shown = publish_night([publisher], allowed=False, progress=steps.append)
    blocked = publish_night([publisher], allowed=True, progress=steps.append)
    (plan,) = shown.waiting
    assert [plan.hash] == [waiting.hash for waiting in blocked.waiting]
    assert (place.exists(), steps) == (False, [])
    keep_waiting(store, blocked.waiting)
    assert publish_accepted([publisher], "0" * 64, "vu", steps.append) == []
    (report,) = publish_accepted([publisher], plan.hash, "vu", steps.append)
    assert report.succeeded
    assert (place.read_text("utf-8"), steps) == ("1.0.0", ["ÉCRIRE le panneau : nouvelle version"])
    assert waiting_plans(store) == []
    assert [report.plan.empty for report in publisher.publish()] == [True]
    assert publisher.previews() == {DATASET: [Preview(DATASET, "le panneau", "lisible")]}
