"""``resultats verify`` sees every altered file of every release, and every file received, and says so in French."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fixtures.made_results import DATASET

from pipelines.cli import main
from pipelines.declarations import Catalogue
from pipelines.read import Archive
from pipelines.read.object_store import ObjectStore
from pipelines.release.inputs import Inputs, ReceivedFile, Reception
from pipelines.release.release_folder import make_release
from pipelines.release.verification import rebuilt_findings, release_proof

VERSIONS = ("1.0.0", "1.0.1", "1.0.2")
PYTHON = re.compile(
    r"Errno|Traceback|Error\b|codec|Expecting|unpack|NoneType|object|magic|column \d|delimiter|iterable|subscript"
)


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue, shared_tables: dict[str, pd.DataFrame]
) -> Path:
    """An output of three releases; each received a file of its own, the first one's is still used by the second."""
    folder = tmp_path_factory.mktemp("proof")
    archive = Archive(folder / "archive")
    for number, version in enumerate(VERSIONS):
        changed = {name: table.copy() for name, table in shared_tables.items()}
        changed["resultats"].loc[0, "valeur"] = 50.0 + number
        files = tuple(
            ReceivedFile("enquete", f"caf/{name}.csv", archive.keep(f"contenu {name}".encode()))
            for name in (["2022", "2023"] if number < 2 else ["2024"])
        )
        bundle = archive.keep(f"déclarations {number}".encode())
        inputs = Inputs((Reception("caf", 2022, files),), {"references": "a"}, bundle, "code")
        release = make_release(DATASET, catalogue, changed, folder / "releases", synthetic=None, inputs=inputs)
        assert release.version == version
    return folder


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "output"))


def _verify(output: Path) -> tuple[int, str]:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = main(["verify", "--no-rebuild", "--output", str(output)])
    return code, told.getvalue()


def _files(made: Path) -> list[Path]:
    return sorted(path.relative_to(made) for path in (made / "releases").rglob("*") if path.is_file())


