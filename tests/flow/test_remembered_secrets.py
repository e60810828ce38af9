"""What is hidden, and tables of a network, are remembered: a night makes anew what changed, and believes no damage."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pandas as pd
import pytest
from fixtures.dagster_service import write_export
from fixtures.small_networks import Small, small

from pipelines.declarations import load
from pipelines.flow import fingerprints, gather, protection
from pipelines.flow.exports_folder import synthetic_statement
from pipelines.flow.gather import make_tables
from pipelines.flow.protection import remembered
from pipelines.flow.release import audited
from pipelines.flow.replay import run_dataset
from pipelines.flow.store import FRAMES, STATE_FILES

DATASET = "resultats-services-publics"
ALL = {(network, year) for network in ("alpha", "beta") for year in (2023, 2024)}
Place = tuple[str, int]


class Spy:
    """Which network-years are hidden, and judged, and which networks have tables made, by what really does it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hidden: list[Place] = []
        self.judged: list[Place] = []
        self.tables: list[str] = []
        monkeypatch.setattr(gather, "safe_tables", self._made(gather.safe_tables))
        for name, seen in (("protected", self.hidden), ("findings_of_year", self.judged)):
            monkeypatch.setattr(protection, name, self._watched(getattr(protection, name), seen))

    def _made(self, real):
        def made(catalogue, *others, **named):
            self.tables.extend(catalogue.networks)
            return real(catalogue, *others, **named)

        return made

    @staticmethod
    def _watched(real, seen: list[Place]):
        def watched(rows, *others):
            seen.append((rows["reseau"].iat[0], int(rows["annee"].iat[0])))
            return real(rows, *others)

        return watched

    def forget(self) -> None:
        self.hidden.clear()
        self.judged.clear()
        self.tables.clear()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks of two years, each office of which has forty answers, one seven, with the tables made of them."""
    folder = tmp_path_factory.mktemp("made")
    found = small(folder, ("alpha", "beta"))
    path = write_export(found.exports, "alpha", 2023)
    few = [f"{1 + day:02d}/03/2023;P9;content" for day in range(7)]
    path.write_text(path.read_text(encoding="utf-8") + "\n".join(few) + "\n", encoding="utf-8")
    for network, year in sorted(ALL):
        found.process(network, year)
    tables(found)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Small:
    """The same, to be changed."""
    for name in ("schemas", "exports", "output"):
        shutil.copytree(made / name, tmp_path / name)
    return Small(tmp_path / "schemas", tmp_path / "exports", tmp_path / "output", load(tmp_path / "schemas"))


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    return Spy(monkeypatch)


def tables(project: Small) -> dict[str, pd.DataFrame]:
    make_tables(project.catalogue, project.store, None)
    return known(project)


def known(project: Small) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_parquet(path) for path in sorted(project.store.national.glob("*.parquet"))}


def same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    assert list(one) == list(other)
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name])


def test_all_is_hidden_and_judged_once(project: Small, spy: Spy) -> None:
    first = known(project)
    assert first["resultats"]["statut_confidentialite"].eq("C").any()
    same(first, tables(project))
    assert (spy.hidden, spy.judged, spy.tables) == ([], [], [])
    shutil.rmtree(project.store.output / "work" / "secret")
    same(first, tables(project))
    assert (set(spy.hidden), set(spy.judged)) == (ALL, ALL)


def test_the_release_is_judged_by_what_it_holds(project: Small, spy: Spy) -> None:
    assert audited(project.catalogue, project.store, DATASET).refused == ""
    assert spy.judged == []
    results = known(project)["resultats"]
    told = results["reseau"].eq("alpha") & results["annee"].eq(2023) & results["statut_confidentialite"].eq("C")
    assert told.any()
    results = results.assign(statut_confidentialite=results["statut_confidentialite"].mask(told, "F"))
    results.to_parquet(project.store.national / "resultats.parquet", index=False)
    audited(project.catalogue, project.store, DATASET)
    assert spy.judged == [("alpha", 2023)]


def test_a_changed_network_alone_is_hidden_anew(project: Small, spy: Spy) -> None:
    before = known(project)["resultats"]
    write_export(project.exports, "beta", 2024, unhappy=3)
    project.process("beta", 2024)
    after = tables(project)["resultats"]
    assert spy.hidden == [("beta", 2024)]
    assert set(spy.judged) == {("beta", 2024)}
    assert set(spy.tables) == {"beta"}
    changed = after["reseau"].eq("beta") & after["annee"].eq(2024)
    assert not after.loc[changed, "valeur"].equals(before.loc[changed, "valeur"])


def test_a_changed_rule_hides_all_anew(project: Small, spy: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    first = known(project)
    monkeypatch.setattr(protection, "code_of", lambda parts: fingerprints.code_of(parts) + "autre règle")
    same(first, tables(project))
    assert (set(spy.hidden), set(spy.judged)) == (ALL, ALL)


def test_a_changed_declaration_hides_its_network_anew(project: Small, spy: Spy) -> None:
    project.declare("beta", "title: ", "title: Autre ")
    for year in (2023, 2024):
        project.process("beta", year)
    tables(project)
    assert set(spy.hidden) == {("beta", 2023), ("beta", 2024)}


def test_what_a_release_told_counts_once(project: Small, spy: Spy) -> None:
    """What was never told is hidden anew after the first release; a release that tells nothing new changes nothing."""
    arguments = (project.catalogue, DATASET, project.store, project.workspace.root, project.schemas)
    run_dataset(*arguments)
    spy.forget()
    run_dataset(*arguments)
    assert set(spy.hidden) == ALL
    write_export(project.exports, "beta", 2024, unhappy=2)
    project.process("beta", 2024)
    run_dataset(*arguments)
    spy.forget()
    run_dataset(*arguments)
    assert set(spy.hidden) == {("beta", 2024)}
    assert synthetic_statement(project.workspace.root) is None


def flipped(content: bytes) -> bytes:
    return bytes([*content[: len(content) // 2], content[len(content) // 2] ^ 1, *content[len(content) // 2 + 1 :]])


DAMAGES = {
    "cut": lambda content: content[: len(content) // 2], "flipped": flipped, "empty": lambda _: b"", "gone": None,
    "no text": lambda _: b"\xff\xfe", "another": lambda _: b"[1]",
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["essai.json", "essai-0.parquet", "essai-1.parquet"])
def test_what_is_damaged_is_made_again(tmp_path: Path, name: str, damage: str) -> None:
    frames = [pd.DataFrame({"code": ["a", "b"], "valeur": [1.5, 2.5]}), pd.DataFrame({"nombre": [3]})]
    calls: list[int] = []

    def made() -> list[pd.DataFrame]:
        calls.append(1)
        return frames

    for _ in range(2):
        remembered(tmp_path / "essai", "une clé", made)
    assert len(calls) == 1
    spoil, place = DAMAGES[damage], tmp_path / name
    place.unlink() if spoil is None else place.write_bytes(spoil(place.read_bytes()))
    for _ in range(2):
        for found, frame in zip(remembered(tmp_path / "essai", "une clé", made), frames, strict=True):
            pd.testing.assert_frame_equal(found, frame, check_dtype=False)
    assert len(calls) == 2
    remembered(tmp_path / "essai", "une autre clé", made)
    assert len(calls) == 3


def test_what_was_remembered_of_another_year_is_not_believed(project: Small, spy: Spy) -> None:
    first = known(project)
    room = project.store.output / "work" / "secret" / "alpha"
    for file in ("cachees.json", "cachees-0.parquet", "cachees-1.parquet"):
        (room / "2023" / file).write_bytes((room / "2024" / file).read_bytes())
    (room / "tables.json").unlink()  # else nothing is hidden anew, since its tables are remembered
    same(first, tables(project))
    assert spy.hidden == [("alpha", 2023)]


def test_what_was_remembered_of_another_network_is_not_believed(project: Small, spy: Spy) -> None:
    first = known(project)
    room = project.store.output / "work" / "secret"
    for file in (room / "alpha").glob("tables*"):
        (room / "beta" / file.name).write_bytes(file.read_bytes())
    same(first, tables(project))
    assert set(spy.tables) == {"beta"}


def test_tables_are_made_again_of_the_networks_of_which_something_changed(project: Small, spy: Spy) -> None:
    first = known(project)
    for name in (*STATE_FILES.values(), *(f"{name}.parquet" for name in FRAMES)):
        file = project.store.network_year("beta", 2024) / name
        spy.forget()
        file.write_bytes(file.read_bytes() + b"\n" if name.endswith(".json") else another(file))
        tables(project)
        assert set(spy.tables) == {"beta"}, name
    changed = known(project)["resultats"]
    assert not changed["valeur"].equals(first["resultats"]["valeur"])
    spy.forget()
    make_tables(project.catalogue, project.store, "Données inventées.")
    assert set(spy.tables) == {"alpha", "beta"}
    spy.forget()
    make_tables(project.catalogue, project.store, "Données inventées.")
    assert spy.tables == []


def another(file: Path) -> bytes:
    """Return the same table with other numbers, or the same bytes with other compression where it has none."""
    frame = pd.read_parquet(file)
    if "valeur" in frame:
        frame["valeur"] = frame["valeur"] + 1
    told = io.BytesIO()
    frame.to_parquet(told, index=False, compression="gzip")
    return told.getvalue()
