"""The main job as a user runs it: the command, on the shipped samples and on small exports, and what it leaves."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from fixtures.explained_run import judged
from oracle.second_path.judge import SecondPath

from pipelines.cli import main
from pipelines.cli.explain_command import open_explainer
from pipelines.explain import explanation
from pipelines.release import history

PROJECT = Path(__file__).resolve().parents[2]
DATASET = "resultats-services-publics"

pytestmark = pytest.mark.e2e


def run(*arguments: object, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Run the command without any instance to write to."""
    environment = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
    command = [str(Path(sys.executable).with_name("resultats")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=PROJECT, check=False)
    if code is not None:
        assert done.returncode == code, done.stdout[-2000:] + done.stderr[-4000:]
    return done


def release(output: Path, version: str = "1.0.0") -> Path:
    return output / "releases" / DATASET / version


def table(output: Path, name: str, version: str = "1.0.0") -> pd.DataFrame:
    """Every row of a table, whatever files hold it."""
    files = history.table_files(release(output, version), name, "csv")
    read = [pd.read_csv(file.path, dtype=str, keep_default_na=False) for file in files]
    return pd.concat(read, ignore_index=True)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_run_says_what_was_refused_and_where_the_datasets_are(whole_run):
    output, told = whole_run
    assert len(told.splitlines()) <= 45  # a screen
    assert "2 EXPORTS REFUSÉS" in told
    assert "✗ assurance-maladie 2023, enquete : assurance-maladie/enquete-2023.csv\n    Fichier inutilisable." in told
    assert "✗ dgfip 2023, telephone : dgfip/telephone-2023.csv\n    80 lignes refusées sur 480" in told
    assert "DONNÉES SYNTHÉTIQUES" in told
    assert str(release(output)) in told
    assert str(output / "site" / "index.html") in told
    assert str(output / "site" / "donnees.html") in told
    assert "make ui" in told
    account = (output / "work" / "compte-rendu.txt").read_text(encoding="utf-8")
    assert "2023  enquete : REJETÉ. Fichier inutilisable." in account
    assert "2023  telephone : REJETÉ. 80 lignes refusées sur 480" in account
    assert "NON TRANSMIS" in account


def test_the_release_holds_every_table_in_every_format(whole_run):
    output, _ = whole_run
    names = {path.name for path in release(output).iterdir()}
    tables = [
        "resultats-annuels",
        "resultats-infra-annuels",
        "territoires_actuels",
        "indicateurs",
        "reseaux",
        "structures",
        "territoires",
        "couverture",
        "anomalies",
        "ecarts",
    ]
    tables += ["bases", "calages", "receptions", "comparabilite", "qualite", "criteres_qualite", "correlations"]
    assert {f"{name}.{kind}" for name in tables for kind in ("csv", "parquet")} <= names
    assert {"resultats.xlsx", "datapackage.json", "dictionnaire.csv", "SHA256SUMS", "LISEZMOI.md"} <= names
    assert "DONNÉES SYNTHÉTIQUES" in (release(output) / "LISEZMOI.md").read_text(encoding="utf-8")
    assert set(table(output, "resultats")["nature_donnees"]) == {"synthétiques"}
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=release(output), check=True)


def test_every_accepted_row_is_in_a_base_or_under_a_reason(whole_run):
    bases, results = table(whole_run[0], "bases"), table(whole_run[0], "resultats")
    told = bases[bases["lignes_acceptees"] != ""]
    counts = told.drop(columns=["reseau", "annee", "indicateur"]).astype(int)
    assert len(told) > 50
    assert (counts["lignes_acceptees"] == counts.drop(columns=["lignes_acceptees"]).sum(axis=1)).all()
    assert (counts.drop(columns=["lignes_acceptees"]).sum() > 0).sum() > 4  # reasons that the samples show
    national = results[(results["maille"] == "national") & (results["frequence"] == "annuelle")]
    joined = told.merge(national, on=["reseau", "annee", "indicateur"])
    answers = joined[joined["indicateur"].isin(["nps", "csat", "ces", "satisfaction-globale", "delai-median"])]
    answers = answers[answers["effectif"] != ""]
    assert len(answers) > 20
    assert (answers["lignes_base"].astype(int) == answers["effectif"].astype(float)).all()