def _write(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def _cut(path: Path) -> None:
    _write(path, path.read_bytes()[:-7])


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    _write(path, bytes(content))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


ALTERATIONS: dict[str, Callable[[Path], None]] = {
    "vidé": lambda path: _write(path, b""),
    "coupé": _cut,
    "un octet changé": _flipped,
    "octets quelconques": lambda path: _write(path, bytes(range(256)) * 9),
    "effacé": Path.unlink,
    "un dossier à sa place": _folder,
}


def test_what_was_not_altered_is_proved(made: Path) -> None:
    code, told = _verify(made)
    assert code == 0, told
    assert "3 versions, empreintes, chaîne et journaux : conformes." in told
    assert "Fichiers reçus : tous dans l'archive." in told


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_every_file_of_every_release_altered_is_named_in_french(alter, made, tmp_path) -> None:
    output = Path(shutil.copytree(made, tmp_path / "output"))
    for relative in _files(made):
        path = output / relative
        alter(path)
        told = "\n".join(release_proof(output / "releases", DATASET, path.parent.name))
        assert path.name in told and path.parent.name in told, (relative, told)
        assert not PYTHON.search(told), (relative, told)
        if path.is_dir():
            path.rmdir()
        shutil.copy2(made / relative, path, follow_symlinks=False) if not path.exists() else _write(
            path, (made / relative).read_bytes()
        )
    assert _verify(output)[0] == 0


def _resealed(path: Path) -> None:
    """Write the checksums anew, and the facts of the descriptor: as one who covers their tracks."""
    release = path.parent
    if path.name not in ("datapackage.json", "SHA256SUMS"):
        descriptor = json.loads((release / "datapackage.json").read_text("utf-8"))
        for item in (*descriptor["resources"], *descriptor["renditions"]):
            content = (release / item["path"]).read_bytes()
            item |= {"bytes": len(content), "hash": f"sha256:{hashlib.sha256(content).hexdigest()}"}
        _write(release / "datapackage.json", (json.dumps(descriptor, ensure_ascii=False, indent=2) + "\n").encode())
    names = sorted(item.name for item in release.iterdir() if item.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256((release / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    _write(release / "SHA256SUMS", "".join(lines).encode())


HIDDEN = ("vidé", "coupé", "un octet changé", "octets quelconques")


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
@pytest.mark.parametrize("alter", HIDDEN)
def test_checksums_made_anew_hide_no_altered_table_nor_descriptor(alter, version, output) -> None:
    """Each file is altered in one way in each release; in every way by `make test-long`."""
    release = output / "releases" / DATASET / version
    intact = {path.name: path.read_bytes() for path in release.iterdir()}
    for name in _in_turn(_told_tables(intact, version), HIDDEN.index(alter) + VERSIONS.index(version)):
        if alter == "un octet changé" and name.endswith(".parquet"):
            continue  # it may be one that holds no cell
        ALTERATIONS[alter](release / name)
        _resealed(release / name)
        code, told = _verify(output)
        assert code == 1, (name, told)
        assert not PYTHON.search(told), (name, told)
        for kept, content in intact.items():
            _write(release / kept, content)


def _told_tables(names: Iterable[str], version: str) -> list[str]:
    """Return the files of a release whose alteration is told whatever the checksums say, its descriptor first."""
    kinds = (".csv", ".parquet", "datapackage.json")
    unfollowed = ("dictionnaire.csv", "versions.csv") if version == VERSIONS[-1] else ()  # the release made again tells
    untold = {"resultats-format-historique.csv", *unfollowed}
    found = sorted(name for name in names if name.endswith(kinds) and name not in untold)
    return sorted(found, key=lambda name: (not name.endswith(".json"), name.endswith(".parquet"), name))


def _in_turn(names: list[str], first: int) -> list[str]:
    """Return the descriptor, and one table in four from ``first``: all of them by `make test-long`."""
    return names if os.environ.get("RESULTATS_LONG") else names[:1] + names[1 + first % len(HIDDEN) :: len(HIDDEN)]


def _cells(table: pa.Table) -> pa.Table:
    column = table.column_names.index("valeur")
    values = [None if value is None else value + 1 for value in table.column(column).to_pylist()]
    return table.set_column(column, table.schema.field(column), pa.array(values, pa.float64()))


def test_a_parquet_that_says_otherwise_than_its_csv_is_told(output) -> None:
    path = output / "releases" / DATASET / VERSIONS[-1] / "resultats-annuels.parquet"
    other = _cells(pq.read_table(path))
    path.chmod(0o644)
    pq.write_table(other, path)
    _resealed(path)
    code, told = _verify(output)
    assert (code, told.count("\n")) == (1, 1)
    both = " : ne dit pas la même chose que ".join(
        f"resultats-annuels.{end}, resultats-infra-annuels.{end}" for end in ("parquet", "csv")
    )
    assert both in told


@pytest.mark.parametrize("content", [
    "[]", "null", "1", '"ok"', "{}", '{"resources": null}', '{"resources": [1]}', '{"resources": [{"name": "a"}]}',
    '{"resources": [{"name": "a", "format": "csv", "path": "../1.0.0/resultats.csv", "schema": {}}]}', "[" * 100_000,
])  # fmt: skip
def test_a_descriptor_of_another_shape_is_told(content, output) -> None:
    path = output / "releases" / DATASET / VERSIONS[1] / "datapackage.json"
    _write(path, content.encode())
    _resealed(path)
    code, told = _verify(output)
    assert code == 1
    assert f"{DATASET} {VERSIONS[1]} : datapackage.json : " in told
    assert not PYTHON.search(told), told


@pytest.mark.parametrize(
    "inputs", [[], 1, {}, {"receptions": [1]}, {"receptions": [], "declarations": None, "code": ""}]
)
def test_an_origin_of_another_shape_is_told(inputs, output) -> None:
    path = output / "releases" / DATASET / VERSIONS[-1] / "datapackage.json"
    _write(path, json.dumps(json.loads(path.read_text("utf-8")) | {"inputs": inputs}, ensure_ascii=False).encode())
    _resealed(path)
    code, told = _verify(output)
    assert code == 1
    assert "ne dit plus de quels fichiers la version a été faite" in told
    assert not PYTHON.search(told), told


@pytest.mark.parametrize("alter", ["vidé", "un octet changé", "effacé", "un dossier à sa place"])
def test_every_file_that_any_release_was_made_of_is_proved(alter, made, output) -> None:
    contents = sorted(path.relative_to(made) for path in (made / "archive").rglob("*") if len(path.name) == 64)
    assert len(contents) == 6
    told_of = {}
    for relative in contents:
        path = output / relative
        ALTERATIONS[alter](path)
        code, told = _verify(output)
        assert code == 1, (relative, told)
        assert "impossible à refaire" in told
        assert not PYTHON.search(told), told
        told_of[relative.name] = [version for version in VERSIONS if f"{DATASET} {version} : " in told]
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)
        shutil.copy2(made / relative, path)
    assert sorted(told_of.values()) == sorted([["1.0.0"], ["1.0.1"], ["1.0.2"], ["1.0.2"], *[["1.0.0", "1.0.1"]] * 2])
    assert _verify(output)[0] == 0


def test_a_release_made_again_is_compared_by_what_every_file_holds(made, tmp_path) -> None:
    release = made / "releases" / DATASET / VERSIONS[-1]
    for name in sorted(path.name for path in release.iterdir()):
        if name == "SHA256SUMS":
            continue
        again = Path(shutil.copytree(release, tmp_path / name))
        assert rebuilt_findings(release, again) == []
        if name == "datapackage.json":
            descriptor = json.loads((again / name).read_text("utf-8")) | {"title": "autre"}
            _write(again / name, json.dumps(descriptor).encode())
        else:
            (_cut if name.endswith((".parquet", ".xlsx")) else _flipped)(again / name)
        found = rebuilt_findings(release, again)
        assert found, name
        assert not PYTHON.search("\n".join(found)), found


def test_a_rendition_written_otherwise_holds_the_same(made, tmp_path) -> None:
    release = made / "releases" / DATASET / VERSIONS[-1]
    again = Path(shutil.copytree(release, tmp_path / "again"))
    table = pq.read_table(again / "resultats-annuels.parquet")
    (again / "resultats-annuels.parquet").chmod(0o644)
    pq.write_table(table, again / "resultats-annuels.parquet", compression="snappy")
    assert rebuilt_findings(release, again) == []
    pq.write_table(_cells(table), again / "resultats-annuels.parquet")
    assert rebuilt_findings(release, again) == [
        "resultats-annuels.parquet : refait, il ne contient pas les mêmes cellules"
    ]


def test_what_a_shared_storage_holds_is_proved_whatever_this_machine_keeps_of_it(tmp_path) -> None:
    archive = Archive(tmp_path / "ici", ObjectStore(f"file://{tmp_path / 'partage'}"))
    sha256 = archive.keep(b"contenu")
    assert archive.fault(sha256) is None
    shared = tmp_path / "partage" / "archive" / sha256[:2] / sha256
    _write(shared, b"autre chose")
    assert archive.fault(sha256) == "altéré"
    shared.unlink()
    assert archive.fault(sha256) == "absent"
    assert archive.held(sha256).read_bytes() == b"contenu"
