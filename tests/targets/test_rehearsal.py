"""Files that the crawler of data.gouv.fr can't show are found before they are sent."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from fixtures.made_results import DATASET
from pyarrow import parquet

from pipelines.declarations import Catalogue
from pipelines.release.release_folder import make_release
from pipelines.targets.udata import rehearsal
from pipelines.targets.udata.rehearsal import rehearse


def stopped(*files: Path) -> dict[str, tuple[str, ...]]:
    return {gate.name: gate.details for gate in rehearse(files) if not gate.passed}


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_release_of_ours_passes(small: Catalogue, small_tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    folder = make_release(DATASET, small, small_tables, tmp_path, synthetic=None).folder
    files = sorted(folder.iterdir())
    assert {path.suffix for path in files} >= {".csv", ".parquet", ".xlsx"}
    assert stopped(*files) == {}


@pytest.mark.parametrize(
    ("content", "gate"),
    [
        ("# commentaire\na,b\n1,2\n", "apercu_premiere_ligne"),
        ("sep=,\na,b\n1,2\n", "apercu_premiere_ligne"),
        (b"\xef\xbb\xbfa,b\n1,2\n", "apercu_premiere_ligne"),
        ("é\n1\n".encode("cp1252"), "apercu_premiere_ligne"),
        ("a,b\n1\n", "apercu_premiere_ligne"),
        ("", "apercu_premiere_ligne"),
        ('"a\nb",c\n1,2\n', "apercu_entetes"),
        ("a,a\n1,2\n", "apercu_entetes"),
        ("a,\n1,2\n", "apercu_entetes"),
        (f"{'é' * 32},b\n1,2\n", "apercu_entetes"),
        ("a\n1\nNC\n", "apercu_nombres"),
        ("a\n1\n98%\n", "apercu_nombres"),
        ('a\n1\n"1 234,5"\n', "apercu_nombres"),
        ("a\n1\n1e3\n", "apercu_nombres"),
    ],
)
def test_what_spoils_a_preview_is_found(tmp_path: Path, content: str | bytes, gate: str) -> None:
    assert list(stopped(written(tmp_path, content))) == [gate]


@pytest.mark.parametrize(
    "content",
    ["a\n1\n2.5\n-3\n", "code\n01\n2A\n", "a\n1\nCAF du Gard\n", "a\nNC\n", f"{'e' * 63}\n1\n", 'a\n"x\ny"\n', "a\n"],
)
def test_what_it_shows_passes(tmp_path: Path, content: str) -> None:
    assert stopped(written(tmp_path, content)) == {}


def test_what_it_shows_otherwise_is_told(tmp_path: Path) -> None:
    files = [written(tmp_path, "a,b\n0,oui\n1,non\n"), written(tmp_path, "a\n", "vide.csv")]
    told = rehearse(files)[-1]
    assert told.passed
    assert told.details == (
        "colonnes à deux valeurs lues comme vrai ou faux, t.csv (a, b)", "fichiers vides, non montrés, vide.csv"
    )  # fmt: skip


def test_what_was_shown_so_already_is_not_told_again(tmp_path: Path) -> None:
    files = [written(tmp_path, "a,b\n0,oui\n1,non\n"), written(tmp_path, "a\n", "vide.csv")]
    before = tmp_path / "before"
    before.mkdir()
    written(before, "a,b\n0,oui\n1,peut-être\n")
    written(before, "a\n", "vide.csv")
    assert rehearse(files, before)[-1].details == ("colonnes à deux valeurs lues comme vrai ou faux, t.csv (b)",)
    assert rehearse(files, tmp_path)[-1].details == ()


def test_sizes_are_judged_by_kind_of_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rehearsal.LARGEST, ".csv", 3)
    assert list(stopped(written(tmp_path, "a\n1\n"))) == ["apercu_taille"]
    assert stopped(written(tmp_path, "a\n1\n", "t.md")) == {}
    assert {kind: size / 1024**2 for kind, size in rehearsal.LARGEST.items() if kind != ".csv"} == {
        ".parquet": 50, ".xlsx": 12.5
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (pa.int64(), True), (pa.string(), True), (pa.date32(), True), (pa.float64(), True), (pa.bool_(), True),
        (pa.uint8(), False), (pa.null(), False), (pa.time32("s"), False), (pa.string_view(), False),
        (pa.duration("s"), False), (pa.large_list(pa.int8()), False),
    ],
)  # fmt: skip
def test_types_of_parquet(tmp_path: Path, kind: pa.DataType, known: bool) -> None:
    parquet.write_table(pa.table({"a": pa.array([None], kind)}), tmp_path / "t.parquet")
    assert list(stopped(tmp_path / "t.parquet")) == ([] if known else ["apercu_types_parquet"])
