"""What every test may ask for. The fast tier opens no socket; tests marked e2e may."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import yaml
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket, enable_socket

from pipelines.declarations import Catalogue, load
from pipelines.declarations.yaml_source import parse
from pipelines.signal_tables.tables_of_signals import SIGNAL_TABLES

PROJECT = Path(__file__).resolve().parents[1]
REAL = PROJECT.parent / "shared" / "real"

pytest_plugins = ["udata_server.fixtures", "fixtures.laboratory", "fixtures.storages"]

settings.register_profile("fast", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fast")


def pytest_xdist_auto_num_workers() -> int:
    """Use one worker more than cores: end-to-end tests wait on servers for a good part of their time."""
    return (os.cpu_count() or 1) + 1


# What waits for daemons, sensors and browsers, for minutes: one worker begins with it while the others compute.
WAITING = {
    "test_first_hour.py",
    "test_in_a_browser.py",
    "test_running_services.py",
    "test_services.py",
    "test_spread.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what lasts longest first, so that none of it ends alone: each worker begins with a third of the list."""
    items.sort(key=lambda item: item.path.name not in WAITING)


def pytest_collection_finish() -> None:
    """Keep what was imported out of the collector's sight: each of its full rounds took half a second over it."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Give it back: libraries tell of what nobody collected at the end."""
    gc.unfreeze()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by how they begin: an archive holds its time, which even moves its size by a byte or two.

    Every worker must collect the same names; pytest numbers those that are alike.
    """
    return f"bytes {val[:4].hex()}" if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def _no_instance(monkeypatch: pytest.MonkeyPatch):
    """Leave the Dagster instance of whoever runs the tests alone."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


@pytest.fixture(autouse=True)
def _no_socket_in_the_fast_tier(request: pytest.FixtureRequest):
    if request.node.get_closest_marker("e2e"):
        enable_socket()
    else:
        disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The shipped declarations."""
    return load(PROJECT / "schemas")


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """A copy of the shipped declarations that a test may change."""
    return Path(shutil.copytree(PROJECT / "schemas", tmp_path / "schemas"))


@pytest.fixture(scope="session")
def s3_environment() -> Iterator[dict[str, str]]:
    """What the environment says of an S3 API on loopback, which keeps objects in memory; bucket ``resultats``."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    found = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "essai",
        "AWS_SECRET_ACCESS_KEY": "clef-secrete-d-essai",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    requests.put(f"{found['AWS_ENDPOINT_URL']}/resultats", timeout=10).raise_for_status()
    yield found
    server.stop()


@pytest.fixture
def bucket(s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a bucket that this process reaches as it would any other."""
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    return "resultats"


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a PostgreSQL server of this test's own, behind a socket in a folder of its own.

    Without PostgreSQL the test is skipped on a machine, and fails in CI, which installs it.
    """
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed or not shutil.which("pg_dump"):
        missing = "PostgreSQL n'est pas installé (paquets postgresql et postgresql-client, voir .ci/run)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    binaries = installed[-1].parent
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        if user:
            shutil.chown(folder, "postgres", "postgres")

        def run(*command: str) -> None:
            subprocess.run([*user, *command], check=True, stdout=subprocess.DEVNULL, cwd=folder)

        data = f"{folder}/data"
        run(f"{binaries}/initdb", "-D", data, "-U", "resultats", "--auth=trust", "--no-sync", "--encoding=UTF8")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run(f"{binaries}/pg_ctl", "-D", data, "-o", options, "-w", "-l", f"{folder}/log", "start")
        try:
            run(f"{binaries}/createdb", "-h", folder, "-U", "resultats", "dagster")
            yield f"postgresql+psycopg2://resultats@/dagster?host={folder}"
        finally:
            run(f"{binaries}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


@pytest.fixture(scope="session")
def few_networks(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return the shipped declarations of some networks only: a whole run of few networks takes seconds."""

    def kept(*names: str) -> Path:
        folder = tmp_path_factory.mktemp("few") / "schemas"
        shutil.copytree(PROJECT / "schemas", folder)
        of_networks = [
            path
            for kind in ("networks", "corrections", "barometers", "experiences")
            for path in (folder / kind).glob("*.yml")
        ]
        for path in of_networks:
            if path.stem not in names:
                path.unlink()
        for kind, dataset, tables in (
            ("barometers", "barometres-services-publics", ("vagues", "questions", "resultats_barometres")),
            ("experiences", "signaux-services-publics", SIGNAL_TABLES),
        ):
            if not any((folder / kind).iterdir()):
                (folder / "datasets" / f"{dataset}.yml").unlink()
                for table in tables:
                    (folder / "tables" / f"{table}.yml").unlink()
        typologies = folder / "references" / "typologies.yml"
        named = parse(typologies.read_text(encoding="utf-8")).data
        for service in named["typologies"].values():
            if service.get("network") not in names:
                service.pop("network", None)
        typologies.write_text(yaml.safe_dump(named, allow_unicode=True, sort_keys=False), encoding="utf-8")
        for path in (folder / "indicators").iterdir():
            declared = parse(path.read_text(encoding="utf-8")).data
            declared["networks"] = {name: feed for name, feed in declared["networks"].items() if name in names}
            if declared["networks"]:
                path.write_text(yaml.safe_dump(declared, allow_unicode=True, sort_keys=False), encoding="utf-8")
            else:
                path.unlink()
        return folder

    return kept


@pytest.fixture(scope="session")
def samples() -> Path:
    """The shipped samples."""
    return PROJECT / "data" / "samples"


@pytest.fixture(scope="session")
def real() -> Path:
    """The real files, where they stand beside the checkout; the test is skipped elsewhere."""
    if not REAL.is_dir():
        pytest.skip("les fichiers réels ne sont pas à côté du dépôt (../shared/real)")
    return REAL