def test_an_empty_value_is_never_zero_and_always_has_a_reason(whole_run):
    results = table(whole_run[0], "resultats")
    empty = results["valeur"] == ""
    assert empty.any()
    assert (results.loc[empty, "motif_absence"] != "").all()
    assert (results.loc[~empty, "motif_absence"] == "").all()
    assert set(results.loc[empty, "statut_observation"]) <= {"L", "M", "O", "Q"}
    hidden = results[results["motif_absence"] == "secret statistique"]
    assert len(hidden)
    assert (hidden[["effectif", "numerateur", "denominateur", "borne_basse", "borne_haute"]] == "").all(axis=None)


def test_coverage_lists_every_expected_result(whole_run, catalogue):
    coverage = table(whole_run[0], "couverture")
    expected = {
        (network, str(year), indicator)
        for network, declared in catalogue.networks.items()
        for year in declared.years
        for indicator in catalogue.expected(network, year)
    }
    assert set(coverage[["reseau", "annee", "indicateur"]].itertuples(index=False, name=None)) == expected
    missing = coverage[(coverage["reseau"] == "prefectures") & (coverage["annee"] == "2023")]
    assert set(missing["motif_absence"]) == {"non transmis"}


def test_every_published_row_is_found_again_and_explained(whole_run, catalogue, tmp_path):
    explainer = open_explainer(catalogue, whole_run[0], tmp_path)
    second, published = SecondPath(explainer), explainer.release.results
    for judge in (explainer, second):
        checked = judged(judge, published)
        wrong = checked[checked["accord"].eq(False)]
        assert wrong.empty, wrong[["reseau", "annee", "indicateur", "periode", "desaccords"]].to_string()
        assert (checked["accord"].isna() == (checked["statut_confidentialite"] != "F")).all()
        assert checked["accord"].eq(True).sum() > 30_000
    kinds = ["reseau", "indicateur", "maille", "frequence", "motif_absence"]
    for row in checked.groupby(kinds, dropna=False, sort=False).head(1).to_dict("records"):
        assert second.other_rows(row) == []
        told = json.loads(json.dumps(explanation(explainer, row, PROJECT / "schemas")))
        assert told["recalcul"]["accord"] == row["accord"]
        lines = [file["lignes"] for source in told["sources"] for file in source["fichiers"]]
        if row["valeur"] is not None:
            assert sum(line["nombre"] for line in lines) > 0
            assert told["recalcul"]["valeurs"]["valeur"] == pytest.approx(row["valeur"], abs=1e-6)
        elif row["statut_confidentialite"] != "F":
            assert lines == [None] * len(lines)
            assert told["recalcul"]["valeurs"] == {}
        else:
            assert told["absence"]["motif"] == row["motif_absence"]


def test_the_command_explains_a_published_row(whole_run):
    asked = ("explain", "--indicator", "nps", "--network", "caf", "--year", 2024, "--output", whole_run[0])
    assert "ACCORD" in run(*asked, "--territory", "Gard").stdout
    assert json.loads(run(*asked, "--json").stdout)["recalcul"]["accord"] is True


def test_running_again_makes_no_second_release_and_touches_nothing(whole_run, samples, tmp_path):
    output = shutil.copytree(whole_run[0], tmp_path / "output")
    before = digests(output / "releases"), digests(output / "catalogue")
    run("run", "--exports", samples, "--output", output)
    assert (digests(output / "releases"), digests(output / "catalogue")) == before


CSV, ODS = "assurance-maladie/enquete-2024.csv", "assurance-maladie/activite-2024.ods"
ZIP = "gendarmerie/resultats-2024.zip"
SMALL = ("assurance-maladie", "gendarmerie", "securite")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, samples: Path, few_networks) -> tuple[Path, Path, pd.DataFrame]:
    """Three networks with four formats (CSV, ODS, zip), one year: a run quick enough to be repeated with damage."""
    root = tmp_path_factory.mktemp("small")
    exports = root / "exports"
    few_networks(*SMALL).rename(root / "schemas")
    for name in ("assurance-maladie", "gendarmerie", "barometre-2024"):
        shutil.copytree(samples / name, exports / name)
    run_small(root, exports, root / "output")
    return root, exports, table(root / "output", "resultats")


