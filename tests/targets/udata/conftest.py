"""A house that publishes to the test server: nothing published yet, or one release published."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from publishing_house import DATASET, House, Wire, made_tables, small
from udata_server.server import Udata

from pipelines.declarations import Catalogue, load
from pipelines.release.release_folder import make_release

YEARS = ({"y2023": 80.0, "y2024": 87.4}, {"y2023": 80.0, "y2024": 88.0})


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The shipped declarations, as they go to the platform."""
    return load(Path(__file__).resolve().parents[3] / "schemas")


@pytest.fixture(scope="session")
def few_tables(catalogue: Catalogue) -> Catalogue:
    return small(catalogue)


@pytest.fixture(scope="session")
def shelves(few_tables: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders of releases: the first version alone, then both; in the second, the value of 2024 changed."""
    made = []
    for count in (1, 2):
        folder = tmp_path_factory.mktemp("storage") / "releases"
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


@pytest.fixture(scope="session")
def kept_publication(
    udata: Udata, few_tables: Catalogue, shelves: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[House, int]:
    """A house whose release is on the platform, and the state of the server then."""
    account = udata.publisher()
    output = tmp_path_factory.mktemp("published") / "output"
    found = House(few_tables, udata.base_url, account.organization, account.key, output)
    found.shelve(shelves[0])
    assert found.publish().succeeded
    return found, udata.keep()


@pytest.fixture
def published(kept_publication: tuple[House, int], udata: Udata, tmp_path: Path) -> House:
    """A house whose release is on the platform, the server as it was just after."""
    kept, state = kept_publication
    udata.restore(state)
    output = Path(shutil.copytree(kept.output, tmp_path / "output"))
    return replace(kept, output=output, wire=Wire())
