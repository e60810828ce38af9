"""A house that publishes to the test server: nothing published yet, or one release published."""

from __future__ import annotations

from pathlib import Path

import pytest
from publishing_house import DATASET, House, made_tables, small
from udata_server.server import Udata

from pipelines.declarations import Catalogue
from pipelines.publish.release import make_release

YEARS = ({"y2023": 80.0, "y2024": 87.4}, {"y2023": 80.0, "y2024": 88.0})


@pytest.fixture(scope="session")
def few_tables(catalogue: Catalogue) -> Catalogue:
    return small(catalogue)


@pytest.fixture(scope="session")
def shelves(few_tables: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders of releases: the first version alone, then both; in the second, the value of 2024 changed."""
    made = []
    for count in (1, 2):
        folder = tmp_path_factory.mktemp("shelf") / "releases"
        for values in YEARS[:count]:
            make_release(DATASET, few_tables, made_tables(few_tables, **values), folder, synthetic=None)
        made.append(folder)
    return made[0], made[1]


@pytest.fixture
def house(udata: Udata, few_tables: Catalogue, shelves: tuple[Path, Path], tmp_path: Path) -> House:
    """A house with one release, which nothing was published of."""
    account = udata.publisher()
    found = House(few_tables, udata.base_url, account.organization, account.key, tmp_path / "output")
    found.shelve(shelves[0])
    return found


@pytest.fixture
def published(house: House) -> House:
    """A house whose release is on the platform."""
    assert house.publish().succeeded
    return house