def run_small(root: Path, exports: Path | str, output: Path, *more: str) -> str:
    """Run in this process: the many damages below don't pay the start of the command each time."""
    places = ["--exports", str(exports), "--output", str(output), "--schemas", str(root / "schemas")]
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = main(["run", *places, "--year", "2024", *more])
    assert code == 0, told.getvalue()
    return told.getvalue()


def test_a_changed_file_is_told_and_makes_a_new_version_where_only_its_rows_change(small, tmp_path):
    root, exports, before = small
    output = shutil.copytree(root / "output", tmp_path / "output")
    exports = shutil.copytree(exports, tmp_path / "exports")
    network, of_network = "assurance-maladie", ("--network", "assurance-maladie")
    assert "NOUVEAU CONTENU" not in run_small(root, exports, output, *of_network)
    path = exports / CSV
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert f"NOUVEAU CONTENU sous le même nom : {CSV}" in run_small(root, exports, output, *of_network)
    versions = sorted(folder.name for folder in (output / "releases" / DATASET).iterdir())
    assert len(versions) == 2
    after = table(output, "resultats", versions[-1])
    changed = after[after["version_publication"] == versions[-1]]
    assert len(changed)
    assert set(changed["reseau"]) == {network}
    others = [frame[frame["reseau"] != network].reset_index(drop=True) for frame in (before, after)]
    pd.testing.assert_frame_equal(*others)


def test_strict_and_usage_exit_codes(small, tmp_path):
    root, exports, _ = small
    output = shutil.copytree(root / "output", tmp_path / "output")
    chosen = ("run", "--schemas", root / "schemas", "--exports", exports, "--output", output)
    of_network = (*chosen, "--network", "assurance-maladie", "--year", "2024")
    run(*of_network, code=0)
    run(*of_network, "--strict", code=1)
    run(*chosen, "--network", "securite", "--year", "2024", "--strict", code=0)
    assert "vouliez-vous dire « securite »" in run(*chosen, "--network", "securit", code=2).stderr
    assert "introuvable" in run("run", "--exports", tmp_path / "nowhere", "--output", tmp_path / "o", code=2).stderr
    assert "année 1900 non déclarée" in run(*chosen, "--year", "1900", code=2).stderr


def _truncate(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flip(content: bytes) -> bytes:
    source = random.Random(4)
    damaged = bytearray(content)
    for _ in range(200):
        damaged[source.randrange(len(damaged))] = source.randrange(256)
    return bytes(damaged)


def _html(content: bytes) -> bytes:
    return b"<!DOCTYPE html><html><body>Erreur 502</body></html>"


def _empty(content: bytes) -> bytes:
    return b""


def _noise(content: bytes) -> bytes:
    return random.Random(5).randbytes(5000)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        *((CSV, damage) for damage in (None, _truncate, _flip, _html, _empty, _noise)),
        *((ODS, damage) for damage in (None, _truncate, _noise)),
        *((ZIP, damage) for damage in (None, _flip, _html)),
    ],
)
def test_a_missing_or_damaged_file_changes_only_its_network_and_says_so(small, tmp_path, file, damage):
    root, exports, intact = small
    damaged = shutil.copytree(exports, tmp_path / "exports")
    path = damaged / file
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(path.read_bytes()))
    network = file.split("/", maxsplit=1)[0]
    told = run_small(root, damaged, tmp_path / "output")
    assert "REJETÉ" in told or "NON TRANSMIS" in told or "refusée" in told
    results = table(tmp_path / "output", "resultats")
    # Which rows come first, to tell readers the types of columns, depends on all networks: rows are sorted.
    others = [frame[frame["reseau"] != network].sort_values([*frame], ignore_index=True) for frame in (intact, results)]
    pd.testing.assert_frame_equal(*others)
    assert not results.equals(intact)
    anomalies = table(tmp_path / "output", "anomalies")
    assert ((anomalies["reseau"] == network) & (anomalies["annee"] == "2024")).any()


def test_the_same_inputs_elsewhere_make_the_same_bytes(small, tmp_path):
    root, exports, _ = small
    run_small(root, shutil.copytree(exports, tmp_path / "exports"), tmp_path / "output")
    assert digests(release(tmp_path / "output")) == digests(release(root / "output"))


def test_the_root_may_be_any_fsspec_url(small):
    root, exports, intact = small
    run_small(root, f"file://{exports}", root / "by-url")
    pd.testing.assert_frame_equal(table(root / "by-url", "resultats"), intact)
